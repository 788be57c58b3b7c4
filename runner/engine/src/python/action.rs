//! Actions in Python: a process that runs one, and what it asks of its host meanwhile.
//!
//! The process is forked from that of the plugins and speaks over a socket of its own, a line of JSON
//! for a question and one for its answer. What it does on a host that rplay reaches, rplay does: a
//! module is rplay's own where there is one, so that nothing is needed there, and a dry run knows of
//! it. Where the connection is a plugin in Python, Ansible's library does all of it.

use std::fs;
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rplay_diag::Diagnostic;
use rplay_playbook::{Keyword, short};
use rplay_template::{Origin, Vars};
use rplay_wire::Change;
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json, json};

use crate::action;
use crate::catalog::Catalog;
use crate::host_run::HostRun;
use crate::result::{Ending, TaskResult};
use crate::run::Run;
use crate::task::TaskContext;

use super::outcome::result_of;
use super::told::{Way, action_name, told_vars};
use super::worker::Worker;

/// Actions that do their work on the host, however it is reached.
const ON_THE_HOST: [&str; 3] = ["raw", "reboot", "wait_for_connection"];

/// A call of an action in Python.
struct Call<'a> {
    run: &'a Arc<Run>,
    context: &'a TaskContext,
    host: &'a Arc<HostRun>,
    vars: &'a Arc<dyn Vars>,
    way: Way,
    /// What the modules changed that it called.
    changes: Vec<Change>,
    /// What of them a dry run cannot decide.
    undecided: Vec<Origin>,
}

impl Run {
    /// Runs a task's action if that is in Python: a plugin of that name, or whatever the task calls
    /// where the host is only reached by a connection in Python.
    pub(crate) async fn in_python(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
        name: &str,
    ) -> Option<TaskResult> {
        let is_plugin = self.is_python_action(context, name);
        let own = action::find(name);
        if !is_plugin && own.is_some_and(|own| !ON_THE_HOST.contains(&own.doc.name)) {
            return None;
        }
        let way = match self.way(context, host, vars, name, is_plugin) {
            Ok(way) => way?,
            Err(diagnostic) => return Some(self.failure(&diagnostic)),
        };
        let args = match self.arguments(context, vars) {
            Ok(args) => args,
            Err(unusable) => return Some(self.unusable(unusable)),
        };
        let call = Call {
            run: self,
            context,
            host,
            vars,
            way,
            changes: vec![],
            undecided: vec![],
        };
        Some(call.run(args).await)
    }

    /// Whether a plugin in Python is what a task calls.
    fn is_python_action(&self, context: &TaskContext, name: &str) -> bool {
        let written = &context.task.action.written;
        let called = action_name(written, name);
        // What rplay has of a collection needs no Python.
        !Catalog::has_of_collection(called) && self.options.library.has_action(called)
    }
}

