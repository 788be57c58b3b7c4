//! The host's name: the one that it has now, and the one that it boots with.

use std::path::Path;

use rplay_api::{Args, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return, State, Target};
use serde_json::json;

/// The `hostname` module.
pub struct This;

/// Arguments of `hostname`.
#[derive(Debug, Args)]
pub struct HostnameArgs {
    /// The name.
    name: String,
    /// How it is set: `systemd` uses hostnamectl, every other word the program hostname. Absent:
    /// it is found out.
    #[arg(name = "use")]
    strategy: Option<String>,
}

impl Module for This {
    type Args = HostnameArgs;

    const DOC: Doc = Doc {
        name: "hostname",
        aliases: &[],
        summary: "Sets the host's name",
        description: "/etc/hosts is left alone.",
        free_form: None,
        examples: r#"
- name: The host is called as in the inventory
  hostname:
    name: "{{ inventory_hostname_short }}"
"#,
        returns: &[
            Return { name: "name", doc: "The name." },
            Return { name: "ansible_facts", doc: "The facts that follow from it." },
        ],
    };

    fn run(args: HostnameArgs, host: &Host) -> Result<Outcome> {
        check(&args.name)?;
        let name = args.name.as_str();
        let file = Path::new("/etc/hostname");
        host.ensure_content(file, format!("{name}\n").as_bytes(), &FileArgs::default())?;
        let target = Target::Host("hostname".to_owned());
        let before = host.state(&target, || {
            let now = host.read_text(Path::new("/proc/sys/kernel/hostname"))?;
            Ok(Some(named(now.trim())))
        })?;
        host.ensure(target, before, Some(named(name)), || {
            let systemd = match args.strategy.as_deref() {
                Some(word) => word == "systemd",
                None => host.is_dir(Path::new("/run/systemd/system"))?,
            };
            let command = if systemd {
                Command::changes(["hostnamectl", "set-hostname", name])
            } else {
                Command::changes(["hostname", name])
            };
            host.run(&command)?.success(&command).map(drop)
        })?;
        let short = name.split('.').next().unwrap_or(name);
        let full = crate::setup::full_name(host, name);
        let domain = full.split_once('.').map_or("", |(_, domain)| domain);
        Ok(Outcome::new().with("name", name).with(
            "ansible_facts",
            json!({
                "ansible_hostname": short,
                "ansible_nodename": name,
                "ansible_fqdn": full,
                "ansible_domain": domain,
            }),
        ))
    }
}

fn named(name: &str) -> State {
    State::from([("name".to_owned(), name.to_owned())])
}

/// The longest name that Linux takes.
const MAX_LENGTH: usize = 64;

fn check(name: &str) -> Result<()> {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if name.len() <= MAX_LENGTH && name.split('.').all(label) {
        return Ok(());
    }
    Err(Failure::new(format!("`{name}` cannot be a host's name"))
        .arg("name")
        .help("use letters, digits, `-` and `.`, at most 64"))
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn a_new_name_is_announced_once() {
        let overlay = Overlay::empty();
        Fixture::new(&overlay)
            .file("/proc/sys/kernel/hostname", "old\n")
            .file("/etc/hostname", "old\n");
        let got = run::<This>(&overlay, json!({"name": "new.example.org"}));
        assert_eq!(got.changes.len(), 2);
        assert_eq!(got.result.unwrap().data["ansible_facts"]["ansible_hostname"], "new");
        assert_eq!(run::<This>(&overlay, json!({"name": "new.example.org"})).changes, []);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "a b", "-a", "a..b", "ö"] {
            let got = run::<This>(&Overlay::empty(), json!({"name": name}));
            assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("name"), "{name}");
        }
    }
}
