//! Variables as they are before a task has ended: what that task may change is not to be looked at.
//!
//! A request that is made before its turn is made of what is settled. Where it turns out to need
//! something else, it is made anew in its turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rplay_template::{LookupIo, Value, Var, Vars};
use serde_json::{Map, Value as Json};

/// Names through which other hosts are seen, or how they stand.
const OF_ALL: [&str; 7] = [
    "ansible_failed_result",
    "ansible_failed_task",
    "ansible_play_batch",
    "ansible_play_hosts",
    "hostvars",
    "play_hosts",
    "vars",
];

/// Variables some of which are not settled.
#[derive(Debug)]
pub(crate) struct Unsettled {
    vars: Arc<dyn Vars>,
    /// The names that the tasks before register.
    names: Vec<String>,
    touched: Arc<AtomicBool>,
}

/// Whether something that is not settled was asked for.
#[derive(Clone)]
pub(crate) struct Touched(Arc<AtomicBool>);

impl Touched {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Unsettled {
    /// Variables of which these names are not settled.
    pub(crate) fn over(vars: Arc<dyn Vars>, names: Vec<String>) -> (Arc<dyn Vars>, Touched) {
        let touched = Arc::new(AtomicBool::new(false));
        let vars = Self {
            vars,
            names,
            touched: touched.clone(),
        };
        (Arc::new(vars), Touched(touched))
    }

    fn ask(&self, name: &str) {
        if OF_ALL.contains(&name) || self.names.iter().any(|own| own == name) {
            self.touch();
        }
    }

    fn touch(&self) {
        self.touched.store(true, Ordering::SeqCst);
    }
}

impl Vars for Unsettled {
    fn get(&self, name: &str) -> Option<Var> {
        self.ask(name);
        self.vars.get(name)
    }

    fn is_set(&self, name: &str) -> bool {
        self.ask(name);
        self.vars.is_set(name)
    }

    fn names(&self) -> Vec<String> {
        self.touch();
        self.vars.names()
    }

    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        let io = self.vars.io()?;
        let touched = self.touched.clone();
        Some(Arc::new(Settled { io, touched }))
    }
}

/// What lookups may touch, but for what a host may have changed, and what leaves a trace.
struct Settled {
    io: Arc<dyn LookupIo>,
    touched: Arc<AtomicBool>,
}

impl Settled {
    fn refuse<T>(&self) -> Result<T, String> {
        self.touched.store(true, Ordering::SeqCst);
        Err("it is not its turn".to_owned())
    }
}

impl LookupIo for Settled {
    fn read(&self, kind: &str, name: &str) -> Result<String, String> {
        self.io.read(kind, name)
    }

    fn read_bytes(&self, kind: &str, name: &str) -> Result<Vec<u8>, String> {
        self.io.read_bytes(kind, name)
    }

    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        self.io.find(kind, name)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        self.io.glob(pattern)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.io.env(name)
    }

    fn pipe(&self, _: &str) -> Result<String, String> {
        self.refuse()
    }

    fn write_private(&self, _: &str, _: &str) -> Result<(), String> {
        self.refuse()
    }

    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String> {
        self.io.hosts(pattern)
    }

    fn config(
        &self,
        name: &str,
        plugin: Option<(&str, &str)>,
        variable: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<Option<(Value, String)>, String> {
        self.io.config(name, plugin, variable)
    }

    fn of_template(&self, vars: &Arc<dyn Vars>, name: &str, path: &Path) -> Arc<dyn Vars> {
        self.io.of_template(vars, name, path)
    }

    fn url(&self, _: &str, _: &Map<String, Json>) -> Result<String, String> {
        self.refuse()
    }
}
