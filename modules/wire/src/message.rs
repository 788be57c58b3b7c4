//! The messages, in both directions.

use serde::{Deserialize, Serialize};

use crate::Change;

/// The protocol's version. Both sides must have the same: the agent is addressed by its hash, so
/// they differ only where something is broken.
pub const VERSION: u32 = 3;

/// What an agent writes before its first frame. The controller skips all that comes before it:
/// what a login shell's start-up files print.
pub const MAGIC: [u8; 16] = *b"\x00\xf7rplay\x1d\xa3\x5e\x0c\xd91\x8b\xe4\n";

/// The most bytes of a blob or file in one [`ToAgent::Chunk`] or [`FromAgent::Push`].
pub const CHUNK: usize = 64 << 10;

/// A JSON text: what a module takes and gives, opaque to the wire.
pub type Json = String;

/// Controller to agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// Run a module. Several may be under way at once.
    Run(Box<Run>),
    /// End a request: its processes are killed, and it reports `End::Cancelled`.
    Cancel {
        /// The request.
        id: u64,
    },
    /// A part of a blob that the agent asked for with [`FromAgent::Pull`], in order.
    Chunk {
        /// The request.
        id: u64,
        /// The agent's number for this reading of the blob.
        stream: u32,
        /// The bytes, at most [`CHUNK`].
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// Whether they are as [`pack`](crate::pack) made them.
        packed: bool,
        /// No more follow.
        last: bool,
        /// The controller could not read on: why. The module fails with it.
        error: Option<String>,
    },
    /// All that this agent's overlay holds, as an answer [`FromAgent::Overlay`].
    ExportOverlay {
        /// Names the answer.
        id: u64,
    },
    /// Replace this agent's overlay by what a sibling (another user's agent on the same host)
    /// exported.
    ImportOverlay {
        /// From [`FromAgent::Overlay`].
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
}

/// Agent to controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The first message.
    Hello(Hello),
    /// How far a long request is.
    Progress {
        /// The request.
        id: u64,
        /// Units done (bytes, most often).
        done: u64,
        /// Units in all, where known.
        total: Option<u64>,
    },
    /// The module wants (more of) a blob that was not sent inline. The controller sends no more
    /// than it was asked for, so that neither side holds a large file in memory.
    Pull {
        /// The request.
        id: u64,
        /// Index into [`Run::blobs`].
        blob: u32,
        /// Chosen by the agent: a blob may be read more than once.
        stream: u32,
        /// How many more chunks may be sent.
        chunks: u32,
        /// How long the module waited for bytes since the last such message, in microseconds: what
        /// the line takes.
        waited_us: u64,
    },
    /// A part of a file that the module sends back (fetch), in order.
    Push {
        /// The request.
        id: u64,
        /// The bytes, at most [`CHUNK`].
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
    /// The end of a request.
    Done {
        /// The request.
        id: u64,
        /// How it went.
        report: Box<Report>,
    },
    /// The answer to [`ToAgent::ExportOverlay`].
    Overlay {
        /// The request.
        id: u64,
        /// Opaque to the controller.
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
    },
}

/// What an agent says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] it was built with.
    pub version: u32,
    /// `x86_64`, `aarch64`, ...
    pub arch: String,
    /// The effective user id it runs under.
    pub uid: u32,
    /// Its process id on the target.
    pub pid: u32,
    /// Where its program is on the target.
    pub path: String,
    /// What [`machine`](crate::machine) says there.
    pub machine: String,
}

/// Whether to change the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Change it.
    Apply,
    /// Only say what would change: the module runs against the agent's overlay, which is kept for
    /// the requests that follow.
    Check,
    /// As `Check`, for this request alone: a task's own dry run amid real ones, whose effects the
    /// next request must not be told of.
    Preview,
}

/// One module call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Chosen by the controller, unique on this channel.
    pub id: u64,
    /// The module's name.
    pub module: String,
    /// Its arguments: a JSON object.
    pub args: Json,
    /// Apply or check.
    pub mode: Mode,
    /// Whether text diffs are wanted in the report's changes.
    pub diff: bool,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// Files of the controller that the arguments refer to by index.
    pub blobs: Vec<Blob>,
    /// Set where the call outlives the controller (`async`): its report is kept on the host.
    pub job: Option<Job>,
    /// In a dry run, an earlier task on this host that is not decided: `apt` at site.yml:9.
    pub doubt: Option<String>,
    /// Nobody looks at the result's keys: what takes long to tell may be left out of it.
    pub brief: bool,
    /// Set where the request was sent before its turn: it waits for that of another one.
    pub after: Option<After>,
}

impl Run {
    /// A call of a module on the host as it is, that runs at once; its id is the channel's to give.
    pub fn new(module: impl Into<String>, args: Json) -> Self {
        Self {
            id: 0,
            module: module.into(),
            args,
            mode: Mode::Apply,
            diff: false,
            environment: vec![],
            blobs: vec![],
            job: None,
            doubt: None,
            brief: false,
            after: None,
        }
    }
}

/// The request that another one comes after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// Its id, on the same channel.
    pub id: u64,
    /// Whether it must have ended well: else the later one ends as [`End::NotRun`].
    pub needs: bool,
}

/// A call that goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name on the host.
    pub id: String,
    /// Seconds that it may take.
    pub limit: u64,
    /// The folder of its report; the host's own choice where nobody names one.
    pub dir: Option<String>,
}

/// A file's content on the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// The content itself, where it is small; else it is pulled.
    #[serde(with = "serde_bytes")]
    pub inline: Option<Vec<u8>>,
}

/// How a request went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The result.
    pub end: End,
    /// What was changed on the host (or would be), in order.
    pub changes: Vec<Change>,
    /// What the user should know though nothing failed.
    pub warnings: Vec<String>,
    /// How long the module ran, in microseconds.
    pub took_us: u64,
}

impl Report {
    /// Of a request that changed nothing and took no time.
    pub fn of(end: End) -> Self {
        Self {
            end,
            changes: vec![],
            warnings: vec![],
            took_us: 0,
        }
    }
}

/// The result of a module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// It did its work.
    Ok {
        /// Whether the host changed.
        changed: bool,
        /// The result's other keys: a JSON object.
        data: Json,
        /// Keys of the result whose value a dry run cannot know.
        unknown: Vec<String>,
    },
    /// It failed.
    Failed {
        /// What went wrong.
        msg: String,
        /// Which argument is at fault, where it is one: the caret's place.
        arg: Option<String>,
        /// What to do about it.
        help: Vec<String>,
        /// The result's other keys (rc, stderr, ...): a JSON object.
        data: Json,
    },
    /// A dry run cannot know the result.
    Unknown {
        /// Why, in words: "command `x` was not run".
        why: String,
    },
    /// It was cancelled.
    Cancelled,
    /// It was not begun, since the request that it needs ([`After`]) did not end well.
    NotRun,
}
