//! A task's result on a host: what `register` takes and the recap counts.

use indexmap::IndexMap;
use rplay_diag::Span;
use rplay_event::Status;
use rplay_template::{Origin, Value, unknown};
use rplay_wire::{Change, End, Report};
use serde_json::{Map, Value as Json};

use crate::braces;

/// How a module (or action) ended.
#[derive(Debug, Clone)]
pub(crate) struct TaskResult {
    /// The result's keys.
    pub data: Map<String, Json>,
    /// Keys that a dry run cannot know.
    pub unknown: Vec<String>,
    /// How it ended.
    pub end: Ending,
    /// What was changed.
    pub changes: Vec<Change>,
    /// What the module warned of.
    pub warnings: Vec<String>,
    /// Where conditions of its task stand in braces.
    pub braces: Vec<Span>,
    /// It failed for what the task itself says, and not for what was done: `msg` tells that.
    pub of_task: bool,
    /// Nobody may see its keys.
    pub is_secret: bool,
    /// Whether the loss of the host is ignored, where the items of a loop have said it.
    pub ignored: Option<bool>,
    /// The drawn diagnostic of a failure.
    pub diagnostic: Option<String>,
    /// The line that a failure of the task's own words is in, and those before it.
    pub quoted: Vec<String>,
    /// Where it really ran, if delegated.
    pub delegated_to: Option<String>,
    /// What the module was asked to do, where a plan is made.
    pub asked: Option<String>,
    /// The module's arguments, its defaults among them.
    pub invocation: Option<Json>,
    /// Keys whose values templates see as these: an item is as trusted as where it comes from.
    pub values: IndexMap<String, Value>,
}

/// The ways that a result ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    /// Done; whether something changed.
    Done {
        /// Whether something changed.
        changed: bool,
    },
    /// Failed, with its message.
    Failed(String),
    /// Skipped, and why.
    Skipped(String),
    /// The host was lost.
    Unreachable(String),
    /// A dry run cannot know.
    Unknown(Vec<Origin>),
}

/// What the keys begin with that Ansible's modules and actions keep to themselves.
const INTERNAL: &str = "_ansible_";

/// A result without what is nobody else's, at any depth.
pub(crate) fn without_internal(map: Map<String, Json>) -> Map<String, Json> {
    fn clean(value: Json) -> Json {
        match value {
            Json::Object(map) => Json::Object(without_internal(map)),
            Json::Array(items) => items.into_iter().map(clean).collect(),
            other => other,
        }
    }
    let known = map
        .into_iter()
        .filter(|(key, _)| !key.starts_with(INTERNAL));
    known.map(|(key, value)| (key, clean(value))).collect()
}

impl TaskResult {
    fn new(end: Ending) -> Self {
        Self {
            data: Map::new(),
            unknown: vec![],
            end,
            changes: vec![],
            warnings: vec![],
            braces: vec![],
            of_task: false,
            is_secret: false,
            ignored: None,
            diagnostic: None,
            quoted: vec![],
            delegated_to: None,
            asked: None,
            invocation: None,
            values: IndexMap::new(),
        }
    }

    /// Done, with these keys.
    pub(crate) fn done(changed: bool, data: Map<String, Json>) -> Self {
        Self {
            data,
            ..Self::new(Ending::Done { changed })
        }
    }

