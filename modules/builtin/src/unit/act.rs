//! What is done to a unit, and why it failed.

use rplay_api::{Command, Failure, Host, Result, State, Target};

use super::{Scope, Systemctl, Unit, file, systemctl};

/// What a task wants to happen to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Start,
    Stop,
    Restart,
    Reload,
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

fn state(key: &str, word: &str) -> State {
    State::from([(key.to_owned(), word.to_owned())])
}

/// Starts, stops, restarts or reloads a unit. One that does not run is started by a restart or
/// reload.
pub fn set_running(unit: &Unit, act: Act, systemctl: &Systemctl, host: &Host) -> Result<()> {
    let before = unit.running(host)?;
    let active = unit.is_active(host)?;
    let act = match act {
        Act::Restart | Act::Reload if !active => Act::Start,
        other => other,
    };
    if act != Act::Stop {
        refuse_masked(unit, host)?;
    }
    let target = Target::Unit(unit.label());
    let apply = || job(unit, act, systemctl, host);
    match act {
        Act::Start if active => Ok(()),
        Act::Start => host.ensure(target, Some(before), Some(state("active", "active")), apply),
        Act::Stop
            if before
                .get("active")
                .is_some_and(|a| a == "inactive" || a == "failed") =>
        {
            Ok(())
        }
        Act::Stop => host.ensure(
            target,
            Some(before),
            Some(state("active", "inactive")),
            apply,
        ),
        Act::Reload => {
            if unit.property("CanReload") == "no" {
                return Err(Failure::new(format!("`{}` cannot be reloaded", unit.name))
                    .arg("state")
                    .help("its unit file has no ExecReload: use state: restarted"));
            }
            host.act(target, before, "reload", apply)
        }
        Act::Restart => host.act(target, before, "restart", apply),
    }
}

fn refuse_masked(unit: &Unit, host: &Host) -> Result<()> {
    if unit
        .enablement(host)?
        .get("enabled")
        .is_some_and(|e| e == "masked")
    {
        return Err(
            Failure::new(format!("`{}` is masked and cannot be started", unit.name))
                .arg("state")
                .help("unmask it with masked: false"),
        );
    }
    Ok(())
}

/// Makes a unit start at boot or not. One that others start (`static`) has nothing to be changed.
pub fn set_enabled(unit: &Unit, wanted: bool, systemctl: &Systemctl, host: &Host) -> Result<()> {
    let before = unit.enablement(host)?;
    let word = before.get("enabled").map_or("", String::as_str);
    let is_so = match word {
        "static" => true,
        // Its own links are others' names, and those of the units that it enables with it.
        "indirect" => systemctl.is_linked(host, &unit.name)? == wanted,
        "enabled" | "alias" | "generated" | "transient" => wanted,
        // Until the next start only: that is not what `enabled` means, one way or the other.
        "enabled-runtime" => !wanted,
        "masked" | "masked-runtime" if wanted => {
            return Err(
                Failure::new(format!("`{}` is masked and cannot be enabled", unit.name))
                    .arg("enabled")
                    .help("unmask it with masked: false"),
            );
        }
        _ => !wanted,
    };
    if is_so {
        return Ok(());
    }
    let (verb, after) = if wanted {
        ("enable", "enabled")
    } else {
        ("disable", "disabled")
    };
    let target = Target::UnitFile(unit.label());
    host.ensure(target, Some(before), Some(state("enabled", after)), || {
        systemctl
            .run(host, &[verb, &unit.name])
            .map_err(|failure| told(failure, verb, unit))
    })
}

