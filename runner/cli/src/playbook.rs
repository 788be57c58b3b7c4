//! Runs playbooks, or says what is in them.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Severity};
use rplay_engine::{Listing, Options, TagSelection};
use rplay_playbook::Disk;

use crate::args::{PlaybookArgs, ReviewArgs};
use crate::exit::Exit;
use crate::manner::Manner;
use crate::setup::{Named, Session, settled};
use crate::stop::Stop;
use crate::tally::Tally;

/// Runs the playbooks of the command line.
pub(crate) fn run(manner: Manner, args: &PlaybookArgs, review: &ReviewArgs) -> Exit {
    let (settings, screen) = match settled(manner, &args.run, false) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    let shown = screen.clone();
    let ended = missing(manner, &args.playbooks)
        .and_then(|()| {
            let beside = folders(&args.playbooks);
            Session::new(manner, &args.run, settings, screen, Arc::new(Disk), &beside)
        })
        .and_then(|session| carried_out(args, review, session));
    ended.unwrap_or_else(|stop| {
        stop.diagnostics
            .iter()
            .for_each(|diagnostic| shown.show(diagnostic));
        stop.exit
    })
}

/// A playbook that is not there is no mistake in a playbook.
pub(crate) fn missing(manner: Manner, playbooks: &[PathBuf]) -> Result<(), Stop> {
    let Some(path) = playbooks.iter().find(|path| !path.exists()) else {
        return Ok(());
    };
    let path = path.display();
    let words = match manner.is_ansible() {
        true => format!("the playbook: {path} could not be found"),
        false => format!("the playbook `{path}` is not there"),
    };
    Err(Stop::because(Exit::Missing, words))
}

fn carried_out(args: &PlaybookArgs, review: &ReviewArgs, session: Session) -> Result<Exit, Stop> {
    let plays = load(args, &session)?;
    if args.syntax_check {
        for (name, _) in &plays {
            let _ = writeln!(std::io::stdout(), "\nplaybook: {name}");
        }
        return Ok(Exit::Ok);
    }
    let listing = Listing {
        hosts: args.run.list_hosts,
        tasks: args.list_tasks,
        tags: args.list_tags,
    };
    if listing.hosts || listing.tasks || listing.tags {
        let options = options(args, &session)?;
        let options = Options {
            tags: listed(options.tags, listing),
            ..options
        };
        let run = session
            .clone()
            .ready(session.screen.sink(), options, &plays)?;
        for (name, plays) in plays {
            let text = run.list(&name, plays, listing).map_err(Stop::parse)?;
            let _ = write!(std::io::stdout(), "{text}");
        }
        return Ok(Exit::Ok);
    }
    let options = Options {
        shows_results: session.screen.shows_results(),
        ..options(args, &session)?
    };
    if !review.detailed_exitcode {
        return session.run(options, plays);
    }
    let tally = Arc::new(Tally::before(session.screen.sink()));
    let exit = session.run_to(tally.clone(), options, plays)?;
    Ok(exit.detailed(tally.has_changed()))
}

/// What the engine is asked to do.
pub(crate) fn options(args: &PlaybookArgs, session: &Session) -> Result<Options, Stop> {
    let tags = tags(args, session);
    let mut options = crate::options::options(&args.run, &session.settings, tags)?;
    options.start_at.clone_from(&args.start_at_task);
    options.step = args.step;
    options.force_handlers |= args.force_handlers;
    Ok(options)
}

fn tags(args: &PlaybookArgs, session: &Session) -> TagSelection {
    let or = |given: &Vec<String>, set: &Option<Vec<String>>| match given.is_empty() {
        true => set.clone().unwrap_or_default(),
        false => given.clone(),
    };
    TagSelection {
        run: or(&args.tags, &session.settings.run_tags),
        skip: or(&args.skip_tags, &session.settings.skip_tags),
    }
}

/// Tags that nobody chose from are all listed, those of tasks that run only by name among them.
fn listed(tags: TagSelection, listing: Listing) -> TagSelection {
    if !listing.tags || !tags.run.is_empty() || !tags.skip.is_empty() {
        return tags;
    }
    let run = ["all", "never"].map(str::to_owned).to_vec();
    TagSelection { run, ..tags }
}

pub(crate) fn load(args: &PlaybookArgs, session: &Session) -> Result<Vec<Named>, Stop> {
    let mut all = vec![];
    let mut problems: Vec<Diagnostic> = vec![];
    for path in &args.playbooks {
        match session.plays(path) {
            Ok(named) => all.push(named),
            Err(found) => problems.extend(found),
        }
    }
    if problems.iter().any(|d| d.severity == Severity::Error) {
        return Err(Stop {
            exit: match session.files.has_sealed() {
                true => Exit::Error,
                false => Exit::Parse,
            },
            diagnostics: problems,
        });
    }
    Ok(all)
}

/// The folders that playbooks are in.
pub(crate) fn folders(playbooks: &[PathBuf]) -> Vec<PathBuf> {
    let folder = |path: &PathBuf| match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
        _ => PathBuf::from("."),
    };
    playbooks.iter().map(folder).collect()
}
