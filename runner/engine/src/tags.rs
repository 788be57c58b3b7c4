//! Which tasks `--tags` and `--skip-tags` select.

/// The tags asked for and those to leave out.
#[derive(Debug, Clone, Default)]
pub struct TagSelection {
    /// `--tags`; empty means `all`.
    pub run: Vec<String>,
    /// `--skip-tags`.
    pub skip: Vec<String>,
}

impl TagSelection {
    /// Whether a task with these tags (its own and inherited ones) runs.
    ///
    /// `always` runs unless it is skipped by name, `never` only where one of the task's tags is
    /// asked for; `tagged`, `untagged` and `all` mean what they say.
    pub fn selects(&self, tags: &[String]) -> bool {
        self.wanted(tags) && !self.left_out(tags)
    }

    fn wanted(&self, tags: &[String]) -> bool {
        let has = |word: &str| tags.iter().any(|t| t == word);
        let named = self.run.iter().any(|r| tags.contains(r));
        let asks = |word: &str| self.run.iter().any(|r| r == word);
        if self.run.is_empty() || asks("all") {
            return !has("never") || named;
        }
        let tagged = tags.iter().any(|t| t != "always" && t != "never");
        named
            || has("always")
            || (asks("tagged") && tagged && !has("never"))
            || (asks("untagged") && !tagged && !has("never"))
    }

    fn left_out(&self, tags: &[String]) -> bool {
        let has = |word: &str| tags.iter().any(|t| t == word);
        let asks = |word: &str| self.skip.iter().any(|s| s == word);
        if self.skip.iter().any(|s| tags.contains(s)) {
            return true;
        }
        let always = has("always");
        (asks("all") && !always)
            || (asks("tagged") && !tags.is_empty() && !always)
            || (asks("untagged") && tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::TagSelection;

    fn selects(run: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        TagSelection {
            run: own(run),
            skip: own(skip),
        }
        .selects(&own(tags))
    }

    #[test]
    fn without_a_selection_all_but_never_runs() {
        assert!(selects(&[], &[], &[]));
        assert!(selects(&[], &[], &["a"]));
        assert!(!selects(&[], &[], &["never"]));
        assert!(!selects(&[], &[], &["never", "a"]));
    }

    #[test]
    fn a_selection_takes_its_tags_and_always() {
        assert!(selects(&["a"], &[], &["a", "b"]));
        assert!(!selects(&["a"], &[], &["b"]));
        assert!(selects(&["a"], &[], &["always"]));
        assert!(selects(&["a"], &[], &["never", "a"]));
    }

    #[test]
    fn tagged_and_untagged_divide_the_tasks() {
        assert!(selects(&["tagged"], &[], &["x"]));
        assert!(!selects(&["tagged"], &[], &[]));
        assert!(selects(&["untagged"], &[], &[]));
        assert!(!selects(&["untagged"], &[], &["x"]));
    }

    #[test]
    fn skipping_wins_over_always_only_by_name() {
        assert!(!selects(&["a"], &["b"], &["a", "b"]));
        assert!(!selects(&[], &["always"], &["always"]));
        assert!(selects(&[], &["all"], &["always"]));
    }
}
