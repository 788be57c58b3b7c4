//! Waits for a time, or for a key.

use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use rplay_api::{Args, Doc};
use serde_json::Map;

use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "pause",
        aliases: &[],
        summary: "Waits for a time, or for a key",
        description: "Without a time it waits for the Return key, where there is a terminal.",
        free_form: None,
        examples: r#"
- pause:
    seconds: 5
- pause:
    prompt: look at the load balancer, then press Return
"#,
        returns: &[],
    },
    spec: PauseArgs::spec,
    run,
};

/// Arguments of `pause`.
#[derive(Args)]
struct PauseArgs {
    /// How long, in minutes.
    minutes: Option<f64>,
    /// How long, in seconds.
    seconds: Option<f64>,
    /// What to say.
    prompt: Option<String>,
    /// Show what is typed.
    #[arg(default = true)]
    echo: bool,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move { settled(wait(call).await) }.boxed()
}

async fn wait(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: PauseArgs = call.args()?;
    let _ = args.echo;
    let seconds = args.seconds.or(args.minutes.map(|m| m * 60.0));
    if let Some(seconds) = seconds {
        tokio::time::sleep(Duration::from_secs_f64(seconds.max(0.0))).await;
        return Ok(TaskResult::done(false, Map::new()).with("delta", seconds));
    }
    if !std::io::stdin().is_terminal() {
        call.run
            .note_warning("`pause` waits for nobody: standard input is no terminal");
        return Ok(TaskResult::done(false, Map::new()).with("user_input", ""));
    }
    call.run.note_warning(
        &args
            .prompt
            .unwrap_or_else(|| "press Return to go on".to_owned()),
    );
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = read.await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(TaskResult::done(false, Map::new()).with("user_input", line.trim_end()))
}
