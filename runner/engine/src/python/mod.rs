//! Modules that are not part of rplay: how each is called, and the Python library that some need.
//!
//! A program that speaks Ansible's protocol is sent as it is. What is written in Python with Ansible's
//! library runs where that library is installed on the controller and the host has a Python: the
//! library goes to the host once. Knows nothing of what a module does.

mod action;
mod archive;
mod installed;
mod outcome;
mod plugins;
mod told;
mod worker;

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::bytes::Regex;
use rplay_diag::Diagnostic;
use rplay_playbook::Keyword;
use rplay_template::Vars;
use rplay_transport::Exchange;
use rplay_wire::{Blob, End, Run as Request};
use serde_json::{Map, Value as Json, json};

use crate::host_run::HostRun;
use crate::library::OwnModule;
use crate::prepare::Place;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

use archive::{Archive, Parts};
pub use installed::Installed;
pub(crate) use plugins::{Call, Places, Plugins};
pub(crate) use told::{action_name, told_inventory, told_vars};
pub(crate) use worker::Worker;

/// The archives of Ansible's library that a run has made.
#[derive(Debug, Default)]
pub(crate) struct Archives(Mutex<HashMap<Parts, Arc<Archive>>>);

impl Archives {
    fn of(&self, parts: Parts) -> io::Result<Arc<Archive>> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(archive) = made.get(&parts) {
            return Ok(archive.clone());
        }
        let archive = Arc::new(Archive::of(&parts)?);
        made.insert(parts, archive.clone());
        Ok(archive)
    }
}

/// How a module is written.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    /// In Python with Ansible's library: the collections that it speaks of.
    WithLibrary(BTreeSet<[String; 2]>),
    /// In any other way: what runs a script, by its name.
    Alone(Option<String>),
}

impl Written {
    fn of(path: &Path) -> io::Result<Self> {
        let mut content = vec![];
        let mut file = File::open(path)?;
        (&mut file).take(4).read_to_end(&mut content)?;
        if content == b"\x7fELF" {
            return Ok(Self::Alone(None));
        }
        file.read_to_end(&mut content)?;
        Ok(Self::told_by(&content))
    }

    fn told_by(content: &[u8]) -> Self {
        static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"(?m)^\s*(from|import)\s+(ansible\.module_utils|ansible_collections|\.+(module_utils|\w+\.module_utils))\b",
            )
            .expect("bug: a constant pattern")
        });
        if IMPORT.is_match(content) {
            return Self::WithLibrary(archive::named_in(content));
        }
        let line = content.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line
            .strip_prefix("#!")
            .unwrap_or_default()
            .split_whitespace();
        let mut program = words.next();
        if program.is_some_and(|p| p.ends_with("/env")) {
            program = words.find(|word| !word.starts_with('-'));
        }
        let name = program.map(|p| p.rsplit('/').next().unwrap_or(p).to_owned());
        Self::Alone(name)
    }
}

/// The one file of a request that takes the library to a host.
struct ArchiveFile(PathBuf);

impl Exchange for ArchiveFile {
    fn open(&self, _: u32) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(&self.0)?))
    }

    fn push(&self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("the library takes no file back"))
    }

    fn progress(&self, _: u64, _: Option<u64>) {}
}

impl Run {
    /// The arguments of `_program` for a module that is not part of rplay.
    ///
    /// # Errors
    /// The result of a task that cannot be sent.
    pub(crate) async fn own_call(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        place: &Place,
        own: OwnModule,
        args: Map<String, Json>,
    ) -> Result<Map<String, Json>, TaskResult> {
        let wrong = |words: String| {
            let diagnostic = Diagnostic::error(words).at(&context.task.action.span);
            self.failure(&diagnostic)
        };
        let written = Written::of(&own.path)
            .map_err(|e| wrong(format!("could not read `{}`: {e}", own.path.display())))?;
        let mut call = Map::from_iter([
            ("program".to_owned(), own.path.display().to_string().into()),
            ("arguments".to_owned(), self.told(context, host, &own, args)),
        ]);
        let there = self.where_it_runs(context, &host.name, vars);
        let (_, there) = there.map_err(|wrong| self.failure(&wrong))?;
        let interpreter = match &written {
            Written::WithLibrary(_) => self.interpreter(&there, "python"),
            Written::Alone(name) => {
                let name = name.as_ref();
                name.and_then(|name| self.interpreter(&there, name))
            }
        };
        call.extend(interpreter.map(|path| ("interpreter".to_owned(), path.into())));
        if context.task.keywords.get(Keyword::Async).is_some() {
            call.insert("with_stderr".to_owned(), true.into());
        }
        if let Written::WithLibrary(wanted) = written {
            let library = self.library_on(context, place, &own, wanted).await?;
            call.insert("library".to_owned(), library.into());
            call.insert("full_name".to_owned(), own.full_name.into());
        }
        Ok(call)
    }

