//! What playbooks and single modules share: inventory, variables, loader, and the run to its end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rplay_diag::Diagnostic;
use rplay_engine::{Catalog, Library, Options, PluginKind, Run, Setup, Summary};
use rplay_event::Sink;
use rplay_inventory::{Inventory, VarsFiles, select};
use rplay_playbook::{Loader, Play, Sources};
use rplay_report::Callback;
use rplay_template::{Redactor, Templar, Vars};
use rplay_transport::{Connector, Image};
use rplay_vars::{FactCache, Layer, Level, Scope, Store, extra_vars};
use rplay_yaml::Map;
use tokio::sync::oneshot;
use tokio::task::JoinError;

use crate::answers::Answers;
use crate::args::RunArgs;
use crate::ask::Passphrases;
use crate::config::Settings;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::opened::Opened;
use crate::screen::Screen;
use crate::secrets::{self, VaultSecret};
use crate::stop::Stop;

/// A playbook's name and its plays.
pub(crate) type Named = (String, Vec<Play>);

/// What is there before anything runs. Clones share it: the same may run more than once.
#[derive(Clone)]
pub(crate) struct Session {
    pub settings: Settings,
    pub screen: Screen,
    pub inventory: Arc<Inventory>,
    pub limit: Option<Vec<Arc<str>>>,
    pub loader: Arc<Loader>,
    /// What the loader reads.
    pub files: Arc<Opened>,
    /// Vault passwords.
    pub vault: Vec<VaultSecret>,
    templar: Templar,
    extra: Vec<Arc<Map>>,
    sources: crate::sources::Sources,
    library: Library,
    cache: Option<FactCache>,
    /// What was asked, and answered.
    pub answers: Answers,
}

impl Session {
    /// Reads passwords, inventory and `-e`; `files` is where playbooks are read from, `beside` the
    /// folders that they are in.
    ///
    /// # Errors
    /// What of it is wrong.
    pub(crate) fn new(
        manner: Manner,
        args: &RunArgs,
        settings: Settings,
        screen: Screen,
        files: Arc<dyn Sources>,
        beside: &[PathBuf],
    ) -> Result<Self, Stop> {
        let vault = secrets::given(&args.vault, &settings, false)?;
        let keys = secrets::keys(&vault, &settings);
        let broken = settings.broken_conditionals == Some(true);
        let templar = Templar::new(Redactor::default(), keys, broken);
        let extra = extra(args, manner, &templar)?;
        let library = library(&settings, beside);
        beside.iter().for_each(|dir| library.enter(dir));
        let reading = (&templar, &extra[..], &library);
        let sources = crate::sources::Sources::new(args, &settings, manner, reading);
        let inventory = sources.read(&screen)?;
        let limit = limit(args, manner, &inventory)?;
        let catalog = Catalog {
            faults_wait: manner.is_ansible(),
            library: library.clone(),
        };
        let cache = fact_cache(&settings, args.flush_cache)?;
        let files = Arc::new(Opened::new(files, templar.clone()));
        let loader = Arc::new(loader(catalog, &settings, &templar, &extra, files.clone()));
        Ok(Self {
            settings,
            screen,
            inventory: Arc::new(inventory),
            limit,
            loader,
            files,
            vault,
            templar,
            extra,
            sources,
            library,
            cache,
            answers: Answers::default(),
        })
    }

    /// Runs plays, to the end or to Ctrl-C.
    ///
    /// # Errors
    /// Variables beside a playbook that cannot be read.
    pub(crate) fn run(self, options: Options, plays: Vec<Named>) -> Result<Exit, Stop> {
        let sink = self.screen.sink();
        self.run_to(sink, options, plays)
    }

    /// As [`Session::run`], with the events going elsewhere.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub(crate) fn run_to(
        self,
        sink: Arc<dyn Sink>,
        options: Options,
        plays: Vec<Named>,
    ) -> Result<Exit, Stop> {
        let run = self.ready(sink, options, &plays)?;
        execute(run, plays)
    }

    /// A run that has not begun.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub(crate) fn ready(
        self,
        sink: Arc<dyn Sink>,
        mut options: Options,
        plays: &[Named],
    ) -> Result<Arc<Run>, Stop> {
        options.library = self.library;
        let store = Store::new(
            self.inventory,
            self.templar.clone(),
            self.extra,
            self.settings.mappings.unwrap_or_default(),
        );
        let store = Arc::new(store.with_cache(self.cache));
        let templar = self.templar.clone();
        let reader = move |path: &Path| templar.read_file(path);
        for play in plays.iter().flat_map(|(_, plays)| plays) {
            let dir = match play.dir.as_os_str().is_empty() {
                true => Path::new("."),
                false => &play.dir,
            };
            let files = VarsFiles::found(dir, &reader);
            store.add_playbook_dir(dir.to_owned(), files);
        }
        let (screen, sources) = (self.screen.clone(), self.sources);
        let reload = move || match sources.read(&screen) {
            Ok(inventory) => Ok(Arc::new(inventory)),
            Err(stop) => Err(stop.diagnostics),
        };
        let setup = Setup {
            options,
            store,
            loader: self.loader,
            templar: self.templar,
            connector: Connector::new(image(), Arc::new(Passphrases)),
            limit: self.limit,
            operator: Arc::new(self.answers.operator()),
            sink,
            reload: Box::new(reload),
        };
        Ok(Run::new(setup))
    }

    /// A playbook's plays; what is odd about them is shown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn plays(&self, path: &Path) -> Result<Named, Vec<Diagnostic>> {
        let (plays, warnings) = self.loader.playbook(path)?;
        warnings
            .iter()
            .for_each(|warning| self.screen.show(warning));
        Ok((path.display().to_string(), plays))
    }
}

