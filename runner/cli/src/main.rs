//! The `rplay` command: arguments, wiring, exit codes.
//!
//! Owns the command line. Knows nothing of how a play runs or an event is drawn.

mod args;
mod ask;
mod doc;
mod exit;
mod setup;
mod vault;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors.
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            };
            let _ = error.print();
            return code.into();
        }
    };
    match cli.command {
        Some(Command::Doc {
            module,
            markdown,
            schema,
        }) => doc::show(module.as_deref(), markdown, schema).into(),
        None => setup::run(cli.run).into(),
    }
}
