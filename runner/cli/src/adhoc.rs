//! `rplay adhoc`, and `ansible`: one module on some hosts, as a playbook of one task.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_engine::TagSelection;
use rplay_event::{Event, Sink};
use rplay_inventory::select;
use rplay_playbook::{Disk, Sources};
use serde_json::{Map, Value, json};

use crate::args::AdhocArgs;
use crate::config::Settings;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::setup::{Session, settled};
use crate::stop::Stop;

/// The name that errors show in place of a playbook's.
const NAME: &str = "<adhoc>";

/// Modules that make nothing of no arguments.
const NEED_ARGUMENTS: [&str; 5] = ["command", "shell", "script", "raw", "include_tasks"];

/// Runs the module of the command line.
pub(crate) fn run(manner: Manner, args: &AdhocArgs) -> Exit {
    // Its words are Ansible's under either name.
    let drawn = if manner.is_ansible() {
        manner
    } else {
        Manner::Adhoc
    };
    let (settings, screen) = match settled(drawn, &args.run, args.one_line) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    let shown = screen.clone();
    let dir = args
        .playbook_dir
        .clone()
        .or(settings.playbook_dir.clone())
        .unwrap_or_default();
    let prepared = task(args, &settings).and_then(|task| {
        let files = Arc::new(OneTask {
            path: dir.join(NAME),
            text: play(args, &task),
        });
        let path = files.path.clone();
        let session = Session::new(manner, &args.run, settings, screen, files, &[".".into()])?;
        Ok((session, path))
    });
    let ended = prepared.and_then(|(session, path)| carried_out(args, session, &path));
    ended.unwrap_or_else(|stop| {
        stop.diagnostics
            .iter()
            .for_each(|diagnostic| shown.show(diagnostic));
        stop.exit
    })
}

/// The task: the module with its arguments.
fn task(args: &AdhocArgs, settings: &Settings) -> Result<Map<String, Value>, Stop> {
    let name = args.module_name.clone().or(settings.module_name.clone());
    let name = name.unwrap_or_else(|| "command".to_owned());
    let text = args
        .module_args
        .clone()
        .or(settings.module_args.clone())
        .unwrap_or_default();
    let short = name.rsplit('.').next().unwrap_or(&name);
    if text.is_empty() && !args.run.list_hosts && NEED_ARGUMENTS.contains(&short) {
        return Err(Stop::because(
            Exit::Options,
            format!("No argument passed to {name} module"),
        ));
    }
    if short == "import_playbook" {
        let words = format!("'{name}' is not a valid action for ad-hoc commands");
        return Err(Stop::because(Exit::Options, words));
    }
    let arguments = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(map)) => Value::Object(map),
        _ => Value::String(text),
    };
    let mut task = Map::from_iter([(name, arguments)]);
    if let Some(seconds) = args.background {
        task.insert("async".to_owned(), seconds.into());
        let poll = args.poll.or(settings.poll_interval).unwrap_or(15);
        task.insert("poll".to_owned(), poll.into());
    }
    if let Some(seconds) = args.task_timeout {
        task.insert("timeout".to_owned(), seconds.into());
    }
    Ok(task)
}

/// The playbook, with the task on a line of its own: an error shows that line.
fn play(args: &AdhocArgs, task: &Map<String, Value>) -> String {
    let (hosts, task) = (json!(args.pattern), json!(task));
    format!(
        "- name: Ansible Ad-Hoc\n  hosts: {hosts}\n  gather_facts: false\n  tasks:\n  - {task}\n"
    )
}

fn carried_out(args: &AdhocArgs, session: Session, path: &Path) -> Result<Exit, Stop> {
    let hosts = hosts(args, &session)?;
    if args.run.list_hosts {
        let lines = hosts.iter().map(|host| format!("    {host}\n"));
        let text = format!("  hosts ({}):\n{}", hosts.len(), lines.collect::<String>());
        let _ = io::stdout().write_all(text.as_bytes());
        return Ok(Exit::Ok);
    }
    if hosts.is_empty() {
        session
            .screen
            .show(&Diagnostic::warning("No hosts matched, nothing to do"));
        return Ok(Exit::Ok);
    }
    let plays = session.plays(path).map_err(|diagnostics| Stop {
        exit: Exit::Failed,
        diagnostics,
    })?;
    let options = crate::options::options(&args.run, &session.settings, TagSelection::default())?;
    match &args.tree {
        None => session.run(options, vec![plays]),
        Some(folder) => {
            let tree = Tree::new(folder, session.screen.sink())?;
            session.run_to(Arc::new(tree), options, vec![plays])
        }
    }
}

/// The hosts that the pattern and `--limit` leave.
fn hosts(args: &AdhocArgs, session: &Session) -> Result<Vec<Arc<str>>, Stop> {
    let mut hosts = match select(&session.inventory, &args.pattern) {
        Ok(hosts) => hosts,
        Err((words, near)) => {
            let mut warning = Diagnostic::warning(words);
            if let Some(near) = near {
                warning = warning.help(format!("did you mean `{near}`?"));
            }
            session.screen.show(&warning);
            vec![]
        }
    };
    hosts.retain(|host| {
        session
            .limit
            .as_ref()
            .is_none_or(|limit| limit.contains(host))
    });
    Ok(hosts)
}

/// The disk, and beside it the one playbook that is on no disk.
#[derive(Debug)]
struct OneTask {
    path: PathBuf,
    text: String,
}

impl Sources for OneTask {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == self.path {
            return Ok(self.text.clone());
        }
        Disk.read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path == self.path || Disk.is_file(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        Disk.is_dir(path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        Disk.list(path)
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        Disk.absolute(path)
    }
}

/// `--tree`: each host's result in a file of its name, beside what is shown.
struct Tree {
    folder: PathBuf,
    shown: Arc<dyn Sink>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({:?})", self.folder)
    }
}

impl Tree {
    fn new(folder: &Path, shown: Arc<dyn Sink>) -> io::Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| {
            let words = format!("could not make the folder `{}`: {e}", folder.display());
            io::Error::new(e.kind(), words)
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            shown,
        })
    }
}

impl Sink for Tree {
    fn emit(&self, event: &Event) {
        self.shown.emit(event);
        let Event::HostEnded(ended) = event else {
            return;
        };
        let path = self.folder.join(ended.host.replace('/', "_"));
        if let Err(error) = std::fs::write(&path, rplay_report::result_line(ended)) {
            let text = format!("could not write `{}`: {error}", path.display());
            self.shown.emit(&Event::Warning {
                text,
                drawn: None,
                error: false,
            });
        }
    }
}