/// Facts kept from run to run, where the settings say so.
fn fact_cache(settings: &Settings, flush: bool) -> Result<Option<FactCache>, Stop> {
    let kind = settings.fact_caching.as_deref().unwrap_or("memory");
    let wrong = |words: String| Stop {
        exit: Exit::Options,
        diagnostics: vec![
            Diagnostic::error(words).help("rplay keeps facts in `memory` or as `jsonfile`"),
        ],
    };
    match kind.rsplit('.').next().unwrap_or(kind) {
        "memory" => return Ok(None),
        "jsonfile" => {}
        other => return Err(wrong(format!("there is no cache plugin `{other}`"))),
    }
    let Some(dir) = settings.fact_caching_connection.clone() else {
        let words = "the cache plugin `jsonfile` needs a folder: `fact_caching_connection`";
        return Err(wrong(words.to_owned()));
    };
    let timeout = settings.fact_caching_timeout.unwrap_or(86400);
    Ok(Some(FactCache {
        dir,
        prefix: settings.fact_caching_prefix.clone().unwrap_or_default(),
        timeout: (timeout > 0).then(|| Duration::from_secs(timeout)),
        flush,
    }))
}

/// `-e`.
///
/// # Errors
/// Where it is none of its forms.
pub(crate) fn extra(
    args: &RunArgs,
    manner: Manner,
    templar: &Templar,
) -> Result<Vec<Arc<Map>>, Stop> {
    let reader = |path: &Path| templar.read_file(path);
    let extra = args.extra_vars.iter();
    let extra = extra.map(|text| extra_vars(text, &reader).map(Arc::new));
    extra
        .collect::<Result<Vec<_>, _>>()
        .map_err(|diagnostic| Stop {
            exit: if manner.is_ansible() {
                Exit::Error
            } else {
                Exit::Parse
            },
            diagnostics: vec![diagnostic],
        })
}

fn whole(path: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    path.display().to_string()
}

/// Runs to the end, or to Ctrl-C.
fn execute(run: Arc<Run>, playbooks: Vec<Named>) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::error(format!("could not start the runtime: {e}")))?;
    let begun = Instant::now();
    // In a task of its own: a lookup that blocks must not keep Ctrl-C from being heard.
    let working = run.clone();
    let mut work = runtime.spawn(async move { working.execute(playbooks).await });
    let interrupt = interrupt()?;
    let ended: Option<Result<Summary, JoinError>> = runtime.block_on(async {
        tokio::select! {
            summary = &mut work => Some(summary),
            Ok(()) = interrupt => None,
        }
    });
    work.abort();
    let exit = match ended {
        Some(Ok(summary)) => Exit::of(&summary),
        Some(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => return Err(Stop::error(format!("the run was given up: {error}"))),
        },
        None => {
            run.interrupt(begun);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), b"interrupted\n");
            Exit::Interrupted
        }
    };
    // Dropping the connections ends the agents; they get a moment to clean up.
    drop(run);
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(exit)
}

/// Tells of [`interrupted`]. It is heard on a thread of its own: lookups may block all of the others.
fn interrupt() -> Result<oneshot::Receiver<()>, Stop> {
    let failed = |e: io::Error| Stop::error(format!("could not wait for Ctrl-C: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            runtime.block_on(interrupted());
            // Nobody waits any more where the run has just ended.
            let _ = tell.send(());
        })
        .map_err(failed)?;
    Ok(told)
}

/// Ctrl-C, or a request to terminate.
async fn interrupted() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let Ok(mut terminate) = terminate else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn image() -> Image {
    Image {
        gzip: rplay_payload::GZIP,
        sha256: rplay_payload::SHA256,
        arch: rplay_payload::ARCH,
    }
}

/// The pattern that `--limit` is or that its `@FILE` holds.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn limit_pattern(limit: &str) -> Result<String, Stop> {
    let Some(file) = limit.strip_prefix('@') else {
        return Ok(limit.to_owned());
    };
    if Path::new(file).is_dir() {
        let words = "--limit starting with \"@\" must be a file, not a directory";
        return Err(Stop::error(format!("{words}: {file}")));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|e| Stop::error(format!("could not read `{file}`: {e}")))?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(","))
}

