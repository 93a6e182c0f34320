//! Workspace tests: an annotated index.
