//! Packages of Debian and what derives from it, through apt-get.
//!
//! What a task would do is read from apt-get's own simulation, in a real run as in a dry one; each
//! package in it is a change, so a later task of a dry run sees those that an earlier one would
//! install. A package that is there already costs one read of dpkg's status file and no process.

mod archive;
mod args;
mod policy;
mod spec;

use rplay_api::{Doc, Failure, Host, Module, Outcome, Output, Result, Return, State, Target};

use crate::apt_get::{AptGet, asking, lists, prepared};
use crate::dpkg::Dpkg;
use archive::Archive;
use args::{Upgrade, Wanted};
use spec::{Spec, expand};

pub use args::AptArgs;

/// The `apt` module.
pub struct This;

impl Module for This {
    type Args = AptArgs;

    const DOC: Doc = Doc {
        name: "apt",
        aliases: &[],
        summary: "Installs, upgrades and removes packages of Debian and Ubuntu",
        description: "It needs apt-get and nothing else on the target. A dry run asks apt-get what \
            it would do, and shows each package; what depends on lists or sources that are only \
            planned is told as not decided.",
        free_form: None,
        examples: r#"
- name: A web server, with fresh lists where they are older than an hour
  apt:
    name: nginx
    cache_valid_time: 3600

- name: One version of it
  apt:
    name: nginx=1.22*
    allow_downgrade: true

- name: Nothing is left of it
  apt:
    name: [nginx, nginx-common]
    state: absent
    purge: true
    autoremove: true

- name: The whole host
  apt:
    update_cache: true
    upgrade: dist
"#,
        returns: &[
            Return { name: "cache_updated", doc: "Whether the package lists were fetched." },
            Return { name: "cache_update_time", doc: "When they were fetched last, in seconds since 1970." },
            Return { name: "stdout", doc: "What apt-get said; in a dry run, what its simulation said." },
            Return { name: "stderr", doc: "What it said to standard error." },
        ],
    };

    fn run(args: AptArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let apt = args.apt_get(host)?;
        let task = Task { args: &args, apt, host };
        let cache_updated = match task.lists() {
            Err(failure) if !failure.unknown => return Err(failure),
            known => known,
        };
        let said = task.packages().map_err(|failure| task.explained(failure))?;
        let outcome = Outcome::new()
            .with("cache_updated", cache_updated?)
            .with("cache_update_time", lists::fetched_at(host)?);
        let outcome = match (&said, args.upgrade) {
            (Some(said), Upgrade::Yes | Upgrade::Safe | Upgrade::Full | Upgrade::Dist) => {
                outcome.with("msg", said.stdout())
            }
            _ => outcome,
        };
        Ok(match said {
            Some(said) => outcome.with("stdout", said.stdout()).with("stderr", said.stderr()),
            None => outcome,
        })
    }
}

/// What is said of a package that no source has.
const ABSENT_FROM_SOURCES: [&str; 5] = [
    "Unable to locate",
    "no installation candidate",
    "no package matches",
    "was not found",
    "but it is not installable",
];

struct Task<'a> {
    args: &'a AptArgs,
    apt: AptGet,
    host: &'a Host<'a>,
}

