//! Services, whatever init the host has: systemd, OpenRC, or scripts in /etc/init.d.

use std::path::Path;
use std::time::Duration;

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::init_script::{Links, Script};
use crate::systemd::{Running, Wanted};
use crate::unit::{Scope, Systemctl};

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
    /// With systemd: let it read its files again first.
    #[arg(default = false, alias = "daemon-reload")]
    daemon_reload: bool,
    /// With systemd: let it start itself anew first.
    #[arg(default = false, alias = "daemon-reexec")]
    daemon_reexec: bool,
    /// With systemd: whether it is impossible to start.
    masked: Option<bool>,
    /// With systemd: whose units.
    #[arg(default = Scope::System)]
    scope: Scope,
    /// With systemd: return before the unit is ready.
    #[arg(default = false)]
    no_block: bool,
    /// With systemd: overwrite links that are in the way.
    #[arg(default = false)]
    force: bool,
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
        let of_systemd = args.daemon_reload || args.daemon_reexec || args.masked.is_some();
        if args.state.is_none() && args.enabled.is_none() && !of_systemd {
            return Err(Failure::new("there is nothing to do")
                .arg("name")
                .help("give `state`, `enabled` or both"));
        }
        match Init::of(&args.init, host)? {
            Init::Systemd => {
                let systemctl = Systemctl {
                    scope: args.scope,
                    no_block: args.no_block,
                    force: args.force,
                    ..Systemctl::system()
                };
                if args.daemon_reload {
                    systemctl.daemon_reload(host)?;
                }
                if args.daemon_reexec {
                    systemctl.daemon_reexec(host)?;
                }
                let wanted = Wanted {
                    running: args.state,
                    enabled: args.enabled,
                    masked: args.masked,
                };
                wanted.ensure(&args.name, &systemctl, host)
            }
            Init::OpenRc => args.script(Links::OpenRc(args.runlevel.clone()), host),
            Init::SysV => args.script(Links::SysV(vec![]), host),
        }
    }
}

impl ServiceArgs {
    fn script(&self, links: Links, host: &Host) -> Result<Outcome> {
        let script = Script {
            host,
            links,
            name: &self.name,
            pattern: self.pattern.as_deref(),
            arguments: &self.arguments,
            pause: self.sleep.map(Duration::from_secs),
            daemonize: false,
        };
        script.must_exist()?;
        let mut outcome = Outcome::new().with("name", self.name.clone());
        if let Some(enabled) = self.enabled {
            script.set_enabled(enabled)?;
            outcome = outcome.with("enabled", enabled);
        }
        if let Some(running) = self.state {
            script.set_running(running)?;
            let word = if running == Running::Stopped { "stopped" } else { "started" };
            outcome = outcome.with("state", word);
        }
        Ok(outcome)
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

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
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
}
