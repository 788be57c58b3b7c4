//! `ansible-config`: the file that settings are read from, and what holds.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rplay_engine::Known;
use rplay_template::{from_json, in_words};
use serde_json::{Value as Json, json};

use crate::config;
use crate::exit::Exit;
use crate::manner::Manner;
use crate::screen::Screen;
use crate::stop::Stop;

/// What to show of the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the file that settings are read from.
    View(FileArgs),
    /// Show each setting, what holds and where that comes from.
    Dump {
        #[command(flatten)]
        file: FileArgs,
        /// Leave out what nobody set.
        #[arg(long, visible_alias = "changed-only")]
        only_changed: bool,
        /// How they are written.
        #[arg(short, long, value_enum, default_value = "display")]
        format: Format,
    },
}

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// Read this file in the place of the usual ones.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// There is no more to say: here for scripts.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// How settings are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A line a setting.
    Display,
    /// A list of mappings.
    Json,
}

/// Carries a command out.
pub(crate) fn run(manner: Manner, command: &ConfigCommand) -> Exit {
    let screen = Screen::new(manner, &config::Settings::default(), 0, false, false);
    match carried_out(command, &screen) {
        Ok(()) => Exit::Ok,
        Err(stop) => {
            stop.diagnostics.iter().for_each(|d| screen.show(d));
            stop.exit
        }
    }
}

fn carried_out(command: &ConfigCommand, screen: &Screen) -> Result<(), Stop> {
    match command {
        ConfigCommand::View(args) => {
            let file = args.file()?.or_else(config::file);
            let Some(file) = file else {
                let words = "Invalid or no config file was supplied";
                return Err(Stop::because(Exit::Error, words));
            };
            let text = std::fs::read_to_string(&file).map_err(|e| {
                let words = format!("could not read `{}`: {e}", file.display());
                Stop::because(Exit::Options, words)
            })?;
            print(&text)
        }
        ConfigCommand::Dump {
            file,
            only_changed,
            format,
        } => {
            let loaded = match file.file()? {
                Some(file) => config::load_from(Some(file)),
                None => config::load(),
            };
            let (settings, warnings) = loaded.map_err(|wrong| Stop {
                exit: Exit::Options,
                diagnostics: vec![wrong],
            })?;
            warnings.iter().for_each(|warning| screen.show(warning));
            let all = config::shown(&settings).into_iter();
            let kept = all.filter(|(_, known)| !only_changed || known.origin != config::DEFAULT);
            print(&match format {
                Format::Display => kept.map(|(name, known)| line(name, &known)).collect(),
                Format::Json => as_json(kept),
            })
        }
    }
}

impl FileArgs {
    /// The file that was named.
    fn file(&self) -> Result<Option<PathBuf>, Stop> {
        let Some(file) = &self.config else {
            return Ok(None);
        };
        if !file.is_file() {
            let words = format!(
                "The provided configuration file is missing or not accessible: {}",
                file.display()
            );
            return Err(Stop::because(Exit::Options, words));
        }
        let whole = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        Ok(Some(whole))
    }
}

/// `NAME(origin) = value`.
fn line(name: &str, known: &Known) -> String {
    let value = in_words(&from_json(&known.value));
    format!("{name}({}) = {value}\n", known.origin)
}

fn as_json(settings: impl Iterator<Item = (&'static str, Known)>) -> String {
    let row = |(name, known): (&str, Known)| json!({"name": name, "origin": known.origin, "value": known.value});
    let rows: Json = settings.map(row).collect();
    format!("{rows:#}\n")
}

fn print(text: &str) -> Result<(), Stop> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(Stop::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_line_with_its_origin() {
        let known = |value| Known {
            value,
            origin: "/a.cfg".to_owned(),
        };
        let lines = [json!(7), json!(["/a", "b"]), json!(true), Json::Null].map(known);
        let lines: String = lines.iter().map(|known| line("N", known)).collect();
        assert_eq!(
            lines,
            "N(/a.cfg) = 7\nN(/a.cfg) = ['/a', 'b']\nN(/a.cfg) = True\nN(/a.cfg) = None\n"
        );
    }
}
