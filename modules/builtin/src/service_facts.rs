//! The services of a host, as facts: `ansible_facts.services`.
//!
//! systemd is asked for the units it has loaded and those it has files of; scripts of System V and
//! OpenRC's services are there too, where the host has them. A dry run gives what is on the host.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rplay_api::{Command, Doc, Failure, Host, Module, Outcome, Result, Return, State, Target};
use serde_json::{Value, json};

/// The `service_facts` module.
pub struct This;

impl Module for This {
    type Args = ();

    const DOC: Doc = Doc {
        name: "service_facts",
        aliases: &[],
        summary: "Makes facts of the services",
        description: "`ansible_facts.services` has each service by its name: `nginx.service` where \
            systemd has it, `nginx` for a script in /etc/init.d.",
        free_form: None,
        examples: r#"
- name: What is there
  service_facts:

- name: Say whether it runs
  debug:
    msg: "{{ ansible_facts.services['ssh.service'].state }}"
"#,
        returns: &[Return {
            name: "ansible_facts",
            doc: "`services`: by name, `name`, `source` (systemd, sysv, openrc), `state` (running, stopped, \
                failed, active, inactive, unknown) and `status` (enabled, disabled, static, masked, ...).",
        }],
    };

    fn run((): (), host: &Host) -> Result<Outcome> {
        if let Some(why) = host.blind_spot() {
            return Err(Failure::unknown(format!("it may bring services: {why}")));
        }
        let mut services = BTreeMap::new();
        if ["/usr/sbin/service", "/sbin/service"].iter().any(|p| host.exists(Path::new(p)).unwrap_or(false)) {
            services.extend(sysv(&said(host, &["service", "--status-all"])?));
        }
        if host.exists(Path::new("/sbin/rc-status"))? {
            services.extend(openrc(&said(host, &["rc-status", "-a", "-s"])?));
        }
        if host.is_dir(Path::new("/run/systemd/system"))? {
            services.extend(systemd(host)?);
            plan_over(&mut services, host)?;
        }
        Ok(Outcome::new().with("ansible_facts", json!({"services": services})))
    }
}

fn said(host: &Host, words: &[&str]) -> Result<String> {
    let command = Command::reads(words.iter().copied()).env("LC_ALL", "C");
    // Some exit with another code where a service is not well; what they said of the rest holds.
    Ok(host.run(&command)?.stdout())
}

fn service(name: &str, source: &str, state: &str, status: Option<&str>) -> (String, Value) {
    let mut fields = json!({"name": name, "source": source, "state": state});
    if let Some(status) = status {
        fields["status"] = status.into();
    }
    (name.to_owned(), fields)
}

/// ` [ + ]  ssh` lines.
fn sysv(text: &str) -> Vec<(String, Value)> {
    let row = |line: &str| {
        let (mark, name) = line.trim().strip_prefix('[')?.split_once(']')?;
        let state = if mark.trim() == "+" { "running" } else { "stopped" };
        Some(service(name.trim(), "sysv", state, None))
    };
    text.lines().filter_map(row).collect()
}

/// ` sshd        [ started ]` lines.
fn openrc(text: &str) -> Vec<(String, Value)> {
    let row = |line: &str| {
        let (name, state) = line.trim().split_once('[')?;
        let state = state.split([']', ' ']).find(|w| !w.is_empty())?;
        let state = if state == "started" { "running" } else { state };
        Some(service(name.trim(), "openrc", state, None))
    };
    text.lines().filter_map(row).collect()
}

fn systemd(host: &Host) -> Result<BTreeMap<String, Value>> {
    const PLAIN: [&str; 4] = ["--no-pager", "--no-legend", "--type=service", "--all"];
    let list = |verb: &str| {
        let words: Vec<&str> = ["systemctl", verb].into_iter().chain(PLAIN).collect();
        said(host, &words)
    };
    let files = list("list-unit-files")?;
    let files = unit_files(&files);
    let mut services: BTreeMap<String, Value> =
        units(&list("list-units")?).map(|unit| unit.fact(&files)).collect();
    let unloaded: Vec<&str> = files.keys().copied().filter(|name| !services.contains_key(*name)).collect();
    let active = active_states(host, &unloaded)?;
    for name in unloaded {
        let state = active.get(name).map_or("unknown", String::as_str);
        services.extend([service(name, "systemd", state, files.get(name).copied())]);
    }
    Ok(services)
}

