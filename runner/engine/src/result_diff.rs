//! The key `diff` of a result: the changes in the shape that Ansible's results have.

use rplay_wire::{Change, Diff, State, Target, Texts};
use serde_json::{Map, Value as Json, json};

/// Modules whose change of one content is told as a mapping, where others tell a list of one.
const ALONE: [&str; 2] = ["assemble", "replace"];

/// The changes of a result: one as a mapping, more as a list, as modules of Ansible have it.
pub(crate) fn of(module: &str, changes: &[Change], texts: &[Texts]) -> Json {
    let mut all: Vec<Json> = changes.iter().map(|change| one(change, texts)).collect();
    match changes {
        [change] if change.diff.is_none() || ALONE.contains(&module) => all.remove(0),
        _ => all.into(),
    }
}

fn one(change: &Change, texts: &[Texts]) -> Json {
    let (_, name) = change.target.parts();
    match &change.diff {
        Some(Diff::Text(prepared)) => {
            let mut map = json!({"before_header": name, "after_header": name});
            match texts.iter().find(|text| text.path == name) {
                Some(text) => {
                    map["before"] = text.before.clone().unwrap_or_default().into();
                    map["after"] = text.after.clone().unwrap_or_default().into();
                }
                None => map["prepared"] = prepared.clone().into(),
            }
            map
        }
        Some(Diff::Binary { .. } | Diff::Secret) => json!({
            "before_header": name,
            "after_header": name,
            "before": "",
            "after": "",
        }),
        None => json!({
            "before": side(&change.target, change.before.as_ref()),
            "after": side(&change.target, change.after.as_ref()),
        }),
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
