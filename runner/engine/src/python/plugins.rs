//! Plugins of the user's own that expressions call: filters, tests and lookups in Python, from the
//! folders beside playbooks and roles and from collections.
//!
//! One Python process of the controller runs them all, from the first call to the end of the run: a
//! line of JSON for a call, and one for its answer. No process is started where there is no folder
//! that could have the plugin. An action is run in a fork of it, which speaks for itself
//! (`actions.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rplay_api::exact_integers;
use rplay_template::Plugin;
use serde_json::{Map, Value as Json, json};

/// What runs plugins in Python.
const RUNNER: &str = concat!(
    include_str!("rplay_actions.py"),
    "\n",
    include_str!("rplay_plugins.py")
);

/// What calls plugins; clones share the process.
#[derive(Clone, Default)]
pub(crate) struct Plugins(Arc<Mutex<State>>);

/// A call.
pub(crate) struct Call<'a> {
    pub kind: Plugin,
    pub name: String,
    pub given: Vec<Json>,
    pub named: Map<String, Json>,
    /// The variables, for lookups.
    pub vars: &'a dyn Fn() -> Json,
}

/// Where plugins are looked for.
pub(crate) struct Places {
    /// The folder of Ansible's own packages, where it is installed.
    pub site: Option<PathBuf>,
    /// The folders of collections.
    pub collections: Vec<PathBuf>,
    /// The folders of plugins of the call's kind.
    pub folders: Vec<PathBuf>,
    /// The folders of playbooks and roles, in which plugins of any kind may be.
    pub beside: Vec<PathBuf>,
}

#[derive(Default)]
enum State {
    #[default]
    NotStarted,
    Runs(Box<Process>),
    /// It could not be started, or ended: why.
    Failed(String),
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plugins")
    }
}

impl Places {
    /// Whether a plugin of that name may be there.
    fn may_have(&self, kind: Plugin, name: &str) -> bool {
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [namespace, collection, _, ..] => self.collections.iter().any(|dir| {
                let plugins = dir.join(namespace).join(collection).join("plugins");
                plugins.join(kind.word()).is_dir()
            }),
            _ => !self.folders.is_empty(),
        }
    }
}

impl Plugins {
    /// Calls a plugin; none where there is none of that kind and name.
    pub(crate) fn call(&self, places: &Places, call: Call<'_>) -> Option<Result<Json, String>> {
        if !places.may_have(call.kind, &call.name) {
            return None;
        }
        let question = json!({
            "kind": call.kind.word(),
            "name": call.name,
            "given": call.given,
            "named": call.named,
            "vars": (call.kind == Plugin::Lookup).then(call.vars),
            "folders": places.folders,
        });
        self.answer(places, question)
    }

    /// What is answered to a question; none where there is no such plugin, or nothing for it to do.
    pub(crate) fn answer(&self, places: &Places, question: Json) -> Option<Result<Json, String>> {
        match self.ask(places, question) {
            Ok(answer) => read(&answer),
            Err(words) => Some(Err(words)),
        }
    }

    /// Has the process make one like itself, which listens to a socket; `folders` are those of
    /// plugins, by their kind.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn fork(
        &self,
        places: &Places,
        folders: &BTreeMap<&str, Vec<PathBuf>>,
        socket: &Path,
    ) -> Result<(), String> {
        let question = json!({"kind": "action", "folders": folders, "socket": socket});
        let answer = self.ask(places, question)?;
        read(&answer).unwrap_or(Ok(Json::Null)).map(drop)
    }

    fn ask(&self, places: &Places, mut question: Json) -> Result<Json, String> {
        question["beside"] = json!(places.beside);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::NotStarted) {
            *state = match Process::start(places) {
                Ok(process) => State::Runs(Box::new(process)),
                Err(words) => State::Failed(format!("failed: {words}")),
            };
        }
        match &mut *state {
            State::Runs(process) => process.ask(&question).map_err(|words| {
                let words = format!("failed: {words}");
                *state = State::Failed(words.clone());
                words
            }),
            State::Failed(words) => Err(words.clone()),
            State::NotStarted => unreachable!("bug: it was started"),
        }
    }
}

