//! What a dry run cannot know, as a value.
//!
//! A command that was not run leaves an unknown result. Whoever touches it (an attribute, a
//! comparison, a text) has an unknown result too, and the chain of origins says why. Touches are
//! noted for the evaluation that runs on this thread, by the containers that hand an unknown out.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, State, Value};
use rplay_diag::Span;
use serde_json::Value as Json;

/// Where an unknown comes from: `command` at roles/x/tasks/main.yml:12.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The module or thing.
    pub what: String,
    /// The task.
    pub span: Option<Span>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.span {
            Some(span) => {
                let line = span.line_col().line;
                write!(f, "`{}` at {}:{line}", self.what, span.source().name())
            }
            None => write!(f, "`{}`", self.what),
        }
    }
}

/// The words that stand for an unknown part of a text.
pub const PLACEHOLDER: &str = "⟨unknown⟩";

thread_local! {
    /// Every time that an unknown was handed out, with its origins.
    static TOUCHED: RefCell<Vec<Origin>> = const { RefCell::new(Vec::new()) };
}

/// Evaluates, and tells which unknowns were touched.
pub(crate) fn watch<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Origin>) {
    let outer = TOUCHED.take();
    let result = evaluate();
    let mut touched: Vec<Origin> = vec![];
    for origin in TOUCHED.replace(outer) {
        if !touched.contains(&origin) {
            touched.push(origin);
        }
    }
    (result, touched)
}

/// Notes that unknowns were touched.
pub(crate) fn touch(origins: &[Origin]) {
    TOUCHED.with_borrow_mut(|touched| touched.extend_from_slice(origins));
}

/// Whether a value is there, though it is unknown: to ask that is not to touch it. The last time
/// that it was handed out is forgotten.
pub(crate) fn is_there(value: &Value) -> bool {
    let Some(unknown) = value.downcast_object_ref::<Unknown>().filter(|u| u.there) else {
        return false;
    };
    TOUCHED.with_borrow_mut(|touched| {
        for origin in &unknown.origins {
            if let Some(at) = touched.iter().rposition(|t| t == origin) {
                touched.remove(at);
            }
        }
    });
    true
}

/// A value that nobody knows.
#[derive(Debug)]
pub struct Unknown {
    origins: Vec<Origin>,
    /// It is known that there is a value: a key of a result, a variable.
    there: bool,
}

impl Unknown {
    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    fn part(&self) -> Value {
        touch(&self.origins);
        Value::from_object(Self {
            origins: self.origins.clone(),
            there: false,
        })
    }
}

impl Object for Unknown {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(self.part())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        touch(&self.origins);
        Enumerator::Empty
    }

    fn is_true(self: &Arc<Self>) -> bool {
        touch(&self.origins);
        false
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        _: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        Ok(self.part())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        touch(&self.origins);
        f.write_str(PLACEHOLDER)
    }
}

/// A mapping of which some keys are unknown.
#[derive(Debug)]
pub(crate) struct Partly(IndexMap<String, Value>);

/// A list of which some items are unknown.
#[derive(Debug)]
pub(crate) struct PartlyList(Vec<Value>);

fn handed_out(value: &Value) -> Value {
    if let Some(unknown) = value.downcast_object_ref::<Unknown>() {
        touch(&unknown.origins);
    }
    value.clone()
}

impl Object for Partly {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).map(handed_out)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|k| Value::from(k.as_str())).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}

impl Object for PartlyList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(handed_out)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// An unknown value with its origins.
pub fn value(origins: &[Origin]) -> Value {
    Value::from_object(Unknown {
        origins: origins.to_vec(),
        there: true,
    })
}

/// The origins of a value that is unknown as a whole.
pub fn origins(value: &Value) -> Option<Vec<Origin>> {
    value
        .downcast_object_ref::<Unknown>()
        .map(|u| u.origins.clone())
}

/// Whether a value, or a part of it, is unknown.
fn holds_unknown(value: &Value) -> bool {
    value.downcast_object_ref::<Unknown>().is_some()
        || value.downcast_object_ref::<Partly>().is_some()
        || value.downcast_object_ref::<PartlyList>().is_some()
}

/// A list; one that notes when it hands an unknown out, where one is in it.
pub fn list(items: Vec<Value>) -> Value {
    if items.iter().any(holds_unknown) {
        Value::from_object(PartlyList(items))
    } else {
        Value::from(items)
    }
}

/// A mapping; one that notes when it hands an unknown out, where one is in it.
pub fn map(pairs: IndexMap<String, Value>) -> Value {
    if pairs.values().any(holds_unknown) {
        Value::from_object(Partly(pairs))
    } else {
        Value::from_pairs(pairs)
    }
}

/// A mapping with values over some of its keys.
pub fn with(mapping: Value, over: &IndexMap<String, Value>) -> Value {
    if over.is_empty() {
        return mapping;
    }
    let keys = mapping.try_iter().into_iter().flatten();
    let pairs = keys.filter_map(|key| {
        let value = mapping.get_item(&key).ok()?;
        Some((key.as_str()?.to_owned(), value))
    });
    let mut pairs: IndexMap<String, Value> = pairs.collect();
    pairs.extend(over.iter().map(|(key, value)| (key.clone(), value.clone())));
    map(pairs)
}

/// A module's result as templates see it: `unknown` keys are unknown.
pub fn from_json(json: &Json, unknown: &[String], origin: &Origin) -> Value {
    let Json::Object(known) = json else {
        return Value::from(minijinja::value::Serde(json));
    };
    let known = known
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(minijinja::value::Serde(v))));
    let mut pairs: IndexMap<String, Value> = known.collect();
    for key in unknown {
        pairs.insert(key.clone(), value(std::slice::from_ref(origin)));
    }
    map(pairs)
}
