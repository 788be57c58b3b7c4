//! Sources of apt, a line each: `deb [options] URI SUITE COMPONENT...`.
//!
//! A line that any file has already, switched off or not, is not added a second time; the folder of
//! sources is what apt itself reads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rplay_api::{Args, Attrs, Choice, Doc, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, Return};
use serde_json::Value;

use crate::apt_get::lists::{ListArgs, fetch};
use crate::apt_get::AptGet;
use crate::apt_source::{Line, ppa};

/// The `apt_repository` module.
pub struct This;

/// Whether the source is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// Arguments of `apt_repository`.
#[derive(Debug, Args)]
pub struct AptRepositoryArgs {
    /// The source, as a line of sources.list, or `ppa:OWNER/NAME`.
    repo: String,
    /// Whether it is there.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// The name of its file in sources.list.d, without `.list`; made from the address where absent.
    filename: Option<String>,
    /// Permissions of a new file.
    mode: Option<FileMode>,
    /// The distribution's code name, for a PPA.
    codename: Option<String>,
    /// Fetch apt's package lists where the sources changed.
    #[arg(default = true, alias = "update-cache")]
    update_cache: bool,
    /// How a fetch is tried again.
    #[arg(flatten)]
    lists: ListArgs,
    /// Refuse a server whose certificate the target does not trust, when a PPA's key is fetched.
    #[arg(name = "validate_certs", default = true)]
    _validate_certs: bool,
    /// Taken for compatibility: nothing is needed on the target.
    #[arg(name = "install_python_apt", default = true)]
    _install_python_apt: bool,
}

impl Module for This {
    type Args = AptRepositoryArgs;

    const DOC: Doc = Doc {
        name: "apt_repository",
        aliases: &[],
        summary: "Adds and removes sources of apt, as lines of sources.list",
        description: "For new sources `deb822_repository` is the better way: it keeps a source and \
            its key together. A PPA's key is not fetched: put it in place first.",
        free_form: None,
        examples: r#"
- name: A vendor's packages, signed with a key of their own
  apt_repository:
    repo: deb [signed-by=/etc/apt/keyrings/example.asc] https://packages.example.com/debian bookworm main
    filename: example
"#,
        returns: &[
            Return { name: "repo", doc: "The source as it was given." },
            Return { name: "sources_added", doc: "Files that were made." },
            Return { name: "sources_removed", doc: "Files that are gone, since they held nothing else." },
        ],
    };

    fn run(args: AptRepositoryArgs, host: &Host) -> Result<Outcome> {
        let apt = AptGet::of(host, Duration::from_secs(60))?;
        let text = if args.repo.trim_start().starts_with("ppa:") {
            ppa(&args.repo, args.codename.as_deref(), host)?
        } else {
            args.repo.clone()
        };
        let wanted = Line::parse(&text).filter(|l| l.enabled).ok_or_else(|| {
            Failure::new(format!("`{}` is no line of sources.list", args.repo))
                .arg("repo")
                .help("it is `deb URI SUITE COMPONENT...`, as in `deb https://deb.debian.org/debian bookworm main`")
        })?;
        let (mut added, mut removed) = (vec![], vec![]);
        let before = sources(host)?;
        match args.state {
            Presence::Present => added.extend(add(&args, &wanted, before.clone(), host)?),
            Presence::Absent => removed.extend(remove(&wanted, before.clone(), host)?),
        }
        if host.changed() && args.update_cache {
            fetch(host, &apt, &args.lists, false).or_else(|failure| put_back(before, failure, host))?;
        }
        let paths = |paths: Vec<PathBuf>| {
            paths.into_iter().map(|p| Value::from(p.to_string_lossy())).collect::<Vec<_>>()
        };
        Ok(Outcome::new()
            .with("repo", args.repo)
            .with("state", args.state.word())
            .with("sources_added", paths(added))
            .with("sources_removed", paths(removed)))
    }
}

/// The files of sources, with their content.
fn sources(host: &Host) -> Result<Vec<(PathBuf, String)>> {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    let folder = Path::new("/etc/apt/sources.list.d");
    if host.is_dir(folder)? {
        let names = host.read_dir(folder)?;
        paths.extend(names.into_iter().map(|n| folder.join(n)).filter(|p| p.extension().is_some_and(|e| e == "list")));
    }
    let mut files = vec![];
    for path in paths {
        if host.exists(&path)? {
            files.push((path.clone(), host.read_text(&path)?));
        }
    }
    Ok(files)
}

/// A source that cannot be fetched would break every later use of apt: the files are as before.
fn put_back(before: Vec<(PathBuf, String)>, failure: Failure, host: &Host) -> Result<bool> {
    for (path, _) in sources(host)? {
        if !before.iter().any(|(old, _)| *old == path) {
            host.remove(&path)?;
        }
    }
    for (path, text) in before {
        host.ensure_content(&path, text.as_bytes(), &FileArgs::default())?;
    }
    Err(failure.help("the sources are as they were before"))
}

