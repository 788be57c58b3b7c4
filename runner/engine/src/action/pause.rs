//! Waits for a time, or for a key.

use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use serde_json::{Map, Value as Json};

use super::keys::{self, Typed};
use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "pause",
        aliases: &[],
        summary: "Waits for a time, or for a key",
        description: "Without a time it waits for the Return key, where there is a terminal. Ctrl-C asks \
            whether to go on or to give up.",
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
    minutes: Option<Json>,
    /// How long, in seconds.
    seconds: Option<Json>,
    /// What to say.
    prompt: Option<String>,
    /// Show what is typed.
    #[arg(default = true)]
    echo: bool,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move { settled(pause(call).await) }.boxed()
}

async fn pause(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: PauseArgs = call.args()?;
    let span = &call.context.task.action.span;
    let wrong = |words: String| call.run.failure(&Diagnostic::error(words).at(span));
    let length = Length::of(&args).map_err(wrong)?;
    let (begun, since) = (Timestamp::now(), Instant::now());
    let told = |typed: &str| {
        let time = |at: Timestamp| {
            let local = at.to_zoned_datetime(TimeZone::system());
            local.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
        };
        // Whole seconds are shown to a tenth, minutes as they were asked for.
        let (number, unit) = match &length {
            Some(Length {
                minutes: Some(minutes),
                ..
            }) => (*minutes, "minutes"),
            Some(length) => (length.seconds, "seconds"),
            None => (since.elapsed().as_secs_f64(), "seconds"),
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
    let until = length.as_ref().map(|length| since + length.time());
    let manned = keys::is_manned();
    if let Some(length) = &length {
        call.run
            .operator
            .tell(&format!("Pausing for {} seconds", length.seconds));
        if manned {
            let words = "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)";
            call.run.operator.tell(words);
        }
    }
    if length.is_none() || args.prompt.is_some() {
        call.run.operator.tell(&prompt(&args, &call));
    }
    let typed = match (manned, length) {
        (true, _) => {
            let echo = args.echo;
            let waited = tokio::task::spawn_blocking(move || keys::wait(until, echo)).await;
            match waited {
                Ok(Ok(typed)) => typed,
                // The terminal went away: nobody answers any more.
                _ => Typed::GoOn,
            }
        }
        (false, Some(length)) => {
            tokio::time::sleep(length.time()).await;
            Typed::TimeUp
        }
        (false, None) => {
            let words = "Not waiting for response to prompt as stdin is not interactive";
            call.run.note_warning(words);
            Typed::GoOn
        }
    };
    match typed {
        Typed::Line(line) => Ok(told(&line)),
        Typed::TimeUp | Typed::GoOn => Ok(told("")),
        Typed::Abort => Err(TaskResult::failed("user requested abort!")),
    }
}

/// How long to wait.
#[derive(Clone, Copy)]
struct Length {
    seconds: f64,
    /// Where it was given in minutes.
    minutes: Option<f64>,
}

impl Length {
    fn of(args: &PauseArgs) -> Result<Option<Self>, String> {
        match (&args.minutes, &args.seconds) {
            (Some(_), Some(_)) => {
                Err("parameters are mutually exclusive: minutes|seconds".to_owned())
            }
            (None, None) => Ok(None),
            (Some(minutes), None) => {
                let minutes = number("minutes", minutes)?;
                Ok(Some(Self {
                    seconds: minutes * 60.0,
                    minutes: Some(minutes),
                }))
            }
            (None, Some(seconds)) => {
                let seconds = number("seconds", seconds)?;
                Ok(Some(Self {
                    seconds,
                    minutes: None,
                }))
            }
        }
    }

    fn time(self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or_default()
    }
}

fn number(name: &str, value: &Json) -> Result<f64, String> {
    let number = match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let words = || format!("argument '{name}' is no number: unable to convert to int: `{value}`");
    number.ok_or_else(words)
}

/// What is asked, under the task's name.
fn prompt(args: &PauseArgs, call: &Call<'_>) -> String {
    let usual = "Press enter to continue, Ctrl+C to interrupt";
    let words = args.prompt.as_deref().unwrap_or(usual);
    let hidden = if args.echo { "" } else { " (output is hidden)" };
    let name = call.context.task.name().and_then(|name| name.as_str());
    format!("[{}]\n{words}{hidden}:", name.unwrap_or("pause"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(minutes: Option<Json>, seconds: Option<Json>) -> Result<Option<f64>, String> {
        let args = PauseArgs {
            minutes,
            seconds,
            prompt: None,
            echo: true,
        };
        Length::of(&args).map(|length| length.map(|l| l.seconds))
    }

    #[test]
    fn a_time_is_given_in_one_unit() {
        assert_eq!(length(Some(2.into()), None), Ok(Some(120.0)));
        assert_eq!(length(None, Some("0.5".into())), Ok(Some(0.5)));
        assert_eq!(length(None, None), Ok(None));
        let both = length(Some(1.into()), Some(1.into())).unwrap_err();
        assert_eq!(both, "parameters are mutually exclusive: minutes|seconds");
        let word = length(None, Some("hello".into())).unwrap_err();
        assert!(word.contains("unable to convert to int"), "{word}");
    }
}
