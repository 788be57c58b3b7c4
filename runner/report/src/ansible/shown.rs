//! The part of a result that is shown.

use rplay_event::{Ended, Status};
use serde_json::{Map, Value};

/// What stands for a result under `no_log`.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// What stands for an item under `no_log`.
pub(crate) const CENSORED_ITEM: &str = "(censored due to no_log)";

/// The task that a result is of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    /// Its name.
    pub name: String,
    /// Its banner, without the stars.
    pub title: String,
    /// `file:line:column`.
    pub at: String,
    /// The line of that place, and up to two before it.
    pub lines: Vec<String>,
    /// Its module.
    pub module: String,
    /// Whether results may be shown.
    pub visible: bool,
}

impl Task {
    /// Whether its result is its whole point, and is shown without `-v`.
    pub(crate) fn is_talk(&self) -> bool {
        matches!(self.module.as_str(), "debug" | "assert")
    }

    /// Whether its result is what a command printed.
    pub(crate) fn is_command(&self) -> bool {
        matches!(self.module.as_str(), "command" | "shell" | "raw" | "script")
    }

    /// The item's label as it may be shown.
    pub(crate) fn item<'a>(&self, item: Option<&'a str>) -> Option<&'a str> {
        item.map(|item| if self.visible { item } else { CENSORED_ITEM })
    }
}

/// `h1`, or `h1 -> h2` where the task ran elsewhere.
pub(crate) fn host(ended: &Ended) -> String {
    match &ended.delegated_to {
        Some(to) if *to != ended.host => format!("{} -> {to}", ended.host),
        _ => ended.host.clone(),
    }
}

/// The result's keys as they are shown.
pub(crate) fn result(ended: &Ended, task: &Task) -> Map<String, Value> {
    if !task.visible {
        let changed = matches!(ended.status, Status::Changed);
        return Map::from_iter([
            ("censored".to_owned(), CENSORED.into()),
            ("changed".to_owned(), changed.into()),
        ]);
    }
    let hidden = |key: &str| {
        key.starts_with("_rplay_")
            || [
                "failed",
                "skipped",
                "warnings",
                "deprecations",
                "diff",
                "exception",
            ]
            .contains(&key)
    };
    let pairs = ended.result.iter().filter(|(key, _)| !hidden(key));
    let mut shown: Map<String, Value> = pairs.map(|(k, v)| (k.clone(), v.clone())).collect();
    // A loop's items were told one by one.
    if ended.result.contains_key("_rplay_items") {
        shown.remove("results");
    }
    if is_unread(ended, task) {
        shown.remove("msg");
    }
    if let Status::Undecided { because } = &ended.status {
        let why = format!(
            "a dry run cannot know this: it depends on {}",
            because.join(", ")
        );
        shown.insert("msg".to_owned(), why.into());
    }
    shown
}

/// Whether it is an include whose file or role could not be read: that has a key of its own.
pub(crate) fn is_unread(ended: &Ended, task: &Task) -> bool {
    let includes = ["include_tasks", "include_role"].contains(&task.module.as_str());
    includes && ended.result.contains_key("reason")
}

/// The keys of `debug` as it shows them: what was asked for, without what frames it.
pub(crate) fn talk(ended: &Ended, task: &Task) -> Map<String, Value> {
    let mut shown = result(ended, task);
    if task.module == "debug" && task.visible {
        // Beside a variable the item is told too, beside a text it is not.
        let names = ["ansible_loop_var", "ansible_index_var"].map(|name| {
            let name = shown.get(name).and_then(Value::as_str);
            name.filter(|_| shown.contains_key("msg"))
                .map(str::to_owned)
        });
        let of_loop = |key: &String| names.iter().any(|name| name.as_ref() == Some(key));
        shown.retain(|key, _| !FRAMING.contains(&key.as_str()) && !of_loop(key));
    }
    shown
}

/// What `debug` itself says nothing by.
const FRAMING: [&str; 7] = [
    "ansible_loop",
    "changed",
    "skip_reason",
    "failed_when_result",
    "ansible_loop_var",
    "ansible_index_var",
    "attempts",
];

/// A result as one line of JSON, as it is kept in a file.
pub fn result_line(ended: &Ended) -> String {
    let task = Task {
        visible: !ended.result.is_empty(),
        ..Task::default()
    };
    super::dump::one_line(&result(ended, &task))
}
