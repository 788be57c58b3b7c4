//! Repositories of dnf and yum: a section of a file in /etc/yum.repos.d.
//!
//! A section is written whole from the arguments; the others of its file, and their comments, stay
//! as they are.

use std::path::PathBuf;

use indexmap::IndexMap;
use rplay_api::{
    ArgError, ArgKind, ArgReader, ArgSpec, Args, Choice, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return,
};

/// The `yum_repository` module.
pub struct This;

/// Whether the repository is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// What every task may say.
#[derive(Debug, Args)]
pub struct Own {
    /// The repository's id, which is its section's name.
    name: String,
    /// Whether it is there.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// The name that a person reads.
    description: Option<String>,
    /// Its addresses.
    baseurl: Option<Vec<String>>,
    /// The addresses of its keys.
    gpgkey: Option<Vec<String>>,
    /// The file, without `.repo`; the repository's id where absent.
    file: Option<String>,
    /// The folder of the file.
    #[arg(default = PathBuf::from("/etc/yum.repos.d"))]
    reposdir: PathBuf,
    /// Packages to leave out.
    #[arg(alias = "excludepkgs")]
    exclude: Option<Vec<String>>,
    /// The only packages to take.
    includepkgs: Option<Vec<String>>,
    /// Owner, group and mode of the file.
    #[arg(flatten)]
    owner: FileArgs,
}

/// Options that are written as they are given: the name, other names, whether they are switches.
const OPTIONS: [(&str, &[&str], bool, &str); 40] = [
    ("async", &[], true, "Download from it beside others."),
    ("bandwidth", &[], false, "The bandwidth that `throttle` is a part of."),
    ("cost", &[], false, "What it costs to use, against others."),
    ("countme", &[], true, "Let it count this host once a week."),
    ("deltarpm_metadata_percentage", &[], false, "How large data of deltas may be."),
    ("deltarpm_percentage", &[], false, "How large deltas may be."),
    ("enabled", &[], true, "Whether it is used."),
    ("enablegroups", &[], true, "Whether its groups are."),
    ("failovermethod", &[], false, "`roundrobin` or `priority`."),
    ("gpgcakey", &[], false, "The address of the key that signs its keys."),
    ("gpgcheck", &[], true, "Check the signatures of packages."),
    ("http_caching", &[], false, "`all`, `packages` or `none`."),
    ("include", &[], false, "A file to read in."),
    ("ip_resolve", &[], false, "`4`, `6` or `whatever`."),
    ("keepalive", &[], true, "Keep its connections open."),
    ("keepcache", &[], false, "`1` keeps downloaded packages."),
    ("metadata_expire", &[], false, "How long its data is good, in seconds."),
    ("metadata_expire_filter", &[], false, "When that is looked at."),
    ("metalink", &[], false, "The address of a metalink."),
    ("mirrorlist", &[], false, "The address of a list of mirrors."),
    ("mirrorlist_expire", &[], false, "How long that list is good, in seconds."),
    ("module_hotfixes", &[], true, "Take its packages whatever modules say."),
    ("password", &[], false, "The password for basic authentication."),
    ("priority", &[], false, "1 is before 99."),
    ("protect", &[], true, "Let no other repository update its packages."),
    ("proxy", &[], false, "The address of a proxy, or `_none_`."),
    ("proxy_password", &[], false, "The password for the proxy."),
    ("proxy_username", &[], false, "The name for the proxy."),
    ("repo_gpgcheck", &[], true, "Check the signature of its data."),
    ("retries", &[], false, "How often a download is tried again."),
    ("s3_enabled", &[], true, "It is in S3."),
    ("skip_if_unavailable", &[], true, "Go on without it where it does not answer."),
    ("ssl_check_cert_permissions", &[], true, "Check who may read certificates."),
    ("sslcacert", &["ca_cert"], false, "The certificates to trust."),
    ("sslclientcert", &["client_cert"], false, "A certificate to show."),
    ("sslclientkey", &["client_key"], false, "Its key."),
    ("sslverify", &["validate_certs"], true, "Refuse a server whose certificate is not trusted."),
    ("throttle", &[], false, "The most bandwidth to use."),
    ("timeout", &[], false, "Seconds to wait for a connection."),
    ("ui_repoid_vars", &[], false, "Variables to show with its id."),
];

