//! A module: its documentation, its arguments, its code.

use crate::args::{ArgError, ArgMap, ArgSpec, Args, check_names};
use crate::{Failure, Host, Outcome, Result};

/// A module. One file holds all of it; `modules/builtin/src/lib.rs` names the file.
pub trait Module {
    /// Its arguments: derive [`Args`].
    type Args: Args;

    /// Its documentation.
    const DOC: Doc;

    /// Whether its work is with the host's own files and accounts alone, and its result is all that
    /// it tells: then it is the same for the other hosts of the play when it runs, and the task
    /// behind it may be sent before all of them have done this one.
    const CONFINED: bool = false;

    /// Does the work. It reads and changes the host through `host` only, and so cannot tell a dry
    /// run from a real one.
    ///
    /// # Errors
    /// A [`Failure`] with what happened and what to do.
    fn run(args: Self::Args, host: &Host) -> Result<Outcome>;
}

/// A module's documentation, from which `rplay doc`, the web pages and the editor schema are made.
#[derive(Debug, Clone, Copy)]
pub struct Doc {
    /// The name that tasks use.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// One line: what it does.
    pub summary: &'static str,
    /// More, in Markdown; may be empty.
    pub description: &'static str,
    /// The argument that a task's plain text goes to (`command: uptime`), if it takes one.
    pub free_form: Option<&'static str>,
    /// Tasks in YAML; a test parses them.
    pub examples: &'static str,
    /// The result's keys.
    pub returns: &'static [Return],
}

/// A key of a module's result.
#[derive(Debug, Clone, Copy)]
pub struct Return {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static str,
}

/// A module without its types: a row of the registry.
pub struct Entry {
    /// Its documentation.
    pub doc: Doc,
    /// [`Module::CONFINED`].
    pub is_confined: bool,
    spec: fn() -> Vec<ArgSpec>,
    parse: fn(&ArgMap) -> std::result::Result<(), ArgError>,
    run: fn(&ArgMap, &Host) -> Result<Outcome>,
}

impl Entry {
    /// The row of a module.
    pub const fn of<M: Module>() -> Self {
        Self {
            doc: M::DOC,
            is_confined: M::CONFINED,
            spec: M::Args::spec,
            parse: |map| M::Args::parse(map).map(drop),
            run: |map, host| M::run(M::Args::parse(map).map_err(Failure::from)?, host),
        }
    }

    /// The specification of its arguments.
    pub fn spec(&self) -> Vec<ArgSpec> {
        (self.spec)()
    }

    /// Whether its result brings facts, which any later task may use.
    pub fn brings_facts(&self) -> bool {
        self.doc
            .returns
            .iter()
            .any(|key| key.name == "ansible_facts")
    }

    /// Whether a task may call it that.
    pub fn is_called(&self, name: &str) -> bool {
        self.doc.name == name || self.doc.aliases.contains(&name)
    }

    /// Refuses argument names that it does not have.
    ///
    /// # Errors
    /// The first unknown name.
    pub fn check_names<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<(), ArgError> {
        check_names(&self.spec(), names)
    }

    /// Refuses arguments that it could not run with.
    ///
    /// # Errors
    /// The first argument at fault.
    pub fn check_args(&self, args: &ArgMap) -> std::result::Result<(), ArgError> {
        (self.parse)(args)
    }

    /// Runs it.
    ///
    /// # Errors
    /// As [`Module::run`], and where the arguments are not its own.
    pub fn run(&self, args: &ArgMap, host: &Host) -> Result<Outcome> {
        (self.run)(args, host)
    }
}
