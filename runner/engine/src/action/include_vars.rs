//! Reads variables of a file or folder on the controller.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use indexmap::IndexMap;
use regex::Regex;
use rplay_api::{Args, Doc};
use rplay_diag::{Diagnostic, Span};
use rplay_playbook::{Role, reserved_name};
use rplay_template::{Var, Vars, kept, to_json};
use rplay_yaml::{Kind, Map, Node};

use super::{Action, Call, settled};
use crate::lookup_io::{find, places};
use crate::result::TaskResult;
use crate::text::{content, key};

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "include_vars",
        aliases: &[],
        summary: "Reads variables of a file or folder on the controller",
        description: "",
        free_form: Some("file"),
        examples: r#"
- include_vars: "{{ ansible_facts.os_family }}.yml"
- include_vars:
    dir: more
    extensions: [yml]
    name: settings
"#,
        returns: &[],
    },
    spec: IncludeVarsArgs::spec,
    run,
};

/// Arguments of `include_vars`.
#[derive(Args)]
struct IncludeVarsArgs {
    /// The file.
    #[arg(alias = "_raw_params")]
    file: Option<String>,
    /// A folder, of which every file is read.
    dir: Option<String>,
    /// Put them into a variable of this name.
    name: Option<String>,
    /// Endings of the files to read in a folder.
    #[arg(default = vec!["yaml".to_owned(), "yml".to_owned(), "json".to_owned()])]
    extensions: Vec<String>,
    /// Patterns of files to leave out.
    ignore_files: Option<Vec<String>>,
    /// Only files that match this.
    files_matching: Option<String>,
    /// How deep to go in a folder; 0 is all the way.
    #[arg(default = 0_u32)]
    depth: u32,
    /// Skip files of other endings.
    #[arg(default = false)]
    ignore_unknown_extensions: bool,
    /// `merge` or `replace`.
    hash_behaviour: Option<String>,
}

/// The key of a result that has them.
const FACTS: &str = "ansible_facts";

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(include(call))).boxed()
}

fn include(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: IncludeVarsArgs = call.args()?;
    let action = &call.context.task.action;
    let wrong = |words: String| call.run.failure(&Diagnostic::error(words).at(&action.span));
    let merge = match args.hash_behaviour.as_deref() {
        None | Some("replace") => false,
        Some("merge") => true,
        Some(other) => {
            return Err(wrong(format!(
                "`hash_behaviour` is merge or replace, not `{other}`"
            )));
        }
    };
    let name = args.dir.as_ref().or(args.file.as_ref());
    let name = name.ok_or_else(|| {
        let words = "Could not find file: `include_vars` needs a file or a folder";
        wrong(words.to_owned()).with("message", words)
    })?;
    let name = name.trim_end_matches('\n');
    let (frame, file) = (&call.context.frame, &call.context.task.file);
    let Some(path) = find(frame, file, "vars", name) else {
        let looked: Vec<_> = places(frame, file, "vars", name)
            .iter()
            .map(|p| format!("`{}`", p.display()))
            .collect();
        let words = format!("Could not find file `{name}`");
        let diagnostic = Diagnostic::error(words.clone())
            .at(&action.span)
            .help(format!("looked at {}", looked.join(", ")));
        return Err(call.run.failure(&diagnostic).with("message", words));
    };
    let files = match &args.dir {
        None => vec![path],
        Some(_) if !path.is_dir() => {
            return Err(wrong(format!("`{}` is no folder", path.display())));
        }
        Some(_) => {
            let choice = Choice::new(&args, call.context.frame.roles().next()).map_err(wrong)?;
            let mut files = vec![];
            choice
                .folder(&path, 1, &mut files)
                .map_err(|words| wrong(words.clone()).with("message", words))?;
            files
        }
    };
    let mut all = Map::new();
    let mut read = vec![];
    for path in files {
        let vars = call
            .run
            .read_vars(&path)
            .map_err(|d| call.run.failure(&d))?;
        if args.name.is_none() {
            let odd = vars
                .keys()
                .filter_map(|key| reserved_name(&key.text, &key.span));
            odd.for_each(|warning| call.run.warn(&warning));
        }
        all.extend(vars);
        read.push(path.display().to_string());
    }
    let is_secret = all.values().any(|node| node.span.source().is_secret());
    let span = Span::synthetic("include_vars");
    if let Some(name) = &args.name {
        let kind = Kind::Map(all);
        all = Map::from_iter([(
            key(name, &span),
            Node {
                span: span.clone(),
                kind,
            },
        )]);
    }
    if merge {
        let as_node = |map: Map| Node {
            span: span.clone(),
            kind: Kind::Map(map),
        };
        let under = as_node(known(call, &all));
        if let Kind::Map(merged) = rplay_vars::merge(under, &as_node(all.clone())).kind {
            all = merged;
        }
    }
    let node = Node {
        span,
        kind: Kind::Map(all.clone()),
    };
    let all = Arc::new(all);
    call.run
        .store
        .update(&call.host.name, |vars| vars.include(all.clone()));
    // They may be made of each other.
    let (task, frame) = (&call.context.task, &call.context.frame);
    let scope: Arc<dyn Vars> = Arc::new(call.run.scope(&call.host.name, Some(task), frame));
    let value = call.run.templar.render(&node, &scope).unwrap_or_default();
    let facts = to_json(&value).unwrap_or_default();
    let values = IndexMap::from([(FACTS.to_owned(), kept(&facts, &value))]);
    let result = TaskResult::done(false, serde_json::Map::new())
        .with(FACTS, facts)
        .with("ansible_included_var_files", read);
    Ok(TaskResult {
        is_secret,
        values,
        ..result
    })
}

