//! What variables may be called.

use rplay_diag::{Diagnostic, Span};

use crate::is_template;
use crate::problems::Problems;

/// Says what is wrong with a variable's name.
pub(crate) fn check_name(text: &str, span: &Span, problems: &mut Problems) {
    let mut characters = text.chars();
    let first = characters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if is_template(text) || first && characters.all(|c| c.is_alphanumeric() || c == '_') {
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
