//! Modules of the kernel, loaded now and at the next start.

use std::path::{Path, PathBuf};

use rplay_api::{
    Args, Choice, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return, State as Known,
    Target,
};

/// The `modprobe` module.
pub struct This;

/// Arguments of `modprobe`.
#[derive(Debug, Args)]
pub struct ModprobeArgs {
    /// The kernel's module.
    name: String,
    /// Whether it should be loaded.
    #[arg(default = State::Present)]
    state: State,
    /// Its parameters, where it is loaded.
    #[arg(default = String::new())]
    params: String,
    /// Whether it should be loaded, with its parameters, when the host starts.
    #[arg(default = Persistent::Disabled)]
    persistent: Persistent,
}

/// Whether it should be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

/// Whether it should be loaded when the host starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum Persistent {
    /// As the files of the host say already.
    Disabled,
    /// It should.
    Present,
    /// It should not: lines that say so are commented out.
    Absent,
}

const LOADED: &str = "/etc/modules-load.d";
const OPTIONS: &str = "/etc/modprobe.d";

impl Module for This {
    type Args = ModprobeArgs;

    const DOC: Doc = Doc {
        name: "modprobe",
        aliases: &["community.general.modprobe"],
        summary: "Modules of the kernel",
        description: "",
        free_form: None,
        examples: r#"
- name: Bridges are filtered, after a restart too
  modprobe:
    name: br_netfilter
    persistent: present
"#,
        returns: &[
            Return { name: "name", doc: "The module." },
            Return { name: "state", doc: "As it was asked for." },
            Return { name: "params", doc: "As they were asked for." },
        ],
    };

    fn run(args: ModprobeArgs, host: &Host) -> Result<Outcome> {
        let name = args.name.as_str();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(is_name) {
            return Err(Failure::new(format!("`{name}` is no name of a kernel module")).arg("name"));
        }
        load(host, &args)?;
        match args.persistent {
            Persistent::Disabled => {}
            Persistent::Present => keep(host, &args)?,
            Persistent::Absent => {
                comment_out(host, LOADED, None, |line| is_module(line, name))?;
                comment_out(host, OPTIONS, None, |line| options(line, name).is_some())?;
            }
        }
        let state = if args.state == State::Present { "present" } else { "absent" };
        Ok(Outcome::new().with("name", args.name).with("state", state).with("params", args.params))
    }
}

/// The kernel does not tell the two apart.
fn same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace('-', "_");
    plain(one) == plain(other)
}

fn load(host: &Host, args: &ModprobeArgs) -> Result<()> {
    let target = Target::Host(format!("kernel module {}", args.name));
    let loaded = || Some(Known::from([("loaded".to_owned(), "yes".to_owned())]));
    let before = host.state(&target, || Ok(if is_loaded(host, &args.name)? { loaded() } else { None }))?;
    let mut words = vec!["modprobe"];
    let after = match args.state {
        State::Present => {
            words.push(&args.name);
            words.extend(args.params.split_whitespace());
            loaded()
        }
        State::Absent => {
            words.extend(["-r", &args.name]);
            None
        }
    };
    host.ensure(target, before, after, || {
        let command = Command::changes(words.clone());
        host.run(&command)?.success(&command).map(drop)
    })
}

/// Whether the kernel has it, loaded or built in.
fn is_loaded(host: &Host, name: &str) -> Result<bool> {
    let modules = Path::new("/proc/modules");
    if host.exists(modules)? {
        let text = host.read_text(modules)?;
        if text.lines().any(|line| line.split(' ').next().is_some_and(|word| same(word, name))) {
            return Ok(true);
        }
    }
    let release = host.read_text(Path::new("/proc/sys/kernel/osrelease")).unwrap_or_default();
    let built_in = PathBuf::from("/lib/modules").join(release.trim()).join("modules.builtin");
    if !host.exists(&built_in)? {
        return Ok(false);
    }
    let text = host.read_text(&built_in)?;
    let of = |line: &str| line.rsplit('/').next()?.strip_suffix(".ko").map(|found| same(found, name));
    Ok(text.lines().any(|line| of(line) == Some(true)))
}

/// Writes down that it is loaded when the host starts.
fn keep(host: &Host, args: &ModprobeArgs) -> Result<()> {
    let name = args.name.as_str();
    let own = |folder: &str| Path::new(folder).join(format!("{name}.conf"));
    let write = |path: &Path, text: String| {
        host.make_dirs(path.parent().unwrap_or(path), &FileArgs::default())?;
        host.ensure_content(path, text.as_bytes(), &FileArgs::default())
    };
    let mut lines = vec![];
    for (_, text) in files(host, LOADED)? {
        lines.extend(text.lines().map(str::to_owned));
    }
    if !lines.iter().any(|line| is_module(line, name)) {
        write(&own(LOADED), format!("{name}\n"))?;
    }
    if args.params.trim().is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = args.params.split_whitespace().collect();
    let is_it = |line: &str| options(line, name).is_some_and(|found| found == wanted);
    let there = files(host, OPTIONS)?;
    if there.iter().any(|(_, text)| text.lines().any(is_it)) {
        return Ok(());
    }
    let file = own(OPTIONS);
    comment_out(host, OPTIONS, Some(&file), |line| options(line, name).is_some())?;
    write(&file, format!("options {name} {}\n", wanted.join(" ")))
}

