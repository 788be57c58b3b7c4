//! `rplay PLAYBOOK --ask`: plan, show, ask, apply in one go.

use rplay_plan::Key;

use super::work::{Aloud, begin};
use super::{apply, plan, request};
use crate::args::PlaybookArgs;
use crate::ask;
use crate::exit::Exit;
use crate::stop::Stop;

/// Plans, asks, and applies.
pub(crate) fn run(args: PlaybookArgs, detailed: bool) -> Exit {
    begin(args, |work| {
        let key = Key::passing();
        let (plan, exit) = work.plan(request::of(&work.args, &key), &key, Aloud::Yes)?;
        if exit.is_broken() {
            return Ok(exit);
        }
        plan::show(&plan, &work);
        if exit != Exit::Ok || plan.is_empty() {
            return Ok(if detailed { exit.detailed(false) } else { exit });
        }
        match ask::line("Do exactly this? Only `yes` is taken for yes") {
            Some(answer) if answer.trim() == "yes" => {}
            Some(_) => return Err(Stop::error("nothing was changed")),
            None => {
                let words =
                    "--ask needs a terminal: use `rplay plan -o FILE` and `rplay apply FILE`";
                return Err(Stop::error(words));
            }
        }
        let exit = apply::carry_out(&work, &plan, &key)?;
        Ok(if detailed {
            exit.detailed(plan.changes_something())
        } else {
            exit
        })
    })
}
