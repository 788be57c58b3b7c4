//! `rplay apply`: what a saved plan says, and nothing else.
//!
//! The plan is made anew first. Where it is another one, a host drifted or the playbook was changed:
//! that is told, path by path, and nothing is touched.

use std::io::Write;

use rplay_diag::Diagnostic;
use rplay_plan::{Difference, Key, Plan};
use serde_json::{Value, json};

use super::plan::{cannot_be_applied, unusable};
use super::request;
use super::work::{Work, go, material, told};
use crate::args::{ApplyArgs, PlaybookArgs};
use crate::exit::Exit;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::secrets;
use crate::setup::settled;
use crate::stop::Stop;

/// Applies a saved plan.
pub(crate) fn run(args: ApplyArgs) -> Exit {
    let run = request::fresh(&args);
    let (settings, screen) = match settled(Manner::Rplay, &run, false) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    let opened = || {
        let vault = secrets::given(&args.vault, &settings, false)?;
        open(&args, &vault)
    };
    match opened() {
        Ok((plan, key, run)) => go(run, settings, screen, |work| {
            let answers = request::opened(&plan.request, &key);
            work.answer(answers.map_err(|e| unusable(e.diagnostic()))?);
            carry_out(&work, &plan, &key)
        }),
        Err(stop) => told(&screen, Err(stop)),
    }
}

/// The plan, its key, and the command line that it was made with.
fn open(
    args: &ApplyArgs,
    vault: &[secrets::VaultSecret],
) -> Result<(Plan, Key, PlaybookArgs), Stop> {
    let shown = args.plan.display();
    let locked = rplay_plan::read(&args.plan).map_err(unusable)?;
    let key = Key::again(&locked.plan.key, &material(vault));
    let key = key.map_err(|e| unusable(e.diagnostic()))?;
    if !locked.is_sealed_by(&key) {
        let words = format!("the plan `{shown}` was changed by somebody who does not have its key");
        return Err(unusable(
            Diagnostic::error(words).help("make it anew with `rplay plan`"),
        ));
    }
    let plan = locked.plan;
    let run = request::again(&plan.request, &key, args);
    let run = run.map_err(|e| unusable(e.diagnostic()))?;
    if let Some(lost) = run.playbooks.iter().find(|path| !path.exists()) {
        let words = format!("the playbook `{}` is not there", lost.display());
        let help = format!("the plan was made in {}", plan.folder);
        return Err(Stop {
            exit: Exit::Missing,
            diagnostics: vec![Diagnostic::error(words).help(help)],
        });
    }
    Ok((plan, key, run))
}

/// Applies a plan, where it still fits.
///
/// # Errors
/// It does not fit, or the playbook is wrong.
pub(super) fn carry_out(work: &Work, plan: &Plan, key: &Key) -> Result<Exit, Stop> {
    if !plan.failed().is_empty() {
        return Err(Stop::because(Exit::Drifted, cannot_be_applied(plan)));
    }
    if plan.is_empty() {
        let _ = writeln!(std::io::stderr(), "the plan has nothing to do");
        return Ok(Exit::Ok);
    }
    let (misfits, exit) = work.misfits(plan, key)?;
    if exit != Exit::Ok {
        let failures = misfits.failures().into_iter();
        let lines: String = failures.map(|line| format!("{line}\n")).collect();
        let _ = write!(std::io::stderr(), "{lines}");
        let words = "the plan cannot be made any more: nothing was changed";
        return Err(Stop::because(exit, words));
    }
    if !misfits.found.is_empty() {
        tell(
            &misfits.found,
            "the plan does not fit any more: nothing was changed",
            work,
        );
        return Ok(Exit::Drifted);
    }
    let (made, exit) = work.apply(plan.request.clone(), key)?;
    let otherwise = misfits.of_what_was_made(plan, &made);
    if exit == Exit::Ok && !otherwise.is_empty() {
        tell(&otherwise, "not all was made as planned", work);
        return Ok(Exit::Drifted);
    }
    Ok(exit)
}

/// Tells what differs: on standard error, or as one JSON object.
fn tell(found: &[Difference], words: &str, work: &Work) {
    if matches!(work.screen, Screen::Json) {
        let one = |d: &Difference| -> Value {
            json!({
                "host": d.host, "target": d.target, "kind": d.kind.to_string(),
                "detail": d.detail, "task": d.task, "at": d.at,
            })
        };
        let all: Vec<Value> = found.iter().map(one).collect();
        let line = json!({ "event": "plan_misfit", "message": words, "differences": all });
        let _ = writeln!(std::io::stdout(), "{line}");
        return;
    }
    let line = |d: &Difference| {
        format!(
            "{}: {} {}: {} ({})\n",
            d.host, d.target, d.kind, d.detail, d.at
        )
    };
    let lines: String = found.iter().map(line).collect();
    let _ = write!(std::io::stderr(), "{lines}");
    let diagnostic = Diagnostic::error(words).help("`rplay plan` tells how it is now");
    work.screen.show(&diagnostic);
}
