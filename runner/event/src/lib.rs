//! What happens in a run, as versioned events: the only way from the engine to a screen or a file.
//!
//! Owns the event types. Knows nothing of how they are drawn.

use rplay_wire::Change;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the event stream: it grows when an event changes its meaning or loses a field.
pub const VERSION: u32 = 1;

/// Takes events. The engine calls it from one task at a time.
pub trait Sink: Send + Sync {
    /// Something happened.
    fn emit(&self, event: &Event);
}

/// One event.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The first event.
    RunStarted {
        /// [`VERSION`].
        version: u32,
        /// Whether it is a dry run.
        check: bool,
        /// The playbooks.
        playbooks: Vec<String>,
    },
    /// A playbook began.
    PlaybookStarted {
        /// Its path.
        path: String,
        /// How many plays it has.
        plays: usize,
    },
    /// A play began.
    PlayStarted {
        /// Its name.
        name: String,
        /// Hosts of this batch.
        hosts: Vec<String>,
        /// Whether each host goes at its own pace (`strategy: free`).
        free: bool,
        /// Whether it is a dry run.
        check: bool,
    },
    /// More hosts failed than `max_fail_percentage` allows.
    NoMoreHosts,
    /// A play has no hosts, or none are left.
    NoHosts {
        /// Why, in words.
        why: String,
    },
    /// A task (or handler) is about to run on its hosts.
    TaskStarted {
        /// Unique in the run.
        task: TaskId,
        /// Its name, rendered where it can be.
        name: String,
        /// `role : ` of the name, where it is in a role.
        role: Option<String>,
        /// The module.
        module: String,
        /// Its place: `file:line:column`.
        at: String,
        /// The line of its place, and up to two before it.
        lines: Vec<String>,
        /// Whether it is a handler.
        handler: bool,
        /// Whether it is a dry run of the task.
        check: bool,
        /// Whether results may be shown (`no_log` is false).
        visible: bool,
    },
    /// A task began on a host.
    HostStarted {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// Where it really runs, if delegated.
        delegated_to: Option<String>,
    },
    /// How far a task is on a host.
    Progress {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// Units done.
        done: u64,
        /// Units in all.
        total: Option<u64>,
    },
    /// A try failed and another follows.
    Retrying {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// Tries left.
        left: u64,
        /// The item, in a loop.
        item: Option<String>,
    },
    /// A job that goes on by itself was asked how it is, and has not ended.
    Polled {
        /// The task.
        task: TaskId,
        /// The host.
        host: String,
        /// The job's name there.
        job: String,
    },
    /// One item of a loop ended.
    ItemEnded(Box<Ended>),
    /// A task ended on a host (after all its items).
    HostEnded(Box<Ended>),
    /// Files that an include brought in.
    Included {
        /// The task that includes.
        task: TaskId,
        /// The file, with its whole path, or the role.
        what: String,
        /// For these hosts.
        hosts: Vec<String>,
        /// The item's label, in a loop.
        item: Option<String>,
    },
    /// Something that the user should know.
    Warning {
        /// The text.
        text: String,
        /// The drawn diagnostic, where it has a place.
        drawn: Option<String>,
        /// Whether it is an error, and not only a warning.
        error: bool,
    },
    /// Something that Ansible is to take no more.
    Deprecated {
        /// The task that says it.
        task: TaskId,
        /// As results have it under `deprecations`.
        entry: serde_json::Value,
        /// The drawn diagnostic.
        drawn: String,
    },
    /// A message that belongs to no task (deprecations, vault, facts): shown with -v.
    Note {
        /// The text.
        text: String,
    },
    /// The last event.
    RunEnded {
        /// A row a host.
        recap: Vec<Recap>,
        /// Seconds.
        seconds: f64,
    },
}

/// Names a task in a run.
pub type TaskId = u64;

/// The end of a task or item on a host.
#[derive(Debug, Clone, Serialize)]
pub struct Ended {
    /// The task.
    pub task: TaskId,
    /// The host.
    pub host: String,
    /// Where it really ran, if delegated.
    pub delegated_to: Option<String>,
    /// The item's label, in a loop.
    pub item: Option<String>,
    /// How.
    pub status: Status,
    /// The result as `register` has it, redacted; empty under `no_log`.
    pub result: Map<String, Value>,
    /// What was changed, or would be.
    pub changes: Vec<Change>,
    /// The drawn diagnostic of a failure.
    pub diagnostic: Option<String>,
    /// The line that the diagnostic points at, and up to two before it.
    #[serde(skip)]
    pub quoted: Vec<String>,
    /// The failure counts for nothing (`ignore_errors`).
    pub ignored: bool,
    /// Microseconds from start to end.
    pub took_us: u64,
    /// Keyed digests of what must not be told, where a plan is made of the events.
    #[serde(skip)]
    pub prints: Option<Box<Prints>>,
}

/// Keyed digests of a task's end on a host: two plans are compared by them, and no secret can be
/// read from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prints {
    /// One for each change, also where `changes` is empty for `no_log`.
    pub changes: Vec<ChangePrint>,
    /// What the module was asked to do, where it was asked.
    pub asked: Option<String>,
}

/// Keyed digests of a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChangePrint {
    /// Of what is changed.
    pub target: String,
    /// Of its state before.
    pub before: String,
    /// Of its state after.
    pub after: String,
}

/// How a task ended on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing had to change.
    Ok,
    /// Something changed (or would).
    Changed,
    /// A condition said no: why.
    Skipped {
        /// `conditional result was false`, the condition, ...
        why: String,
    },
    /// It failed.
    Failed {
        /// The message.
        msg: String,
    },
    /// The host could not be reached.
    Unreachable {
        /// The message.
        msg: String,
    },
    /// A dry run cannot know: the chain of what it depends on.
    Undecided {
        /// Each link, the nearest first.
        because: Vec<String>,
    },
}

/// A host's row at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recap {
    /// The host.
    pub host: String,
    /// Tasks that ended well, changed ones among them.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// Times it could not be reached.
    pub unreachable: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// Tasks skipped.
    pub skipped: u64,
    /// Failures that a rescue took.
    pub rescued: u64,
    /// Failures ignored.
    pub ignored: u64,
    /// Tasks that a dry run could not decide.
    pub undecided: u64,
}
