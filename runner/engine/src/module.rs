//! A task's action: on the controller, or as a module on its host.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_api::{ArgError, ArgKind, ArgSpec, ControllerScript, Fault};
use rplay_diag::{Diagnostic, Source};
use rplay_event::{Event, TaskId};
use rplay_playbook::{Keyword, short};
use rplay_template::{Language, Vars};
use rplay_transport::{Become, ConnectError, Exchange, Target};
use rplay_wire::{End, Mode, Run as Request};
use rplay_yaml::{Key, Kind, Node};
use serde_json::{Map, Value as Json};

use crate::action;
use crate::controller_files::Sending;
use crate::fetch::Fetch;
use crate::host_run::HostRun;
use crate::invocation::invocation;
use crate::links::Broken;
use crate::lookup_io::{find, places};
use crate::prints;
use crate::result::TaskResult;
use crate::result_diff;
use crate::run::Run;
use crate::task::TaskContext;
use crate::template_options;
use crate::template_vars;
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
        if let Some(fault) = context.task.action.faults.first() {
            return self.failure(fault);
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

    /// The arguments of a task, rendered; with `module_defaults` under them.
    pub(crate) fn arguments(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Map<String, Json>, Unusable> {
        let action = &context.task.action;
        let mut args = self.module_defaults(context, vars)?;
        if let Some(template) = &action.template {
            match text::json(&self.templar, template, vars)? {
                Json::Object(map) => args.extend(map),
                other => {
                    let words = format!(
                        "`{}` takes a mapping of arguments, not `{other}`",
                        action.name
                    );
                    return Err(Unusable::Wrong(Diagnostic::error(words).at(&template.span)));
                }
            }
        }
        let node = Node {
            span: action.span.clone(),
            kind: Kind::Map(action.args.clone()),
        };
        if let Json::Object(map) = text::json(&self.templar, &node, vars)? {
            args.extend(map);
        }
        if let Some(words) = &action.text {
            args.insert(
                "_raw_params".to_owned(),
                text::json(&self.templar, words, vars)?,
            );
        }
        Ok(args)
    }

    /// What `module_defaults` gives a task's module, and the one that does its work on the host.
    fn module_defaults(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Map<String, Json>, Unusable> {
        let name = context.task.action.name.as_str();
        let all = context
            .frame
            .all(Some(&context.task), Keyword::ModuleDefaults);
        let mut args = Map::new();
        if all.is_empty() {
            return Ok(args);
        }
        let worker = match name {
            "service" => self.fact(vars, "service_mgr"),
            "package" => self.fact(vars, "pkg_mgr"),
            _ => None,
        };
        let spec = rplay_builtin::find(name).map(|module| module.spec());
        let takes = |arg: &str| spec.iter().flatten().any(|spec| spec.is_called(arg));
        for (key, node) in all.iter().filter_map(|node| node.as_map()).flatten() {
            let of = short(&key.text);
            let is_worker = worker.as_deref() == Some(of);
            if (of == name || is_worker)
                && let Json::Object(map) = text::json(&self.templar, node, vars)?
            {
                let fitting = map.into_iter().filter(|(arg, _)| !is_worker || takes(arg));
                args.extend(fitting);
            }
        }
        Ok(args)
    }

    /// A fact of the host, where it is known, as text.
    fn fact(&self, vars: &Arc<dyn Vars>, name: &str) -> Option<String> {
        let facts = self.templar.view(vars).get_attr("ansible_facts").ok()?;
        let fact = facts.get_attr(name).ok()?;
        fact.as_str().map(str::to_owned)
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
            None => self.options.library.find(name),
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
        let request = match self.request(context, host, vars, module.doc.name, &args, &sending) {
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
        module: &str,
        args: &Map<String, Json>,
        sending: &Sending,
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
        let wants_diff = request.diff;
        match link.run(place.become_.as_ref(), request, files).await {
            Ok(report) => {
                let place = match &report.end {
                    End::Failed { msg, arg, help, .. } => {
                        Some((msg.clone(), arg.clone(), help.clone()))
                    }
                    _ => None,
                };
                let mut result = TaskResult::of_report(report, &context.origin);
                if wants_diff && !result.changes.is_empty() {
                    let diff = result_diff::of(&result.changes);
                    result.data.insert("diff".to_owned(), diff);
                }
                if let Some((msg, arg, help)) = place {
                    result.diagnostic = Some(self.drawn(context, &msg, arg.as_deref(), &help));
                }
                result
            }
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

    /// No agent: a wrong password is a failure of the task, a lost host is lost.
    fn no_agent(&self, context: &TaskContext, error: &ConnectError) -> TaskResult {
        if matches!(error.cause, rplay_transport::Cause::Become { .. }) {
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

    /// Puts files of the controller in the place of their names.
    async fn attach(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        spec: &[ArgSpec],
        args: &mut Map<String, Json>,
    ) -> Result<Sending, Unusable> {
        let mut sending = Sending::default();
        let by_default = |s: &ArgSpec| s.name == "remote_src" && s.default == Some("true");
        let remote = args
            .get("remote_src")
            .map_or(spec.iter().any(by_default), |v| {
                v == &Json::Bool(true)
                    || v.as_str().is_some_and(|s| {
                        matches!(s.to_lowercase().as_str(), "yes" | "true" | "on" | "1")
                    })
            });
        let kinds = [
            (ArgKind::ControllerFile, "files"),
            (ArgKind::ControllerScript, "files"),
            (ArgKind::ControllerTemplate, "templates"),
        ];
        for arg in spec {
            if let ArgKind::ControllerForm(by, word) = arg.kind
                && args.get(by).and_then(Json::as_str) == Some(word)
                && !remote
            {
                self.attach_form(context, arg.name, args, &mut sending)
                    .await?;
                continue;
            }
            let Some((_, kind)) = kinds.iter().find(|(k, _)| *k == arg.kind) else {
                continue;
            };
            let written = [arg.name].into_iter().chain(arg.aliases.iter().copied());
            let Some(name) = written.into_iter().find(|n| args.contains_key(*n)) else {
                continue;
            };
            let Some(Json::String(path)) = args.get(name).cloned() else {
                continue;
            };
            if remote || path.contains("://") {
                continue;
            }
            let node = context.task.action.args.get(name);
            let span = node.map_or(&context.task.action.span, |n| &n.span);
            let wrong = |words: String| Unusable::Wrong(Diagnostic::error(words).at(span));
            let value = if *kind == "templates" {
                serde_json::to_value(self.template(
                    context,
                    vars,
                    &path,
                    args,
                    span,
                    &mut sending,
                )?)
            } else if arg.kind == ArgKind::ControllerScript {
                let (name, words) = ControllerScript::split(&path);
                let file = self.file(context, &name, span, &mut sending).await?;
                serde_json::to_value(ControllerScript { file, words })
            } else {
                serde_json::to_value(self.file(context, &path, span, &mut sending).await?)
            };
            let value = value.map_err(|e| wrong(e.to_string()))?;
            args.insert(name.to_owned(), value);
        }
        Ok(sending)
    }

    /// Puts the files of a form beside their names.
    async fn attach_form(
        &self,
        context: &TaskContext,
        arg: &str,
        args: &mut Map<String, Json>,
        sending: &mut Sending,
    ) -> Result<(), Unusable> {
        let node = context.task.action.args.get(arg);
        let span = node.map_or(&context.task.action.span, |n| &n.span);
        let Some(Json::Object(parts)) = args.get_mut(arg) else {
            return Ok(());
        };
        for part in parts.values_mut().filter_map(Json::as_object_mut) {
            let Some(Json::String(name)) = part.get("filename").cloned() else {
                continue;
            };
            if part.contains_key("content") {
                continue;
            }
            let sent = self.file(context, &name, span, sending).await?;
            let sent = serde_json::to_value(sent)
                .map_err(|e| Unusable::Wrong(Diagnostic::error(e.to_string()).at(span)))?;
            part.insert(rplay_api::FORM_FILE.to_owned(), sent);
        }
        Ok(())
    }

    async fn file(
        &self,
        context: &TaskContext,
        name: &str,
        span: &rplay_diag::Span,
        sending: &mut Sending,
    ) -> Result<rplay_api::ControllerFile, Unusable> {
        let wrong = |words: String| Unusable::Wrong(Diagnostic::error(words).at(span));
        if let Some(content) = self.planned_file(context, name).await {
            return Ok(sending.content(name, 0o644, content));
        }
        match find(&context.frame, &context.task.file, "files", name) {
            Some(path) => self.files.send(name, &path, sending).map_err(wrong),
            None => Err(self.not_there(context, "files", name, span)),
        }
    }

    fn not_there(
        &self,
        context: &TaskContext,
        kind: &str,
        name: &str,
        span: &rplay_diag::Span,
    ) -> Unusable {
        let looked = places(&context.frame, &context.task.file, kind, name);
        let looked: Vec<String> = looked
            .iter()
            .map(|p| format!("`{}`", p.display()))
            .collect();
        let what = if kind == "templates" {
            "template"
        } else {
            "file"
        };
        let diagnostic = Diagnostic::error(format!("the {what} `{name}` is not there")).at(span);
        Unusable::Wrong(diagnostic.help(format!("looked at {}", looked.join(", "))))
    }

    /// In a dry run, a file that an earlier task would have made on the controller.
    async fn planned_file(&self, context: &TaskContext, name: &str) -> Option<Vec<u8>> {
        if !self.options.check {
            return None;
        }
        let path = places(&context.frame, &context.task.file, "files", name)
            .into_iter()
            .next()?;
        let link = self
            .links
            .link(&self.local(&context.frame.context.play.dir))
            .await
            .ok()?;
        let request = Request {
            id: 0,
            module: "slurp".to_owned(),
            args: serde_json::json!({ "src": path }).to_string(),
            mode: Mode::Check,
            diff: false,
            environment: vec![],
            blobs: vec![],
            job: None,
        };
        let report = link
            .run(None, request, Arc::new(rplay_transport::NoFiles))
            .await
            .ok()?;
        let End::Ok { data, .. } = report.end else {
            return None;
        };
        let data: Json = serde_json::from_str(&data).ok()?;
        let content = data.get("content")?.as_str()?;
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, content).ok()
    }

    fn template(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        name: &str,
        args: &Map<String, Json>,
        span: &rplay_diag::Span,
        sending: &mut Sending,
    ) -> Result<rplay_api::ControllerFile, Unusable> {
        let Some(path) = find(&context.frame, &context.task.file, "templates", name) else {
            return Err(self.not_there(context, "templates", name, span));
        };
        let wrong = |words: String| Unusable::Wrong(Diagnostic::error(words).at(span));
        let content = self
            .templar
            .read_file(&path)
            .map_err(|e| wrong(format!("could not read `{}`: {e}", path.display())))?;
        let source = Source::new(path.display().to_string(), content);
        let language = match path.extension().and_then(|e| e.to_str()) {
            Some("hbs") => Language::Handlebars,
            _ => Language::Jinja,
        };
        let options = template_options::of(args).map_err(|(arg, why)| {
            let action = &context.task.action;
            let at = action.args.get(arg).map_or(span, |node| &node.span);
            Unusable::Wrong(Diagnostic::error(format!("argument `{arg}`: {why}")).at(at))
        })?;
        let dest = args.get("dest").and_then(Json::as_str);
        let vars = &template_vars::with_template(vars, name, &path, dest);
        let (text, origins) = self
            .templar
            .file(&source, language, options.text, vars)
            .map_err(|d| Unusable::Wrong(d.label(span, "this template")))?;
        if !origins.is_empty() {
            return Err(Unusable::Unknown(origins));
        }
        let mode = std::fs::metadata(&path).map_or(0o644, |m| m.permissions().mode() & 0o7777);
        let content = rplay_template::encoding::encode(&text, &options.encoding)
            .map_err(|why| wrong(format!("`{}`: {why}", path.display())))?;
        Ok(sending.content(name, mode, content))
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
