//! Packages of Fedora and Red Hat's family, through dnf (or yum where only that is there).
//!
//! What a task would do is read from the table that dnf shows before it asks; each package in it is
//! a change. A package that is there already costs one question to rpm.

mod args;
mod list;
mod plan;

use std::cell::RefCell;
use std::path::Path;

use rplay_api::{Command, Doc, Failure, Host, Module, Outcome, Output, Result, Return, State, Target};

use crate::dpkg::version_state;
use args::Wanted;
use plan::Step;

pub use args::DnfArgs;

/// The `dnf` module.
pub struct This;

impl Module for This {
    type Args = DnfArgs;

    const DOC: Doc = Doc {
        name: "dnf",
        aliases: &["dnf5", "yum"],
        summary: "Installs, upgrades and removes packages of Fedora and Red Hat's family",
        description: "It needs dnf and rpm on the target, and no Python of its own. A dry run asks \
            dnf what it would do, and shows each package.",
        free_form: None,
        examples: r#"
- name: A web server
  dnf:
    name: nginx
    state: present

- name: The whole host
  dnf:
    name: "*"
    state: latest
"#,
        returns: &[
            Return { name: "results", doc: "What was done, a line a package: `Installed: nginx-1.24-1`; with `list`, what there is." },
            Return { name: "msg", doc: "`Nothing to do`, or nothing." },
            Return { name: "rc", doc: "dnf's exit code." },
        ],
    };

    fn run(args: DnfArgs, host: &Host) -> Result<Outcome> {
        let program = program(&args.use_backend, host)?;
        if args.name.is_empty() && args.list.is_none() && !args.autoremove && !args.update_cache {
            return Err(Failure::new("there is nothing to do")
                .help("give `name`, `list`, `autoremove` or `update_cache`"));
        }
        let task = Task { args: &args, program, host };
        if let Some(what) = &args.list {
            return Ok(Outcome::new().with("results", task.list(what)?).with("msg", ""));
        }
        if args.update_cache {
            task.fetch()?;
        }
        let mut results = vec![];
        for words in task.words()? {
            results.extend(task.carry_out(&words).map_err(|failure| task.explained(failure))?);
        }
        let msg = if results.is_empty() { "Nothing to do" } else { "" };
        Ok(Outcome::new().with("results", results).with("rc", 0).with("msg", msg))
    }
}

/// The program of a backend.
fn program(backend: &str, host: &Host) -> Result<&'static str> {
    let names: &[&str] = match backend {
        "auto" | "yum" => &["dnf5", "dnf", "dnf-3", "yum"],
        "dnf" | "dnf4" | "yum4" => &["dnf-3", "dnf", "yum"],
        "dnf5" => &["dnf5"],
        other => {
            return Err(Failure::new(format!("`{other}` is no backend of dnf"))
                .arg("use_backend")
                .help("leave it out, or use `dnf4` or `dnf5`"));
        }
    };
    for name in names {
        if host.exists(&Path::new("/usr/bin").join(name))? {
            return Ok(name);
        }
    }
    let failure = Failure::new(format!("there is no `{}` on this host", names[0])).help(
        "it is for Fedora and Red Hat's family; `package` takes the manager that the host has",
    );
    Err(host.missing(failure))
}

struct Task<'a> {
    args: &'a DnfArgs,
    program: &'static str,
    host: &'a Host<'a>,
}

