//! What lookups may touch: the controller's files, environment and processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rplay_template::{LookupIo, Origin, Plugin, Templar, Value, Vars, encoding, unknown};
use rplay_transport::Method;
use rplay_vars::Store;
use serde_json::{Map, Value as Json};

use crate::frame::Frame;
use crate::options::Options;
use crate::python::{Call, told_vars};
use crate::template_vars;

/// Lookups of one task.
#[derive(Debug)]
pub(crate) struct TaskIo {
    pub frame: Frame,
    pub file: PathBuf,
    /// Of the files that the task itself takes.
    pub kind: &'static str,
    pub store: Arc<Store>,
    pub options: Arc<Options>,
    pub templar: Templar,
}

/// The first of the places where a name is, `~` and absolute paths as they are.
pub(crate) fn find(frame: &Frame, file: &Path, kind: &str, name: &str) -> Option<PathBuf> {
    places(frame, file, kind, name)
        .into_iter()
        .find(|path| path.exists())
}

/// Where a name is looked for.
pub(crate) fn places(frame: &Frame, file: &Path, kind: &str, name: &str) -> Vec<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let path = match name.strip_prefix("~/") {
        Some(rest) => PathBuf::from(home).join(rest),
        None => PathBuf::from(name),
    };
    if path.is_absolute() {
        return vec![path];
    }
    let mut places: Vec<PathBuf> = vec![];
    for dir in frame.search(kind, file) {
        let place = dir.join(&path);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// A path that means the same from any folder: what is found may be looked for again.
pub(crate) fn whole(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

impl TaskIo {
    /// The playbook's folder; of one named without a folder the one that we are in.
    fn dir(&self) -> &Path {
        let dir = &self.frame.context.play.dir;
        if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        }
    }
}

impl LookupIo for TaskIo {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn read(&self, kind: &str, name: &str) -> Result<String, String> {
        self.read_bytes(kind, name)
            .map(|content| encoding::of_bytes(&content))
    }

    fn read_bytes(&self, kind: &str, name: &str) -> Result<Vec<u8>, String> {
        let path = self
            .find(kind, name)
            .ok_or_else(|| format!("the file `{name}` is not there: No such file or directory"))?;
        std::fs::read(&path).map_err(|e| format!("could not read `{}`: {e}", path.display()))
    }

    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        let found = find(&self.frame, &self.file, kind, name)?;
        Some(whole(found))
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = places(&self.frame, &self.file, "files", pattern)
            .iter()
            .filter_map(|place| glob::glob(&place.to_string_lossy()).ok())
            .find_map(|paths| {
                let files = paths.flatten().filter(|p| p.is_file());
                let files: Vec<_> = files.map(whole).collect();
                (!files.is_empty()).then_some(files)
            })
            .unwrap_or_default();
        found.sort();
        found
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn plugin(
        &self,
        kind: Plugin,
        name: &str,
        (given, named): (Vec<Json>, Map<String, Json>),
        vars: &Arc<dyn Vars>,
    ) -> Option<Result<Json, String>> {
        let vars = || told_vars(&self.templar, vars);
        self.options.library.plugin(Call {
            kind,
            name: name.to_owned(),
            given,
            named,
            vars: &vars,
        })
    }

    fn url(&self, url: &str, options: &Map<String, Json>) -> Result<String, String> {
        crate::lookup_url::fetched(url, options)
    }

    fn pipe(&self, command: &str) -> Result<String, String> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).current_dir(self.dir());
        let output =
            crate::pipes::output(shell).map_err(|e| format!("could not run `{command}`: {e}"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("`{command}` failed: {words}"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn write_private(&self, name: &str, text: &str) -> Result<(), String> {
        use std::io::Write;
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let path = self.dir().join(name);
        let failed = |e: std::io::Error| format!("could not write `{}`: {e}", path.display());
        if let Some(above) = path.parent() {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(above).map_err(failed)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)
    }

    fn config(
        &self,
        name: &str,
        plugin: Option<(&str, &str)>,
        _: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<Option<(Value, String)>, String> {
        if let Some(("become", method)) = plugin
            && let Some(method) = Method::of_word(method)
        {
            let known = self.options.escalate.setting(method, name);
            return Ok(known.map(|value| (value.into(), "default".to_owned())));
        }
        if let Some((kind, plugin)) = plugin {
            return Err(format!(
                "Unable to load {kind} plugin `{plugin}`: only the settings of the runner itself can be asked for"
            ));
        }
        let nowhere = Origin {
            what: "config".to_owned(),
            span: None,
        };
        let known = self.options.settings.get(name);
        Ok(known.map(|known| {
            let value = unknown::from_json(&known.value, &[], &nowhere);
            (value, known.origin.clone())
        }))
    }

    fn of_template(&self, vars: &Arc<dyn Vars>, name: &str, path: &Path) -> Arc<dyn Vars> {
        template_vars::with_template(vars, name, path, None)
    }

    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String> {
        let selected = rplay_inventory::select(&self.store.inventory(), pattern);
        // As in Ansible, a pattern of nothing gives nothing.
        let names = selected.unwrap_or_default();
        Ok(names.iter().map(ToString::to_string).collect())
    }
}
