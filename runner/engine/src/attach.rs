//! Files of the controller that a module's arguments name: found, rendered where they are templates,
//! and sent along.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rplay_api::{ArgKind, ArgSpec, ControllerScript};
use rplay_diag::{Diagnostic, Source};
use rplay_template::{Language, Vars};
use rplay_wire::{End, Mode, Run as Request};
use serde_json::{Map, Value as Json};

use crate::controller_files::{Links, Sending};
use crate::lookup_io::{find, places};
use crate::run::Run;
use crate::task::TaskContext;
use crate::template_options;
use crate::template_vars;
use crate::text::{self, Unusable};

/// What is sent as it is.
#[derive(Clone, Copy)]
struct AsIs {
    /// Files that `ansible-vault` encrypted are.
    vaults: bool,
    /// Links in a folder may be.
    links: Links,
}

impl AsIs {
    /// Nothing is.
    const NOTHING: Self = Self {
        vaults: false,
        links: Links::Followed,
    };

    /// As the arguments `decrypt` and `local_follow` say.
    fn of(args: &Map<String, Json>) -> Self {
        let denied = |arg: &str| {
            let word = args.get(arg).map(|given| match given {
                Json::String(word) => word.to_lowercase(),
                other => other.to_string(),
            });
            word.as_deref().and_then(text::truth) == Some(false)
        };
        Self {
            vaults: denied("decrypt"),
            links: match denied("local_follow") {
                true => Links::Kept,
                false => Links::Followed,
            },
        }
    }
}

impl Run {
    /// Puts files of the controller in the place of their names.
    pub(crate) async fn attach(
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
        let as_is = AsIs::of(args);
        let takes_file = |arg: &ArgSpec| kinds[0].0 == arg.kind || kinds[2].0 == arg.kind;
        let missing = |arg: &&ArgSpec| arg.required && !args.keys().any(|name| arg.is_called(name));
        if spec.iter().any(takes_file)
            && let Some(missing) = spec.iter().find(missing)
        {
            let words = format!("{} is required", missing.name);
            let wrong = Diagnostic::error(words).at(&context.task.action.span);
            let help = format!(
                "`rplay doc {}` says what it takes",
                context.task.action.name
            );
            return Err(Unusable::Wrong(wrong.help(help)));
        }
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
            if path.is_empty() {
                let or = match spec.iter().any(|arg| arg.name == "content") {
                    true => " (or content)",
                    false => "",
                };
                return Err(wrong(format!(
                    "{}{or} is required: no file is named",
                    arg.name
                )));
            }
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
                let file = self.file(context, &name, as_is, span, &mut sending).await?;
                serde_json::to_value(ControllerScript { file, words })
            } else {
                serde_json::to_value(self.file(context, &path, as_is, span, &mut sending).await?)
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
            let sent = self
                .file(context, &name, AsIs::NOTHING, span, sending)
                .await?;
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
        as_is: AsIs,
        span: &rplay_diag::Span,
        sending: &mut Sending,
    ) -> Result<rplay_api::ControllerFile, Unusable> {
        let wrong = |words: String| Unusable::Wrong(Diagnostic::error(words).at(span));
        if let Some(content) = self.planned_file(context, name).await {
            return Ok(sending.content(name, 0o644, content));
        }
        let opener = |content: &[u8], path: &Path| match as_is.vaults {
            true => Ok(None),
            false => self.templar.open_vault_file(content, path),
        };
        match find(&context.frame, &context.task.file, "files", name) {
            Some(path) => self
                .files
                .send(name, &path, as_is.links, &opener, sending)
                .map_err(wrong),
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
            mode: Mode::Check,
            ..Request::new("slurp", serde_json::json!({ "src": path }).to_string())
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
        let source = Source::of_file(&path, content);
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
