//! Templates in the configurations of inventory plugins: rendered as those of playbooks are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};
use rplay_inventory::{Layer, Render};
use rplay_template::{Decision, LookupIo, Templar, Value, ValueKind, Vars};
use rplay_vars::{Layer as VarsLayer, Level, Scope};
use rplay_yaml::{Key, Kind, Map, Node};

/// Renders what plugins' configurations have of templates.
pub(crate) struct Renderer<'a>(pub &'a Templar);

impl Renderer<'_> {
    fn value(&self, node: &Node, layers: &[Layer]) -> Result<Value, Diagnostic> {
        match &node.kind {
            Kind::Str(text) => self.0.expression(text, &node.span, &vars(layers)),
            _ => self.0.render(node, &vars(layers)),
        }
    }
}

impl Render for Renderer<'_> {
    fn template(&self, node: &Node, layers: &[Layer]) -> Result<Node, Diagnostic> {
        noted(&self.0.render(node, &vars(layers))?, &node.span)
    }

    fn expression(&self, node: &Node, layers: &[Layer]) -> Result<Node, Diagnostic> {
        noted(&self.value(node, layers)?, &node.span)
    }

    fn condition(&self, node: &Node, layers: &[Layer]) -> Result<bool, Diagnostic> {
        match self.0.condition(node, &vars(layers))? {
            Decision::True => Ok(true),
            Decision::False => Ok(false),
            Decision::Unknown(_) => {
                Err(Diagnostic::error("the condition cannot be decided").at(&node.span))
            }
        }
    }
}

fn vars(layers: &[Layer]) -> Arc<dyn Vars> {
    let mut scope = Scope::default().with_io(Arc::new(Here));
    for layer in layers {
        scope.add(Level::Host, VarsLayer::Nodes(layer.clone()));
    }
    Arc::new(scope)
}

/// A value that was made by a template as a node; a text is a template only where it comes from
/// one that is.
fn noted(value: &Value, span: &Span) -> Result<Node, Diagnostic> {
    let json = rplay_template::to_json(value).map_err(|trouble| {
        let words = match trouble {
            rplay_template::Trouble::Error(words) => words,
            rplay_template::Trouble::Unknown(_) => "the value is not known".to_owned(),
        };
        Diagnostic::error(words).at(span)
    })?;
    // Each list and mapping has a place of its own in it: no two of them are the same.
    let source = Source::new(span.to_string(), json.to_string());
    let mut made = Made { source, next: 0 };
    Ok(made.node(value, &json))
}

struct Made {
    source: Arc<Source>,
    next: usize,
}

impl Made {
    fn span(&mut self) -> Span {
        self.next += 1;
        Span::new(self.source.clone(), self.next - 1, self.next)
    }

    fn node(&mut self, value: &Value, json: &serde_json::Value) -> Node {
        use serde_json::Value as Json;
        let span = self.span();
        let kind = match json {
            Json::Null => Kind::Null,
            Json::Bool(b) => Kind::Bool(*b),
            Json::Number(n) => match n.as_i64() {
                Some(n) => Kind::Int(n),
                None => Kind::Float(n.as_f64().unwrap_or_default()),
            },
            Json::String(text) => match value.is_safe() && value.kind() == ValueKind::String {
                true => Kind::Str(text.clone()),
                false => Kind::Unsafe(text.clone()),
            },
            Json::Array(items) => {
                let values: Vec<Value> = value.try_iter().into_iter().flatten().collect();
                let none = Value::from(());
                let items = items.iter().enumerate();
                let nodes = items.map(|(at, j)| self.node(values.get(at).unwrap_or(&none), j));
                Kind::Seq(nodes.collect())
            }
            Json::Object(map) => {
                let mut nodes = Map::new();
                for (name, json) in map {
                    let inner = value.get_attr(name).unwrap_or_default();
                    let key = Key {
                        text: name.clone(),
                        span: self.span(),
                    };
                    nodes.insert(key, self.node(&inner, json));
                }
                Kind::Map(nodes)
            }
        };
        Node { span, kind }
    }
}

/// What lookups of an inventory may touch: there is no playbook yet, so that paths are relative to
/// the folder that we are in.
struct Here;

impl LookupIo for Here {
    fn read(&self, _kind: &str, name: &str) -> Result<String, String> {
        std::fs::read_to_string(name).map_err(|e| format!("could not read `{name}`: {e}"))
    }

    fn find(&self, _kind: &str, name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        path.exists().then(|| path.to_owned())
    }

    fn glob(&self, _pattern: &str) -> Vec<PathBuf> {
        vec![]
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn pipe(&self, command: &str) -> Result<String, String> {
        let output = Command::new("sh").args(["-c", command]).output();
        let output = output.map_err(|e| format!("could not run `{command}`: {e}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .to_owned()),
            false => Err(format!("`{command}` ended with {}", output.status)),
        }
    }
}