impl Task<'_> {
    /// Fetches the lists where that is asked for and they are old enough.
    fn lists(&self) -> Result<bool> {
        if !self.args.wants_lists() {
            return Ok(false);
        }
        let now = self.host.now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs());
        let age = now.saturating_sub(lists::fetched_at(self.host)?);
        if age < self.args.cache_valid_time {
            return Ok(false);
        }
        // Where more is asked for, the lists are the way to it and no change by themselves.
        let alone = self.args.name.is_empty() && self.args.deb.is_none() && self.args.upgrade == Upgrade::No;
        lists::fetch(self.host, &self.apt, &self.args.lists, alone)
    }

    fn packages(&self) -> Result<Option<Output>> {
        let args = self.args;
        if args.clean {
            self.clean()?;
        }
        if let Some(place) = &args.deb {
            return self.archive(place);
        }
        let everything = args.state == Wanted::Latest && args.name.iter().any(|n| n == "*");
        match (args.upgrade, args.state) {
            (Upgrade::Full | Upgrade::Dist, _) => self.carry_out(&["dist-upgrade"], &[]),
            (Upgrade::Yes | Upgrade::Safe, _) => {
                self.carry_out(&["--with-new-pkgs", "upgrade"], &[])
            }
            (Upgrade::No, Wanted::Latest) if everything => {
                self.carry_out(&["--with-new-pkgs", "upgrade"], &[])
            }
            (Upgrade::No, Wanted::Fixed) => {
                self.carry_out(&["--fix-broken", "install"], &args.name)
            }
            (Upgrade::No, Wanted::BuildDep) => self.carry_out(&["build-dep"], &args.name),
            (Upgrade::No, _) if args.name.is_empty() => self.tidy(),
            (Upgrade::No, Wanted::Absent) => self.remove(),
            (Upgrade::No, Wanted::Present | Wanted::Latest) => self.install(),
        }
    }

    /// What is asked for without any package.
    fn tidy(&self) -> Result<Option<Output>> {
        if self.args.autoclean {
            self.autoclean()?;
        }
        if self.args.autoremove {
            return self.carry_out(&["autoremove"], &[]);
        }
        Ok(None)
    }

    fn install(&self) -> Result<Option<Output>> {
        let dpkg = Dpkg::read(self.host)?;
        let mut words = vec![];
        let mut manual = vec![];
        for spec in expand(&self.args.name, None, self.host)? {
            match dpkg.state(self.host, &spec.name)? {
                None if self.args.only_upgrade => {}
                None if self.is_provided(&spec, &dpkg)? => {}
                None => words.push((spec.name.clone(), spec.word(self.host)?)),
                Some(found) => {
                    let version = found.get("version").map_or("", String::as_str);
                    if self.args.state == Wanted::Latest || !spec.accepts(version, self.host)? {
                        words.push((spec.name.clone(), spec.word(self.host)?));
                    } else {
                        manual.push(spec.name);
                    }
                }
            }
        }
        self.mark_manual(manual)?;
        if words.is_empty() {
            return Ok(None);
        }
        let (names, words): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let said = self.carry_out(self.install_words(), &words)?;
        for name in names {
            self.put_back(&name, &dpkg)?;
        }
        Ok(said)
    }

    fn install_words(&self) -> &'static [&'static str] {
        if self.args.only_upgrade { &["--only-upgrade", "install"] } else { &["install"] }
    }

    /// Whether a name that is no package's own is provided by one that is installed.
    fn is_provided(&self, spec: &Spec, dpkg: &Dpkg) -> Result<bool> {
        let Some(provider) = dpkg.provider(&spec.name) else {
            return Ok(false);
        };
        if dpkg.state(self.host, provider)?.is_none() {
            return Ok(false);
        }
        let words = ["apt-cache", "show", "--no-all-versions", &spec.name];
        let shown = self.host.run(&asking(words))?;
        Ok(shown.rc != 0 || shown.stdout.is_empty())
    }

    /// A package that an earlier task of a dry run would remove is there for apt-get's simulation;
    /// this one would bring it back, and first what it needs.
    fn put_back(&self, name: &str, dpkg: &Dpkg) -> Result<()> {
        let target = Target::Package(name.to_owned());
        let Some(found) = dpkg.get(name).filter(|p| p.is_installed()) else {
            return Ok(());
        };
        if self.host.state(&target, || Ok(Some(State::new())))?.is_some() {
            return Ok(());
        }
        // Planned before what it needs is: that may need it in turn.
        let after = crate::dpkg::version_state(&found.version);
        self.host.remember(&target, Some(after.clone()))?;
        for needed in &found.depends {
            self.put_back(needed, dpkg)?;
        }
        self.host.ensure(target, None, Some(after), || Ok(()))
    }

    fn remove(&self) -> Result<Option<Output>> {
        let dpkg = Dpkg::read(self.host)?;
        let mut words = vec![];
        let mut planned = vec![];
        for spec in expand(&self.args.name, Some(&dpkg), self.host)? {
            let found = dpkg.get(&spec.name);
            let state = dpkg.state(self.host, &spec.name)?;
            let leftover = self.args.purge && found.is_some_and(|p| p.status == "config-files");
            let foreseen = self.args.purge && crate::dpkg::leaves_configuration(self.host, &spec.name)?;
            match state {
                Some(state) if found.is_none_or(|p| !p.is_installed()) => planned.push((spec.name, state)),
                Some(_) => words.push(spec.name),
                None if leftover => words.push(spec.name),
                None if foreseen => crate::dpkg::purge_rest(self.host, &spec.name)?,
                None => self.comes_with_no_other(&spec.name, found.is_some())?,
            }
        }
        // What a dry run would have installed, and apt-get does not know of.
        for (name, state) in planned {
            self.remove_planned(&name, state)?;
        }
        if words.is_empty() {
            return Ok(None);
        }
        self.carry_out(&["remove"], &words)
    }

    /// Takes a package out of a dry run's plan, and those before it that need it.
    fn remove_planned(&self, name: &str, state: State) -> Result<()> {
        // Gone from the plan first: two packages may need each other.
        self.host.remember(&Target::Package(name.to_owned()), None)?;
        for (other, state) in self.host.planned_packages() {
            if let Some(state) = state.filter(|_| other != name)
                && self.needs(&other)?.iter().any(|needed| needed == name)
            {
                self.remove_planned(&other, state)?;
            }
        }
        self.host.ensure(Target::Package(name.to_owned()), Some(state), None, || Ok(()))
    }

    /// What a package that is not installed needs, as its source tells it.
    fn needs(&self, name: &str) -> Result<Vec<String>> {
        let words = ["apt-cache", "show", "--no-all-versions", name];
        let shown = self.host.run(&asking(words))?.stdout();
        Ok(crate::dpkg::needs(&shown))
    }

    /// What a package needs that is to come from sources that are only planned is not known: it may
    /// be this one.
    fn comes_with_no_other(&self, name: &str, was_there: bool) -> Result<()> {
        let planned = self.host.planned_packages();
        let unknown = planned.iter().find(|(_, state)| state.as_ref().is_some_and(State::is_empty));
        match unknown {
            Some((other, _)) if !was_there => Err(Failure::unknown(format!(
                "`{name}` may come with `{other}`, and what that needs is not known"
            ))),
            _ => Ok(()),
        }
    }

    /// Marks them, so that apt does not count them as left over once others are gone.
    fn mark_manual(&self, names: Vec<String>) -> Result<()> {
        let path = std::path::Path::new("/var/lib/apt/extended_states");
        if names.is_empty() || !self.host.exists(path)? {
            return Ok(());
        }
        let states = self.host.read_text(path)?;
        let automatic = |name: &str| {
            let name = name.split(':').next().unwrap_or(name);
            states.split("\n\n").any(|entry| {
                let is = |line: &str| entry.lines().any(|l| l == line);
                is(&format!("Package: {name}")) && is("Auto-Installed: 1")
            })
        };
        for name in names.iter().filter(|n| automatic(n)) {
            // As for Ansible this is no change: what is installed stays the same.
            self.host.refresh(&Target::Host(format!("apt mark of {name}")), || {
                let command = prepared(rplay_api::Command::changes(["apt-mark", "manual", name]));
                self.host.run(&command)?.success(&command).map(drop)
            })?;
        }
        Ok(())
    }

    fn archive(&self, place: &str) -> Result<Option<Output>> {
        let archive = Archive::open(place, self.host)?;
        let dpkg = Dpkg::read(self.host)?;
        if let Some(found) = dpkg.state(self.host, &archive.name)? {
            let version = found.get("version").map_or("", String::as_str);
            let forced = self.args.force;
            if !forced && archive.is("eq", version, self.host)? {
                return Ok(None);
            }
            let older = archive.is("lt", version, self.host)?;
            if older && !forced && !self.args.allow_downgrade {
                let (name, this) = (&archive.name, &archive.version);
                return Err(Failure::new(format!(
                    "`{name}` {version} is installed, which is later than the {this} of `{place}`"
                ))
                .arg("deb")
                .help("allow_downgrade: true replaces it"));
            }
        }
        let path = std::path::absolute(&archive.path)
            .map_err(|e| Failure::io("find", &archive.path, &e))?;
        self.carry_out(&["install"], &[path.to_string_lossy().into_owned()])
    }

    /// Asks apt-get what it would do, and does it.
    fn carry_out(&self, command: &[&str], names: &[String]) -> Result<Option<Output>> {
        let mut words: Vec<&str> = command.to_vec();
        words.extend(names.iter().map(String::as_str));
        let (plan, simulated) = self.apt.plan(self.host, &words)?;
        if plan.0.iter().any(|step| step.after.is_some() && step.before != step.after)
            && let Some(unknown) = lists::planned_files(self.host)
        {
            return Err(self.undecided(unknown));
        }
        let apply = || {
            let _policy = self.args.policy_rc_d.map(|code| policy::Answer::give(code, self.host)).transpose()?;
            self.apt.run(self.host, &words)
        };
        let named: Vec<String> = names.iter().map(|n| n.split(['=', '/']).next().unwrap_or(n).to_owned()).collect();
        let said = plan.carry_out(self.host, &named, &apply)?.unwrap_or(simulated);
        let is_newest = self.args.state == Wanted::Latest || self.args.upgrade != Upgrade::No;
        if is_newest
            && !self.host.changed()
            && let Some(unknown) = lists::planned_sources(self.host)
        {
            return Err(unknown);
        }
        Ok(Some(said))
    }

    /// Removes what `apt-get clean` would, as files.
    fn clean(&self) -> Result<()> {
        let folder = self.archives()?;
        for folder in [folder.clone(), folder.join("partial")] {
            if !self.host.is_dir(&folder)? {
                continue;
            }
            for name in self.host.read_dir(&folder)? {
                if name != "lock" && name != "partial" {
                    self.host.remove(&folder.join(name))?;
                }
            }
        }
        Ok(())
    }

    /// Removes the files that `apt-get autoclean` names.
    fn autoclean(&self) -> Result<()> {
        let (_, said) = self.apt.plan(self.host, &["autoclean"])?;
        let folder = self.archives()?;
        for line in said.stdout().lines() {
            let Some(file) = line.strip_prefix("Del ").and_then(archive_name) else {
                continue;
            };
            self.host.remove(&folder.join(file))?;
        }
        Ok(())
    }

    /// The folder of downloaded packages.
    fn archives(&self) -> Result<std::path::PathBuf> {
        let said = self.host.query(["apt-config", "shell", "DIR", "Dir::Cache::archives/d"])?;
        let folder = said.trim().strip_prefix("DIR='").and_then(|d| d.strip_suffix('\''));
        Ok(folder.unwrap_or("/var/cache/apt/archives").into())
    }

    /// A package that nothing has may come from what a dry run has only planned.
    fn explained(&self, failure: Failure) -> Failure {
        let unknown_package = ABSENT_FROM_SOURCES.iter().any(|words| failure.msg.contains(words));
        if failure.unknown || !unknown_package {
            return failure;
        }
        if let Some(unknown) = lists::planned_sources(self.host) {
            return self.undecided(Failure::unknown(format!("{}, but {}", failure.msg, unknown.msg)));
        }
        if failure.msg.contains("Unable to locate") && !self.args.wants_lists() {
            return failure.help("the package lists may be old or empty: set `update_cache: true`");
        }
        failure
    }

    /// What is to be there will be there, should the task not fail: in a version that is not known.
    fn undecided(&self, unknown: Failure) -> Failure {
        if matches!(self.args.state, Wanted::Present | Wanted::Latest) {
            for name in self.args.name.iter().filter(|name| !name.contains('*')) {
                let name = name.split(['=', '/', '<', '>']).next().unwrap_or(name).trim();
                crate::dpkg::expect(self.host, name);
            }
        }
        unknown
    }
}

