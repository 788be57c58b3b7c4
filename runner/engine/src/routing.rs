//! What a collection says of plugins that moved: `plugin_routing` in its `meta/runtime.yml`.

use std::path::Path;

use rplay_diag::Source;
use rplay_yaml::Node;

/// The full name that a plugin of a collection, in that folder, goes by now; `kind` is its word there.
pub(crate) fn redirected(collection: &Path, kind: &str, name: &str) -> Option<String> {
    let path = collection.join("meta/runtime.yml");
    let text = std::fs::read_to_string(&path).ok()?;
    let source = Source::new(path.display().to_string(), &text);
    let root = rplay_yaml::load(&source).ok()?.root(&source);
    let routing = root.get("plugin_routing")?.get(kind)?.get(name)?;
    let to = routing.get("redirect").and_then(Node::as_str)?;
    Some(to.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_moved_is_told_by_its_collection() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("meta")).unwrap();
        let text = "plugin_routing:\n  modules:\n    old: {redirect: a.b.new}\n    gone: {tombstone: {}}\n";
        std::fs::write(dir.path().join("meta/runtime.yml"), text).unwrap();
        let to = |kind, name| redirected(dir.path(), kind, name);
        assert_eq!(to("modules", "old").as_deref(), Some("a.b.new"));
        assert_eq!(to("modules", "gone"), None);
        assert_eq!(to("action", "old"), None);
    }
}
