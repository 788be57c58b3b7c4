//! `rplay inventory`, and `ansible-inventory`: the hosts, groups and variables that a run would see.

mod graph;
mod json;
mod python;
mod toml;
mod view;
mod yaml;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use rplay_diag::Diagnostic;
use rplay_inventory::{VarsFiles, select};
use rplay_template::{Redactor, Templar};

use crate::args::{RunArgs, VaultArgs};
use crate::config::Settings;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::setup::{limit_pattern, settled};
use crate::sources::Sources;
use crate::stop::Stop;

use view::View;

/// What to show of the inventory.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct InventoryArgs {
    /// The group that --graph begins with (all).
    #[arg(value_name = "GROUP")]
    pub group: Option<String>,

    /// All groups and hosts with their variables, as an inventory script prints them.
    #[arg(long)]
    pub list: bool,

    /// The variables of one host.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,

    /// A tree of the groups.
    #[arg(long)]
    pub graph: bool,

    /// YAML instead of JSON.
    #[arg(short, long)]
    pub yaml: bool,

    /// TOML instead of JSON.
    #[arg(long)]
    pub toml: bool,

    /// Variables in the tree, too.
    #[arg(long)]
    pub vars: bool,

    /// Variables where they are set, and not each host with all of its own.
    #[arg(long)]
    pub export: bool,

    /// Write the list to a file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Inventory: a file, a folder, a script, or a list of hosts with a comma. May be repeated.
    #[arg(short, long, value_name = "INVENTORY", alias = "inventory-file")]
    pub inventory: Vec<String>,

    /// Only these hosts in the list: a pattern, or @FILE.
    #[arg(short, long, value_name = "PATTERN", allow_hyphen_values = true)]
    pub limit: Option<String>,

    /// Variables: key=value, YAML, JSON, or @FILE. May be repeated.
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,

    /// The folder that counts as the playbook's.
    #[arg(long, value_name = "FOLDER")]
    pub playbook_dir: Option<PathBuf>,

    #[command(flatten)]
    pub vault: VaultArgs,

    /// Show more; repeat for more still.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Taken for Ansible's sake: no facts are cached.
    #[arg(long)]
    pub flush_cache: bool,
}

/// Shows what the command line asks for.
pub(crate) fn run(manner: Manner, args: InventoryArgs) -> Exit {
    let run = RunArgs {
        inventory: args.inventory.clone(),
        limit: args.limit.clone(),
        extra_vars: args.extra_vars.clone(),
        verbose: args.verbose,
        ..RunArgs::default()
    };
    let (settings, screen) = match settled(manner, &run, false) {
        Ok(settled) => settled,
        Err(exit) => return exit,
    };
    let ended = shown(manner, &args, &run, &settings, &screen);
    ended.err().map_or(Exit::Ok, |stop| {
        stop.diagnostics.iter().for_each(|d| screen.show(d));
        stop.exit
    })
}

fn asked(args: &InventoryArgs) -> Result<(), Stop> {
    let asked = [args.list, args.graph, args.host.is_some()];
    let words = match asked.iter().filter(|asked| **asked).count() {
        1 => return Ok(()),
        0 => "No action selected, at least one of --host, --graph or --list needs to be specified.",
        _ => {
            "Conflicting options used, only one of --host, --graph or --list can be used at the same time."
        }
    };
    Err(Stop::because(Exit::Options, words))
}

fn shown(
    manner: Manner,
    args: &InventoryArgs,
    run: &RunArgs,
    settings: &Settings,
    screen: &Screen,
) -> Result<(), Stop> {
    asked(args)?;
    let keys = crate::secrets::keys(
        &crate::secrets::given(&args.vault, settings, false)?,
        settings,
    );
    let templar = Templar::new(Redactor::default(), keys, false);
    let extra = crate::setup::extra(run, manner, &templar)?;
    let library = crate::setup::library(settings, &[]);
    let beside = args
        .playbook_dir
        .as_ref()
        .or(settings.playbook_dir.as_ref());
    library.enter(beside.map_or(Path::new("."), PathBuf::as_path));
    let reading = (&templar, &extra[..], &library);
    let sources = Sources::new(run, settings, manner, reading);
    let inventory = sources.read(screen)?;
    // All of it is shown, so all of it has to be there.
    if let Some(fault) = inventory.faults.first() {
        return Err(Stop::parse(fault.what.clone()));
    }
    let opener = templar.clone();
    let reader = move |path: &std::path::Path| opener.read_file(path);
    let folder = args
        .playbook_dir
        .as_ref()
        .or(settings.playbook_dir.as_ref());
    let beside = folder.map(|folder| VarsFiles::read(folder, &reader));
    let beside = beside.transpose().map_err(Stop::parse)?;
    let export = args.export || settings.inventory_export == Some(true);
    let view = View::new(&inventory, beside.as_ref(), &extra, export);
    if let Some(host) = &args.host {
        return one_host(args, &view, host, screen);
    }
    if args.graph {
        let group = args.group.as_deref().unwrap_or("all");
        if !inventory.groups.contains_key(group) {
            let words = "Pattern must be valid group name when using --graph";
            return Err(Stop::because(Exit::Options, words));
        }
        return print(&graph::drawn(&view, group, args.vars), None);
    }
    let limit = match &args.limit {
        None => None,
        Some(text) => Some(chosen(&inventory, &limit_pattern(text)?, screen)),
    };
    let view = view.only(limit);
    let text = if args.yaml {
        yaml::written(&view.as_tree())
    } else if args.toml {
        toml::written(&view.as_tables()).map_err(Stop::error)?
    } else {
        json::written(&view.as_list(), json::Marks::All)
    };
    print(&text, args.output.as_ref())
}

/// The hosts that `--limit` leaves: a name of nothing leaves none.
fn chosen(inventory: &rplay_inventory::Inventory, pattern: &str, screen: &Screen) -> Vec<Arc<str>> {
    select(inventory, pattern).unwrap_or_else(|(words, near)| {
        let warning = Diagnostic::warning(format!("--limit: {words}"));
        screen.show(&match near {
            Some(near) => warning.help(format!("did you mean `{near}`?")),
            None => warning,
        });
        vec![]
    })
}

fn one_host(
    args: &InventoryArgs,
    view: &View<'_>,
    host: &str,
    screen: &Screen,
) -> Result<(), Stop> {
    let Some(vars) = view.host(host) else {
        let words = format!("Could not match supplied host pattern, ignoring: {host}");
        screen.show(&Diagnostic::warning(words));
        let words = "You must pass a single valid host to --host parameter";
        return Err(Stop::because(Exit::Options, words));
    };
    let text = if args.yaml {
        yaml::written(&vars)
    } else if args.toml {
        toml::written(&vars).map_err(Stop::error)?
    } else {
        json::written(&vars, json::Marks::Vaults)
    };
    print(&text, None)
}

fn print(text: &str, file: Option<&PathBuf>) -> Result<(), Stop> {
    match file {
        None => {
            let _ = io::stdout().write_all(text.as_bytes());
            Ok(())
        }
        Some(path) => std::fs::write(path, text).map_err(|e| {
            let words = format!(
                "Unable to write to destination file ({}): {e}",
                path.display()
            );
            Stop::error(words)
        }),
    }
}
