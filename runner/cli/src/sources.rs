//! The inventory of a command line: its sources, how they are read, and what is said of bad ones.

use std::path::Path;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Severity, Source, Span};
use rplay_inventory::{Inventory, Layer, Loaded, Render, Unparsed, With};
use rplay_template::{Templar, Value, ValueKind, Vars};
use rplay_vars::{Layer as VarsLayer, Level, Scope};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::args::RunArgs;
use crate::config::Settings;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::stop::Stop;

/// Where the inventory is read from, and how. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources {
    names: Vec<String>,
    manner: Manner,
    reading: rplay_inventory::Settings,
    templar: Templar,
    extra: Vec<Layer>,
    any_unparsed_is_failed: bool,
    unparsed_is_failed: bool,
    unparsed_warning: bool,
    localhost_warning: bool,
}

impl Sources {
    /// As arguments and settings say.
    pub(crate) fn new(
        args: &RunArgs,
        settings: &Settings,
        manner: Manner,
        templar: &Templar,
        extra: &[Layer],
    ) -> Self {
        Self {
            names: names(args, settings),
            manner,
            reading: reading(settings),
            templar: templar.clone(),
            extra: extra.to_vec(),
            any_unparsed_is_failed: settings.any_unparsed_is_failed == Some(true),
            unparsed_is_failed: settings.unparsed_is_failed == Some(true),
            unparsed_warning: settings.unparsed_warning != Some(false),
            localhost_warning: settings.localhost_warning != Some(false),
        }
    }

    /// Reads them; what is odd is shown.
    ///
    /// # Errors
    /// A source that cannot be read: under Ansible's names that is a warning, as it is there.
    pub(crate) fn read(&self, screen: &Screen) -> Result<Inventory, Stop> {
        let templar = self.templar.clone();
        let reader = move |path: &Path| templar.read_file(path);
        let with = With {
            reader: &reader,
            render: &Renderer(&self.templar),
            settings: &self.reading,
            extra: &self.extra,
        };
        let loaded = rplay_inventory::load(&self.names, &with).map_err(Stop::parse)?;
        loaded
            .warnings
            .iter()
            .for_each(|warning| screen.show(warning));
        for unparsed in &loaded.unparsed {
            self.bad(unparsed, screen)?;
        }
        self.none(&loaded, screen)?;
        Ok(loaded.inventory)
    }

    fn bad(&self, unparsed: &Unparsed, screen: &Screen) -> Result<(), Stop> {
        let source = whole(&unparsed.source);
        if !self.manner.is_ansible() {
            return match &unparsed.why {
                Some((_, why)) => Err(Stop::parse(why.clone())),
                // A folder without a source in it, which may get one.
                None if Path::new(&unparsed.source).is_dir() => Ok(()),
                None => {
                    let words = format!("no inventory plugin that is enabled reads `{source}`");
                    Err(Stop::parse(Diagnostic::error(words)))
                }
            };
        }
        if let Some((plugin, why)) = &unparsed.why
            && !plugin.is_empty()
        {
            let mut warning = why.clone();
            warning.severity = Severity::Warning;
            warning.message = format!(
                "Failed to parse inventory with '{plugin}' plugin: {}",
                why.message
            );
            screen.show(&warning);
        }
        if self.any_unparsed_is_failed {
            let words = format!("Completely failed to parse inventory source {source}");
            return Err(Stop::error(words));
        }
        let words = format!("Unable to parse {source} as an inventory source");
        screen.show(&Diagnostic::warning(words));
        Ok(())
    }

    fn none(&self, loaded: &Loaded, screen: &Screen) -> Result<(), Stop> {
        if loaded.parsed > 0 {
            return Ok(());
        }
        if !self.names.is_empty() && self.unparsed_is_failed {
            return Err(Stop::error(
                "No inventory was parsed, please check your configuration and options.",
            ));
        }
        if self.manner.is_ansible() && self.unparsed_warning {
            let words = "No inventory was parsed, only implicit localhost is available";
            screen.show(&Diagnostic::warning(words));
            if self.localhost_warning && self.manner != Manner::Inventory {
                let words = "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";
                screen.show(&Diagnostic::warning(words));
            }
        }
        Ok(())
    }
}

/// The sources: arguments, settings, or the usual file.
fn names(args: &RunArgs, settings: &Settings) -> Vec<String> {
    if !args.inventory.is_empty() {
        return args.inventory.clone();
    }
    let usual = "/etc/ansible/hosts";
    settings.inventory.clone().unwrap_or_else(|| {
        let there = Path::new(usual).exists();
        if there {
            vec![usual.to_owned()]
        } else {
            vec![]
        }
    })
}

fn whole(path: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    path.display().to_string()
}

fn reading(settings: &Settings) -> rplay_inventory::Settings {
    let mut reading = rplay_inventory::Settings::default();
    if let Some(names) = &settings.inventory_enabled {
        reading.enable(names);
    }
    if let Some(endings) = &settings.inventory_ignore_extensions {
        reading.ignored_endings.clone_from(endings);
    }
    if let Some(patterns) = &settings.inventory_ignore_patterns {
        reading.ignored.clone_from(patterns);
    }
    if let Some(endings) = &settings.yaml_extensions {
        reading.yaml_endings.clone_from(endings);
    }
    reading.naming = settings.group_names.unwrap_or_default();
    reading.show_stderr = settings.inventory_script_stderr != Some(false);
    reading.use_extra = settings.inventory_extra_vars == Some(true);
    reading
}

/// Renders what plugins' configurations have of templates.
struct Renderer<'a>(&'a Templar);

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
        let value = self.value(node, layers)?;
        match value.is_undefined() {
            true => Err(Diagnostic::error("the condition is undefined").at(&node.span)),
            false => Ok(value.is_true()),
        }
    }
}

fn vars(layers: &[Layer]) -> Arc<dyn Vars> {
    let mut scope = Scope::default();
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
