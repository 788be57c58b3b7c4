//! A task's action: on the controller, or as a module on its host.

use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_playbook::short;
use rplay_template::Vars;
use rplay_transport::{BecomeFault, Cause, ConnectError, Exchange};
use rplay_wire::{End, Mode, Report, Run as Request};
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

use crate::action;
use crate::ahead::OnItsWay;
use crate::exchange::Files;
use crate::host_run::HostRun;
use crate::links::{Broken, Sent};
use crate::prepare::{Errand, Place, Prepared};
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

impl Run {
    /// Runs the action of a task; where its request was sent before its turn, waits for its end.
    pub(crate) async fn act(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
        early: Option<OnItsWay>,
    ) -> TaskResult {
        if let Some(early) = early
            && let Some(result) = self.answered(context, host, early).await
        {
            return result;
        }
        let name = match self.action_name(context, vars) {
            Ok(name) => name,
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        if let Some(refused) = self.unsupported(context) {
            return refused;
        }
        if let Some(fault) = context.task.action.faults.first() {
            return TaskResult {
                of_task: true,
                ..self.failure(fault)
            };
        }
        if let Some(result) = self.in_python(context, host, vars, &name).await {
            return result;
        }
        if let Some(action) = action::find(&name) {
            let call = action::Call {
                run: self,
                context,
                host,
                vars,
            };
            return (action.run)(call).await;
        }
        match self.arguments(context, vars) {
            Ok(args) => self.module(context, host, vars, &name, args).await,
            Err(unusable) => self.unusable(unusable),
        }
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
        args: Map<String, Json>,
    ) -> TaskResult {
        let prepared = self.prepare(context, host, vars, name, args).await;
        let Prepared {
            request,
            job,
            errand,
        } = match prepared {
            Ok(prepared) => prepared,
            Err(result) => return result,
        };
        if let Some(wanted) = job {
            let files = self.files(context, host, &errand);
            let result = self
                .in_background(context, &errand.place, request, wanted, files)
                .await;
            return errand.told(result);
        }
        let sent = self.begin(&errand.place, request).await;
        let braces = vec![];
        let own = OnItsWay {
            braces,
            errand,
            sent,
        };
        if let Some(first) = own.before() {
            self.send_ahead(context, host, first).await;
        }
        let answered = self.answered(context, host, own).await;
        answered.expect("bug: a request that needs no other one was not run")
    }

    /// Waits for a request's end; none where it did not run.
    async fn answered(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &HostRun,
        early: OnItsWay,
    ) -> Option<TaskResult> {
        let OnItsWay { errand, sent, .. } = early;
        let answer = match sent {
            Ok(sent) => sent.answer(self.files(context, host, &errand)).await,
            Err(broken) => Err(broken),
        };
        if let Ok(report) = &answer
            && report.end == End::NotRun
        {
            return None;
        }
        let result = self.outcome(context, &errand.place, errand.is_dry, answer);
        Some(errand.told(result))
    }

    fn files(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &HostRun,
        errand: &Errand,
    ) -> Arc<Files> {
        Arc::new(Files {
            run: self.clone(),
            task: context.id,
            host: host.name.clone(),
            paths: errand.paths.clone(),
            fetch: errand.fetch.clone(),
        })
    }

    /// Sends a request in its turn.
    pub(crate) async fn begin(&self, place: &Place, request: Request) -> Result<Sent, Broken> {
        let link = self.links.link(&place.target).await;
        let link = link.map_err(Broken::Connect)?;
        link.begin(place.become_.as_ref(), request).await
    }

    /// Sends a request and makes a result of what comes back.
    pub(crate) async fn send(
        &self,
        context: &TaskContext,
        place: &Place,
        request: Request,
        files: Arc<dyn Exchange>,
    ) -> TaskResult {
        let is_dry = request.mode == Mode::Check;
        let answer = self.ask(place, request, files).await;
        self.outcome(context, place, is_dry, answer)
    }

    /// Sends a request and waits for its end.
    pub(crate) async fn ask(
        &self,
        place: &Place,
        request: Request,
        files: Arc<dyn Exchange>,
    ) -> Result<Report, Broken> {
        self.begin(place, request).await?.answer(files).await
    }

    /// The result of what came back.
    pub(crate) fn outcome(
        &self,
        context: &TaskContext,
        place: &Place,
        is_dry: bool,
        answer: Result<Report, Broken>,
    ) -> TaskResult {
        let target = &place.target.name;
        match answer {
            Ok(report) => {
                let place = match &report.end {
                    End::Failed { msg, arg, help, .. } => {
                        Some((msg.clone(), arg.clone(), help.clone()))
                    }
                    _ => None,
                };
                let mut result = TaskResult::of_report(report, &context.origin);
                if is_dry {
                    self.doubts.plan(target, &result.changes);
                }
                if let Some((msg, arg, help)) = place {
                    result.diagnostic = Some(self.drawn(context, &msg, arg.as_deref(), &help));
                }
                result
            }
            Err(Broken::Connect(error)) if is_dry => self
                .not_yet(context, target, &error)
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
        if !error.is_unreachable() {
            let mut diagnostic = error.diagnostic();
            if diagnostic.span().is_none() {
                diagnostic = diagnostic.at(&context.task.action.span);
            }
            return self.failure(&diagnostic);
        }
        unreachable(error)
    }
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