/// Makes a unit impossible to start, or possible again.
pub fn set_masked(unit: &Unit, wanted: bool, systemctl: &Systemctl, host: &Host) -> Result<()> {
    let before = unit.enablement(host)?;
    let masked = before
        .get("enabled")
        .is_some_and(|e| e.starts_with("masked"));
    if masked == wanted {
        return Ok(());
    }
    let verb = if wanted { "mask" } else { "unmask" };
    let after = if wanted {
        if let Some(path) = file::in_the_way_of_mask(host, systemctl.scope, &unit.name)? {
            return Err(Failure::new(format!(
                "Failed to mask `{}`: its unit file is `{}`, where the mask would be",
                unit.name,
                path.display()
            ))
            .arg("masked")
            .help("move the unit file to /usr/local/lib/systemd/system, or remove it"));
        }
        "masked"
    } else {
        file::unmasked_state(host, systemctl.scope, &unit.name)?
    };
    let target = Target::UnitFile(unit.label());
    host.ensure(target, Some(before), Some(state("enabled", after)), || {
        systemctl
            .run(host, &[verb, &unit.name])
            .map_err(|failure| told(failure, verb, unit))
    })
}

fn told(failure: Failure, verb: &str, unit: &Unit) -> Failure {
    if failure.unknown {
        return failure;
    }
    let words = failure
        .msg
        .rsplit_once(": ")
        .map_or(failure.msg.as_str(), |(_, w)| w);
    let msg = format!("could not {verb} `{}`: {words}", unit.name);
    Failure { msg, ..failure }
}

fn job(unit: &Unit, act: Act, systemctl: &Systemctl, host: &Host) -> Result<()> {
    systemctl
        .run(host, &[act.word(), &unit.name])
        .map_err(|failure| {
            if failure.unknown {
                failure
            } else {
                explained(failure, unit, act, systemctl, host)
            }
        })
}

/// Adds how the unit ended, and the last lines of its journal.
fn explained(
    failure: Failure,
    unit: &Unit,
    act: Act,
    systemctl: &Systemctl,
    host: &Host,
) -> Failure {
    let now = systemctl.show(host, &unit.name).unwrap_or_default();
    let get = |key: &str| now.get(key).map_or("", String::as_str);
    let mut why = vec![];
    if !matches!(get("Result"), "" | "success") {
        why.push(format!("result {}", get("Result")));
    }
    if !matches!(get("ExecMainStatus"), "" | "0") {
        why.push(format!("exit status {}", get("ExecMainStatus")));
    }
    if let (true, Some(timeout)) = (
        failure.msg.contains("did not end within"),
        systemctl.timeout,
    ) {
        why.push(format!(
            "it was not ready after {} seconds",
            timeout.as_secs()
        ));
    }
    if why.is_empty() {
        why.push(format!("{} {}", get("ActiveState"), get("SubState")));
    }
    let journal = journal(unit, host);
    let mut out = Failure::new(format!(
        "could not {} `{}`: {}",
        act.word(),
        unit.name,
        why.join(", ")
    ));
    if let Some(stderr) = failure
        .data
        .get("stderr")
        .and_then(|s| s.as_str())
        .filter(|s| !s.is_empty())
    {
        out = out.help(stderr.trim().lines().next().unwrap_or_default());
    }
    if !journal.is_empty() {
        out = out.help(format!(
            "the unit's last journal lines:\n  {}",
            journal.join("\n  ")
        ));
    }
    out.data = failure.data;
    let told = [
        "ActiveState",
        "SubState",
        "Result",
        "ExecMainCode",
        "ExecMainStatus",
        "NRestarts",
    ];
    let told = told.map(|key| (key.to_owned(), get(key).to_owned()));
    out.with("journal", journal)
        .with("status", systemctl::json(&told.into_iter().collect()))
}

fn journal(unit: &Unit, host: &Host) -> Vec<String> {
    let flag = if unit.scope == Scope::System {
        "-u"
    } else {
        "--user-unit"
    };
    let command = Command::reads([
        "journalctl",
        flag,
        &unit.name,
        "-n",
        "20",
        "-o",
        "cat",
        "--no-pager",
    ]);
    let output = host.run(&command).map(|o| o.stdout()).unwrap_or_default();
    output.lines().map(str::to_owned).collect()
}
