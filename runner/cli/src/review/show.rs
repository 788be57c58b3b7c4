//! `rplay show`: a saved plan, as text, JSON or a page.

use std::io::Write;

use crate::args::{RunArgs, ShowArgs};
use crate::exit::Exit;
use crate::manner::Manner;
use crate::setup::settled;
use crate::stop::Stop;

use super::plan::as_json;
use super::work::told;

/// Shows a plan.
pub(crate) fn run(args: &ShowArgs) -> Exit {
    let (_, screen) = match settled(Manner::Rplay, &RunArgs::default(), false) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    let shown = rplay_plan::read(&args.plan).map(|locked| match (args.json, args.html) {
        (true, _) => format!("{}\n", as_json(&locked.plan)),
        (_, true) => rplay_report::as_html(&locked.plan),
        _ => rplay_report::as_text(&locked.plan, &screen.look()),
    });
    let ended = shown.map(|text| {
        let _ = std::io::stdout().write_all(text.as_bytes());
        Exit::Ok
    });
    told(&screen, ended.map_err(Stop::parse))
}
