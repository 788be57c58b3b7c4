//! A module's call, made ready: its arguments rendered and checked, its files found, its request made.
//! Nothing here touches a host.

use std::path::PathBuf;
use std::sync::Arc;

use rplay_api::{ArgError, ArgKind, ArgMap, ArgSpec, Fault};
use rplay_diag::Diagnostic;
use rplay_playbook::Keyword;
use rplay_template::Vars;
use rplay_transport::{Become, Target};
use rplay_wire::{Mode, Run as Request};
use rplay_yaml::{Key, Kind, Node};
use serde_json::{Map, Value as Json, json};

use crate::background::Wanted;
use crate::controller_files::Sending;
use crate::exchange::fetching;
use crate::fetch::Fetch;
use crate::host_run::HostRun;
use crate::invocation;
use crate::library::OwnModule;
use crate::prints;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text::{self, Unusable};

/// Where a task really runs, and as whom.
#[derive(PartialEq, Eq)]
pub(crate) struct Place {
    pub target: Target,
    pub become_: Option<Become>,
}

/// A call that can be sent.
pub(crate) struct Prepared {
    pub request: Request,
    /// Set where it is to go on by itself.
    pub job: Option<Wanted>,
    pub errand: Errand,
}

/// What is kept of a call while its request is on its way.
pub(crate) struct Errand {
    pub place: Place,
    /// Whether nothing is to be changed.
    pub is_dry: bool,
    /// The files behind the request's blobs.
    pub paths: Vec<Option<PathBuf>>,
    /// Keeps what the module sends back.
    pub fetch: Option<Arc<Fetch>>,
    /// The module's arguments, its defaults among them.
    invocation: Json,
    /// What is asked of the module, where a plan is made.
    asked: Option<String>,
}

impl Errand {
    /// The result of a call, with what only the controller knows of it.
    pub(crate) fn told(self, result: TaskResult) -> TaskResult {
        let mut result = match self.fetch {
            Some(fetch) => fetch.finish(result),
            None => result,
        };
        let ran = !result.is_unreachable();
        // A module that is not part of rplay tells it itself.
        let told = result.data.shift_remove("invocation");
        TaskResult {
            invocation: ran.then(|| told.unwrap_or(self.invocation)),
            asked: self.asked,
            ..result
        }
    }
}

impl Run {
    /// Makes a module's call ready.
    ///
    /// # Errors
    /// The result of a task that cannot be sent.
    pub(crate) async fn prepare(
        &self,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
        name: &str,
        mut args: Map<String, Json>,
    ) -> Result<Prepared, TaskResult> {
        let wrong = |diagnostic: Diagnostic| self.failure(&diagnostic);
        let place = self.place(context, host, vars).map_err(wrong)?;
        let mut name = name;
        let mut invocation = None;
        if let Some(own) = self.own_module(context, name) {
            invocation = Some(json!({"module_args": args}));
            args = self
                .own_call(context, host, vars, &place, own, args)
                .await?;
            name = "_program";
        }
        let Some(module) = rplay_builtin::find(name) else {
            let words = format!("there is no module `{name}`");
            return Err(self.failure(&Diagnostic::error(words).at(&context.task.action.span)));
        };
        if let Some(raw) = args.shift_remove("_raw_params")
            && let Some(free) = module.doc.free_form
        {
            args.insert(free.to_owned(), raw);
        }
        if module.doc.name == "async_status" {
            let dir = self.async_dir(vars);
            args.extend(dir.map(|dir| ("_async_dir".to_owned(), dir.into())));
        }
        if let Some(refused) = self.not_by_itself(context, vars, module.doc.name) {
            return Err(refused);
        }
        let spec = module.spec();
        let invocation = invocation.unwrap_or_else(|| invocation::of(&spec, &args));
        let sending = self.attach(context, vars, &spec, &mut args).await;
        let sending = sending.map_err(|unusable| self.unusable(unusable))?;
        if let Err(error) = module.check_args(&args) {
            // As in Ansible, the module says so, and not the task.
            let failure = TaskResult {
                of_task: false,
                ..self.failure(&self.argument_error(context, &spec, &error))
            };
            return Err(match bad_mode(&spec, &args, &error) {
                Some(details) => failure.with("details", details),
                None => failure,
            });
        }
        let Sending { blobs, paths } = sending;
        let request = Request::new(module.doc.name, Json::Object(args.clone()).to_string());
        let request = self
            .surrounded(context, host, vars, &place, Request { blobs, ..request })
            .map_err(wrong)?;
        let fetch = fetching(context, host, &request, &args).map_err(wrong)?;
        let job = self.job(context, vars, &request).map_err(wrong)?;
        let asked = self.options.fingerprint.is_some();
        let asked = asked.then(|| prints::asked(&request));
        Ok(Prepared {
            job,
            errand: Errand {
                place,
                is_dry: request.mode == Mode::Check,
                paths,
                fetch: fetch.map(Arc::new),
                invocation,
                asked,
            },
            request,
        })
    }