impl Task<'_> {
    fn command(&self, make: fn(Vec<String>) -> Command, words: &[String]) -> Command {
        let mut argv = vec![self.program.to_owned()];
        argv.extend(self.args.options());
        argv.extend(words.iter().cloned());
        make(argv).env("LC_ALL", "C.UTF-8")
    }

    fn fetch(&self) -> Result<()> {
        let words = ["makecache", "--refresh"].map(str::to_owned);
        self.host.refresh(&Target::Host("dnf's data of repositories".to_owned()), || {
            let command = self.command(Command::changes, &words);
            judged(self.host.run(&command)?).map(drop)
        })
    }

    /// What to ask of dnf, one command after the other.
    fn words(&self) -> Result<Vec<Vec<String>>> {
        let names = &self.args.name;
        if names.iter().any(|n| n.starts_with('-')) {
            return Err(Failure::new("a package's name does not begin with `-`").arg("name"));
        }
        let command = |verb: &str, names: Vec<String>| [vec![verb.to_owned()], names].concat();
        if names.is_empty() {
            let autoremove = self.args.autoremove.then(|| command("autoremove", vec![]));
            return Ok(autoremove.into_iter().collect());
        }
        let (mut there, mut missing) = (vec![], vec![]);
        for name in self.beyond_plan()? {
            let list = if self.is_installed(&name)? { &mut there } else { &mut missing };
            list.push(name);
        }
        let everything = names.iter().any(|n| n == "*");
        let remove = if self.args.autoremove { "autoremove" } else { "remove" };
        let mut commands = match self.args.wanted() {
            Wanted::Present => vec![("install", missing)],
            Wanted::Absent => vec![(remove, there)],
            Wanted::Latest if everything => return Ok(vec![command("upgrade", vec![])]),
            Wanted::Latest if self.args.update_only => vec![("upgrade", there)],
            Wanted::Latest => vec![("install", missing), ("upgrade", there)],
        };
        commands.retain(|(_, names)| !names.is_empty());
        Ok(commands.into_iter().map(|(verb, names)| command(verb, names)).collect())
    }

    /// A package that nothing has may come from a repository that a dry run has only planned.
    fn explained(&self, failure: Failure) -> Failure {
        let absent = ["no enabled repositories", "No match for argument", "Unable to find a match"];
        if failure.unknown || !absent.iter().any(|words| failure.msg.contains(words)) {
            return failure;
        }
        // A dry run says which file below the folder is only planned.
        let look = Command::reads(["test", "-d", "/etc/yum.repos.d"]);
        match self.host.run(&look) {
            Err(unknown) if unknown.unknown => {
                if self.args.wanted() != Wanted::Absent {
                    self.args.name.iter().for_each(|name| crate::dpkg::expect(self.host, name));
                }
                Failure::unknown(format!("{}, but {}", failure.msg, unknown.msg))
            }
            _ => failure,
        }
    }

    /// Whether rpm has a package, or one that provides it. What only dnf can tell (a group, a file,
    /// a pattern) counts as not there to install it, and as there to remove it.
    fn is_installed(&self, name: &str) -> Result<bool> {
        let only_dnf = name.starts_with('@') || name.contains("://") || name.contains('*') || name.ends_with(".rpm");
        if only_dnf {
            return Ok(self.args.wanted() == Wanted::Absent);
        }
        let mut words = vec!["rpm".to_owned(), "-q".to_owned()];
        if self.args.installroot != "/" {
            words.push(format!("--root={}", self.args.installroot));
        }
        words.extend(["--whatprovides".to_owned(), name.to_owned()]);
        if self.host.run(&Command::reads(words.clone()))?.rc == 0 {
            return Ok(true);
        }
        // A name with its version is no capability.
        words.retain(|w| w != "--whatprovides");
        Ok(self.host.run(&Command::reads(words))?.rc == 0)
    }

    /// The names that are still to be seen to, after what a dry run has planned of them: one that
    /// is planned is there, and can be taken out of the plan again, without dnf.
    fn beyond_plan(&self) -> Result<Vec<String>> {
        let mut left = vec![];
        for name in self.args.name.iter().filter(|n| *n != "*") {
            let target = Target::Package(name.clone());
            // Told apart from any state of a package by being none of them.
            let unplanned = State::from([("planned".to_owned(), "no".to_owned())]);
            let state = self.host.state(&target, || Ok(Some(unplanned.clone())))?;
            match (self.args.wanted(), state) {
                (_, Some(state)) if state == unplanned => left.push(name.clone()),
                (Wanted::Present | Wanted::Absent, Some(state)) if state.is_empty() => {
                    return Err(crate::dpkg::not_sure(name));
                }
                (Wanted::Present, Some(_)) | (Wanted::Absent, None) => {}
                (Wanted::Absent, Some(state)) if !self.is_installed(name)? => {
                    self.host.ensure(target, Some(state), None, || Ok(()))?;
                }
                _ => left.push(name.clone()),
            }
        }
        Ok(left)
    }

    /// Asks dnf what it would do, and does it; gives a line a package.
    fn carry_out(&self, words: &[String]) -> Result<Vec<String>> {
        let mut ask = words.to_vec();
        ask.push("--assumeno".to_owned());
        let mut question = self.command(Command::reads, &ask);
        // Of `-y` and `--assumeno` dnf obeys the first.
        question.argv.retain(|word| word != "-y");
        let asked = self.host.run(&question)?;
        let steps = plan::parse(&asked.stdout());
        if steps.is_empty() {
            judged(asked)?;
            return Ok(vec![]);
        }
        self.refuse_downgrade(&steps)?;
        let done = RefCell::new(false);
        let once = || {
            if !done.replace(true) {
                let command = self.command(Command::changes, words);
                judged(self.host.run(&command)?)?;
            }
            Ok(())
        };
        if self.args.download_only {
            return self.downloaded(&steps, once);
        }
        // Asked before anything is done.
        let mut known = vec![];
        for step in steps {
            let target = Target::Package(step.package.clone());
            let found = self.version(&step.package)?;
            let before = self.host.state(&target, || Ok(found.clone()))?;
            let is_again = found.is_some() && found == step.after;
            known.push((target, before, is_again, step));
        }
        let mut lines = vec![];
        for (target, before, is_again, step) in known {
            let verb = if step.after.is_some() { "Installed" } else { "Removed" };
            let shown = step.after.as_ref().or(before.as_ref()).and_then(|s| s.get("version"));
            lines.push(format!("{verb}: {}-{}", step.package, shown.map_or("", String::as_str)));
            match step.after {
                Some(after) if is_again => {
                    self.host.act(target, after, "installed again", once)?;
                }
                after => self.host.ensure(target, before, after, once)?,
            }
        }
        Ok(lines)
    }

    fn downloaded(&self, steps: &[Step], once: impl FnMut() -> Result<()>) -> Result<Vec<String>> {
        let target = Target::Host("dnf's downloaded packages".to_owned());
        self.host.act(target, State::new(), "downloaded", once)?;
        Ok(steps.iter().map(|s| format!("Downloaded: {}", s.package)).collect())
    }

    /// The version of a package that is installed.
    fn version(&self, name: &str) -> Result<Option<State>> {
        let root = format!("--root={}", self.args.installroot);
        let words = ["rpm", "-q", &root, "--queryformat", "%{EPOCH}:%{VERSION}-%{RELEASE}\n", name];
        let said = self.host.run(&Command::reads(words))?;
        let text = said.stdout();
        // dnf writes no epoch where there is none, or 0.
        let line = text.lines().next().unwrap_or_default();
        let version = line.strip_prefix("(none):").or(line.strip_prefix("0:")).unwrap_or(line);
        Ok((said.rc == 0).then(|| version_state(version)))
    }

    fn refuse_downgrade(&self, steps: &[Step]) -> Result<()> {
        let Some(step) = steps.iter().find(|s| s.is_downgrade) else {
            return Ok(());
        };
        if self.args.allow_downgrade {
            return Ok(());
        }
        let name = &step.package;
        Err(Failure::new(format!("an earlier version of `{name}` would take the place of a later one"))
            .arg("name")
            .help("allow_downgrade: true lets it"))
    }
}

