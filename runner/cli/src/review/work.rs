//! A run that may be made more than once: dry to make a plan, dry again to compare, and for real.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_engine::{Fingerprint, Options};
use rplay_event::{Event, Sink};
use rplay_plan::{
    Difference, End, Entry, Key, Material, Plan, Recorder, Request, Step, differences,
    without_chance,
};
use rplay_playbook::Disk;

use super::request;
use crate::args::PlaybookArgs;
use crate::config::Settings;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::playbook;
use crate::screen::Screen;
use crate::secrets::VaultSecret;
use crate::setup::{Session, settled};
use crate::stop::Stop;

/// Everything for the run.
pub(super) struct Work {
    pub(super) args: PlaybookArgs,
    pub(super) screen: Screen,
    session: Session,
    options: Options,
}

/// What is heard of a dry run while it is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aloud {
    /// Warnings; with `-v` everything.
    Yes,
    /// Nothing: it was told before.
    No,
}

/// Runs a command of this kind: what stops it is shown.
pub(super) fn begin(args: PlaybookArgs, then: impl FnOnce(Work) -> Result<Exit, Stop>) -> Exit {
    let (settings, screen) = match settled(Manner::Rplay, &args.run, false) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    go(args, settings, screen, then)
}

/// As [`begin`], where the settings are known.
pub(super) fn go(
    args: PlaybookArgs,
    settings: Settings,
    screen: Screen,
    then: impl FnOnce(Work) -> Result<Exit, Stop>,
) -> Exit {
    let shown = screen.clone();
    told(&shown, Work::new(args, settings, screen).and_then(then))
}

/// The exit of what was done, or of why it was not, which is shown.
pub(super) fn told(screen: &Screen, ended: Result<Exit, Stop>) -> Exit {
    ended.unwrap_or_else(|stop| {
        stop.diagnostics.iter().for_each(|d| screen.show(d));
        stop.exit
    })
}

impl Work {
    fn new(args: PlaybookArgs, settings: Settings, screen: Screen) -> Result<Self, Stop> {
        let lists = args.list_tasks || args.list_tags || args.run.list_hosts;
        if lists || args.syntax_check || args.step {
            let words = "a plan is made by a dry run: it takes no --list-tasks, --list-tags, \
                         --list-hosts, --syntax-check or --step";
            return Err(Stop::because(Exit::Options, words));
        }
        playbook::missing(Manner::Rplay, &args.playbooks)?;
        let beside = playbook::folders(&args.playbooks);
        let files = Arc::new(Disk);
        let session = Session::new(
            Manner::Rplay,
            &args.run,
            settings,
            screen.clone(),
            files,
            &beside,
        )?;
        let options = playbook::options(&args, &session)?;
        Ok(Self {
            args,
            screen,
            session,
            options,
        })
    }

    /// What a plan's key can be made of.
    pub(super) fn material(&self) -> Material {
        material(&self.session.vault)
    }

    /// The plan of now, and how the dry run ended.
    ///
    /// # Errors
    /// A playbook that is wrong.
    pub(super) fn plan(
        &self,
        request: Request,
        key: &Key,
        aloud: Aloud,
    ) -> Result<(Plan, Exit), Stop> {
        let recorder = Arc::new(Recorder::default());
        let loud = self.options.verbosity > 0 && !matches!(self.screen, Screen::Json);
        let shown: Option<Arc<dyn Sink>> = match aloud {
            Aloud::Yes if loud => Some(self.screen.sink()),
            Aloud::Yes => Some(Arc::new(Warnings)),
            Aloud::No => None,
        };
        let options = Options {
            check: true,
            diff: true,
            ..self.options.clone()
        };
        let exit = self.run(&recorder, shown, options, key)?;
        let request = Request {
            answers: request::locked(&self.session.answers.all(), key),
            ..request
        };
        Ok((recorder.plan(request, key), exit))
    }

    /// Questions are answered as they were when a plan was made.
    pub(super) fn answer(&self, answers: Vec<(String, String)>) {
        self.session.answers.set(answers);
    }

