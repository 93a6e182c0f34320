//! Plans a run, launches agents, folds their reports, judges and tells.
