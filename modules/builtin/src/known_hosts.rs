//! Host keys of SSH servers in a `known_hosts` file.
//!
//! The file is read and written without `ssh-keygen`, which a target may lack. Names may be hashed
//! in it: such a line is found again by hashing the wanted name with the line's salt. A pattern
//! (`*.example.com`) is found by its own text only: it stands for other hosts too.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use rplay_api::{Args, Choice, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return};
use serde_json::{Value, json};

use crate::path_info;

/// The `known_hosts` module.
pub struct This;

/// Arguments of `known_hosts`.
#[derive(Debug, Args)]
pub struct KnownHostsArgs {
    /// The host, as SSH is given it: a name, an address, or `[name]:port`.
    #[arg(alias = "host")]
    name: String,
    /// The key as a line of the file: `NAME ssh-ed25519 AAAA...`. For state: absent it may be left
    /// out: all keys of the host go then.
    key: Option<String>,
    /// The file; absent: `~/.ssh/known_hosts`.
    path: Option<PathBuf>,
    /// Write the name as a hash, which does not tell the host.
    #[arg(default = false)]
    hash_host: bool,
    /// Whether the key should be there.
    #[arg(default = State::Present)]
    state: State,
}

/// Whether the key should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

impl Module for This {
    type Args = KnownHostsArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "known_hosts",
        aliases: &[],
        summary: "Makes host keys of SSH servers known, or forgets them",
        description: "A key takes the place of the host's other key of the same type.",
        free_form: None,
        examples: r#"
- name: The key of the git server
  known_hosts:
    path: /etc/ssh/ssh_known_hosts
    name: git.example.com
    key: "git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxtizesS3rfpS6jUeNrvOIFvctp3pKkhrJWCd03xW3l"

- name: A server that is gone
  known_hosts:
    name: "[old.example.com]:2222"
    state: absent
"#,
        returns: &[
            Return { name: "path", doc: "The file; also `mode`, `owner`, `size`, ..." },
            Return { name: "key", doc: "The key as it was given." },
            Return { name: "name", doc: "The host as it was given." },
            Return { name: "hash_host", doc: "Whether its name is written as a hash." },
            Return { name: "diff", doc: "The whole file, `before` and `after`." },
        ],
    };

    fn run(args: KnownHostsArgs, host: &Host) -> Result<Outcome> {
        let path = args.path(host)?;
        let name = args.name.to_lowercase();
        let wanted = args.wanted(&name)?;
        let is_new = host.stat(&path)?.is_none();
        let text = if is_new { vec![] } else { host.read(&path)? };
        // Bytes that are no text stay as they are: each is a letter of its own meanwhile.
        let text: String = text.iter().map(|b| char::from(*b)).collect();
        let new = match args.state {
            State::Present => with(&text, &name, &wanted, args.hash_host)?,
            State::Absent => without(&text, &name, &wanted),
        };
        if new != text {
            crate::copy::require_parent(host, &path).map_err(|f| f.arg("path"))?;
            let bytes: Vec<u8> = new.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
            host.ensure_content(&path, &bytes, &FileArgs::default())?;
        }
        let outcome = Outcome::new()
            .with("path", path.to_string_lossy())
            .with("name", args.name)
            .with("key", args.key.map_or(Value::Null, Value::from))
            .with("hash_host", args.hash_host)
            .with("diff", diff(&path, is_new, &text, &new));
        path_info::describe(host, &path, outcome)
    }
}

/// The whole file before and after, as Ansible gives it.
fn diff(path: &Path, is_new: bool, before: &str, after: &str) -> Value {
    let header = path.to_string_lossy();
    let before_header = if is_new { "/dev/null" } else { &header };
    json!({
        "before_header": before_header,
        "after_header": header,
        "before": before,
        "after": after,
    })
}

impl KnownHostsArgs {
    fn path(&self, host: &Host) -> Result<PathBuf> {
        let path = match &self.path {
            Some(path) => path.clone(),
            None => {
                let home = host.env("HOME").unwrap_or_else(|| "/root".to_owned());
                PathBuf::from(home).join(".ssh/known_hosts")
            }
        };
        Ok(path)
    }

