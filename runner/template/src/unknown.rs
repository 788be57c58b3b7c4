//! What a dry run cannot know, as a value.
//!
//! A command that was not run leaves an unknown result. Whoever touches it (an attribute, a
//! comparison, a text) has an unknown result too, and the chain of origins says why. Touches are
//! noted for the evaluation that runs on this thread, by the containers that hand an unknown out.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

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
    static TOUCHED: RefCell<Vec<Origin>> = const { RefCell::new(Vec::new()) };
}

/// Evaluates, and tells which unknowns were touched.
pub(crate) fn watch<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Origin>) {
    let outer = TOUCHED.take();
    let result = evaluate();
    let touched = TOUCHED.replace(outer);
    (result, touched)
}

/// Notes that unknowns were touched.
pub(crate) fn touch(origins: &[Origin]) {
    TOUCHED.with_borrow_mut(|touched| {
        for origin in origins {
            if !touched.contains(origin) {
                touched.push(origin.clone());
            }
        }
    });
}

/// A value that nobody knows.
#[derive(Debug)]
pub struct Unknown {
    origins: Vec<Origin>,
}

impl Object for Unknown {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        touch(&self.origins);
        Some(Value::from_dyn_object(self.clone()))
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
        touch(&self.origins);
        Ok(Value::from_dyn_object(self.clone()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        touch(&self.origins);
        f.write_str(PLACEHOLDER)
    }
}

/// A result of which some keys are unknown.
#[derive(Debug)]
struct Partly {
    known: Value,
    unknown: Vec<String>,
    origin: Origin,
}

impl Object for Partly {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key
            .as_str()
            .is_some_and(|k| self.unknown.iter().any(|u| u == k))
        {
            touch(std::slice::from_ref(&self.origin));
            return Some(value(std::slice::from_ref(&self.origin)));
        }
        self.known.get_item(key).ok().filter(|v| !v.is_undefined())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let keys = self.known.try_iter().into_iter().flatten();
        let unknown = self.unknown.iter().map(Value::from);
        Enumerator::Values(keys.chain(unknown).collect())
    }
}

/// An unknown value with its origins.
pub fn value(origins: &[Origin]) -> Value {
    Value::from_object(Unknown {
        origins: origins.to_vec(),
    })
}

/// The origins of a value that is unknown as a whole.
pub fn origins(value: &Value) -> Option<Vec<Origin>> {
    value
        .downcast_object_ref::<Unknown>()
        .map(|u| u.origins.clone())
}

/// A module's result as templates see it: `unknown` keys are unknown.
pub fn from_json(json: &Json, unknown: &[String], origin: &Origin) -> Value {
    let known = Value::from(minijinja::value::Serde(json));
    if unknown.is_empty() {
        return known;
    }
    Value::from_object(Partly {
        known,
        unknown: unknown.to_vec(),
        origin: origin.clone(),
    })
}
