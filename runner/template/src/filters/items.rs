//! Lists: length, ends, order, groups.

use std::sync::Arc;

use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, ValueKind};
use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, items, strict};
use crate::operate;
use crate::python::{self, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["length", "count"], &["value"], |_, a| length(a.req(0)?)),
    strict(&["list"], &["value"], |_, a| Ok(each(a.req(0)?)?.into())),
    strict(&["first"], &["value"], |_, a| end(a.req(0)?, true)),
    strict(&["last"], &["value"], |_, a| end(a.req(0)?, false)),
    strict(&["reverse"], &["value"], reverse),
    strict(
        &["min"],
        &["value", "case_sensitive", "attribute"],
        |_, a| extreme(a, true),
    ),
    strict(
        &["max"],
        &["value", "case_sensitive", "attribute"],
        |_, a| extreme(a, false),
    ),
    strict(&["sum"], &["value", "attribute", "start"], sum),
    strict(&["flatten"], &["value", "levels", "skip_nulls"], flatten),
    strict(&["zip"], &["value", "*", "strict"], |_, a| zip(a, false)),
    strict(&["zip_longest"], &["value", "*", "fillvalue"], |_, a| {
        zip(a, true)
    }),
    strict(&["product"], &["value", "*", "repeat"], product),
    strict(&["combinations"], &["value", "r"], |_, a| combinations(a)),
    strict(&["permutations"], &["value", "r"], |_, a| permutations(a)),
    strict(&["extract"], &["value", "container", "morekeys"], extract),
    strict(
        &["groupby"],
        &["value", "attribute", "default", "case_sensitive"],
        groupby,
    ),
    strict(
        &["subelements"],
        &["value", "subelements", "skip_missing"],
        subelements,
    ),
];

/// The items as they are, what is undefined among them.
fn each(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::String => items(value),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => Ok(value.try_iter()?.collect()),
        _ => items(value),
    }
}

fn length(value: &Value) -> Out {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().chars().count().into()),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => match value.len() {
            Some(len) => Ok(len.into()),
            None => Ok(value.try_iter()?.count().into()),
        },
        _ => Err(wrong(format!(
            "object of type '{}' has no len()",
            python::type_name(value)
        ))),
    }
}

fn end(value: &Value, first: bool) -> Out {
    let all = each(value)?;
    let found = if first { all.first() } else { all.last() };
    Ok(found.cloned().unwrap_or_default())
}

fn reverse(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if let Some(text) = value.as_str() {
        return Ok(text.chars().rev().collect::<String>().into());
    }
    Ok(each(value)?.into_iter().rev().collect::<Vec<_>>().into())
}

/// A part of an item: `a.b.0`.
pub(crate) fn by_path(item: &Value, path: &str) -> Result<Value, Error> {
    let mut at = item.clone();
    for part in path.split('.') {
        let key = match part.parse::<usize>() {
            Ok(number) if at.kind() != ValueKind::Map => Value::from(number),
            _ => Value::from(part),
        };
        at = operate::key(&at, &key, 0)?;
    }
    Ok(at)
}

