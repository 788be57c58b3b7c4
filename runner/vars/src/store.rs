//! Everything known of every host, shared by the whole run.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_inventory::{Fault, Inventory, Lineage, VarsFiles};
use rplay_template::{Templar, Value, Vars};
use rplay_yaml::{Key, Map, Node};

use crate::Level;
use crate::fact_cache::FactCache;
use crate::host_vars::HostVars;
use crate::scope::{Layer, Mappings, Scope};

/// Layers with their levels, shared by every scope of a host.
type Layers = Arc<Vec<(Level, Layer)>>;

/// The variables of a run.
pub struct Store {
    inventory: RwLock<Arc<Inventory>>,
    /// What the run added to it.
    additions: Mutex<Vec<Addition>>,
    templar: Templar,
    /// `group_vars` and `host_vars` beside playbooks, read once each.
    beside: RwLock<Vec<(PathBuf, Arc<VarsFiles>)>>,
    extra: Vec<Arc<Map>>,
    mappings: Mappings,
    hosts: Mutex<HashMap<Arc<str>, HostVars>>,
    layers: Mutex<HashMap<Arc<str>, Layers>>,
    groups: RwLock<Option<Value>>,
    lineage: RwLock<Option<Arc<Lineage>>>,
    cache: Option<FactCache>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// A store over an inventory, with `-e` on top.
    pub fn new(
        inventory: Arc<Inventory>,
        templar: Templar,
        extra: Vec<Arc<Map>>,
        mappings: Mappings,
    ) -> Self {
        Self {
            inventory: RwLock::new(inventory),
            additions: Mutex::default(),
            templar,
            beside: RwLock::default(),
            extra,
            mappings,
            hosts: Mutex::default(),
            layers: Mutex::default(),
            groups: RwLock::default(),
            lineage: RwLock::default(),
            cache: None,
        }
    }

    /// With facts kept from run to run.
    pub fn with_cache(mut self, cache: Option<FactCache>) -> Self {
        self.cache = cache;
        self
    }

