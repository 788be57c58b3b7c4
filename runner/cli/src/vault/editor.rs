//! A vault in the editor: the open text lies in a file of its own for as long as the editor runs.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{CreateArgs, EncryptArgs, Keyring, file, locked, same_again};
use crate::config::Settings;
use crate::exit::Exit;
use crate::stop::Stop;

/// Writes a new vault.
pub(crate) fn create(args: &CreateArgs, settings: &Settings) -> Result<(), Stop> {
    let path = &args.file_name;
    if !args.skip_tty_check && !std::io::stdout().is_terminal() {
        return Err(Stop::because(
            Exit::Options,
            "not a tty, editor cannot be opened",
        ));
    }
    if path.exists() {
        return Err(Stop::error(format!(
            "{} exists, please use 'edit' instead",
            path.display()
        )));
    }
    let keyring = Keyring::new(&args.common.vault, settings, true)?;
    let secret = keyring.to_lock(args.encrypt_vault_id.as_deref(), settings)?;
    let text = edited(b"", path, settings)?;
    file::write(path, locked(&text, secret, settings)?.as_bytes())
}

/// Changes vaults; one that was left as it was is not written.
pub(crate) fn edit(args: &EncryptArgs, settings: &Settings) -> Result<(), Stop> {
    let keyring = Keyring::new(&args.common.vault, settings, false)?;
    for path in &args.file_name {
        let content = file::read(path)?;
        let (plain, opener) = keyring.open(&content, &path.display().to_string())?;
        let text = edited(&plain, path, settings)?;
        if text == plain && args.encrypt_vault_id.is_none() {
            continue;
        }
        let secret = match &args.encrypt_vault_id {
            Some(id) => keyring.to_lock(Some(id), settings)?.clone(),
            None => same_again(&content, opener),
        };
        file::write(path, locked(&text, &secret, settings)?.as_bytes())?;
    }
    Ok(())
}

/// What the editor makes of a text.
fn edited(text: &[u8], path: &Path, settings: &Settings) -> Result<Vec<u8>, Stop> {
    let suffix = path
        .extension()
        .map(|e| format!(".{}", e.display()))
        .unwrap_or_default();
    // Readable by its owner only, and removed whatever happens.
    let mut temporary = tempfile::Builder::new()
        .prefix("rplay-vault-")
        .suffix(&suffix)
        .tempfile()?;
    temporary.write_all(text)?;
    temporary.flush()?;
    let line = settings.editor.as_deref().unwrap_or("vi");
    let words = shlex::split(line).filter(|words| !words.is_empty());
    let words = words
        .ok_or_else(|| Stop::error(format!("the editor `{line}` cannot be read as a command")))?;
    let status = Command::new(&words[0])
        .args(&words[1..])
        .arg(temporary.path())
        .status()
        .map_err(|e| Stop::error(format!("could not run the editor `{line}`: {e}")))?;
    if !status.success() {
        return Err(Stop::error(format!(
            "the editor `{line}` ended with {status}: nothing was written"
        )));
    }
    // Editors replace the file: it is read by its name.
    Ok(std::fs::read(temporary.path())?)
}

/// Shows a text, in the pager where there is a terminal.
pub(crate) fn page(text: &[u8], settings: &Settings) -> Result<(), Stop> {
    let mut out = std::io::stdout();
    if !out.is_terminal() {
        out.write_all(text)?;
        return Ok(());
    }
    let line = settings.pager.as_deref().unwrap_or("less");
    let words = shlex::split(line).unwrap_or_default();
    let child = words.split_first().map(|(program, args)| {
        Command::new(program)
            .args(args)
            .env("LESS", "-FRSX")
            .stdin(Stdio::piped())
            .spawn()
    });
    let Some(Ok(mut child)) = child else {
        out.write_all(text)?;
        return Ok(());
    };
    if let Some(mut input) = child.stdin.take() {
        // A pager that was left early has seen enough.
        let _ = input.write_all(text);
    }
    child.wait()?;
    Ok(())
}