/// Whether the line has it loaded.
fn is_module(line: &str, name: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| same(word, name))
}

/// The parameters that the line gives to it.
fn options<'a>(line: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let mut words = line.split_whitespace();
    let is_it = words.next() == Some("options") && words.next().is_some_and(|word| same(word, name));
    is_it.then(|| words.collect())
}

/// The files of a folder that count, with their text.
fn files(host: &Host, folder: &str) -> Result<Vec<(PathBuf, String)>> {
    let folder = Path::new(folder);
    if !host.is_dir(folder)? {
        return Ok(vec![]);
    }
    let mut found = vec![];
    for name in host.read_dir(folder)? {
        let path = folder.join(name);
        let is_file = host.stat(&path)?.is_some_and(|meta| meta.is_file());
        if is_file && path.extension().is_some_and(|ending| ending == "conf") {
            let text = String::from_utf8_lossy(&host.read(&path)?).into_owned();
            found.push((path, text));
        }
    }
    Ok(found)
}

fn comment_out(
    host: &Host,
    folder: &str,
    except: Option<&Path>,
    is_it: impl Fn(&str) -> bool,
) -> Result<()> {
    for (path, text) in files(host, folder)? {
        if Some(path.as_path()) == except || !text.lines().any(&is_it) {
            continue;
        }
        let line = |line: &str| if is_it(line) { format!("#{line}\n") } else { format!("{line}\n") };
        let text: String = text.lines().map(line).collect();
        host.ensure_content(&path, text.as_bytes(), &FileArgs::default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    fn text(fixture: &Fixture, path: &str) -> String {
        fixture.on_host(|host| host.read_text(Path::new(path)).unwrap())
    }

    #[test]
    fn what_is_loaded_or_built_in_is_left_alone() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/proc/modules", "ip_tables 1 0 - Live 0x0\n").file("/proc/sys/kernel/osrelease", "6.1\n");
        fixture.file("/lib/modules/6.1/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
        for name in ["ip_tables", "ip-tables", "ext4"] {
            assert_eq!(fixture.run::<This>(json!({"name": name})).changes, [], "{name}");
        }
        let args = json!({"name": "dummy", "params": "a=1"});
        assert_eq!(fixture.run::<This>(args.clone()).changes.len(), 1);
        assert_eq!(fixture.run::<This>(args).changes, []);
        let gone = json!({"name": "dummy", "state": "absent"});
        assert_eq!(fixture.run::<This>(gone.clone()).changes.len(), 1);
        assert_eq!(fixture.run::<This>(gone).changes, []);
    }

    #[test]
    fn a_module_is_kept_for_the_next_start() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/proc/modules", "loop 1 0 - Live 0x0\n");
        fixture.file("/etc/modules-load.d/README", "");
        fixture.file("/etc/modprobe.d/other.conf", "options loop a=0\noptions loopy b=1\n");
        let keep = |params: &str| json!({"name": "loop", "persistent": "present", "params": params});
        assert_eq!(fixture.run::<This>(keep("")).changes.len(), 1);
        assert_eq!(text(&fixture, "/etc/modules-load.d/loop.conf"), "loop\n");
        assert_eq!(fixture.run::<This>(keep("")).changes, []);
        assert_eq!(fixture.run::<This>(keep("a=0")).changes, []);
        fixture.run::<This>(keep("a=2")).result.unwrap();
        assert_eq!(text(&fixture, "/etc/modprobe.d/loop.conf"), "options loop a=2\n");
        assert_eq!(text(&fixture, "/etc/modprobe.d/other.conf"), "#options loop a=0\noptions loopy b=1\n");
        let gone = json!({"name": "loop", "persistent": "absent"});
        fixture.run::<This>(gone.clone()).result.unwrap();
        assert_eq!(text(&fixture, "/etc/modules-load.d/loop.conf"), "#loop\n");
        assert_eq!(text(&fixture, "/etc/modprobe.d/loop.conf"), "#options loop a=2\n");
        assert_eq!(fixture.run::<This>(gone).changes, []);
    }

    #[test]
    fn a_name_is_no_option() {
        for name in ["", "-r", "a b", "../x"] {
            let ran = Fixture::new(&Overlay::empty()).run::<This>(json!({"name": name}));
            assert_eq!(ran.result.unwrap_err().arg.as_deref(), Some("name"), "{name}");
        }
    }
}
