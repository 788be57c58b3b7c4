//! Keys that apt trusts for every source. Deprecated in apt itself: a source's own key
//! (`deb822_repository`, `signed-by`) is the better way.
//!
//! A keyring is a row of packets, so keys are added and taken out here, and neither apt-key nor gpg
//! is needed on the host.

use std::path::{Path, PathBuf};

use rplay_api::{Args, Doc, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, Return};
use serde_json::Value;

use crate::openpgp::{Key, Presence, PublicKey, plain_id};

/// The `apt_key` module.
pub struct This;

/// Arguments of `apt_key`.
#[derive(Debug, Args)]
pub struct AptKeyArgs {
    /// The key's id or fingerprint. With it a key that is there is not fetched again.
    id: Option<String>,
    /// Whether it is trusted.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// The key itself.
    data: Option<String>,
    /// A path on the target.
    file: Option<PathBuf>,
    /// An address.
    url: Option<String>,
    /// A server of keys, asked for `id`.
    keyserver: Option<String>,
    /// The keyring, in /etc/apt/trusted.gpg.d; apt's first one where absent.
    keyring: Option<PathBuf>,
    /// Refuse a server whose certificate the target does not trust.
    #[arg(default = true)]
    validate_certs: bool,
}

impl Module for This {
    type Args = AptKeyArgs;

    const DOC: Doc = Doc {
        name: "apt_key",
        aliases: &[],
        summary: "Adds and removes keys that apt trusts",
        description: "Such a key is trusted for every source: prefer `deb822_repository` with `signed_by`.",
        free_form: None,
        examples: r#"
- name: A vendor's key
  apt_key:
    id: 9FED2BCBDCD29CDF762678CBAED4B06F473041FA
    url: https://packages.example.com/key.asc
    keyring: /etc/apt/trusted.gpg.d/example.gpg
"#,
        returns: &[
            Return { name: "before", doc: "The ids of the keys that were trusted." },
            Return { name: "after", doc: "The ids of those that are, where they changed." },
            Return { name: "id", doc: "The key's id as it was given, or found in the key." },
            Return { name: "fp", doc: "The last sixteen digits of it." },
            Return { name: "key_id", doc: "The key's whole id." },
            Return { name: "short_id", doc: "The last eight digits of it." },
        ],
    };

    fn run(args: AptKeyArgs, host: &Host) -> Result<Outcome> {
        let id = args.id.as_deref().map(plain_id);
        if let Some(id) = &id
            && (id.len() < 8 || !id.chars().all(|c| c.is_ascii_hexdigit()))
        {
            return Err(Failure::new(format!("`{id}` is no key's id: it is 8, 16 or 40 hexadecimal digits")).arg("id"));
        }
        let rings = rings(&args, host)?;
        let before = ids(&rings);
        let id = match args.state {
            Presence::Present => add(&args, id, &rings, host)?,
            Presence::Absent => remove(&args, id, rings, host)?,
        };
        let outcome = Outcome::new()
            .with("before", before)
            .with("fp", last(&id, 16))
            .with("short_id", last(&id, 8))
            .with("key_id", id.clone())
            .with("id", id);
        if !host.changed() {
            return Ok(outcome);
        }
        let after = ids(&self::rings(&args, host)?);
        Ok(outcome.with("after", after))
    }
}

/// A file of keys.
struct Ring {
    path: PathBuf,
    keys: Vec<PublicKey>,
}

fn last(id: &str, digits: usize) -> String {
    id[id.len().saturating_sub(digits)..].to_owned()
}

fn ids(rings: &[Ring]) -> Vec<Value> {
    rings.iter().flat_map(|r| &r.keys).map(|k| Value::from(k.id())).collect()
}

/// The keyrings that the task is about: the one it names, or all that apt trusts.
fn rings(args: &AptKeyArgs, host: &Host) -> Result<Vec<Ring>> {
    let mut paths = vec![];
    let folder = Path::new("/etc/apt/trusted.gpg.d");
    match &args.keyring {
        Some(path) => paths.push(path.clone()),
        None => {
            paths.push("/etc/apt/trusted.gpg".into());
            if host.is_dir(folder)? {
                let names = host.read_dir(folder)?.into_iter().map(|n| folder.join(n));
                paths.extend(names.filter(|p| p.extension().is_some_and(|e| e == "gpg" || e == "asc")));
            }
        }
    }
    let mut rings = vec![];
    for path in paths {
        if host.exists(&path)? {
            rings.push(Ring { keys: keys(&path, host)?, path });
        }
    }
    Ok(rings)
}

fn keys(path: &Path, host: &Host) -> Result<Vec<PublicKey>> {
    let bytes = host.read(path)?;
    if bytes.is_empty() {
        return Ok(vec![]);
    }
    if bytes.get(8..12) == Some(b"KBXf") {
        let path = path.display();
        return Err(Failure::new(format!("`{path}` is a keybox, which apt cannot read"))
            .help(format!("on the host: gpg --no-default-keyring --keyring {path} --export > FILE, and put FILE in its place")));
    }
    Key::of(bytes)
        .and_then(|key| key.keys())
        .map_err(|f| Failure { msg: format!("`{}`: {}", path.display(), f.msg), ..f })
}

