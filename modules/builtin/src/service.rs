//! Services, whatever init the host has: systemd, OpenRC, or scripts in /etc/init.d.

use std::path::Path;
use std::time::Duration;

use rplay_api::{Args, Command, Doc, Failure, Host, Module, Outcome, Result, Return, State, Target};

use crate::pattern;
use crate::systemd::{Running, Wanted};
use crate::unit::Systemctl;

/// The `service` module.
pub struct This;

/// Arguments of `service`.
#[derive(Debug, Args)]
pub struct ServiceArgs {
    /// The service.
    name: String,
    /// What it should do.
    state: Option<Running>,
    /// Whether it starts at boot.
    enabled: Option<bool>,
    /// Where its script has no status: it runs where the command line of a process matches this
    /// text.
    pattern: Option<String>,
    /// Seconds between the stop and the start of a restart.
    sleep: Option<u64>,
    /// More words for its script.
    #[arg(alias = "args", default = "")]
    arguments: String,
    /// OpenRC's run level.
    #[arg(default = "default")]
    runlevel: String,
    /// The init: `auto`, `systemd`, `openrc` or `sysvinit`.
    #[arg(default = "auto", name = "use")]
    init: String,
}

impl Module for This {
    type Args = ServiceArgs;

    const DOC: Doc = Doc {
        name: "service",
        aliases: &[],
        summary: "Starts, stops and enables services",
        description: "On a host with systemd it does what `systemd` does.",
        free_form: None,
        examples: r#"
- name: A new configuration is read
  service:
    name: nginx
    state: reloaded

- name: It runs, now and after a boot
  service:
    name: nginx
    state: started
    enabled: true
"#,
        returns: &[
            Return { name: "name", doc: "The service." },
            Return { name: "state", doc: "What it was asked to do." },
            Return { name: "enabled", doc: "Whether it starts at boot." },
            Return { name: "status", doc: "On a host with systemd: what `systemctl show` said of it before." },
        ],
    };

