//! From the command line to a run, and from its end to the exit code.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use console::Term;
use rplay_diag::{Diagnostic, Severity, Style, render};
use rplay_engine::{
    Catalog, Connect, Escalate, Listing, Options, Run, Setup, Summary, TagSelection, list,
};
use rplay_event::Sink;
use rplay_inventory::{Inventory, VarsFiles, select};
use rplay_playbook::{Disk, Loader, Play};
use rplay_report::{JsonLines, Look, Terminal};
use rplay_template::{Redactor, Templar, Vars};
use rplay_transport::{Connector, Image, Method, Secret};
use rplay_vars::{Layer, Level, Scope, Store, extra_vars};
use rplay_yaml::Map;

use crate::args::RunArgs;
use crate::ask::{self, Passphrases};
use crate::exit::Exit;

/// Why there is no run.
struct Stop {
    exit: Exit,
    diagnostics: Vec<Diagnostic>,
}

impl Stop {
    fn parse(diagnostic: Diagnostic) -> Self {
        Self {
            exit: Exit::Parse,
            diagnostics: vec![diagnostic],
        }
    }

    fn error(words: impl Into<String>) -> Self {
        Self {
            exit: Exit::Error,
            diagnostics: vec![Diagnostic::error(words)],
        }
    }
}

/// Runs the playbooks of the command line.
pub(crate) fn run(args: RunArgs) -> Exit {
    match prepared(args) {
        Ok(exit) => exit,
        Err(stop) => {
            stop.diagnostics.iter().for_each(show);
            stop.exit
        }
    }
}

fn show(diagnostic: &Diagnostic) {
    let style = if Term::stderr().features().colors_supported() {
        Style::Colour
    } else {
        Style::Plain
    };
    let _ = writeln!(std::io::stderr(), "{}", render(diagnostic, style));
}

fn prepared(args: RunArgs) -> Result<Exit, Stop> {
    let keys = crate::vault::keys(&args).map_err(|e| Stop::error(e.to_string()))?;
    let redactor = Redactor::default();
    let broken = flag("ANSIBLE_ALLOW_BROKEN_CONDITIONALS");
    let templar = Templar::new(redactor, keys, broken);
    let reader = {
        let templar = templar.clone();
        move |path: &Path| templar.read_file(path)
    };
    let sources = match args.inventory.as_slice() {
        [] => vec!["/etc/ansible/hosts".to_owned()]
            .into_iter()
            .filter(|p| Path::new(p).exists())
            .collect(),
        given => given.to_vec(),
    };
    let (inventory, warnings) = rplay_inventory::load(&sources, &reader).map_err(Stop::parse)?;
    warnings.iter().for_each(show);
    let inventory = Arc::new(inventory);
    let extra = args
        .extra_vars
        .iter()
        .map(|text| extra_vars(text, &reader).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Stop::parse)?;
    let limit = limit(&args, &inventory)?;
    let loader = Arc::new(loader(&templar, &extra));
    let plays = load_plays(&args, &loader)?;
    if args.syntax_check {
        return Ok(syntax_ok(&args));
    }
    let selection = TagSelection {
        run: args.tags.clone(),
        skip: args.skip_tags.clone(),
    };
    let listing = Listing {
        hosts: args.list_hosts,
        tasks: args.list_tasks,
        tags: args.list_tags,
    };
    if listing.hosts || listing.tasks || listing.tags {
        for (name, plays) in &plays {
            let text = list(
                name,
                plays,
                &inventory,
                limit.as_deref(),
                &selection,
                listing,
            );
            let _ = write!(std::io::stdout(), "{text}");
        }
        return Ok(Exit::Ok);
    }
    let store = Arc::new(Store::new(inventory, templar.clone(), extra));
    for (_, plays) in &plays {
        for play in plays {
            let dir = if play.dir.as_os_str().is_empty() {
                Path::new(".")
            } else {
                &play.dir
            };
            let files = VarsFiles::read(dir, &reader).map_err(Stop::parse)?;
            store.add_playbook_dir(dir.to_owned(), files);
        }
    }
    let names: Vec<String> = plays.iter().map(|(name, _)| name.clone()).collect();
    let reload = move || {
        let (inventory, warnings) =
            rplay_inventory::load(&sources, &reader).map_err(|d| vec![d])?;
        warnings.iter().for_each(show);
        Ok(Arc::new(inventory))
    };
    let setup = Setup {
        options: options(&args, selection)?,
        store,
        loader,
        templar,
        connector: Connector::new(image(), Arc::new(Passphrases)),
        limit,
        operator: Arc::new(ask::Terminal),
        sink: sink(&args),
        reload: Box::new(reload),
    };
    let plays = plays.into_iter().flat_map(|(_, plays)| plays).collect();
    execute(Run::new(setup), names, plays)
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
            let _ = writeln!(std::io::stderr(), "interrupted");
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
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(terminate) => terminate,
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
                return;
            }
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