    /// The task's keys.
    fn wanted(&self, name: &str) -> Result<Vec<Line>> {
        if name.contains(',') {
            // Ansible's words: playbooks look for them.
            return Err(Failure::new(
                "Comma separated list of names is not supported. Please pass a single name to \
                 lookup in the known_hosts file.",
            )
            .arg("name")
            .help("give one of them, and all of them in the key's line"));
        }
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Failure::new(format!("`{name}` is no name of a host")).arg("name"));
        }
        let Some(key) = &self.key else {
            return match self.state {
                State::Absent => Ok(vec![]),
                State::Present => Err(Failure::missing("key")
                    .help("`ssh-keyscan NAME` shows the keys of a host; compare them with its own")),
            };
        };
        let lines = key.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let lines: Vec<Line> = lines.map(|text| self.line(name, text)).collect::<Result<_>>()?;
        if lines.is_empty() {
            return Err(Failure::new("the key is empty").arg("key"));
        }
        Ok(lines)
    }

    fn line(&self, name: &str, text: &str) -> Result<Line> {
        let line = Line::parse(text).ok_or_else(|| {
            Failure::new(format!("`{text}` is no line of a known_hosts file"))
                .arg("key")
                .help("it is NAME TYPE KEY, such as `git.example.com ssh-ed25519 AAAAC3...`")
        })?;
        if line.names(name) {
            return Ok(line);
        }
        // Ansible's words: playbooks look for them.
        let why = "Host parameter does not match hashed host field in supplied key";
        let help = format!("the key is one of `{}`, not of `{name}`", line.hosts);
        Err(Failure::new(why).arg("key").help(help))
    }
}

/// A line with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    marker: Option<String>,
    hosts: String,
    kind: String,
    key: String,
    comment: String,
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        if text.trim_start().starts_with('#') {
            return None;
        }
        let mut words = text.split_whitespace();
        let first = words.next()?;
        let (marker, hosts) = match first.starts_with('@') {
            true => (Some(first.to_owned()), words.next()?),
            false => (None, first),
        };
        Some(Self {
            marker,
            hosts: hosts.to_owned(),
            kind: words.next()?.to_owned(),
            key: words.next()?.to_owned(),
            comment: words.collect::<Vec<_>>().join(" "),
        })
    }

    fn is_hashed(&self) -> bool {
        self.hosts.starts_with("|1|")
    }

    /// Whether it is of that host.
    fn names(&self, name: &str) -> bool {
        if self.is_hashed() {
            return is_hash_of(&self.hosts, name).unwrap_or(false);
        }
        self.hosts.split(',').any(|host| host.to_lowercase() == name)
    }

    /// Whether both say the same key of a host.
    fn is_key_of(&self, other: &Self) -> bool {
        (&self.kind, &self.key, &self.marker) == (&other.kind, &other.key, &other.marker)
    }

    fn text(&self) -> String {
        let marker = self.marker.as_deref();
        let words = [&self.hosts, &self.kind, &self.key, &self.comment];
        let words = marker.into_iter().chain(words.into_iter().map(String::as_str));
        words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

fn hash(salt: &[u8], name: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
    hmac::sign(&key, name.as_bytes()).as_ref().to_vec()
}

/// Whether `|1|SALT|HASH` is that name.
fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, digest) = hashed.strip_prefix("|1|")?.split_once('|')?;
    let salt = STANDARD.decode(salt).ok()?;
    Some(STANDARD.decode(digest).ok()? == hash(&salt, name))
}

fn hashed(name: &str) -> Result<String> {
    let mut salt = [0; 20];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| Failure::new("the target has no random numbers for a hash"))?;
    let digest = STANDARD.encode(hash(&salt, name));
    Ok(format!("|1|{}|{digest}", STANDARD.encode(salt)))
}

/// The file with the wanted keys of a host.
fn with(text: &str, name: &str, wanted: &[Line], hash_host: bool) -> Result<String> {
    let mut text = text.to_owned();
    for key in wanted {
        let is_it = |line: &Line| {
            let spelled = if hash_host { line.is_hashed() } else { line.hosts == key.hosts };
            spelled && line.is_key_of(key)
        };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        // A host has one key of a type, but any number of authorities may sign for it.
        let of_kind = |line: &Line| {
            let replaces = match &key.marker {
                None => line.marker.is_none() && line.kind == key.kind,
                Some(_) => line.is_key_of(key),
            };
            line.names(name) && replaces
        };
        let there = |line: &&str| Line::parse(line).filter(of_kind);
        let found: Vec<Line> = lines.iter().filter_map(there).collect();
        if matches!(found.as_slice(), [only] if is_it(only)) {
            continue;
        }
        let mut new: String = lines.into_iter().filter(|line| there(line).is_none()).collect();
        if !new.is_empty() && !new.ends_with('\n') {
            new.push('\n');
        }
        let hosts = if hash_host { hashed(name)? } else { key.hosts.clone() };
        new.push_str(&Line { hosts, ..key.clone() }.text());
        new.push('\n');
        text = new;
    }
    Ok(text)
}

