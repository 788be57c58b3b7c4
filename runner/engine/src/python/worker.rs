//! A process that runs actions in Python, forked from that of the plugins, and the socket to it.

use std::io;
use std::time::Duration;

use rplay_api::exact_integers;
use rplay_event::TaskId;
use serde_json::{Map, Value as Json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::run::Run;

/// A forked process is there at once.
const FORKED: Duration = Duration::from_secs(30);

/// A process that runs actions of one task on one host; it ends when nobody speaks to it any more.
#[derive(Debug)]
pub(crate) struct Worker {
    pub task: TaskId,
    stream: BufReader<UnixStream>,
}

impl Worker {
    /// A new one, for a task.
    pub(super) async fn start(run: &Run, task: TaskId) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("task");
        let listener = UnixListener::bind(&path)?;
        let library = &run.options.library;
        library.fork(&path).map_err(io::Error::other)?;
        let accepted = tokio::time::timeout(FORKED, listener.accept()).await;
        let (stream, _) = accepted.map_err(|_| io::Error::other("it did not begin"))??;
        Ok(Self {
            task,
            stream: BufReader::new(stream),
        })
    }

    /// Says a line.
    pub(super) async fn say(&mut self, what: &Json) -> io::Result<()> {
        let line = format!("{what}\n");
        self.stream.get_mut().write_all(line.as_bytes()).await
    }

    /// Hears the next line.
    pub(super) async fn hear(&mut self) -> io::Result<Map<String, Json>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::Error::other("it ended without a result"));
        }
        Ok(serde_json::from_str(&exact_integers(&line))?)
    }
}
