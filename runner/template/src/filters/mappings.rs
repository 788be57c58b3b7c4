//! Mappings: to lists and back, combined.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use rplay_diag::did_you_mean;

use crate::call::{Args, Callable, Out, items, strict};
use crate::python::{self, named, text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["dict2items"],
        &["value", "key_name", "value_name"],
        dict2items,
    ),
    strict(
        &["items2dict"],
        &["value", "key_name", "value_name"],
        items2dict,
    ),
    strict(
        &["combine"],
        &["value", "*", "recursive", "list_merge", "**"],
        combine,
    ),
    strict(
        &["dictsort"],
        &["value", "case_sensitive", "by", "reverse"],
        dictsort,
    ),
    strict(&["rekey_on_member"], &["value", "key", "duplicates"], rekey),
];

fn names(args: &Args) -> Result<(String, String), Error> {
    let or = |at: usize, default: &str| -> Result<String, Error> {
        Ok(args.opt_text(at)?.unwrap_or_else(|| default.to_owned()))
    };
    Ok((or(1, "key")?, or(2, "value")?))
}

fn mapping<'a>(value: &'a Value, who: &str) -> Result<&'a Value, Error> {
    match value.kind() {
        ValueKind::Map => Ok(value),
        _ => Err(wrong(format!(
            "`{who}` takes a mapping, not {}",
            named(value)
        ))),
    }
}

fn dict2items(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.kind() != ValueKind::Map {
        return Err(wrong(format!(
            "dict2items requires a dictionary, got {} instead",
            named(value)
        )));
    }
    let (key_name, value_name) = names(args)?;
    let pair = |key: Value| -> Result<Value, Error> {
        let item = python::valid(value.get_item(&key)?)?;
        Ok(Value::from_pairs([
            (key_name.clone(), key),
            (value_name.clone(), item),
        ]))
    };
    Ok(value
        .try_iter()?
        .map(pair)
        .collect::<Result<Vec<_>, _>>()?
        .into())
}

fn items2dict(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (key_name, value_name) = names(args)?;
    let list = args.req(0)?;
    if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Err(wrong(format!(
            "items2dict requires a list, got {} instead",
            named(list)
        )));
    }
    let got = || python::in_words(list);
    let part = |item: &Value, name: &str| -> Result<Value, Error> {
        if item.kind() != ValueKind::Map {
            let words = "items2dict requires a list of dictionaries";
            return Err(wrong(format!("{words}, got {} instead", got())));
        }
        let found = item.get_attr(name)?;
        if found.is_undefined() {
            let words = "items2dict requires each dictionary in the list to contain the keys";
            return Err(wrong(format!(
                "{words} '{key_name}' and '{value_name}', got {} instead",
                got()
            )));
        }
        python::valid(found)
    };
    let mut pairs = IndexMap::new();
    for item in args.list(0)? {
        pairs.insert(part(&item, &key_name)?, part(&item, &value_name)?);
    }
    Ok(Value::from_pairs(pairs))
}

/// The pairs of a mapping by their keys, or by their values.
fn dictsort(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = mapping(args.req(0)?, "dictsort")?;
    let by_value = match args.opt_text(2)?.as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(other) => {
            return Err(wrong(format!(
                "`dictsort` sorts by key or value, not by `{other}`"
            )));
        }
    };
    let fold = |value: &Value| match value.as_str() {
        Some(text) if !args.flag(1, false) => Value::from(text.to_lowercase()),
        _ => value.clone(),
    };
    let mut pairs = vec![];
    for key in items(value)? {
        let item = python::valid(value.get_item(&key)?)?;
        pairs.push((fold(if by_value { &item } else { &key }), key, item));
    }
    let mut wrong_kinds = None;
    pairs.sort_by(|(a, ..), (b, ..)| {
        super::each::in_order(std::slice::from_ref(a), std::slice::from_ref(b)).unwrap_or_else(
            |error| {
                wrong_kinds.get_or_insert(error);
                std::cmp::Ordering::Equal
            },
        )
    });
    if let Some(error) = wrong_kinds {
        return Err(error);
    }
    if args.flag(3, false) {
        pairs.reverse();
    }
    let pairs = pairs
        .into_iter()
        .map(|(_, key, item)| Value::from(vec![key, item]));
    Ok(pairs.collect::<Vec<_>>().into())
}