/// Switches the source on where it is switched off, or adds it; gives the file that was made.
fn add(args: &AptRepositoryArgs, wanted: &Line, before: Vec<(PathBuf, String)>, host: &Host) -> Result<Option<PathBuf>> {
    let lines = || before.iter().flat_map(|(_, text)| text.lines().filter_map(Line::parse));
    if lines().any(|line| line.enabled && line.is_same(wanted)) {
        return Ok(None);
    }
    let off = |line: &str| Line::parse(line).is_some_and(|l| !l.enabled && l.is_same(wanted));
    if let Some((path, text)) = before.iter().find(|(_, text)| text.lines().any(off)) {
        let lines: String = text.lines().map(|l| if off(l) { wanted.render() } else { l.to_owned() } + "\n").collect();
        host.ensure_content(path, lines.as_bytes(), &FileArgs::default())?;
        return Ok(None);
    }
    let name = args.filename.clone().unwrap_or_else(|| wanted.file_name());
    let name = name.strip_suffix(".list").unwrap_or(&name).to_owned();
    let path = Path::new("/etc/apt/sources.list.d").join(format!("{name}.list"));
    let old = before.into_iter().find(|(p, _)| *p == path).map(|(_, text)| text);
    let is_new = old.is_none();
    let mut text = old.unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&wanted.render());
    text.push('\n');
    host.make_dirs(Path::new("/etc/apt/sources.list.d"), &FileArgs::default())?;
    let mode = args.mode.clone().filter(|_| is_new);
    let attrs = host.attrs(&FileArgs { mode, ..FileArgs::default() }, None, false)?;
    let attrs = Attrs { mode: attrs.mode.or(is_new.then_some(0o644)), ..attrs };
    host.write(&path, &mut text.as_bytes(), &attrs)?;
    Ok(is_new.then_some(path))
}

/// Removes the source from every file; a file of sources.list.d that then holds nothing goes too.
fn remove(wanted: &Line, before: Vec<(PathBuf, String)>, host: &Host) -> Result<Vec<PathBuf>> {
    let is_it = |line: &str| Line::parse(line).is_some_and(|l| l.enabled && l.is_same(wanted));
    let mut removed = vec![];
    for (path, text) in before.into_iter().filter(|(_, text)| text.lines().any(is_it)) {
        let left: String = text.lines().filter(|l| !is_it(l)).map(|l| format!("{l}\n")).collect();
        if left.trim().is_empty() && path.starts_with("/etc/apt/sources.list.d") {
            host.remove(&path)?;
            removed.push(path);
        } else {
            host.ensure_content(&path, left.as_bytes(), &FileArgs::default())?;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    fn host() -> Overlay {
        let host = Overlay::empty();
        Fixture::new(&host).file("/usr/bin/apt-get", "").file(
            "/etc/apt/sources.list",
            "deb http://deb.debian.org/debian  bookworm main\n# deb http://x.example/d y z\n",
        );
        host
    }

    fn text(host: &Overlay, path: &str) -> String {
        Fixture::new(host).on_host(|h| h.read_text(Path::new(path)).unwrap())
    }

    #[test]
    fn a_source_gets_a_file_named_by_its_address_and_goes_with_it() {
        let host = host();
        let repo = "deb [arch=amd64] https://packages.example.com/debian stable main";
        let got = run::<This>(&host, json!({"repo": repo}));
        let path = "/etc/apt/sources.list.d/packages_example_com_debian.list";
        assert_eq!(got.result.unwrap().data["sources_added"], json!([path]));
        assert_eq!(text(&host, path), format!("{repo}\n"));
        assert_eq!(run::<This>(&host, json!({"repo": repo})).changes, []);
        let gone = run::<This>(&host, json!({"repo": repo, "state": "absent"}));
        assert_eq!(gone.result.unwrap().data["sources_removed"], json!([path]));
        assert_eq!(run::<This>(&host, json!({"repo": repo, "state": "absent"})).changes, []);
    }

    #[test]
    fn a_source_that_is_there_in_other_spacing_is_not_added() {
        let got = run::<This>(&host(), json!({"repo": "deb http://deb.debian.org/debian bookworm main"}));
        assert!(got.result.is_ok());
        assert_eq!(got.changes, []);
    }

    #[test]
    fn a_source_that_is_switched_off_is_switched_on_where_it_is() {
        let host = host();
        run::<This>(&host, json!({"repo": "deb http://x.example/d y z"})).result.unwrap();
        assert!(text(&host, "/etc/apt/sources.list").ends_with("\ndeb http://x.example/d y z\n"));
    }

    #[test]
    fn what_is_no_source_is_refused() {
        let got = run::<This>(&host(), json!({"repo": "http://x.example/d"})).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some("repo"));
    }
}