    /// The inventory.
    pub fn inventory(&self) -> Arc<Inventory> {
        self.inventory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts a host, new or not, into groups and gives it variables; whether that changed anything.
    pub fn add_host(&self, addition: Addition) -> bool {
        let mut current = self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if addition.is_there(&current) {
            return false;
        }
        let mut next = (**current).clone();
        addition.make(&mut next);
        *current = Arc::new(next);
        self.additions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(addition);
        drop(current);
        self.forget_groups();
        true
    }

    /// Takes an inventory that was read anew; what the run has added stays.
    pub fn refresh(&self, inventory: Arc<Inventory>) {
        let mut next = (*inventory).clone();
        let additions = self
            .additions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A host of the old inventory that was only grouped goes with it.
        for addition in additions.iter() {
            if addition.vars.is_some() || next.hosts.contains_key(addition.host.as_str()) {
                addition.make(&mut next);
            }
        }
        *self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.forget_groups();
    }

    /// Both under the one lock, since the layers hold the groups.
    fn forget_groups(&self) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        layers.clear();
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.lineage.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// `-e`.
    pub fn extra(&self) -> &[Arc<Map>] {
        &self.extra
    }

    /// Takes the variable files beside a playbook.
    pub fn add_playbook_dir(&self, dir: PathBuf, files: VarsFiles) {
        let mut beside = self.beside.write().unwrap_or_else(PoisonError::into_inner);
        if !beside.iter().any(|(known, _)| *known == dir) {
            beside.push((dir, Arc::new(files)));
            self.layers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }

    /// What is wrong with a file of variables that a host needs.
    pub fn fault(&self, host: &str) -> Option<Diagnostic> {
        let inventory = self.inventory();
        let beside = self.beside.read().unwrap_or_else(PoisonError::into_inner);
        let faults: Vec<&Fault> = beside
            .iter()
            .flat_map(|(_, files)| &files.faults)
            .chain(&inventory.faults)
            .collect();
        if faults.is_empty() {
            return None;
        }
        let groups = self.groups_of(&inventory, host);
        let fault = faults.into_iter().find(|f| f.concerns(host, &groups));
        fault.map(|fault| fault.what.clone())
    }

    /// Changes what is known of a host.
    pub fn update(&self, host: &str, change: impl FnOnce(&mut HostVars)) {
        let mut hosts = self.hosts();
        let known = hosts
            .entry(host.into())
            .or_insert_with(|| self.cached(host));
        let Some(cache) = &self.cache else {
            return change(known);
        };
        let before = known.shared_facts();
        change(known);
        if !known.shares_facts(&before) {
            // Facts that cannot be kept are gathered again by the next run.
            let _ = cache.write(host, known.facts());
        }
    }

    /// Whether facts of a host are known.
    pub fn has_facts(&self, host: &str) -> bool {
        let mut hosts = self.hosts();
        if self.cache.is_none() {
            return hosts.get(host).is_some_and(HostVars::has_facts);
        }
        let known = hosts
            .entry(host.into())
            .or_insert_with(|| self.cached(host));
        known.has_facts()
    }

    /// A host that nothing is known of yet in this run.
    fn cached(&self, host: &str) -> HostVars {
        let mut known = HostVars::default();
        if let Some(cache) = &self.cache {
            let facts = cache.read(host);
            if !facts.is_empty() {
                known.add_facts(facts);
            }
        }
        known
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Arc<str>, HostVars>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What holds for a host in every play: inventory, facts, results, `-e`, magic.
    pub fn scope(self: &Arc<Self>, host: &str) -> Scope {
        let mut scope = Scope::new(self.mappings);
        for (level, layer) in self.inventory_layers(host).iter() {
            scope.add(*level, layer.clone());
        }
        {
            let mut hosts = self.hosts();
            let none = HostVars::default();
            if self.cache.is_some() && !hosts.contains_key(host) {
                hosts.insert(host.into(), self.cached(host));
            }
            let known = hosts.get(host).unwrap_or(&none);
            scope.add(Level::Facts, known.facts_layer());
            known
                .included_layers()
                .for_each(|layer| scope.add(Level::IncludeVars, layer));
            scope.add(Level::SetFacts, known.set_layer());
        }
        for extra in &self.extra {
            scope.add(Level::Extra, Layer::Nodes(extra.clone()));
        }
        scope
    }

    /// What a host has of the inventory, its magic variables among it: made once, and again after
    /// the inventory changed.
    fn inventory_layers(self: &Arc<Self>, host: &str) -> Layers {
        let mut cache = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache.get(host) {
            return known.clone();
        }
        let beside = self.beside.read().unwrap_or_else(PoisonError::into_inner);
        let mut layers = vec![];
        let inventory = self.inventory();
        let groups = self.groups_of(&inventory, host);
        let mut add = |level: Level, maps: &[Arc<Map>]| {
            layers.extend(maps.iter().map(|map| (level, Layer::Nodes(map.clone()))));
        };
        for name in &groups {
            let of_all = &**name == "all";
            if let Some(group) = inventory.groups.get(name) {
                add(Level::InventoryGroups, &group.vars);
                let level = if of_all {
                    Level::AllGroup
                } else {
                    Level::Groups
                };
                add(level, &group.files);
            }
        }
        for name in &groups {
            let of_all = &**name == "all";
            let level = if of_all {
                Level::AllGroup
            } else {
                Level::PlaybookGroups
            };
            beside
                .iter()
                .for_each(|(_, files)| add(level, files.group(name)));
        }
        match inventory.hosts.get(host) {
            Some(own) => {
                add(Level::Host, &own.vars);
                add(Level::Host, &own.files);
            }
            None if is_controller(host) => layers.push((Level::Host, of_the_controller())),
            None => {}
        }
        let mut add = |maps: &[Arc<Map>]| {
            layers.extend(
                maps.iter()
                    .map(|map| (Level::Host, Layer::Nodes(map.clone()))),
            );
        };
        beside.iter().for_each(|(_, files)| add(files.host(host)));
        let is_implicit = is_controller(host) && !inventory.hosts.contains_key(host);
        let address = if is_implicit { "127.0.0.1" } else { host };
        let address = IndexMap::from([("ansible_host".to_owned(), Value::from(address))]);
        layers.push((Level::Least, Layer::Values(Arc::new(address))));
        layers.push((Level::Magic, Layer::Values(Arc::new(self.magic(host)))));
        let layers = Arc::new(layers);
        cache.insert(host.into(), layers.clone());
        layers
    }

    fn magic(self: &Arc<Self>, host: &str) -> IndexMap<String, Value> {
        let short = host.split('.').next().unwrap_or(host);
        let inventory = self.inventory();
        let mut names = self.groups_of(&inventory, host);
        names.retain(|n| &**n != "all");
        names.sort();
        let names: Vec<Value> = names.iter().map(|n| Value::from(&**n)).collect();
        let entry = inventory.hosts.get(host);
        let source = entry
            .and_then(|h| h.source.clone())
            .or_else(|| inventory.sources.first().cloned());
        let mut magic = IndexMap::from([
            ("inventory_hostname".to_owned(), Value::from(host)),
            ("inventory_hostname_short".to_owned(), Value::from(short)),
            ("group_names".to_owned(), Value::from(names)),
            ("groups".to_owned(), self.groups()),
            (
                "hostvars".to_owned(),
                Value::from_object(HostVarsOf {
                    store: Arc::downgrade(self),
                }),
            ),
            ("omit".to_owned(), rplay_template::omit()),
        ]);
        if let Some(source) = source {
            let path = source.canonicalize().unwrap_or(source);
            let dir = if path.is_dir() {
                path.clone()
            } else {
                path.parent().unwrap_or(&path).to_owned()
            };
            magic.insert(
                "inventory_file".to_owned(),
                Value::from(path.display().to_string()),
            );
            magic.insert(
                "inventory_dir".to_owned(),
                Value::from(dir.display().to_string()),
            );
        }
        magic
    }

    /// The groups of a host; how they lie above each other is found once for all hosts.
    fn groups_of(&self, inventory: &Inventory, host: &str) -> Vec<Arc<str>> {
        let known = self.lineage.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(lineage) = known.as_ref() {
            return lineage.groups_of(inventory, host);
        }
        drop(known);
        let lineage = Arc::new(Lineage::of(inventory));
        let groups = lineage.groups_of(inventory, host);
        *self.lineage.write().unwrap_or_else(PoisonError::into_inner) = Some(lineage);
        groups
    }

    fn groups(&self) -> Value {
        if let Some(known) = self
            .groups
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            return known.clone();
        }
        let inventory = self.inventory();
        let made = {
            let names = |group: &str| -> Value {
                let hosts = inventory.hosts_of(group);
                hosts
                    .iter()
                    .map(|h| Value::from(&**h))
                    .collect::<Vec<_>>()
                    .into()
            };
            Value::from_pairs(inventory.groups.keys().map(|g| (g.to_string(), names(g))))
        };
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        made
    }
}

/// `hostvars`: another host's variables, looked up when they are used.
#[derive(Debug)]
struct HostVarsOf {
    /// The store holds this in its turn.
    store: Weak<Store>,
}

impl rplay_template::Object for HostVarsOf {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let store = self.store.upgrade()?;
        let host = key.as_str()?;
        let known = store.inventory().hosts.contains_key(host)
            || store
                .hosts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains_key(host)
            || is_controller(host);
        if !known {
            return None;
        }
        let vars: Arc<dyn Vars> = Arc::new(store.scope(host).as_set());
        Some(store.templar.view(&vars))
    }

    fn enumerate(self: &Arc<Self>) -> rplay_template::Enumerator {
        let inventory = self.store.upgrade().map(|store| store.inventory());
        let names = inventory
            .iter()
            .flat_map(|inventory| inventory.hosts.keys());
        rplay_template::Enumerator::Values(names.map(|n| Value::from(&**n)).collect())
    }
}

/// A host that the run put into groups (`add_host`, `group_by`).
#[derive(Debug)]
pub struct Addition {
    /// The host.
    pub host: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// Groups that those are put below.
    pub parents: Vec<String>,
    /// Variables of a host that `add_host` makes; `None` where one of the inventory's is grouped.
    pub vars: Option<Map>,
}

impl Addition {
    fn is_there(&self, inventory: &Inventory) -> bool {
        let Some(host) = inventory.hosts.get(self.host.as_str()) else {
            return false;
        };
        let has = |key: &Key, node: &Node| {
            let mut layers = host.vars.iter().rev();
            let found = layers.find_map(|layer| layer.get(key.text.as_str()));
            found.is_some_and(|known| known.kind == node.kind)
        };
        let below = |parent: &String, group: &String| {
            let parent = inventory.groups.get(parent.as_str());
            parent.is_some_and(|parent| parent.children.contains(group.as_str()))
        };
        self.vars.iter().flatten().all(|(key, node)| has(key, node))
            && self.groups.iter().all(|group| {
                let known = inventory.groups.get(group.as_str());
                known.is_some_and(|g| g.hosts.contains(self.host.as_str()))
                    && self.parents.iter().all(|parent| below(parent, group))
            })
    }

    fn make(&self, inventory: &mut Inventory) {
        for group in &self.groups {
            inventory.host_mut(&self.host, group);
            for parent in &self.parents {
                let parent = inventory.group_mut(parent);
                parent.children.insert(group.as_str().into());
            }
        }
        if !inventory.hosts.contains_key(self.host.as_str()) {
            inventory.host_mut(&self.host, "ungrouped");
        }
        if let Some(host) = inventory.hosts.get_mut(self.host.as_str())
            && let Some(vars) = self.vars.as_ref().filter(|vars| !vars.is_empty())
        {
            host.vars.push(Arc::new(vars.clone()));
        }
    }
}

/// Whether a name is the controller's, where no inventory says otherwise.
fn is_controller(host: &str) -> bool {
    ["localhost", "127.0.0.1", "::1"].contains(&host)
}

/// What Ansible says of the one host that no inventory names.
fn of_the_controller() -> Layer {
    let said = [
        ("ansible_connection", "local"),
        ("ansible_python_interpreter", "/usr/bin/python3"),
    ];
    let said = said.map(|(name, value)| (name.to_owned(), Value::from(value)));
    Layer::Values(Arc::new(said.into()))
}
