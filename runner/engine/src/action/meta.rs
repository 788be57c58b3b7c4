//! Orders to the runner itself: flush handlers, end a host or the play.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use rplay_playbook::Task;
use rplay_template::Vars;

use super::{Action, Call};
use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::result::TaskResult;
use crate::run::Run;

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

impl Run {
    /// Carries out a `meta` task.
    pub(crate) async fn meta(
        self: &Arc<Self>,
        task: &Arc<Task>,
        hosts: &[Arc<HostRun>],
        frame: &Frame,
    ) {
        let text = task
            .action
            .text
            .as_ref()
            .or_else(|| task.action.args.get("_raw_params"));
        let order = text.and_then(|n| n.as_str()).unwrap_or_default();
        let context = &frame.context;
        if order == "flush_handlers" {
            return self.flush_handlers(context).await;
        }
        let chosen: Vec<&Arc<HostRun>> = hosts
            .iter()
            .filter(|h| h.is_active() || order == "clear_host_errors")
            .filter(|h| self.meant(task, h, frame))
            .collect();
        match order {
            "end_host" => chosen.iter().for_each(|h| h.set_standing(Standing::Ended)),
            "end_play" | "end_batch" if !chosen.is_empty() => {
                for host in context.batch.iter().filter(|h| h.is_active()) {
                    host.set_standing(Standing::Ended);
                }
                if order == "end_play" {
                    context.stop();
                }
            }
            "clear_facts" => {
                chosen.iter().for_each(|h| {
                    self.store
                        .update(&h.name, rplay_vars::HostVars::clear_facts)
                });
            }
            "clear_host_errors" => {
                chosen
                    .iter()
                    .filter(|h| h.is_lost())
                    .for_each(|h| h.set_standing(Standing::Active));
            }
            "noop" | "refresh_inventory" | "reset_connection" | "end_play" | "end_batch" => {}
            other => {
                let words = format!("`meta` knows no order `{other}`");
                let span = text.map_or(&task.action.span, |n| &n.span);
                self.warn(
                    &Diagnostic::error(words)
                        .at(span)
                        .help("`rplay doc meta` lists them"),
                );
                chosen.iter().for_each(|h| h.set_standing(Standing::Failed));
            }
        }
    }

    fn meant(&self, task: &Arc<Task>, host: &HostRun, frame: &Frame) -> bool {
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&host.name, Some(task), frame));
        let conditions = frame.all(Some(task), rplay_playbook::Keyword::When);
        conditions
            .into_iter()
            .all(|node| self.templar.condition(node, &vars) == Ok(rplay_template::Decision::True))
    }
}
