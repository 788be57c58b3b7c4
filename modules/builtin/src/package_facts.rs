//! The packages of a host, as facts: `ansible_facts.packages`.
//!
//! dpkg's status is read as a file; the other managers are asked. A dry run gives what is on the
//! host, without what is only planned.

use std::path::Path;

use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return};
use serde_json::{Map, Value, json};

use crate::dpkg::Dpkg;
use crate::rpm;

/// The `package_facts` module.
pub struct This;

/// Which managers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Strategy {
    /// The first one that the host has.
    First,
    /// All of them.
    All,
}

/// Arguments of `package_facts`.
#[derive(Debug, Args)]
pub struct PackageFactsArgs {
    /// The managers to ask, in this order: `auto`, `apt`, `rpm` (also `dnf`, `dnf5`, `yum`,
    /// `zypper`), `apk`, `pacman`.
    #[arg(default = vec!["auto".to_owned()])]
    manager: Vec<String>,
    /// Whether to ask the first that is there, or all.
    #[arg(default = Strategy::First)]
    strategy: Strategy,
}

impl Module for This {
    type Args = PackageFactsArgs;

    const DOC: Doc = Doc {
        name: "package_facts",
        aliases: &[],
        summary: "Makes facts of the installed packages",
        description: "`ansible_facts.packages` has a list for each name, since a package may be \
            there in several versions or for several architectures.",
        free_form: None,
        examples: r#"
- name: What is installed
  package_facts:

- name: Say which version it is
  debug:
    msg: "{{ ansible_facts.packages['openssl'][0].version }}"
  when: "'openssl' in ansible_facts.packages"
"#,
        returns: &[Return {
            name: "ansible_facts",
            doc: "`packages`: by name, a list of `name`, `version`, `arch`, `source` and what else the manager tells.",
        }],
    };