fn limit(args: &RunArgs, inventory: &Inventory) -> Result<Option<Vec<Arc<str>>>, Stop> {
    let Some(pattern) = &args.limit else {
        return Ok(None);
    };
    let pattern = match pattern.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|e| Stop::error(format!("could not read `{file}`: {e}")))?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(","),
        None => pattern.clone(),
    };
    match select(inventory, &pattern) {
        Ok(hosts) => Ok(Some(hosts)),
        Err((words, near)) => {
            let mut error = Diagnostic::error(format!("--limit: {words}"));
            if let Some(near) = near {
                error = error.help(format!("did you mean `{near}`?"));
            }
            Err(Stop {
                exit: Exit::Error,
                diagnostics: vec![error],
            })
        }
    }
}

/// Whether the program goes by one of Ansible's names.
fn is_called_ansible() -> bool {
    let called = std::env::args_os().next().map(PathBuf::from);
    let name = called.as_deref().and_then(|path| path.file_name());
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b"ansible"))
}

/// The loader; names of static imports may use `-e` and the play's variables.
fn loader(templar: &Templar, extra: &[Arc<Map>]) -> Loader {
    let mut paths: Vec<PathBuf> = match std::env::var("ANSIBLE_ROLES_PATH") {
        Ok(paths) => paths.split(':').map(PathBuf::from).collect(),
        Err(_) => vec![],
    };
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    paths.extend([
        home.join(".ansible/roles"),
        "/usr/share/ansible/roles".into(),
        "/etc/ansible/roles".into(),
    ]);
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
    let catalog = Catalog {
        faults_wait: is_called_ansible(),
    };
    Loader::new(Arc::new(Disk), Arc::new(catalog), paths, Box::new(early))
}

type Named = (String, Vec<Play>);

fn load_plays(args: &RunArgs, loader: &Loader) -> Result<Vec<Named>, Stop> {
    let mut all = vec![];
    let mut problems = vec![];
    for path in &args.playbooks {
        if !path.is_file() {
            let words = format!("the playbook `{}` is not there", path.display());
            problems.push(Diagnostic::error(words));
            continue;
        }
        match loader.playbook(path) {
            Ok((plays, warnings)) => {
                warnings.iter().for_each(show);
                all.push((path.display().to_string(), plays));
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.iter().any(|d| d.severity == Severity::Error) {
        return Err(Stop {
            exit: Exit::Parse,
            diagnostics: problems,
        });
    }
    Ok(all)
}

fn syntax_ok(args: &RunArgs) -> Exit {
    for path in &args.playbooks {
        let _ = writeln!(std::io::stdout(), "playbook: {}", path.display());
    }
    Exit::Ok
}

fn options(args: &RunArgs, tags: TagSelection) -> Result<Options, Stop> {
    let failed = |e: std::io::Error| Stop::error(e.to_string());
    let file = |path: &Option<PathBuf>| path.as_deref().map(ask::password_file).transpose();
    let login = match file(&args.connection_password_file).map_err(failed)? {
        None if args.ask_pass => Some(ask::password("SSH password").map_err(failed)?),
        given => given,
    };
    let becoming = match file(&args.become_password_file).map_err(failed)? {
        None if args.ask_become_pass => Some(ask::password("BECOME password").map_err(failed)?),
        given => given,
    };
    let becoming = becoming.filter(|p| !p.is_empty()).or_else(|| login.clone());
    let method = match &args.become_method {
        None => Method::Sudo,
        Some(word) => Method::of_word(word)
            .ok_or_else(|| Stop::error(format!("there is no become method `{word}`")))?,
    };
    Ok(Options {
        check: args.check,
        diff: args.diff,
        forks: args.forks,
        tags,
        start_at: args.start_at_task.clone(),
        step: args.step,
        force_handlers: args.force_handlers,
        escalate: Escalate {
            enabled: args.become_,
            user: args
                .become_user
                .clone()
                .unwrap_or_else(|| "root".to_owned()),
            method,
            password: becoming.map(Secret::new),
        },
        connect: Connect {
            user: args.user.clone(),
            private_key: args.private_key.clone(),
            password: login.map(Secret::new),
            kind: args.connection.clone(),
            timeout: args.timeout,
            ssh_args: args
                .ssh_common_args
                .iter()
                .chain(&args.ssh_extra_args)
                .cloned()
                .collect(),
            host_key_checking: std::env::var("ANSIBLE_HOST_KEY_CHECKING")
                .ok()
                .map(|v| truth(&v)),
        },
        verbosity: args.verbose,
    })
}

fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|v| truth(&v))
}

fn truth(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

fn sink(args: &RunArgs) -> Arc<dyn Sink> {
    if args.json {
        return Arc::new(JsonLines::new(std::io::stdout()));
    }
    let term = Term::stdout();
    let width = if term.is_term() {
        usize::from(term.size().1).clamp(40, 120)
    } else {
        79
    };
    Arc::new(Terminal::new(Look {
        colour: term.is_term() && term.features().colors_supported(),
        live: term.is_term(),
        verbosity: args.verbose,
        diff: args.diff,
        skipped: true,
        groups: !is_called_ansible(),
        width,
    }))
}
