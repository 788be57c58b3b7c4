//! "did you mean": the nearest known word.

/// The candidate nearest to `word`, if one is near enough to be a likely slip.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(word, c), c))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_swapped_letter_is_found() {
        assert_eq!(
            did_you_mean("ownre", ["mode", "owner", "group"]),
            Some("owner")
        );
    }

    #[test]
    fn a_different_word_is_not_offered() {
        assert_eq!(did_you_mean("banana", ["mode", "owner"]), None);
    }
}
