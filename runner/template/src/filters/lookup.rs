//! `lookup`, `query` and `q`.

use std::sync::Arc;

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};
use rplay_diag::Source;

use super::items;
use crate::context::Context;
use crate::jinja::{context_of, string, wrong};
use crate::templar::{Language, TextOptions};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_function(
        "lookup",
        |state: &mut State<'_, '_>, name: String, terms: Rest<Value>, kwargs: Kwargs| {
            let wantlist: Option<bool> = kwargs.get("wantlist")?;
            let found = find(state, &name, &terms.0, &kwargs)?;
            if wantlist.unwrap_or(false) {
                return Ok(Value::from(found));
            }
            Ok::<_, Error>(match found.as_slice() {
                [one] => one.clone(),
                many if many.iter().all(|v| v.as_str().is_some()) => {
                    let texts: Vec<_> = many.iter().filter_map(Value::as_str).collect();
                    Value::from(texts.join(","))
                }
                many => Value::from(many.to_vec()),
            })
        },
    );
    for name in ["query", "q"] {
        env.add_function(
            name,
            |state: &mut State<'_, '_>, name: String, terms: Rest<Value>, kwargs: Kwargs| {
                find(state, &name, &terms.0, &kwargs)
            },
        );
    }
}

fn find(
    state: &mut State<'_, '_>,
    name: &str,
    terms: &[Value],
    kwargs: &Kwargs,
) -> Result<Vec<Value>, Error> {
    let context = context_of(state)?;
    let errors: Option<String> = kwargs.get("errors")?;
    match looked_up(&context, name, terms, kwargs) {
        Err(_) if errors.as_deref() == Some("ignore") => Ok(vec![]),
        other => other,
    }
}

/// A lookup's results.
pub(crate) fn looked_up(
    context: &Arc<Context>,
    name: &str,
    terms: &[Value],
    kwargs: &Kwargs,
) -> Result<Vec<Value>, Error> {
    let name = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    let io = context
        .vars
        .io()
        .ok_or_else(|| wrong("lookups work in a playbook only"))?;
    let each = |f: &dyn Fn(String) -> Result<Value, Error>| -> Result<Vec<Value>, Error> {
        flat(terms)?.iter().map(|t| f(string(t)?)).collect()
    };
    match name {
        "env" => {
            let default: Option<Value> = kwargs.get("default")?;
            each(&|n| {
                Ok(io
                    .env(&n)
                    .map(Value::from)
                    .or(default.clone())
                    .unwrap_or_else(|| "".into()))
            })
        }
        "file" | "unvault" => each(&|n| {
            let text = io.read("files", &n).map_err(wrong)?;
            Ok(Value::from(text.trim_end_matches('\n')))
        }),
        "template" => each(&|n| {
            let text = io.read("templates", &n).map_err(wrong)?;
            let (text, _) = context
                .templar
                .file(
                    &Source::new(n, text),
                    Language::Jinja,
                    TextOptions::default(),
                    &context.vars,
                )
                .map_err(crate::context::carried)?;
            Ok(Value::from(text))
        }),
        "pipe" => each(&|n| {
            Ok(Value::from(
                io.pipe(&n).map_err(wrong)?.trim_end_matches('\n'),
            ))
        }),
        "lines" => {
            let mut out = vec![];
            for term in flat(terms)? {
                let text = io.pipe(&string(&term)?).map_err(wrong)?;
                out.extend(text.lines().map(Value::from));
            }
            Ok(out)
        }
        "fileglob" => {
            let mut out = vec![];
            for term in flat(terms)? {
                let paths = io.glob(&string(&term)?);
                out.extend(paths.iter().map(|p| Value::from(p.display().to_string())));
            }
            Ok(out)
        }
        "first_found" => first_found(&*io, terms, kwargs),
        "vars" => {
            let default: Option<Value> = kwargs.get("default")?;
            let names = Value::from_dyn_object(context.clone());
            each(&|n| {
                let value = names.get_attr(&n)?;
                match (value.is_undefined(), &default) {
                    (false, _) => Ok(value),
                    (true, Some(default)) => Ok(default.clone()),
                    (true, None) => Err(wrong(format!("there is no variable `{n}`"))),
                }
            })
        }
        "varnames" => {
            let mut out = vec![];
            for term in flat(terms)? {
                let regex = super::regex::pattern_of(&string(&term)?, false, false)?;
                let mut names = context.vars.names();
                names.retain(|n| regex.is_match(n).unwrap_or(false));
                out.extend(names.into_iter().map(Value::from));
            }
            Ok(out)
        }
        "items" | "flattened" => flat(terms),
        "list" => Ok(terms.to_vec()),
        "dict" => {
            let mut out = vec![];
            for term in terms {
                for key in term.try_iter()? {
                    let value = term.get_item(&key)?;
                    out.push(Value::from_pairs([("key", key), ("value", value)]));
                }
            }
            Ok(out)
        }
        "indexed_items" => {
            let list = flat(terms)?.into_iter().enumerate();
            Ok(list
                .map(|(i, v)| Value::from(vec![Value::from(i), v]))
                .collect())
        }
        "together" => together(terms),
        "nested" | "cartesian" => nested(terms),
        "sequence" => sequence(terms),
        "random_choice" => {
            let all = flat(terms)?;
            Ok(all.into_iter().take(1).collect())
        }
        "subelements" => {
            let [list, key, ..] = terms else {
                return Err(wrong("subelements takes a list and a key"));
            };
            subelements(list, &string(key)?)
        }
        other => Err(wrong(format!("there is no lookup `{other}`"))),
    }
}

