//! The host as a module sees it: [`System`] with a memory of what the module changed.
//!
//! Every change goes through here, so that the report and the diff are what really happened (or
//! what a dry run's overlay recorded), and not what a module says of itself.

mod accounts;
mod attrs;
mod files;
mod finish;
mod record;
mod result_diff;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rplay_wire::{Change, State, Target};

use crate::system::{Command, Dialogue, Output, System};
use crate::{Control, Failure, Result};
use record::Record;
pub use record::Told;

/// What the controller sent along, and how to talk back to it.
pub trait Blobs {
    /// SHA-256 in hex and size of a blob, known without its content.
    fn info(&self, index: u32) -> Option<(String, u64)>;

    /// These will be opened soon, in this order: they may be fetched from the controller together.
    fn expect(&self, _indices: &[u32]) {}

    /// A blob's content; it is fetched from the controller only now.
    ///
    /// # Errors
    /// Where there is no such blob or the controller could not read it.
    fn open(&self, index: u32) -> Result<Box<dyn Read + Send>>;

    /// Sends a part of a file back to the controller.
    ///
    /// # Errors
    /// Where the controller is gone.
    fn push(&self, data: &[u8]) -> Result<()>;

    /// Tells how far a long act is.
    fn progress(&self, done: u64, total: Option<u64>);
}

/// A request's settings.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether text diffs are wanted.
    pub diff: bool,
    /// The task's `environment`.
    pub environment: Vec<(String, String)>,
    /// In a dry run, an earlier task on this host that is not decided: what is not there may come
    /// by it.
    pub doubt: Option<String>,
    /// Nobody looks at the result's keys.
    pub brief: bool,
}

/// One module call on one host.
pub struct Host<'a> {
    system: &'a dyn System,
    blobs: &'a dyn Blobs,
    control: &'a Control,
    settings: Settings,
    record: RefCell<Record>,
    warnings: RefCell<Vec<String>>,
}

