//! Texts: case, blanks, cutting and joining.

use std::collections::VecDeque;

use minijinja::value::ValueKind;
use minijinja::{State, Value};

use crate::call::{Args, Callable, Out, items, strict};
use crate::python::{self, text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["string"], &["value"], |_, a| Ok(a.text(0)?.into())),
    strict(&["lower"], &["value"], |_, a| {
        Ok(a.text(0)?.to_lowercase().into())
    }),
    strict(&["upper"], &["value"], |_, a| {
        Ok(a.text(0)?.to_uppercase().into())
    }),
    strict(&["title"], &["value"], |_, a| Ok(title(&a.text(0)?).into())),
    strict(&["capitalize"], &["value"], |_, a| {
        Ok(capitalize(&a.text(0)?).into())
    }),
    strict(&["trim"], &["value", "chars"], trim),
    strict(&["replace"], &["value", "old", "new", "count"], replace),
    strict(&["join"], &["value", "d", "attribute"], join),
    strict(&["split"], &["value", "sep", "maxsplit"], split),
    strict(&["center"], &["value", "width"], |state, a| {
        let width = a.int(1)?.unwrap_or(80);
        crate::methods::call(state, &a.text(0)?.into(), "center", &[width.into()])
    }),
    strict(&["format"], &["value", "*", "**"], format),
    strict(
        &["truncate"],
        &["value", "length", "killwords", "end", "leeway"],
        truncate,
    ),
    strict(&["wordcount"], &["value"], |_, a| {
        Ok(a.text(0)?.split_whitespace().count().into())
    }),
    strict(
        &["wordwrap"],
        &[
            "value",
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens",
        ],
        wordwrap,
    ),
    strict(&["indent"], &["value", "width", "first", "blank"], indent),
    strict(&["striptags"], &["value"], striptags),
    strict(&["pprint"], &["value", "verbose"], |_, a| {
        Ok(python::repr(a.req(0)?)?.into())
    }),
    strict(&["escape", "e", "forceescape"], &["value"], |_, a| {
        Ok(escaped(&a.text(0)?).into())
    }),
    strict(&["xmlattr"], &["value", "autospace"], xmlattr),
];

/// Lines moved to the right, but for the first; a width may be the text to put before them.
fn indent(_: &mut State<'_, '_>, args: &Args) -> Out {
    let width = match args.some(1) {
        Some(width) if width.as_str().is_some() => text(width)?,
        _ => " ".repeat(usize::try_from(args.int(1)?.unwrap_or(4)).unwrap_or(0)),
    };
    let (first, blank) = (args.flag(2, false), args.flag(3, false));
    let written = args.text(0)?;
    let line = |(at, line): (usize, &str)| match (at, line) {
        (0, line) if !first => line.to_owned(),
        (at, "") if at > 0 && !blank => String::new(),
        (_, line) => format!("{width}{line}"),
    };
    let lines: Vec<String> = written.split('\n').enumerate().map(line).collect();
    Ok(lines.join("\n").into())
}

fn title(text: &str) -> String {
    let mut inside = false;
    let next = |c: char| {
        let ends = c.is_whitespace() || "-({[<".contains(c);
        let was = std::mem::replace(&mut inside, !ends);
        if was {
            c.to_lowercase().collect::<String>()
        } else {
            c.to_uppercase().collect()
        }
    };
    text.chars().map(next).collect()
}

fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars.flat_map(char::to_lowercase)).collect()
}

fn trim(_: &mut State<'_, '_>, args: &Args) -> Out {
    let text = args.text(0)?;
    Ok(match args.opt_text(1)? {
        Some(chars) => text.trim_matches(|c| chars.contains(c)).into(),
        None => text.trim().into(),
    })
}