/// The output, or what dnf named as the error.
fn judged(output: Output) -> Result<Output> {
    if output.rc == 0 {
        return Ok(output);
    }
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let lines = || stderr.lines().chain(stdout.lines()).map(str::trim).filter(|l| !l.is_empty());
    let said: Vec<&str> = lines()
        .filter_map(|l| l.strip_prefix("Error: ").or(l.strip_prefix("No match for argument: ").map(|_| l)))
        .collect();
    let words = if said.is_empty() { lines().next_back().unwrap_or_default().to_owned() } else { said.join("; ") };
    let failure = Failure::new(format!("dnf: {words}"));
    let denied = stderr.contains("superuser") || stderr.contains("not permitted");
    let failure = if denied { failure.help("packages are root's to change: set `become: true`") } else { failure };
    Err(failure.with("rc", output.rc).with("stdout", stdout).with("stderr", stderr))
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn a_host_without_dnf_is_told_of() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "a"})).result.unwrap_err();
        assert!(got.msg.starts_with("there is no `dnf5` on this host"));
    }

    #[test]
    fn a_package_that_is_planned_is_there() {
        let host = Overlay::empty();
        let fixture = Fixture::new(&host);
        fixture.file("/usr/bin/dnf", "");
        fixture.on_host(|h| h.remember(&Target::Package("a".into()), Some(version_state("1"))).unwrap());
        let got = fixture.run::<This>(json!({"name": "a"}));
        assert_eq!(got.result.unwrap().data["msg"], "Nothing to do");
        assert_eq!(got.changes, []);
    }

    #[test]
    fn the_errors_of_dnf_are_the_message() {
        let output = Output {
            rc: 1,
            stdout: b"Last metadata check\nNo match for argument: nothere\n".to_vec(),
            stderr: b"Error: Unable to find a match: nothere\n".to_vec(),
        };
        let got = judged(output).unwrap_err();
        assert!(got.msg.starts_with("dnf: Unable to find a match: nothere"));
    }
}