    fn run(args: PackageFactsArgs, host: &Host) -> Result<Outcome> {
        let mut packages = Map::new();
        let mut found = false;
        for manager in managers(&args.manager)? {
            if found && args.strategy == Strategy::First {
                break;
            }
            let list = match manager.list(host)? {
                Listed::All(list) => list,
                Listed::Nothing(why) => {
                    // Of those that were only tried there is nothing to say.
                    if args.manager.iter().any(|word| word.eq_ignore_ascii_case(manager.word())) {
                        host.warn(why);
                    }
                    continue;
                }
            };
            found = true;
            for package in list {
                let name = package["name"].as_str().unwrap_or_default().to_owned();
                let entry = packages.entry(name).or_insert_with(|| json!([]));
                if let Some(entry) = entry.as_array_mut() {
                    entry.push(package);
                }
            }
        }
        with_planned(&mut packages, host)?;
        if !found {
            let failure = Failure::new("none of the package managers is on this host").arg("manager");
            return Err(host.missing(failure.help("dpkg, rpm, apk and pacman are known")));
        }
        Ok(Outcome::new().with("ansible_facts", json!({"packages": packages})))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manager {
    Apt,
    Rpm,
    Apk,
    Pacman,
}

/// What a manager has to tell.
enum Listed {
    All(Vec<Value>),
    /// Why not.
    Nothing(String),
}

fn managers(words: &[String]) -> Result<Vec<Manager>> {
    use Manager::{Apk, Apt, Pacman, Rpm};
    let mut managers = vec![];
    for word in words {
        match word.to_lowercase().as_str() {
            "auto" => managers.extend([Apt, Rpm, Apk, Pacman]),
            "apt" => managers.push(Apt),
            "rpm" | "dnf" | "dnf5" | "yum" | "zypper" => managers.push(Rpm),
            "apk" => managers.push(Apk),
            "pacman" => managers.push(Pacman),
            _ => {
                return Err(Failure::new(format!("`{word}` is no package manager that is known"))
                    .arg("manager")
                    .help("`auto`, `apt`, `rpm`, `apk` and `pacman` are"));
            }
        }
    }
    // Under two names it is still asked once.
    let mut seen = vec![];
    managers.retain(|m| !seen.contains(m) && { seen.push(*m); true });
    Ok(managers)
}

impl Manager {
    fn word(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
        }
    }

    /// Its packages, or why there are none.
    fn list(self, host: &Host) -> Result<Listed> {
        let has = |path: &str| host.exists(Path::new(path));
        Ok(Listed::All(match self {
            Self::Apt if has("/var/lib/dpkg/status")? => dpkg_packages(host)?,
            Self::Rpm if rpm::is_there(host)? => rpm_packages(host)?,
            Self::Apk if has("/lib/apk/db/installed")? => {
                apk_packages(&host.read_text(Path::new("/lib/apk/db/installed"))?)
            }
            Self::Pacman if has("/usr/bin/pacman")? => {
                let command = Command::reads(["pacman", "-Q"]).env("LC_ALL", "C");
                pacman_packages(&host.run(&command)?.success(&command)?.stdout())
            }
            Self::Apk if has("/usr/bin/apk")? || has("/sbin/apk")? => {
                let words = "Failed to retrieve packages with apk: Unable to list packages";
                return Ok(Listed::Nothing(words.to_owned()));
            }
            _ => {
                let word = self.word();
                let words = format!("Requested package manager {word} was not usable by this module");
                return Ok(Listed::Nothing(words));
            }
        }))
    }
}

/// The list as earlier tasks of a dry run would leave it.
fn with_planned(packages: &mut Map<String, Value>, host: &Host) -> Result<()> {
    for (key, state) in host.planned_packages() {
        let name = key.split(':').next().unwrap_or(&key);
        let Some(state) = state else {
            packages.shift_remove(name);
            continue;
        };
        let Some(version) = state.get("version") else {
            let why = format!("the version of the package `{key}` is known when it is installed");
            return Err(Failure::unknown(why));
        };
        let (version, release) = match version.rsplit_once('-') {
            Some((version, release)) if host.exists(Path::new("/usr/bin/rpm"))? => (version, Some(release)),
            _ => (version.as_str(), None),
        };
        let entry = packages.entry(name.to_owned()).or_insert_with(|| json!([{"name": name}]));
        for package in entry.as_array_mut().into_iter().flatten() {
            package["version"] = version.into();
            if let Some(release) = release {
                package["release"] = release.into();
            }
        }
    }
    Ok(())
}

fn dpkg_packages(host: &Host) -> Result<Vec<Value>> {
    let dpkg = Dpkg::read(host)?;
    let mut list: Vec<_> = dpkg.iter().filter(|(_, p)| p.is_installed()).collect();
    list.sort_by_key(|(key, _)| *key);
    let row = |p: &crate::dpkg::Package| {
        json!({"name": p.name, "version": p.version, "arch": p.architecture, "category": p.section,
            "origin": "", "source": "apt"})
    };
    Ok(list.into_iter().map(|(_, p)| row(p)).collect())
}

fn rpm_packages(host: &Host) -> Result<Vec<Value>> {
    let row = |p: rpm::Package| {
        json!({"name": p.name, "version": p.version, "release": p.release, "epoch": p.epoch,
            "arch": p.arch, "source": "rpm"})
    };
    Ok(rpm::installed(host)?.into_iter().map(row).collect())
}

/// apk's database: paragraphs of `P:name`, `V:version-rRELEASE`, `A:arch`.
fn apk_packages(text: &str) -> Vec<Value> {
    let row = |text: &str| {
        let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name));
        let version = field("V:")?;
        let (version, release) = version.rsplit_once("-r").unwrap_or((version, ""));
        Some(json!({"name": field("P:")?, "version": version, "release": release,
            "arch": field("A:").unwrap_or_default(), "source": "apk"}))
    };
    text.split("\n\n").filter_map(row).collect()
}

fn pacman_packages(text: &str) -> Vec<Value> {
    let row = |line: &str| {
        let (name, version) = line.split_once(' ')?;
        let (version, release) = version.rsplit_once('-').unwrap_or((version, ""));
        Some(json!({"name": name, "version": version, "release": release, "source": "pacman"}))
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn packages_of_dpkg_are_lists_by_name() {
        let host = Overlay::empty();
        Fixture::new(&host).file(
            "/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nSection: admin\n\n\
             Package: a\nStatus: install ok installed\nVersion: 2\nArchitecture: i386\n\n\
             Package: b\nStatus: deinstall ok config-files\nVersion: 3\nArchitecture: all\n",
        );
        let got = run::<This>(&host, json!({})).result.unwrap();
        let packages = &got.data["ansible_facts"]["packages"];
        assert_eq!(packages["a"].as_array().unwrap().len(), 2);
        assert!(packages.get("b").is_none());
        assert_eq!(packages["a"][0]["source"], "apt");
    }

    #[test]
    fn other_managers_are_read_too() {
        let apk = apk_packages("P:musl\nV:1.2.4-r2\nA:x86_64\n\nP:zlib\nV:1.3-r0\nA:x86_64\n");
        assert_eq!((apk.len(), &apk[0]["version"], &apk[0]["release"]), (2, &json!("1.2.4"), &json!("2")));
        let pacman = pacman_packages("bash 5.2.026-2\n");
        assert_eq!(pacman[0]["release"], "2");
    }

    #[test]
    fn a_host_without_any_manager_is_told_of() {
        let got = run::<This>(&Overlay::empty(), json!({})).result.unwrap_err();
        assert_eq!(got.msg, "none of the package managers is on this host");
    }
}
