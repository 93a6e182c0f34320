//! The nearest known word to one that nobody knows.

/// The candidate nearest to `word`, when it is near enough to be a slip of the fingers.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(lower.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// ` (did you mean "x"?)`, or the list of what is known where nothing is near: the tail of an error message.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("; did you mean \"{near}\"?"),
        None if candidates.is_empty() => String::new(),
        None => format!("; known here: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("arivals", ["arrivals", "shoppers"]), Some("arrivals"));
        assert_eq!(nearest("Warmup", ["warmup", "name"]), Some("warmup"));
        assert_eq!(nearest("xyz", ["arrivals", "shoppers"]), None);
        assert_eq!(did_you_mean("xyz", ["a-name", "b-name"]), "; known here: a-name, b-name");
    }
}
