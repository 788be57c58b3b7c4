//! Why there is no connection, or no longer an agent: typed, with what to do about it.

mod help;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rplay_diag::Diagnostic;

use crate::{Method, Through};

/// Why a host could not be reached, or an agent not be started there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    /// The inventory's name of the host.
    pub host: String,
    /// What happened.
    pub cause: Cause,
}

/// The kinds of causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The settings cannot be used: message (with its place), help.
    Settings(String, Option<String>),
    /// The name has no address.
    Resolve {
        /// The name.
        name: String,
        /// The resolver's words.
        error: String,
    },
    /// Nobody answers at the address: refused, no route, ...
    Connect {
        /// `address:port`.
        address: String,
        /// The system's words.
        error: String,
    },
    /// It took too long.
    Timeout {
        /// What did.
        act: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server speaks no SSH that this side speaks.
    Handshake {
        /// `address:port`.
        address: String,
        /// What differed.
        error: String,
    },
    /// The server closed the connection before it was of use.
    Closed {
        /// While what.
        act: String,
        /// What is known of it.
        error: String,
    },
    /// known_hosts does not know the server.
    HostKeyUnknown {
        /// The name that known_hosts would have: `host` or `[host]:port`.
        name: String,
        /// The key that the server showed.
        shown: Box<HostKey>,
        /// The file that would name it.
        file: PathBuf,
    },
    /// known_hosts knows another key for the server.
    HostKeyChanged {
        /// The name in known_hosts.
        name: String,
        /// The key that the server showed.
        shown: Box<HostKey>,
        /// The file that knows another key.
        file: PathBuf,
        /// The line there.
        line: usize,
    },
    /// known_hosts says that the server's key is revoked, or its certificate is not good.
    HostKeyRefused {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
    /// No way to log in was accepted.
    Auth {
        /// The user.
        user: String,
        /// Each way that was tried or skipped, and what came of it.
        tried: Vec<String>,
        /// What the server would accept.
        accepted: Vec<String>,
    },
    /// A jump host on the way failed.
    Jump {
        /// The jump host.
        via: String,
        /// Why.
        cause: Box<Cause>,
    },
    /// The program that the connection goes through ran no shell there.
    Through {
        /// The way.
        through: Arc<Through>,
        /// Why not.
        why: Inside,
    },
    /// The agent is not made for the target.
    Unsupported {
        /// `uname -s`.
        os: String,
        /// `uname -m`.
        arch: String,
    },
    /// No folder on the target can hold the agent and run it.
    NoPlace {
        /// Each folder that was tried, and why not.
        tried: Vec<String>,
    },
    /// Something else came than an agent: what was printed.
    NoAgent {
        /// How the process ended.
        ended: String,
        /// Its last words.
        output: String,
    },
    /// The agent speaks another version.
    Version {
        /// The agent's.
        theirs: u32,
    },
    /// Another user could not be become.
    Become {
        /// With what.
        method: Method,
        /// Whom.
        user: String,
        /// Why not.
        why: BecomeFault,
    },
}

/// Why a program ran no shell elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// It is not on the controller.
    NoProgram,
    /// There is no shell at the other end.
    NoShell,
    /// It did not do it: its words.
    Refused(String),
}

/// A server's key, as people compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// `ssh-ed25519`, ...
    pub algorithm: String,
    /// `SHA256:...`.
    pub fingerprint: String,
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} key `{}`", self.algorithm, self.fingerprint)
    }
}

/// Why another user could not be become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BecomeFault {
    /// The program is not on the target.
    NoProgram(String),
    /// It asks for a password, and none is known.
    PasswordNeeded,
    /// It did not take the password.
    PasswordWrong,
    /// The user may not (sudoers, doas.conf): the program's words.
    NotAllowed(String),
    /// It wants a terminal: the program's words.
    NeedsTerminal(String),
    /// No such user.
    UnknownUser,
    /// It neither asked nor went on in time.
    Timeout {
        /// How long was waited.
        after: Duration,
        /// What it said by then: a prompt in a language that is not known, most often.
        said: String,
    },
    /// Something else: the program's words.
    Other(String),
}

impl ConnectError {
    /// Whether the host itself was not reached. A user that could not be become is a failed task on
    /// a reachable host; of one who is waited for in vain nobody knows, as with Ansible. A program
    /// that the controller lacks says nothing of the host.
    pub fn is_unreachable(&self) -> bool {
        match &self.cause {
            Cause::Become { why, .. } => matches!(why, BecomeFault::Timeout { .. }),
            Cause::Through { why, .. } => *why != Inside::NoProgram,
            _ => true,
        }
    }

    /// What to do about it, a line each.
    pub fn help(&self) -> Vec<String> {
        self.cause.help(&self.host)
    }

    /// As a diagnostic with no place yet.
    pub fn diagnostic(&self) -> Diagnostic {
        let error = Diagnostic::error(self.to_string());
        self.help().into_iter().fold(error, Diagnostic::help)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)
    }
}