/// Where unit files are, those that systemd makes among them.
const UNIT_FOLDERS: [&str; 9] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Services as earlier tasks of a dry run would leave them, those of unit files that they write too.
fn plan_over(services: &mut BTreeMap<String, Value>, host: &Host) -> Result<()> {
    for folder in ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"] {
        for name in host.read_dir(Path::new(folder)).unwrap_or_default() {
            let name = name.to_string_lossy().into_owned();
            let is_new = name.ends_with(".service") && !name.contains('@') && !services.contains_key(&name);
            services.extend(is_new.then(|| service(&name, "systemd", "inactive", Some("disabled"))));
        }
    }
    let is_there = |name: &str| {
        let mut folders = UNIT_FOLDERS.iter().map(|folder| Path::new(folder).join(name));
        folders.any(|path| host.lstat(&path).is_ok_and(|meta| meta.is_some()))
    };
    // Of a package that a dry run has removed: stopped, and without its file.
    services.retain(|name, _| {
        let planned = host.state(&Target::Unit(name.clone()), || Ok(None));
        let is_stopped = |state: &State| state.get("active").is_some_and(|a| a == "inactive");
        !planned.is_ok_and(|state| state.as_ref().is_some_and(is_stopped)) || is_there(name)
    });
    for (name, fact) in services {
        let planned = |target| host.state(&target, || Ok(None)).map(Option::unwrap_or_default);
        if let Some(active) = planned(Target::Unit(name.clone()))?.get("active") {
            let word = if active == "active" { "running" } else { "stopped" };
            fact["state"] = word.into();
        }
        if let Some(enabled) = planned(Target::UnitFile(name.clone()))?.get("enabled") {
            fact["status"] = enabled.as_str().into();
        }
    }
    Ok(())
}

/// `ssh.service enabled enabled` lines.
fn unit_files<'t>(text: &'t str) -> HashMap<&'t str, &'t str> {
    let row = |line: &'t str| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    };
    text.lines().filter_map(row).collect()
}

/// A unit that systemd has loaded, or wanted to.
struct Loaded<'t> {
    name: &'t str,
    load: &'t str,
    active: &'t str,
    sub: &'t str,
}

/// `ssh.service loaded active running ...` lines, with a mark before those that are not well.
fn units(text: &str) -> impl Iterator<Item = Loaded<'_>> {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| matches!(*word, "●" | "*" | "○" | "×"));
        Some(Loaded { name: words.next()?, load: words.next()?, active: words.next()?, sub: words.next()? })
    })
}

impl Loaded<'_> {
    fn fact(&self, files: &HashMap<&str, &str>) -> (String, Value) {
        let state = match (self.active, self.sub) {
            ("failed", _) | (_, "failed") => "failed",
            (_, "running") => "running",
            _ => "stopped",
        };
        let status = match self.load {
            "not-found" | "masked" => Some(self.load),
            _ => files.get(self.name).copied().or(Some(self.active)),
        };
        service(self.name, "systemd", state, status)
    }
}

/// What systemd says of units that it has not loaded; templates have no state.
fn active_states(host: &Host, names: &[&str]) -> Result<HashMap<String, String>> {
    let names: Vec<&str> = names.iter().copied().filter(|name| !name.contains('@')).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let words = ["systemctl", "show", "--property=ActiveState", "--value", "--"];
    let text = said(host, &words.into_iter().chain(names.iter().copied()).collect::<Vec<_>>())?;
    let states = text.lines().filter(|line| !line.is_empty()).map(str::to_owned);
    Ok(names.iter().map(|name| (*name).to_owned()).zip(states).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_the_state_it_runs_in_and_the_status_of_its_file() {
        let files = unit_files("ssh.service enabled enabled\ngetty@.service enabled enabled\n");
        let text = "● auditd.service not-found inactive dead auditd.service\n\
                    ssh.service loaded active running OpenBSD Secure Shell server\n\
                    getty@tty1.service loaded failed failed Getty on tty1\n";
        let got: BTreeMap<_, _> = units(text).map(|unit| unit.fact(&files)).collect();
        let state = |name: &str| (got[name]["state"].clone(), got[name]["status"].clone());
        assert_eq!(state("ssh.service"), (json!("running"), json!("enabled")));
        assert_eq!(state("auditd.service"), (json!("stopped"), json!("not-found")));
        assert_eq!(state("getty@tty1.service"), (json!("failed"), json!("failed")));
    }

    #[test]
    fn scripts_and_openrc_services_are_read() {
        let got = sysv(" [ + ]  dbus\n [ - ]  procps\n");
        assert_eq!((got[0].1["state"].as_str(), got[1].0.as_str()), (Some("running"), "procps"));
        let got = openrc(" sshd      [  started  ]\n ntpd [ stopped ]\n");
        assert_eq!((got[0].1["state"].as_str(), got[1].1["state"].as_str()), (Some("running"), Some("stopped")));
    }
}