/// `hello-a 1:1.0 [684 B]` is the file `hello-a_1%3a1.0_*.deb`.
fn archive_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?);
    Some(format!("{name}_{}", version.replace(':', "%3a")))
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{Fixture, Ran, run};

    /// A host whose apt-get cannot be run: only what needs no process works.
    fn host() -> Overlay {
        let overlay = Overlay::empty();
        Fixture::new(&overlay).file("/usr/bin/apt-get", "").file(
            "/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1.2-3\nArchitecture: all\n\n\
             Package: left\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n",
        );
        overlay
    }

    fn unchanged(ran: &Ran) {
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        assert_eq!(ran.changes, []);
    }

    #[test]
    fn a_package_that_is_there_needs_no_process() {
        for name in ["a", "a=1.2-3", "a=1.2*"] {
            unchanged(&run::<This>(&host(), json!({"name": name})));
        }
    }

    #[test]
    fn a_package_that_is_gone_is_removed_without_a_process() {
        unchanged(&run::<This>(&host(), json!({"name": ["b", "left", "b-*"], "state": "absent"})));
    }

    #[test]
    fn an_upgrade_only_installs_nothing() {
        unchanged(&run::<This>(&host(), json!({"name": "b", "only_upgrade": true})));
    }

    #[test]
    fn what_a_dry_run_has_planned_is_there_and_can_be_removed_again() {
        let host = host();
        let fixture = Fixture::new(&host);
        fixture.on_host(|host| {
            let planned = Some(crate::dpkg::version_state("2"));
            host.remember(&Target::Package("b".into()), planned).unwrap();
        });
        unchanged(&fixture.run::<This>(json!({"name": "b"})));
        let removed = fixture.run::<This>(json!({"name": "b", "state": "absent"}));
        assert_eq!(removed.changes[0].target, Target::Package("b".into()));
        unchanged(&fixture.run::<This>(json!({"name": "b", "state": "absent"})));
    }

    #[test]
    fn a_host_without_apt_config_is_not_cleaned() {
        let ran = run::<This>(&host(), json!({"clean": true}));
        // apt-config is not there: its absence is told, and nothing is removed.
        assert!(ran.result.unwrap_err().msg.contains("apt-config"));
    }

    fn refused(args: Value) -> Failure {
        run::<This>(&host(), args).result.unwrap_err()
    }

    #[test]
    fn arguments_that_do_not_go_together_are_refused() {
        let got = refused(json!({"name": "a", "deb": "/x.deb"}));
        assert_eq!(got.msg, "`name` and `deb` do not go together");
        assert_eq!(refused(json!({})).msg, "there is nothing to do");
    }

    #[test]
    fn a_host_without_apt_get_is_told_of() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "a"})).result.unwrap_err();
        assert_eq!(got.msg, "there is no `apt-get` on this host");
    }
}