impl<'a> Host<'a> {
    /// A host for one call of a module.
    pub fn new(
        system: &'a dyn System,
        blobs: &'a dyn Blobs,
        control: &'a Control,
        settings: Settings,
    ) -> Self {
        Self {
            system,
            blobs,
            control,
            settings,
            record: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Whether nobody looks at the result's keys, so that what takes long to tell, as the digest of a
    /// large file, is better left out. Never a reason to do anything else.
    pub fn is_brief(&self) -> bool {
        self.settings.brief
    }

    /// What the controller sent along.
    pub fn blobs(&self) -> &dyn Blobs {
        self.blobs
    }

    /// Whether the request was cancelled: a long loop asks from time to time.
    pub fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }

    /// Says something to the user though nothing failed.
    pub fn warn(&self, text: impl Into<String>) {
        self.warnings.borrow_mut().push(text.into());
    }

    /// What was said to the user so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// The time of day.
    pub fn now(&self) -> SystemTime {
        self.system.now()
    }

    /// Waits for something to happen on the host.
    ///
    /// # Errors
    /// Where the request is cancelled; [`Failure::unknown`] in a dry run, where nothing
    /// happens.
    pub fn wait(&self, time: Duration) -> Result<()> {
        self.system.wait(time, self.control)
    }

    /// All variables of the environment, the task's own over the agent's.
    pub fn envs(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = std::env::vars().collect();
        all.extend(self.settings.environment.iter().cloned());
        all
    }

    /// A variable of the task's environment, or else of the agent's.
    pub fn env(&self, name: &str) -> Option<String> {
        let own = self
            .settings
            .environment
            .iter()
            .rev()
            .find(|(n, _)| n == name);
        own.map(|(_, v)| v.clone())
            .or_else(|| std::env::var(name).ok())
    }

    /// Runs a process with the task's environment; the exit code is the caller's to judge (or
    /// [`Output::success`]). One that may change the host is recorded as a change.
    ///
    /// # Errors
    /// Where it could not be run, or a dry run cannot know what it would do.
    pub fn run(&self, command: &Command) -> Result<Output> {
        self.system.run(&self.surrounded(command), self.control)
    }

    /// Runs a process at a terminal of its own, and answers what it asks.
    ///
    /// # Errors
    /// As [`System::converse`].
    pub fn converse(&self, command: &Command, dialogue: &mut Dialogue<'_>) -> Result<Output> {
        let command = self.surrounded(command);
        self.system.converse(&command, dialogue, self.control)
    }

    /// A command with the task's environment.
    fn surrounded(&self, command: &Command) -> Command {
        let mut command = command.clone();
        let task = self
            .settings
            .environment
            .iter()
            .map(|(n, v)| (n.into(), v.into()));
        let own = std::mem::take(&mut command.env);
        command.env = task.chain(own).collect::<Vec<(OsString, OsString)>>();
        command
    }

    /// Runs a query and gives its standard output, where it exits with 0.
    ///
    /// # Errors
    /// As [`Host::run`], and an exit code other than 0.
    pub fn query<S: Into<OsString>>(&self, argv: impl IntoIterator<Item = S>) -> Result<String> {
        let command = Command::reads(argv);
        Ok(self.run(&command)?.success(&command)?.stdout())
    }

    /// What is known of a thing that is no file: what this dry run has planned, or else what
    /// `probe` finds on the host.
    ///
    /// # Errors
    /// Those of `probe`.
    pub fn state(
        &self,
        target: &Target,
        probe: impl FnOnce() -> Result<Option<State>>,
    ) -> Result<Option<State>> {
        match self.system.planned(target) {
            Some(planned) => Ok(planned),
            None => probe(),
        }
    }

    /// Brings a thing that is no file from `before` to `after`: `apply` does it (through commands
    /// of [`Host::run`]) and is not called in a dry run. Nothing happens where both are equal.
    ///
    /// # Errors
    /// Those of `apply`.
    pub fn ensure(
        &self,
        target: Target,
        before: Option<State>,
        after: Option<State>,
        mut apply: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        if before == after {
            return Ok(());
        }
        self.system.transition(&target, after.clone(), &mut apply)?;
        self.record.borrow_mut().thing(target, before, after);
        Ok(())
    }

    /// Records an act that leaves a thing's state as it was but is a change all the same: a unit
    /// restarted. `apply` does it and is not called in a dry run.
    ///
    /// # Errors
    /// Those of `apply`.
    pub fn act(
        &self,
        target: Target,
        state: State,
        what: &str,
        mut apply: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        self.system
            .transition(&target, Some(state.clone()), &mut apply)?;
        let mut after = state.clone();
        after.insert("act".to_owned(), what.to_owned());
        self.record
            .borrow_mut()
            .thing(target, Some(state), Some(after));
        Ok(())
    }

    /// Records a change that a program tells of, made or only announced by it, under what it is called.
    pub fn tell(&self, what: &str, told: Told) {
        let same = matches!(&told, Told::Sides(before, after) if before == after);
        if !same {
            self.record.borrow_mut().told(what.to_owned(), told);
        }
    }

    /// Does what is no change though a process does it, such as letting systemd read its files
    /// again: it is not recorded. `apply` is not called in a dry run.
    ///
    /// # Errors
    /// Those of `apply`.
    pub fn refresh(&self, target: &Target, mut apply: impl FnMut() -> Result<()>) -> Result<()> {
        let state = self.system.planned(target).flatten().unwrap_or_default();
        self.system.transition(target, Some(state), &mut apply)
    }

    /// The failure of something that should be there and is not; unknown where a dry run has
    /// planned what may bring it.
    pub fn missing(&self, failure: Failure) -> Failure {
        let why = self.system.blind_spot().or_else(|| self.doubt());
        match why {
            Some(_) if failure.unknown => failure,
            Some(why) => Failure::unknown(format!("{}, but {why}", failure.msg)),
            None => failure.absent(),
        }
    }

    /// The failure of what sees the host itself, and nothing of what a dry run has planned: unknown
    /// where anything is.
    pub fn unaware(&self, failure: Failure) -> Failure {
        match self.system.has_plans() {
            true if !failure.unknown => Failure::unknown(format!(
                "{}, but it does not see what earlier tasks would have made",
                failure.msg
            )),
            _ => self.judged(failure),
        }
    }

    /// A module's failure, or that it is not decided where only something is not there that may yet
    /// come.
    pub fn judged(&self, failure: Failure) -> Failure {
        match failure.cause == Some(std::io::ErrorKind::NotFound) {
            true => self.missing(failure),
            false => failure,
        }
    }

    /// An earlier task of a dry run that is not decided.
    fn doubt(&self) -> Option<String> {
        let task = self.settings.doubt.as_ref()?;
        Some(format!("it may come by what is not decided: {task}"))
    }

    /// The packages that a dry run has planned: with their state, or `None` where they would be
    /// gone. Who lists what is installed has to ask.
    pub fn planned_packages(&self) -> Vec<(String, Option<State>)> {
        self.system.planned_packages()
    }

    /// Lets later tasks of a dry run know which paths go with a thing: they are not recorded, and
    /// nothing is done. `paths` is not called in a real run.
    pub fn foresee_gone(&self, mut paths: impl FnMut() -> Vec<PathBuf>) {
        self.system.foresee_gone(&mut paths);
    }

    /// Why a list of what the host has may not be whole: a package that is only planned.
    pub fn blind_spot(&self) -> Option<String> {
        self.system.blind_spot()
    }

    /// Lets later tasks of a dry run know what a change of another thing entails: it is not
    /// recorded, and nothing is done.
    ///
    /// # Errors
    /// None that a system gives today.
    pub fn remember(&self, target: &Target, state: Option<State>) -> Result<()> {
        self.system.transition(target, state, &mut || Ok(()))
    }

    /// Whether anything was changed so far.
    pub fn changed(&self) -> bool {
        !self.changes().is_empty()
    }

    /// What was changed so far, in the order of the first touch; what was put back is left out.
    pub fn changes(&self) -> Vec<Change> {
        let recorded = self.recorded().into_iter();
        recorded.map(|recorded| recorded.change).collect()
    }

    fn telling(&self) -> record::Telling {
        match (self.settings.diff, self.settings.brief) {
            (true, _) => record::Telling::WithDiffs,
            (false, false) => record::Telling::Plainly,
            (false, true) => record::Telling::Briefly,
        }
    }

    fn recorded(&self) -> Vec<record::Recorded> {
        self.record.borrow().changes(self.system, self.telling())
    }
}
