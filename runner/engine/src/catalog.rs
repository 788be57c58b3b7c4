//! Everything that a task may call: modules, and the actions of the controller.

use std::path::Path;

use rplay_api::{ArgSpec, Doc};
use rplay_diag::did_you_mean;
use rplay_playbook::{KnownModules, short};

use crate::Library;
use crate::action;

/// The catalogue of modules and actions.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Wrong arguments are the task's failure when it runs, as in Ansible.
    pub faults_wait: bool,
    /// Where the user's own modules are.
    pub library: Library,
}

impl Catalog {
    /// Documentation and arguments of a module or action.
    pub fn find(name: &str) -> Option<(Doc, Vec<ArgSpec>)> {
        let name = short(name);
        match rplay_builtin::find(name) {
            Some(module) => Some((module.doc, module.spec())),
            None => action::find(name).map(|action| (action.doc, (action.spec)())),
        }
    }

    /// Whether rplay itself has what goes by a collection's full name; what stands in folders of the
    /// user's own does not stand in for it.
    pub(crate) fn has_of_collection(name: &str) -> bool {
        name.contains('.') && !name.starts_with("ansible.legacy.") && Self::find(name).is_some()
    }

    /// Documentation of all of them, by name.
    pub fn all() -> Vec<(Doc, Vec<ArgSpec>)> {
        let modules = rplay_builtin::MODULES.iter().map(|m| (m.doc, m.spec()));
        let actions = action::ACTIONS.iter().map(|a| (a.doc, (a.spec)()));
        let mut all: Vec<_> = modules.chain(actions).collect();
        // What only the engine calls is not for tasks.
        all.retain(|(doc, _)| !doc.name.starts_with('_'));
        all.sort_by_key(|(doc, _)| doc.name);
        all
    }
}

impl KnownModules for Catalog {
    fn faults_wait(&self) -> bool {
        self.faults_wait
    }

    fn enter(&self, dir: &Path) {
        self.library.enter(dir);
    }

    fn known(&self, name: &str) -> bool {
        Self::find(name).is_some() || self.library.has(name) || self.library.has_action(name)
    }

    fn resolve(&self, name: &str) -> Option<String> {
        if self.known(name) {
            return Some(name.to_owned());
        }
        let full = match short(name) {
            short if short.contains('.') => short.to_owned(),
            short => format!("ansible.builtin.{short}"),
        };
        let to = self.library.moved("modules", &full);
        (to != short(&full)).then(|| self.resolve(&to))?
    }

    fn is_foreign(&self, name: &str) -> bool {
        Self::find(name).is_none() || self.library.replaces(name)
    }

    fn full_name(&self, name: &str) -> String {
        match self.is_foreign(name) || name.contains('.') {
            true => name.to_owned(),
            false => {
                rplay_playbook::full_name(name).unwrap_or_else(|| format!("ansible.builtin.{name}"))
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let names = Self::all().into_iter().flat_map(|(doc, _)| {
            [doc.name]
                .into_iter()
                .chain(doc.aliases.iter().copied())
                .map(str::to_owned)
        });
        names.collect()
    }

    fn free_form(&self, name: &str) -> bool {
        Self::find(name).is_some_and(|(doc, _)| doc.free_form.is_some())
            || self.library.takes_text(name)
    }

    fn check_arg(&self, module: &str, arg: &str) -> Result<(), Option<String>> {
        let Some((_, spec)) = Self::find(module) else {
            return Ok(());
        };
        // What stands in for one of ours takes what it takes.
        if self.library.replaces(module) {
            return Ok(());
        }
        // An action with no arguments of its own takes any (set_fact).
        if spec.is_empty() || arg == "_raw_params" || spec.iter().any(|s| s.is_called(arg)) {
            return Ok(());
        }
        let names = spec
            .iter()
            .flat_map(|s| [s.name].into_iter().chain(s.aliases.iter().copied()));
        Err(did_you_mean(arg, names).map(str::to_owned))
    }
}