const USERNAME: (&str, &[&str], bool, &str) = ("username", &[], false, "The name for basic authentication.");

fn options() -> impl Iterator<Item = (&'static str, &'static [&'static str], bool, &'static str)> {
    OPTIONS.into_iter().chain([USERNAME])
}

/// Arguments of `yum_repository`.
#[derive(Debug)]
pub struct YumRepositoryArgs {
    own: Own,
    /// The options that are given, as they are written.
    options: IndexMap<&'static str, String>,
}

impl Args for YumRepositoryArgs {
    fn spec() -> Vec<ArgSpec> {
        let mut spec = Own::spec();
        spec.extend(options().map(|(name, aliases, is_switch, doc)| ArgSpec {
            name,
            aliases,
            doc,
            kind: if is_switch { ArgKind::Bool } else { ArgKind::Str },
            required: false,
            default: None,
            secret: name.ends_with("password"),
        }));
        spec
    }

    fn read(reader: &ArgReader<'_>) -> std::result::Result<Self, ArgError> {
        let own = Own::read(reader)?;
        let mut given = IndexMap::new();
        for (name, _, is_switch, _) in options() {
            let value = if is_switch {
                reader.optional::<bool>(name)?.map(|on| if on { "1" } else { "0" }.to_owned())
            } else {
                reader.optional::<String>(name)?
            };
            given.extend(value.map(|v| (name, v)));
        }
        Ok(Self { own, options: given })
    }
}

impl Module for This {
    type Args = YumRepositoryArgs;

    const DOC: Doc = Doc {
        name: "yum_repository",
        aliases: &[],
        summary: "Adds and removes repositories of dnf and yum",
        description: "",
        free_form: None,
        examples: r#"
- name: A vendor's packages
  yum_repository:
    name: example
    description: Example's packages
    baseurl: https://packages.example.com/el9/$basearch/
    gpgkey: https://packages.example.com/key.asc
    gpgcheck: true
"#,
        returns: &[
            Return { name: "repo", doc: "The repository's id." },
            Return { name: "state", doc: "`present` or `absent`." },
        ],
    };

    fn run(args: YumRepositoryArgs, host: &Host) -> Result<Outcome> {
        let own = &args.own;
        if own.name.contains([']', '\n']) || own.name.is_empty() {
            return Err(Failure::new(format!("`{}` cannot be a repository's id", own.name)).arg("name"));
        }
        let file = own.file.as_deref().unwrap_or(&own.name);
        let path = own.reposdir.join(format!("{file}.repo"));
        let old = if host.exists(&path)? { Some(host.read_text(&path)?) } else { None };
        let new = match own.state {
            Presence::Present => Some(with_section(old.as_deref().unwrap_or_default(), &own.name, &args.section()?)),
            Presence::Absent => old.as_deref().map(|text| without_section(text, &own.name)),
        };
        match new {
            Some(text) if text.trim().is_empty() => host.remove(&path)?,
            Some(text) => {
                host.make_dirs(&own.reposdir, &FileArgs::default())?;
                host.ensure_content(&path, text.as_bytes(), &own.owner)?;
            }
            None => {}
        }
        Ok(Outcome::new().with("repo", own.name.clone()).with("state", own.state.word()))
    }
}

impl YumRepositoryArgs {
    /// The lines of the section, sorted by name.
    fn section(&self) -> Result<String> {
        let own = &self.own;
        let Some(description) = &own.description else {
            return Err(Failure::new("a repository needs a `description`").arg("description"));
        };
        let has_address = own.baseurl.is_some() || ["metalink", "mirrorlist"].iter().any(|n| self.options.contains_key(n));
        if !has_address {
            return Err(Failure::new("a repository needs an address")
                .arg("name")
                .help("give `baseurl`, `metalink` or `mirrorlist`"));
        }
        let mut lines: Vec<(&str, String)> = self.options.iter().map(|(n, v)| (*n, v.clone())).collect();
        lines.push(("name", description.clone()));
        let lists = [
            ("baseurl", &own.baseurl, "\n"),
            ("gpgkey", &own.gpgkey, "\n"),
            ("exclude", &own.exclude, " "),
            ("includepkgs", &own.includepkgs, " "),
        ];
        for (name, list, between) in lists {
            lines.extend(list.as_ref().map(|list| (name, list.join(between))));
        }
        lines.sort();
        // A value goes on in the next line where that is indented.
        let line = |(name, value): (&str, String)| format!("{name} = {}\n", value.replace('\n', "\n\t"));
        Ok(lines.into_iter().map(line).collect())
    }
}

/// The text around a section's lines, header included: what is before it, and what is behind.
fn around<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let header = format!("[{name}]");
    let mut at = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let is_header = line.starts_with('[');
        match start {
            None if line.trim_end() == header => start = Some(at),
            Some(start) if is_header => return Some((&text[..start], &text[at..])),
            _ => {}
        }
        at += line.len();
    }
    start.map(|start| (&text[..start], ""))
}

