//! `async` and `poll`: a module that goes on by itself on its host, and is asked how it is.

use std::sync::Arc;
use std::time::Duration;

use rplay_diag::Diagnostic;
use rplay_event::Event;
use rplay_playbook::Keyword;
use rplay_template::Vars;
use rplay_transport::Exchange;
use rplay_wire::{Job, Mode, Run as Request};
use serde_json::{Value as Json, json};

use crate::prepare::Place;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

/// Seconds between two questions where a task does not say.
const POLL: f64 = 15.0;

/// What a task asks for.
pub(crate) struct Wanted {
    job: Job,
    /// Seconds between two questions; none where nobody waits.
    poll: Option<Duration>,
}

/// Actions of Ansible's that cannot go on by themselves: a playbook written for both keeps to it.
const NOT_BY_ITSELF: [&str; 1] = ["script"];

impl Run {
    /// What a task ends with whose action cannot go on by itself though it is to.
    pub(crate) fn not_by_itself(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        module: &str,
    ) -> Option<TaskResult> {
        let node = context.task.keywords.get(Keyword::Async)?;
        let limit = text::number(&self.templar, node, vars).unwrap_or(0.0);
        (limit > 0.0 && NOT_BY_ITSELF.contains(&module)).then(|| {
            let words = format!("This action ({module}) does not support async.");
            TaskResult::failed(words)
        })
    }

    /// The job that a task asks for; none where it is to run as others do.
    ///
    /// # Errors
    /// A keyword that is no number, and files too large to leave on the host.
    pub(crate) fn job(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        request: &Request,
    ) -> Result<Option<Wanted>, Diagnostic> {
        let keywords = &context.task.keywords;
        let Some(node) = keywords.get(Keyword::Async) else {
            return Ok(None);
        };
        let limit = text::number(&self.templar, node, vars)?;
        if limit <= 0.0 || request.mode == Mode::Check {
            return Ok(None);
        }
        if request.blobs.iter().any(|blob| blob.inline.is_none()) {
            let words = "async cannot send large files along";
            return Err(Diagnostic::error(words)
                .at(&node.span)
                .help("copy the files in a task of its own first"));
        }
        let poll = match keywords.get(Keyword::Poll) {
            Some(node) => text::number(&self.templar, node, vars)?,
            None => POLL,
        };
        let number = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| d.subsec_nanos());
        let id = format!(
            "j{number:010}{:02}.{}",
            context.id % 100,
            std::process::id()
        );
        // Seconds of a task: small, and not below zero.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let limit = limit as u64;
        Ok(Some(Wanted {
            job: Job {
                id,
                limit,
                dir: self.async_dir(vars),
            },
            poll: (poll > 0.0).then(|| Duration::from_secs_f64(poll)),
        }))
    }

    /// The folder of jobs' reports on the host, where a variable names it.
    pub(crate) fn async_dir(&self, vars: &Arc<dyn Vars>) -> Option<String> {
        text::variable(&self.templar, vars, "ansible_async_dir")
    }

    /// Begins a job and waits for it, where that is wanted.
    pub(crate) async fn in_background(
        &self,
        context: &TaskContext,
        place: &Place,
        mut request: Request,
        wanted: Wanted,
        files: Arc<dyn Exchange>,
    ) -> TaskResult {
        let ask = |mode: &str| Request {
            module: "async_status".to_owned(),
            args: json!({ "jid": wanted.job.id, "mode": mode, "_async_dir": wanted.job.dir })
                .to_string(),
            blobs: vec![],
            job: None,
            ..request.clone()
        };
        let (status, cleanup) = (ask("status"), ask("cleanup"));
        let limit = wanted.job.limit;
        let id = wanted.job.id.clone();
        request.job = Some(wanted.job);
        let begun = self.send(context, place, request, files.clone()).await;
        let Some(poll) = wanted
            .poll
            .filter(|_| !begun.is_failed() && !begun.is_unreachable())
        else {
            return begun;
        };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(limit) + poll;
        loop {
            tokio::time::sleep(poll).await;
            let result = self
                .send(context, place, status.clone(), files.clone())
                .await;
            if result.data.get("finished") == Some(&Json::Bool(true)) {
                let _ = self.send(context, place, cleanup, files).await;
                return result;
            }
            if result.is_unreachable() {
                return result;
            }
            self.emit(Event::Polled {
                task: context.id,
                host: place.target.name.clone(),
                job: id.clone(),
            });
            if tokio::time::Instant::now() > deadline {
                let words =
                    format!("async task did not complete within the requested time - {limit}s");
                return TaskResult {
                    data: result.data,
                    ..TaskResult::failed(words)
                };
            }
        }
    }
}