/// What the host's variables of these names are now.
fn known(call: Call<'_>, names: &Map) -> Map {
    let now = names.keys().filter_map(|name| {
        let span = name.span.clone();
        let kind = match call.vars.get(&name.text)? {
            Var::Raw(node) if matches!(node.kind, Kind::Map(_)) => node.kind.clone(),
            Var::Raw(node) => content(&call.run.templar.render(&node, call.vars).ok()?, &span),
            Var::Value(value) => content(&value, &span),
        };
        Some((name.clone(), Node { span, kind }))
    });
    now.collect()
}

/// Which files of a folder are read.
struct Choice<'a> {
    args: &'a IncludeVarsArgs,
    matching: Option<Regex>,
    ignored: Vec<Regex>,
    /// The role's own `vars/main.yml`, which is read with the role.
    own: Option<PathBuf>,
}

impl<'a> Choice<'a> {
    fn new(args: &'a IncludeVarsArgs, role: Option<&Arc<Role>>) -> Result<Self, String> {
        let regex = |arg: &str, text: &str| {
            Regex::new(text).map_err(|e| format!("`{arg}`: `{text}` is no pattern: {e}"))
        };
        let ignored = args.ignore_files.iter().flatten();
        Ok(Self {
            args,
            matching: args
                .files_matching
                .as_deref()
                .map(|text| regex("files_matching", text))
                .transpose()?,
            ignored: ignored
                .map(|name| regex("ignore_files", &format!("{name}$")))
                .collect::<Result<_, _>>()?,
            own: role.map(|role| role.path.join("vars")),
        })
    }

    /// A folder's files by name, then the folders in it.
    fn folder(&self, dir: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), String> {
        let entries = std::fs::read_dir(dir)
            .map_err(|e| format!("could not read the folder `{}`: {e}", dir.display()))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let (dirs, here): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(|path| path.is_dir());
        for path in here {
            if self.takes(&path)? {
                files.push(path);
            }
        }
        if self.args.depth == 0 || depth < self.args.depth {
            for dir in dirs {
                self.folder(&dir, depth + 1, files)?;
            }
        }
        Ok(())
    }

    fn takes(&self, path: &Path) -> Result<bool, String> {
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let name = text(path.file_name());
        let is_main = text(path.file_stem()) == "main" && path.parent() == self.own.as_deref();
        let matches = self.matching.as_ref().is_none_or(|m| m.is_match(&name));
        if is_main || !matches || self.ignored.iter().any(|i| i.is_match(&name)) {
            return Ok(false);
        }
        let known = self.args.extensions.contains(&text(path.extension()));
        if known || self.args.ignore_unknown_extensions {
            return Ok(known);
        }
        Err(format!(
            "{} does not have a valid extension: {}",
            path.display(),
            self.args.extensions.join(", ")
        ))
    }
}