fn limit(
    args: &RunArgs,
    manner: Manner,
    inventory: &Inventory,
) -> Result<Option<Vec<Arc<str>>>, Stop> {
    let Some(pattern) = &args.limit else {
        return Ok(None);
    };
    let pattern = limit_pattern(pattern)?;
    let nothing =
        "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
    match select(inventory, &pattern) {
        Ok(hosts) if hosts.is_empty() && manner.is_ansible() => Err(Stop::error(nothing)),
        Ok(hosts) => Ok(Some(hosts)),
        Err((words, near)) => {
            let mut error = Diagnostic::error(format!("--limit: {words}"));
            if let Some(near) = near {
                error = error.help(format!("did you mean `{near}`?"));
            }
            let mut diagnostics = vec![error];
            if manner.is_ansible() {
                diagnostics.push(Diagnostic::error(nothing));
            }
            Err(Stop {
                exit: Exit::Error,
                diagnostics,
            })
        }
    }
}

/// Where modules of the user's own are.
pub(crate) fn library(settings: &Settings, beside: &[PathBuf]) -> Library {
    let named = settings.library.clone();
    let named = named.unwrap_or_else(|| usual("modules"));
    let roles = settings.roles_path.clone().unwrap_or_default();
    let beside_them = beside.iter().map(|dir| dir.join("collections"));
    let collections = beside_them.chain(collections(settings)).map(|dir| {
        match dir.ends_with("ansible_collections") {
            true => dir,
            false => dir.join("ansible_collections"),
        }
    });
    let library = Library::new(&named, beside, &roles)
        .with_collections(collections.collect())
        .with_utils(settings.module_utils.clone().unwrap_or_default());
    PluginKind::ALL.into_iter().fold(library, |library, kind| {
        let named = match kind {
            PluginKind::Action => &settings.action_plugins,
            PluginKind::Become => &settings.become_plugins,
            PluginKind::Connection => &settings.connection_plugins,
            PluginKind::Filter => &settings.filter_plugins,
            PluginKind::Inventory => &settings.inventory_plugins,
            PluginKind::Lookup => &settings.lookup_plugins,
            PluginKind::Test => &settings.test_plugins,
        };
        let folders = named.clone().unwrap_or_else(|| usual(kind.word()));
        library.with_plugins(kind, folders)
    })
}

/// Where plugins of a kind are looked for where nothing is said.
fn usual(kind: &str) -> Vec<PathBuf> {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let own = home.join(".ansible/plugins").join(kind);
    vec![own, Path::new("/usr/share/ansible/plugins").join(kind)]
}

/// The folders of collections, besides the playbook's own.
fn collections(settings: &Settings) -> Vec<PathBuf> {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let mut folders = settings.collections_path.clone().unwrap_or_default();
    folders.extend([
        home.join(".ansible/collections"),
        "/usr/share/ansible/collections".into(),
    ]);
    folders
}

/// The loader; names of static imports may use `-e` and the play's variables.
fn loader(
    catalog: Catalog,
    settings: &Settings,
    templar: &Templar,
    extra: &[Arc<Map>],
    files: Arc<dyn Sources>,
) -> Loader {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let usual = [
        home.join(".ansible/roles"),
        "/usr/share/ansible/roles".into(),
        "/etc/ansible/roles".into(),
    ];
    let mut paths = settings.roles_path.clone().unwrap_or_default();
    paths.extend(usual);
    let (templar, extra) = (templar.clone(), extra.to_vec());
    let early = move |node: &rplay_yaml::Node, play: &Map| {
        let mut scope = Scope::default().with(Level::Play, Layer::Nodes(Arc::new(play.clone())));
        extra
            .iter()
            .for_each(|map| scope.add(Level::Extra, Layer::Nodes(map.clone())));
        let vars: Arc<dyn Vars> = Arc::new(scope);
        let value = templar.render(node, &vars)?;
        Ok(value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned))
    };
    Loader::new(files, Arc::new(catalog), paths, Box::new(early))
        .with_collections(collections(settings))
        .with_duplicates(settings.duplicates.unwrap_or_default())
}

/// The settings, and the screen that they choose.
///
/// # Errors
/// The exit, where they are wrong; that is shown.
pub(crate) fn settled(
    manner: Manner,
    args: &RunArgs,
    oneline: bool,
) -> Result<(Settings, Screen), Exit> {
    let verbosity = |settings: &Settings| crate::options::verbosity(args, settings);
    let made = |settings: &Settings| {
        let diff = crate::options::diff(args, settings);
        Screen::new(manner, settings, verbosity(settings), diff, args.json)
    };
    match crate::config::load() {
        Err(diagnostic) => {
            made(&Settings::default()).show(&diagnostic);
            Err(Exit::Options)
        }
        Ok((mut settings, warnings)) => {
            if oneline {
                settings.callback = Some(Callback::Oneline);
            }
            let screen = made(&settings);
            warnings.iter().for_each(|warning| screen.show(warning));
            screen.verbose(&match &settings.file {
                Some(path) => format!(
                    "Using {} as config file",
                    whole(&path.display().to_string())
                ),
                None => "No config file found; using defaults".to_owned(),
            });
            Ok((settings, screen))
        }
    }
}
