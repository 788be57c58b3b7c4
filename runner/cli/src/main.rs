//! The `rplay` command: arguments, wiring, exit codes.
//!
//! Owns the command line, under its own name and Ansible's. Knows nothing of how a play runs or an
//! event is drawn.

mod adhoc;
mod answers;
mod args;
mod ask;
mod config;
mod doc;
mod exit;
mod inventory;
mod manner;
mod opened;
mod options;
mod playbook;
mod render;
mod review;
mod screen;
mod secrets;
mod settings;
mod setup;
mod sources;
mod stop;
mod tally;
mod vault;
mod version;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{
    AnsibleAdhoc, AnsibleConfig, AnsibleInventory, AnsiblePlaybook, AnsibleVault, Cli, Command,
    ReviewArgs,
};
use exit::Exit;
use manner::Manner;

fn main() -> ExitCode {
    let manner = Manner::now();
    let exit = called(manner).unwrap_or_else(|error| refused(manner, &error));
    exit.code(manner)
}

/// Does what the command line asks for.
fn called(manner: Manner) -> Result<Exit, clap::Error> {
    Ok(match manner {
        Manner::Playbook => playbook::run(
            manner,
            &AnsiblePlaybook::try_parse()?.run,
            &ReviewArgs::default(),
        ),
        Manner::Adhoc => adhoc::run(manner, &AnsibleAdhoc::try_parse()?.run),
        Manner::Vault => vault::run(manner, &AnsibleVault::try_parse()?.command),
        Manner::Inventory => inventory::run(manner, AnsibleInventory::try_parse()?.run),
        Manner::Config => settings::run(manner, &AnsibleConfig::try_parse()?.command),
        Manner::Rplay => {
            let cli = Cli::try_parse()?;
            match cli.command {
                Some(Command::Doc {
                    module,
                    markdown,
                    schema,
                    connections,
                }) => match module {
                    Some(name) => doc::one(&name),
                    None => doc::all(markdown, schema, connections),
                },
                Some(Command::Plan(args)) => review::plan::run(*args),
                Some(Command::Show(args)) => review::show::run(&args),
                Some(Command::Apply(args)) => review::apply::run(*args),
                Some(Command::Drift(args)) => review::drift::run(*args),
                Some(Command::Adhoc(args)) => adhoc::run(manner, &args),
                Some(Command::Inventory(args)) => inventory::run(manner, *args),
                Some(Command::Config(command)) => settings::run(manner, &command),
                Some(Command::Vault(command)) => vault::run(manner, &command),
                None if cli.review.ask => review::ask::run(cli.run, cli.review.detailed_exitcode),
                None => playbook::run(manner, &cli.run, &cli.review),
            }
        }
    })
}

/// A command line that asks for nothing that can be done: or only for help, or the version.
fn refused(manner: Manner, error: &clap::Error) -> Exit {
    if error.kind() == ErrorKind::DisplayVersion && manner.is_ansible() {
        version::show(manner);
        return Exit::Ok;
    }
    let _ = error.print();
    // Help and version are no errors.
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Ok
    }
}