fn extreme(args: &Args, least: bool) -> Out {
    let sensitive = args.flag(1, false);
    let path = args.opt_text(2)?;
    let key = |item: &Value| -> Result<Value, Error> {
        let key = match &path {
            Some(path) => python::valid(by_path(item, path)?)?,
            None => item.clone(),
        };
        Ok(match key.as_str() {
            Some(text) if !sensitive => text.to_lowercase().into(),
            _ => key,
        })
    };
    let mut best: Option<(Value, Value)> = None;
    for item in items(args.req(0)?)? {
        let rank = key(&item)?;
        let better = match &best {
            None => true,
            Some((known, _)) => {
                operate::compare(if least { "<" } else { ">" }, &rank, known)?.is_true()
            }
        };
        if better {
            best = Some((rank, item));
        }
    }
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

fn sum(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut total = args.some(2).cloned().unwrap_or_else(|| Value::from(0));
    for item in items(args.req(0)?)? {
        let item = match args.opt_text(1)? {
            Some(path) => by_path(&item, &path)?,
            None => item,
        };
        total = operate::add(&total, &item)?;
    }
    Ok(total)
}

/// Groups as the evaluator makes them, of items that all have the attribute.
fn groupby(_: &mut State<'_, '_>, args: &Args) -> Out {
    let path = args.text(1)?;
    if args.opt(2).is_none() {
        for item in items(args.req(0)?)? {
            python::valid(by_path(&item, &path)?)?;
        }
    }
    let named = [("default", args.opt(2)), ("case_sensitive", args.opt(3))];
    let named = named.into_iter().filter_map(|(k, v)| Some((k, v?.clone())));
    let groups =
        minijinja::filters::groupby(args.req(0)?.clone(), Some(&path), Kwargs::from_iter(named))?;
    let groups = groups.try_iter()?.map(|group| {
        let part = |name| group.get_attr(name);
        let list = part("list")?.try_iter()?.collect();
        let grouper = part("grouper")?;
        Ok(Value::from_object(Group { grouper, list }))
    });
    groups.collect::<Result<Vec<_>, Error>>().map(Value::from)
}

/// A pair of what a group has in common and its items, which go by names too.
#[derive(Debug)]
pub(crate) struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), _) | (_, Some("grouper")) => Some(self.grouper.clone()),
            (Some(1), _) | (_, Some("list")) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

fn flatten(_: &mut State<'_, '_>, args: &Args) -> Out {
    let levels = args
        .int(1)?
        .map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    let mut out = vec![];
    spread(args.req(0)?, levels, args.flag(2, true), &mut out)?;
    Ok(out.into())
}

fn spread(value: &Value, levels: usize, skip: bool, out: &mut Vec<Value>) -> Result<(), Error> {
    for item in items(value)? {
        let null = item.is_none() || item.as_str().is_some_and(|s| s == "None" || s == "null");
        if skip && null {
            continue;
        }
        if matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable) && levels > 0 {
            spread(&item, levels - 1, skip, out)?;
        } else {
            out.push(item);
        }
    }
    Ok(())
}

fn zip(args: &Args, longest: bool) -> Out {
    let mut lists = vec![items(args.req(0)?)?];
    for value in &args.rest {
        lists.push(items(value)?);
    }
    let lens = lists.iter().map(Vec::len);
    let fill = args.opt(2).cloned().unwrap_or_else(|| Value::from(()));
    let len = if longest { lens.max() } else { lens.min() }.unwrap_or(0);
    if !longest && args.flag(2, false) && lists.iter().any(|l| l.len() != len) {
        return Err(wrong("`zip` with `strict` takes lists of one length"));
    }
    let row = |i: usize| {
        let cells = lists.iter().map(|l| l.get(i).unwrap_or(&fill).clone());
        Value::from(cells.collect::<Vec<_>>())
    };
    Ok((0..len).map(row).collect::<Vec<_>>().into())
}

fn product(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut lists = vec![items(args.req(0)?)?];
    for value in &args.rest {
        lists.push(items(value)?);
    }
    let times = usize::try_from(args.int(2)?.unwrap_or(1)).unwrap_or(0);
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    for list in std::iter::repeat_n(&lists, times).flatten() {
        let longer =
            |row: &Vec<Value>, item: &Value| [row.as_slice(), std::slice::from_ref(item)].concat();
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| longer(row, item)))
            .collect();
    }
    Ok(rows.into_iter().map(Value::from).collect::<Vec<_>>().into())
}

fn chosen(args: &Args, default: Option<usize>) -> Result<(Vec<Value>, usize), Error> {
    let all = items(args.req(0)?)?;
    let size = match args.int(1)? {
        Some(size) => usize::try_from(size).map_err(|_| wrong("the size is not negative"))?,
        None => default.unwrap_or(all.len()),
    };
    Ok((all, size))
}

