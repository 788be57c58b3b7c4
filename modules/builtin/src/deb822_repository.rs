//! Sources of apt in the deb822 format, each with its key: /etc/apt/sources.list.d/NAME.sources.
//!
//! The file is written whole from the arguments, so it is what the task says and nothing else. The
//! key goes to /etc/apt/keyrings, as it is: apt reads armored keys from `.asc` and binary ones from
//! `.gpg`.

use std::path::{Path, PathBuf};

use rplay_api::{Args, Choice, Doc, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, Return};
use serde_json::Value;

use crate::openpgp::Key;

/// The `deb822_repository` module.
pub struct This;

/// Whether the source is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not, nor its key.
    Absent,
}

/// What a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Kind {
    /// Packages.
    Deb,
    /// Their sources.
    #[arg(name = "deb-src")]
    DebSrc,
}

/// Arguments of `deb822_repository`.
#[derive(Debug, Args)]
pub struct Deb822RepositoryArgs {
    /// The source's name: of its file, and of its key.
    name: String,
    /// Whether it is there.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// What it holds: `deb`, `deb-src` or both.
    #[arg(default = vec![Kind::Deb])]
    types: Vec<Kind>,
    /// Its addresses.
    uris: Option<Vec<String>>,
    /// Its suites, such as `bookworm`; a path that ends with `/` where it has none.
    suites: Option<Vec<String>>,
    /// Its components, such as `main`.
    components: Option<Vec<String>>,
    /// The architectures to take from it.
    architectures: Option<Vec<String>>,
    /// The key it is signed with: an address, a path on the target, fingerprints, or the armored
    /// key itself.
    signed_by: Option<String>,
    /// Whether apt uses it.
    enabled: Option<bool>,
    /// Take it as trusted, signed or not.
    trusted: Option<bool>,
    /// Take it though it is not signed.
    allow_insecure: Option<bool>,
    /// Take it though its key uses a weak digest.
    allow_weak: Option<bool>,
    /// Take it though it was signed before and is no more.
    allow_downgrade_to_insecure: Option<bool>,
    /// Ask for indexes by their digests.
    by_hash: Option<bool>,
    /// Check that its dates are not of the future.
    check_date: Option<bool>,
    /// Check that it is not out of date.
    check_valid_until: Option<bool>,
    /// How far in the future its date may be, in seconds.
    date_max_future: Option<i64>,
    /// Where its InRelease file is.
    inrelease_path: Option<String>,
    /// Languages of translations.
    languages: Option<Vec<String>>,
    /// Fetch differences of indexes.
    pdiffs: Option<bool>,
    /// What to fetch from it.
    targets: Option<Vec<String>>,
    /// Permissions of its file and its key.
    mode: Option<FileMode>,
    /// Taken for compatibility: nothing is needed on the target.
    #[arg(name = "install_python_debian", default = false)]
    _install_python_debian: bool,
}

impl Module for This {
    type Args = Deb822RepositoryArgs;

    const DOC: Doc = Doc {
        name: "deb822_repository",
        aliases: &[],
        summary: "Adds and removes sources of apt, each with its key",
        description: "It fetches no package lists: `apt` with `update_cache: true` does.",
        free_form: None,
        examples: r#"
- name: A vendor's packages
  deb822_repository:
    name: example
    uris: https://packages.example.com/debian
    suites: bookworm
    components: main
    signed_by: https://packages.example.com/key.asc
  register: example_source

- name: Fetch the lists where that is new
  apt:
    update_cache: true
  when: example_source is changed
"#,
        returns: &[
            Return { name: "dest", doc: "The source's file." },
            Return { name: "key_filename", doc: "The key's file, where one was written." },
            Return { name: "repo", doc: "The source as it is in its file." },
        ],
    };

    fn run(args: Deb822RepositoryArgs, host: &Host) -> Result<Outcome> {
        let slug = slug(&args.name);
        let dest = PathBuf::from(format!("/etc/apt/sources.list.d/{slug}.sources"));
        let outcome = Outcome::new().with("dest", dest.to_string_lossy());
        if args.state == Presence::Absent {
            host.remove(&dest)?;
            let mut key = Value::Null;
            for path in ["asc", "gpg"].map(|ending| key_path(&slug, ending)) {
                if host.exists(&path)? {
                    host.remove(&path)?;
                    key = path.to_string_lossy().into();
                }
            }
            return Ok(outcome.with("repo", Value::Null).with("key_filename", key));
        }
        args.check()?;
        let mode = args.mode.clone().or(Some(FileMode::Octal(0o644)));
        let file = FileArgs { mode, ..FileArgs::default() };
        let signed = args.signed_by.as_deref().map(|by| signed_by(by, &slug, &file, host)).transpose()?;
        let text = args.text(signed.as_ref());
        host.make_dirs(Path::new("/etc/apt/sources.list.d"), &FileArgs::default())?;
        host.ensure_content(&dest, text.as_bytes(), &file)?;
        let key = match signed {
            Some(Signed { value }) if value.starts_with('/') => Value::from(value),
            _ => Value::Null,
        };
        Ok(outcome.with("repo", text).with("key_filename", key))
    }
}

/// What `Signed-By` says.
struct Signed {
    value: String,
}

fn key_path(slug: &str, ending: &str) -> PathBuf {
    PathBuf::from(format!("/etc/apt/keyrings/{slug}.{ending}"))
}

/// A name as a file's name: letters, digits and `-`.
fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.".contains(c) { c } else { ' ' };
    let words: String = name.to_lowercase().chars().map(plain).collect();
    words.split_whitespace().collect::<Vec<_>>().join("-")
}

