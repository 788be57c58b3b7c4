//! The words of a line, as Python's `shlex` cuts them: quotes, backslashes, and comments that begin
//! even in the middle of a word.

/// A word without its quotes, and where it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// The words of a line.
///
/// # Errors
/// Where the quote or backslash stands that nothing follows.
pub(crate) fn words(line: &str) -> Result<Vec<Word>, usize> {
    let mut found: Vec<Word> = vec![];
    let mut open: Option<Word> = None;
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '#' {
            break;
        }
        if c.is_whitespace() {
            found.extend(open.take());
            continue;
        }
        let word = open.get_or_insert_with(|| Word {
            text: String::new(),
            start: at,
            end: at,
        });
        match c {
            '\\' => word.text.push(chars.next().ok_or(at)?.1),
            '\'' | '"' => quoted(&mut chars, c, &mut word.text).ok_or(at)?,
            c => word.text.push(c),
        }
        word.end = chars.peek().map_or(line.len(), |(next, _)| *next);
    }
    found.extend(open);
    Ok(found)
}

/// Takes what is up to the closing quote.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    quote: char,
    text: &mut String,
) -> Option<()> {
    loop {
        let (_, c) = chars.next()?;
        if c == quote {
            return Some(());
        }
        text.push(c);
        // Only a double quote has escapes, and only of itself and of a backslash.
        if c == '\\' && quote == '"' && matches!(chars.peek()?.1, '"' | '\\') {
            text.pop();
            text.push(chars.next()?.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        words(line).unwrap().into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            texts("h a='x y' b=\"it's\" c=''"),
            ["h", "a=x y", "b=it's", "c="]
        );
        assert_eq!(
            texts(r#"a="\n\"\\" b=x\ y c='\n'"#),
            [r#"a=\n"\"#, "b=x y", r"c=\n"]
        );
    }

    #[test]
    fn a_comment_begins_anywhere_outside_of_quotes() {
        assert_eq!(texts("h a=a#b b=1"), ["h", "a=a"]);
        assert_eq!(texts("h a='a#b' # b=1"), ["h", "a=a#b"]);
    }

    #[test]
    fn a_word_knows_where_it_stands() {
        let all = words("h  a='x y' b").unwrap();
        assert_eq!((all[1].start, all[1].end), (3, 10));
        assert_eq!(words("h \"x"), Err(2));
    }
}
