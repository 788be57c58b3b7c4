//! Packages, by whichever package manager the host has.
//!
//! It is another name for the manager's own module, which gets every argument but `use`.

use std::path::Path;

use rplay_api::{ArgError, ArgKind, ArgMap, ArgReader, ArgSpec, Args, Doc, Failure, Host, Module, Outcome, Result, Return};

/// The `package` module.
pub struct This;

/// The modules it may hand a task to, and the programs that tell that a host has the manager.
const MANAGERS: [(&str, &[&str]); 2] = [
    ("apt", &["/usr/bin/apt-get"]),
    ("dnf", &["/usr/bin/dnf5", "/usr/bin/dnf", "/usr/bin/dnf-3", "/usr/bin/yum"]),
];

/// Managers that rplay has no module for.
const OTHERS: [(&str, &str); 4] = [
    ("/sbin/apk", "apk add NAME"),
    ("/usr/bin/zypper", "zypper --non-interactive install NAME"),
    ("/usr/bin/pacman", "pacman -S --noconfirm NAME"),
    ("/usr/bin/emerge", "emerge NAME"),
];

/// Arguments of `package`: its own, and those of the manager's module as they are.
#[derive(Debug)]
pub struct PackageArgs {
    manager: Option<String>,
    passed: ArgMap,
}

impl Args for PackageArgs {
    fn spec() -> Vec<ArgSpec> {
        let own = |name, aliases, doc, required| ArgSpec {
            name,
            aliases,
            doc,
            kind: ArgKind::Raw,
            required,
            default: None,
            secret: false,
        };
        let mut spec = vec![
            own("name", &["package", "pkg"], "The packages, as the manager calls them.", true),
            own("state", &[], "What should be of them: `present` (where it is not said), `absent` or `latest`.", false),
            own("use", &[], "The manager's module, such as `apt`; `auto` takes the one the host has.", false),
        ];
        // The names that only a manager knows must not be refused before it is known which it is.
        for module in MANAGERS.iter().filter_map(|(name, _)| crate::find(name)) {
            for arg in module.spec() {
                if !spec.iter().any(|s| s.name == arg.name) {
                    spec.push(ArgSpec { required: false, ..arg });
                }
            }
        }
        spec
    }

    fn read(_: &ArgReader<'_>) -> std::result::Result<Self, ArgError> {
        unreachable!("bug: `parse` reads them all")
    }

    fn parse(map: &ArgMap) -> std::result::Result<Self, ArgError> {
        let spec = Self::spec();
        if ["name", "package", "pkg"].iter().all(|name| map.get(*name).is_none_or(|v| v.is_null())) {
            return Err(ArgError { arg: "name".to_owned(), fault: rplay_api::Fault::Missing });
        }
        if let Some(name) = map.keys().find(|name| !spec.iter().any(|s| s.is_called(name))) {
            return Err(ArgError { arg: name.clone(), fault: rplay_api::Fault::Unknown });
        }
        let mut passed = map.clone();
        let manager = passed.remove("use").and_then(|v| v.as_str().map(str::to_owned));
        Ok(Self { manager, passed })
    }
}

impl Module for This {
    type Args = PackageArgs;

    const DOC: Doc = Doc {
        name: "package",
        aliases: &[],
        summary: "Installs and removes packages with the manager that the host has",
        description: "It hands the task to `apt` or `dnf`. Names differ between distributions, and \
            are not translated.",
        free_form: None,
        examples: r#"
- name: A time server, wherever it is called so
  package:
    name: chrony
    state: present
"#,
        returns: &[Return { name: "stdout", doc: "As the manager's module gives it." }],
    };

    fn run(args: PackageArgs, host: &Host) -> Result<Outcome> {
        let name = match args.manager.as_deref() {
            None | Some("auto") => detected(host)?,
            Some(name) => chosen(name)?,
        };
        let module = crate::find(name).expect("bug: every manager has its module");
        module.run(&args.passed, host)
    }
}

fn chosen(name: &str) -> Result<&'static str> {
    let short = name.rsplit('.').next().unwrap_or(name);
    let known = match short {
        "apt" => Some("apt"),
        "dnf" | "dnf4" | "dnf5" | "yum" => Some("dnf"),
        _ => None,
    };
    known.ok_or_else(|| {
        Failure::new(format!("Could not find a matching action for the \"{name}\" package manager."))
            .arg("use")
            .help("use `apt` or `dnf`, or leave it out")
    })
}

fn detected(host: &Host) -> Result<&'static str> {
    for (module, programs) in MANAGERS {
        for program in programs {
            if host.exists(Path::new(program))? {
                return Ok(module);
            }
        }
    }
    for (program, how) in OTHERS {
        if host.exists(Path::new(program))? {
            let name = program.rsplit('/').next().unwrap_or(program);
            return Err(Failure::new(format!("rplay has no module for `{name}`, which this host has"))
                .help(format!("use `command: {how}`")));
        }
    }
    let failure = Failure::new("this host has no package manager that is known");
    Err(host.missing(failure.help("`apt-get` and `dnf` were looked for in /usr/bin")))
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn the_manager_that_is_there_gets_the_task() {
        let host = Overlay::empty();
        Fixture::new(&host).file("/usr/bin/apt-get", "").file(
            "/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        );
        let got = run::<This>(&host, json!({"name": "a", "state": "present", "purge": true}));
        assert_eq!(got.result.unwrap().data["cache_updated"], false);
    }

    #[test]
    fn the_packages_may_have_the_names_that_the_manager_knows_them_by() {
        let host = Overlay::empty();
        Fixture::new(&host).file("/usr/bin/apt-get", "").file(
            "/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        );
        for name in ["pkg", "package"] {
            assert!(run::<This>(&host, json!({name: ["a"], "state": "present"})).result.is_ok(), "{name}");
        }
        let failure = run::<This>(&host, json!({"state": "present"})).result.unwrap_err();
        assert_eq!(failure.arg.as_deref(), Some("name"));
    }

    #[test]
    fn an_argument_that_no_manager_has_is_refused() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "a", "state": "present", "colour": 1}));
        assert!(got.result.unwrap_err().msg.contains("unknown argument `colour`"));
    }

    #[test]
    fn a_host_whose_manager_has_no_module_is_told_what_to_do() {
        let host = Overlay::empty();
        Fixture::new(&host).file("/sbin/apk", "");
        let got = run::<This>(&host, json!({"name": "a", "state": "present"})).result.unwrap_err();
        assert_eq!(got.help, ["use `command: apk add NAME`"]);
        let got = run::<This>(&host, json!({"name": "a", "state": "present", "use": "brew"}));
        assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("use"));
    }
}
