//! A task's action: on the controller, or as a module on its host.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use rplay_api::{ArgError, ArgSpec, Fault};
use rplay_diag::Diagnostic;
use rplay_event::{Event, TaskId};
use rplay_playbook::{Keyword, short};
use rplay_template::Vars;
use rplay_transport::{Become, BecomeFault, Cause, ConnectError, Exchange, Target};
use rplay_wire::{End, Mode, Run as Request};
use rplay_yaml::{Key, Kind, Node};
use serde_json::{Map, Value as Json};

use crate::action;
use crate::controller_files::Sending;
use crate::fetch::Fetch;
use crate::host_run::HostRun;
use crate::invocation::invocation;
use crate::links::Broken;
use crate::prints;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text::{self, Unusable};

/// Where a task really runs, and as whom.
pub(crate) struct Place {
    pub target: Target,
    pub become_: Option<Become>,
}

impl Run {
    /// Runs the action of a task.
    pub(crate) async fn act(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
    ) -> TaskResult {
        if let Some(refused) = self.unsupported(context) {
            return refused;
        }
        if let Some(fault) = context.task.action.faults.first() {
            return TaskResult {
                of_task: true,
                ..self.failure(fault)
            };
        }
        let name = match self.action_name(context, vars) {
            Ok(name) => name,
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        if let Some(action) = action::find(&name) {
            let call = action::Call {
                run: self,
                context,
                host,
                vars,
            };
            return (action.run)(call).await;
        }
        let args = match self.arguments(context, vars) {
            Ok(args) => args,
            Err(Unusable::Unknown(origins)) => return TaskResult::unknown(origins),
            Err(Unusable::Wrong(diagnostic)) => return self.failure(&diagnostic),
        };
        self.module(context, host, vars, &name, args).await
    }

    /// What a task ends with that has arguments which its module does not know: as a module of
    /// Ansible's says it, all of them, and what it knows.
    fn unsupported(&self, context: &TaskContext) -> Option<TaskResult> {
        let faults = &context.task.action.faults;
        let (words, first) = faults.first()?.message.split_once(" module: ")?;
        if !words.starts_with("Unsupported parameters for (") {
            return None;
        }
        let rest = faults[1..]
            .iter()
            .filter_map(|f| f.message.strip_prefix(words)?.strip_prefix(" module: "));
        let mut unknown: Vec<&str> = std::iter::once(first).chain(rest).collect();
        unknown.sort_unstable();
        let (_, spec) = crate::Catalog::find(&context.task.action.name)?;
        let mut known: Vec<&str> = spec
            .iter()
            .map(|arg| arg.name)
            .filter(|name| !name.starts_with('_'))
            .collect();
        known.sort_unstable();
        let mut fault = faults[0].clone();
        fault.message = format!("{words} module: {}", unknown.join(", "));
        // `shell` is checked on the controller, which says no more.
        if context.task.action.name != "shell" {
            fault.message += &format!(". Supported parameters include: {}.", known.join(", "));
        }
        Some(TaskResult {
            of_task: false,
            ..self.failure(&fault)
        })
    }

    fn action_name(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<String, Diagnostic> {
        let action = &context.task.action;
        if !rplay_playbook::is_template(&action.name) {
            return Ok(action.name.clone());
        }
        let node = Node {
            span: action.span.clone(),
            kind: Kind::Str(action.name.clone()),
        };
        Ok(short(&text::string(&self.templar, &node, vars)?).to_owned())
    }

    /// Runs a module where the task runs.
    pub(crate) async fn module(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
        name: &str,
        mut args: Map<String, Json>,
    ) -> TaskResult {
        let own = match rplay_builtin::find(name) {
            Some(_) => None,
            None => {
                let roles = context.frame.roles().map(|role| role.path.as_path());
                self.options.library.find_within(name, roles)
            }
        };
        if let Some(path) = &own {
            args = Map::from_iter([
                ("program".to_owned(), path.display().to_string().into()),
                ("arguments".to_owned(), Json::Object(args)),
            ]);
        }
        let name = if own.is_some() { "_program" } else { name };
        let Some(module) = rplay_builtin::find(name) else {
            let words = format!("there is no module `{name}`");
            return self.failure(&Diagnostic::error(words).at(&context.task.action.span));
        };
        if let Some(raw) = args.shift_remove("_raw_params")
            && let Some(free) = module.doc.free_form
        {
            args.insert(free.to_owned(), raw);
        }
        if let Some(refused) = self.not_by_itself(context, vars, module.doc.name) {
            return refused;
        }
        let place = match self.place(context, host, vars) {
            Ok(place) => place,
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        let spec = module.spec();
        let invocation = invocation(&spec, &args);
        let sending = match self.attach(context, vars, &spec, &mut args).await {
            Ok(sending) => sending,
            Err(Unusable::Unknown(origins)) => return TaskResult::unknown(origins),
            Err(Unusable::Wrong(diagnostic)) => return self.failure(&diagnostic),
        };
        if let Err(error) = module.check_args(&args) {
            return self.failure(&self.argument_error(context, &spec, &error));
        }
        let request = self.request(
            context,
            host,
            vars,
            &place,
            module.doc.name,
            (&args, &sending),
        );
        let request = match request {
            Ok(request) => request,
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        let fetch = match fetching(context, host, &request, &args) {
            Ok(fetch) => fetch.map(Arc::new),
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        let asked = self.options.fingerprint.is_some();
        let asked = asked.then(|| prints::asked(&request));
        let files = Arc::new(Files {
            run: self.clone(),
            task: context.id,
            host: host.name.clone(),
            paths: sending.paths,
            fetch: fetch.clone(),
        });
        let result = match self.job(context, vars, &request) {
            Ok(Some(wanted)) => {
                self.in_background(context, &place, request, wanted, files)
                    .await
            }
            Ok(None) => self.send(context, &place, request, files).await,
            Err(diagnostic) => self.failure(&diagnostic),
        };
        let result = match fetch {
            Some(fetch) => fetch.finish(result),
            None => result,
        };
        let ran = !result.is_unreachable();
        TaskResult {
            invocation: ran.then_some(invocation),
            asked,
            ..result
        }
    }

    /// Where a task runs: on its host, or where it is delegated to.
    pub(crate) fn place(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
    ) -> Result<Place, Diagnostic> {
        let frame = &context.frame;
        let task = Some(context.task());
        let become_ = self.becomes(vars, task, frame)?;
        let delegated = self.said(frame, task, Keyword::DelegateTo, vars);
        let target = match delegated {
            None => self.target(&host.name, vars, task, frame)?,
            Some(node) => {
                let name = text::string(&self.templar, node, vars)?;
                let scope = self.scope(&name, task, frame);
                let other: Arc<dyn Vars> = Arc::new(scope);
                self.target(&name, &other, task, frame)?
            }
        };
        Ok(Place { target, become_ })
    }

    fn request(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        place: &Place,
        module: &str,
        (args, sending): (&Map<String, Json>, &Sending),
    ) -> Result<Request, Diagnostic> {
        let check = self.keyword_is(Keyword::CheckMode, host, context, self.options.check);
        let diff = self.keyword_is(Keyword::Diff, host, context, self.options.diff);
        let mut environment: Vec<(String, String)> = vec![];
        for node in context.frame.all(Some(&context.task), Keyword::Environment) {
            for node in one_by_one(node) {
                let value = match self.templar.render(&node, vars) {
                    // What is built on facts cannot be there while they are gathered.
                    Err(_) if module == "setup" => continue,
                    value => value?,
                };
                for key in value.try_iter().into_iter().flatten() {
                    let item = value.get_item(&key).unwrap_or_default();
                    environment.push((text::plain(&key), text::plain(&item)));
                }
            }
        }
        Ok(Request {
            id: 0,
            module: module.to_owned(),
            args: Json::Object(args.clone()).to_string(),
            mode: match (check, self.options.check) {
                (false, _) => Mode::Apply,
                (true, true) => Mode::Check,
                (true, false) => Mode::Preview,
            },
            diff,
            environment,
            blobs: sending.blobs.clone(),
            job: None,
            doubt: self.doubts.of(&place.target.name).filter(|_| check),
        })
    }

    /// Sends a request and makes a result of what comes back.
    pub(crate) async fn send(
        &self,
        context: &TaskContext,
        place: &Place,
        request: Request,
        files: Arc<dyn Exchange>,
    ) -> TaskResult {
        let link = match self.links.link(&place.target).await {
            Ok(link) => link,
            Err(error) => return unreachable(&error),
        };
        let target = place.target.name.clone();
        let is_dry = request.mode == Mode::Check;
        match link.run(place.become_.as_ref(), request, files).await {
            Ok(report) => {
                let place = match &report.end {
                    End::Failed { msg, arg, help, .. } => {
                        Some((msg.clone(), arg.clone(), help.clone()))
                    }
                    _ => None,
                };
                let mut result = TaskResult::of_report(report, &context.origin);
                if is_dry {
                    self.doubts.plan(&target, &result.changes);
                }
                if let Some((msg, arg, help)) = place {
                    result.diagnostic = Some(self.drawn(context, &msg, arg.as_deref(), &help));
                }
                result
            }
            Err(Broken::Connect(error)) if is_dry => self
                .not_yet(context, &target, &error)
                .unwrap_or_else(|| self.no_agent(context, &error)),
            Err(Broken::Connect(error)) => self.no_agent(context, &error),
            Err(Broken::Lost(lost, true)) => {
                let mut result = self.failure(&lost.diagnostic().at(&context.task.action.span));
                if !lost.stderr.is_empty() {
                    result
                        .data
                        .insert("module_stderr".to_owned(), lost.stderr.into());
                }
                result
            }
            Err(Broken::Lost(lost, false)) => TaskResult::unreachable(lost.to_string()),
        }
    }

    /// A failure with the argument at fault, or the module's name, under the caret.
    fn drawn(
        &self,
        context: &TaskContext,
        msg: &str,
        arg: Option<&str>,
        help: &[String],
    ) -> String {
        let action = &context.task.action;
        let span = arg
            .and_then(|a| action.args.get(a))
            .map_or(&action.span, |node| &node.span);
        let mut diagnostic = Diagnostic::error(msg.lines().next().unwrap_or(msg)).at(span);
        diagnostic.help = help.to_vec();
        rplay_diag::render(&diagnostic, rplay_diag::Style::Plain)
    }

    /// A user who is only planned in a dry run cannot be become yet.
    fn not_yet(
        &self,
        context: &TaskContext,
        host: &str,
        error: &ConnectError,
    ) -> Option<TaskResult> {
        let Cause::Become { user, why, .. } = &error.cause else {
            return None;
        };
        let why = match why {
            BecomeFault::UnknownUser => self.doubts.of_user(host, user)?,
            _ => return None,
        };
        Some(TaskResult {
            diagnostic: Some(format!("  = note: {why}")),
            ..TaskResult::unknown(vec![context.origin.clone()])
        })
    }

    /// No agent: a wrong password is a failure of the task, a lost host is lost.
    pub(crate) fn no_agent(&self, context: &TaskContext, error: &ConnectError) -> TaskResult {
        if matches!(error.cause, Cause::Become { .. }) {
            let mut diagnostic = error.diagnostic();
            if diagnostic.span().is_none() {
                diagnostic = diagnostic.at(&context.task.action.span);
            }
            return self.failure(&diagnostic);
        }
        unreachable(error)
    }

    fn argument_error(
        &self,
        context: &TaskContext,
        spec: &[ArgSpec],
        error: &ArgError,
    ) -> Diagnostic {
        let action = &context.task.action;
        let written = action.args.get_key_value(error.arg.as_str());
        let words = format!("`{}`: {error}", action.name);
        let diagnostic = Diagnostic::error(words);
        match (&error.fault, written) {
            (Fault::Unknown, Some((key, _))) => {
                let names = spec.iter().map(|s| s.name);
                let near = rplay_diag::did_you_mean(&error.arg, names);
                let diagnostic = diagnostic.at(&key.span);
                match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("`rplay doc {}` lists them", action.name)),
                }
            }
            (Fault::Invalid(_), Some((_, node))) => diagnostic.at(&node.span),
            _ => diagnostic
                .at(&action.span)
                .help(format!("`rplay doc {}` says what it takes", action.name)),
        }
    }
}

/// The pairs of a mapping, each on its own.
fn one_by_one(node: &Node) -> Vec<Node> {
    let Some(map) = node.as_map() else {
        return vec![node.clone()];
    };
    let alone = |(key, value): (&Key, &Node)| Node {
        span: node.span.clone(),
        kind: Kind::Map(std::iter::once((key.clone(), value.clone())).collect()),
    };
    map.iter().map(alone).collect()
}

fn unreachable(error: &ConnectError) -> TaskResult {
    let mut result = TaskResult::unreachable(error.to_string());
    let help = error.help();
    if !help.is_empty() {
        let help: Vec<String> = help.iter().map(|h| format!("  = help: {h}")).collect();
        result.diagnostic = Some(help.join("\n"));
    }
    result
}

/// Where a `fetch` keeps what it brings.
fn fetching(
    context: &TaskContext,
    host: &HostRun,
    request: &Request,
    args: &Map<String, Json>,
) -> Result<Option<Fetch>, Diagnostic> {
    if request.module != "fetch" {
        return Ok(None);
    }
    let dir = &context.frame.context.play.dir;
    let check = request.mode != Mode::Apply;
    Fetch::new(args, dir, &host.name, check)
        .map(Some)
        .map_err(|why| {
            let action = &context.task.action;
            let span = action.args.get("dest").map_or(&action.span, |n| &n.span);
            Diagnostic::error(why).at(span)
        })
}

/// The files that a request pulls, and its progress.
struct Files {
    run: Arc<Run>,
    task: TaskId,
    host: String,
    paths: Vec<Option<PathBuf>>,
    /// Takes what the module sends.
    fetch: Option<Arc<Fetch>>,
}

impl Exchange for Files {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        let path = self.paths.get(blob as usize).and_then(Option::as_ref);
        let path = path.ok_or_else(|| io::Error::other("the task has no such file"))?;
        Ok(Box::new(File::open(path)?))
    }

    fn push(&self, data: &[u8]) -> io::Result<()> {
        match &self.fetch {
            Some(fetch) => fetch.push(data),
            None => Err(io::Error::other("the task wants no file")),
        }
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        let host = self.host.clone();
        self.run.emit(Event::Progress {
            task: self.task,
            host,
            done,
            total,
        });
    }
}
