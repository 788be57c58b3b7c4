//! Keys that rpm trusts.

use std::io::{self, Write};
use std::path::Path;

use rplay_api::{Args, Command, Doc, Failure, Host, Module, Outcome, Result, State, Target};

use crate::openpgp::{Key, Presence, PublicKey, plain_id};
use crate::rpm;

/// The `rpm_key` module.
pub struct This;

/// Arguments of `rpm_key`.
#[derive(Debug, Args)]
pub struct RpmKeyArgs {
    /// The key: an address, a path on the target, or the id of one that rpm has.
    key: String,
    /// Whether it is trusted.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// The fingerprints of which the key must have one.
    #[arg(default = Vec::new())]
    fingerprint: Vec<String>,
    /// Refuse a server whose certificate the target does not trust.
    #[arg(default = true)]
    validate_certs: bool,
}

impl Module for This {
    type Args = RpmKeyArgs;

    const DOC: Doc = Doc {
        name: "rpm_key",
        aliases: &[],
        summary: "Adds and removes keys that rpm trusts",
        description: "The key is read without gpg; rpm itself imports it.",
        free_form: None,
        examples: r#"
- name: A vendor's key, and no other
  rpm_key:
    key: https://packages.example.com/key.asc
    fingerprint: EBC6E12C62B1C734026B21222A20E52146B8D79E6
"#,
        returns: &[],
    };

    fn run(args: RpmKeyArgs, host: &Host) -> Result<Outcome> {
        if !rpm::is_there(host)? {
            let failure = Failure::new("there is no `rpm` on this host");
            return Err(host.missing(failure.help("it is for Fedora, Red Hat's family and SUSE")));
        }
        let source = source(&args, host)?;
        let ids = match &source {
            Source::Id(id) => vec![id.clone()],
            Source::Keys(keys) => keys.iter().map(|k| k.id().to_owned()).collect(),
        };
        if let Source::Keys(keys) = &source {
            check(&args.fingerprint, keys)?;
        }
        for (i, id) in ids.iter().enumerate() {
            let short = id[id.len().saturating_sub(8)..].to_lowercase();
            let target = Target::Host(format!("rpm key {short}"));
            let found = || Ok(is_trusted(&short, host)?.then(trusted));
            let before = host.state(&target, found)?;
            match (args.state, &source) {
                (Presence::Absent, _) => host.ensure(target, before, None, || forget(&short, host))?,
                (Presence::Present, Source::Keys(keys)) => {
                    host.ensure(target, before, Some(trusted()), || import(&keys[i], host))?;
                }
                (Presence::Present, Source::Id(_)) if before.is_some() => {}
                (Presence::Present, Source::Id(id)) => {
                    return Err(Failure::new(format!("rpm has no key `{id}`"))
                        .arg("key")
                        .help("give its address, or a path on the target"));
                }
            }
        }
        Ok(Outcome::new())
    }
}

enum Source {
    Id(String),
    Keys(Vec<PublicKey>),
}

fn source(args: &RpmKeyArgs, host: &Host) -> Result<Source> {
    let key = args.key.trim();
    let named = |f: Failure| f.arg("key");
    if key.contains("://") {
        return Ok(Source::Keys(Key::fetch(key, args.validate_certs, host).map_err(named)?.keys()?));
    }
    if host.exists(Path::new(key))? {
        return Ok(Source::Keys(Key::of(host.read(Path::new(key))?).map_err(named)?.keys()?));
    }
    let id = plain_id(key);
    if matches!(id.len(), 8 | 16 | 40) && id.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(Source::Id(id));
    }
    Err(Failure::new(format!("`{key}` is no address, no file of this host and no key's id")).arg("key"))
}

fn check(wanted: &[String], keys: &[PublicKey]) -> Result<()> {
    let wanted: Vec<String> = wanted.iter().map(|f| plain_id(f)).collect();
    if wanted.is_empty() || keys.iter().any(|k| wanted.contains(&k.fingerprint)) {
        return Ok(());
    }
    let found: Vec<_> = keys.iter().map(|k| format!("`{}`", k.fingerprint)).collect();
    Err(Failure::new(format!("the key has another fingerprint: {}", found.join(", "))).arg("fingerprint"))
}

fn trusted() -> State {
    State::from([("state".to_owned(), "trusted".to_owned())])
}

/// rpm keeps a key as a package whose version is the key's short id (rpm 6: its fingerprint).
fn is_trusted(short: &str, host: &Host) -> Result<bool> {
    Ok(package(short, host)?.is_some())
}

fn package(short: &str, host: &Host) -> Result<Option<String>> {
    let format = "%{VERSION} %{NAME}-%{VERSION}-%{RELEASE}\n";
    let said = host.run(&Command::reads(["rpm", "-q", "gpg-pubkey", "--queryformat", format]))?;
    let text = said.stdout();
    let packages = text.lines().filter_map(|l| l.split_once(' '));
    let found = packages.into_iter().find(|(version, _)| version.ends_with(short));
    Ok(found.map(|(_, name)| name.to_owned()).filter(|_| said.rc == 0))
}

fn forget(short: &str, host: &Host) -> Result<()> {
    let Some(name) = package(short, host)? else {
        return Ok(());
    };
    let command = Command::changes(["rpm", "--erase", "--allmatches", &name]);
    host.run(&command)?.success(&command).map(drop)
}

fn import(key: &PublicKey, host: &Host) -> Result<()> {
    let dir = std::env::temp_dir();
    let failed = |e: io::Error| Failure::io("write a key for rpm in", &dir, &e);
    let mut file = tempfile::NamedTempFile::new_in(&dir).map_err(failed)?;
    file.write_all(crate::openpgp::armored(&key.packets).as_bytes()).map_err(failed)?;
    let command = Command::changes(["rpm".as_ref(), "--import".as_ref(), file.path().as_os_str()]);
    host.run(&command)?.success(&command).map(drop)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};
    use crate::openpgp::tests::{FINGERPRINT, REAL};

    #[test]
    fn a_host_without_rpm_is_told_of() {
        let got = run::<This>(&Overlay::empty(), json!({"key": "/k"})).result.unwrap_err();
        assert_eq!(got.msg, "there is no `rpm` on this host");
    }

    #[test]
    fn a_key_with_another_fingerprint_is_refused() {
        let keys = Key::of(REAL.into()).unwrap().keys().unwrap();
        assert!(check(&[FINGERPRINT.to_lowercase()], &keys).is_ok());
        assert!(check(&["0".repeat(40)], &keys).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let host = Overlay::empty();
        Fixture::new(&host).file("/usr/bin/rpm", "");
        let got = run::<This>(&host, json!({"key": "some words"})).result.unwrap_err();
        assert!(got.msg.contains("no address, no file"));
    }
}
