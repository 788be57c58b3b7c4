//! What dpkg is to keep of a package: hold it back, or let it change.

use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return, State, Stdin, Target};

use crate::dpkg::Dpkg;

/// The `dpkg_selections` module.
pub struct This;

/// What is wanted of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Selection {
    /// It is installed, and may be upgraded.
    Install,
    /// It stays as it is.
    Hold,
    /// It is to be removed.
    Deinstall,
    /// It is to be removed with its configuration.
    Purge,
}

/// Arguments of `dpkg_selections`.
#[derive(Debug, Args)]
pub struct DpkgSelectionsArgs {
    /// The package.
    name: String,
    /// What is wanted of it: `hold` keeps it from being upgraded.
    selection: Selection,
}

impl Module for This {
    type Args = DpkgSelectionsArgs;

    const DOC: Doc = Doc {
        name: "dpkg_selections",
        aliases: &[],
        summary: "Holds packages back, and lets them go",
        description: "It sets what is wanted of a package, and installs or removes nothing by itself.",
        free_form: None,
        examples: r#"
- name: PostgreSQL is not upgraded by chance
  dpkg_selections:
    name: postgresql-15
    selection: hold
"#,
        returns: &[
            Return { name: "before", doc: "What was wanted of it." },
            Return { name: "after", doc: "What is." },
        ],
    };

    fn run(args: DpkgSelectionsArgs, host: &Host) -> Result<Outcome> {
        let target = Target::Host(format!("dpkg selection of {}", args.name));
        let dpkg = Dpkg::read(host)?;
        let found = dpkg.get(&args.name).map(|p| p.selection.clone());
        let known = host.state(&target, || Ok(found.map(|word| selected(&word))))?;
        let planned = dpkg.state(host, &args.name)?.map(|_| selected("install"));
        let before = known.or(planned).ok_or_else(|| {
            Failure::new(format!("dpkg does not know the package `{}`", args.name))
                .absent()
                .arg("name")
                .help("install it first with `apt`")
        })?;
        let after = selected(args.selection.word());
        let word = |state: &State| state.get("selection").cloned().unwrap_or_default();
        let outcome = Outcome::new().with("before", word(&before)).with("after", word(&after));
        let line = format!("{} {}\n", args.name, args.selection.word());
        host.ensure(target, Some(before), Some(after), || {
            let mut command = Command::changes(["dpkg", "--set-selections"]).env("LC_ALL", "C");
            command.stdin = Stdin::Bytes(line.clone().into_bytes());
            host.run(&command)?.success(&command).map(drop)
        })?;
        Ok(outcome)
    }
}

fn selected(word: &str) -> State {
    State::from([("selection".to_owned(), word.to_owned())])
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn a_hold_is_seen_by_the_next_task() {
        let host = Overlay::empty();
        Fixture::new(&host).file(
            "/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        );
        let hold = json!({"name": "a", "selection": "hold"});
        let got = run::<This>(&host, hold.clone());
        assert_eq!(got.result.unwrap().data["before"], "install");
        assert_eq!(got.changes.len(), 1);
        assert_eq!(run::<This>(&host, hold).changes, []);
    }

    #[test]
    fn a_package_that_dpkg_does_not_know_is_refused() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "a", "selection": "hold"}));
        assert_eq!(got.result.unwrap_err().msg, "dpkg does not know the package `a`");
    }
}
