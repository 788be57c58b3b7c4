//! What goes between a task and its module while that runs: files in both directions, and progress.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_event::{Event, TaskId};
use rplay_transport::Exchange;
use rplay_wire::{Mode, Run as Request};
use serde_json::{Map, Value as Json};

use crate::fetch::Fetch;
use crate::host_run::HostRun;
use crate::run::Run;
use crate::task::TaskContext;

/// Where a `fetch` keeps what it brings.
pub(crate) fn fetching(
    context: &TaskContext,
    host: &HostRun,
    request: &Request,
    args: &Map<String, Json>,
) -> Result<Option<Fetch>, Diagnostic> {
    if request.module != "fetch" {
        return Ok(None);
    }
    let dir = &context.frame.context.play.dir;
    let check = request.mode != Mode::Apply;
    Fetch::new(args, dir, &host.name, check)
        .map(Some)
        .map_err(|why| {
            let action = &context.task.action;
            let span = action.args.get("dest").map_or(&action.span, |n| &n.span);
            Diagnostic::error(why).at(span)
        })
}

/// The files that a request pulls, and its progress.
pub(crate) struct Files {
    pub run: Arc<Run>,
    pub task: TaskId,
    pub host: String,
    pub paths: Vec<Option<PathBuf>>,
    /// Takes what the module sends.
    pub fetch: Option<Arc<Fetch>>,
}

impl Exchange for Files {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        let path = self.paths.get(blob as usize).and_then(Option::as_ref);
        let path = path.ok_or_else(|| io::Error::other("the task has no such file"))?;
        Ok(Box::new(File::open(path)?))
    }

    fn push(&self, data: &[u8]) -> io::Result<()> {
        match &self.fetch {
            Some(fetch) => fetch.push(data),
            None => Err(io::Error::other("the task wants no file")),
        }
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        let host = self.host.clone();
        self.run.emit(Event::Progress {
            task: self.task,
            host,
            done,
            total,
        });
    }
}
