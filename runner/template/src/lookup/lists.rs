//! Lists made of lists.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::Found;
use crate::call::items as items_of;
use crate::filters::random::{Twister, choice};
use crate::python::{named, text, wrong};

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

fn lists(terms: &[Value], who: &str) -> Result<Vec<Vec<Value>>, Error> {
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
        return Err(wrong(format!("the lookup `{who}` takes at least one list")));
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
    let lists = lists(terms, "together")?;
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
    for list in lists(terms, "nested")? {
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
    let [list, key, more @ ..] = terms else {
        return Err(wrong("the lookup `subelements` takes a list and a key"));
    };
    let skip = more.first().and_then(|m| m.get_attr("skip_missing").ok());
    let skip = skip.is_some_and(|s| crate::filters::choose::to_bool(&s).is_ok_and(|v| v.is_true()));
    let path = text(key)?;
    let path: Vec<&str> = path.split('.').collect();
    let mut out = vec![];
    for pair in crate::filters::items::pairs_below(list, &path.join("."), skip)? {
        let [item, sub] = [0, 1].map(|at| pair.get_item(&Value::from(at)).unwrap_or_default());
        out.push(Value::from(vec![without(&item, &path)?, sub]));
    }
    Ok(out)
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
