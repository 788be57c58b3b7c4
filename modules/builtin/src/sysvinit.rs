//! Services that are scripts in /etc/init.d, on hosts with System V's init or beside another one.

use std::time::Duration;

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Output, Result, Return};
use serde_json::{Map, Value, json};

use crate::init_script::{Links, Script};
use crate::systemd::Running;

/// The `sysvinit` module.
pub struct This;

/// Arguments of `sysvinit`.
#[derive(Debug, Args)]
pub struct SysvinitArgs {
    /// The service.
    #[arg(alias = "service")]
    name: String,
    /// What it should do.
    state: Option<Running>,
    /// Whether it starts at boot.
    enabled: Option<bool>,
    /// Seconds between the stop and the start of a restart.
    #[arg(default = 1u64)]
    sleep: u64,
    /// Where its script has no status: it runs where the command line of a process has this text
    /// in it.
    pattern: Option<String>,
    /// The runlevels to enable or disable it in; absent: those that its script names.
    runlevels: Option<Vec<String>>,
    /// More words for its script.
    #[arg(alias = "args", default = "")]
    arguments: String,
    /// Cut the script off from the task, for one that does not do so itself and would hold it up.
    #[arg(default = false)]
    daemonize: bool,
}

impl Module for This {
    type Args = SysvinitArgs;

    const DOC: Doc = Doc {
        name: "sysvinit",
        aliases: &[],
        summary: "Starts, stops and enables services that are scripts in /etc/init.d",
        description: "`service` finds out by itself what init a host has.",
        free_form: None,
        examples: r#"
- name: It runs, now and after a boot
  sysvinit:
    name: apache2
    state: started
    enabled: true

- name: Only in two runlevels
  sysvinit:
    name: apache2
    enabled: true
    runlevels: [3, 5]
"#,
        returns: &[
            Return { name: "name", doc: "The service." },
            Return {
                name: "status",
                doc: "What was done, by `enabled` and the state: `changed`, and `rc`, `stdout` and \
                      `stderr` of the command.",
            },
            Return { name: "results", doc: "`name` and `status` once more, as Ansible gives them." },
        ],
    };

    fn run(args: SysvinitArgs, host: &Host) -> Result<Outcome> {
        if args.state.is_none() && args.enabled.is_none() {
            return Err(Failure::new("there is nothing to do")
                .arg("name")
                .help("give `state`, `enabled` or both"));
        }
        let levels = args.runlevels.unwrap_or_default();
        if let Some(level) = levels.iter().find(|l| !matches!(l.as_str(), "0" | "1" | "2" | "3" | "4" | "5" | "6" | "S")) {
            return Err(Failure::new(format!("`{level}` is no runlevel")).arg("runlevels"));
        }
        let script = Script {
            host,
            links: Links::SysV(levels),
            name: &args.name,
            pattern: args.pattern.as_deref(),
            arguments: &args.arguments,
            pause: Some(Duration::from_secs(args.sleep)),
            daemonize: args.daemonize,
        };
        script.must_exist()?;
        let mut status = Map::new();
        if let Some(enabled) = args.enabled {
            let said = script.set_enabled(enabled)?;
            status.insert("enabled".to_owned(), told(said, host.changed()));
        }
        if let Some(running) = args.state {
            let before = host.changes().len();
            let said = script.set_running(running)?;
            let changed = host.changes().len() > before;
            status.insert(running.word().to_owned(), told(said, changed));
        }
        let results = json!({ "name": args.name, "status": status });
        Ok(Outcome::new()
            .with("name", args.name)
            .with("status", status)
            .with("results", results))
    }
}

fn told(said: Option<Output>, changed: bool) -> Value {
    match said {
        Some(output) => json!({
            "changed": changed,
            "rc": output.rc,
            "stdout": output.stdout(),
            "stderr": output.stderr(),
        }),
        None => json!({ "changed": changed }),
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn a_service_is_enabled_in_a_dry_run_and_stays_so() {
        let overlay = Overlay::empty();
        Fixture::new(&overlay).file("/etc/init.d/app", "").file("/etc/rc3.d/S20app", "");
        let fresh = Overlay::empty();
        Fixture::new(&fresh).file("/etc/init.d/app", "").file("/etc/rc3.d/S20app", "");
        let one = json!({"name": "app", "enabled": true, "runlevels": 3});
        assert_eq!(run::<This>(&fresh, one).changes, []);
        let both = json!({"name": "app", "enabled": true, "runlevels": [3, 5]});
        let got = run::<This>(&fresh, both.clone());
        assert_eq!(got.changes.len(), 1);
        assert_eq!(got.result.unwrap().data["status"]["enabled"]["changed"], true);
        assert_eq!(run::<This>(&fresh, both).changes, []);
    }

    #[test]
    fn what_is_no_service_is_refused() {
        for (args, at) in [
            (json!({"name": "none", "state": "started"}), "name"),
            (json!({"name": "app"}), "name"),
            (json!({"name": "app", "enabled": true, "runlevels": "9"}), "runlevels"),
        ] {
            let got = run::<This>(&Overlay::empty(), args).result.unwrap_err();
            assert_eq!(got.arg.as_deref(), Some(at));
        }
    }
}
