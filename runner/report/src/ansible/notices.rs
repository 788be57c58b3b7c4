//! `[WARNING]` and `[DEPRECATION WARNING]` of results: each text is told once in a run.

use std::collections::HashSet;

use rplay_event::Ended;
use serde_json::Value;

use super::fault;
use super::paint::Ink;
use super::shown::Task;
use super::{AnsibleLook, Screen};

/// How to be rid of them.
const HELP: &str =
    "Deprecation warnings can be disabled by setting `deprecation_warnings=False` in ansible.cfg.";

/// What was told.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    told: HashSet<String>,
}

impl Notices {
    /// Tells what a result warns of.
    pub(crate) fn of_result(
        &mut self,
        ended: &Ended,
        task: &Task,
        look: &AnsibleLook,
        screen: &mut Screen,
    ) {
        // A loop's warnings are those of its items.
        if !task.visible || ended.result.contains_key("_rplay_items") {
            return;
        }
        let list = |key| ended.result.get(key).and_then(Value::as_array);
        if look.warnings {
            let texts = list("warnings").into_iter().flatten();
            for text in texts.filter_map(Value::as_str) {
                let text = text.replace("\r\n", "\n");
                self.tell(Ink::Warning, &format!("[WARNING]: {text}"), screen);
            }
        }
        if look.deprecations {
            let texts = list("deprecations").into_iter().flatten();
            for text in texts.filter_map(deprecation) {
                // How to be rid of them is told before the first.
                self.tell(Ink::Warning, &format!("[WARNING]: {HELP}"), screen);
                let text = format!("[DEPRECATION WARNING]: {text}");
                self.tell(Ink::Deprecation, &text, screen);
            }
        }
    }

    /// Tells what is deprecated where it is written; a result that says the same adds nothing.
    pub(crate) fn deprecated(
        &mut self,
        entry: &Value,
        drawn: &str,
        look: &AnsibleLook,
        screen: &mut Screen,
    ) {
        let Some(text) = deprecation(entry).filter(|_| look.deprecations) else {
            return;
        };
        self.tell(Ink::Warning, &format!("[WARNING]: {HELP}"), screen);
        let head = format!("[DEPRECATION WARNING]: {text}");
        self.told.insert(head.clone());
        let placed = fault::placed(head, Some(drawn), None, look);
        self.tell(Ink::Deprecation, &placed, screen);
    }

    fn tell(&mut self, ink: Ink, text: &str, screen: &mut Screen) {
        if self.told.insert(text.to_owned()) {
            screen.err(ink, text);
        }
    }
}

/// What is deprecated, and when it will be gone.
fn deprecation(entry: &Value) -> Option<String> {
    let field = |key: &str| entry.get(key).and_then(Value::as_str);
    let msg = field("msg")?.trim_end_matches('.');
    let from = match field("collection_name") {
        Some("ansible.builtin") => Some("ansible-core".to_owned()),
        collection => collection.map(|name| format!("collection '{name}'")),
    };
    let when = match (from, field("date"), field("version")) {
        (Some(from), Some(date), _) => format!("from {from} in a release after {date}"),
        (Some(from), None, Some(version)) => format!("from {from} version {version}"),
        // A version of nobody says nothing.
        _ => "in the future".to_owned(),
    };
    Some(format!("{msg}. This feature will be removed {when}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_deprecation_says_when_a_thing_will_be_gone() {
        let said = |entry: Value| deprecation(&entry).unwrap();
        let future = "old. This feature will be removed in the future.";
        assert_eq!(said(json!({"msg": "old"})), future);
        assert_eq!(said(json!({"msg": "old.", "version": "3.0"})), future);
        assert_eq!(
            said(json!({"msg": "old", "version": "9.0", "collection_name": "a.b"})),
            "old. This feature will be removed from collection 'a.b' version 9.0."
        );
        assert_eq!(
            said(json!({"msg": "old", "version": "2.25", "collection_name": "ansible.builtin"})),
            "old. This feature will be removed from ansible-core version 2.25."
        );
        assert_eq!(
            said(json!({"msg": "old", "date": "2031-05-06", "collection_name": "a.b"})),
            "old. This feature will be removed from collection 'a.b' in a release after 2031-05-06."
        );
        assert_eq!(deprecation(&json!("old")), None);
    }
}