    /// The arguments, and what Ansible tells each module beside them.
    fn told(
        &self,
        context: &TaskContext,
        host: &HostRun,
        own: &OwnModule,
        mut args: Map<String, Json>,
    ) -> Json {
        let options = &self.options;
        let check = self.keyword_is(Keyword::CheckMode, host, context, options.check);
        let diff = self.keyword_is(Keyword::Diff, host, context, options.diff);
        let name = own.full_name.rsplit('.').next().unwrap_or_default();
        let beside = [
            ("check_mode", json!(check)),
            ("diff", json!(diff)),
            ("no_log", json!(context.is_secret)),
            ("verbosity", json!(options.verbosity)),
            ("debug", json!(false)),
            ("version", json!(crate::scope::CORE_VERSION)),
            ("module_name", json!(name)),
            ("keep_remote_files", json!(false)),
            ("shell_executable", json!("/bin/sh")),
            ("syslog_facility", json!("LOG_USER")),
            ("remote_tmp", json!("~/.ansible/tmp")),
        ];
        let beside = beside.map(|(name, value)| (format!("_ansible_{name}"), value));
        args.extend(beside);
        Json::Object(args)
    }

    /// What is to run scripts for this interpreter, where a variable says so.
    fn interpreter(&self, vars: &Arc<dyn Vars>, name: &str) -> Option<String> {
        let name = match name.starts_with("python") {
            true => "python",
            false => name,
        };
        let variable = format!("ansible_{name}_interpreter");
        let path = text::variable(&self.templar, vars, &variable)?;
        (!path.starts_with("auto")).then_some(path)
    }

    /// Puts the library on the host, and gives its folder there.
    async fn library_on(
        &self,
        context: &TaskContext,
        place: &Place,
        own: &OwnModule,
        mut wanted: BTreeSet<[String; 2]>,
    ) -> Result<String, TaskResult> {
        let action = &context.task.action;
        let library = &self.options.library;
        let Some(site) = library.installed().site() else {
            let words = format!(
                "the module `{}` is written in Python with Ansible's library, which is not on this machine",
                action.written
            );
            let diagnostic = Diagnostic::error(words)
                .at(&action.span)
                .help("with ansible-core installed here (`pip install ansible-core`), it runs on hosts that have Python")
                .help("`rplay doc` lists the modules that need neither");
            return Err(self.failure(&diagnostic));
        };
        wanted.extend(own.collection.clone());
        let roles = context
            .frame
            .roles()
            .map(|role| role.path.join("module_utils"));
        let utils = roles.chain(library.utils());
        let parts = Parts {
            site: site.to_owned(),
            utils: utils.filter(|dir| dir.is_dir()).collect(),
            collections: library.collections().collect(),
            wanted,
        };
        let archive = self.archives.of(parts).map_err(|e| {
            let words = format!("could not make an archive of Ansible's library: {e}");
            self.failure(&Diagnostic::error(words).at(&action.span))
        })?;
        self.placed(context, place, &archive).await
    }

    /// Puts an archive on the host, unless this run has done that.
    async fn placed(
        &self,
        context: &TaskContext,
        place: &Place,
        archive: &Archive,
    ) -> Result<String, TaskResult> {
        let link = self.links.link(&place.target).await;
        let link = link.map_err(|error| self.no_agent(context, &error))?;
        let mut known = link.libraries.lock().await;
        let key = (place.become_.clone(), archive.sha256.clone());
        if let Some(path) = known.get(&key) {
            return Ok(path.clone());
        }
        let args = json!({"sha256": archive.sha256}).to_string();
        let blob = Blob {
            sha256: archive.sha256.clone(),
            size: archive.size,
            inline: None,
        };
        let request = Request {
            blobs: vec![blob],
            ..Request::new("_python_library", args)
        };
        let file = Arc::new(ArchiveFile(archive.file.path().to_owned()));
        let answer = link.run(place.become_.as_ref(), request, file).await;
        let end = match &answer {
            Ok(report) => Some(&report.end),
            Err(_) => None,
        };
        if let Some(End::Ok { data, .. }) = end
            && let Ok(data) = serde_json::from_str::<Json>(data)
            && let Some(path) = data.get("path").and_then(Json::as_str)
        {
            known.insert(key, path.to_owned());
            return Ok(path.to_owned());
        }
        Err(self.outcome(context, place, false, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_module_is_written_is_told_by_its_imports_and_its_first_line() {
        let with = |content: &str| {
            matches!(
                Written::told_by(content.as_bytes()),
                Written::WithLibrary(_)
            )
        };
        assert!(with(
            "#!/usr/bin/python\nfrom ansible.module_utils.basic import AnsibleModule\n"
        ));
        assert!(with("import ansible.module_utils.basic as b"));
        assert!(with("from ..module_utils.x import y"));
        assert!(with(
            "from ansible_collections.a.b.plugins.module_utils import x"
        ));
        assert!(!with("# from ansible.module_utils import x"));
        let alone = |content: &str| Written::told_by(content.as_bytes());
        let named = |name: &str| Written::Alone(Some(name.to_owned()));
        assert_eq!(alone("#!/usr/bin/env -S python3 -u\n"), named("python3"));
        assert_eq!(alone("#!/bin/bash -e\necho"), named("bash"));
        assert_eq!(alone("echo"), Written::Alone(None));
    }

    #[test]
    fn the_collections_that_a_module_speaks_of_are_told() {
        let text = "from ansible_collections.a.b.plugins.module_utils.x import y";
        let wanted = BTreeSet::from([["a".to_owned(), "b".to_owned()]]);
        assert_eq!(
            Written::told_by(text.as_bytes()),
            Written::WithLibrary(wanted)
        );
    }
}
