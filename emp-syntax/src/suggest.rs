//! "Did you mean": the nearest of the words that would be right.

/// The candidate nearest to a word, when one is near enough to be what was meant: at most a third of its letters differ, or one word
/// begins with the other. Of two at one distance the one that begins alike wins.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    let allowed = folded.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let known = candidate.to_lowercase();
            let distance = strsim::osa_distance(&folded, &known);
            let stem = folded.len() >= 3 && (known.starts_with(&folded) || folded.starts_with(&known));
            (distance <= allowed || stem)
                .then(|| (distance, strsim::jaro_winkler(&folded, &known), candidate))
        })
        .min_by(|(far, unlike, _), (far_too, unlike_too, _)| {
            far.cmp(far_too).then(unlike_too.total_cmp(unlike))
        })
        .map(|(_, _, candidate)| candidate)
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

    #[test]
    fn the_nearest_of_many_alike_is_the_one_with_the_fewest_slips() {
        assert_eq!(nearest("EMP01O4", ["EMP0214", "EMP0104", "EMP0140"]), Some("EMP0104"));
        assert_eq!(nearest("succeed", ["running", "succeeded"]), Some("succeeded"));
    }
}
