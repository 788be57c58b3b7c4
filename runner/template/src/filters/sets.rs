//! Lists as sets.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, items, strict};
use crate::python;

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["unique"],
        &["value", "case_sensitive", "attribute"],
        unique_items,
    ),
    strict(&["union"], &["a", "b"], |_, a| {
        two(a, |a, b| [a, b].concat())
    }),
    strict(&["intersect"], &["a", "b"], |_, a| {
        two(a, |a, b| kept(a, |v| b.contains(v)))
    }),
    strict(&["difference"], &["a", "b"], |_, a| {
        two(a, |a, b| kept(a, |v| !b.contains(v)))
    }),
    strict(&["symmetric_difference"], &["a", "b"], |_, a| {
        two(a, |a, b| {
            let right = kept(b.clone(), |v| !a.contains(v));
            [kept(a, |v| !b.contains(v)), right].concat()
        })
    }),
];

fn kept(list: Vec<Value>, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
    list.into_iter().filter(keep).collect()
}

fn unique(values: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = vec![];
    for value in values {
        if !out.contains(&value) {
            out.push(value);
        }
    }
    out
}

fn two(args: &Args, combine: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Out {
    // A text is its letters, as everything that Python goes over.
    let list = |at: usize| match args.req(at)?.as_str() {
        Some(text) => Ok(text.chars().map(|c| Value::from(c.to_string())).collect()),
        None => args.list(at),
    };
    Ok(unique(combine(list(0)?, list(1)?)).into())
}

fn unique_items(_: &mut State<'_, '_>, args: &Args) -> Out {
    let path = args.opt_text(2)?;
    let fold = !args.flag(1, false);
    if args.some(1).is_some() || path.is_some() {
        hashable(args, path.as_deref())?;
    }
    let mut seen: Vec<Value> = vec![];
    let mut out = vec![];
    for item in items(args.req(0)?)? {
        let key = match &path {
            Some(path) => python::valid(super::items::by_path(&item, path)?)?,
            None => item.clone(),
        };
        let key = match key.as_str() {
            Some(text) if fold => Value::from(text.to_lowercase()),
            _ => key,
        };
        if !seen.contains(&key) {
            seen.push(key);
            out.push(item);
        }
    }
    Ok::<_, Error>(out.into())
}

/// With options, only what Python can hash is taken.
fn hashable(args: &Args, path: Option<&str>) -> Result<(), Error> {
    for item in items(args.req(0)?)? {
        let item = match path {
            Some(path) => python::valid(super::items::by_path(&item, path)?)?,
            None => item,
        };
        if matches!(item.kind(), ValueKind::Map | ValueKind::Seq) && !item.is_tuple() {
            return Err(python::wrong(format!(
                "`unique` with options takes texts and numbers, and cannot fall back to comparing {}",
                python::named(&item)
            )));
        }
    }
    Ok(())
}