impl Call<'_> {
    async fn run(mut self, args: Map<String, Json>) -> TaskResult {
        let action = &self.context.task.action;
        let library = &self.run.options.library;
        if library.installed().site().is_none() {
            let words = format!(
                "`{}` needs Ansible's library, which is not on this machine",
                match self.way.is_own {
                    true => &action.written,
                    false => &self.way.connection,
                }
            );
            let diagnostic = Diagnostic::error(words)
                .at(&action.span)
                .help("it is written in Python; with ansible-core installed here (`pip install ansible-core`), it runs");
            return self.run.failure(&diagnostic);
        }
        let (context, host, vars) = (self.context, self.host, self.vars);
        let told = self.run.told_task(context, host, vars, &self.way, args);
        let told = match told {
            Ok(told) => told,
            Err(diagnostic) => return self.run.failure(&diagnostic),
        };
        match self.converse(&told).await {
            Ok(answer) => self.finish(answer),
            Err(e) => {
                let words = format!("the Python process of `{}` failed: {e}", action.written);
                self.run.failure(&Diagnostic::error(words).at(&action.span))
            }
        }
    }

    /// Has a process run the action, and answers until it has a result. All items of a loop have one
    /// process, which keeps its connection.
    async fn converse(&mut self, told: &Json) -> io::Result<Map<String, Json>> {
        let task = self.context.id;
        let kept = self.worker().take().filter(|worker| worker.task == task);
        let mut worker = match kept {
            Some(worker) => worker,
            None => Worker::start(self.run, task).await?,
        };
        worker.say(told).await?;
        loop {
            let mut question = worker.hear().await?;
            if let Some(Json::Object(result)) = question.shift_remove("result") {
                if self.context.task.looped.is_some() {
                    *self.worker() = Some(worker);
                }
                return Ok(result);
            }
            let answer = self.answer(&question).await;
            worker.say(&answer).await?;
        }
    }

    fn worker(&self) -> MutexGuard<'_, Option<Worker>> {
        let worker = self.host.worker.lock();
        worker.unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&mut self, question: &Map<String, Json>) -> Json {
        let text = |key: &str| question.get(key).and_then(Json::as_str).unwrap_or_default();
        match text("ask") {
            "module" => self.module(question).await,
            "exec" => {
                let becomes = question.get("become") == Some(&Json::Bool(true));
                let input = BASE64.decode(text("input")).unwrap_or_default();
                self.exec(text("command"), &input, becomes).await
            }
            "put" => self.put(text("path"), text("to")).await,
            "fetch" => self.fetch(text("path"), text("to")).await,
            "reset" => self.reset(),
            "hostvars" => self.hostvars(text("host")),
            "find" => self.find(text("kind"), text("name")),
            other => json!({"error": format!("there is no question `{other}`")}),
        }
    }

    /// Calls a module for the action, with the arguments that it gives.
    async fn module(&mut self, question: &Map<String, Json>) -> Json {
        let args = match question.get("args") {
            Some(Json::Object(args)) => args.clone(),
            _ => Map::new(),
        };
        let written = question.get("name").and_then(Json::as_str);
        let waits = question.get("seconds").and_then(Json::as_f64) == Some(0.0);
        let lenient = question.get("lenient") == Some(&Json::Bool(true));
        let (name, args) = for_module(written.unwrap_or_default(), args, lenient);
        let context = self.called(&name, waits);
        let name = short(&name);
        let called = self.run.module(&context, self.host, self.vars, name, args);
        let result = TaskResult {
            of_task: false,
            ..Box::pin(called).await
        };
        self.changes.extend(result.changes.iter().cloned());
        if let Ending::Unknown(origins) = &result.end {
            self.undecided.extend(origins.iter().cloned());
            let why = "remote module does not support check mode";
            return json!({"result": {"skipped": true, "changed": false, "msg": why}});
        }
        let invocation = result.invocation.clone();
        let mut json = result.json();
        if !result.is_failed() {
            json.shift_remove("failed");
        }
        json.extend(invocation.map(|told| ("invocation".to_owned(), told)));
        json!({ "result": json })
    }

    /// The task as if it called that module itself.
    fn called(&self, name: &str, waits: bool) -> TaskContext {
        let context = self.context;
        let mut task = (*context.task).clone();
        task.action.name = short(name).to_owned();
        name.clone_into(&mut task.action.written);
        task.action.faults.clear();
        let number = |text: &str| Node {
            span: task.action.span.clone(),
            kind: Kind::Str(text.to_owned()),
        };
        let (limit, poll) = (number("0"), number("0"));
        if waits && task.keywords.get(Keyword::Async).is_some() {
            task.keywords.set(Keyword::Async, limit);
        } else if !waits {
            task.keywords.set(Keyword::Poll, poll);
        }
        TaskContext {
            id: context.id,
            task: Arc::new(task),
            frame: context.frame.clone(),
            is_secret: context.is_secret,
            origin: context.origin.clone(),
            upcoming: vec![],
        }
    }

    /// Runs a command line: as the task's user, or as the one who is logged in.
    async fn exec(&self, command: &str, input: &[u8], becomes: bool) -> Json {
        match self.ran(command, input, becomes).await {
            Ok(ran) => json!({
                "rc": ran.rc,
                "stdout": BASE64.encode(ran.stdout),
                "stderr": BASE64.encode(ran.stderr),
            }),
            Err(refused) => refused,
        }
    }

    async fn ran(
        &self,
        command: &str,
        input: &[u8],
        becomes: bool,
    ) -> Result<rplay_transport::Ran, Json> {
        let place = self.run.place(self.context, self.host, self.vars);
        let place = place.map_err(|wrong| json!({"error": wrong.message}))?;
        let lost = |e: rplay_transport::ConnectError| match e.is_unreachable() {
            true => json!({"unreachable": e.to_string()}),
            false => json!({"error": e.to_string()}),
        };
        let link = self.run.links.link(&place.target).await.map_err(lost)?;
        let ran = match place.become_.filter(|_| becomes) {
            None => link.connection.exec(command, Some(input), false).await,
            Some(other) => {
                let connection = &link.connection;
                connection
                    .exec_as(&other, command, Some(input), false)
                    .await
            }
        };
        ran.map_err(lost)
    }

    /// Puts a file of the controller where it is said, as the one who is logged in.
    async fn put(&self, path: &str, to: &str) -> Json {
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(e) => return json!({"error": format!("could not read `{path}`: {e}")}),
        };
        let command = format!("cat > {}", quoted(to));
        match self.ran(&command, &content, false).await {
            Ok(ran) if ran.rc == 0 => json!({}),
            Ok(ran) => not_done("write", to, &ran.stderr),
            Err(refused) => refused,
        }
    }

    /// Takes a file to the controller.
    async fn fetch(&self, path: &str, to: &str) -> Json {
        let command = format!("cat {}", quoted(path));
        match self.ran(&command, &[], true).await {
            Ok(ran) if ran.rc == 0 => match fs::write(to, ran.stdout) {
                Ok(()) => json!({}),
                Err(e) => json!({"error": format!("could not write `{to}`: {e}")}),
            },
            Ok(ran) => not_done("read", path, &ran.stderr),
            Err(refused) => refused,
        }
    }

    fn reset(&self) -> Json {
        if let Ok(place) = self.run.place(self.context, self.host, self.vars) {
            self.run.links.forget(&place.target);
        }
        json!({})
    }

    fn hostvars(&self, host: &str) -> Json {
        let context = self.context;
        let scope = self.run.scope(host, Some(&context.task), &context.frame);
        let vars: Arc<dyn Vars> = Arc::new(scope);
        json!({"vars": told_vars(&self.run.templar, &vars)})
    }

    fn find(&self, kind: &str, name: &str) -> Json {
        let found = self.vars.io().and_then(|io| io.find(kind, name));
        match found {
            Some(path) => json!({ "path": path }),
            None => json!({"error": format!("Could not find or access '{name}'")}),
        }
    }

    /// The task's result.
    fn finish(self, answer: Map<String, Json>) -> TaskResult {
        let result = result_of(&self.context.task.action.written, answer);
        if !self.undecided.is_empty() && !result.is_unreachable() {
            return TaskResult {
                changes: self.changes,
                ..TaskResult::unknown(self.undecided)
            };
        }
        let diagnostic = match &result.end {
            Ending::Failed(words) => {
                let span = &self.context.task.action.span;
                self.run.failure(&Diagnostic::error(words.clone()).at(span))
            }
            _ => TaskResult::failed(""),
        };
        let mut changes = self.changes;
        // What modules told is told better than what an action makes of it.
        if changes.is_empty() {
            changes = result.changes;
        }
        TaskResult {
            changes,
            diagnostic: diagnostic.diagnostic,
            quoted: diagnostic.quoted,
            ..result
        }
    }
}

