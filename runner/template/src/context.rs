//! Variables as the evaluator sees them: rendered when used, part by part, once per render.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};
use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Kind, Map, Node};

use crate::diagnose::{Place, failure};
use crate::missing::{self, Miss};
use crate::templar::{Templar, is_template};
use crate::unknown;
use crate::vars::{Var, Vars};

/// The name under which functions find the context that they are called in.
pub(crate) const SELF: &str = "__rplay_context";

/// The names of one render.
pub(crate) struct Context {
    pub templar: Templar,
    pub vars: Arc<dyn Vars>,
    /// What was rendered already.
    rendered: Mutex<HashMap<String, Part>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

impl Context {
    pub(crate) fn new(templar: Templar, vars: Arc<dyn Vars>) -> Arc<Self> {
        Arc::new(Self {
            templar,
            vars,
            rendered: Mutex::default(),
        })
    }

    /// A variable's value; `None` where it is not there, or rests on what is not there.
    pub(crate) fn variable(self: &Arc<Self>, name: &str) -> Option<Value> {
        let known = self.rendered().get(name).cloned();
        let part = match known {
            Some(part) => part,
            None => match self.vars.get(name) {
                // All of them as one mapping, as old playbooks have it.
                None if name == "vars" => return Some(Value::from_dyn_object(self.clone())),
                None => {
                    missing::note(Miss::Name(name.to_owned()));
                    return None;
                }
                Some(Var::Value(value)) => return Some(value),
                Some(Var::Raw(root)) => {
                    let part = Part {
                        root,
                        path: [].into(),
                        value: Arc::default(),
                    };
                    self.rendered().insert(name.to_owned(), part.clone());
                    part
                }
            },
        };
        part.get(self, &Name::Variable(name))
    }

    /// All variables, to be shown: one that cannot be rendered says why instead.
    pub(crate) fn shown(self: &Arc<Self>) -> Vec<(String, Value)> {
        let all = Value::from_dyn_object(self.clone());
        let names = all.try_iter().into_iter().flatten();
        names
            .filter_map(|name| name.as_str().map(str::to_owned))
            .map(|name| {
                let (value, misses) = missing::watch(|| {
                    let value = self.variable(&name).unwrap_or_default();
                    crate::templar::whole(value)
                });
                let value = value.unwrap_or_else(|error| {
                    let place = Span::synthetic(name.as_str());
                    let place = Place::Text("", &place);
                    let failed = failure(&error, "", None, &place, misses, &*self.vars);
                    Value::from(format!("<< error: {} >>", failed.diagnostic.message))
                });
                (name, value)
            })
            .collect()
    }

    fn rendered(&self) -> std::sync::MutexGuard<'_, HashMap<String, Part>> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if name.starts_with("__") {
            return (name == SELF).then(|| Value::from_dyn_object(self.clone()));
        }
        let value = self.variable(name)?;
        if let Some(origins) = unknown::origins(&value) {
            unknown::touch(&origins);
        }
        Some(value)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        // What holds everything else is found by its name, and not in itself.
        let names = self.vars.names().into_iter();
        let names = names.filter(|name| !["hostvars", "vars", "omit"].contains(&name.as_str()));
        Enumerator::Values(names.map(Value::from).collect())
    }
}

/// What a part is called: a variable, or a key of what has a name.
enum Name<'a> {
    Variable(&'a str),
    Key(&'a str, &'a str),
}

impl Name<'_> {
    fn last(&self) -> &str {
        match self {
            Self::Variable(name) | Self::Key(_, name) => name,
        }
    }

    fn whole(&self) -> String {
        match self {
            Self::Variable(name) => (*name).to_owned(),
            Self::Key(base, key) if key.starts_with('[') => format!("{base}{key}"),
            Self::Key(base, key) => format!("{base}.{key}"),
        }
    }
}

/// A node inside a variable, and its value once it was rendered.
#[derive(Clone)]
struct Part {
    root: Arc<Node>,
    /// The way from the root: places in lists and mappings.
    path: Arc<[usize]>,
    value: Arc<OnceLock<Value>>,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}", self.root.span, self.path)
    }
}

impl Part {
    fn node(&self) -> &Node {
        self.path.iter().fold(&*self.root, |node, at| {
            let child = match &node.kind {
                Kind::Seq(items) => items.get(*at),
                Kind::Map(map) => map.get_index(*at).map(|(_, value)| value),
                _ => None,
            };
            child.expect("bug: the path of a part leads through its root")
        })
    }

