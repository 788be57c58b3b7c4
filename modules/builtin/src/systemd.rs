//! Units of systemd: started, stopped, enabled, masked.
//!
//! A start waits until the unit is ready, and for `Type=notify` that may be for as long as other
//! hosts are missing: `no_block` returns at once, `timeout` limits the wait.

use std::time::Duration;

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::unit::{self, Act, Scope, Systemctl, Unit};

/// The `systemd` module.
pub struct This;

/// What a unit should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Running {
    /// Run.
    #[arg(alias = "running")]
    Started,
    /// Not run.
    Stopped,
    /// Be stopped and started, whatever it does now.
    Restarted,
    /// Read its configuration again; it is started where it does not run.
    Reloaded,
}

impl Running {
    /// The act that leads there.
    pub fn act(self) -> Act {
        match self {
            Self::Started => Act::Start,
            Self::Stopped => Act::Stop,
            Self::Restarted => Act::Restart,
            Self::Reloaded => Act::Reload,
        }
    }
}

/// Arguments of `systemd`.
#[derive(Debug, Args)]
pub struct SystemdArgs {
    /// The unit; without a suffix it is a service.
    #[arg(alias = "service", alias = "unit")]
    name: Option<String>,
    /// What it should do.
    state: Option<Running>,
    /// Whether it starts at boot.
    enabled: Option<bool>,
    /// Whether it is impossible to start.
    masked: Option<bool>,
    /// Let systemd read its files again first.
    #[arg(default = false, alias = "daemon-reload")]
    daemon_reload: bool,
    /// Let systemd start itself anew first.
    #[arg(default = false, alias = "daemon-reexec")]
    daemon_reexec: bool,
    /// Whose units: the system's, the user's, or every user's.
    #[arg(default = Scope::System)]
    scope: Scope,
    /// Return before the unit is ready.
    #[arg(default = false)]
    no_block: bool,
    /// Overwrite links that are in the way.
    #[arg(default = false)]
    force: bool,
    /// Seconds to wait for the unit to be ready. Absent: as long as systemd does.
    timeout: Option<u64>,
}

impl Module for This {
    type Args = SystemdArgs;

    const DOC: Doc = Doc {
        name: "systemd",
        aliases: &["systemd_service"],
        summary: "Starts, stops, enables and masks units of systemd",
        description: "Where a unit cannot be started, the error holds how it ended and the last \
            lines of its journal.",
        free_form: None,
        examples: r#"
- name: etcd runs, now and after a boot
  systemd:
    name: etcd
    state: started
    enabled: true
    daemon_reload: true

- name: All members start at the same time
  systemd:
    name: etcd
    state: started
    no_block: true
"#,
        returns: &[
            Return { name: "name", doc: "The unit as it was asked for." },
            Return { name: "state", doc: "What it was asked to do." },
            Return { name: "enabled", doc: "Whether it starts at boot." },
            Return { name: "status", doc: "What `systemctl show` said of it before." },
        ],
    };

    fn run(args: SystemdArgs, host: &Host) -> Result<Outcome> {
        let systemctl = Systemctl {
            scope: args.scope,
            no_block: args.no_block,
            force: args.force,
            timeout: args.timeout.map(Duration::from_secs),
        };
        let does_something = args.name.is_some() || args.daemon_reload || args.daemon_reexec;
        if !does_something {
            return Err(Failure::new("there is nothing to do")
                .help("give the `name` of a unit, or daemon_reload: true"));
        }
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
        match args.name {
            Some(name) => wanted.ensure(&name, &systemctl, host),
            None if wanted == Wanted::default() => Ok(Outcome::new().with("status", serde_json::json!({}))),
            None => Err(Failure::missing("name")),
        }
    }
}

/// What a task wants of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What it should do.
    pub running: Option<Running>,
    /// Whether it starts at boot.
    pub enabled: Option<bool>,
    /// Whether it is masked.
    pub masked: Option<bool>,
}

impl Wanted {
    /// Makes it so.
    pub fn ensure(self, name: &str, systemctl: &Systemctl, host: &Host) -> Result<Outcome> {
        if name.is_empty() || name.contains(['/', '\n']) || name.starts_with('-') {
            return Err(Failure::new(format!("`{name}` is no unit's name")).arg("name"));
        }
        if systemctl.scope == Scope::Global && self.running.is_some() {
            return Err(Failure::new("units of every user cannot be started at once")
                .arg("state")
                .help("use scope: user with become_user, for one user at a time"));
        }
        let mut unit = Unit::find(host, systemctl, name)?;
        let status = unit::json(&unit.properties);
        if self.masked != Some(true) {
            unit.must_exist(host)?;
        }
        if let Some(masked) = self.masked {
            unit::set_masked(&unit, masked, systemctl, host)?;
            unit = Unit::find(host, systemctl, name)?;
        }
        if let Some(enabled) = self.enabled {
            unit::set_enabled(&unit, enabled, systemctl, host)?;
        }
        if let Some(running) = self.running {
            if unit.property("NeedDaemonReload") == "yes" && running != Running::Stopped {
                host.warn(format!(
                    "the file of `{}` is newer than what systemd knows: set daemon_reload: true",
                    unit.name
                ));
            }
            unit::set_running(&unit, running.act(), systemctl, host)?;
        }
        let mut outcome = Outcome::new()
            .with("name", name)
            .with("status", status);
        if let Some(running) = self.running {
            let word = match running {
                Running::Stopped => "stopped",
                _ => "started",
            };
            outcome = outcome.with("state", word);
        }
        if let Some(enabled) = self.enabled {
            outcome = outcome.with("enabled", enabled);
        }
        Ok(outcome)
    }
}