fn not_done(act: &str, path: &str, why: &[u8]) -> Json {
    let why = String::from_utf8_lossy(why);
    json!({"error": format!("could not {act} `{path}` on the host: {}", why.trim())})
}

fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', r"'\''"))
}

/// A module as an action of Ansible's calls it: such files as it takes are on the host already, and
/// some arguments are between the two only. A `lenient` call leaves out what the module does not know.
fn for_module(
    name: &str,
    mut args: Map<String, Json>,
    lenient: bool,
) -> (String, Map<String, Json>) {
    let is_shell = args.shift_remove("_uses_shell") == Some(Json::Bool(true));
    let name = match (is_shell, short(name)) {
        (true, "command") => "shell".to_owned(),
        _ => name.to_owned(),
    };
    if let Some((_, spec)) = crate::Catalog::find(&name) {
        args.retain(|key, _| {
            let known = key == "_raw_params" || spec.iter().any(|arg| arg.is_called(key));
            known || !(lenient || key.starts_with('_'))
        });
        if spec.iter().any(|arg| arg.name == "remote_src") && args.contains_key("src") {
            args.insert("remote_src".to_owned(), true.into());
        }
    }
    (name, args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_action_calls_finds_its_files_on_the_host() {
        let Json::Object(args) = json!({"src": "/tmp/a", "dest": "/b", "_original_basename": "a"})
        else {
            unreachable!()
        };
        let (name, args) = for_module("ansible.legacy.copy", args, false);
        assert_eq!(name, "ansible.legacy.copy");
        assert_eq!(
            Json::Object(args),
            json!({"src": "/tmp/a", "dest": "/b", "remote_src": true})
        );
    }

    #[test]
    fn a_command_in_a_shell_is_the_module_shell() {
        let Json::Object(args) = json!({"_raw_params": "a | b", "_uses_shell": true}) else {
            unreachable!()
        };
        let (name, args) = for_module("ansible.legacy.command", args, false);
        assert_eq!((name.as_str(), args.len()), ("shell", 1));
    }
}
