//! Waits for a time, or for a key.

use std::io::{BufRead, IsTerminal};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rplay_api::{Args, Doc};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
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
    let (begun, since) = (Timestamp::now(), Instant::now());
    let told = |typed: &str, delta: f64| {
        let time = |at: Timestamp| {
            let local = at.to_zoned_datetime(TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
        };
        // Whole seconds are shown to a tenth, minutes as they were asked for.
        let (number, unit) = match (args.minutes, args.seconds) {
            (Some(minutes), None) => (minutes, "minutes"),
            _ => (delta, "seconds"),
        };
        TaskResult::done(false, Map::new())
            .with("start", time(begun))
            .with("stop", time(Timestamp::now()))
            .with("delta", since.elapsed().as_secs())
            .with("echo", args.echo)
            .with("user_input", typed)
            .with("rc", 0)
            .with("stderr", "")
            .with("stdout", format!("Paused for {number:?} {unit}"))
    };
    let seconds = args.seconds.or(args.minutes.map(|m| m * 60.0));
    if let Some(seconds) = seconds {
        tokio::time::sleep(Duration::from_secs_f64(seconds.max(0.0))).await;
        return Ok(told("", seconds));
    }
    if !std::io::stdin().is_terminal() {
        call.run
            .note_warning("Not waiting for response to prompt as stdin is not interactive");
        return Ok(told("", 0.0));
    }
    call.run.note_warning(
        &args
            .prompt
            .clone()
            .unwrap_or_else(|| "press Return to go on".to_owned()),
    );
    let echo = args.echo;
    let read = tokio::task::spawn_blocking(move || {
        let stdin = std::io::stdin();
        let shown = (!echo).then(|| hide(&stdin)).flatten();
        let mut line = String::new();
        let read = stdin.lock().read_line(&mut line).map(|_| line);
        if let Some(shown) = shown {
            // Where the terminal is gone there is nothing to put back.
            let _ = tcsetattr(&stdin, OptionalActions::Now, &shown);
        }
        read
    });
    let line = read.await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(told(line.trim_end(), since.elapsed().as_secs_f64()))
}

/// Keeps a terminal from showing what is typed; how it was before.
fn hide(stdin: &std::io::Stdin) -> Option<Termios> {
    let shown = tcgetattr(stdin).ok()?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(stdin, OptionalActions::Now, &hidden).ok()?;
    Some(shown)
}
