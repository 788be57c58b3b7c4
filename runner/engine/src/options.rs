//! What a run is asked to do.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_transport::{Method, Secret};

use crate::tags::TagSelection;

/// A run's settings, from the command line and the configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Change nothing; say what would change.
    pub check: bool,
    /// Ask for text diffs.
    pub diff: bool,
    /// Hosts at a time.
    pub forks: usize,
    /// Which tasks run.
    pub tags: TagSelection,
    /// Skip tasks up to the one of this name.
    pub start_at: Option<String>,
    /// Ask before each task.
    pub step: bool,
    /// Run handlers even where a task failed.
    pub force_handlers: bool,
    /// What plays that say nothing of it do about other users.
    pub escalate: Escalate,
    /// How hosts that say nothing of it are reached.
    pub connect: Connect,
    /// Number of `-v`.
    pub verbosity: u8,
    /// What holds where a play says nothing of it.
    pub defaults: Defaults,
    /// Modules of the user's own.
    pub library: crate::Library,
    /// Set where a plan is made of the events.
    pub fingerprint: Option<Fingerprint>,
    /// Whether somebody may see the keys of results that no task registers.
    pub shows_results: bool,
    /// What `lookup('config', ...)` gives, by Ansible's names.
    pub settings: std::collections::BTreeMap<&'static str, Known>,
}

impl Default for Options {
    /// A real run, on one host at a time, of which all may be seen.
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            forks: 1,
            tags: TagSelection::default(),
            start_at: None,
            step: false,
            force_handlers: false,
            escalate: Escalate::default(),
            connect: Connect::default(),
            verbosity: 0,
            defaults: Defaults::default(),
            library: crate::Library::default(),
            fingerprint: None,
            shows_results: true,
            settings: std::collections::BTreeMap::default(),
        }
    }
}

/// Makes the keyed digests by which plans are compared; the key is the plan's.
#[derive(Clone)]
pub struct Fingerprint(Arc<Digest>);

type Digest = dyn Fn(&[u8]) -> String + Send + Sync;

impl Fingerprint {
    /// One that digests so.
    pub fn new(digest: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(digest))
    }

    /// The digest of some bytes.
    pub(crate) fn of(&self, bytes: &[u8]) -> String {
        (self.0)(bytes)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}

/// A setting's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// As it holds.
    pub value: serde_json::Value,
    /// Where it comes from.
    pub origin: String,
}

/// What `ansible.cfg` says of plays and tasks that say nothing themselves.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// When facts are gathered.
    pub gathering: Gathering,
    /// `strategy`.
    pub strategy: Option<String>,
    /// Roles of a play keep their variables to themselves.
    pub private_role_vars: Option<bool>,
    /// A handler that is not there is only warned of.
    pub missing_handlers: bool,
    /// `any_errors_fatal`.
    pub any_errors_fatal: bool,
    /// `no_log`.
    pub no_log: bool,
    /// `timeout` of a task, in seconds.
    pub task_timeout: Option<u64>,
}

/// When facts are gathered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gathering {
    /// By every play that does not say no.
    #[default]
    Implicit,
    /// By plays that say so.
    Explicit,
    /// As implicit, but once a host.
    Smart,
}

/// `-b`, `--become-user`, `--become-method`, and the password.
#[derive(Debug, Clone)]
pub struct Escalate {
    /// Whether to become another user.
    pub enabled: bool,
    /// Whom.
    pub user: String,
    /// How.
    pub method: Method,
    /// The password, where one was asked for.
    pub password: Option<Secret>,
    /// Its program, where it is not the usual one.
    pub exe: Option<String>,
    /// Options for it.
    pub flags: Option<String>,
    /// What su asks with, where it is none of its translations.
    pub su_prompts: Vec<String>,
}

impl Default for Escalate {
    /// Nobody; root by sudo where a task says no more than that it becomes.
    fn default() -> Self {
        Self {
            enabled: false,
            user: "root".to_owned(),
            method: Method::Sudo,
            password: None,
            exe: None,
            flags: None,
            su_prompts: vec![],
        }
    }
}

impl Escalate {
    /// A setting of a method, by Ansible's name for it.
    pub(crate) fn setting(&self, method: Method, name: &str) -> Option<String> {
        let flags = match method {
            Method::Sudo => "-H -S -n",
            Method::Su | Method::Doas => "",
        };
        Some(match name {
            "become_user" => self.user.clone(),
            "become_exe" => self.exe.clone().unwrap_or_else(|| method.word().to_owned()),
            "become_flags" => self.flags.clone().unwrap_or_else(|| flags.to_owned()),
            _ => return None,
        })
    }
}

/// `-u`, `--private-key`, `-c`, `-T` and their like.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// Log in as.
    pub user: Option<String>,
    /// With this key.
    pub private_key: Option<PathBuf>,
    /// With this password.
    pub password: Option<Secret>,
    /// To this port.
    pub port: Option<u16>,
    /// `ssh` or `local`.
    pub kind: Option<String>,
    /// Seconds.
    pub timeout: Option<u64>,
    /// Options for ssh.
    pub ssh_args: Vec<String>,
    /// Whether unknown host keys are refused: `ANSIBLE_HOST_KEY_CHECKING`.
    pub host_key_checking: Option<bool>,
}
