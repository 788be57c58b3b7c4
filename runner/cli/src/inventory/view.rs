//! What is shown of an inventory, before it is JSON, YAML or TOML.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rplay_inventory::{Group, Inventory, Layer, Lineage, VarsFiles};
use rplay_yaml::{Key, Kind, Node};

use super::yaml;

/// Variables that the program makes: they are never shown.
const MADE: [&str; 18] = [
    "ansible_config_file",
    "ansible_delegated_vars",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "omit",
];

/// A part of what is shown.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    /// Names and what belongs to them.
    Table(IndexMap<String, Part<'a>>),
    /// Names.
    Names(Vec<String>),
    /// A variable's value, and the place of its name where other hosts may share it.
    Value(Option<&'a Key>, &'a Node),
    /// Text.
    Text(&'static str),
}

/// Variables in the order in which they are set, the last value of each.
///
/// A host's own in the inventory are never shared, and have no place.
pub(crate) type Vars<'a> = IndexMap<&'a str, (Option<&'a Key>, &'a Node)>;

/// An inventory to be shown.
pub(crate) struct View<'a> {
    pub inventory: &'a Inventory,
    lineage: Lineage,
    beside: Option<&'a VarsFiles>,
    extra: &'a [Layer],
    export: bool,
    only: Option<HashSet<Arc<str>>>,
}

impl<'a> View<'a> {
    /// `beside` are the files beside the playbook; with `export`, variables are where they are set.
    pub(crate) fn new(
        inventory: &'a Inventory,
        beside: Option<&'a VarsFiles>,
        extra: &'a [Layer],
        export: bool,
    ) -> Self {
        Self {
            inventory,
            lineage: Lineage::of(inventory),
            beside,
            extra,
            export,
            only: None,
        }
    }

    /// Shows only some hosts.
    pub(crate) fn only(mut self, hosts: Option<Vec<Arc<str>>>) -> Self {
        self.only = hosts.map(|hosts| hosts.into_iter().collect());
        self
    }