    fn run(args: ServiceArgs, host: &Host) -> Result<Outcome> {
        if args.state.is_none() && args.enabled.is_none() {
            return Err(Failure::new("there is nothing to do")
                .arg("name")
                .help("give `state`, `enabled` or both"));
        }
        match Init::of(&args.init, host)? {
            Init::Systemd => {
                let wanted = Wanted {
                    running: args.state,
                    enabled: args.enabled,
                    masked: None,
                };
                wanted.ensure(&args.name, &Systemctl::system(), host)
            }
            init => Script { init, args: &args, host }.ensure(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Init {
    Systemd,
    OpenRc,
    SysV,
}

impl Init {
    fn of(word: &str, host: &Host) -> Result<Self> {
        match word {
            "auto" | "service" => {}
            "systemd" => return Ok(Self::Systemd),
            "openrc" => return Ok(Self::OpenRc),
            "sysvinit" => return Ok(Self::SysV),
            other => {
                return Err(Failure::new(format!("`{other}` is no init that is known"))
                    .arg("use")
                    .help("leave it out, or use `systemd`, `openrc` or `sysvinit`"));
            }
        }
        if host.is_dir(Path::new("/run/systemd/system"))? {
            return Ok(Self::Systemd);
        }
        let openrc = host.is_dir(Path::new("/run/openrc"))? || host.exists(Path::new("/sbin/openrc-run"))?;
        Ok(if openrc { Self::OpenRc } else { Self::SysV })
    }
}

/// A service that is a script in /etc/init.d.
struct Script<'a> {
    init: Init,
    args: &'a ServiceArgs,
    host: &'a Host<'a>,
}

impl Script<'_> {
    fn ensure(&self) -> Result<Outcome> {
        let name = &self.args.name;
        let path = Path::new("/etc/init.d").join(name);
        if name.contains('/') || !self.host.exists(&path)? {
            let msg = format!("could not find the requested service `{name}`");
            let failure = Failure::new(msg)
                .arg("name")
                .help(format!("there is no `{}`", path.display()));
            return Err(self.host.missing(failure));
        }
        if let Some(enabled) = self.args.enabled {
            self.set_enabled(enabled)?;
        }
        if let Some(running) = self.args.state {
            self.set_running(running)?;
        }
        let mut outcome = Outcome::new().with("name", name.clone());
        if let Some(running) = self.args.state {
            let word = if running == Running::Stopped { "stopped" } else { "started" };
            outcome = outcome.with("state", word);
        }
        if let Some(enabled) = self.args.enabled {
            outcome = outcome.with("enabled", enabled);
        }
        Ok(outcome)
    }

    fn set_running(&self, wanted: Running) -> Result<()> {
        let target = Target::Unit(self.args.name.clone());
        let before = self.host.state(&target, || Ok(Some(word("active", if self.runs()? { "active" } else { "inactive" }))))?;
        let before = before.unwrap_or_else(|| word("active", "inactive"));
        let active = before == word("active", "active");
        let (active_state, stopped) = (word("active", "active"), word("active", "inactive"));
        match wanted {
            Running::Started | Running::Reloaded | Running::Restarted if !active => {
                self.host.ensure(target, Some(before), Some(active_state), || self.script("start"))
            }
            Running::Started => Ok(()),
            Running::Stopped => self.host.ensure(target, Some(before), Some(stopped), || self.script("stop")),
            Running::Reloaded => self.host.act(target, before, "reload", || self.script("reload")),
            Running::Restarted => self.host.act(target, before, "restart", || match self.args.sleep {
                None => self.script("restart"),
                Some(seconds) => {
                    self.script("stop")?;
                    self.host.wait(Duration::from_secs(seconds))?;
                    self.script("start")
                }
            }),
        }
    }

    fn words(&self, verb: &str) -> Vec<String> {
        let mut words = match self.init {
            Init::OpenRc => vec!["rc-service".to_owned(), self.args.name.clone(), verb.to_owned()],
            _ => vec![format!("/etc/init.d/{}", self.args.name), verb.to_owned()],
        };
        words.extend(self.args.arguments.split_whitespace().map(str::to_owned));
        words
    }

    fn script(&self, verb: &str) -> Result<()> {
        let command = Command::changes(self.words(verb));
        self.host.run(&command)?.success(&command).map(drop)
    }

    /// Whether it runs: by the processes where a pattern is given, or else by its script's status,
    /// 0 for yes. A script without one prints its usage, and then only its words can tell.
    fn runs(&self) -> Result<bool> {
        if let Some(text) = &self.args.pattern {
            return Ok(process_matches(self.host, text));
        }
        let output = self.host.run(&Command::reads(self.words("status")))?;
        let words = output.stdout().to_lowercase();
        let denied = ["not running", "stopped", "is dead", "inactive", "crashed"].iter().any(|w| words.contains(w));
        Ok(match output.rc {
            0 => !denied,
            1..=4 => false,
            _ => words.contains("running") && !denied,
        })
    }

    fn set_enabled(&self, wanted: bool) -> Result<()> {
        let target = Target::UnitFile(self.args.name.clone());
        let before = self.host.state(&target, || Ok(Some(word("enabled", if self.is_enabled()? { "enabled" } else { "disabled" }))))?;
        let after = word("enabled", if wanted { "enabled" } else { "disabled" });
        self.host.ensure(target, before, Some(after), || {
            let command = Command::changes(self.enable_words(wanted)?);
            self.host.run(&command)?.success(&command).map(drop)
        })
    }

    fn is_enabled(&self) -> Result<bool> {
        let name = &self.args.name;
        if self.init == Init::OpenRc {
            let link = Path::new("/etc/runlevels").join(&self.args.runlevel).join(name);
            return Ok(self.host.lstat(&link)?.is_some());
        }
        Ok(pattern::first_match(self.host, None, &format!("/etc/rc[2-5].d/S??{name}"))?.is_some())
    }

    fn enable_words(&self, wanted: bool) -> Result<Vec<&str>> {
        let name = self.args.name.as_str();
        if self.init == Init::OpenRc {
            let verb = if wanted { "add" } else { "delete" };
            return Ok(vec!["rc-update", verb, name, &self.args.runlevel]);
        }
        let there = |path: &str| self.host.exists(Path::new(path));
        if there("/usr/sbin/update-rc.d")? {
            let verb = if wanted { "enable" } else { "disable" };
            let linked = pattern::first_match(self.host, None, &format!("/etc/rc[0-6].d/[SK]??{name}"))?;
            return Ok(vec!["update-rc.d", name, if linked.is_none() { "defaults" } else { verb }]);
        }
        if there("/sbin/chkconfig")? || there("/usr/sbin/chkconfig")? {
            return Ok(vec!["chkconfig", name, if wanted { "on" } else { "off" }]);
        }
        Err(Failure::new("this host has neither `update-rc.d` nor `chkconfig`, so a service cannot be enabled")
            .arg("enabled"))
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
        .any(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(text))
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn the_init_is_found_by_its_traces() {
        let init = |path: &str| {
            let overlay = Overlay::empty();
            let fixture = Fixture::new(&overlay);
            fixture.file(path, "");
            fixture.on_host(|h| Init::of("auto", h).unwrap())
        };
        assert_eq!(init("/run/systemd/system/x"), Init::Systemd);
        assert_eq!(init("/sbin/openrc-run"), Init::OpenRc);
        assert_eq!(init("/etc/init.d/x"), Init::SysV);
    }

    #[test]
    fn a_script_that_is_not_there_is_named() {
        let args = json!({"name": "nope", "state": "started", "use": "sysvinit"});
        let got = run::<This>(&Overlay::empty(), args).result.unwrap_err();
        assert_eq!(got.msg, "could not find the requested service `nope`");
    }

    #[test]
    fn a_process_is_found_by_its_command_line() {
        Fixture::new(&RealSystem).on_host(|h| {
            assert!(!process_matches(h, "no process has these words in it"));
        });
    }
}