fn with_section(text: &str, name: &str, lines: &str) -> String {
    let section = format!("[{name}]\n{lines}");
    match around(text, name) {
        Some((before, after)) => format!("{before}{section}\n{after}"),
        None if text.trim().is_empty() => format!("{section}\n"),
        None => format!("{}\n\n{section}\n", text.trim_end()),
    }
}

fn without_section(text: &str, name: &str) -> String {
    around(text, name).map_or_else(|| text.to_owned(), |(before, after)| format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rplay_api::Overlay;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{Fixture, run};

    fn repo() -> Value {
        json!({"name": "epel", "description": "EPEL", "baseurl": ["https://a/x", "https://b/x"],
            "gpgcheck": false, "file": "all", "exclude": "a,b", "validate_certs": true})
    }

    const WANT: &str = "[epel]\nbaseurl = https://a/x\n\thttps://b/x\nexclude = a b\ngpgcheck = 0\nname = EPEL\nsslverify = 1\n\n";

    fn text(host: &Overlay) -> String {
        let path = Path::new("/etc/yum.repos.d/all.repo");
        Fixture::new(host).on_host(|h| h.read_text(path).unwrap())
    }

    #[test]
    fn a_repository_is_a_section_and_goes_with_its_file() {
        let host = Overlay::empty();
        run::<This>(&host, repo()).result.unwrap();
        assert_eq!(text(&host), WANT);
        assert_eq!(run::<This>(&host, repo()).changes, []);
        let gone = run::<This>(&host, json!({"name": "epel", "file": "all", "state": "absent"}));
        assert_eq!(gone.changes[0].after, None);
    }

    #[test]
    fn other_sections_and_their_comments_stay() {
        let host = Overlay::empty();
        let others = "# mine\n[one]\nname = One\n\n[epel]\nname = old\n\n[two]\nname = Two\n";
        Fixture::new(&host).file("/etc/yum.repos.d/all.repo", others);
        run::<This>(&host, repo()).result.unwrap();
        assert_eq!(text(&host), format!("# mine\n[one]\nname = One\n\n{WANT}[two]\nname = Two\n"));
        run::<This>(&host, json!({"name": "epel", "file": "all", "state": "absent"})).result.unwrap();
        assert_eq!(text(&host), "# mine\n[one]\nname = One\n\n[two]\nname = Two\n");
    }

    #[test]
    fn what_a_repository_lacks_is_named() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "a", "description": "A"}));
        assert_eq!(got.result.unwrap_err().help, ["give `baseurl`, `metalink` or `mirrorlist`"]);
        let got = run::<This>(&Overlay::empty(), json!({"name": "a", "baseurl": "http://x", "colour": 1}));
        assert!(got.result.unwrap_err().msg.contains("unknown argument `colour`"));
    }
}
