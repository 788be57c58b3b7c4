//! `+1`: the sign that changes nothing, which the evaluator's grammar lacks. It becomes a blank, so
//! that every place in the text stays what it was.

use std::borrow::Cow;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// The text of an expression without it.
pub(crate) fn expression(text: &str) -> Cow<'_, str> {
    without(text, true, SyntaxConfig::default())
}

/// The text of a template without it.
pub(crate) fn template(text: &str, syntax: SyntaxConfig) -> Cow<'_, str> {
    without(text, false, syntax)
}

fn without(text: &str, in_expression: bool, syntax: SyntaxConfig) -> Cow<'_, str> {
    if !text.contains('+') {
        return text.into();
    }
    let mut blanked = Cow::Borrowed(text);
    let mut begins = true;
    for token in tokenize(text, in_expression, syntax) {
        // What is wrong is told where the text is parsed.
        let Ok((token, span)) = token else { break };
        if begins && matches!(token, Token::Plus) {
            let at = span.start_offset as usize;
            blanked.to_mut().replace_range(at..=at, " ");
            continue;
        }
        begins = !ends_operand(&token);
    }
    blanked
}

/// Whether what follows a token can only be an operator.
fn ends_operand(token: &Token<'_>) -> bool {
    match token {
        Token::Ident(word) => {
            !["and", "or", "not", "in", "if", "else", "elif", "is", "set"].contains(word)
        }
        Token::Str(_)
        | Token::String(_)
        | Token::Int(_)
        | Token::Int128(_)
        | Token::Float(_)
        | Token::BracketClose
        | Token::ParenClose
        | Token::BraceClose => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_before_an_operand_is_blanked_and_an_operator_is_not() {
        for (text, want) in [
            ("+1", " 1"),
            ("a + +b", "a +  b"),
            ("[-1, +2]", "[-1,  2]"),
            ("x if +1 else + 2", "x if  1 else   2"),
            ("a + b['+'] + (1)", "a + b['+'] + (1)"),
            ("f(x=+1)", "f(x= 1)"),
        ] {
            assert_eq!(expression(text), want, "{text}");
        }
    }

    #[test]
    fn the_text_around_a_template_keeps_its_signs() {
        let syntax = SyntaxConfig::default();
        assert_eq!(
            template("+1 {{ +1 }} + {{ 1 }}+", syntax),
            "+1 {{  1 }} + {{ 1 }}+"
        );
    }
}