    /// What does not fit a plan any more, and how the dry run for that ended. A playbook that makes
    /// something new each time (a key) fits all the same.
    ///
    /// # Errors
    /// A playbook that is wrong.
    pub(super) fn misfits(&self, saved: &Plan, key: &Key) -> Result<(Misfits, Exit), Stop> {
        let again = || self.plan(saved.request.clone(), key, Aloud::No);
        let (now, exit) = again()?;
        let found = differences(saved, &now);
        if found.is_empty() || exit != Exit::Ok {
            return Ok((
                Misfits {
                    found,
                    runs: (now, None),
                },
                exit,
            ));
        }
        let (second, exit) = again()?;
        let found = without_chance(found, &now, &second);
        Ok((
            Misfits {
                found,
                runs: (now, Some(second)),
            },
            exit,
        ))
    }

    /// Makes the changes; what was made is given as a plan would have it.
    ///
    /// # Errors
    /// A playbook that is wrong.
    pub(super) fn apply(&self, request: Request, key: &Key) -> Result<(Plan, Exit), Stop> {
        let recorder = Arc::new(Recorder::default());
        let shown = Some(self.screen.sink());
        let exit = self.run(&recorder, shown, self.options.clone(), key)?;
        Ok((recorder.plan(request, key), exit))
    }

    fn run(
        &self,
        recorder: &Arc<Recorder>,
        shown: Option<Arc<dyn Sink>>,
        mut options: Options,
        key: &Key,
    ) -> Result<Exit, Stop> {
        let plays = playbook::load(&self.args, &self.session)?;
        let key = key.clone();
        options.fingerprint = Some(Fingerprint::new(move |bytes| key.digest(bytes)));
        let sink = Both {
            recorder: recorder.clone(),
            shown,
        };
        self.session.clone().run_to(Arc::new(sink), options, plays)
    }
}

/// What was found to differ from a plan.
pub(super) struct Misfits {
    /// The differences that are no chance.
    pub found: Vec<Difference>,
    runs: (Plan, Option<Plan>),
}

impl Misfits {
    /// What failed in the dry run of now, and which hosts could not be reached.
    pub(super) fn failures(&self) -> Vec<String> {
        let told = |(step, entry): (&Step, &Entry)| match &entry.end {
            End::Failed {
                msg,
                ignored: false,
            } => {
                let Entry { host, .. } = entry;
                Some(format!(
                    "{host}: `{}` fails: {msg} ({})",
                    step.name, step.at
                ))
            }
            End::Unreachable { msg } => Some(format!("{}: unreachable: {msg}", entry.host)),
            _ => None,
        };
        self.runs.0.entries().filter_map(told).collect()
    }

    /// What was made otherwise than planned, on hosts where all was decided before.
    pub(super) fn of_what_was_made(&self, saved: &Plan, made: &Plan) -> Vec<Difference> {
        let mut found = differences(saved, made);
        if let (now, Some(again)) = &self.runs {
            found = without_chance(found, now, again);
        }
        let open: Vec<&str> = saved
            .entries()
            .filter(|(_, entry)| matches!(entry.end, End::Undecided { .. }))
            .map(|(_, entry)| entry.host.as_str())
            .collect();
        found.retain(|d| !open.contains(&d.host.as_str()));
        found
    }
}

/// The key for plans: of the vault password in use, or else a file of this user's.
pub(super) fn material(vault: &[VaultSecret]) -> Material {
    let given = std::env::var_os("RPLAY_PLAN_KEY_FILE").map(PathBuf::from);
    let state = || {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let state = state.unwrap_or_else(|| home().join(".local/state"));
        state.join("rplay/plan.key")
    };
    let pair = |secret: &VaultSecret| (secret.id.clone(), secret.password.clone());
    Material {
        vault: vault.iter().map(pair).collect(),
        file: given.unwrap_or_else(state),
    }
}

/// The recorder hears everything, and the screen what it should.
struct Both {
    recorder: Arc<Recorder>,
    shown: Option<Arc<dyn Sink>>,
}

impl Sink for Both {
    fn emit(&self, event: &Event) {
        self.recorder.emit(event);
        if let Some(shown) = &self.shown {
            shown.emit(event);
        }
    }
}

/// Warnings and errors alone, on standard error.
struct Warnings;

impl Sink for Warnings {
    fn emit(&self, event: &Event) {
        if let Event::Warning { text, drawn, .. } = event {
            let text = drawn.clone().unwrap_or_else(|| format!("warning: {text}"));
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }
}
