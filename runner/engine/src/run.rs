//! A run: what all its plays share.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_event::{Event, Recap, Sink, TaskId};
use rplay_inventory::Inventory;
use rplay_playbook::{Loader, Play};
use rplay_template::Templar;
use rplay_transport::{Connector, Target};
use rplay_vars::{Layer, Store};
use tokio::sync::Semaphore;

use crate::controller_files::ControllerFiles;
use crate::doubts::Doubts;
use crate::host_run::{HostRun, Standing};
use crate::links::Links;
use crate::operator::Operator;
use crate::options::Options;
use crate::python::Archives;

/// What a run is made of.
pub struct Setup {
    /// What it is asked to do.
    pub options: Options,
    /// Variables and inventory.
    pub store: Arc<Store>,
    /// Reads included files.
    pub loader: Arc<Loader>,
    /// Renders.
    pub templar: Templar,
    /// Connects.
    pub connector: Connector,
    /// The names that `--limit` leaves; `None` leaves all.
    pub limit: Option<Vec<Arc<str>>>,
    /// Whom to ask.
    pub operator: Arc<dyn Operator>,
    /// Hears of everything.
    pub sink: Arc<dyn Sink>,
    /// Reads the inventory anew (`meta: refresh_inventory`).
    pub reload: Reload,
}

/// Reads the inventory anew.
pub type Reload = Box<dyn Fn() -> Result<Arc<Inventory>, Vec<Diagnostic>> + Send + Sync>;

/// A run under way.
pub struct Run {
    pub(crate) options: Arc<Options>,
    /// How hosts are reached where nobody says otherwise.
    pub(crate) reached: Layer,
    pub(crate) store: Arc<Store>,
    pub(crate) loader: Arc<Loader>,
    pub(crate) templar: Templar,
    pub(crate) links: Links,
    pub(crate) limit: Option<Vec<Arc<str>>>,
    pub(crate) files: ControllerFiles,
    pub(crate) doubts: Doubts,
    pub(crate) archives: Archives,
    /// What tasks come to that were given up is no result.
    interrupted: AtomicBool,
    pub(crate) forks: Arc<Semaphore>,
    pub(crate) operator: Arc<dyn Operator>,
    /// The folder of the first playbook: all that runs on the controller itself starts there, in
    /// one agent, whose dry run then knows of all of it.
    local_dir: OnceLock<Option<PathBuf>>,
    /// Whether to ask before each task.
    pub(crate) stepping: AtomicBool,
    sink: Arc<dyn Sink>,
    /// Warnings that were told: each is told once.
    pub(crate) warned: Mutex<HashSet<String>>,
    pub(crate) reload: Reload,
    hosts: Mutex<IndexMap<String, Arc<HostRun>>>,
    next_task: AtomicU64,
    /// What a task found wrong with the playbook: nothing else is run.
    halted: OnceLock<(Broken, Vec<Diagnostic>)>,
    /// Counts the changes of standing of all hosts.
    pub(crate) moves: Arc<AtomicU64>,
    /// Whether `--start-at-task` was met (or not asked for).
    pub(crate) started: std::sync::atomic::AtomicBool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// A row a host.
    pub recap: Vec<Recap>,
    /// A host ended as failed: its failure was neither rescued, ignored nor cleared.
    pub failed: bool,
    /// A host ended as unreachable.
    pub unreachable: bool,
    /// What is wrong with the playbook, where that ended the run.
    pub broken: Option<Broken>,
}

/// How a wrong playbook ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A play could not begin, or what a task includes cannot be read.
    Unreadable,
    /// A task found it wrong in another way.
    Halted,
}

impl Run {
    /// A run that has not begun.
    pub fn new(setup: Setup) -> Arc<Self> {
        let forks = setup.options.forks.max(1);
        let (connect, escalate) = (&setup.options.connect, &setup.options.escalate);
        for secret in connect.password.iter().chain(&escalate.password) {
            setup.templar.redactor().register(secret.expose());
        }
        Arc::new(Self {
            started: setup.options.start_at.is_none().into(),
            stepping: setup.options.step.into(),
            operator: setup.operator,
            reached: crate::scope::connection_options(connect, escalate),
            options: Arc::new(setup.options),
            store: setup.store,
            loader: setup.loader,
            templar: setup.templar,
            links: Links::new(setup.connector),
            limit: setup.limit,
            files: ControllerFiles::default(),
            doubts: Doubts::default(),
            archives: Archives::default(),
            interrupted: AtomicBool::new(false),
            forks: Arc::new(Semaphore::new(forks)),
            sink: setup.sink,
            warned: Mutex::default(),
            reload: setup.reload,
            hosts: Mutex::default(),
            local_dir: OnceLock::new(),
            next_task: AtomicU64::new(1),
            halted: OnceLock::new(),
            moves: Arc::default(),
        })
    }

