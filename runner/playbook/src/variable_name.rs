//! What variables may be called.

use rplay_diag::{Diagnostic, Span};

use crate::is_template;
use crate::keyword::Keyword;
use crate::problems::Problems;

/// Names of parts of plays that are no keywords of the table, and of what templates call.
const TAKEN: [&str; 28] = [
    "action",
    "always",
    "block",
    "cycler",
    "dict",
    "handlers",
    "hosts",
    "joiner",
    "lipsum",
    "local_action",
    "lookup",
    "loop",
    "loop_with",
    "name",
    "namespace",
    "now",
    "omit",
    "port",
    "post_tasks",
    "pre_tasks",
    "q",
    "query",
    "range",
    "rescue",
    "roles",
    "tasks",
    "undef",
    "with_",
];

/// A warning of a variable that is called as something else is already.
pub fn reserved_name(text: &str, span: &Span) -> Option<Diagnostic> {
    // These are keywords too, but nothing that a variable would hide.
    let free = ["gather_subset", "listen", "vars"].contains(&text);
    let taken = TAKEN.contains(&text) || Keyword::is_one(text) && !free;
    let words = || format!("Found variable using reserved name '{text}'.");
    taken.then(|| Diagnostic::warning(words()).at(span))
}

/// Says what is wrong with a variable's name.
pub(crate) fn check_name(text: &str, span: &Span, problems: &mut Problems) {
    let mut characters = text.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if is_template(text) || first && characters.all(|c| c.is_alphanumeric() || c == '_') {
        problems.extend(reserved_name(text, span));
        return;
    }
    let error = Diagnostic::error(format!("Invalid variable name `{text}`")).at(span);
    let better: String = text
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    let better = better.trim_start_matches(|c: char| c.is_ascii_digit());
    problems.push(if better.chars().any(char::is_alphanumeric) {
        error.help(format!(
            "letters, digits and underscores, such as `{better}`"
        ))
    } else {
        error.help("letters, digits and underscores, not beginning with a digit")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_something_else_has_is_told_of() {
        let span = Span::synthetic("v.yml");
        let told = |name| reserved_name(name, &span).map(|warning| warning.message);
        for name in ["query", "tasks", "environment", "become", "with_"] {
            let words = format!("Found variable using reserved name '{name}'.");
            assert_eq!(told(name), Some(words));
        }
        for name in ["listen", "vars", "item", "querying", "groups"] {
            assert_eq!(told(name), None);
        }
    }
}
