//! Lists and mappings that a template may change: those that it made itself (`{% set x = [] %}`), and its
//! own view of those that variables hold. `{% set _ = x.append(1) %}`, `{% do x.update({'a': 1}) %}`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use crate::context::Context;
use crate::python::wrong;

/// A list that can be changed: what is taken out of it can be, too.
#[derive(Debug)]
struct List(RwLock<Vec<Item>>);

/// A mapping that can be changed: what is taken out of it can be, too.
#[derive(Debug)]
struct Map(RwLock<IndexMap<Value, Item>>);

/// What is in a list or mapping.
#[derive(Debug, Clone)]
enum Item {
    /// What another one has at that key, which nobody asked for yet: it may be a template, and one that
    /// cannot be rendered.
    Of(Value, Value),
    Is(Value),
}

impl Item {
    /// The value, which stays the same one from now on.
    fn value(&mut self) -> Option<Value> {
        if let Self::Of(base, key) = self {
            let value = base
                .get_item(key)
                .ok()
                .filter(|value| !value.is_undefined())?;
            *self = Self::Is(mutable(&value).unwrap_or(value));
        }
        match self {
            Self::Is(value) => Some(value.clone()),
            Self::Of(..) => None,
        }
    }
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self::Is(value)
    }
}

/// A list or mapping as one that can be changed; any other value as it is. What a template made
/// itself stays the one that it is, under every name.
pub(crate) fn mutable(value: &Value) -> Result<Value, Error> {
    let is_own = value.downcast_object_ref::<List>().is_some()
        || value.downcast_object_ref::<Map>().is_some();
    let of = |key: Value| Item::Of(value.clone(), key);
    Ok(match value.kind() {
        _ if is_own => value.clone(),
        ValueKind::Seq if !value.is_tuple() => {
            let items = (0..value.len().unwrap_or(0)).map(|at| of(at.into()));
            Value::from_object(List(RwLock::new(items.collect())))
        }
        ValueKind::Map if crate::unknown::origins(value).is_none() => {
            let items = value.try_iter()?.map(|key| (key.clone(), of(key)));
            Value::from_object(Map(RwLock::new(items.collect())))
        }
        _ => value.clone(),
    })
}

fn pairs(value: &Value) -> Result<IndexMap<Value, Value>, Error> {
    let pair = |key: Value| value.get_item(&key).map(|item| (key, item));
    value.try_iter()?.map(pair).collect()
}

/// Methods that change the list or mapping that they are called on.
const CHANGING: [&str; 11] = [
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Whether a text calls one of them. Other files that it reads may.
pub(crate) fn changes(text: &str) -> bool {
    let calls = |name: &&str| {
        let mut found = text
            .match_indices(*name)
            .map(|(at, _)| (&text[..at], &text[at + name.len()..]));
        found.any(|(before, after)| before.ends_with('.') && after.trim_start().starts_with('('))
    };
    CHANGING.iter().any(calls) || crate::rewrite::reads_others(text)
}

/// The names that a render sees. Where it changes what variables hold, each of them is one value for all
/// of that render; the variable itself stays as it is.
pub(crate) fn names(changes: bool, context: &Arc<Context>) -> Value {
    if !changes {
        return Value::from_dyn_object(context.clone());
    }
    let own = Mutex::default();
    Value::from_object(Changing {
        context: context.clone(),
        own,
    })
}

/// Variables that a template changes.
#[derive(Debug)]
struct Changing {
    context: Arc<Context>,
    /// Those that it asked for, as it left them.
    own: Mutex<HashMap<String, Value>>,
}

impl Object for Changing {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let known = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known().get(name) {
            return Some(value.clone());
        }
        let value = self.context.get_value(key)?;
        let is_container = matches!(value.kind(), ValueKind::Seq | ValueKind::Map);
        // These are all of a host's variables, which nobody changes this way.
        if !is_container || name.starts_with("__") || matches!(name, "hostvars" | "vars") {
            return Some(value);
        }
        let value = mutable(&value).unwrap_or(value);
        known().insert(name.to_owned(), value.clone());
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.context.enumerate()
    }
}

fn arg<'a>(args: &'a [Value], at: usize, method: &str) -> Result<&'a Value, Error> {
    args.get(at)
        .ok_or_else(|| wrong(format!("`{method}` needs an argument")))
}

