//! What a task's word means: names of collections followed to where they moved, the action that runs a
//! module, and the groups of defaults.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rplay_playbook::short;

use crate::library::{Library, PluginKind};
use crate::routing::Member;

impl Library {
    /// The action in Python that runs what a task calls so, if there is one.
    pub(crate) fn action_of(&self, name: &str) -> Option<String> {
        self.resolved(name).1
    }

    /// The full name under which the defaults of what a task calls so are.
    pub(crate) fn defaults_name(&self, name: &str) -> String {
        let (called, action) = self.resolved(name);
        let is_builtin = name.starts_with("ansible.builtin.");
        // What stands in a folder of the user's own is not what rplay has under that name.
        let is_own =
            !is_builtin && !called.contains('.') && (action.is_some() || self.stands_in(&called));
        match is_own {
            true => format!("ansible.legacy.{called}"),
            false => called,
        }
    }

    /// What a task's word means: a module with an action of its own, an action, or a module; and the
    /// action.
    fn resolved(&self, name: &str) -> (String, Option<String>) {
        if let Some(own) = name.strip_prefix("ansible.builtin.") {
            return (own.to_owned(), None);
        }
        let name = short(name);
        let is_action = |name: &str| self.python_plugin(PluginKind::Action, name).is_some();
        let module = self.moved("modules", name);
        let of_module = self.routed(&module, |routing, plugin| {
            routing.action_plugin(plugin).map(str::to_owned)
        });
        if let Some(action) = of_module {
            let action = self.moved("action", &whole(&action, &module));
            return (module, is_action(&action).then_some(action));
        }
        let action = self.moved("action", name);
        let action = is_action(&action).then_some(action);
        (action.clone().unwrap_or(module), action)
    }

    /// The name that a plugin goes by now; the kind as its collection has it.
    pub(crate) fn moved(&self, kind: &str, name: &str) -> String {
        let mut steps = vec![name.to_owned()];
        loop {
            let last = &steps[steps.len() - 1];
            let to = self.routed(last, |routing, plugin| {
                routing.redirect(kind, plugin).map(str::to_owned)
            });
            match to.map(|to| whole(&to, last)) {
                // It goes round: nobody knows where it is.
                Some(to) if steps.contains(&to) => return name.to_owned(),
                Some(to) => steps.push(to),
                None => return short(last).to_owned(),
            }
        }
    }

    /// The full names of a group of defaults: of one of these collections, where it does not say which.
    pub(crate) fn group(&self, name: &str, collections: &[String]) -> BTreeSet<String> {
        if name.contains('.') {
            return self.members(name);
        }
        let builtin = ["ansible.builtin".to_owned()];
        let all = collections.iter().chain(&builtin);
        let mut found = all.map(|collection| self.members(&format!("{collection}.{name}")));
        found
            .find(|members| !members.is_empty())
            .unwrap_or_default()
    }

    fn members(&self, name: &str) -> BTreeSet<String> {
        let mut members = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(group) = open.pop() {
            if !seen.insert(group.clone()) {
                continue;
            }
            let found = self.routed(&group, |routing, name| {
                let found = routing.group(name);
                (!found.is_empty()).then_some(found)
            });
            for member in found.unwrap_or_default() {
                match member {
                    Member::Plugin(name) => {
                        members.insert(self.defaults_name(&whole(&name, &group)));
                    }
                    Member::Group(name) => open.push(whole(&name, &group)),
                }
            }
        }
        members
    }

    /// Asks the collection that a full name is of.
    fn routed<T>(
        &self,
        name: &str,
        ask: impl Fn(&crate::routing::Routing, &str) -> Option<T>,
    ) -> Option<T> {
        let (namespace, rest) = name.split_once('.')?;
        let (collection, plugin) = rest.split_once('.')?;
        if (namespace, collection) == ("ansible", "builtin") {
            let config = self.installed().site()?.join("ansible/config");
            let own = self.routing(&config.join("ansible_builtin_runtime.yml"))?;
            return ask(&own, plugin);
        }
        let within = PathBuf::from(namespace).join(collection);
        let within = within.join("meta/runtime.yml");
        let mut collections = self.collections();
        collections.find_map(|dir| ask(&*self.routing(&dir.join(&within))?, plugin))
    }
}

/// A name that another one of its collection mentions, in full.
fn whole(name: &str, beside: &str) -> String {
    if name.contains('.') {
        return name.to_owned();
    }
    let mut parts = beside.splitn(3, '.');
    match (parts.next(), parts.next()) {
        (Some(namespace), Some(collection)) => format!("{namespace}.{collection}.{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(text: &str, files: &[&str]) -> (tempfile::TempDir, Library) {
        let dir = tempfile::tempdir().unwrap();
        let collection = dir.path().join("a/b");
        for file in files {
            let path = collection.join("plugins").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::create_dir_all(collection.join("meta")).unwrap();
        std::fs::write(collection.join("meta/runtime.yml"), text).unwrap();
        let library = Library::default().with_collections(vec![dir.path().to_owned()]);
        (dir, library)
    }

    #[test]
    fn a_module_is_run_by_the_action_that_its_collection_names() {
        let text = "plugin_routing:\n  modules:\n    facts: {action_plugin: a.b.run}\n    old: {redirect: a.b.facts}\n";
        let (_dir, library) = library(text, &["action/run.py", "modules/facts.py"]);
        assert_eq!(library.defaults_name("a.b.old"), "a.b.facts");
        assert_eq!(library.action_of("a.b.old").as_deref(), Some("a.b.run"));
        assert_eq!(library.defaults_name("ansible.builtin.copy"), "copy");
    }

    #[test]
    fn what_goes_round_is_left_where_it_was() {
        let text = "plugin_routing:\n  modules:\n    x: {redirect: a.b.y}\n    y: {redirect: x}\naction_groups:\n  g: [m, {metadata: {extend_group: h}}]\n  h: [{metadata: {extend_group: g}}, c.d.n]\n";
        let (_dir, library) = library(text, &[]);
        assert_eq!(library.moved("modules", "a.b.x"), "a.b.x");
        let group: Vec<String> = library
            .group("g", &["a.b".to_owned()])
            .into_iter()
            .collect();
        assert_eq!(group, ["a.b.m", "c.d.n"]);
    }
}
