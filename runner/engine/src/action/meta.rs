//! Orders to the runner itself: flush handlers, end a host or the play.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use rplay_event::Event;
use rplay_playbook::Task;
use rplay_template::Vars;

use super::{Action, Call};
use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "meta",
        aliases: &[],
        summary: "Orders to the runner: flush handlers, end a host or the play",
        description: "Knows `flush_handlers`, `end_host`, `end_play`, `end_batch`, `end_role`, \
            `clear_facts`, `clear_host_errors`, `refresh_inventory`, `reset_connection`, `noop`.",
        free_form: Some("_raw_params"),
        examples: r#"
- meta: flush_handlers
- meta: end_host
  when: already_done
"#,
        returns: &[],
    },
    spec: MetaArgs::spec,
    run,
};

/// Arguments of `meta`.
#[derive(Args)]
#[allow(dead_code)]
struct MetaArgs {
    /// The order.
    _raw_params: String,
}

// The walk carries the orders out: they are about the play, not about a host.
fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    let words = Diagnostic::error("`meta` cannot loop").at(&call.context.task.action.span);
    ready(call.run.failure(&words)).boxed()
}

/// What a `meta` task did, or why it did not.
enum Done {
    /// In words, as Ansible says it.
    So(String),
    /// Its condition was false, which means this.
    Skipped(String),
}

impl Run {
    /// Carries out a `meta` task.
    pub(crate) async fn meta(
        self: &Arc<Self>,
        task: &Arc<Task>,
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
    ) {
        let text = task
            .action
            .text
            .as_ref()
            .or_else(|| task.action.args.get("_raw_params"));
        let order = text.and_then(|n| n.as_str()).unwrap_or_default();
        let context = &frame.context;
        let taking_part = |h: &&Arc<HostRun>| h.is_active() || order == "clear_host_errors";
        let hosts: Vec<&Arc<HostRun>> = hosts.iter().filter(taking_part).collect();
        let Some(first) = hosts.first() else { return };
        let told = self.announce(task, frame, std::slice::from_ref(first), handler);
        match order {
            "flush_handlers" => {
                if self.meant(task, first, frame) == Some(true) {
                    self.flush_handlers(context).await;
                }
            }
            "end_host" | "end_role" => {
                for host in &hosts {
                    let done = self.leave(task, host, frame, order);
                    self.say(&told, host, done);
                }
            }
            "noop" => self.note("noop".to_owned()),
            "reset_connection" => self.note("reset connection".to_owned()),
            "end_play" | "end_batch" | "clear_facts" | "clear_host_errors"
            | "refresh_inventory" => {
                let done = match self.meant(task, first, frame) {
                    None => return,
                    Some(true) => Done::So(self.order_all(order, frame)),
                    Some(false) => Done::Skipped(format!(
                        "{order} conditional evaluated to False, not executing {order}"
                    )),
                };
                self.say(&told, first, done);
            }
            other => {
                let words = format!("`meta` knows no order `{other}`");
                let span = text.map_or(&task.action.span, |n| &n.span);
                self.warn(
                    &Diagnostic::error(words)
                        .at(span)
                        .help("`rplay doc meta` lists them"),
                );
                hosts.iter().for_each(|h| h.set_standing(Standing::Failed));
            }
        }
    }

    /// One host leaves the play or the role.
    fn leave(&self, task: &Arc<Task>, host: &Arc<HostRun>, frame: &Frame, order: &str) -> Done {
        let name = &host.name;
        if self.meant(task, host, frame) != Some(true) {
            return Done::Skipped(format!(
                "{order} conditional evaluated to False, continuing execution for {name}"
            ));
        }
        if order == "end_host" {
            host.set_standing(Standing::Ended);
            return Done::So(format!("ending play for {name}"));
        }
        host.set_standing(Standing::LeftRole);
        let role = frame.roles().next().map_or("?", |role| role.name.as_str());
        Done::So(format!("ending role {role} for {name}"))
    }

    /// An order that is about all hosts of the batch.
    fn order_all(&self, order: &str, frame: &Frame) -> String {
        let context = &frame.context;
        match order {
            "end_play" | "end_batch" => {
                for host in context.batch.iter().filter(|h| h.is_active()) {
                    host.set_standing(Standing::Ended);
                }
                if order == "end_batch" {
                    return "ending batch".to_owned();
                }
                context.stop();
                "ending play".to_owned()
            }
            "clear_facts" => {
                for host in &context.batch {
                    self.store
                        .update(&host.name, rplay_vars::HostVars::clear_facts);
                }
                "facts cleared".to_owned()
            }
            "clear_host_errors" => {
                context.batch.iter().for_each(|host| host.clear_errors());
                "cleared host errors".to_owned()
            }
            _ => match (self.reload)() {
                Ok(inventory) => {
                    self.store.refresh(inventory);
                    "inventory successfully refreshed".to_owned()
                }
                Err(diagnostics) => {
                    diagnostics.iter().for_each(|d| self.warn(d));
                    "inventory could not be refreshed".to_owned()
                }
            },
        }
    }

    /// Tells of an order that was carried out.
    pub(crate) fn note(&self, text: String) {
        self.emit(Event::Note {
            text: format!("META: {text}"),
        });
    }

    fn say(&self, context: &TaskContext, host: &HostRun, done: Done) {
        match done {
            Done::So(text) => self.note(text),
            Done::Skipped(text) => {
                self.note(text.clone());
                let msg = text.replace("False", "false");
                let result = TaskResult::skipped(text).with("msg", msg);
                let ended = self.ended(context, &host.name, None, &result, false, 0);
                self.emit(Event::HostEnded(ended));
            }
        }
    }

    /// Whether the conditions hold; none where they cannot be told, which fails the host.
    fn meant(&self, task: &Arc<Task>, host: &HostRun, frame: &Frame) -> Option<bool> {
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&host.name, Some(task), frame));
        for node in frame.all(Some(task), rplay_playbook::Keyword::When) {
            match self.templar.condition(node, &vars) {
                Ok(rplay_template::Decision::True) => {}
                Ok(_) => return Some(false),
                Err(diagnostic) => {
                    self.warn(&diagnostic);
                    host.state().recap.failed += 1;
                    host.set_standing(Standing::Failed);
                    return None;
                }
            }
        }
        Some(true)
    }
}