impl List {
    fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Item by item, for what an item is made of may look at this list.
    fn at(&self, at: usize) -> Option<Value> {
        let mut item = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(at)?
            .clone();
        let value = item.value()?;
        let mut items = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kept = items.get_mut(at)?;
        if matches!(kept, Item::Of(..)) {
            *kept = item;
        }
        kept.value().or(Some(value))
    }

    fn values(&self) -> Vec<Value> {
        (0..self.len()).filter_map(|at| self.at(at)).collect()
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.at(key.as_usize()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let given: Vec<Value> = match method {
            "extend" => arg(args, 0, method)?.try_iter()?.collect(),
            // What is compared or given back is made first.
            "copy" | "pop" | "remove" | "sort" => self.values(),
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
            "append" => items.push(arg(args, 0, method)?.clone().into()),
            "copy" => {
                let items = given.into_iter().map(Item::from).collect();
                return Ok(Value::from_object(List(RwLock::new(items))));
            }
            "extend" => items.extend(given.into_iter().map(Item::from)),
            "insert" => items.insert(place(args.first(), 0), arg(args, 1, method)?.clone().into()),
            "pop" => {
                let at = place(args.first(), -1);
                if at >= len {
                    return Err(wrong("`pop` of what is not in the list"));
                }
                items.remove(at);
                return Ok(given.get(at).cloned().unwrap_or_default());
            }
            "remove" => {
                let wanted = arg(args, 0, method)?;
                let at = given.iter().position(|item| item == wanted);
                items.remove(at.ok_or_else(|| wrong("`remove` of what is not in the list"))?);
            }
            "reverse" => items.reverse(),
            "sort" => {
                let mut sorted = given;
                sorted.sort();
                *items = sorted.into_iter().map(Item::from).collect();
            }
            "clear" => items.clear(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}

/// What `update` is given: mappings, pairs, and names with values.
fn given_pairs(args: &[Value]) -> Result<Vec<(Value, Value)>, Error> {
    let mut all = vec![];
    for arg in args {
        match arg.kind() {
            ValueKind::Map => all.extend(pairs(arg)?),
            _ => {
                for pair in arg.try_iter()? {
                    all.push((pair.get_item_by_index(0)?, pair.get_item_by_index(1)?));
                }
            }
        }
    }
    Ok(all)
}

impl Map {
    fn keys(&self) -> Vec<Value> {
        let items = self.0.read().unwrap_or_else(PoisonError::into_inner);
        items.keys().cloned().collect()
    }

    fn at(&self, key: &Value) -> Option<Value> {
        let mut item = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)?
            .clone();
        let value = item.value()?;
        let mut items = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kept = items.get_mut(key)?;
        if matches!(kept, Item::Of(..)) {
            *kept = item;
        }
        kept.value().or(Some(value))
    }
}

impl Object for Map {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.at(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.keys())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.keys().len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let given = match method {
            "update" => given_pairs(args)?,
            _ => vec![],
        };
        let taken = match method {
            "pop" | "setdefault" => self.at(arg(args, 0, method)?),
            "popitem" => self.keys().last().and_then(|key| self.at(key)),
            _ => None,
        };
        let copied = match method {
            "copy" => self
                .keys()
                .into_iter()
                .filter_map(|key| Some((key.clone(), self.at(&key)?.into())))
                .collect(),
            _ => IndexMap::new(),
        };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match method {
            "copy" => return Ok(Value::from_object(Map(RwLock::new(copied)))),
            "update" => all.extend(given.into_iter().map(|(key, value)| (key, value.into()))),
            "setdefault" => {
                if let Some(value) = taken {
                    return Ok(value);
                }
                let default = args.get(1).cloned().unwrap_or_else(|| Value::from(()));
                all.insert(arg(args, 0, method)?.clone(), default.clone().into());
                return Ok(default);
            }
            "pop" => {
                all.shift_remove(arg(args, 0, method)?);
                let found = taken.or_else(|| args.get(1).cloned());
                return found.ok_or_else(|| wrong("`pop` of a key that is not there"));
            }
            "popitem" => {
                let last = all
                    .pop()
                    .zip(taken)
                    .map(|((key, _), value)| vec![key, value]);
                return last
                    .map(Value::from)
                    .ok_or_else(|| wrong("`popitem` of an empty mapping"));
            }
            "clear" => all.clear(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }
}
