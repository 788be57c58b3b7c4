//! All variables of one task on one host, as layers.

use std::fmt;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use rplay_template::{LookupIo, Value, Var, Vars};
use rplay_yaml::Map;

use crate::{Level, merge};

/// Variables from one place.
#[derive(Debug, Clone)]
pub enum Layer {
    /// As written in YAML.
    Nodes(Arc<Map>),
    /// Data.
    Values(Arc<IndexMap<String, Value>>),
}

impl Layer {
    fn get(&self, name: &str) -> Option<Var> {
        match self {
            Self::Nodes(map) => map.get(name).map(|node| Var::Raw(Arc::new(node.clone()))),
            Self::Values(map) => map.get(name).map(|value| Var::Value(value.clone())),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Nodes(map) => map.is_empty(),
            Self::Values(map) => map.is_empty(),
        }
    }
}

/// What becomes of a mapping that two places set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mappings {
    /// The one of the higher level is all there is.
    #[default]
    Replaced,
    /// Keys of the lower level stay where the higher one has none.
    Merged,
}

/// Layers in the order of their levels. Cheap to clone.
#[derive(Clone, Default)]
pub struct Scope {
    layers: Vec<(Level, Layer)>,
    mappings: Mappings,
    io: Option<Arc<dyn LookupIo>>,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({} layers)", self.layers.len())
    }
}

impl Scope {
    /// An empty one.
    pub fn new(mappings: Mappings) -> Self {
        Self {
            mappings,
            ..Self::default()
        }
    }

    /// Adds a layer over those of its own level and below those of higher ones.
    #[must_use]
    pub fn with(mut self, level: Level, layer: Layer) -> Self {
        self.add(level, layer);
        self
    }

    /// As [`Scope::with`].
    pub fn add(&mut self, level: Level, layer: Layer) {
        if layer.is_empty() {
            return;
        }
        let at = self.layers.partition_point(|(l, _)| *l <= level);
        self.layers.insert(at, (level, layer));
    }

    /// Adds single values.
    #[must_use]
    pub fn with_values(self, level: Level, values: IndexMap<String, Value>) -> Self {
        self.with(level, Layer::Values(Arc::new(values)))
    }

    /// Without what holds only where nothing else is said, as other hosts see it: `hostvars[x].ansible_host`
    /// is there where somebody set it.
    #[must_use]
    pub fn as_set(mut self) -> Self {
        self.layers.retain(|(level, _)| *level > Level::Least);
        self
    }

    /// What lookups may touch.
    #[must_use]
    pub fn with_io(mut self, io: Arc<dyn LookupIo>) -> Self {
        self.io = Some(io);
        self
    }
}

impl Vars for Scope {
    fn get(&self, name: &str) -> Option<Var> {
        let layers = self.layers.iter().rev();
        let mut found = layers.filter_map(|(level, layer)| Some((*level, layer.get(name)?)));
        let (level, top) = found.next()?;
        // What a loop or the runner sets is nobody else's.
        if self.mappings == Mappings::Replaced || level >= Level::Loop {
            return Some(top);
        }
        Some(merge::under(top, found.map(|(_, var)| var)))
    }

    fn is_set(&self, name: &str) -> bool {
        let mut layers = self.layers.iter().rev();
        layers.any(|(level, layer)| *level > Level::Least && layer.get(name).is_some())
    }

    fn names(&self) -> Vec<String> {
        let mut names: IndexSet<String> = IndexSet::new();
        for (_, layer) in &self.layers {
            match layer {
                Layer::Nodes(map) => names.extend(map.keys().map(|k| k.text.clone())),
                Layer::Values(map) => names.extend(map.keys().cloned()),
            }
        }
        names.into_iter().collect()
    }

    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        self.io.clone()
    }
}

#[cfg(test)]
mod tests {
    use rplay_yaml::Kind;

    use super::*;

    fn one(name: &str, value: i64) -> IndexMap<String, Value> {
        IndexMap::from([(name.to_owned(), Value::from(value))])
    }

    fn got(scope: &Scope, name: &str) -> i64 {
        match scope.get(name) {
            Some(Var::Value(value)) => i64::try_from(value).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_higher_level_wins_whatever_came_first() {
        let scope = Scope::default()
            .with_values(Level::Extra, one("x", 3))
            .with_values(Level::RoleDefaults, one("x", 1))
            .with_values(Level::Play, one("x", 2));
        assert_eq!(got(&scope, "x"), 3);
    }

    #[test]
    fn what_holds_where_nobody_says_otherwise_is_not_set() {
        let scope = Scope::default()
            .with_values(Level::Connection, one("x", 1))
            .with_values(Level::Least, one("y", 2));
        assert_eq!((got(&scope, "x"), got(&scope, "y")), (1, 2));
        assert!(!scope.is_set("x") && !scope.is_set("y"));
        assert!(scope.with_values(Level::Host, one("x", 3)).is_set("x"));
    }

    #[test]
    fn mappings_are_merged_where_that_is_asked_for() {
        let nodes = |text: &str| {
            let source = rplay_diag::Source::new("vars.yml", text);
            let root = rplay_yaml::load(&source).unwrap().root(&source);
            Layer::Nodes(Arc::new(root.as_map().unwrap().clone()))
        };
        let layered = |mappings| {
            let data = Value::from_pairs([("d", "{{ data }}")]);
            Scope::new(mappings)
                .with(Level::RoleDefaults, nodes("x: {a: 1, in: {p: 1, q: 1}}"))
                .with(Level::Play, nodes("x: {b: 2, in: {q: 2}}"))
                .with_values(Level::SetFacts, IndexMap::from([("x".to_owned(), data)]))
        };
        let Some(Var::Raw(node)) = layered(Mappings::Merged).get("x") else {
            panic!("a merged mapping is as written");
        };
        assert_eq!(node.get("a").map(|n| &n.kind), Some(&Kind::Int(1)));
        assert_eq!(node.get("b").map(|n| &n.kind), Some(&Kind::Int(2)));
        let inner = node.get("in").unwrap();
        assert_eq!(inner.get("p").map(|n| &n.kind), Some(&Kind::Int(1)));
        assert_eq!(inner.get("q").map(|n| &n.kind), Some(&Kind::Int(2)));
        let data = Kind::Unsafe("{{ data }}".to_owned());
        assert_eq!(node.get("d").map(|n| &n.kind), Some(&data));
        assert!(matches!(
            layered(Mappings::Replaced).get("x"),
            Some(Var::Value(_))
        ));
    }

    #[test]
    fn the_later_layer_of_a_level_wins() {
        let scope = Scope::default()
            .with_values(Level::Block, one("x", 1))
            .with_values(Level::Block, one("x", 2));
        assert_eq!(got(&scope, "x"), 2);
    }
}
