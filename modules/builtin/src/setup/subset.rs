//! Which facts are asked for: Ansible's parts of facts, their names, and what each brings.

use std::collections::BTreeSet;

use rplay_api::{Failure, Result};

/// A part of the facts.
struct Part {
    /// Its own name, and those of single facts that ask for all of it.
    names: &'static [&'static str],
    /// The facts that it brings, where the others of its source are to be left out.
    facts: &'static [&'static str],
    /// Parts that come with it.
    needs: &'static [&'static str],
    /// The group that it is in, besides `all`.
    group: &'static str,
}

const fn part(
    group: &'static str,
    names: &'static [&'static str],
    facts: &'static [&'static str],
    needs: &'static [&'static str],
) -> Part {
    Part { names, facts, needs, group }
}

const PARTS: &[Part] = &[
    part("min", &["apparmor"], &["apparmor"], &[]),
    part("min", &["caps", "system_capabilities", "system_capabilities_enforced"], &[], &[]),
    part("min", &["chroot", "is_chroot"], &[], &[]),
    part("min", &["cmdline"], &["cmdline", "proc_cmdline"], &[]),
    part("min", &["date_time"], &[], &[]),
    part("min", &["distribution", "distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        &["distribution", "distribution_version", "distribution_major_version", "distribution_minor_version",
          "distribution_release", "distribution_file_path", "distribution_file_parsed", "distribution_file_variety",
          "os_family"], &[]),
    part("min", &["dns"], &["dns"], &[]),
    part("min", &["env"], &["env"], &[]),
    part("min", &["fips"], &["fips"], &[]),
    part("min", &["local"], &[], &[]),
    part("min", &["lsb"], &[], &[]),
    part("min", &["pkg_mgr"], &["pkg_mgr"], &["distribution"]),
    part("min", &["platform", "system", "kernel", "kernel_version", "machine", "machine_id", "python_version", "architecture"],
        &["system", "kernel", "kernel_version", "machine", "machine_id", "architecture", "userspace_bits",
          "userspace_architecture", "nodename", "hostname", "domain", "fqdn", "python_version"], &[]),
    part("min", &["python"], &["python"], &[]),
    part("min", &["selinux"], &["selinux", "selinux_python_present"], &[]),
    part("min", &["service_mgr"], &["service_mgr"], &["platform", "distribution"]),
    part("min", &["ssh_pub_keys", "ssh_host_pub_keys", "ssh_host_key_dsa_public", "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public", "ssh_host_key_ed25519_public"],
        &["ssh_host_key_dsa_public", "ssh_host_key_dsa_public_keytype", "ssh_host_key_rsa_public",
          "ssh_host_key_rsa_public_keytype", "ssh_host_key_ecdsa_public", "ssh_host_key_ecdsa_public_keytype",
          "ssh_host_key_ed25519_public", "ssh_host_key_ed25519_public_keytype"], &[]),
    part("min", &["systemd"], &["systemd"], &[]),
    part("min", &["user", "user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell", "real_user_id",
            "effective_user_id", "effective_group_ids"],
        &["user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell", "real_user_id",
          "effective_user_id", "real_group_id", "effective_group_id"], &[]),
    part("hardware", &["hardware", "devices", "mounts", "processor", "processor_cores", "processor_count"], &[], &["platform"]),
    part("network", &["network", "interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
        &[], &["platform", "distribution"]),
    part("virtual", &["virtual", "virtualization_role", "virtualization_type", "virtualization_tech_guest",
            "virtualization_tech_host"], &[], &[]),
    part("", &["fibre_channel_wwn"], &[], &[]),
    part("", &["iscsi"], &[], &[]),
    part("", &["loadavg"], &[], &[]),
    part("", &["nvme"], &[], &[]),
    // What Ansible tells and rplay has nothing of: asking for it is no mistake.
    part("", &["facter"], &[], &[]),
    part("", &["ohai"], &[], &[]),
];

impl Part {
    fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Whether a word means it.
    fn is_meant_by(&self, word: &str) -> bool {
        word == "all" || word == self.group || self.names.contains(&word)
    }
}

/// The parts that are asked for.
pub(super) struct Subset(BTreeSet<&'static str>);

impl Subset {
    /// The parts that words ask for: what is minimal is there whatever is asked for, unless it is turned
    /// down by name; where parts are only turned down, nothing but that is.
    ///
    /// # Errors
    /// A word that is no part, in Ansible's words.
    pub(super) fn new(words: &[String]) -> Result<Self> {
        let mut wanted = BTreeSet::new();
        let chosen = |word: &str| PARTS.iter().filter(|part| part.is_meant_by(word)).map(Part::name).collect::<Vec<_>>();
        let words: Vec<&str> = words.iter().map(|word| word.trim()).collect();
        let (without, with): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('!'));
        let without: Vec<&str> = without.iter().map(|word| &word[1..]).collect();
        for word in with.iter().chain(&without) {
            if !["all", "min"].contains(word) && chosen(word).is_empty() {
                return Err(bad(word));
            }
        }
        wanted.extend(chosen("min"));
        for word in &without {
            // `!all` leaves what is minimal: that is turned down by its own name.
            let parts = chosen(word);
            wanted.retain(|part| *word == "all" || !parts.contains(part));
        }
        let turned_down: Vec<&str> = without.iter().filter(|w| **w != "all").flat_map(|w| chosen(w)).collect();
        for word in &with {
            let whole = *word == "all";
            wanted.extend(chosen(word).into_iter().filter(|part| !whole || !turned_down.contains(part)));
        }
        let needed = PARTS.iter().filter(|part| wanted.contains(part.name())).flat_map(|part| part.needs);
        let needed: Vec<&str> = needed.copied().collect();
        wanted.extend(needed);
        Ok(Self(wanted))
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    /// Whether any part that tells who the host is is asked for.
    pub(super) fn has_identity(&self) -> bool {
        let mut parts = PARTS.iter().filter(|part| !part.facts.is_empty());
        parts.any(|part| self.has(part.name()))
    }

    /// Whether a fact of the host's identity is asked for.
    pub(super) fn has_fact(&self, fact: &str) -> bool {
        let mut parts = PARTS.iter().filter(|part| part.facts.contains(&fact));
        parts.any(|part| self.has(part.name()))
    }
}

fn bad(word: &str) -> Failure {
    let mut names: Vec<&str> = PARTS.iter().flat_map(|part| part.names).copied().collect();
    names.extend(["all"]);
    names.sort_unstable();
    let names = names.join(", ");
    Failure::new(format!("Bad subset '{word}' given to Ansible. gather_subset options allowed: {names}"))
        .arg("gather_subset")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(words: &str) -> String {
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        let subset = Subset::new(&words).unwrap();
        let told = ["distribution", "hardware", "network", "pkg_mgr", "user", "virtual"];
        told.into_iter().filter(|part| subset.has(part)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_subset_means_what_it_means_in_ansible() {
        for (words, wanted) in [
            ("all", "distribution hardware network pkg_mgr user virtual"),
            ("min", "distribution pkg_mgr user"),
            ("!all", "distribution pkg_mgr user"),
            ("!hardware", "distribution pkg_mgr user"),
            ("all,!hardware", "distribution network pkg_mgr user virtual"),
            ("network", "distribution network pkg_mgr user"),
            ("!all,!min", ""),
            ("!all,!min,pkg_mgr", "distribution pkg_mgr"),
            ("!all,!min,default_ipv4", "distribution network"),
            ("!all,!min,user_id", "user"),
        ] {
            assert_eq!(parts(words), wanted, "{words}");
        }
    }

    #[test]
    fn a_word_that_is_no_part_is_told() {
        let failure = Subset::new(&["nonsense".to_owned()]).err().unwrap();
        assert!(failure.msg.starts_with("Bad subset 'nonsense' given to Ansible."), "{failure}");
    }
}
