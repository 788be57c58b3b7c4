//! Vault passwords: from files, scripts and the terminal, each under its vault id.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use rplay_template::vault::{Tried, VaultKeys};

use crate::args::VaultArgs;
use crate::ask;
use crate::config::{Settings, expanded};
use crate::manner::Manner;

/// The id of a password that is given none.
pub(crate) const DEFAULT: &str = "default";

/// A password and its vault id.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct VaultSecret {
    /// The id.
    pub id: String,
    /// The password.
    pub password: String,
}

/// The passwords that arguments and settings name, in their order.
///
/// # Errors
/// A file that cannot be read, or no terminal to ask on.
pub(crate) fn given(
    args: &VaultArgs,
    settings: &Settings,
    new: bool,
) -> io::Result<Vec<VaultSecret>> {
    let mut sources: Vec<String> = settings.vault_identity_list.clone().unwrap_or_default();
    sources.extend(args.vault_id.iter().cloned());
    let files = args
        .vault_password_file
        .iter()
        .map(|path| path.display().to_string());
    let mut files: Vec<String> = files.collect();
    let ask = args.ask_vault_pass || settings.ask_vault_pass == Some(true);
    // As in Ansible, the one of the settings is tried too.
    let set = settings.vault_password_file.as_ref();
    files.extend(set.map(|path| path.display().to_string()));
    let own = settings.vault_identity.as_deref().unwrap_or(DEFAULT);
    sources.extend(files.into_iter().map(|file| format!("{own}@{file}")));
    if ask {
        sources.push(format!("{own}@prompt_ask_vault_pass"));
    }
    let mut secrets = vec![];
    let mut missed = vec![];
    for source in &sources {
        match secret(source, new) {
            Ok(secret) => secrets.push(secret),
            Err(error) if is_prompt(source) => return Err(error),
            Err(error) => missed.push((source, error)),
        }
    }
    // One password is enough: that others cannot be read is told.
    if secrets.is_empty() {
        return match missed.into_iter().next_back() {
            Some((_, error)) => Err(error),
            None => Ok(secrets),
        };
    }
    for (source, error) in missed {
        warn(&unread(source, &error));
    }
    Ok(secrets)
}

fn is_prompt(source: &str) -> bool {
    let (_, place) = parts(source);
    ["prompt", "prompt_ask_vault_pass"].contains(&place)
}

/// Ansible's words for a password that could not be had.
fn unread(source: &str, error: &io::Error) -> String {
    let (id, _) = parts(source);
    let what = match error.kind() {
        io::ErrorKind::NotFound => "Error getting vault password file",
        _ => "Error in vault password file loading",
    };
    format!("{what} ({id}): {error}")
}

fn warn(words: &str) {
    let mark = match Manner::now().is_ansible() {
        true => "[WARNING]",
        false => "warning",
    };
    let _ = writeln!(io::stderr(), "{mark}: {words}");
}

/// The id of a source and where it is.
fn parts(source: &str) -> (&str, &str) {
    let (id, place) = source.split_once('@').unwrap_or((DEFAULT, source));
    (if id.is_empty() { DEFAULT } else { id }, place)
}

/// The passwords as keys to open vaults with.
pub(crate) fn keys(secrets: &[VaultSecret], settings: &Settings) -> VaultKeys {
    let pairs = secrets
        .iter()
        .map(|s| (Some(s.id.clone()), s.password.clone()));
    let tried = match settings.vault_id_match {
        Some(true) => Tried::OfItsId,
        _ => Tried::All,
    };
    VaultKeys::tried(pairs.collect(), tried)
}