    /// The module of the user's own that a task calls, if it is one.
    fn own_module(&self, context: &TaskContext, name: &str) -> Option<OwnModule> {
        let library = &self.options.library;
        let is_own =
            rplay_builtin::find(name).is_none() || library.stands_in(&context.task.action.written);
        is_own.then(|| library.find(name)).flatten()
    }

    /// The result of a task whose arguments cannot be used.
    pub(crate) fn unusable(&self, unusable: Unusable) -> TaskResult {
        match unusable {
            Unusable::Unknown(origins) => TaskResult::unknown(origins),
            Unusable::Wrong(diagnostic) => self.failure(&diagnostic),
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
        let (name, vars) = self.where_it_runs(context, &host.name, vars)?;
        let target = self.target(&name, &vars, task, frame)?;
        let become_ = self.becomes(&target.kind, &vars, task, frame)?;
        Ok(Place { target, become_ })
    }

    /// A call with what a task says of how it is made.
    fn surrounded(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        place: &Place,
        request: Request,
    ) -> Result<Request, Diagnostic> {
        let check = self.keyword_is(Keyword::CheckMode, host, context, self.options.check);
        let diff = self.keyword_is(Keyword::Diff, host, context, self.options.diff);
        Ok(Request {
            mode: match (check, self.options.check) {
                (false, _) => Mode::Apply,
                (true, true) => Mode::Check,
                (true, false) => Mode::Preview,
            },
            diff,
            environment: self.environment(context, vars, &request.module)?,
            doubt: self.doubts.of(&place.target.name).filter(|_| check),
            brief: !self.options.shows_results && self.register_name(context).is_none(),
            ..request
        })
    }

    /// The environment that a task asks for, for a module.
    pub(crate) fn environment(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        module: &str,
    ) -> Result<Vec<(String, String)>, Diagnostic> {
        let mut environment = vec![];
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
        Ok(environment)
    }

    fn argument_error(
        &self,
        context: &TaskContext,
        spec: &[ArgSpec],
        error: &ArgError,
    ) -> Diagnostic {
        let action = &context.task.action;
        let written = action.args.get_key_value(error.arg.as_str());
        let words = match &error.fault {
            Fault::Missing => error.to_string(),
            Fault::Invalid(why) if is_mode(spec, error) => why.clone(),
            _ => format!("`{}`: {error}", action.name),
        };
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
            (Fault::Invalid(_), Some((_, node))) if is_mode(spec, error) => diagnostic
                .at(&node.span)
                .help("a mode is written as `\"0644\"` or `u=rw,go=r`"),
            (Fault::Invalid(_), Some((_, node))) => diagnostic.at(&node.span),
            _ => diagnostic
                .at(&action.span)
                .help(format!("`rplay doc {}` says what it takes", action.name)),
        }
    }
}

fn is_mode(spec: &[ArgSpec], error: &ArgError) -> bool {
    let mut modes = spec.iter().filter(|arg| arg.kind == ArgKind::Mode);
    modes.any(|arg| arg.is_called(&error.arg))
}

/// What is wrong with a mode, in the words that scripts look for.
fn bad_mode(spec: &[ArgSpec], args: &ArgMap, error: &ArgError) -> Option<String> {
    let given = args.get(&error.arg).filter(|_| is_mode(spec, error))?;
    let mode = match given.as_str() {
        Some(text) => text.to_owned(),
        None => given.to_string(),
    };
    Some(format!("bad symbolic permission for mode: {mode}"))
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
