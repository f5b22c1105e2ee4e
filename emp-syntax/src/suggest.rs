//! "Did you mean": the nearest of the words that would be right.

/// The candidate nearest to a word, when one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.78)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        let words = ["succeeded", "running", "queued"];
        assert_eq!(nearest("suceeded", words), Some("succeeded"));
        assert_eq!(nearest("Queud", words), Some("queued"));
        assert_eq!(nearest("banana", words), None);
    }
}
