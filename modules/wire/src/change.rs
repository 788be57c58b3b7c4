//! A change to a host: made, or announced by a dry run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was changed. Ordered, so that sets of changes can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Target {
    /// A file, directory, link or device, by its path.
    File(String),
    /// A user account.
    User(String),
    /// A group.
    Group(String),
    /// A systemd unit's running state.
    Unit(String),
    /// Whether a systemd unit starts at boot (or is masked).
    UnitFile(String),
    /// systemd's own configuration (daemon-reload).
    Systemd,
    /// A package.
    Package(String),
    /// A mount point.
    Mount(String),
    /// The host's own state: host name, a kernel parameter, the time zone, ...
    Host(String),
    /// A process that was run and may have changed anything.
    Command(String),
}

/// The properties of a thing: `mode` -> `0644`, `owner` -> `etcd`. Empty values are not stored.
pub type State = BTreeMap<String, String>;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What was changed.
    pub target: Target,
    /// Its properties before; `None` where it was absent.
    pub before: Option<State>,
    /// Its properties after; `None` where it is removed.
    pub after: Option<State>,
    /// The content's difference, where it has content and a diff was wanted.
    pub diff: Option<Diff>,
}

/// How two contents differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diff {
    /// A unified diff's hunks, without the `---`/`+++` lines.
    Text(String),
    /// Not text, or too large to diff: sizes in bytes, digests in hex.
    Binary {
        /// Size and SHA-256 before.
        before: Option<(u64, String)>,
        /// Size and SHA-256 after.
        after: Option<(u64, String)>,
    },
    /// The content is secret (a private key): only that it differs is said.
    Secret,
}
