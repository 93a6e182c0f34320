//! Pure nouns and arithmetic of a run: plan, pace, segment, tally, threshold, objective.