/// What an answer says.
fn read(answer: &Json) -> Option<Result<Json, String>> {
    if answer.get("missing").is_some() {
        return None;
    }
    Some(match answer.get("error").and_then(Json::as_str) {
        Some(words) => Err(words.to_owned()),
        None => Ok(answer.get("value").cloned().unwrap_or_default()),
    })
}

impl Process {
    fn start(places: &Places) -> Result<Self, String> {
        let python = python_of(places.site.as_deref());
        let mut command = Command::new(&python);
        command.arg("-c").arg(RUNNER);
        command.arg(places.site.as_deref().unwrap_or(Path::new("")));
        command.args(&places.collections);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|e| {
            format!(
                "could not run `{}`, which plugins in Python need: {e}",
                python.display()
            )
        })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            panic!("bug: a process has the pipes that it was given");
        };
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn ask(&mut self, question: &Json) -> Result<Json, String> {
        let ended = || "the Python process that runs plugins has ended".to_owned();
        writeln!(self.input, "{question}").map_err(|_| ended())?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|_| ended())?;
        serde_json::from_str(&exact_integers(&line)).map_err(|_| ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has nothing to finish: whoever asked is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that Ansible is installed in, or the one that is there.
fn python_of(site: Option<&Path>) -> PathBuf {
    let prefix = site.and_then(|site| site.ancestors().nth(3));
    let own = prefix.map(|prefix| prefix.join("bin/python3"));
    own.filter(|python| python.is_file())
        .unwrap_or_else(|| PathBuf::from("python3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(dir: &Path) -> Places {
        Places {
            site: None,
            collections: vec![],
            folders: vec![dir.to_owned()],
            beside: vec![],
        }
    }

    fn call(kind: Plugin, name: &str, given: Json) -> Call<'static> {
        let Json::Array(given) = given else {
            unreachable!()
        };
        Call {
            kind,
            name: name.to_owned(),
            given,
            named: Map::new(),
            vars: &|| Json::Null,
        }
    }

    #[test]
    fn a_filter_and_a_test_of_a_folder_are_called() {
        let dir = tempfile::tempdir().unwrap();
        let text = "import sys\nprint('noise')\ndef twice(x, by=2):\n    return x * by\n\
            class FilterModule:\n    def filters(self):\n        return {'twice': twice, 'fails': lambda x: 1 / 0}\n\
            class TestModule:\n    def tests(self):\n        return {'big': lambda x: x > 9}\n";
        std::fs::write(dir.path().join("mine.py"), text).unwrap();
        let plugins = Plugins::default();
        let ask = |kind, name, given| plugins.call(&places(dir.path()), call(kind, name, given));
        assert_eq!(ask(Plugin::Filter, "twice", json!([4])), Some(Ok(json!(8))));
        assert_eq!(
            ask(Plugin::Filter, "twice", json!(["a", 3])),
            Some(Ok(json!("aaa")))
        );
        assert_eq!(ask(Plugin::Test, "big", json!([10])), Some(Ok(json!(true))));
        assert_eq!(ask(Plugin::Filter, "nope", json!([1])), None);
        let failed = ask(Plugin::Filter, "fails", json!([1]))
            .unwrap()
            .unwrap_err();
        assert!(failed.contains("division by zero"), "{failed}");
    }

    #[test]
    fn no_python_is_started_where_no_folder_can_have_the_plugin() {
        let nowhere = Places {
            site: None,
            collections: vec!["/nowhere".into()],
            folders: vec![],
            beside: vec![],
        };
        let plugins = Plugins::default();
        for name in ["typo", "a.b.c"] {
            assert_eq!(
                plugins.call(&nowhere, call(Plugin::Filter, name, json!([1]))),
                None
            );
        }
        assert!(matches!(*plugins.0.lock().unwrap(), State::NotStarted));
    }
}
