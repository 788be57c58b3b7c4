//! What a collection says of its plugins in `meta/runtime.yml`: where they moved, which action runs a
//! module, and which modules share defaults.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rplay_diag::Source;
use rplay_yaml::Node;

/// What collections say, by their files; each is read once.
#[derive(Debug, Default)]
pub(crate) struct Routings(Mutex<HashMap<PathBuf, Option<Arc<Routing>>>>);

/// What one collection says.
#[derive(Debug)]
pub(crate) struct Routing(Node);

/// One of a group that shares defaults.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// A module or action.
    Plugin(String),
    /// All of another group.
    Group(String),
}

impl Routings {
    /// What a file says, if it is there.
    pub(crate) fn of(&self, file: &Path) -> Option<Arc<Routing>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(routing) = known.get(file) {
            return routing.clone();
        }
        let routing = Routing::read(file).map(Arc::new);
        known.insert(file.to_owned(), routing.clone());
        routing
    }
}

impl Routing {
    fn read(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let source = Source::new(path.display().to_string(), &text);
        // A file that cannot be read says nothing: it is Ansible's own matter.
        let root = rplay_yaml::load(&source).ok()?.root(&source);
        Some(Self(root))
    }

    fn told(&self, kind: &str, name: &str, key: &str) -> Option<&str> {
        let plugin = self.0.get("plugin_routing")?.get(kind)?.get(name)?;
        plugin.get(key).and_then(Node::as_str)
    }

    /// The name that a plugin goes by now; `kind` is its word there (`modules`, `action`).
    pub(crate) fn redirect(&self, kind: &str, name: &str) -> Option<&str> {
        self.told(kind, name, "redirect")
    }

    /// The action that runs a module.
    pub(crate) fn action_plugin(&self, module: &str) -> Option<&str> {
        self.told("modules", module, "action_plugin")
    }

    /// Those of a group of defaults.
    pub(crate) fn group(&self, name: &str) -> Vec<Member> {
        let group = self.0.get("action_groups").and_then(|all| all.get(name));
        let members = group.and_then(Node::as_seq).into_iter().flatten();
        members.flat_map(members_of).collect()
    }
}

fn members_of(node: &Node) -> Vec<Member> {
    if let Some(name) = node.as_str() {
        return vec![Member::Plugin(name.to_owned())];
    }
    let extended = node.get("metadata").and_then(|m| m.get("extend_group"));
    let names = match extended {
        Some(node) => node.as_seq().map_or(vec![node], |all| all.iter().collect()),
        None => vec![],
    };
    let names = names.into_iter().filter_map(Node::as_str);
    names.map(|name| Member::Group(name.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing(text: &str) -> Arc<Routing> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runtime.yml");
        std::fs::write(&path, text).unwrap();
        Routings::default().of(&path).unwrap()
    }

    #[test]
    fn a_plugin_that_moved_is_told_by_its_collection() {
        let routing = routing(
            "plugin_routing:\n  modules:\n    old: {redirect: a.b.new}\n    gone: {tombstone: {}}\n    odd: {action_plugin: a.b.c}\n",
        );
        assert_eq!(routing.redirect("modules", "old"), Some("a.b.new"));
        assert_eq!(routing.redirect("modules", "gone"), None);
        assert_eq!(routing.redirect("action", "old"), None);
        assert_eq!(routing.action_plugin("odd"), Some("a.b.c"));
    }

    #[test]
    fn a_group_has_modules_and_other_groups() {
        let routing = routing(
            "action_groups:\n  g:\n    - a\n    - metadata: {extend_group: [x, y.z.w]}\n    - b.c.d\n",
        );
        let plugin = |name: &str| Member::Plugin(name.to_owned());
        let group = |name: &str| Member::Group(name.to_owned());
        assert_eq!(
            routing.group("g"),
            [plugin("a"), group("x"), group("y.z.w"), plugin("b.c.d")]
        );
        assert_eq!(routing.group("none"), []);
    }
}
