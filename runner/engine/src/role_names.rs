//! The names of a play's roles, as playbooks ask for them: those that it calls anywhere, and those that
//! these depend on. What is included while the play runs is among them from then on.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::{IndexMap, IndexSet};
use rplay_playbook::{Block, Item, Origin, Play, Role};
use rplay_template::Value;
use rplay_vars::Layer;

/// The names of a play's roles.
#[derive(Debug, Default)]
pub(crate) struct RoleNames(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    called: IndexSet<String>,
    needed: IndexSet<String>,
    /// As magic variables, for as long as nothing new comes in.
    layer: Option<Layer>,
}

impl RoleNames {
    /// Those of a play at its start.
    pub(crate) fn of(play: &Play) -> Self {
        let mut known = Known::default();
        for items in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
            known.add(items, None);
        }
        Self(Mutex::new(known))
    }

    /// What is included has more of them.
    pub(crate) fn add(&self, block: &Block) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.add_block(block, None);
        known.layer = None;
    }

    /// The magic variables that have them.
    pub(crate) fn layer(&self) -> Layer {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layer) = &known.layer {
            return layer.clone();
        }
        let list = |names: Vec<&String>| {
            names
                .into_iter()
                .map(|name| Value::from(name.as_str()))
                .collect::<Vec<_>>()
        };
        let pairs = [
            (
                "ansible_play_role_names",
                list(known.called.iter().collect()),
            ),
            (
                "ansible_dependent_role_names",
                list(known.needed.iter().collect()),
            ),
            (
                "ansible_role_names",
                list(known.needed.union(&known.called).collect()),
            ),
            ("role_names", list(known.called.iter().collect())),
        ];
        let pairs = pairs.map(|(name, names)| (name.to_owned(), Value::from(names)));
        let layer = Layer::Values(Arc::new(IndexMap::from(pairs)));
        known.layer = Some(layer.clone());
        layer
    }
}

impl Known {
    fn add(&mut self, items: &[Item], within: Option<&Role>) {
        for item in items {
            if let Item::Block(block) = item {
                self.add_block(block, within);
            }
        }
    }

    fn add_block(&mut self, block: &Block, within: Option<&Role>) {
        let role = match &block.origin {
            Origin::Role(role) => {
                let needs = |outer: &Role| {
                    outer
                        .dependencies
                        .iter()
                        .any(|needed| Arc::ptr_eq(needed, role))
                };
                let name = role.full_name().into_owned();
                match within.is_some_and(needs) {
                    true => self.needed.insert(name),
                    false => self.called.insert(name),
                };
                Some(&**role)
            }
            _ => within,
        };
        for items in [&block.items, &block.rescue, &block.always] {
            self.add(items, role);
        }
    }
}