fn replace(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (text, old, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
    Ok(match args.int(3)? {
        Some(most) if most >= 0 => text
            .replacen(&old, &new, usize::try_from(most).unwrap_or(0))
            .into(),
        _ => text.replace(&old, &new).into(),
    })
}

fn join(_: &mut State<'_, '_>, args: &Args) -> Out {
    let by = args.opt_text(1)?.unwrap_or_default();
    let mut parts = vec![];
    for item in items(args.req(0)?)? {
        let item = match args.opt_text(2)? {
            Some(path) => super::items::by_path(&item, &path)?,
            None => item,
        };
        parts.push(text(&python::valid(item)?)?);
    }
    Ok(parts.join(&by).into())
}

fn split(state: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.kind() != ValueKind::String {
        return Err(wrong(format!(
            "`split` takes a string, not {}",
            python::named(value)
        )));
    }
    let by = args.some(1).cloned().unwrap_or_else(|| Value::from(()));
    if by.as_str() == Some("") {
        return Err(wrong(
            "`split` needs something to split by, and not an empty text",
        ));
    }
    match args.int(2)? {
        Some(most) if most >= 0 => crate::methods::call(state, value, "split", &[by, most.into()]),
        _ => crate::methods::call(state, value, "split", &[by]),
    }
}

fn format(_: &mut State<'_, '_>, args: &Args) -> Out {
    let text = args.text(0)?;
    let values = if args.more.is_empty() {
        Value::from(minijinja::value::Tuple::from(args.rest.clone()))
    } else {
        Value::from_pairs(args.more.clone())
    };
    crate::percent::format(&text, &values).map(Value::from)
}

fn truncate(_: &mut State<'_, '_>, args: &Args) -> Out {
    let text = args.text(0)?;
    let size = |at: usize, default: i64| -> Result<usize, minijinja::Error> {
        Ok(usize::try_from(args.int(at)?.unwrap_or(default)).unwrap_or(0))
    };
    let (length, leeway) = (size(1, 255)?, size(4, 5)?);
    let end = args.opt_text(3)?.unwrap_or_else(|| "...".into());
    if text.chars().count() <= length + leeway {
        return Ok(text.into());
    }
    let cut: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    let cut = if args.flag(2, false) {
        &cut
    } else {
        cut.rsplit_once(' ').map_or(cut.as_str(), |c| c.0)
    };
    Ok(format!("{cut}{end}").into())
}

fn wordwrap(_: &mut State<'_, '_>, args: &Args) -> Out {
    let width = usize::try_from(args.int(1)?.unwrap_or(79))
        .unwrap_or(1)
        .max(1);
    let by = args.opt_text(3)?.unwrap_or_else(|| "\n".into());
    let wrap = Wrap {
        width,
        break_words: args.flag(2, true),
        break_hyphens: args.flag(4, true),
    };
    let lines: Vec<String> = args
        .text(0)?
        .lines()
        .map(|paragraph| wrap.lines(paragraph).join(&by))
        .collect();
    Ok(lines.join(&by).into())
}

/// How a paragraph is broken into lines: as Python's textwrap does it.
struct Wrap {
    width: usize,
    break_words: bool,
    break_hyphens: bool,
}

impl Wrap {
    fn lines(&self, paragraph: &str) -> Vec<String> {
        let mut chunks: VecDeque<String> = self.chunks(paragraph).into();
        let mut lines: Vec<String> = vec![];
        let length = |text: &str| text.chars().count();
        while !chunks.is_empty() {
            if !lines.is_empty() && chunks.front().is_some_and(|chunk| is_blank(chunk)) {
                chunks.pop_front();
            }
            let mut line: Vec<String> = vec![];
            let mut filled = 0;
            while let Some(chunk) =
                chunks.pop_front_if(|chunk| filled + length(chunk) <= self.width)
            {
                filled += length(&chunk);
                line.push(chunk);
            }
            if let Some(long) = chunks.pop_front_if(|chunk| length(chunk) > self.width) {
                self.long(long, self.width - filled, &mut line, &mut chunks);
            }
            line.pop_if(|last| is_blank(last));
            if !line.is_empty() {
                lines.push(line.concat());
            }
        }
        lines
    }

    /// A word that fits no line: as much of it as there is room for, or all where it must not be
    /// broken.
    fn long(
        &self,
        word: String,
        room: usize,
        line: &mut Vec<String>,
        chunks: &mut VecDeque<String>,
    ) {
        if !self.break_words {
            match line.is_empty() {
                true => line.push(word),
                false => chunks.push_front(word),
            }
            return;
        }
        let at = |n: usize| word.char_indices().nth(n).map_or(word.len(), |(at, _)| at);
        let mut end = at(room);
        let hyphen = word[..end]
            .rfind('-')
            .filter(|at| self.break_hyphens && *at > 0);
        if let Some(hyphen) = hyphen
            && word[..hyphen].chars().any(|c| c != '-')
        {
            end = hyphen + 1;
        }
        line.push(word[..end].to_owned());
        chunks.push_front(word[end..].to_owned());
    }

    /// Words and the blanks between them; a hyphenated word is several.
    fn chunks(&self, paragraph: &str) -> Vec<String> {
        let mut chunks: Vec<String> = vec![];
        let mut letters = paragraph.chars().peekable();
        let mut chunk = String::new();
        while let Some(c) = letters.next() {
            let turns = chunk
                .chars()
                .last()
                .is_some_and(|last| last.is_whitespace() != c.is_whitespace());
            if turns {
                chunks.push(std::mem::take(&mut chunk));
            }
            chunk.push(c);
            if c == '-' && self.break_hyphens && is_hyphen(&chunk, letters.clone()) {
                chunks.push(std::mem::take(&mut chunk));
            }
        }
        chunks.push(chunk);
        chunks.retain(|chunk| !chunk.is_empty());
        chunks
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Whether the hyphen at the end of `before` is one between letters, of which there are two on each
/// side.
fn is_hyphen(before: &str, after: impl Iterator<Item = char>) -> bool {
    let back: Vec<char> = before.chars().rev().skip(1).take(3).collect();
    let letter = |c: Option<&char>| c.is_some_and(|c| c.is_alphabetic());
    let two_before = letter(back.first())
        && (letter(back.get(1)) || back.get(1) == Some(&'-') && letter(back.get(2)));
    let next: Vec<char> = after.take(3).collect();
    let two_after = letter(next.first())
        && (letter(next.get(1)) || next.get(1) == Some(&'-') && letter(next.get(2)));
    two_before && two_after
}

fn striptags(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut out = String::new();
    let whole = args.text(0)?;
    let mut rest = whole.as_str();
    while let Some(at) = rest.find('<') {
        let end = if rest[at..].starts_with("<!--") {
            "-->"
        } else {
            ">"
        };
        let Some(length) = rest[at..].find(end) else {
            break;
        };
        out.push_str(&rest[..at]);
        rest = &rest[at + length + end.len()..];
    }
    out.push_str(rest);
    let words: Vec<&str> = out.split_whitespace().collect();
    Ok(html_escape::decode_html_entities(&words.join(" "))
        .into_owned()
        .into())
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn xmlattr(_: &mut State<'_, '_>, args: &Args) -> Out {
    let map = args.req(0)?;
    let mut out = String::new();
    for key in map.try_iter()? {
        let value = map.get_item(&key)?;
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let safe = escaped(&text(&value)?);
        out.push_str(&format!(" {}=\"{safe}\"", text(&key)?));
    }
    Ok(if args.flag(1, true) {
        out.into()
    } else {
        out.trim_start().into()
    })
}
