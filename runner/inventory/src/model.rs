//! The inventory itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use rplay_yaml::Map;

use crate::vars_files::Fault;

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
    /// Files of variables that could not be read.
    pub faults: Vec<Fault>,
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

    /// The circle that putting `child` below `parent` would close, from `parent` round to it again.
    pub(crate) fn circle(&self, parent: &str, child: &str) -> Option<Vec<String>> {
        let mut way = self.way(child, parent, &mut IndexSet::new())?;
        way.insert(0, parent.to_owned());
        Some(way)
    }

    /// The groups from one down to another.
    fn way(&self, from: &str, to: &str, seen: &mut IndexSet<Arc<str>>) -> Option<Vec<String>> {
        if from == to {
            return Some(vec![to.to_owned()]);
        }
        let (name, group) = self.groups.get_key_value(from)?;
        if !seen.insert(name.clone()) {
            return None;
        }
        let mut ways = group.children.iter();
        let mut way = ways.find_map(|child| self.way(child, to, seen))?;
        way.insert(0, from.to_owned());
        Some(way)
    }

    /// The groups of a host, from `all` down: parents before children, then by priority and name.
    ///
    /// For many hosts, ask one [`Lineage`].
    pub fn groups_of(&self, host: &str) -> Vec<Arc<str>> {
        Lineage::of(self).groups_of(self, host)
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

/// The groups above each group, found once for many hosts. It is of the inventory as it was then.
#[derive(Debug)]
pub struct Lineage {
    parents: HashMap<Arc<str>, Vec<Arc<str>>>,
    /// How far each group is below `all`, and its priority.
    ranks: HashMap<Arc<str>, (usize, i64)>,
}

impl Lineage {
    /// The lineage of an inventory's groups.
    pub fn of(inventory: &Inventory) -> Self {
        let mut parents: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for (name, group) in &inventory.groups {
            if &**name != "all" {
                for child in &group.children {
                    parents.entry(child.clone()).or_default().push(name.clone());
                }
            }
        }
        let mut depths = HashMap::new();
        for name in inventory.groups.keys() {
            sink(name, &parents, &mut depths);
        }
        let rank = |(name, depth)| (Arc::clone(name), (depth, inventory.priority(name)));
        Self {
            ranks: depths.into_iter().map(rank).collect(),
            parents,
        }
    }

    /// As [`Inventory::groups_of`].
    pub fn groups_of(&self, inventory: &Inventory, host: &str) -> Vec<Arc<str>> {
        let mut member: IndexSet<&Arc<str>> = IndexSet::new();
        let host = inventory.hosts.get(host);
        let mut queue: Vec<&Arc<str>> = host.into_iter().flat_map(|h| &h.groups).collect();
        while let Some(name) = queue.pop() {
            if &**name != "all" && member.insert(name) {
                queue.extend(self.parents.get(name).into_iter().flatten());
            }
        }
        let rank = |name: &str| self.ranks.get(name).copied().unwrap_or((1, 1));
        let mut sorted: Vec<Arc<str>> = member.into_iter().cloned().collect();
        sorted.sort_by_cached_key(|name| (rank(name), name.clone()));
        sorted.insert(0, "all".into());
        sorted
    }
}

/// Finds a group's depth, after those above it.
fn sink<'a>(
    group: &'a Arc<str>,
    parents: &'a HashMap<Arc<str>, Vec<Arc<str>>>,
    depths: &mut HashMap<&'a Arc<str>, usize>,
) -> usize {
    if let Some(known) = depths.get(group) {
        return *known;
    }
    // Stands for a circle, which `add_host` could make.
    depths.insert(group, 1);
    let above = parents.get(group).into_iter().flatten();
    let depth = above.map(|name| sink(name, parents, depths) + 1).max();
    let depth = depth.unwrap_or(1);
    depths.insert(group, depth);
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_from_all_down_and_the_deepest_last() {
        let mut inventory = Inventory::default();
        for (parent, child) in [("top", "mid"), ("mid", "low"), ("top", "low"), ("z", "mid")] {
            inventory.group_mut(child);
            inventory.group_mut(parent).children.insert(child.into());
        }
        inventory.host_mut("h", "low");
        inventory.host_mut("h", "a");
        let names = inventory.groups_of("h");
        let names: Vec<&str> = names.iter().map(|n| &**n).collect();
        assert_eq!(names, ["all", "a", "top", "z", "mid", "low"]);
    }

    #[test]
    fn a_circle_is_named_from_end_to_end() {
        let mut inventory = Inventory::default();
        for (parent, child) in [("a", "b"), ("b", "c"), ("a", "d")] {
            inventory.group_mut(child);
            inventory.group_mut(parent).children.insert(child.into());
        }
        assert_eq!(inventory.circle("c", "a").unwrap(), ["c", "a", "b", "c"]);
        assert_eq!(inventory.circle("a", "a").unwrap(), ["a", "a"]);
        assert_eq!(inventory.circle("d", "c"), None);
    }
}