    pub(crate) fn failed(msg: impl Into<String>) -> Self {
        Self::new(Ending::Failed(msg.into()))
    }

    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self::new(Ending::Skipped(why.into()))
    }

    pub(crate) fn unreachable(msg: impl Into<String>) -> Self {
        Self::new(Ending::Unreachable(msg.into()))
    }

    pub(crate) fn unknown(origins: Vec<Origin>) -> Self {
        Self::new(Ending::Unknown(origins))
    }

    /// What is changed is known, whether it counts as changed or failed is not.
    pub(crate) fn undecided(self, origins: Vec<Origin>) -> Self {
        Self {
            changes: self.changes,
            warnings: self.warnings,
            braces: self.braces,
            asked: self.asked,
            ..Self::unknown(origins)
        }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// What an agent reported; `origin` names the task for what is unknown in it.
    pub(crate) fn of_report(report: Report, origin: &Origin) -> Self {
        let object = |json: &str| match serde_json::from_str(json) {
            Ok(Json::Object(map)) if json.contains(INTERNAL) => without_internal(map),
            Ok(Json::Object(map)) => map,
            _ => Map::new(),
        };
        let mut result = match report.end {
            End::Ok {
                changed,
                data,
                unknown,
            } => Self {
                unknown,
                ..Self::done(changed, object(&data))
            },
            End::Failed { msg, data, .. } => Self {
                data: object(&data),
                ..Self::failed(msg)
            },
            // Of a command that says no more than the place of its task.
            End::Unknown { why } if why.ends_with("was not run") => {
                Self::unknown(vec![origin.clone()])
            }
            End::Unknown { why } => Self {
                diagnostic: Some(format!("  = note: {why}")),
                ..Self::unknown(vec![origin.clone()])
            },
            End::Cancelled => Self::failed("it was interrupted"),
            End::NotRun => panic!("bug: a request that needs another one was taken for its turn"),
        };
        result.changes = report.changes;
        result.warnings = report.warnings;
        result.skipped_by_itself()
    }

    /// A module may say of itself that it had nothing to do: its task counts as skipped then.
    fn skipped_by_itself(mut self) -> Self {
        let says_so = self.data.get("skipped") == Some(&Json::Bool(true));
        if says_so && self.end == (Ending::Done { changed: false }) {
            let why = self.data.get("msg").and_then(Json::as_str);
            self.end = Ending::Skipped(why.unwrap_or_default().to_owned());
        }
        self
    }

    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.end, Ending::Failed(_))
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.end == Ending::Done { changed: true }
    }

    /// Whether something changed, also where it failed after that: as the result tells it.
    pub(crate) fn has_changed(&self) -> bool {
        match &self.end {
            Ending::Done { changed } => *changed,
            // Of a loop some items may be known to change something, and others not be decided.
            Ending::Failed(_) | Ending::Unknown(_) => {
                self.data.get("changed") == Some(&Json::Bool(true))
            }
            Ending::Skipped(_) | Ending::Unreachable(_) => false,
        }
    }

    pub(crate) fn is_skipped(&self) -> bool {
        matches!(self.end, Ending::Skipped(_))
    }

    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self.end, Ending::Unreachable(_))
    }

    /// How an event says it.
    pub(crate) fn status(&self) -> Status {
        match &self.end {
            Ending::Done { changed: false } => Status::Ok,
            Ending::Done { changed: true } => Status::Changed,
            Ending::Failed(msg) => Status::Failed { msg: msg.clone() },
            Ending::Skipped(why) => Status::Skipped { why: why.clone() },
            Ending::Unreachable(msg) => Status::Unreachable { msg: msg.clone() },
            Ending::Unknown(origins) => Status::Undecided {
                because: origins.iter().map(ToString::to_string).collect(),
            },
        }
    }

    /// The result's keys as `register`, tests and the output see them.
    pub(crate) fn json(&self) -> Map<String, Json> {
        let mut map = self.data.clone();
        for key in ["stdout", "stderr"] {
            let lines = format!("{key}_lines");
            if let Some(Json::String(text)) = map.get(key)
                && !map.contains_key(&lines)
            {
                let split: Vec<Json> = text.lines().map(Json::from).collect();
                map.insert(lines, split.into());
            }
        }
        // A command that failed may have changed something, and says so.
        let mut set = |key: &str, value: Json| {
            map.insert(key.to_owned(), value);
        };
        set("changed", self.has_changed().into());
        // As in Ansible, what did not run has not said whether it failed.
        if !self.is_skipped() && !self.is_unreachable() {
            set("failed", self.is_failed().into());
        }
        match &self.end {
            Ending::Failed(msg) if self.of_task => set("msg", format!("Task failed: {msg}").into()),
            Ending::Failed(msg) => set("msg", msg.clone().into()),
            Ending::Skipped(why) => {
                set("skipped", true.into());
                // Some say why under a key of their own.
                let said = |key| self.data.get(key).and_then(Json::as_str) == Some(why);
                if !said("msg") && !said("skipped_reason") {
                    set("skip_reason", why.clone().into());
                }
            }
            Ending::Unreachable(msg) => {
                set("unreachable", true.into());
                set("msg", msg.clone().into());
            }
            _ => {}
        }
        if !self.warnings.is_empty() {
            set("warnings", self.warnings.clone().into());
        }
        if !self.braces.is_empty() {
            let mut told = match self.data.get("deprecations") {
                Some(Json::Array(told)) => told.clone(),
                _ => vec![],
            };
            told.extend(self.braces.iter().map(|_| braces::entry()));
            set("deprecations", told.into());
        }
        map
    }

    /// The result as `register` takes it, and as one of a loop's `results`.
    pub(crate) fn with_exception(&self) -> Map<String, Json> {
        let mut json = self.json();
        // What only the output looks at.
        json.retain(|key, _| !key.starts_with("_rplay_"));
        if self.is_failed() || self.is_unreachable() {
            // What playbooks look at; there is no Python whose trace it could hold.
            json.entry("exception")
                .or_insert_with(|| "(traceback unavailable)".into());
        }
        json
    }

    /// The result as templates see it.
    pub(crate) fn value(&self, origin: &Origin) -> Value {
        match &self.end {
            Ending::Unknown(origins) => unknown::value(origins),
            _ => {
                let json = Json::Object(self.with_exception());
                let keys = self.unknown.iter().filter(|key| !key.contains('.'));
                let keys: Vec<String> = keys.cloned().collect();
                let value = unknown::from_json(&json, &keys, origin);
                unknown::with(value, &self.values)
            }
        }
    }
}
