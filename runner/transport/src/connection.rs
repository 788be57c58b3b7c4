//! One connection to one host, and the agents on it: one for each user.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::MissedTickBehavior;

use crate::bootstrap::{self, Launch};
use crate::connector::Image;
use crate::error::Cause;
use crate::process::{Ended, Input, Piece, Process};
use crate::ssh::Session;
use crate::{AgentClient, Become, ConnectError, Target, Through};

/// A process that was run without the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Exit code; minus the signal's number where one ended it, -1 where that is not known.
    pub rc: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// A connection to a host, kept for the run. Cheap to share behind an [`Arc`].
pub struct Connection {
    name: String,
    image: Image,
    link: Link,
    agents: Mutex<HashMap<Option<Key>, Slot>>,
}

/// How long an agent that is let go may take to end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How processes are started there.
pub(crate) enum Link {
    Ssh(Box<Session>),
    Local(Option<PathBuf>),
    Through(Arc<Through>),
    #[cfg(feature = "simulate")]
    Simulated(crate::Simulation),
}

/// What makes two agents on one host the same.
type Key = (
    crate::Method,
    String,
    Option<Vec<String>>,
    Option<String>,
    Option<String>,
);

/// An agent that is there or being started, by one of those who want it.
type Slot = Arc<OnceCell<Arc<AgentClient>>>;

impl Connection {
    pub(crate) fn new(target: &Target, image: Image, link: Link) -> Self {
        Self {
            name: target.name.clone(),
            image,
            link,
            agents: Mutex::default(),
        }
    }

    /// Whether the connection has ended, so that only a new one helps.
    pub fn is_closed(&self) -> bool {
        match &self.link {
            Link::Ssh(session) => session.is_closed(),
            Link::Local(_) | Link::Through(_) => false,
            #[cfg(feature = "simulate")]
            Link::Simulated(_) => false,
        }
    }

    /// The agent that runs as the login user, or as another one. It is started where there is none
    /// yet, or where the last one was lost.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn agent(&self, other: Option<&Become>) -> Result<Arc<AgentClient>, ConnectError> {
        let slot = self.slot(other);
        let agent = slot
            .get_or_try_init(|| async {
                #[cfg(feature = "simulate")]
                if let Link::Simulated(simulation) = &self.link {
                    return Ok(Arc::new(simulation.agent(&self.name).await));
                }
                let launch = Launch::new(other).map_err(|cause| self.error(cause))?;
                bootstrap::start(&self.link, &self.image, &launch, &self.name)
                    .await
                    .map(Arc::new)
                    .map_err(|cause| self.error(cause))
            })
            .await?;
        Ok(agent.clone())
    }

    /// Ends the agents that run as a user and have nothing to do, so that nothing of that user's
    /// runs on the host.
    pub async fn let_go(&self, user: &str) {
        let of_user = |key: &Option<Key>| key.as_ref().is_some_and(|(_, name, ..)| name == user);
        self.end(of_user).await;
    }

    /// Ends the run there. Where the agent was brought along nothing of it is left afterwards: what
    /// is behind a program may be made an image as soon as the run has ended.
    pub async fn close(&self) {
        if let Link::Through(_) = self.link {
            self.end(|_| true).await;
        }
    }

    /// Ends those agents that have nothing to do, and waits for them.
    async fn end(&self, which: impl Fn(&Option<Key>) -> bool) {
        let ended: Vec<Slot> = {
            let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = agents.extract_if(|key, _| which(key));
            ended.map(|(_, slot)| slot).collect()
        };
        for slot in ended {
            // One that somebody else waits for is not idle.
            let agent = Arc::into_inner(slot).and_then(OnceCell::into_inner);
            if let Some(agent) = agent {
                agent.end(LAST_WORDS).await;
            }
        }
    }

    fn slot(&self, other: Option<&Become>) -> Slot {
        let key = other.map(|b| {
            (
                b.method,
                b.user.clone(),
                b.flags.clone(),
                b.exe.clone(),
                b.dir.clone(),
            )
        });
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = agents.entry(key).or_default();
        if slot.get().is_some_and(|agent| agent.is_lost()) {
            *slot = Slot::default();
        }
        slot.clone()
    }

    /// Runs a command line in the login shell, without the agent (`raw`).
    ///
    /// # Errors
    /// Where the connection fails.
    pub async fn exec(
        &self,
        command: &str,
        stdin: Option<&[u8]>,
        pty: bool,
    ) -> Result<Ran, ConnectError> {
        let process = self
            .link
            .spawn(command, pty)
            .await
            .map_err(|cause| self.error(cause))?;
        let ran = collect(process, stdin.unwrap_or_default()).await;
        ran.map_err(|cause| self.error(cause))
    }

    /// As [`Connection::exec`], as another user.
    ///
    /// # Errors
    /// Where the connection fails, or that user cannot be become.
    pub async fn exec_as(
        &self,
        other: &Become,
        command: &str,
        stdin: Option<&[u8]>,
        pty: bool,
    ) -> Result<Ran, ConnectError> {
        let ran = async {
            let launch = Launch::new(Some(other))?;
            bootstrap::run_as(&self.link, &launch, command, stdin.unwrap_or_default(), pty).await
        };
        ran.await.map_err(|cause| self.error(cause))
    }

    fn error(&self, cause: Cause) -> ConnectError {
        ConnectError {
            host: self.name.clone(),
            cause,
        }
    }
}

