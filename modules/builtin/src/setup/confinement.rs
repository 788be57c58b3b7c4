//! What a process of the host may do: the capabilities that it is left with, and whether / is the real one.

use std::os::unix::fs::MetadataExt;

use rplay_api::{Command, Host};
use serde_json::Value;

use super::Facts;

/// The capabilities, as `capsh` tells of them and Ansible reads that.
pub(super) fn capabilities(host: &Host, facts: &mut Facts) {
    let (enforced, list) = match host.run(&Command::reads(["capsh", "--print"])) {
        Ok(output) if output.rc == 0 => {
            let (enforced, list) = read(&output.stdout());
            (enforced, list.into())
        }
        _ => ("N/A", Value::from("N/A")),
    };
    facts.insert("system_capabilities_enforced".to_owned(), enforced.into());
    facts.insert("system_capabilities".to_owned(), list);
}

/// Of `Current: SET`: everything is allowed where it is all of them. What stands after the first `=` is
/// split at commas, whatever it is; playbooks look for a capability's name in that list.
fn read(printed: &str) -> (&'static str, Vec<String>) {
    let Some(current) = printed.lines().find_map(|line| line.strip_prefix("Current:")) else {
        return ("NA", vec![]);
    };
    if current.trim() == "=ep" {
        return ("False", vec![]);
    }
    let list = current.split('=').nth(1).unwrap_or_default();
    ("True", list.split(',').map(|name| name.trim().to_owned()).collect())
}

/// Whether the processes of this user see another / than the first process does.
pub(super) fn chroot(host: &Host, facts: &mut Facts) {
    let place = |path: &str| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    let is_chroot = host.env("debian_chroot").is_some()
        || match (place("/"), place("/proc/1/root/.")) {
            (Some(own), Some(first)) => own != first,
            // It may not be looked at: the root of a file system has a known number on the usual ones.
            (own, _) => own.is_some_and(|(_, number)| ![2, 128, 256].contains(&number)),
        };
    facts.insert("is_chroot".to_owned(), is_chroot.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as ansible-core 2.19 reads it.
    #[test]
    fn capabilities_are_read_from_every_form_of_the_line() {
        for (printed, enforced, list) in [
            ("Current: =ep\nBounding set =cap_chown\n", "False", vec![]),
            ("Current: =\n", "True", vec![""]),
            ("Current: = cap_chown,cap_kill+ep\n", "True", vec!["cap_chown", "cap_kill+ep"]),
            ("Current: cap_chown,cap_kill=ep\n", "True", vec!["ep"]),
            ("Current: cap_chown=ep cap_kill=p\n", "True", vec!["ep cap_kill"]),
            ("nothing\n", "NA", vec![]),
        ] {
            let wanted: Vec<String> = list.into_iter().map(str::to_owned).collect();
            assert_eq!(read(printed), (enforced, wanted), "{printed}");
        }
    }

    #[test]
    fn a_host_is_no_chroot_of_itself() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let mut facts = Facts::new();
        let system = rplay_api::RealSystem;
        crate::fixture::Fixture::new(&system).on_host(|host| chroot(host, &mut facts));
        assert_eq!(facts["is_chroot"], false);
    }
}
