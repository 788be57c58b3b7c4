//! Variables as the evaluator sees them: rendered when used, part by part.

use std::cell::RefCell;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};
use rplay_diag::Diagnostic;
use rplay_yaml::{Kind, Node};

use crate::templar::Templar;
use crate::unknown;
use crate::vars::{Var, Vars};

/// The name under which functions find the context that they are called in.
pub(crate) const SELF: &str = "__rplay_context";

thread_local! {
    /// Names that this evaluation asked for and that are not there.
    static MISSING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Names being rendered on this thread: one that comes again is a loop.
    static RENDERING: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The names of one evaluation.
#[derive(Debug)]
pub(crate) struct Context {
    pub templar: Templar,
    pub vars: Arc<dyn Vars>,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name == SELF {
            return Some(Value::from_dyn_object(self.clone()));
        }
        let Some(found) = self.vars.get(name) else {
            MISSING.with_borrow_mut(|missing| missing.push(name.to_owned()));
            return None;
        };
        let value = match found {
            Var::Value(value) => value,
            Var::Raw(node) => {
                if RENDERING.with_borrow(|names| names.iter().any(|n| n == name)) {
                    return Some(Value::from(loop_error(name, &node)));
                }
                RENDERING.with_borrow_mut(|names| names.push(name.to_owned()));
                let value = lazy(self, &node);
                RENDERING.with_borrow_mut(|names| names.pop());
                value
            }
        };
        if let Some(origins) = unknown::origins(&value) {
            unknown::touch(&origins);
        }
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.vars.names().into_iter().map(Value::from).collect())
    }
}

/// Evaluates, and tells which names were asked for in vain: the evaluator compares what is
/// undefined without a word, and Ansible does not.
pub(crate) fn missing<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<String>) {
    let outer = MISSING.take();
    let result = evaluate();
    (result, MISSING.replace(outer))
}

fn loop_error(name: &str, node: &Node) -> Error {
    let chain = RENDERING.with_borrow(|names| names.join("` -> `"));
    let words = format!("the variable `{name}` refers to itself: `{chain}` -> `{name}`");
    carried(Diagnostic::error(words).at(&node.span))
}

/// A diagnostic inside an evaluation's error.
pub(crate) fn carried(diagnostic: Diagnostic) -> Error {
    Error::new(ErrorKind::InvalidOperation, diagnostic.message.clone()).with_source(diagnostic)
}

/// A node as a value: scalars at once, containers part by part.
pub(crate) fn lazy(context: &Arc<Context>, node: &Node) -> Value {
    match &node.kind {
        Kind::Seq(_) | Kind::Map(_) => Value::from_object(Lazy {
            context: context.clone(),
            node: Arc::new(node.clone()),
        }),
        _ => context
            .templar
            .scalar(node, context)
            .unwrap_or_else(|e| Value::from(carried(e))),
    }
}

/// A list or mapping whose parts are rendered when they are used.
#[derive(Debug)]
struct Lazy {
    context: Arc<Context>,
    node: Arc<Node>,
}

impl Object for Lazy {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node.kind {
            Kind::Seq(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &self.node.kind {
            Kind::Seq(items) => Some(lazy(&self.context, items.get(key.as_usize()?)?)),
            Kind::Map(map) => {
                let found = match key.as_str() {
                    Some(text) => map.get(text),
                    None => map.get(key.to_string().as_str()),
                };
                Some(lazy(&self.context, found?))
            }
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.node.kind {
            Kind::Seq(items) => Enumerator::Seq(items.len()),
            Kind::Map(map) => {
                Enumerator::Values(map.keys().map(|k| Value::from(k.text.as_str())).collect())
            }
            _ => Enumerator::NonEnumerable,
        }
    }
}

/// The value that takes an argument away.
#[derive(Debug)]
struct Omit;

impl Object for Omit {}

/// `omit`.
pub fn omit() -> Value {
    Value::from_object(Omit)
}

/// Whether a value is `omit`.
pub fn is_omit(value: &Value) -> bool {
    value.downcast_object_ref::<Omit>().is_some()
}

impl Templar {
    /// All variables as one mapping, rendered when used: another host's, in `hostvars`.
    pub fn view(&self, vars: &Arc<dyn Vars>) -> Value {
        Value::from_object(Context {
            templar: self.clone(),
            vars: vars.clone(),
        })
    }

    /// The results of a lookup, for `with_x`.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub fn lookup(
        &self,
        name: &str,
        terms: &[Value],
        vars: &Arc<dyn Vars>,
    ) -> Result<Vec<Value>, String> {
        let context = Arc::new(Context {
            templar: self.clone(),
            vars: vars.clone(),
        });
        let none = minijinja::value::Kwargs::from_iter(std::iter::empty::<(String, Value)>());
        crate::filters::lookup::looked_up(&context, name, terms, &none).map_err(|e| e.to_string())
    }
}
