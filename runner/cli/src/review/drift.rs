//! `rplay drift`: whether hosts are still as a playbook wants them.

use std::io::Write;

use rplay_plan::{Entry, Key, Plan, Step};
use serde_json::{Value, json};

use super::request;
use super::work::{Aloud, begin};
use crate::args::PlaybookArgs;
use crate::exit::Exit;
use crate::screen::Screen;

/// The version of the JSON.
const VERSION: u32 = 1;

/// Looks, changes nothing, and ends with 2 where something drifted.
pub(crate) fn run(args: PlaybookArgs) -> Exit {
    begin(args, |work| {
        let key = Key::passing();
        let (plan, exit) = work.plan(request::of(&work.args, &key), &key, Aloud::Yes)?;
        if exit.is_broken() {
            return Ok(exit);
        }
        let text = match &work.screen {
            Screen::Json => format!("{}\n", report(&plan)),
            screen => rplay_report::as_text(&plan, &screen.look()),
        };
        let _ = write!(std::io::stdout(), "{text}");
        Ok(exit.detailed(plan.changes_something()))
    })
}

/// One JSON object, for monitoring.
fn report(plan: &Plan) -> Value {
    let one = |(step, entry): (&Step, &Entry)| -> Vec<Value> {
        let change = |planned: &rplay_plan::Planned| {
            json!({
                "host": entry.host, "target": planned.target(), "task": step.name, "at": step.at,
                "item": entry.item, "change": planned.shown,
            })
        };
        entry.changes.iter().map(change).collect()
    };
    let drift: Vec<Value> = plan.entries().flat_map(one).collect();
    json!({
        "version": VERSION,
        "made": plan.made,
        "playbooks": plan.request.playbooks,
        "drifted": plan.changes_something(),
        "changes": plan.changes(),
        "undecided": plan.undecided(),
        "failed": plan.failed(),
        "hosts": plan.recap,
        "drift": drift,
    })
}