fn combine(_: &mut State<'_, '_>, args: &Args) -> Out {
    if let Some((name, _)) = args.more.first() {
        let near = did_you_mean(name, ["recursive", "list_merge"]);
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(wrong(format!(
            "'recursive' and 'list_merge' are the only valid keyword arguments, not `{name}`{near}"
        )));
    }
    let recursive = args.flag(2, false);
    let lists = args.opt_text(3)?.unwrap_or_else(|| "replace".into());
    let known = [
        "replace",
        "keep",
        "append",
        "prepend",
        "append_rp",
        "prepend_rp",
    ];
    if !known.contains(&lists.as_str()) {
        let words = format!("`combine` knows no list_merge `{lists}`");
        return Err(wrong(format!("{words}: it is one of {}", known.join(", "))));
    }
    let mut all = vec![];
    for value in std::iter::once(args.req(0)?).chain(&args.rest) {
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => all.extend(items(value)?),
            _ => all.push(value.clone()),
        }
    }
    let mut result = Value::from_pairs(IndexMap::<String, Value>::new());
    for value in all.iter().filter(|value| !value.is_none()) {
        if value.kind() != ValueKind::Map {
            return Err(wrong(format!(
                "failed to combine variables, expected dicts but got a '{}'",
                python::type_name(value)
            )));
        }
        result = merge(&result, value, recursive, &lists)?;
    }
    Ok(result)
}

fn merge(a: &Value, b: &Value, recursive: bool, lists: &str) -> Out {
    let mut out: IndexMap<Value, Value> = IndexMap::new();
    for key in a.try_iter()? {
        out.insert(key.clone(), a.get_item(&key)?);
    }
    for key in b.try_iter()? {
        let new = python::valid(b.get_item(&key)?)?;
        let merged = match out.get(&key) {
            Some(old)
                if recursive && old.kind() == ValueKind::Map && new.kind() == ValueKind::Map =>
            {
                merge(old, &new, recursive, lists)?
            }
            Some(old) if old.kind() == ValueKind::Seq && new.kind() == ValueKind::Seq => {
                merge_lists(old, &new, lists)?
            }
            _ => new,
        };
        out.insert(key, merged);
    }
    Ok(Value::from_pairs(out))
}

fn merge_lists(old: &Value, new: &Value, how: &str) -> Out {
    let (old, new) = (items(old)?, items(new)?);
    let without = |list: &[Value], other: &[Value]| -> Vec<Value> {
        list.iter()
            .filter(|v| !other.contains(v))
            .cloned()
            .collect()
    };
    Ok(Value::from(match how {
        "keep" => old,
        "append" => [old, new].concat(),
        "prepend" => [new, old].concat(),
        "append_rp" => [without(&old, &new), new].concat(),
        "prepend_rp" => [new.clone(), without(&old, &new)].concat(),
        _ => new,
    }))
}

fn rekey(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let key = args.text(1)?;
    let on_duplicate = args.opt_text(2)?.unwrap_or_else(|| "error".into());
    if !["error", "overwrite"].contains(&on_duplicate.as_str()) {
        return Err(wrong(format!(
            "duplicates parameter to rekey_on_member has unknown value: `{on_duplicate}` is neither error nor overwrite"
        )));
    }
    let list = match value.kind() {
        ValueKind::Map => {
            let values = value.try_iter()?.map(|k| value.get_item(&k));
            values.collect::<Result<Vec<_>, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => items(value)?,
        _ => {
            return Err(wrong(format!(
                "Type is not a valid list, set, or dict: it is {}",
                named(value)
            )));
        }
    };
    let mut out = IndexMap::new();
    for item in list {
        if item.kind() != ValueKind::Map {
            return Err(wrong(format!(
                "List item is not a valid dict: it is {}",
                named(&item)
            )));
        }
        let name = item.get_attr(&key)?;
        if name.is_undefined() {
            return Err(wrong(format!("Key {key} was not found in an item")));
        }
        if out.contains_key(&name) && on_duplicate == "error" {
            return Err(wrong(format!(
                "Key {} is not unique, cannot convert to dict: give duplicates='overwrite' to keep the last",
                text(&name)?
            )));
        }
        out.insert(name, item);
    }
    Ok(Value::from_pairs(out))
}
