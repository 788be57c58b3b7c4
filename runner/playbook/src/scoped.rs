//! Modules as a place in a playbook sees them: one of a collection that the place belongs to, or
//! that it lists, goes by its short name.

use std::path::Path;

use crate::KnownModules;
use crate::context::Context;
use crate::role_path::collection_of;
use crate::task::short;

/// The modules, and the collections of a place.
pub(crate) struct Scoped<'a> {
    modules: &'a dyn KnownModules,
    collections: Vec<String>,
}

impl<'a> Scoped<'a> {
    pub(crate) fn new(modules: &'a dyn KnownModules, context: &Context) -> Self {
        let own = context.role.as_deref().and_then(collection_of);
        let collections = own.into_iter().chain(context.collections.iter().cloned());
        Self {
            modules,
            collections: collections.collect(),
        }
    }
}

impl KnownModules for Scoped<'_> {
    fn enter(&self, dir: &Path) {
        self.modules.enter(dir);
    }

    fn known(&self, name: &str) -> bool {
        self.resolve(name).is_some()
    }

    fn resolve(&self, name: &str) -> Option<String> {
        if let Some(known) = self.modules.resolve(name) {
            return Some(known);
        }
        if short(name).contains('.') {
            return None;
        }
        let full = |collection: &String| self.modules.resolve(&format!("{collection}.{name}"));
        self.collections.iter().find_map(full)
    }

    fn lookup(&self, name: &str) -> Option<bool> {
        self.modules.lookup(name)
    }

    fn faults_wait(&self) -> bool {
        self.modules.faults_wait()
    }

    fn is_foreign(&self, name: &str) -> bool {
        self.modules.is_foreign(name)
    }

    fn full_name(&self, name: &str) -> String {
        self.modules.full_name(name)
    }

    fn names(&self) -> Vec<String> {
        self.modules.names()
    }

    fn free_form(&self, name: &str) -> bool {
        self.modules.free_form(name)
    }

    fn check_arg(&self, module: &str, arg: &str) -> Result<(), Option<String>> {
        self.modules.check_arg(module, arg)
    }
}
