//! What a plan holds.

use rplay_event::{ChangePrint, Recap};
use rplay_wire::{Change, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What would change on which host, and what it was asked for with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// When it was made.
    pub made: String,
    /// By which release.
    pub by: String,
    /// The folder that it was made in.
    pub folder: String,
    /// What it was asked for with.
    pub request: Request,
    /// Where its key comes from.
    pub key: crate::Origin,
    /// The tasks that would change something, that are not decided, or that failed.
    pub steps: Vec<Step>,
    /// A row a host.
    pub recap: Vec<Recap>,
    /// Seconds that it took.
    pub seconds: f64,
}

/// What a run is asked to do, as the command line said it. No password is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The playbooks.
    pub playbooks: Vec<String>,
    /// `-i`.
    pub inventory: Vec<String>,
    /// `--limit`.
    pub limit: Option<String>,
    /// `--tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--start-at-task`.
    pub start_at_task: Option<String>,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// `-e`, encrypted: a value may be secret.
    pub extra_vars: Vec<String>,
    /// Answers to `vars_prompt`, each with its question, encrypted.
    pub answers: Vec<String>,
    /// `-b`.
    #[serde(rename = "become")]
    pub become_: bool,
    /// `--become-method`.
    pub become_method: Option<String>,
    /// `--become-user`.
    pub become_user: Option<String>,
    /// `-u`.
    pub user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<String>,
    /// `-c`.
    pub connection: Option<String>,
    /// `--ssh-common-args`.
    pub ssh_common_args: Option<String>,
    /// `--ssh-extra-args`.
    pub ssh_extra_args: Option<String>,
}

/// A task, and what came of it on its hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The play's name.
    pub play: String,
    /// The task's name, with its role's.
    pub name: String,
    /// The module.
    pub module: String,
    /// Its place: `file:line:column`.
    pub at: String,
    /// Whether it is a handler.
    pub handler: bool,
    /// What came of it, a host or item each.
    pub entries: Vec<Entry>,
}

/// What came of a task on a host (for an item).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The host.
    pub host: String,
    /// Where it really runs, if delegated.
    pub delegated_to: Option<String>,
    /// The item's label, in a loop.
    pub item: Option<String>,
    /// How it ended.
    pub end: End,
    /// What would change.
    pub changes: Vec<Planned>,
    /// The keyed digest of what the module is asked to do.
    pub asked: Option<String>,
}

/// How a task ended in the dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum End {
    /// It would change something.
    Changed,
    /// It would change something, and says that this does not count (`changed_when: false`).
    Uncounted,
    /// It really ran, since it says `check_mode: false`.
    Ran,
    /// A dry run cannot know.
    Undecided {
        /// Each link of the chain, the nearest first.
        because: Vec<String>,
        /// What would let it be decided.
        hint: Option<String>,
        /// The texts of the task, as far as they are known.
        known: Map<String, Value>,
    },
    /// It failed.
    Failed {
        /// The message.
        msg: String,
        /// The failure counts for nothing (`ignore_errors`).
        ignored: bool,
    },
    /// The host could not be reached.
    Unreachable {
        /// The message.
        msg: String,
    },
}

/// One announced change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The change without secrets; `None` under `no_log`.
    pub shown: Option<Change>,
    /// Keyed digests of all of it.
    pub print: ChangePrint,
}

impl Planned {
    /// What is changed, in words.
    pub fn target(&self) -> String {
        match self.shown.as_ref().map(|change| &change.target) {
            Some(target) => words(target),
            None => "(hidden by no_log)".to_owned(),
        }
    }
}

/// A target in words: `/etc/motd`, `user etcd`.
pub(crate) fn words(target: &Target) -> String {
    match target.parts() {
        ("file", path) => path.to_owned(),
        (kind, "") => kind.to_owned(),
        (kind, name) => format!("{} {name}", kind.replace('_', " ")),
    }
}

impl Entry {
    /// A failure that counts for nothing, with no change.
    fn ignored_failure(&self) -> bool {
        matches!(self.end, End::Failed { ignored: true, .. }) && self.changes.is_empty()
    }
}

impl Plan {
    /// All entries, with their steps.
    pub fn entries(&self) -> impl Iterator<Item = (&Step, &Entry)> {
        self.steps
            .iter()
            .flat_map(|step| step.entries.iter().map(move |entry| (step, entry)))
    }

    /// Whether anything would change.
    pub fn changes_something(&self) -> bool {
        self.entries().any(|(_, entry)| match entry.end {
            End::Changed => true,
            End::Undecided { .. } => !entry.changes.is_empty(),
            _ => false,
        })
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let is_done = |entry: &Entry| matches!(entry.end, End::Ran) || entry.ignored_failure();
        self.entries().all(|(_, entry)| is_done(entry))
    }

    /// The number of changes.
    pub fn changes(&self) -> usize {
        self.entries().map(|(_, entry)| entry.changes.len()).sum()
    }

    /// The number of ends that a dry run cannot know.
    pub fn undecided(&self) -> usize {
        let undecided = |entry: &Entry| matches!(entry.end, End::Undecided { .. });
        self.entries().filter(|(_, entry)| undecided(entry)).count()
    }

    /// Hosts on which it failed or that could not be reached: such a plan is not whole.
    pub fn failed(&self) -> Vec<&str> {
        let rows = self
            .recap
            .iter()
            .filter(|r| r.failed > 0 || r.unreachable > 0);
        rows.map(|row| row.host.as_str()).collect()
    }

    /// The hosts that something would change on, or that are not decided, in the plan's order.
    pub fn hosts(&self) -> Vec<&str> {
        let mut hosts: Vec<&str> = vec![];
        for (_, entry) in self.entries() {
            if !hosts.contains(&entry.host.as_str()) {
                hosts.push(&entry.host);
            }
        }
        hosts
    }
}
