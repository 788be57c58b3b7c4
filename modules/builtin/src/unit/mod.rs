//! Units of systemd: what `systemctl` and the unit files say of one, and the acts on it.
//!
//! A dry run must see a unit whose file an earlier task would have made: so unit files are looked
//! for through the host, and systemctl is believed where it knows more.

mod act;
mod file;
mod systemctl;

use std::path::Path;

use indexmap::IndexMap;
use rplay_api::{Failure, Host, Result, State, Target};

pub use act::{Act, set_enabled, set_masked, set_running};
pub use systemctl::{Scope, Systemctl, json};

/// A unit as it is before a module's acts.
pub struct Unit {
    /// Its whole name, `etcd.service`.
    pub name: String,
    /// As it was asked for.
    pub asked: String,
    /// What `systemctl show` says of it, completed from its file where only that is there.
    pub properties: IndexMap<String, String>,
    found: bool,
    scope: Scope,
}

const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// `etcd` as `etcd.service`.
fn whole_name(name: &str) -> String {
    if SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        name.to_owned()
    } else {
        format!("{name}.service")
    }
}

/// Whether systemd still knows a unit only because it has not been told that its file is gone.
fn is_leftover(
    host: &Host,
    scope: Scope,
    name: &str,
    properties: &IndexMap<String, String>,
) -> Result<bool> {
    let get = |key: &str| properties.get(key).map_or("", String::as_str);
    let fragment = get("FragmentPath");
    if fragment.is_empty() || host.lstat(Path::new(fragment))?.is_some() {
        return Ok(false);
    }
    let planned = host.state(&Target::Unit(label(scope, name)), || Ok(None))?;
    let state = planned.and_then(|state| state.get("active").cloned());
    let state = state.unwrap_or_else(|| get("ActiveState").to_owned());
    Ok(matches!(state.as_str(), "inactive" | "failed"))
}

/// A unit's name among the changes; units of users are not those of the system.
fn label(scope: Scope, name: &str) -> String {
    match scope {
        Scope::System => name.to_owned(),
        Scope::User => format!("{name} (user)"),
        Scope::Global => format!("{name} (global)"),
    }
}

impl Unit {
    /// Looks a unit up.
    pub fn find(host: &Host, systemctl: &Systemctl, asked: &str) -> Result<Self> {
        let name = whole_name(asked);
        let mut properties = systemctl.show(host, &name)?;
        let file = file::find(host, systemctl.scope, &name)?;
        let load = properties
            .get("LoadState")
            .map_or("not-found", String::as_str);
        let known = !matches!(load, "not-found" | "")
            && !is_leftover(host, systemctl.scope, &name, &properties)?;
        if let Some(path) = file.as_ref().filter(|_| !known) {
            let enabled = file::install_state(host, systemctl.scope, &name)?;
            let load = if enabled == "masked" {
                "masked"
            } else {
                "loaded"
            };
            for (key, value) in [
                ("Id", name.as_str()),
                ("LoadState", load),
                ("ActiveState", "inactive"),
                ("SubState", "dead"),
                ("FragmentPath", &path.to_string_lossy()),
                ("UnitFileState", enabled),
            ] {
                properties.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(Self {
            found: known || file.is_some(),
            asked: asked.to_owned(),
            scope: systemctl.scope,
            name,
            properties,
        })
    }

    /// A property, empty where there is none.
    pub fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }

    /// Refuses a unit that is not there.
    pub fn must_exist(&self, host: &Host) -> Result<()> {
        if self.found {
            return Ok(());
        }
        let failure = Failure::new(format!(
            "Could not find the requested service {}: host",
            self.asked
        ))
        .arg("name");
        let help = match file::nearest(host, self.scope, &self.name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "install the package that brings `{}`, or write its unit file first",
                self.name
            ),
        };
        Err(host.missing(failure.help(help)))
    }

    fn label(&self) -> String {
        label(self.scope, &self.name)
    }

    /// Whether it runs: `active`, `inactive`, `failed`, ...
    pub fn running(&self, host: &Host) -> Result<State> {
        let planned = host.state(&Target::Unit(self.label()), || {
            let word = match self.property("ActiveState") {
                "active" | "activating" | "reloading" | "refreshing" => "active",
                "" => "inactive",
                other => other,
            };
            Ok(Some(State::from([("active".to_owned(), word.to_owned())])))
        })?;
        Ok(planned.unwrap_or_else(|| State::from([("active".to_owned(), "inactive".to_owned())])))
    }

    /// Whether it is active.
    pub fn is_active(&self, host: &Host) -> Result<bool> {
        Ok(self
            .running(host)?
            .get("active")
            .is_some_and(|a| a == "active"))
    }

    /// Whether it starts at boot: `enabled`, `disabled`, `static`, `masked`, ...
    pub fn enablement(&self, host: &Host) -> Result<State> {
        let planned = host.state(&Target::UnitFile(self.label()), || {
            let word = match (self.property("UnitFileState"), self.property("LoadState")) {
                (_, "masked") => "masked".to_owned(),
                ("" | "generated", _) if self.found => {
                    file::sysv_state(host, &self.name)?.to_owned()
                }
                ("", _) => "disabled".to_owned(),
                (word, _) => word.to_owned(),
            };
            Ok(Some(State::from([("enabled".to_owned(), word)])))
        })?;
        Ok(planned.unwrap_or_else(|| State::from([("enabled".to_owned(), "disabled".to_owned())])))
    }
}
