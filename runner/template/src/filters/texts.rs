//! Texts: case, blanks, cutting and joining.

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
        &["value", "width", "break_long_words", "wrapstring"],
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
        let was = std::mem::replace(&mut inside, c.is_alphanumeric() || c == '\'');
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
    let break_words = args.flag(2, true);
    let mut lines: Vec<String> = vec![];
    for paragraph in args.text(0)?.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut word: String = word.to_owned();
            let fits =
                |line: &str, word: &str| line.chars().count() + 1 + word.chars().count() <= width;
            if !line.is_empty() && !fits(&line, &word) {
                lines.push(std::mem::take(&mut line));
            }
            while break_words && word.chars().count() > width {
                let rest = word
                    .char_indices()
                    .nth(width)
                    .map_or(word.len(), |(at, _)| at);
                lines.push(word.drain(..rest).collect());
            }
            line = if line.is_empty() {
                word
            } else {
                format!("{line} {word}")
            };
        }
        lines.push(line);
    }
    Ok(lines.join(&by).into())
}

fn striptags(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut out = String::new();
    let mut inside = false;
    for c in args.text(0)?.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    Ok(out.split_whitespace().collect::<Vec<_>>().join(" ").into())
}

fn escaped(text: &str) -> String {
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
