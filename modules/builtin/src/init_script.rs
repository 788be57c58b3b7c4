//! A service that is a script in /etc/init.d, under OpenRC or System V's init.
//!
//! Owns how such a script is asked, started, stopped and linked into runlevels. Knows nothing of
//! the modules' arguments.

use std::path::Path;
use std::time::Duration;

use rplay_api::{Command, Failure, Host, Output, Result, State, Target};

use crate::pattern;
use crate::systemd::Running;

/// How a script is made to start at boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Links {
    /// By OpenRC, in this runlevel.
    OpenRc(String),
    /// By links in /etc/rc?.d, of these runlevels; none: those that the script itself names.
    SysV(Vec<String>),
}

/// One script.
pub struct Script<'a> {
    /// Where it is.
    pub host: &'a Host<'a>,
    /// How it starts at boot.
    pub links: Links,
    /// Its name.
    pub name: &'a str,
    /// It runs where the command line of a process has this in it; absent: its status says so.
    pub pattern: Option<&'a str>,
    /// More words for it.
    pub arguments: &'a str,
    /// A restart is a stop, this pause and a start; absent: the script's own.
    pub pause: Option<Duration>,
    /// Cut it off from our own input and output, which a bad daemon would hold open.
    pub daemonize: bool,
}

impl Script<'_> {
    /// Refuses one that is not there.
    pub fn must_exist(&self) -> Result<()> {
        let name = self.name;
        let path = Path::new("/etc/init.d").join(name);
        if !name.is_empty() && !name.contains('/') && self.host.exists(&path)? {
            return Ok(());
        }
        let msg = format!("could not find the requested service `{name}`");
        let failure = Failure::new(msg)
            .arg("name")
            .help(format!("there is no `{}`", path.display()));
        Err(self.host.missing(failure))
    }

    /// Starts, stops, restarts or reloads it; gives what the last command said, where one ran.
    pub fn set_running(&self, wanted: Running) -> Result<Option<Output>> {
        let target = Target::Unit(self.name.to_owned());
        let is = |yes: bool| word("active", if yes { "active" } else { "inactive" });
        let before = self.host.state(&target, || Ok(Some(is(self.runs()?))))?;
        let before = before.unwrap_or_else(|| is(false));
        let active = before == is(true);
        let mut said = None;
        match wanted {
            Running::Started | Running::Reloaded | Running::Restarted if !active => {
                let start = || self.script("start").map(|output| said = Some(output));
                self.host
                    .ensure(target, Some(before), Some(is(true)), start)?;
            }
            Running::Started => {}
            Running::Stopped => {
                let stop = || self.script("stop").map(|output| said = Some(output));
                self.host
                    .ensure(target, Some(before), Some(is(false)), stop)?;
            }
            Running::Reloaded => {
                let reload = || self.again("reload").map(|output| said = Some(output));
                self.host.act(target, before, "reload", reload)?;
            }
            Running::Restarted => {
                let restart = || self.again("restart").map(|output| said = Some(output));
                self.host.act(target, before, "restart", restart)?;
            }
        }
        Ok(said)
    }

    /// A restart or reload.
    fn again(&self, verb: &str) -> Result<Output> {
        match self.pause {
            Some(pause) if verb == "restart" => {
                self.script("stop")?;
                self.host.wait(pause)?;
                self.script("start")
            }
            _ => self.script(verb),
        }
    }

    fn words(&self, verb: &str) -> Vec<String> {
        let mut words = match self.links {
            Links::OpenRc(_) => vec![
                "rc-service".to_owned(),
                self.name.to_owned(),
                verb.to_owned(),
            ],
            Links::SysV(_) => vec![format!("/etc/init.d/{}", self.name), verb.to_owned()],
        };
        words.extend(self.arguments.split_whitespace().map(str::to_owned));
        words
    }

    fn script(&self, verb: &str) -> Result<Output> {
        let mut words = self.words(verb);
        if self.daemonize {
            let shell = [
                "/bin/sh",
                "-c",
                r#"exec "$@" </dev/null >/dev/null 2>&1"#,
                "sh",
            ];
            words.splice(0..0, shell.map(str::to_owned));
        }
        let command = Command::changes(words);
        self.host.run(&command)?.success(&command)
    }

    /// Whether it runs: by the processes where a pattern is given, or else by its script's status,
    /// 0 for yes. A script without one prints its usage, and then only its words can tell.
    fn runs(&self) -> Result<bool> {
        if let Some(text) = self.pattern {
            return Ok(process_matches(self.host, text));
        }
        let output = self.host.run(&Command::reads(self.words("status")))?;
        let words = output.stdout().to_lowercase();
        let denied = ["not running", "stopped", "is dead", "inactive", "crashed"]
            .iter()
            .any(|w| words.contains(w));
        Ok(match output.rc {
            0 => !denied,
            1..=4 => false,
            _ => words.contains("running") && !denied,
        })
    }

    /// Makes it start at boot or not; gives what the command said, where one ran.
    pub fn set_enabled(&self, wanted: bool) -> Result<Option<Output>> {
        let target = Target::UnitFile(self.name.to_owned());
        let is = |yes: bool| word("enabled", if yes { "enabled" } else { "disabled" });
        let before = self
            .host
            .state(&target, || Ok(Some(is(self.is_enabled(wanted)?))))?;
        let mut said = None;
        self.host.ensure(target, before, Some(is(wanted)), || {
            for words in self.enable_commands(wanted)? {
                let command = Command::changes(words);
                said = Some(self.host.run(&command)?.success(&command)?);
            }
            Ok(())
        })?;
        Ok(said)
    }

    /// Whether it starts at boot: in all of the runlevels where that is wanted, or else in any.
    fn is_enabled(&self, wanted: bool) -> Result<bool> {
        let name = self.name;
        let levels = match &self.links {
            Links::OpenRc(level) => {
                let link = Path::new("/etc/runlevels").join(level).join(name);
                return Ok(self.host.lstat(&link)?.is_some());
            }
            Links::SysV(levels) => levels,
        };
        let linked = |levels: &str| -> Result<bool> {
            let path = format!("/etc/rc{levels}.d/S??{name}");
            Ok(pattern::first_match(self.host, None, &path)?.is_some())
        };
        if levels.is_empty() {
            return linked("[2-5]");
        }
        let there = levels
            .iter()
            .map(|level| linked(level))
            .collect::<Result<Vec<_>>>()?;
        Ok(if wanted {
            there.iter().all(|t| *t)
        } else {
            there.iter().any(|t| *t)
        })
    }

    fn enable_commands(&self, wanted: bool) -> Result<Vec<Vec<String>>> {
        let name = self.name;
        let list = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let levels = match &self.links {
            Links::OpenRc(level) => {
                let verb = if wanted { "add" } else { "delete" };
                return Ok(vec![list(&["rc-update", verb, name, level])]);
            }
            Links::SysV(levels) => levels,
        };
        let there = |path: &str| self.host.exists(Path::new(path));
        if there("/usr/sbin/update-rc.d")? {
            let linked = format!("/etc/rc[0-6].d/[SK]??{name}");
            let linked = pattern::first_match(self.host, None, &linked)?.is_some();
            let mut switch = list(&[
                "update-rc.d",
                name,
                if wanted { "enable" } else { "disable" },
            ]);
            switch.extend(levels.iter().cloned());
            let defaults = list(&["update-rc.d", name, "defaults"]);
            return Ok(match (linked, levels.is_empty() && wanted) {
                (false, true) => vec![defaults],
                (false, false) => vec![defaults, switch],
                (true, _) => vec![switch],
            });
        }
        if there("/sbin/chkconfig")? || there("/usr/sbin/chkconfig")? {
            let mut words = list(&["chkconfig"]);
            if !levels.is_empty() {
                words.extend(["--level".to_owned(), levels.concat()]);
            }
            words.extend(list(&[name, if wanted { "on" } else { "off" }]));
            return Ok(vec![words]);
        }
        let why =
            "this host has neither `update-rc.d` nor `chkconfig`, so a service cannot be enabled";
        Err(Failure::new(why).arg("enabled"))
    }
}

fn word(key: &str, value: &str) -> State {
    State::from([(key.to_owned(), value.to_owned())])
}

fn process_matches(host: &Host, text: &str) -> bool {
    let ids = host.read_dir(Path::new("/proc")).unwrap_or_default();
    ids.iter()
        .filter(|id| id.to_string_lossy().bytes().all(|b| b.is_ascii_digit()))
        .filter_map(|id| host.read(&Path::new("/proc").join(id).join("cmdline")).ok())
        .any(|line| {
            String::from_utf8_lossy(&line)
                .replace('\0', " ")
                .contains(text)
        })
}

#[cfg(test)]
mod tests {
    use rplay_api::RealSystem;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_process_is_found_by_its_command_line() {
        Fixture::new(&RealSystem).on_host(|h| {
            assert!(!process_matches(h, "no process has these words in it"));
        });
    }
}