    fn has(&self, host: &Arc<str>) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(host))
    }

    /// The hosts of a group that are shown; all of `all`'s are in others.
    fn hosts_of(&self, name: &str, group: &'a Group) -> Vec<&'a Arc<str>> {
        let hosts = group
            .hosts
            .iter()
            .filter(|host| name != "all" && self.has(host));
        hosts.collect()
    }

    /// A host's variables.
    pub(crate) fn vars_of(&self, host: &str) -> Vars<'a> {
        let mut layers: Vec<&'a Layer> = vec![];
        if !self.export {
            let names = self.lineage.groups_of(self.inventory, host);
            let inventory = self.inventory;
            let groups = || {
                let found = names
                    .iter()
                    .map(|name| inventory.groups.get_key_value(&**name));
                found.flatten()
            };
            layers.extend(groups().flat_map(|(_, group)| &group.vars));
            let of_all = |(name, _): &(&'a Arc<str>, &'a Group)| &***name == "all";
            let (all, rest): (Vec<_>, Vec<_>) = groups().partition(of_all);
            let beside = |name: &str| {
                self.beside
                    .map_or(&[] as &[Layer], |files| files.group(name))
            };
            for groups in [all, rest] {
                layers.extend(groups.iter().flat_map(|(_, group)| &group.files));
                layers.extend(groups.iter().flat_map(|(name, _)| beside(name)));
            }
        }
        let mut vars = Vars::new();
        merge(layers, true, &mut vars);
        // It orders groups, and is no variable of their hosts.
        vars.shift_remove("ansible_group_priority");
        let own = self.inventory.hosts.get(host);
        merge(own.into_iter().flat_map(|own| &own.vars), false, &mut vars);
        merge(own.into_iter().flat_map(|own| &own.files), true, &mut vars);
        let beside = self.beside.into_iter().flat_map(|files| files.host(host));
        merge(beside, true, &mut vars);
        if !self.export {
            merge(self.extra, true, &mut vars);
        }
        vars
    }

    /// A group's variables.
    pub(crate) fn group_vars(&self, name: &str, group: &'a Group) -> Vars<'a> {
        let beside = self.beside.into_iter().flat_map(|files| files.group(name));
        let mut vars = Vars::new();
        merge(
            group.vars.iter().chain(&group.files).chain(beside),
            true,
            &mut vars,
        );
        vars
    }

    /// One host's variables; `None` where there is no such host.
    pub(crate) fn host(&self, host: &str) -> Option<Part<'a>> {
        let implicit = matches!(host, "localhost" | "127.0.0.1" | "::1");
        if self.inventory.hosts.contains_key(host) {
            return Some(table(self.vars_of(host)));
        }
        implicit.then(|| {
            let mut part = table(self.vars_of(host));
            if let Part::Table(vars) = &mut part {
                let local = "ansible_connection".to_owned();
                vars.entry(local).or_insert(Part::Text("local"));
            }
            part
        })
    }

    /// As an inventory script prints it.
    pub(crate) fn as_list(&self) -> Part<'a> {
        let mut top = IndexMap::new();
        let mut shown = HashSet::new();
        self.listed("all", &mut top, &mut shown);
        let mut hostvars = IndexMap::new();
        for host in self.inventory.hosts.keys().filter(|host| self.has(host)) {
            let vars = self.vars_of(host);
            if !vars.is_empty() {
                hostvars.insert(host.to_string(), table(vars));
            }
        }
        let meta = IndexMap::from([
            ("hostvars".to_owned(), Part::Table(hostvars)),
            ("profile".to_owned(), Part::Text("inventory_legacy")),
        ]);
        top.insert("_meta".to_owned(), Part::Table(meta));
        Part::Table(top)
    }

    fn listed(
        &self,
        name: &str,
        top: &mut IndexMap<String, Part<'a>>,
        shown: &mut HashSet<&'a str>,
    ) {
        let Some((name, group)) = self.inventory.groups.get_key_value(name) else {
            return;
        };
        if !shown.insert(name) {
            return;
        }
        let mut parts = IndexMap::new();
        let hosts = self.hosts_of(name, group);
        if !hosts.is_empty() {
            parts.insert("hosts".to_owned(), names(hosts));
        }
        if !group.children.is_empty() {
            parts.insert(
                "children".to_owned(),
                names(group.children.iter().collect()),
            );
        }
        if self.export {
            let vars = self.group_vars(name, group);
            if !vars.is_empty() {
                parts.insert("vars".to_owned(), table(vars));
            }
        }
        if !parts.is_empty() {
            top.insert(name.to_string(), Part::Table(parts));
        }
        for child in &group.children {
            self.listed(child, top, shown);
        }
    }

    /// As an inventory in YAML.
    pub(crate) fn as_tree(&self) -> Part<'a> {
        let mut shown = HashSet::new();
        let mut hosts = HashSet::new();
        let all = self.branch("all", &mut shown, &mut hosts);
        let mut top = IndexMap::new();
        if !all.is_empty() {
            top.insert("all".to_owned(), Part::Table(all));
        }
        Part::Table(top)
    }

    fn branch(
        &self,
        name: &str,
        shown: &mut HashSet<&'a str>,
        told: &mut HashSet<&'a str>,
    ) -> IndexMap<String, Part<'a>> {
        let mut parts = IndexMap::new();
        let Some((name, group)) = self.inventory.groups.get_key_value(name) else {
            return parts;
        };
        shown.insert(name);
        let mut children = IndexMap::new();
        for child in &group.children {
            // A group that was shown in whole is only named again.
            if shown.contains(&**child) {
                children.insert(child.to_string(), Part::Table(IndexMap::new()));
                continue;
            }
            let branch = self.branch(child, shown, told);
            if !branch.is_empty() {
                children.insert(child.to_string(), Part::Table(branch));
            }
        }
        if !children.is_empty() {
            parts.insert("children".to_owned(), Part::Table(children));
        }
        self.finish(name, group, &mut parts, told);
        parts
    }

    /// A group's hosts, each with its variables where it is met first, and the group's own.
    fn finish(
        &self,
        name: &str,
        group: &'a Group,
        parts: &mut IndexMap<String, Part<'a>>,
        told: &mut HashSet<&'a str>,
    ) {
        let mut hosts = IndexMap::new();
        for host in self.hosts_of(name, group) {
            let vars = match told.insert(host) {
                true => table(self.vars_of(host)),
                false => Part::Table(IndexMap::new()),
            };
            hosts.insert(host.to_string(), vars);
        }
        if !hosts.is_empty() {
            parts.insert("hosts".to_owned(), Part::Table(hosts));
        }
        if self.export {
            let vars = self.group_vars(name, group);
            if !vars.is_empty() {
                parts.insert("vars".to_owned(), table(vars));
            }
        }
    }

    /// As an inventory in TOML: every group at the top.
    pub(crate) fn as_tables(&self) -> Part<'a> {
        let mut top = IndexMap::new();
        let mut told = HashSet::new();
        let mut shown = HashSet::new();
        self.tables("all", &mut top, &mut told, &mut shown);
        Part::Table(top)
    }

    fn tables(
        &self,
        name: &str,
        top: &mut IndexMap<String, Part<'a>>,
        told: &mut HashSet<&'a str>,
        shown: &mut HashSet<&'a str>,
    ) {
        let Some((name, group)) = self.inventory.groups.get_key_value(name) else {
            return;
        };
        if !shown.insert(name) {
            return;
        }
        let mut parts = IndexMap::new();
        let children: Vec<&Arc<str>> = group.children.iter().collect();
        if !children.is_empty() && &**name != "all" {
            parts.insert("children".to_owned(), names(children.clone()));
        }
        self.finish(name, group, &mut parts, told);
        if !parts.is_empty() {
            top.insert(name.to_string(), Part::Table(parts));
        }
        for child in children {
            self.tables(child, top, told, shown);
        }
    }
}

fn names(names: Vec<&Arc<str>>) -> Part<'static> {
    Part::Names(names.into_iter().map(|name| name.to_string()).collect())
}

fn table<'a>(vars: Vars<'a>) -> Part<'a> {
    let pairs = vars.into_iter();
    Part::Table(
        pairs
            .map(|(name, (key, node))| (name.to_owned(), Part::Value(key, node)))
            .collect(),
    )
}

/// Puts layers over what is there.
fn merge<'a>(layers: impl IntoIterator<Item = &'a Layer>, shared: bool, vars: &mut Vars<'a>) {
    for layer in layers {
        let shown = layer
            .iter()
            .filter(|(key, _)| !MADE.contains(&key.text.as_str()));
        vars.extend(shown.map(|(key, node)| (key.text.as_str(), (shared.then_some(key), node))));
    }
}

/// Whether a text was written without quotes and YAML takes it for a date.
pub(crate) fn is_date(node: &Node) -> bool {
    let Kind::Str(text) = &node.kind else {
        return false;
    };
    let written = node
        .span
        .source()
        .text()
        .get(node.span.start()..node.span.end());
    yaml::is_timestamp(text) && written.is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()))
}
