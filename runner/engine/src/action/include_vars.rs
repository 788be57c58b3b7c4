//! Reads variables of a file or folder on the controller.

use std::path::PathBuf;
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Key, Kind, Map, Node};

use super::{Action, Call, settled};
use crate::lookup_io::{find, places};
use crate::result::TaskResult;

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

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(include(call))).boxed()
}

fn include(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: IncludeVarsArgs = call.args()?;
    let action = &call.context.task.action;
    let wrong = |words: String| call.run.failure(&Diagnostic::error(words).at(&action.span));
    let _ = (
        &args.files_matching,
        args.depth,
        args.ignore_unknown_extensions,
        &args.hash_behaviour,
    );
    let name = args.dir.as_ref().or(args.file.as_ref());
    let name = name.ok_or_else(|| wrong("`include_vars` needs a file or a folder".to_owned()))?;
    let (frame, file) = (&call.context.frame, &call.context.task.file);
    let Some(path) = find(frame, file, "vars", name) else {
        let looked: Vec<_> = places(frame, file, "vars", name)
            .iter()
            .map(|p| format!("`{}`", p.display()))
            .collect();
        let diagnostic = Diagnostic::error(format!("the file of variables `{name}` is not there"));
        let diagnostic = diagnostic
            .at(&action.span)
            .help(format!("looked at {}", looked.join(", ")));
        return Err(call.run.failure(&diagnostic));
    };
    let mut files = if path.is_dir() {
        folder(&path, &args)
    } else {
        vec![path]
    };
    files.sort();
    let mut all = Map::new();
    let mut read = vec![];
    for path in files {
        all.extend(
            call.run
                .read_vars(&path)
                .map_err(|d| call.run.failure(&d))?,
        );
        read.push(path.display().to_string());
    }
    if let Some(name) = args.name {
        let span = Span::synthetic("include_vars");
        let key = Key {
            text: name,
            span: span.clone(),
        };
        all = Map::from_iter([(
            key,
            Node {
                span,
                kind: Kind::Map(all),
            },
        )]);
    }
    let all = Arc::new(all);
    call.run
        .store
        .update(&call.host.name, |vars| vars.include(all.clone()));
    Ok(TaskResult::done(false, serde_json::Map::new()).with("ansible_included_var_files", read))
}

fn folder(dir: &PathBuf, args: &IncludeVarsArgs) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files = vec![];
    for path in entries.map(|e| e.path()) {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        if path.is_dir() {
            files.extend(folder(&path, args));
            continue;
        }
        let ignored = args.ignore_files.iter().flatten().any(|i| *i == name);
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !ignored && args.extensions.contains(&ending) {
            files.push(path);
        }
    }
    files
}