/// The file without the keys of a host: those that are named, or all.
fn without(text: &str, name: &str, keys: &[Line]) -> String {
    let goes = |line: &Line| {
        line.names(name) && (keys.is_empty() || keys.iter().any(|key| line.is_key_of(key)))
    };
    text.split_inclusive('\n')
        .filter(|line| !Line::parse(line).is_some_and(|line| goes(&line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, on_each_system, run};

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxt";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAyy";
    const R: &str = "ssh-rsa AAAAB3NzaC1yc2EAAA";

    /// What the file becomes, and whether it changed.
    fn after(before: &str, args: Value) -> (String, bool) {
        let overlay = rplay_api::Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/k", before);
        let mut args = args;
        args["path"] = "/k".into();
        let ran = fixture.run::<This>(args);
        ran.result.unwrap();
        let text = fixture.on_host(|host| host.read_text(std::path::Path::new("/k")).unwrap());
        (text, !ran.changes.is_empty())
    }

    #[test]
    fn a_key_takes_the_place_of_the_one_of_its_type() {
        let (text, changed) = after("", json!({"name": "H", "key": format!("h {A}")}));
        assert_eq!((text.as_str(), changed), (format!("h {A}\n").as_str(), true));
        let old = format!("# c\nh {A}\nh {R}\nother {A}");
        assert_eq!(after(&old, json!({"name": "h", "key": format!("h {A} x")})), (old.clone(), false));
        let (text, _) = after(&old, json!({"name": "h", "key": format!("h {B}")}));
        assert_eq!(text, format!("# c\nh {R}\nother {A}\nh {B}\n"));
    }

    #[test]
    fn an_authority_is_one_of_several() {
        let key = |key: &str| format!("@cert-authority *.x {key}");
        let old = format!("{}\n", key(A));
        let (text, _) = after(&old, json!({"name": "*.x", "key": key(B)}));
        assert_eq!(text, format!("{}\n{}\n", key(A), key(B)));
        assert!(!after(&text, json!({"name": "*.x", "key": key(A)})).1);
    }

    #[test]
    fn a_hash_is_found_again() {
        let hash = json!({"name": "h", "key": format!("h {A}"), "hash_host": true});
        let (text, _) = after("", hash.clone());
        assert!(text.starts_with("|1|"));
        assert_eq!(after(&text, hash), (text.clone(), false));
        let (plain, _) = after(&text, json!({"name": "h", "key": format!("h {A}")}));
        assert_eq!(plain, format!("h {A}\n"));
        assert_eq!(after(&text, json!({"name": "h", "state": "absent"})).0, "");
        assert_eq!(after(&text, json!({"name": "i", "state": "absent"})).0, text);
    }

    #[test]
    fn a_hash_of_ssh_keygen_is_understood() {
        // ssh-keygen -H of a line for `example.com`.
        let line = "|1|YQefmpw7SyzQy/gLi5BhO+iOVss=|qWBQSFDOAW05FKqTLbqs0cfpo00=";
        assert_eq!(is_hash_of(line, "example.com"), Some(true));
        assert_eq!(is_hash_of(line, "none"), Some(false));
        assert_eq!(is_hash_of("|1|x", "none"), None);
    }

    #[test]
    fn only_the_named_key_goes_or_all() {
        let old = format!("h,10.0.0.1 {A}\nh {R}\n*.x {A}\n");
        let gone = |args: Value| after(&old, args).0;
        let args = json!({"name": "h", "key": format!("h {R}"), "state": "absent"});
        assert_eq!(gone(args), format!("h,10.0.0.1 {A}\n*.x {A}\n"));
        assert_eq!(gone(json!({"name": "10.0.0.1", "state": "absent"})), format!("h {R}\n*.x {A}\n"));
        assert_eq!(gone(json!({"name": "y.x", "state": "absent"})), old);
    }

    #[test]
    fn the_file_is_made_but_not_its_folder() {
        on_each_system(|system, dir| {
            let args = |path: PathBuf| json!({"path": path, "name": "h", "key": format!("h {A}")});
            let got = run::<This>(system, args(dir.join("k")));
            assert_eq!(got.result.unwrap().data["mode"], "0644");
            let got = run::<This>(system, args(dir.join("none/k")));
            assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("path"));
        });
    }

    #[test]
    fn what_is_no_key_of_the_host_is_refused() {
        for (args, at) in [
            (json!({"name": "h"}), "key"),
            (json!({"name": "h", "key": "h ssh-rsa"}), "key"),
            (json!({"name": "h", "key": format!("i {A}")}), "key"),
            (json!({"name": "h,i", "key": format!("h,i {A}")}), "name"),
        ] {
            let mut args = args;
            args["path"] = "/k".into();
            let got = run::<This>(&rplay_api::Overlay::empty(), args).result.unwrap_err();
            assert_eq!(got.arg.as_deref(), Some(at));
        }
    }
}
