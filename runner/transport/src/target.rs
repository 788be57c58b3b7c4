//! Where to connect, and as whom: what the inventory and the command line say of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Secret, SshArgs, Through};

/// How long a connection may take where nothing else is said.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take to become another user where nothing else is said. PAM can be slow.
pub const BECOME_TIMEOUT: Duration = Duration::from_secs(30);

/// How a host is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Over SSH.
    #[default]
    Ssh,
    /// The controller itself, through the same agent.
    Local,
    /// By a program of the controller that runs a command elsewhere.
    Through(Arc<Through>),
}

/// One host to connect to. What is `None` comes from `~/.ssh/config`, or else from ssh's defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The inventory's name of it, for messages.
    pub name: String,
    /// Address, or an alias in `~/.ssh/config` (`ansible_host`).
    pub host: String,
    /// `ansible_port`.
    pub port: Option<u16>,
    /// `ansible_user`, `remote_user`.
    pub user: Option<String>,
    /// `ansible_ssh_private_key_file`, `--private-key`.
    pub private_key: Option<PathBuf>,
    /// `ansible_password`, `--ask-pass`.
    pub password: Option<Secret>,
    /// `ansible_ssh_common_args` and its like.
    pub ssh_args: SshArgs,
    /// How it is reached.
    pub kind: Kind,
    /// Where processes start on the controller itself; `None` where this process runs.
    pub dir: Option<PathBuf>,
    /// `ansible_timeout`; [`CONNECT_TIMEOUT`] where neither this nor the SSH configuration says.
    pub timeout: Option<Duration>,
    /// `host_key_checking`; `None` leaves it to `StrictHostKeyChecking`, which is `yes` by default.
    pub host_keys: Option<HostKeys>,
}

impl Target {
    /// A host over SSH, with everything else left to the SSH configuration.
    pub fn ssh(host: impl Into<String>) -> Self {
        let host = host.into();
        Self {
            name: host.clone(),
            host,
            ..Self::default()
        }
    }

    /// The controller itself.
    pub fn local() -> Self {
        Self {
            name: "localhost".to_owned(),
            host: "localhost".to_owned(),
            kind: Kind::Local,
            ..Self::default()
        }
    }
}

/// What to do with a server whose key is not known. A key that changed is refused by all but
/// `Ignore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeys {
    /// Refuse it.
    Strict,
    /// Take it and write it to known_hosts.
    AcceptNew,
    /// Take any key, also a changed one, and write nothing.
    Ignore,
}

/// Another user to run as, on the same connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// The program that changes the user.
    pub method: Method,
    /// Whom to become.
    pub user: String,
    /// `ansible_become_password`, `--ask-become-pass`.
    pub password: Option<Secret>,
    /// `become_flags`, in words; `None` is the method's default.
    pub flags: Option<Vec<String>>,
    /// `become_exe`; `None` is the method's own name.
    pub exe: Option<String>,
    /// The folder to change into first.
    pub dir: Option<String>,
    /// What su asks for a password with, each without its colon (`ansible_su_prompt_l10n`); where
    /// there is none, the words of its translations.
    pub prompts: Vec<String>,
    /// How long it may take to become the user; [`BECOME_TIMEOUT`] where nothing is said.
    pub timeout: Option<Duration>,
}

impl Become {
    /// Root, by sudo, without a password.
    pub fn root() -> Self {
        Self {
            method: Method::Sudo,
            user: "root".to_owned(),
            password: None,
            flags: None,
            exe: None,
            dir: None,
            prompts: vec![],
            timeout: None,
        }
    }
}

/// The programs that change the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `sudo`.
    Sudo,
    /// `su`.
    Su,
    /// `doas`.
    Doas,
}

impl Method {
    /// The method that a playbook calls `word`.
    pub fn of_word(word: &str) -> Option<Self> {
        // Ansible's full names end in it: `ansible.builtin.sudo`, `community.general.doas`.
        let word = word.rsplit('.').next().unwrap_or(word);
        [Self::Sudo, Self::Su, Self::Doas]
            .into_iter()
            .find(|m| m.word() == word)
    }

    /// What a playbook calls it, which is also its program.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}
