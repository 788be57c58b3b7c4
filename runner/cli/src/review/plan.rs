//! `rplay plan`: what a run would change, shown and saved.

use std::io::Write;

use rplay_diag::Diagnostic;
use rplay_plan::{FORMAT, Key, Plan};
use serde_json::{Value, json};

use super::request;
use super::work::{Aloud, Work, begin};
use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::stop::Stop;

/// Makes a plan.
pub(crate) fn run(args: PlanArgs) -> Exit {
    let PlanArgs {
        output,
        detailed_exitcode,
        run,
    } = args;
    begin(run, |work| {
        let key = match &output {
            Some(_) => Key::new(&work.material()).map_err(|e| Stop {
                exit: Exit::Error,
                diagnostics: vec![e.diagnostic()],
            })?,
            None => Key::passing(),
        };
        let (plan, exit) = work.plan(request::of(&work.args, &key), &key, Aloud::Yes)?;
        if exit.is_broken() {
            return Ok(exit);
        }
        show(&plan, &work);
        // What was interrupted is no plan.
        if let Some(path) = output.filter(|_| exit != Exit::Interrupted) {
            rplay_plan::write(&plan, &key, &path).map_err(|d| Stop {
                exit: Exit::Error,
                diagnostics: vec![d],
            })?;
            let words = match plan.failed().is_empty() {
                true => format!("saved: `rplay apply {}` does this", path.display()),
                false => format!("saved, to be looked at only: {}", cannot_be_applied(&plan)),
            };
            let _ = writeln!(std::io::stderr(), "{words}");
        }
        Ok(match detailed_exitcode {
            true => exit.detailed(plan.changes_something()),
            false => exit,
        })
    })
}

/// Why a plan with failures in it is not to be applied.
pub(super) fn cannot_be_applied(plan: &Plan) -> String {
    let hosts = plan.failed().join(", ");
    format!("the plan is not whole, for it failed on {hosts}; --limit leaves hosts out")
}

/// Shows a plan as the command line asks for it.
pub(super) fn show(plan: &Plan, work: &Work) {
    let text = match &work.screen {
        Screen::Json => format!("{}\n", as_json(plan)),
        screen => rplay_report::as_text(plan, &screen.look()),
    };
    let _ = write!(std::io::stdout(), "{text}");
}

/// A plan as JSON: its format first.
pub(super) fn as_json(plan: &Plan) -> String {
    let mut all = json!({ "rplay_plan": FORMAT });
    if let (Value::Object(all), Ok(Value::Object(plan))) = (&mut all, serde_json::to_value(plan)) {
        all.extend(plan);
    }
    serde_json::to_string_pretty(&all).unwrap_or_default()
}

/// A wrong plan, or one that cannot be opened.
pub(super) fn unusable(diagnostic: Diagnostic) -> Stop {
    Stop::parse(diagnostic)
}