impl Link {
    /// Starts a command line in the login shell.
    pub(crate) async fn spawn(&self, command: &str, pty: bool) -> Result<Process, Cause> {
        match self {
            Self::Ssh(session) => session.exec(command, pty).await,
            Self::Through(through) => through.spawn(command).await,
            Self::Local(dir) => {
                let mut shell = Command::new("/bin/sh");
                shell.arg("-c").arg(command);
                if let Some(dir) = dir {
                    shell.current_dir(dir);
                }
                Process::local(shell).map_err(|e| Cause::Closed {
                    act: "starting a shell".to_owned(),
                    error: e.to_string(),
                })
            }
            #[cfg(feature = "simulate")]
            Self::Simulated(_) => Err(Cause::Closed {
                act: "starting a shell".to_owned(),
                error: "a simulated host has none".to_owned(),
            }),
        }
    }
}

/// Runs a process to its end.
pub(crate) async fn collect(process: Process, stdin: &[u8]) -> Result<Ran, Cause> {
    let Process { input, mut output } = process;
    let (mut stdout, mut stderr) = (vec![], vec![]);
    let read = async {
        while let Some(piece) = output.next().await {
            match piece {
                Piece::Out(data) => stdout.extend_from_slice(&data),
                Piece::Err(data) => stderr.extend_from_slice(&data),
            }
        }
        output.ended().await
    };
    let write = async {
        let mut input = input;
        // One that does not read it to the end is no error.
        if feed(&mut input, stdin).await.is_ok() {
            input.end().await;
        }
    };
    let (ended, ()) = tokio::join!(read, write);
    let rc = match ended {
        Ended::Code(code) => code,
        Ended::Signal(_) => -1,
        Ended::Lost(error) => {
            return Err(Cause::Closed {
                act: "running a command".to_owned(),
                error,
            });
        }
    };
    Ok(Ran { rc, stdout, stderr })
}

/// A part of a process's input goes out this long after the one before, which makes 64 MB/s. That is
/// what gzip reads: more would wait in sshd, and sshd moves all that waits with each packet that
/// comes (a third of the time of a first contact was that).
const PACE: Duration = Duration::from_millis(1);

/// Writes some of a process's input.
pub(crate) async fn feed(input: &mut Input, data: &[u8]) -> std::io::Result<()> {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for part in data.chunks(rplay_wire::CHUNK) {
        pace.tick().await;
        input.write(bytes::Bytes::copy_from_slice(part)).await?;
    }
    Ok(())
}
