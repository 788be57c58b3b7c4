//! The key `diff` of a result: the changes in the shape that Ansible's results have.

use rplay_wire::{Change, Diff, State, Target};
use serde_json::{Map, Value as Json, json};

use super::record::Recorded;

/// Modules whose diff of a content is a list, though it is of one file.
const LISTS: [&str; 4] = ["blockinfile", "copy", "lineinfile", "template"];

/// The changes of a module's result: one as a mapping, more as a list.
pub(super) fn of(module: &str, changes: &[Recorded]) -> Json {
    let mut all: Vec<Json> = changes.iter().map(one).collect();
    let is_content = changes
        .iter()
        .any(|recorded| recorded.change.diff.is_some());
    match all.len() {
        1 if !(is_content && LISTS.contains(&module)) => all.remove(0),
        _ => all.into(),
    }
}

/// Modules that name the file in their diff where nothing was to be changed, too.
const TOLD_UNCHANGED: [&str; 3] = ["copy", "file", "template"];

/// The diff of a module that found its file as it should be.
pub(super) fn of_nothing(module: &str, result: &Map<String, Json>) -> Option<Json> {
    let is_there = result.get("state").is_some_and(|state| state != "absent");
    if !is_there || !TOLD_UNCHANGED.contains(&module) {
        return None;
    }
    let path = result.get("dest").or_else(|| result.get("path"))?;
    let side = json!({"path": path});
    Some(json!({"before": side.clone(), "after": side}))
}

fn one(recorded: &Recorded) -> Json {
    let change = &recorded.change;
    let (_, name) = change.target.parts();
    match &change.diff {
        Some(Diff::Text(_) | Diff::Binary { .. } | Diff::Secret) => {
            let (before, after) = recorded.texts.clone().unwrap_or_default();
            json!({
                "before_header": name,
                "after_header": name,
                "before": before,
                "after": after,
            })
        }
        None => {
            let mut before = side(&change.target, change.before.as_ref());
            if let (Some(below), Json::Object(before)) = (&recorded.below, &mut before) {
                let listed = json!({"directories": below.directories, "files": below.files});
                before.insert("path_content".to_owned(), listed);
            }
            json!({
                "before": before,
                "after": side(&change.target, change.after.as_ref()),
            })
        }
    }
}

fn side(target: &Target, state: Option<&State>) -> Json {
    let (_, name) = target.parts();
    let mut map: Map<String, Json> = Map::new();
    if matches!(target, Target::File(_)) {
        map.insert("path".to_owned(), name.into());
    }
    match state {
        Some(state) => {
            let shown = state.iter().filter(|(k, _)| *k != Change::DIGEST);
            map.extend(shown.map(|(k, v)| (k.clone(), v.clone().into())));
        }
        None => {
            map.insert("state".to_owned(), "absent".into());
        }
    }
    Json::Object(map)
}