/// `ID@FILE`, `ID@prompt`, `FILE` or `prompt`; a new password is asked for twice.
///
/// # Errors
/// A file that cannot be read, an empty password, or no terminal to ask on.
pub(crate) fn secret(source: &str, new: bool) -> io::Result<VaultSecret> {
    let (id, place) = parts(source);
    let password = match place {
        "prompt" | "prompt_ask_vault_pass" => asked(id, place, new)?,
        file => from_file(Path::new(&expanded(file)), id)?,
    };
    if password.is_empty() {
        return Err(io::Error::other(format!(
            "the vault password of `{source}` is empty"
        )));
    }
    Ok(VaultSecret {
        id: id.to_owned(),
        password,
    })
}

fn asked(id: &str, kind: &str, new: bool) -> io::Result<String> {
    let words = match (kind, new) {
        ("prompt_ask_vault_pass", false) => "Vault password".to_owned(),
        ("prompt_ask_vault_pass", true) => "New Vault password".to_owned(),
        (_, false) => format!("Vault password ({id})"),
        (_, true) => format!("New vault password ({id})"),
    };
    let password = match new {
        true => ask::password(&words)?,
        false => once(&words)?,
    };
    if new && ask::password(&format!("Confirm {}", words.to_lowercase()))? != password {
        return Err(io::Error::other("the two passwords differ"));
    }
    Ok(password)
}

/// What was answered before is not asked again: a plan's key and its vaults want the same password.
fn once(words: &str) -> io::Result<String> {
    static ANSWERS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = answers.get(words) {
        return Ok(answer.clone());
    }
    let answer = ask::password(words)?;
    answers.insert(words.to_owned(), answer.clone());
    Ok(answer)
}

/// A file's text, or what an executable prints; one whose name ends in `-client` is told the id.
fn from_file(path: &Path, id: &str) -> io::Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let named = |e: io::Error| {
        let words = format!(
            "could not read the vault password file `{}`: {e}",
            path.display()
        );
        io::Error::new(e.kind(), words)
    };
    let mode = std::fs::metadata(path).map_err(named)?.permissions().mode();
    if mode & 0o111 == 0 {
        let text = std::fs::read_to_string(path).map_err(named)?;
        return Ok(text.trim().to_owned());
    }
    let mut command = Command::new(path.canonicalize().map_err(named)?);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem.ends_with("-client") {
        command.args(["--vault-id", id]);
    }
    command.stderr(std::process::Stdio::inherit());
    let output = command.output().map_err(named)?;
    match output.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end_matches(['\n', '\r'])
            .to_owned()),
        Some(2) if stem.ends_with("-client") => {
            let words = format!(
                "`{}` knows no password for the vault id `{id}`",
                path.display()
            );
            Err(io::Error::other(words))
        }
        code => {
            let code = code.map_or("a signal".to_owned(), |code| code.to_string());
            Err(io::Error::other(format!(
                "the vault password script `{}` ended with {code}",
                path.display()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_client_script_is_told_the_id() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw-client.sh");
        std::fs::write(
            &path,
            "#!/bin/sh\n[ \"$2\" = none ] && exit 2\necho \"$1 $2\"\n",
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let got = secret(&format!("dev@{}", path.display()), false).unwrap();
        assert_eq!(
            (got.id.as_str(), got.password.as_str()),
            ("dev", "--vault-id dev")
        );
        let error = secret(&format!("none@{}", path.display()), false)
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .ends_with("knows no password for the vault id `none`"),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_an_id_is_the_default_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, "  secret \n\n").unwrap();
        let got = secret(&path.display().to_string(), false).unwrap();
        assert_eq!(
            (got.id.as_str(), got.password.as_str()),
            ("default", "secret")
        );
        std::fs::write(&path, "\n").unwrap();
        assert!(secret(&path.display().to_string(), false).is_err());
    }

    #[test]
    fn what_could_not_be_read_is_told_by_its_id() {
        let kinds = [io::ErrorKind::NotFound, io::ErrorKind::Other];
        let told = kinds.map(|kind| unread("id1@./no", &io::Error::new(kind, "why")));
        assert_eq!(told[0], "Error getting vault password file (id1): why");
        assert_eq!(told[1], "Error in vault password file loading (id1): why");
    }
}