    /// Runs playbooks, each a path and its plays, one after the other.
    pub async fn execute(self: &Arc<Self>, playbooks: Vec<(String, Vec<Play>)>) -> Summary {
        let begun = Instant::now();
        self.emit(Event::RunStarted {
            version: rplay_event::VERSION,
            check: self.options.check,
            playbooks: playbooks.iter().map(|(path, _)| path.clone()).collect(),
        });
        let mut broken = None;
        for (path, plays) in playbooks {
            let count = plays.len();
            self.emit(Event::PlaybookStarted { path, plays: count });
            if let Err(error) = self.plays(plays).await {
                self.warn(&error);
                broken = Some(Broken::Unreadable);
                break;
            }
            if let Some((how, wrong)) = self.halted.get() {
                wrong.iter().for_each(|error| self.warn(error));
                broken = Some(*how);
                break;
            }
            if self.all_lost() {
                break;
            }
        }
        if let Some(wanted) = self
            .options
            .start_at
            .as_deref()
            .filter(|_| broken.is_none())
            && !self.started.load(Ordering::SeqCst)
        {
            let error = Diagnostic::error(format!("no task is called `{wanted}`"))
                .help("`--list-tasks` names the tasks; `--start-at-task` finds those only, not what `include_tasks` brings");
            self.warn(&error);
            broken = Some(Broken::Unreadable);
        }
        self.links.close().await;
        self.finish(begun, broken)
    }

    /// The plays of a playbook, while there are hosts.
    async fn plays(self: &Arc<Self>, plays: Vec<Play>) -> Result<(), Diagnostic> {
        for play in plays {
            self.play(play).await?;
            if self.is_halted() || self.all_lost() {
                break;
            }
        }
        Ok(())
    }

    /// Ends a run that was interrupted: what lookups started ends too.
    pub fn interrupt(&self, begun: Instant) -> Summary {
        self.interrupted.store(true, Ordering::SeqCst);
        crate::pipes::end_all();
        for host in self.hosts() {
            let ahead = host.line.requests();
            if ahead > 0 {
                let name = &host.name;
                self.note_warning(&format!(
                    "up to {ahead} tasks behind the last one shown may have run on `{name}`: a new run tells"
                ));
            }
        }
        self.finish(begun, None)
    }

    /// Ends the run: the recap so far is told.
    fn finish(&self, begun: Instant, broken: Option<Broken>) -> Summary {
        for words in self.links.warnings() {
            self.note_warning(&words);
        }
        let mut recap: Vec<Recap> = self
            .hosts()
            .iter()
            .map(|h| h.state().recap.clone())
            .collect();
        recap.sort_by(|a, b| a.host.cmp(&b.host));
        self.emit(Event::RunEnded {
            recap: recap.clone(),
            seconds: begun.elapsed().as_secs_f64(),
        });
        let ended = |standing| self.hosts().iter().any(|h| h.standing() == standing);
        Summary {
            recap,
            failed: ended(Standing::Failed),
            unreachable: ended(Standing::Unreachable),
            broken,
        }
    }

    /// The controller itself, as a play whose folder is `dir` reaches it.
    pub(crate) fn local(&self, dir: &Path) -> Target {
        let folder = || (!dir.as_os_str().is_empty()).then(|| dir.canonicalize().ok())?;
        Target {
            dir: self.local_dir.get_or_init(folder).clone(),
            ..Target::local()
        }
    }

    /// The state of a host, made where it is new.
    pub(crate) fn host(&self, name: &str) -> Arc<HostRun> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(HostRun::new(name, self.moves.clone())))
            .clone()
    }

    fn hosts(&self) -> Vec<Arc<HostRun>> {
        self.hosts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// A task found the playbook wrong: no host does anything after it. The first such is told.
    pub(crate) fn halt(&self, how: Broken, wrong: Vec<Diagnostic>) {
        if self.halted.set((how, wrong)).is_err() {
            return;
        }
        for host in self.hosts().iter().filter(|h| h.is_active()) {
            host.set_standing(Standing::Ended);
        }
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halted.get().is_some()
    }

    /// Whether every host so far failed or was lost.
    fn all_lost(&self) -> bool {
        let hosts = self.hosts();
        !hosts.is_empty() && hosts.iter().all(|h| h.is_lost())
    }

    pub(crate) fn next_task(&self) -> TaskId {
        self.next_task.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn emit(&self, event: Event) {
        let is_of_task = matches!(event, Event::ItemEnded(_) | Event::HostEnded(_));
        if is_of_task && self.interrupted.load(Ordering::SeqCst) {
            return;
        }
        self.sink.emit(&event);
    }
}
