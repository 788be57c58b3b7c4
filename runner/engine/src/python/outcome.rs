//! The result of an action in Python as a task's.

use rplay_api::Told;
use serde_json::{Map, Value as Json, json};

use crate::result::{Ending, TaskResult, without_internal};

/// Takes the result of what an action answered with.
pub(super) fn result_of(name: &str, mut data: Map<String, Json>) -> TaskResult {
    let mut take = |key: &str| data.shift_remove(key);
    let is_secret = take("_ansible_no_log").as_ref().is_some_and(truth);
    let (changed, failed) = (take("changed"), take("failed"));
    let (skipped, unreachable) = (take("skipped"), take("unreachable"));
    let (warnings, deprecations) = (list(take("warnings")), list(take("deprecations")));
    let (diffs, invocation, raised) = (list(take("diff")), take("invocation"), take("raised"));
    let mut data = without_internal(data);
    if !deprecations.is_empty() {
        data.insert("deprecations".to_owned(), deprecations.into());
    }
    let msg = data.get("msg").map(words).unwrap_or_default();
    let is = |told: &Option<Json>| told.as_ref().is_some_and(truth);
    let end = match &raised {
        Some(raised) => Ending::Failed(words(raised)),
        None if is(&unreachable) => Ending::Unreachable(msg),
        None if is(&failed) => Ending::Failed(msg),
        None if is(&skipped) => Ending::Skipped(msg),
        None => Ending::Done {
            changed: is(&changed),
        },
    };
    if matches!(end, Ending::Failed(_)) && is(&changed) {
        data.insert("changed".to_owned(), true.into());
    }
    TaskResult {
        of_task: raised.is_some(),
        is_secret,
        warnings: warnings.iter().map(words).collect(),
        changes: diffs.iter().filter_map(|diff| change(name, diff)).collect(),
        invocation: Some(invocation.unwrap_or_else(|| json!({}))),
        end,
        ..TaskResult::done(false, data)
    }
}

/// Python's notion of what is true.
fn truth(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(is) => *is,
        Json::Number(n) => n.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}

fn list(value: Option<Json>) -> Vec<Json> {
    match value {
        Some(Json::Array(items)) => items,
        Some(Json::Null) | None => vec![],
        Some(one) => vec![one],
    }
}

fn words(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

/// A diff as a change: what is called by its header, or else by the action's name.
fn change(name: &str, diff: &Json) -> Option<rplay_wire::Change> {
    let header = ["after_header", "before_header"];
    let header = header.iter().find_map(|key| diff.get(key)?.as_str());
    let side = |key: &str| match diff.get(key) {
        Some(Json::Object(map)) => {
            let pretty = serde_json::to_string_pretty(map);
            pretty.map(|text| text + "\n").unwrap_or_default()
        }
        Some(other) => words(other),
        None => String::new(),
    };
    let told = match diff.get("prepared").and_then(Json::as_str) {
        Some(prepared) => Told::Prepared(prepared.to_owned()),
        None => Told::Sides(side("before"), side("after")),
    };
    let same = matches!(&told, Told::Sides(before, after) if before == after);
    (!same).then(|| told.change(header.unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: Json) -> TaskResult {
        let Json::Object(map) = json else {
            unreachable!()
        };
        result_of("echo", map)
    }

    #[test]
    fn what_an_action_says_of_itself_is_how_its_task_ends() {
        assert_eq!(
            of(json!({"changed": 1})).end,
            Ending::Done { changed: true }
        );
        let skipped = of(json!({"skipped": true, "msg": "not here"}));
        assert_eq!(skipped.end, Ending::Skipped("not here".to_owned()));
        let failed = of(json!({"failed": true, "msg": "no", "changed": true}));
        assert!(failed.is_failed() && failed.has_changed());
        let lost = of(json!({"unreachable": true, "failed": true, "msg": "gone"}));
        assert_eq!(lost.end, Ending::Unreachable("gone".to_owned()));
        let raised = of(json!({"raised": "boom", "failed": true}));
        assert_eq!(raised.json()["msg"], "Task failed: boom");
    }

    #[test]
    fn any_true_value_hides_a_result() {
        assert!(of(json!({"_ansible_no_log": "yes"})).is_secret);
        assert!(!of(json!({"_ansible_no_log": false})).is_secret);
    }

    #[test]
    fn a_diff_is_a_change() {
        let told =
            of(json!({"diff": [{"before": "a\n", "after": "b\n"}, {"before": 1, "after": 1}]}));
        assert_eq!(told.changes.len(), 1);
        assert!(told.data.is_empty());
    }
}
