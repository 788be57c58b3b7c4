//! Lists and mappings that a template made itself (`{% set x = [] %}`) and may change:
//! `{% set _ = x.append(1) %}`, `{% do x.update({'a': 1}) %}`.

use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use crate::python::wrong;

/// A list that can be changed.
#[derive(Debug)]
struct List(RwLock<Vec<Value>>);

/// A mapping that can be changed.
#[derive(Debug)]
struct Map(RwLock<IndexMap<Value, Value>>);

/// A list or mapping as one that can be changed; any other value as it is. What a template made
/// itself stays the one that it is, under every name.
pub(crate) fn mutable(value: &Value) -> Result<Value, Error> {
    let is_own = value.downcast_object_ref::<List>().is_some()
        || value.downcast_object_ref::<Map>().is_some();
    Ok(match value.kind() {
        _ if is_own => value.clone(),
        ValueKind::Seq if !value.is_tuple() => {
            Value::from_object(List(RwLock::new(value.try_iter()?.collect())))
        }
        ValueKind::Map if crate::unknown::origins(value).is_none() => {
            Value::from_object(Map(RwLock::new(pairs(value)?)))
        }
        _ => value.clone(),
    })
}

fn pairs(value: &Value) -> Result<IndexMap<Value, Value>, Error> {
    let pair = |key: Value| value.get_item(&key).map(|item| (key, item));
    value.try_iter()?.map(pair).collect()
}

fn arg<'a>(args: &'a [Value], at: usize, method: &str) -> Result<&'a Value, Error> {
    args.get(at)
        .ok_or_else(|| wrong(format!("`{method}` needs an argument")))
}

impl List {
    fn read<T>(&self, read: impl FnOnce(&[Value]) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = key.as_usize()?;
        self.read(|items| items.get(at).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.read(<[Value]>::to_vec))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.read(<[Value]>::len))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let given: Vec<Value> = match method {
            "extend" => arg(args, 0, method)?.try_iter()?.collect(),
            _ => vec![],
        };
        let mut items = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let len = items.len();
        let place = |value: Option<&Value>, default: i64| -> usize {
            let at = value.and_then(Value::as_i64).unwrap_or(default);
            let from_end = at.unsigned_abs().try_into().unwrap_or(usize::MAX);
            if at < 0 {
                len.saturating_sub(from_end)
            } else {
                from_end.min(len)
            }
        };
        match method {
            "append" => items.push(arg(args, 0, method)?.clone()),
            "extend" => items.extend(given),
            "insert" => items.insert(place(args.first(), 0), arg(args, 1, method)?.clone()),
            "pop" => {
                let at = place(args.first(), -1);
                if at >= len {
                    return Err(wrong("`pop` of what is not in the list"));
                }
                return Ok(items.remove(at));
            }
            "remove" => {
                let wanted = arg(args, 0, method)?;
                let at = items.iter().position(|item| item == wanted);
                items.remove(at.ok_or_else(|| wrong("`remove` of what is not in the list"))?);
            }
            "reverse" => items.reverse(),
            "sort" => items.sort(),
            "clear" => items.clear(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

impl Map {
    fn read<T>(&self, read: impl FnOnce(&IndexMap<Value, Value>) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Object for Map {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read(|pairs| pairs.get(key).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.read(|pairs| pairs.keys().cloned().collect()))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.read(IndexMap::len))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let given = match method {
            "update" => args.iter().map(pairs).collect::<Result<Vec<_>, _>>()?,
            _ => vec![],
        };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match method {
            "update" => all.extend(given.into_iter().flatten()),
            "setdefault" => {
                let default = args.get(1).cloned().unwrap_or_else(|| Value::from(()));
                let key = arg(args, 0, method)?.clone();
                return Ok(all.entry(key).or_insert(default).clone());
            }
            "pop" => {
                let found = all
                    .shift_remove(arg(args, 0, method)?)
                    .or_else(|| args.get(1).cloned());
                return found.ok_or_else(|| wrong("`pop` of a key that is not there"));
            }
            "clear" => all.clear(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}
