//! What playbooks and single modules share: inventory, variables, loader, and the run to its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rplay_diag::Diagnostic;
use rplay_engine::{Catalog, Library, Options, Run, Setup, Summary};
use rplay_event::Sink;
use rplay_inventory::{Inventory, VarsFiles, select};
use rplay_playbook::{Loader, Play, Sources};
use rplay_report::Callback;
use rplay_template::{Redactor, Templar, Vars};
use rplay_transport::{Connector, Image};
use rplay_vars::{Layer, Level, Scope, Store, extra_vars};
use rplay_yaml::Map;

use crate::args::RunArgs;
use crate::ask::{self, Passphrases};
use crate::config::Settings;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::stop::Stop;

/// A playbook's name and its plays.
pub(crate) type Named = (String, Vec<Play>);

/// What is there before anything runs.
pub(crate) struct Session {
    pub settings: Settings,
    pub screen: Screen,
    pub inventory: Arc<Inventory>,
    pub limit: Option<Vec<Arc<str>>>,
    pub loader: Arc<Loader>,
    templar: Templar,
    extra: Vec<Arc<Map>>,
    sources: crate::sources::Sources,
    library: Library,
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
        let keys = crate::secrets::keys(&args.vault, &settings)?;
        let broken = settings.broken_conditionals == Some(true);
        let templar = Templar::new(Redactor::default(), keys, broken);
        let extra = extra(args, manner, &templar)?;
        let sources = crate::sources::Sources::new(args, &settings, manner, &templar, &extra);
        let inventory = sources.read(&screen)?;
        let limit = limit(args, manner, &inventory)?;
        let library = library(&settings, beside);
        let catalog = Catalog {
            faults_wait: manner.is_ansible(),
            library: library.clone(),
        };
        let loader = Arc::new(loader(catalog, &settings, &templar, &extra, files));
        Ok(Self {
            settings,
            screen,
            inventory: Arc::new(inventory),
            limit,
            loader,
            templar,
            extra,
            sources,
            library,
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
        mut options: Options,
        plays: Vec<Named>,
    ) -> Result<Exit, Stop> {
        options.library = self.library;
        let store = Arc::new(Store::new(self.inventory, self.templar.clone(), self.extra));
        let templar = self.templar.clone();
        let reader = move |path: &Path| templar.read_file(path);
        for play in plays.iter().flat_map(|(_, plays)| plays) {
            let dir = match play.dir.as_os_str().is_empty() {
                true => Path::new("."),
                false => &play.dir,
            };
            let files = VarsFiles::read(dir, &reader).map_err(Stop::parse)?;
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
            operator: Arc::new(ask::Terminal),
            sink,
            reload: Box::new(reload),
        };
        let names = plays.iter().map(|(name, _)| name.clone()).collect();
        let plays = plays.into_iter().flat_map(|(_, plays)| plays).collect();
        execute(Run::new(setup), names, plays)
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
fn execute(run: Arc<Run>, names: Vec<String>, plays: Vec<Play>) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Stop::error(format!("could not start the runtime: {e}")))?;
    let begun = Instant::now();
    let ended: Option<Summary> = runtime.block_on(async {
        tokio::select! {
            summary = run.execute(names, plays) => Some(summary),
            () = interrupted() => None,
        }
    });
    let exit = match ended {
        Some(summary) => Exit::of(&summary),
        None => {
            run.finish(begun, false);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), b"interrupted\n");
            Exit::Interrupted
        }
    };
    // Dropping the connections ends the agents; they get a moment to clean up.
    drop(run);
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(exit)
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
fn library(settings: &Settings, beside: &[PathBuf]) -> Library {
    let named = settings.library.clone().unwrap_or_default();
    let roles = settings.roles_path.clone().unwrap_or_default();
    Library::new(&named, beside, &roles)
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
    let mut collections = settings.collections_path.clone().unwrap_or_default();
    collections.extend([
        home.join(".ansible/collections"),
        "/usr/share/ansible/collections".into(),
    ]);
    Loader::new(files, Arc::new(catalog), paths, Box::new(early)).with_collections(collections)
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
