//! Public keys that may log in as a user, in the `authorized_keys` file.
//!
//! A key is known by its own text alone: options and comment may differ, and are then brought to
//! what is asked for. A line that is no key is left where it is, unless `exclusive`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rplay_api::{
    Args, Choice, Doc, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, Return, State as Account,
};
use serde_json::Value;

use crate::content::Content;
use crate::http::{Client, Options};
use crate::path_info;
use crate::placement::Placement;

/// The `authorized_key` module.
pub struct This;

/// Arguments of `authorized_key`.
#[derive(Debug, Args)]
pub struct AuthorizedKeyArgs {
    /// The user whom the keys let in.
    user: String,
    /// The key, or several, a line each; or where they are: an `http` or `https` address, or
    /// `file://` and a path on the target.
    key: String,
    /// The file; absent: `.ssh/authorized_keys` in the user's home folder.
    path: Option<PathBuf>,
    /// Also make the file's folder, and give it to the user, for nobody else to look into. Say
    /// `false` for a folder that is not the user's own.
    #[arg(default = true)]
    manage_dir: bool,
    /// Whether the keys should be there.
    #[arg(default = State::Present)]
    state: State,
    /// Options of the keys, such as `no-pty,from="10.0.0.0/8"`. Absent: those in `key`.
    key_options: Option<String>,
    /// Remove every other line of the file. All keys have to be in one `key`, not in a loop.
    #[arg(default = false)]
    exclusive: bool,
    /// Whether the server of an https address must show a certificate that the target trusts.
    #[arg(default = true)]
    validate_certs: bool,
    /// The comment of the keys. Absent: that in `key`.
    comment: Option<String>,
    /// Write to the file that a link in its place names, instead of replacing the link.
    #[arg(default = false)]
    follow: bool,
}

/// Whether the keys should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// They should.
    Present,
    /// They should not.
    Absent,
}

impl Module for This {
    type Args = AuthorizedKeyArgs;

    const DOC: Doc = Doc {
        name: "authorized_key",
        aliases: &["ansible.posix.authorized_key"],
        summary: "Public keys that may log in as a user",
        description: "A file that is written belongs to the user, who alone may read it.",
        free_form: None,
        examples: r#"
- name: Who may log in as deploy, and nobody else
  authorized_key:
    user: deploy
    key: "{{ lookup('file', 'alice.pub') }}\n{{ lookup('file', 'bob.pub') }}"
    exclusive: true

- name: The backup server may run one command
  authorized_key:
    user: backup
    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxtizesS3rfpS6jUeNrvOIFvctp3pKkhrJWCd03xW3l vault
    key_options: 'restrict,command="/usr/bin/rrsync -ro /srv"'

- name: Carol has left
  authorized_key:
    user: deploy
    key: "{{ lookup('file', 'carol.pub') }}"
    state: absent
"#,
        returns: &[
            Return { name: "keyfile", doc: "The file." },
            Return { name: "key", doc: "The keys as they were given; so are the other arguments." },
        ],
    };

    fn run(args: AuthorizedKeyArgs, host: &Host) -> Result<Outcome> {
        let account = account(host, &args.user)?;
        let home = account.get("home").map_or("/", String::as_str);
        let file = match &args.path {
            Some(path) => path.clone(),
            None => Path::new(home).join(".ssh/authorized_keys"),
        };
        let wanted = args.wanted(host)?;
        let there = host.stat(&file)?.is_some();
        let text = if there { host.read(&file)? } else { vec![] };
        let before = Lines::read(&String::from_utf8_lossy(&text));
        let mut after = before.clone();
        match args.state {
            State::Present => after.add(&wanted, args.exclusive),
            State::Absent => after.remove(&wanted),
        }
        if after != before {
            args.write(host, &account, &file, &after.text())?;
        }
        let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
        let path = args.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let state = if args.state == State::Present { "present" } else { "absent" };
        let outcome = Outcome::new()
            .with("state", state)
            .with("user", args.user)
            .with("key", args.key)
            .with("keyfile", file.to_string_lossy())
            .with("path", text(path))
            .with("key_options", text(args.key_options))
            .with("comment", text(args.comment))
            .with("exclusive", args.exclusive)
            .with("manage_dir", args.manage_dir)
            .with("validate_certs", args.validate_certs)
            .with("follow", args.follow);
        match args.path {
            Some(path) => path_info::describe(host, &path, outcome),
            None => Ok(outcome),
        }
    }
}

/// What is known of the user.
fn account(host: &Host, user: &str) -> Result<Account> {
    host.user(user)?.ok_or_else(|| {
        // Ansible's words: playbooks look for them.
        let words = format!("Failed to lookup user {user}: \"getpwnam(): name not found: '{user}'\"");
        let failure = Failure::new(words).arg("user");
        host.missing(failure.help("make the user first, with the `user` module"))
    })
}

