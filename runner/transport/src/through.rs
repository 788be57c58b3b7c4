//! A way to a host that is a program of the controller: it runs a command elsewhere and has its
//! three streams, as `docker exec -i NAME` does, or `chroot FOLDER`.

use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use crate::Secret;
use crate::error::{Cause, Inside};
use crate::process::{Process, Unsaid};

/// How long it may take until a shell has begun there. Programs that ask a cluster can be slow.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What the shell prints first. What the program says before it is no part of any output.
const BEGUN: &str = "rplay-inside";

/// A program, and what it needs to run a command on one host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Through {
    /// What playbooks call the connection.
    pub connection: String,
    /// Where its commands run, in words: "in the container `web`".
    pub inside: String,
    /// The program: a path, or a name to look for.
    pub program: String,
    /// The words between the program and the shell.
    pub args: Vec<Word>,
    /// What is added to the program's environment.
    pub environment: Vec<(String, Secret)>,
    /// The shell that is run there.
    pub shell: String,
    /// How long it may take until the shell has begun; half a minute where nothing is said.
    pub timeout: Option<Duration>,
    /// What to look at where the program is not here, and where it fails.
    pub help: Help,
}

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Word {
    /// That may be seen.
    Plain(String),
    /// That may not.
    Secret(Secret),
}

/// What to do where it does not work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Help {
    /// Where there is no such program.
    pub missing: String,
    /// Where it says no.
    pub refused: String,
}

impl Word {
    fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(text) => text.expose(),
        }
    }
}

impl Through {
    /// Starts a command line in the shell there; it has begun when this returns.
    pub(crate) async fn spawn(self: &Arc<Self>, command: &str) -> Result<Process, Cause> {
        let first = format!("echo {BEGUN}; echo {BEGUN} >&2; exec \"$0\" -c \"$1\"");
        let mut program = Command::new(&self.program);
        program
            .args(self.args.iter().map(Word::expose))
            .args([&self.shell, "-c", &first, &self.shell, command])
            .envs(self.environment.iter().map(|(k, v)| (k, v.expose())));
        let mut process = Process::local(program).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.fault(Inside::NoProgram),
            _ => self.fault(Inside::Refused(error.to_string())),
        })?;
        let after = self.timeout.unwrap_or(BEGIN_TIMEOUT);
        let begun = tokio::time::timeout(after, process.begun(BEGUN)).await;
        match begun {
            Ok(Ok(())) => Ok(process),
            Ok(Err(unsaid)) => Err(self.fault(self.refusal(&unsaid))),
            Err(_) => {
                process.kill();
                let act = format!("starting a shell {}", self.inside);
                Err(Cause::Timeout { act, after })
            }
        }
    }

    /// Why no shell began.
    fn refusal(&self, unsaid: &Unsaid) -> Inside {
        let said = unsaid.words();
        let words = said.to_lowercase();
        let absent = ["no such file", "not found"].map(|text| words.contains(text));
        if said.contains(&self.shell) && absent.contains(&true) {
            return Inside::NoShell;
        }
        Inside::Refused(match said.as_str() {
            "" => format!("nothing, and {}", unsaid.ended),
            _ => said,
        })
    }

    fn fault(self: &Arc<Self>, why: Inside) -> Cause {
        let through = self.clone();
        Cause::Through { through, why }
    }
}