impl std::error::Error for ConnectError {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(message, _) => f.write_str(message),
            Self::Resolve { name, error } => write!(f, "could not resolve `{name}`: {error}"),
            Self::Connect { address, error } => {
                write!(f, "could not connect to `{address}`: {error}")
            }
            Self::Timeout { act, after } => {
                write!(f, "timed out after {} s while {act}", after.as_secs_f32())
            }
            Self::Handshake { address, error } => {
                write!(
                    f,
                    "could not agree with the ssh server at `{address}`: {error}"
                )
            }
            Self::Closed { act, error } => {
                write!(f, "the connection was closed while {act}: {error}")
            }
            Self::HostKeyUnknown { name, shown, .. } => {
                write!(
                    f,
                    "the host key of `{name}` is not known: it showed {shown}"
                )
            }
            Self::HostKeyChanged {
                name,
                shown,
                file,
                line,
            } => write!(
                f,
                "the host key of `{name}` changed: it showed {shown}, and `{}:{line}` has another",
                file.display()
            ),
            Self::HostKeyRefused { name, why } => {
                write!(f, "the host key of `{name}` was refused: {why}")
            }
            Self::Auth {
                user,
                tried,
                accepted,
            } => {
                write!(f, "could not log in as `{user}`: ")?;
                match tried.as_slice() {
                    [] => f.write_str("there is no key and no password to try")?,
                    tried => f.write_str(&tried.join("; "))?,
                }
                match accepted.as_slice() {
                    [] => Ok(()),
                    accepted => write!(f, " (the server accepts: {})", accepted.join(", ")),
                }
            }
            Self::Jump { via, cause } => write!(f, "by way of the jump host `{via}`: {cause}"),
            Self::Through { through, why } => why.write(f, through),
            Self::Unsupported { os, arch } => {
                write!(f, "the agent does not run on `{os}` on `{arch}`")
            }
            Self::NoPlace { tried } => {
                write!(f, "found no folder for the agent: {}", tried.join("; "))
            }
            Self::NoAgent { ended, output } => {
                write!(f, "the agent did not start: the shell {ended}")?;
                match output.as_str() {
                    "" => Ok(()),
                    output => write!(f, " and said `{output}`"),
                }
            }
            Self::Version { theirs } => write!(
                f,
                "the agent speaks version {theirs} of the protocol and not {}; this is a bug in rplay",
                rplay_wire::VERSION
            ),
            Self::Become { method, user, why } => why.write(f, *method, user),
        }
    }
}

impl Inside {
    fn write(&self, f: &mut fmt::Formatter<'_>, through: &Through) -> fmt::Result {
        let Through {
            program, inside, ..
        } = through;
        match self {
            Self::NoProgram => write!(
                f,
                "the connection `{}` needs the program `{program}`, which is not here",
                through.connection
            ),
            Self::NoShell => write!(f, "there is no `{}` {inside}", through.shell),
            Self::Refused(said) => {
                write!(f, "could not run a shell {inside}: {program} said: {said}")
            }
        }
    }
}

impl BecomeFault {
    fn write(&self, f: &mut fmt::Formatter<'_>, method: Method, user: &str) -> fmt::Result {
        let program = method.word();
        match self {
            Self::NoProgram(name) => write!(f, "could not become `{user}`: there is no `{name}`"),
            Self::PasswordNeeded => {
                write!(f, "could not become `{user}`: Missing {program} password")
            }
            Self::PasswordWrong => {
                write!(f, "could not become `{user}`: Incorrect {program} password")
            }
            Self::NotAllowed(words) => {
                write!(
                    f,
                    "could not become `{user}`: {program} does not allow it: {words}"
                )
            }
            Self::NeedsTerminal(words) => {
                write!(
                    f,
                    "could not become `{user}`: {program} wants a terminal: {words}"
                )
            }
            Self::UnknownUser => write!(f, "could not become `{user}`: there is no such user"),
            // The words that scripts look for, of Ansible's local connection and of its ssh.
            Self::Timeout { after, said } => {
                let said = match said.as_str() {
                    "" => "nothing".to_owned(),
                    said => format!("`{said}`"),
                };
                write!(
                    f,
                    "could not become `{user}`: Timed out waiting for become success or become password \
                     prompt: {program} said {said} in {} s of waiting for privilege escalation prompt",
                    after.as_secs_f32()
                )
            }
            Self::Other(words) => write!(f, "could not become `{user}`: {program} said: {words}"),
        }
    }
}

/// An agent that ended, or whose connection did, while it was of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLost {
    /// The inventory's name of the host.
    pub host: String,
    /// How: "it was killed by KILL", "the connection timed out".
    pub how: String,
    /// The last of what it wrote to standard error: a panic, most often.
    pub stderr: String,
}

impl AgentLost {
    /// As a diagnostic with no place yet.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(self.to_string())
    }
}

impl fmt::Display for AgentLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost the agent: {}", self.how)?;
        match self.stderr.trim() {
            "" => Ok(()),
            words => write!(f, "; it said `{words}`"),
        }
    }
}

impl std::error::Error for AgentLost {}