impl AuthorizedKeyArgs {
    /// The keys, with the options and the comment that are asked for.
    fn wanted(&self, host: &Host) -> Result<Vec<Key>> {
        let text = self.given(host)?;
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let mut key = Key::parse(line).ok_or_else(|| {
                    Failure::new(format!("invalid key specified: {line}"))
                        .arg("key")
                        .help("a key is TYPE KEY COMMENT, such as `ssh-ed25519 AAAAC3... me@home`")
                })?;
                if let Some(options) = &self.key_options {
                    key.options.clone_from(options);
                }
                if let Some(comment) = &self.comment {
                    key.comment.clone_from(comment);
                }
                Ok(key)
            })
            .collect()
    }

    /// The text of the keys, wherever it is.
    fn given(&self, host: &Host) -> Result<String> {
        if let Some(path) = self.key.strip_prefix("file://") {
            let path = Path::new(path);
            if !host.exists(path)? {
                let words = format!("Path to a key file not found: {}", path.display());
                return Err(host.missing(Failure::new(words).arg("key")));
            }
            return host.read_text(path);
        }
        if !self.key.starts_with("http://") && !self.key.starts_with("https://") {
            return Ok(self.key.clone());
        }
        let options = Options {
            validate_certs: self.validate_certs,
            ..Options::plain("ansible-httpget", Duration::from_secs(10), 0)
        };
        let text = Client::new(host, options, &self.key)?.text(&self.key);
        text.map_err(|failure| failure.arg("key"))
    }

    /// Writes the file for the user alone, whose folder it is in.
    fn write(&self, host: &Host, account: &Account, file: &Path, text: &str) -> Result<()> {
        let id = |key: &str| account.get(key).cloned();
        let own = |mode: u32| FileArgs {
            mode: Some(FileMode::Octal(mode)),
            owner: id("uid"),
            group: id("gid"),
            ..FileArgs::default()
        };
        let folder = file.parent().unwrap_or(Path::new("/"));
        match (self.manage_dir, host.is_dir(folder)?) {
            (true, true) => host.ensure_attrs(folder, &own(0o700))?,
            (true, false) => host.make_dir(folder, &host.attrs(&own(0o700), None, true)?)?,
            (false, _) => host.make_dirs(folder, &FileArgs::default())?,
        }
        let placement = Placement {
            dest: file,
            args: &own(0o600),
            backup: false,
            follow: self.follow,
            validate: None,
        };
        placement.put(host, &Content::Bytes(text.as_bytes().to_vec())).map(drop)
    }
}

/// A key as a line of the file says it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    options: String,
    kind: String,
    key: String,
    comment: String,
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let (first, rest) = first_word(line);
        let (options, kind, rest) = match is_kind(first) {
            true => ("", first, rest),
            false => {
                let (kind, rest) = first_word(rest);
                (first, kind, rest)
            }
        };
        let (key, comment) = first_word(rest);
        let is_key = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        let is_whole = is_kind(kind) && !key.is_empty() && key.chars().all(is_key);
        is_whole.then(|| Self {
            options: options.to_owned(),
            kind: kind.to_owned(),
            key: key.to_owned(),
            comment: comment.to_owned(),
        })
    }

    fn text(&self) -> String {
        let words = [&self.options, &self.kind, &self.key, &self.comment];
        let words = words.into_iter().filter(|word| !word.is_empty());
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// The first word, and what follows it; blanks in quotes are part of it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return (&text[..at], text[at..].trim_start()),
            _ => {}
        }
    }
    (text, "")
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|kind| word.starts_with(kind))
}

/// The lines of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lines(Vec<Line>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Key(Key),
    Other(String),
}

impl Line {
    fn is(&self, other: &Key) -> bool {
        matches!(self, Self::Key(key) if key.key == other.key)
    }
}

impl Lines {
    fn read(text: &str) -> Self {
        let line = |line: &str| match Key::parse(line) {
            Some(key) if !line.trim_start().starts_with('#') => Line::Key(key),
            _ => Line::Other(line.to_owned()),
        };
        let mut lines: Vec<Line> = text.lines().map(line).collect();
        // Of a key that is there twice the last line counts.
        for at in (0..lines.len()).rev() {
            let Line::Key(key) = &lines[at] else { continue };
            if lines[at + 1..].iter().any(|line| line.is(key)) {
                lines.remove(at);
            }
        }
        Self(lines)
    }

