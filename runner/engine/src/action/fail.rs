//! Fails with a message.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};

use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "fail",
        aliases: &[],
        summary: "Fails with a message",
        description: "",
        free_form: None,
        examples: r#"
- fail:
    msg: this system is not supported
  when: ansible_facts.system != 'Linux'
"#,
        returns: &[],
    },
    spec: FailArgs::spec,
    run,
};

/// Arguments of `fail`.
#[derive(Args)]
struct FailArgs {
    /// What to say.
    #[arg(default = "Failed as requested from task")]
    msg: String,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    let end = |call: Call<'_>| {
        let args: FailArgs = call.args()?;
        Ok(TaskResult::failed(args.msg))
    };
    ready(settled(end(call))).boxed()
}
