//! Lists and mappings: sets, combinations, selections.

use indexmap::IndexMap;
use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, State, Value};

use super::items;
use crate::jinja::{string, wrong};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("unique", |v: Value| Ok::<_, Error>(unique(items(&v)?)));
    env.add_filter("union", |a: Value, b: Value| {
        Ok::<_, Error>(unique(items(&a)?.into_iter().chain(items(&b)?).collect()))
    });
    env.add_filter("intersect", |a: Value, b: Value| {
        let b = items(&b)?;
        Ok::<_, Error>(unique(
            items(&a)?.into_iter().filter(|v| b.contains(v)).collect(),
        ))
    });
    env.add_filter("difference", |a: Value, b: Value| {
        let b = items(&b)?;
        Ok::<_, Error>(unique(
            items(&a)?.into_iter().filter(|v| !b.contains(v)).collect(),
        ))
    });
    env.add_filter("symmetric_difference", |a: Value, b: Value| {
        let (a, b) = (items(&a)?, items(&b)?);
        let left = a.iter().filter(|v| !b.contains(v));
        let right = b.iter().filter(|v| !a.contains(v));
        Ok::<_, Error>(unique(left.chain(right).cloned().collect()))
    });
    env.add_filter("flatten", |v: Value, kwargs: Kwargs| {
        let levels: Option<usize> = kwargs.get("levels")?;
        let skip_nulls: Option<bool> = kwargs.get("skip_nulls")?;
        let mut out = vec![];
        flatten(
            &v,
            levels.unwrap_or(usize::MAX),
            skip_nulls.unwrap_or(true),
            &mut out,
        )?;
        Ok::<_, Error>(out)
    });
    env.add_filter("dict2items", dict2items);
    env.add_filter("items2dict", items2dict);
    env.add_filter("combine", combine);
    env.add_filter("extract", extract);
    env.add_filter("zip", |a: Value, rest: Rest<Value>| zip(&a, &rest.0));
    env.add_filter("subelements", subelements);
    env.add_filter("product", product);
    env.add_filter(
        "ternary",
        |v: Value, yes: Value, no: Value, none: Option<Value>| match none {
            Some(other) if v.is_none() => other,
            _ if v.is_true() => yes,
            _ => no,
        },
    );
    env.add_filter("random", |v: Value| {
        let all = items(&v)?;
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.subsec_nanos() as usize);
        all.get(nanos % all.len().max(1))
            .cloned()
            .ok_or_else(|| wrong("the list is empty"))
    });
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

fn flatten(value: &Value, levels: usize, skip: bool, out: &mut Vec<Value>) -> Result<(), Error> {
    for item in value.try_iter()? {
        if matches!(item.kind(), ValueKind::Seq | ValueKind::Iterable) && levels > 0 {
            flatten(&item, levels - 1, skip, out)?;
        } else if !(skip && item.is_none()) {
            out.push(item);
        }
    }
    Ok(())
}

fn names(kwargs: &Kwargs) -> Result<(String, String), Error> {
    let key: Option<String> = kwargs.get("key_name")?;
    let value: Option<String> = kwargs.get("value_name")?;
    Ok((
        key.unwrap_or_else(|| "key".into()),
        value.unwrap_or_else(|| "value".into()),
    ))
}

fn dict2items(value: Value, kwargs: Kwargs) -> Result<Vec<Value>, Error> {
    if value.kind() != ValueKind::Map {
        return Err(wrong(format!("dict2items takes a mapping, not `{value}`")));
    }
    let (key_name, value_name) = names(&kwargs)?;
    let pair = |key: Value| -> Result<Value, Error> {
        let item = value.get_item(&key)?;
        Ok(Value::from_pairs([
            (key_name.clone(), key),
            (value_name.clone(), item),
        ]))
    };
    value.try_iter()?.map(pair).collect()
}

fn items2dict(value: Value, kwargs: Kwargs) -> Result<Value, Error> {
    let (key_name, value_name) = names(&kwargs)?;
    let pair = |item: Value| -> Result<(String, Value), Error> {
        Ok((
            string(&item.get_attr(&key_name)?)?,
            item.get_attr(&value_name)?,
        ))
    };
    let pairs: IndexMap<_, _> = value.try_iter()?.map(pair).collect::<Result<_, _>>()?;
    Ok(Value::from_pairs(pairs))
}