    /// Puts in what is not there just so, at the end.
    fn add(&mut self, keys: &[Key], alone: bool) {
        for key in keys {
            if self.0.iter().any(|line| matches!(line, Line::Key(there) if there == key)) {
                continue;
            }
            self.0.retain(|line| !line.is(key));
            self.0.push(Line::Key(key.clone()));
        }
        if alone {
            self.0.retain(|line| keys.iter().any(|key| line.is(key)));
        }
    }

    fn remove(&mut self, keys: &[Key]) {
        self.0.retain(|line| !keys.iter().any(|key| line.is(key)));
    }

    fn text(&self) -> String {
        let line = |line: &Line| match line {
            Line::Key(key) => format!("{}\n", key.text()),
            Line::Other(text) => format!("{text}\n"),
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxt";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIByy";
    const FILE: &str = "/home/bob/.ssh/authorized_keys";

    /// What the file becomes, and whether it changed.
    fn after(before: &str, args: Value) -> (String, bool) {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/passwd", "bob:x:1002:1003::/home/bob:/bin/sh\n");
        fixture.file(FILE, before);
        let mut args = args;
        args["user"] = "bob".into();
        let ran = fixture.run::<This>(args);
        assert_eq!(ran.result.unwrap().data["keyfile"], FILE);
        let text = fixture.on_host(|host| host.read_text(Path::new(FILE)).unwrap());
        (text, !ran.changes.is_empty())
    }

    #[test]
    fn a_key_is_added_once_and_kept_as_it_is_asked_for() {
        let (text, changed) = after("", json!({"key": format!("{A} me")}));
        assert_eq!((text.as_str(), changed), (format!("{A} me\n").as_str(), true));
        assert!(!after(&text, json!({"key": format!("{A} me\n\n# c")})).1);
        assert_eq!(after(&text, json!({"key": A, "comment": "you"})).0, format!("{A} you\n"));
        let options = r#"no-pty,command="a b""#;
        let (text, _) = after(&text, json!({"key": A, "key_options": options}));
        assert_eq!(text, format!("{options} {A}\n"));
        assert!(!after(&text, json!({"key": A, "key_options": options})).1);
        assert_eq!(after(&text, json!({"key": A})).0, format!("{A}\n"));
    }

    #[test]
    fn what_is_no_key_stays_but_for_an_exclusive_one() {
        let old = format!("# {B}\n\nno key\n  {A} a\n");
        let (text, _) = after(&old, json!({"key": B}));
        assert_eq!(text, format!("# {B}\n\nno key\n{A} a\n{B}\n"));
        let (text, _) = after(&text, json!({"key": format!("{B}\n{A} a"), "exclusive": true}));
        assert_eq!(text, format!("{A} a\n{B}\n"));
        assert_eq!(after(&text, json!({"key": A, "state": "absent"})), (format!("{B}\n"), true));
        let twice = format!("{A} a\n# c\n{A} b\n");
        assert!(!after(&twice, json!({"key": format!("{A} b")})).1);
        assert_eq!(after(&twice, json!({"key": B})).0, format!("# c\n{A} b\n{B}\n"));
        assert!(!after(&old, json!({"key": B, "state": "absent"})).1);
    }

    #[test]
    fn the_file_is_the_users_alone() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/passwd", "bob:x:1002:1003::/home/bob:/bin/sh\n");
        fixture.file("/home/bob/.profile", "");
        fixture.run::<This>(json!({"user": "bob", "key": A})).result.unwrap();
        let of = |path: &str| {
            let meta = fixture.on_host(|host| host.lstat(Path::new(path)).unwrap().unwrap());
            (meta.mode, meta.uid, meta.gid)
        };
        assert_eq!(of("/home/bob/.ssh"), (0o700, 1002, 1003));
        assert_eq!(of(FILE), (0o600, 1002, 1003));
        let args = json!({"user": "bob", "key": A, "path": "/etc/keys/bob", "manage_dir": false});
        let ran = fixture.run::<This>(args);
        assert_eq!(ran.result.unwrap().data["mode"], "0600");
        assert_eq!(of("/etc/keys").0, 0o755);
        let args = json!({"user": "bob", "key": A, "path": "/none/keys/bob"});
        assert!(fixture.run::<This>(args).result.is_err());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/passwd", "bob:x:1002:1003::/home/bob:/bin/sh\n");
        for (args, at) in [
            (json!({"user": "eve", "key": A}), "user"),
            (json!({"user": "bob", "key": "garbage"}), "key"),
            (json!({"user": "bob", "key": format!("{A}\nssh-rsa")}), "key"),
            (json!({"user": "bob", "key": "file:///none"}), "key"),
        ] {
            let failure = fixture.run::<This>(args.clone()).result.unwrap_err();
            assert_eq!(failure.arg.as_deref(), Some(at), "{args}");
        }
    }
}
