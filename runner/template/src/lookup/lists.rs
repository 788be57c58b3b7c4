//! Lists made of lists.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::Found;
use crate::call::items as items_of;
use crate::filters::random::{Twister, choice};
use crate::python::{named, wrong};

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// One level spread out.
pub(super) fn items(terms: &[Value]) -> Found {
    super::spread(terms)
}

/// All levels spread out.
pub(super) fn flattened(terms: &[Value]) -> Found {
    let mut out = vec![];
    for term in terms {
        if is_list(term) {
            out.extend(flattened(&items_of(term)?)?);
        } else if !term.is_none() {
            out.push(term.clone());
        }
    }
    Ok(out)
}

pub(super) fn dict(terms: &[Value]) -> Found {
    let mut out = vec![];
    for term in super::spread(terms)? {
        if term.kind() != ValueKind::Map {
            return Err(wrong(format!(
                "the `dict` lookup plugin expects a dictionary, not {}",
                named(&term)
            )));
        }
        for key in term.try_iter()? {
            let value = term.get_item(&key)?;
            out.push(Value::from_pairs([("key", key), ("value", value)]));
        }
    }
    Ok(out)
}

pub(super) fn indexed(terms: &[Value]) -> Found {
    let all = super::spread(terms)?.into_iter().enumerate();
    Ok(all
        .map(|(i, v)| Value::from(vec![Value::from(i), v]))
        .collect())
}

fn lists(terms: &[Value], empty: &str) -> Result<Vec<Vec<Value>>, Error> {
    // `with_together: "{{ lists }}"` gives one list of lists.
    let only = match terms {
        [one] if is_list(one) => items_of(one)?,
        _ => vec![],
    };
    let terms = if !only.is_empty() && only.iter().all(is_list) {
        &only
    } else {
        terms
    };
    if terms.is_empty() {
        return Err(wrong(empty));
    }
    terms
        .iter()
        .map(|term| {
            if is_list(term) {
                items_of(term)
            } else {
                Ok(vec![term.clone()])
            }
        })
        .collect()
}

pub(super) fn together(terms: &[Value]) -> Found {
    let empty = "with_together requires at least one element in each list";
    let lists = lists(terms, empty)?;
    let len = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |i: usize| {
        let cells = lists
            .iter()
            .map(|l| l.get(i).cloned().unwrap_or_else(|| Value::from(())));
        Value::from(cells.collect::<Vec<_>>())
    };
    Ok((0..len).map(row).collect())
}

pub(super) fn nested(terms: &[Value]) -> Found {
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    let empty = "with_nested requires at least one element in the nested list";
    for list in lists(terms, empty)? {
        let longer = |row: &Vec<Value>, item: &Value| -> Found {
            Ok([row.clone(), super::spread(std::slice::from_ref(item))?].concat())
        };
        let mut next = vec![];
        for row in &rows {
            for item in &list {
                next.push(longer(row, item)?);
            }
        }
        rows = next;
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

pub(super) fn subelements(terms: &[Value]) -> Found {
    let (list, key, skip) = match terms {
        [list, key] => (list, key, false),
        [list, key, flags] => (list, key, skip_missing(flags)?),
        _ => {
            let got = terms.len();
            return Err(wrong(format!(
                "subelements lookup expects a list of two or three items, not {got}"
            )));
        }
    };
    let kinds = [ValueKind::Map, ValueKind::Seq, ValueKind::Iterable];
    let (true, Some(path)) = (kinds.contains(&list.kind()), key.as_str()) else {
        return Err(wrong(format!(
            "subelements lookup takes first a dict or a list, second a string: these are {} and {}",
            named(list),
            named(key)
        )));
    };
    let skipped = |item: &Value| item.get_attr("skipped").is_ok_and(|s| s.is_true());
    if list.kind() == ValueKind::Map && skipped(list) {
        return Ok(vec![]);
    }
    let mut items = crate::filters::items::each_of(list)?;
    items.retain(|item| !skipped(item));
    let parts: Vec<&str> = path.split('.').collect();
    let mut out = vec![];
    for pair in crate::filters::items::pairs_below(items, path, skip)? {
        let [item, sub] = [0, 1].map(|at| pair.get_item(&Value::from(at)).unwrap_or_default());
        out.push(Value::from(vec![without(&item, &parts)?, sub]));
    }
    Ok(out)
}

/// The third item of `subelements`: `skip_missing`.
fn skip_missing(flags: &Value) -> Result<bool, Error> {
    let known = |key: &Value| key.as_str() == Some("skip_missing");
    if flags.kind() != ValueKind::Map || !flags.try_iter()?.all(|key| known(&key)) {
        return Err(wrong(
            "the optional third item must be a dict with the flag `skip_missing`",
        ));
    }
    let value = flags.get_attr("skip_missing")?;
    Ok(crate::filters::choose::to_bool(&value).is_ok_and(|v| v.is_true()))
}

/// An item without the list that is gone over, as Ansible gives it.
fn without(item: &Value, path: &[&str]) -> Result<Value, Error> {
    let (Some((key, rest)), ValueKind::Map) = (path.split_first(), item.kind()) else {
        return Ok(item.clone());
    };
    let mut pairs: IndexMap<Value, Value> = IndexMap::new();
    for name in item.try_iter()? {
        let value = item.get_item(&name)?;
        if name.as_str() != Some(key) {
            pairs.insert(name, value);
        } else if !rest.is_empty() {
            pairs.insert(name, without(&value, rest)?);
        }
    }
    Ok(Value::from_pairs(pairs))
}

pub(super) fn random_choice(terms: &[Value]) -> Found {
    if terms.is_empty() {
        return Ok(vec![]);
    }
    Ok(vec![choice(&mut Twister::new(None)?, terms)?])
}