    fn child(&self, at: usize) -> Self {
        let path = self.path.iter().copied().chain([at]).collect();
        Self {
            root: self.root.clone(),
            path,
            value: Arc::default(),
        }
    }

    fn get(&self, context: &Arc<Context>, name: &Name<'_>) -> Option<Value> {
        if let Some(value) = self.value.get() {
            return Some(value.clone());
        }
        let value = self.render(context, name)?;
        Some(self.value.get_or_init(|| value).clone())
    }

    fn render(&self, context: &Arc<Context>, name: &Name<'_>) -> Option<Value> {
        let node = self.node();
        let children = match &node.kind {
            Kind::Seq(items) => items.len(),
            Kind::Map(map) => map.len(),
            _ => return text_part(context, node, name),
        };
        let children = (0..children).map(|at| self.child(at)).collect();
        Some(Value::from_object(Lazy {
            name: name.whole(),
            context: context.clone(),
            part: self.clone(),
            children,
        }))
    }
}

fn text_part(context: &Arc<Context>, node: &Node, name: &Name<'_>) -> Option<Value> {
    let id = (Arc::as_ptr(context).addr(), std::ptr::from_ref(node).addr());
    let rendered = match &node.kind {
        Kind::Str(text) if is_template(text) => {
            missing::once(id, &name.whole(), || context.templar.scalar(node, context))
        }
        _ => Ok(context.templar.scalar(node, context)),
    };
    match rendered {
        Ok(Ok(value)) => Some(value),
        Ok(Err(failure)) if failure.undefined => {
            let name = name.last().to_owned();
            missing::note(Miss::Nested {
                name,
                diagnostic: failure.diagnostic,
            });
            None
        }
        Ok(Err(failure)) => Some(Value::from(carried(failure.diagnostic))),
        Err(words) => {
            let diagnostic = Diagnostic::error(words).at(&Place::Node(node).whole());
            Some(Value::from(carried(diagnostic)))
        }
    }
}

/// A diagnostic inside an evaluation's error.
pub(crate) fn carried(diagnostic: Diagnostic) -> Error {
    Error::new(ErrorKind::InvalidOperation, diagnostic.message.clone()).with_source(diagnostic)
}

/// A list or mapping whose parts are rendered when they are used.
#[derive(Debug)]
struct Lazy {
    name: String,
    context: Arc<Context>,
    part: Part,
    children: Vec<Part>,
}

impl Lazy {
    fn map(&self) -> Option<&Map> {
        self.part.node().as_map()
    }

    fn at(&self, at: usize, name: &str) -> Option<Value> {
        let value = {
            let name = Name::Key(&self.name, name);
            self.children.get(at)?.get(&self.context, &name)?
        };
        if let Some(origins) = unknown::origins(&value) {
            unknown::touch(&origins);
        }
        Some(value)
    }
}

impl Object for Lazy {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.map() {
            Some(_) => ObjectRepr::Map,
            None => ObjectRepr::Seq,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let Some(map) = self.map() else {
            let at = key.as_usize()?;
            return self.at(at, &format!("[{at}]"));
        };
        let number = || key.is_integer().then(|| key.to_string());
        let name = key.as_str().map(str::to_owned).or_else(number)?;
        self.at(map.get_index_of(name.as_str())?, &name)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.map() {
            Some(map) => {
                Enumerator::Values(map.keys().map(|k| Value::from(k.text.as_str())).collect())
            }
            None => Enumerator::Seq(self.children.len()),
        }
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.children.len())
    }
}

/// The value that takes an argument away.
#[derive(Debug)]
struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `omit`.
pub fn omit() -> Value {
    static OMIT: OnceLock<Value> = OnceLock::new();
    OMIT.get_or_init(|| Value::from_object(Omit)).clone()
}

/// Whether a value is `omit`.
pub fn is_omit(value: &Value) -> bool {
    value.downcast_object_ref::<Omit>().is_some()
}

/// The context that a function or filter is called in.
pub(crate) fn context_of(state: &State<'_, '_>) -> Result<Arc<Context>, Error> {
    state
        .lookup(SELF)
        .and_then(|value| value.downcast_object::<Context>())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "this works in a playbook only"))
}

impl Templar {
    /// All variables as one mapping, rendered when used: another host's, in `hostvars`.
    pub fn view(&self, vars: &Arc<dyn Vars>) -> Value {
        Value::from_dyn_object(Context::new(self.clone(), vars.clone()))
    }
}
