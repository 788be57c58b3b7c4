//! A change to a host: made, or announced by a dry run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was changed. Ordered, so that sets of changes can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Named", try_from = "Named")]
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
    /// A checkout of a repository, by its folder.
    Repository(String),
    /// A mount point.
    Mount(String),
    /// The host's own state: host name, a kernel parameter, the time zone, ...
    Host(String),
    /// A process that was run and may have changed anything.
    Command(String),
}

/// A target as it is written down, in JSON as in binary: its kind and its name.
#[derive(Clone, Serialize, Deserialize)]
struct Named {
    kind: String,
    name: String,
}

impl Target {
    /// The kind's word and the thing's name.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::File(name) => ("file", name),
            Self::User(name) => ("user", name),
            Self::Group(name) => ("group", name),
            Self::Unit(name) => ("unit", name),
            Self::UnitFile(name) => ("unit_file", name),
            Self::Systemd => ("systemd", ""),
            Self::Package(name) => ("package", name),
            Self::Repository(name) => ("repository", name),
            Self::Mount(name) => ("mount", name),
            Self::Host(name) => ("host", name),
            Self::Command(name) => ("command", name),
        }
    }
}

impl Target {
    /// The same thing under the name that `rename` makes of its name.
    #[must_use]
    pub fn map(self, rename: impl Fn(&str) -> String) -> Self {
        match self {
            Self::File(name) => Self::File(rename(&name)),
            Self::User(name) => Self::User(rename(&name)),
            Self::Group(name) => Self::Group(rename(&name)),
            Self::Unit(name) => Self::Unit(rename(&name)),
            Self::UnitFile(name) => Self::UnitFile(rename(&name)),
            Self::Systemd => Self::Systemd,
            Self::Package(name) => Self::Package(rename(&name)),
            Self::Repository(name) => Self::Repository(rename(&name)),
            Self::Mount(name) => Self::Mount(rename(&name)),
            Self::Host(name) => Self::Host(rename(&name)),
            Self::Command(name) => Self::Command(rename(&name)),
        }
    }
}

impl From<Target> for Named {
    fn from(target: Target) -> Self {
        let (kind, name) = target.parts();
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl TryFrom<Named> for Target {
    type Error = String;

    fn try_from(Named { kind, name }: Named) -> Result<Self, String> {
        Ok(match kind.as_str() {
            "file" => Self::File(name),
            "user" => Self::User(name),
            "group" => Self::Group(name),
            "unit" => Self::Unit(name),
            "unit_file" => Self::UnitFile(name),
            "systemd" => Self::Systemd,
            "package" => Self::Package(name),
            "repository" => Self::Repository(name),
            "mount" => Self::Mount(name),
            "host" => Self::Host(name),
            "command" => Self::Command(name),
            other => return Err(format!("`{other}` is no kind of target")),
        })
    }
}

/// The properties of a thing: `mode` -> `0644`, `owner` -> `etcd`. Empty values are not stored.
pub type State = BTreeMap<String, String>;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

impl Change {
    /// The property of a file that is the SHA-256 of its content. It is not shown: the digest of a
    /// short secret tells the secret to whoever tries enough of them.
    pub const DIGEST: &'static str = "sha256";
}

/// How two contents differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_the_same_in_binary_and_in_json() {
        for target in [
            Target::File("/x".into()),
            Target::Systemd,
            Target::UnitFile("e".into()),
        ] {
            let binary = postcard::to_stdvec(&target).unwrap();
            assert_eq!(postcard::from_bytes::<Target>(&binary).unwrap(), target);
        }
        let json = serde_json::to_string(&Target::File("/x".into())).unwrap();
        assert_eq!(json, r#"{"kind":"file","name":"/x"}"#);
    }
}
