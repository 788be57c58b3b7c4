//! `encrypt_string`: texts as `!vault` values, ready for a file of variables.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use clap::Args;

use super::{CommonArgs, Keyring, file, locked};
use crate::ask;
use crate::config::Settings;
use crate::exit::Exit;
use crate::stop::Stop;

/// Flags of `encrypt_string`.
#[derive(Debug, Args)]
pub(crate) struct StringArgs {
    /// The texts; - is standard input.
    pub string_to_encrypt: Vec<String>,
    /// Write here; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Lock with the password of this id.
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
    /// Ask for the text.
    #[arg(short, long)]
    pub prompt: bool,
    /// Show what is typed.
    #[arg(long)]
    pub show_input: bool,
    /// The variable's name. May be repeated.
    #[arg(short, long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// The name of the variable that standard input is.
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// A text, its name, and where it came from.
struct Text {
    value: String,
    name: Option<String>,
    source: &'static str,
}

/// Locks the texts.
pub(crate) fn encrypt(args: &StringArgs, settings: &Settings) -> Result<(), Stop> {
    let keyring = Keyring::new(&args.common.vault, settings, true)?;
    let secret = keyring.to_lock(args.encrypt_vault_id.as_deref(), settings)?;
    let texts = texts(args)?;
    let mut blocks = vec![];
    for (number, text) in texts.iter().enumerate() {
        if texts.len() > 1 {
            let mut err = std::io::stderr();
            let _ = writeln!(err, "{}", heading(text, number + 1));
        }
        blocks.push(block(
            &locked(text.value.as_bytes(), secret, settings)?,
            text.name.as_deref(),
        ));
    }
    let mut all = blocks.join("\n");
    all.push('\n');
    let out = args.output.clone().unwrap_or_else(|| "-".into());
    file::write(&out, all.as_bytes())
}

fn texts(args: &StringArgs) -> Result<Vec<Text>, Stop> {
    let mut texts = vec![];
    if args.prompt {
        let name = args
            .names
            .first()
            .cloned()
            .map_or_else(|| asked("Variable name (enter for no name)", true), Ok)?;
        let words = match name.as_str() {
            "" => "String to encrypt".to_owned(),
            name => format!("String to encrypt for variable `{name}`"),
        };
        texts.push(Text {
            value: some(asked(&words, args.show_input)?)?,
            name: Some(name).filter(|n| !n.is_empty()),
            source: "the interactive user input",
        });
    }
    let stream = args.string_to_encrypt.iter().any(|text| text == "-");
    if stream || args.stdin_name.is_some() || (args.string_to_encrypt.is_empty() && !args.prompt) {
        if std::io::stdin().is_terminal() {
            let _ = writeln!(
                std::io::stderr(),
                "Reading plaintext input from stdin. (ctrl-d to end input, twice if your content does not already have a newline)"
            );
        }
        let mut value = String::new();
        std::io::stdin().read_to_string(&mut value)?;
        texts.push(Text {
            value: some(value)?,
            name: args.stdin_name.clone(),
            source: "stdin",
        });
    }
    let names = if args.prompt { &[][..] } else { &args.names };
    let given = args.string_to_encrypt.iter().filter(|text| *text != "-");
    for (number, value) in given.enumerate() {
        texts.push(Text {
            value: some(value.clone())?,
            name: names.get(number).cloned(),
            source: "the command line args",
        });
    }
    Ok(texts)
}

fn some(value: String) -> Result<String, Stop> {
    if value.is_empty() {
        return Err(Stop::because(Exit::Options, "the text to encrypt is empty"));
    }
    Ok(value)
}

fn asked(words: &str, shown: bool) -> Result<String, Stop> {
    if !shown {
        return Ok(ask::password(words)?);
    }
    ask::line(words).ok_or_else(|| Stop::error("there is no terminal to ask on"))
}

fn heading(text: &Text, number: usize) -> String {
    let what = match &text.name {
        Some(name) => format!(
            "variable (\"{name}\", the string #{number} from {})",
            text.source
        ),
        None => format!("the string #{number} from {}", text.source),
    };
    format!("# The encrypted version of {what}.")
}

/// `name: !vault |` and the vault's lines, indented.
fn block(vault: &str, name: Option<&str>) -> String {
    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let lines = vault
        .trim_end()
        .lines()
        .map(|line| format!("          {line}"));
    format!("{name}!vault |\n{}", lines.collect::<Vec<_>>().join("\n"))
}