fn combinations(args: &Args) -> Out {
    fn pick(all: &[Value], size: usize, row: &mut Vec<Value>, out: &mut Vec<Value>) {
        if size == 0 {
            out.push(Value::from(row.clone()));
            return;
        }
        for (i, item) in all.iter().enumerate() {
            row.push(item.clone());
            pick(&all[i + 1..], size - 1, row, out);
            row.pop();
        }
    }
    let (all, size) = chosen(args, None)?;
    let mut out = vec![];
    pick(&all, size, &mut vec![], &mut out);
    Ok(out.into())
}

fn permutations(args: &Args) -> Out {
    fn pick(all: &[Value], size: usize, row: &mut Vec<Value>, out: &mut Vec<Value>) {
        if size == 0 {
            out.push(Value::from(row.clone()));
            return;
        }
        for i in 0..all.len() {
            let mut rest = all.to_vec();
            row.push(rest.remove(i));
            pick(&rest, size - 1, row, out);
            row.pop();
        }
    }
    let (all, size) = chosen(args, None)?;
    let mut out = vec![];
    if size <= all.len() {
        pick(&all, size, &mut vec![], &mut out);
    }
    Ok(out.into())
}

fn extract(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut found = operate::key(args.req(1)?, args.req(0)?, 0)?;
    let path = match args.some(2) {
        None => vec![],
        Some(more) if matches!(more.kind(), ValueKind::Seq | ValueKind::Iterable) => items(more)?,
        Some(more) => vec![more.clone()],
    };
    for part in path {
        found = operate::key(&found, &part, 0)?;
    }
    Ok(found)
}

fn subelements(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable);
    if !is_list && value.kind() != ValueKind::Map {
        return Err(wrong("obj must be a list of dicts or a nested dict"));
    }
    let path = match args.req(1)? {
        key if key.as_str().is_none() && key.len().is_none() => {
            return Err(wrong("subelements must be a list or a string"));
        }
        keys if keys.as_str().is_none() && keys.len().is_some() => items(keys)?
            .iter()
            .map(python::text)
            .collect::<Result<Vec<_>, _>>()?
            .join("."),
        key => python::text(key)?,
    };
    pairs_below(each_of(value)?, &path, args.flag(2, false)).map(Value::from)
}

/// The values of a mapping, or the items of a list.
pub(crate) fn each_of(value: &Value) -> Result<Vec<Value>, Error> {
    match value.kind() {
        ValueKind::Map => value.try_iter()?.map(|key| value.get_item(&key)).collect(),
        _ => items(value),
    }
}

/// Every item with each item of a list in it, as pairs.
pub(crate) fn pairs_below(list: Vec<Value>, path: &str, skip: bool) -> Result<Vec<Value>, Error> {
    let mut out = vec![];
    for item in list {
        let Some(below) = below(&item, path, skip)? else {
            continue;
        };
        if !matches!(below.kind(), ValueKind::Seq | ValueKind::Iterable) {
            let last = path.rsplit('.').next().unwrap_or(path);
            return Err(wrong(format!(
                "the key '{last}' should point to a list, got {}",
                python::repr(&below)?
            )));
        }
        for sub in items(&below)? {
            out.push(Value::from(vec![item.clone(), sub]));
        }
    }
    Ok(out)
}

/// What stands at a path in an item; nothing where it is not there and may be missing.
fn below(item: &Value, path: &str, skip: bool) -> Result<Option<Value>, Error> {
    let mut at = item.clone();
    for key in path.split('.') {
        if at.kind() != ValueKind::Map {
            if skip {
                return Ok(None);
            }
            return Err(wrong(format!(
                "the key before '{key}' should point to a dictionary, got {}",
                python::repr(&at)?
            )));
        }
        let there = at.try_iter()?.any(|k| k.as_str() == Some(key));
        match there {
            // What is there and cannot be told rests on something undefined.
            true => at = python::valid(operate::key(&at, &Value::from(key), 0)?)?,
            false if skip => return Ok(None),
            false => {
                return Err(wrong(format!(
                    "could not find '{key}' key in iterated item {}",
                    python::repr(&at)?
                )));
            }
        }
    }
    Ok(Some(at))
}
