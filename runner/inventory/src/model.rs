//! The inventory itself.

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use rplay_yaml::Map;

/// Variables from one place, shared by all who have them.
pub type Layer = Arc<Map>;

/// Hosts and groups, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// By name.
    pub hosts: IndexMap<Arc<str>, Host>,
    /// By name; `all` and `ungrouped` among them.
    pub groups: IndexMap<Arc<str>, Group>,
    /// The sources read, for `ansible_inventory_sources`.
    pub sources: Vec<PathBuf>,
}

/// A host.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// The groups that name it.
    pub groups: IndexSet<Arc<str>>,
    /// Its own variables in the inventory itself, later ones over earlier ones.
    pub vars: Vec<Layer>,
    /// Its variables in `host_vars` beside the inventory.
    pub files: Vec<Layer>,
    /// The source that named it first.
    pub source: Option<PathBuf>,
}

/// A group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The hosts that it names.
    pub hosts: IndexSet<Arc<str>>,
    /// The groups below it.
    pub children: IndexSet<Arc<str>>,
    /// Its variables in the inventory itself, later ones over earlier ones.
    pub vars: Vec<Layer>,
    /// Its variables in `group_vars` beside the inventory.
    pub files: Vec<Layer>,
}

impl Inventory {
    /// The group of that name, made where it is new.
    pub fn group_mut(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.into()).or_default()
    }

    /// The host of that name, made where it is new, and put into `group`.
    pub fn host_mut(&mut self, name: &str, group: &str) -> &mut Host {
        let host: Arc<str> = name.into();
        self.group_mut(group).hosts.insert(host.clone());
        let entry = self.hosts.entry(host).or_default();
        entry.groups.insert(group.into());
        entry
    }

    /// Hosts of a group and of those below it, in the inventory's order.
    pub fn hosts_of(&self, group: &str) -> Vec<Arc<str>> {
        if group == "all" {
            return self.hosts.keys().cloned().collect();
        }
        let mut below = IndexSet::new();
        self.collect(group, &mut below);
        let mut found: IndexSet<&Arc<str>> = IndexSet::new();
        for name in &below {
            found.extend(self.groups.get(name).into_iter().flat_map(|g| &g.hosts));
        }
        found.into_iter().cloned().collect()
    }

    fn collect(&self, group: &str, below: &mut IndexSet<Arc<str>>) {
        let Some((name, entry)) = self.groups.get_key_value(group) else {
            return;
        };
        if below.insert(name.clone()) {
            entry
                .children
                .iter()
                .for_each(|child| self.collect(child, below));
        }
    }

    /// Whether `group` is `above` or below it.
    pub(crate) fn is_below(&self, group: &str, above: &str) -> bool {
        let mut below = IndexSet::new();
        self.collect(above, &mut below);
        group == above || below.contains(group)
    }

    /// The groups of a host, from `all` down: parents before children, then by priority and name.
    pub fn groups_of(&self, host: &str) -> Vec<Arc<str>> {
        let mut member: IndexSet<Arc<str>> = IndexSet::new();
        let direct = self
            .hosts
            .get(host)
            .into_iter()
            .flat_map(|h| h.groups.iter().cloned());
        let mut queue: Vec<Arc<str>> = direct.collect();
        while let Some(name) = queue.pop() {
            if member.insert(name.clone()) {
                let parents = self
                    .groups
                    .iter()
                    .filter(|(_, g)| g.children.contains(&name));
                queue.extend(parents.map(|(n, _)| n.clone()));
            }
        }
        member.shift_remove("all");
        let mut sorted: Vec<Arc<str>> = member.into_iter().collect();
        sorted.sort_by_key(|name| (self.depth(name, 0), self.priority(name), name.clone()));
        sorted.insert(0, "all".into());
        sorted
    }

    /// How far a group is below `all`.
    fn depth(&self, group: &str, guard: usize) -> usize {
        if guard > self.groups.len() {
            return guard;
        }
        let parents = self
            .groups
            .iter()
            .filter(|(n, g)| &***n != "all" && g.children.contains(group));
        parents
            .map(|(name, _)| self.depth(name, guard + 1) + 1)
            .max()
            .unwrap_or(1)
    }

    fn priority(&self, group: &str) -> i64 {
        let vars = self
            .groups
            .get(group)
            .map(|g| g.vars.as_slice())
            .unwrap_or_default();
        vars.iter()
            .rev()
            .find_map(|layer| match layer.get("ansible_group_priority")?.kind {
                rplay_yaml::Kind::Int(n) => Some(n),
                _ => None,
            })
            .unwrap_or(1)
    }
}
