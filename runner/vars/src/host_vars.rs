//! What a run learned of a host.

use std::sync::Arc;

use indexmap::IndexMap;
use rplay_template::Value;
use rplay_yaml::Map;

use crate::scope::Layer;

/// Values by name, shared until changed.
pub(crate) type Values = Arc<IndexMap<String, Value>>;

/// Facts, results and the like of one host.
#[derive(Debug, Clone, Default)]
pub struct HostVars {
    /// Facts: `ansible_facts` and the `ansible_` names.
    facts: Values,
    /// Facts by their short names, inside `ansible_facts`.
    short: Values,
    /// `set_fact` and `register`.
    set: Values,
    /// `include_vars`, later ones over earlier ones.
    included: Vec<Arc<Map>>,
}

impl HostVars {
    /// Takes facts under the names that a module gives them; `ansible_facts` has them without the
    /// prefix `ansible_`, but for `ansible_local`, which keeps it.
    pub fn add_facts(&mut self, facts: IndexMap<String, Value>) {
        let (all, short) = (
            Arc::make_mut(&mut self.facts),
            Arc::make_mut(&mut self.short),
        );
        for (name, value) in facts {
            let plain = name
                .strip_prefix("ansible_")
                .filter(|plain| *plain != "local");
            let plain = plain.unwrap_or(&name).to_owned();
            all.insert(name, value.clone());
            short.insert(plain, value);
        }
        let map = Value::from_pairs(short.iter().map(|(k, v)| (k.clone(), v.clone())));
        all.insert("ansible_facts".to_owned(), map);
    }

    /// Facts by the names that modules give them.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.facts
            .iter()
            .filter(|(name, _)| *name != "ansible_facts")
    }

    /// The facts, to see later whether they were touched.
    pub(crate) fn shared_facts(&self) -> Values {
        self.facts.clone()
    }

    /// Whether the facts are these, as nothing has touched them.
    pub(crate) fn shares_facts(&self, before: &Values) -> bool {
        Arc::ptr_eq(&self.facts, before)
    }

    /// Forgets all facts.
    pub fn clear_facts(&mut self) {
        self.facts = Values::default();
        self.short = Values::default();
    }

    /// Whether facts are known.
    pub fn has_facts(&self) -> bool {
        !self.facts.is_empty()
    }

    /// Sets a variable (`set_fact`, `register`).
    pub fn set(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.set).insert(name.to_owned(), value);
    }

    /// Takes the variables of a file (`include_vars`).
    pub fn include(&mut self, vars: Arc<Map>) {
        self.included.push(vars);
    }

    /// `ansible_facts` is there before facts are: an empty mapping.
    pub(crate) fn facts_layer(&self) -> Layer {
        if self.facts.is_empty() {
            let none = Value::from_pairs(std::iter::empty::<(String, Value)>());
            let empty = IndexMap::from([("ansible_facts".to_owned(), none)]);
            return Layer::Values(Arc::new(empty));
        }
        Layer::Values(self.facts.clone())
    }

    pub(crate) fn set_layer(&self) -> Layer {
        Layer::Values(self.set.clone())
    }

    pub(crate) fn included_layers(&self) -> impl Iterator<Item = Layer> {
        self.included.iter().cloned().map(Layer::Nodes)
    }
}