/// Puts the key in place, where it is one; paths and fingerprints stay as they are.
fn signed_by(by: &str, slug: &str, file: &FileArgs, host: &Host) -> Result<Signed> {
    let by = by.trim();
    let is_key = by.starts_with("-----BEGIN PGP");
    if !by.contains("://") && !is_key {
        return Ok(Signed { value: by.to_owned()  });
    }
    let key = if is_key { Key::of(format!("{by}\n").into_bytes()) } else { Key::fetch(by, true, host) };
    let key = key.map_err(|f| f.arg("signed_by"))?;
    let path = key_path(slug, key.ending());
    host.make_dirs(Path::new("/etc/apt/keyrings"), &FileArgs::default())?;
    host.ensure_content(&path, key.bytes(), file)?;
    let other = key_path(slug, if key.ending() == "asc" { "gpg" } else { "asc" });
    host.remove(&other)?;
    Ok(Signed { value: path.to_string_lossy().into_owned()  })
}

impl Deb822RepositoryArgs {
    fn check(&self) -> Result<()> {
        let given = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
        for (name, list) in [("uris", &self.uris), ("suites", &self.suites)] {
            if !given(list) {
                return Err(Failure::new(format!("a source needs `{name}`")).arg(name));
            }
        }
        let flat = self.suites.iter().flatten().all(|s| s.ends_with('/'));
        match (flat, given(&self.components)) {
            (false, false) => Err(Failure::new("a source needs `components`")
                .arg("components")
                .help("`main` mostly; a suite that is a path and ends with `/` has none")),
            (true, true) => Err(Failure::new("a suite that ends with `/` has no components").arg("components")),
            _ => Ok(()),
        }
    }

    /// The file's content: a field a line, those that are not given left out.
    fn text(&self, signed: Option<&Signed>) -> String {
        let list = |list: &Option<Vec<String>>| list.as_ref().map(|l| l.join(" "));
        let flag = |flag: Option<bool>| flag.map(|f| if f { "yes" } else { "no" }.to_owned());
        let types: Vec<&str> = self.types.iter().map(|t| t.word()).collect();
        let fields = [
            ("X-Repolib-Name", Some(self.name.clone())),
            ("Allow-Downgrade-To-Insecure", flag(self.allow_downgrade_to_insecure)),
            ("Allow-Insecure", flag(self.allow_insecure)),
            ("Allow-Weak", flag(self.allow_weak)),
            ("Architectures", list(&self.architectures)),
            ("By-Hash", flag(self.by_hash)),
            ("Check-Date", flag(self.check_date)),
            ("Check-Valid-Until", flag(self.check_valid_until)),
            ("Components", list(&self.components)),
            ("Date-Max-Future", self.date_max_future.map(|n| n.to_string())),
            ("Enabled", flag(self.enabled)),
            ("InRelease-Path", self.inrelease_path.clone()),
            ("Languages", list(&self.languages)),
            ("PDiffs", flag(self.pdiffs)),
            ("Signed-By", signed.map(|s| s.value.clone())),
            ("Suites", list(&self.suites)),
            ("Targets", list(&self.targets)),
            ("Trusted", flag(self.trusted)),
            ("Types", Some(types.join(" "))),
            ("URIs", list(&self.uris)),
        ];
        let line = |(name, value): (&str, Option<String>)| value.map(|v| format!("{name}: {v}\n"));
        fields.into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----";

    fn source() -> Value {
        json!({"name": "My Vendor", "uris": "https://x.example/deb", "suites": ["bookworm"],
            "components": "main,contrib", "architectures": "amd64", "enabled": true, "signed_by": KEY})
    }

    #[test]
    fn a_source_is_a_file_with_its_key_beside_it() {
        let host = Overlay::empty();
        let got = run::<This>(&host, source()).result.unwrap();
        assert_eq!(got.data["dest"], "/etc/apt/sources.list.d/my-vendor.sources");
        assert_eq!(got.data["key_filename"], "/etc/apt/keyrings/my-vendor.asc");
        let read = |path: &str| Fixture::new(&host).on_host(|h| h.read_text(Path::new(path)).unwrap());
        let want = "X-Repolib-Name: My Vendor\n\
                    Architectures: amd64\n\
                    Components: main contrib\n\
                    Enabled: yes\n\
                    Signed-By: /etc/apt/keyrings/my-vendor.asc\n\
                    Suites: bookworm\n\
                    Types: deb\n\
                    URIs: https://x.example/deb\n";
        assert_eq!(read("/etc/apt/sources.list.d/my-vendor.sources"), want);
        assert_eq!(run::<This>(&host, source()).changes, []);
    }

    #[test]
    fn a_source_goes_with_its_key() {
        let host = Overlay::empty();
        run::<This>(&host, source()).result.unwrap();
        let gone = json!({"name": "My Vendor", "state": "absent"});
        assert_eq!(run::<This>(&host, gone.clone()).changes.len(), 2);
        assert_eq!(run::<This>(&host, gone).changes, []);
    }

    #[test]
    fn what_a_source_lacks_is_named() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "x", "uris": "u", "suites": "s"}));
        assert_eq!(got.result.unwrap_err().msg, "a source needs `components`");
        let flat = json!({"name": "x", "uris": "file:/opt/repo", "suites": "./", "trusted": true});
        assert!(run::<This>(&Overlay::empty(), flat).result.is_ok());
    }
}