fn combine(first: Value, rest: Rest<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let recursive: Option<bool> = kwargs.get("recursive")?;
    let list_merge: Option<String> = kwargs.get("list_merge")?;
    let list_merge = list_merge.unwrap_or_else(|| "replace".into());
    let start = if matches!(first.kind(), ValueKind::Seq) {
        items(&first)?
    } else {
        vec![first]
    };
    let mut result = Value::from_pairs(IndexMap::<String, Value>::new());
    for value in start.iter().chain(&rest.0) {
        if value.kind() != ValueKind::Map {
            return Err(wrong(format!("combine takes mappings, not `{value}`")));
        }
        result = merge(&result, value, recursive.unwrap_or(false), &list_merge)?;
    }
    Ok(result)
}

fn merge(a: &Value, b: &Value, recursive: bool, lists: &str) -> Result<Value, Error> {
    let mut out: IndexMap<Value, Value> = IndexMap::new();
    for key in a.try_iter()? {
        out.insert(key.clone(), a.get_item(&key)?);
    }
    for key in b.try_iter()? {
        let new = b.get_item(&key)?;
        let old = out.get(&key).cloned();
        let merged = match old {
            Some(old)
                if recursive && old.kind() == ValueKind::Map && new.kind() == ValueKind::Map =>
            {
                merge(&old, &new, recursive, lists)?
            }
            Some(old) if old.kind() == ValueKind::Seq && new.kind() == ValueKind::Seq => {
                merge_lists(&old, &new, lists)?
            }
            _ => new,
        };
        out.insert(key, merged);
    }
    Ok(Value::from_pairs(out))
}

fn merge_lists(old: &Value, new: &Value, how: &str) -> Result<Value, Error> {
    let (old, new) = (items(old)?, items(new)?);
    let without = |list: &[Value], other: &[Value]| -> Vec<Value> {
        list.iter()
            .filter(|v| !other.contains(v))
            .cloned()
            .collect()
    };
    Ok(Value::from(match how {
        "replace" => new,
        "keep" => old,
        "append" => [old, new].concat(),
        "prepend" => [new, old].concat(),
        "append_rp" => [without(&old, &new), new].concat(),
        "prepend_rp" => [new.clone(), without(&old, &new)].concat(),
        other => return Err(wrong(format!("combine knows no list_merge `{other}`"))),
    }))
}

fn extract(key: Value, container: Value, more: Option<Value>) -> Result<Value, Error> {
    let mut found = container.get_item(&key)?;
    let path = match more {
        None => vec![],
        Some(more) if more.kind() == ValueKind::Seq => items(&more)?,
        Some(more) => vec![more],
    };
    for part in path {
        found = found.get_item(&part)?;
    }
    Ok(found)
}

fn zip(first: &Value, rest: &[Value]) -> Result<Vec<Value>, Error> {
    let mut lists = vec![items(first)?];
    for value in rest {
        lists.push(items(value)?);
    }
    let len = lists.iter().map(Vec::len).min().unwrap_or(0);
    let row = |i: usize| Value::from(lists.iter().map(|l| l[i].clone()).collect::<Vec<_>>());
    Ok((0..len).map(row).collect())
}

fn product(first: Value, rest: Rest<Value>) -> Result<Vec<Value>, Error> {
    let mut rows: Vec<Vec<Value>> = items(&first)?.into_iter().map(|v| vec![v]).collect();
    for list in rest.0.iter() {
        let list = items(list)?;
        let grow = |row: &Vec<Value>| {
            let longer = list.iter().map(|v| [row.clone(), vec![v.clone()]].concat());
            longer.collect::<Vec<_>>()
        };
        rows = rows.iter().flat_map(grow).collect();
    }
    Ok(rows.into_iter().map(Value::from).collect())
}

fn subelements(
    _: &mut State<'_, '_>,
    value: Value,
    path: Value,
    kwargs: Kwargs,
) -> Result<Vec<Value>, Error> {
    let skip: Option<bool> = kwargs.get("skip_missing")?;
    let path = string(&path)?;
    let mut out = vec![];
    let list = if value.kind() == ValueKind::Map {
        let values = value.try_iter()?.map(|key| value.get_item(&key));
        values.collect::<Result<Vec<_>, _>>()?
    } else {
        items(&value)?
    };
    for item in list {
        let mut at = item.clone();
        for part in path.split('.') {
            at = at.get_attr(part)?;
        }
        if at.is_undefined() {
            if skip.unwrap_or(false) {
                continue;
            }
            return Err(wrong(format!("subelements: `{path}` is not in every item")));
        }
        out.extend(
            at.try_iter()?
                .map(|sub| Value::from(vec![item.clone(), sub])),
        );
    }
    Ok(out)
}