fn add(args: &AptKeyArgs, id: Option<String>, rings: &[Ring], host: &Host) -> Result<String> {
    let has = |id: &str| rings.iter().flat_map(|r| &r.keys).any(|k| k.is(id));
    if let Some(id) = &id
        && has(id)
    {
        return Ok(id.clone());
    }
    let new = source(args, id.as_deref(), host)?.keys()?;
    let first = new.first().ok_or_else(|| Failure::new("there is no key in it"))?;
    let id = match id {
        Some(id) if !new.iter().any(|k| k.is(&id)) => {
            return Err(Failure::new(format!("the key `{id}` is not there: `{}` is", first.fingerprint))
                .arg("id")
                .help("give the id of the key that you trust, or its source"));
        }
        Some(id) => id,
        None => first.fingerprint.clone(),
    };
    let missing: Vec<_> = new.iter().filter(|k| !has(&k.fingerprint)).collect();
    if missing.is_empty() {
        return Ok(id);
    }
    let path = args.keyring.clone().unwrap_or_else(|| "/etc/apt/trusted.gpg".into());
    let mut keys: Vec<&PublicKey> = rings.iter().filter(|r| r.path == path).flat_map(|r| &r.keys).collect();
    keys.extend(missing);
    write(&path, keys.into_iter(), host)?;
    Ok(id)
}

/// The key that the task gives.
fn source(args: &AptKeyArgs, id: Option<&str>, host: &Host) -> Result<Key> {
    if let Some(data) = &args.data {
        return Key::of(format!("{}\n", data.trim()).into_bytes()).map_err(|f| f.arg("data"));
    }
    if let Some(path) = &args.file {
        return Key::of(host.read(path)?).map_err(|f| f.arg("file"));
    }
    if let Some(url) = &args.url {
        return Key::fetch(url, args.validate_certs, host).map_err(|f| f.arg("url"));
    }
    match (&args.keyserver, id) {
        (Some(server), Some(id)) => {
            Key::fetch(&lookup(server, id), args.validate_certs, host).map_err(|f| f.arg("keyserver"))
        }
        (Some(_), None) => Err(Failure::new("`keyserver` needs an `id`").arg("keyserver")),
        (None, _) => Err(Failure::new("it is not said where the key comes from")
            .help("give `data`, `file`, `url`, or `keyserver` and `id`")),
    }
}

/// The address that a server of keys answers with a key.
fn lookup(server: &str, id: &str) -> String {
    let base = match server.split_once("://") {
        Some(("hkp", place)) if place.contains(':') => format!("http://{place}"),
        Some(("hkp", place)) => format!("http://{place}:11371"),
        Some(("hkps", place)) => format!("https://{place}"),
        Some(_) => server.to_owned(),
        None => format!("https://{server}"),
    };
    format!("{}/pks/lookup?op=get&options=mr&search=0x{id}", base.trim_end_matches('/'))
}

fn remove(args: &AptKeyArgs, id: Option<String>, rings: Vec<Ring>, host: &Host) -> Result<String> {
    let id = match id {
        Some(id) => id,
        None => {
            let keys = source(args, None, host)?.keys()?;
            let first = keys.first().ok_or_else(|| Failure::new("there is no key in it"))?;
            first.fingerprint.clone()
        }
    };
    for ring in rings {
        if !ring.keys.iter().any(|k| k.is(&id)) {
            continue;
        }
        let left: Vec<_> = ring.keys.iter().filter(|k| !k.is(&id)).collect();
        if left.is_empty() {
            host.remove(&ring.path)?;
        } else {
            write(&ring.path, left.into_iter(), host)?;
        }
    }
    Ok(id)
}

fn write<'k>(path: &Path, keys: impl Iterator<Item = &'k PublicKey>, host: &Host) -> Result<()> {
    let bytes: Vec<u8> = keys.flat_map(|k| k.packets.iter().copied()).collect();
    // apt reads an `.asc` file as armored text only.
    let bytes = if path.extension().is_some_and(|e| e == "asc") { crate::openpgp::armored(&bytes).into_bytes() } else { bytes };
    if let Some(folder) = path.parent() {
        host.make_dirs(folder, &FileArgs::default())?;
    }
    let file = FileArgs { mode: Some(FileMode::Octal(0o644)), ..FileArgs::default() };
    host.ensure_content(path, &bytes, &file)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::run;
    use crate::openpgp::tests::{FINGERPRINT, REAL};

    #[test]
    fn a_key_is_added_once_and_removed_by_its_id() {
        for ring in ["/etc/apt/trusted.gpg.d/x.gpg", "/etc/apt/trusted.gpg.d/x.asc"] {
            let host = Overlay::empty();
            let got = run::<This>(&host, json!({"data": REAL, "keyring": ring}));
            assert_eq!(got.result.unwrap().data["after"], json!([FINGERPRINT[24..]]));
            assert_eq!(run::<This>(&host, json!({"data": REAL})).changes, []);
            assert_eq!(run::<This>(&host, json!({"id": &FINGERPRINT[32..], "url": "http://no.example"})).changes, []);
            let gone = run::<This>(&host, json!({"id": FINGERPRINT, "state": "absent"}));
            assert_eq!((gone.changes.len(), gone.changes[0].after.clone()), (1, None));
        }
    }

    #[test]
    fn another_key_than_the_one_that_is_trusted_is_refused() {
        let other = json!({"data": REAL, "id": "0123456789ABCDEF"});
        let got = run::<This>(&Overlay::empty(), other).result.unwrap_err();
        assert!(got.msg.starts_with("the key `0123456789ABCDEF` is not there"));
    }

    #[test]
    fn a_server_of_keys_is_asked_by_its_scheme() {
        assert_eq!(lookup("keyserver.ubuntu.com", "AB"), "https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0xAB");
        assert!(lookup("hkp://k.example", "AB").starts_with("http://k.example:11371/pks"));
        assert!(lookup("hkp://k.example:80", "AB").starts_with("http://k.example:80/pks"));
    }
}