/// The terms, with lists among them spread out once.
fn flat(terms: &[Value]) -> Result<Vec<Value>, Error> {
    let mut out = vec![];
    for term in terms {
        match term.kind() {
            ValueKind::Seq | ValueKind::Iterable => out.extend(term.try_iter()?),
            _ => out.push(term.clone()),
        }
    }
    Ok(out)
}

fn first_found(
    io: &dyn crate::vars::LookupIo,
    terms: &[Value],
    kwargs: &Kwargs,
) -> Result<Vec<Value>, Error> {
    let mut names = vec![];
    let mut paths = vec![];
    let mut skip: bool = kwargs.get::<Option<bool>>("skip")?.unwrap_or(false);
    for term in flat(terms)? {
        if term.kind() == ValueKind::Map {
            for (key, list) in [("files", &mut names), ("paths", &mut paths)] {
                let value = term.get_attr(key)?;
                if !value.is_undefined() {
                    list.extend(flat(&[value])?);
                }
            }
            skip |= term.get_attr("skip")?.is_true();
        } else {
            names.push(term);
        }
    }
    for name in &names {
        let name = string(name)?;
        let mut places = vec![];
        for path in &paths {
            places.push(format!("{}/{name}", string(path)?));
        }
        if places.is_empty() {
            places.push(name);
        }
        for place in places {
            let kinds = ["files", "templates", "vars", "tasks"];
            if let Some(path) = kinds.iter().find_map(|kind| io.find(kind, &place)) {
                return Ok(vec![Value::from(path.display().to_string())]);
            }
        }
    }
    if skip {
        Ok(vec![])
    } else {
        Err(wrong("first_found: none of the files is there"))
    }
}

fn together(terms: &[Value]) -> Result<Vec<Value>, Error> {
    let lists: Vec<Vec<Value>> = terms.iter().map(items).collect::<Result<_, _>>()?;
    let len = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |i: usize| {
        let cells = lists
            .iter()
            .map(|l| l.get(i).cloned().unwrap_or_else(|| Value::from(())));
        Value::from(cells.collect::<Vec<_>>())
    };
    Ok((0..len).map(row).collect())
}

fn nested(terms: &[Value]) -> Result<Vec<Value>, Error> {
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    for term in terms {
        let list = items(term)?;
        let grow = |row: &Vec<Value>| {
            let longer = list.iter().map(|v| {
                [
                    row.clone(),
                    flat(std::slice::from_ref(v)).unwrap_or_default(),
                ]
                .concat()
            });
            longer.collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(grow).collect();
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

/// `start=1 end=4 stride=1 format=x%02d`, or `1-4`.
fn sequence(terms: &[Value]) -> Result<Vec<Value>, Error> {
    let mut out = vec![];
    for term in flat(terms)? {
        let text = string(&term)?;
        let (mut start, mut end, mut stride, mut count) = (1_i64, None, None, None);
        let mut format = "%d".to_owned();
        let number = |s: &str| -> Result<i64, Error> {
            s.parse()
                .map_err(|_| wrong(format!("sequence: `{s}` is no number")))
        };
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some(("start", v)) => start = number(v)?,
                Some(("end", v)) => end = Some(number(v)?),
                Some(("stride", v)) => stride = Some(number(v)?),
                Some(("count", v)) => count = Some(number(v)?),
                Some(("format", v)) => format = v.to_owned(),
                _ => match word.split_once('-') {
                    Some((from, to)) => (start, end) = (number(from)?, Some(number(to)?)),
                    None => end = Some(number(word)?),
                },
            }
        }
        let stride = stride.unwrap_or(1);
        let end = match (end, count) {
            (Some(end), _) => end,
            (None, Some(0)) => continue,
            (None, Some(count)) => start + stride * (count - 1),
            (None, None) => return Err(wrong("sequence needs an end or a count")),
        };
        if stride == 0 {
            return Err(wrong("sequence: a stride of 0 has no end"));
        }
        let mut at = start;
        while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
            out.push(Value::from(formatted(&format, at)));
            at += stride;
        }
    }
    Ok(out)
}

/// `%d`, `%02d` and `%x` of printf.
fn formatted(format: &str, number: i64) -> String {
    let Some((before, rest)) = format.split_once('%') else {
        return format.to_owned();
    };
    let end = rest.find(['d', 'x', 'o']).unwrap_or(0);
    let (flags, tail) = rest.split_at(end);
    let width: usize = flags.trim_start_matches('0').parse().unwrap_or(0);
    let kind = tail.chars().next().unwrap_or('d');
    let digits = match kind {
        'x' => format!("{number:x}"),
        'o' => format!("{number:o}"),
        _ => number.to_string(),
    };
    let pad = if flags.starts_with('0') { "0" } else { " " };
    let padded = format!("{}{digits}", pad.repeat(width.saturating_sub(digits.len())));
    format!("{before}{padded}{}", tail.get(1..).unwrap_or(""))
}

fn subelements(list: &Value, key: &str) -> Result<Vec<Value>, Error> {
    let mut out = vec![];
    for item in list.try_iter()? {
        let mut at = item.clone();
        for part in key.split('.') {
            at = at.get_attr(part)?;
        }
        out.extend(
            at.try_iter()?
                .map(|sub| Value::from(vec![item.clone(), sub])),
        );
    }
    Ok(out)
}
