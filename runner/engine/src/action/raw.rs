//! Runs a command line in the login shell, without the agent.

use futures::future::{BoxFuture, FutureExt};
use rplay_api::{Args, Doc};
use serde_json::Map;

use super::{Action, Call, settled};
use crate::result::{Ending, TaskResult};

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "raw",
        aliases: &[],
        summary: "Runs a command line in the login shell, without the agent",
        description: "For hosts that the agent cannot run on. In a dry run it is not run.",
        free_form: Some("_raw_params"),
        examples: r#"
- raw: uptime
"#,
        returns: &[],
    },
    spec: RawArgs::spec,
    run,
};

/// Arguments of `raw`.
#[derive(Args)]
struct RawArgs {
    /// The command line.
    _raw_params: String,
    /// The shell to run it with.
    executable: Option<String>,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move { settled(send(call).await) }.boxed()
}

async fn send(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: RawArgs = call.args()?;
    if call.run.keyword_is(
        rplay_playbook::Keyword::CheckMode,
        call.host,
        call.context,
        call.run.options.check,
    ) {
        return Err(TaskResult::unknown(vec![call.context.origin.clone()]));
    }
    let place = call
        .run
        .place(call.context, call.host, call.vars)
        .map_err(|d| call.run.failure(&d))?;
    let command = match args.executable {
        Some(shell) => format!("{shell} -c '{}'", args._raw_params.replace('\'', r"'\''")),
        None => args._raw_params,
    };
    let lost = |e: rplay_transport::ConnectError| call.run.no_agent(call.context, &e);
    let link = call.run.links.link(&place.target).await.map_err(lost)?;
    let ran = match &place.become_ {
        None => link.connection.exec(&command, None, false).await,
        Some(other) => link.connection.exec_as(other, &command, None, false).await,
    };
    let ran = ran.map_err(lost)?;
    let mut result = TaskResult::done(true, Map::new())
        .with("rc", ran.rc)
        .with("stdout", String::from_utf8_lossy(&ran.stdout).into_owned())
        .with("stderr", String::from_utf8_lossy(&ran.stderr).into_owned());
    if ran.rc != 0 {
        result.end = Ending::Failed("non-zero return code".to_owned());
    }
    Ok(result)
}
