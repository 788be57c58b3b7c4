//! Modules of Ansible's world that are not part of rplay: which collection a name is of, so that
//! who calls one is told what it is, and not to look for a slip of the pen.

use crate::task::short;

/// Names of one module each, with the collection that has it.
const NAMES: &[(&str, &str)] = &[
    ("acl", "ansible.posix"),
    ("alternatives", "community.general"),
    ("apache2_module", "community.general"),
    ("apk", "community.general"),
    ("archive", "community.general"),
    ("at", "ansible.posix"),
    ("authorized_key", "ansible.posix"),
    ("composer", "community.general"),
    ("cronvar", "community.general"),
    ("dconf", "community.general"),
    ("django_manage", "community.general"),
    ("dnf5", "ansible.builtin"),
    ("filesystem", "community.general"),
    ("firewalld", "ansible.posix"),
    ("flatpak", "community.general"),
    ("gem", "community.general"),
    ("git_config", "community.general"),
    ("github_release", "community.general"),
    ("haproxy", "community.general"),
    ("helm", "kubernetes.core"),
    ("homebrew", "community.general"),
    ("htpasswd", "community.general"),
    ("ini_file", "community.general"),
    ("interfaces_file", "community.general"),
    ("java_cert", "community.general"),
    ("k8s", "kubernetes.core"),
    ("locale_gen", "community.general"),
    ("lvg", "community.general"),
    ("lvol", "community.general"),
    ("mail", "community.general"),
    ("make", "community.general"),
    ("modprobe", "community.general"),
    ("monit", "community.general"),
    ("mount", "ansible.posix"),
    ("nagios", "community.general"),
    ("nmcli", "community.general"),
    ("npm", "community.general"),
    ("open_iscsi", "community.general"),
    ("osx_defaults", "community.general"),
    ("pacman", "community.general"),
    ("pam_limits", "community.general"),
    ("pamd", "community.general"),
    ("parted", "community.general"),
    ("patch", "ansible.posix"),
    ("pear", "community.general"),
    ("pids", "community.general"),
    ("pkgng", "community.general"),
    ("portage", "community.general"),
    ("proxmox", "community.general"),
    ("read_csv", "community.general"),
    ("redhat_subscription", "community.general"),
    ("rhsm_repository", "community.general"),
    ("seboolean", "ansible.posix"),
    ("sefcontext", "community.general"),
    ("selinux", "ansible.posix"),
    ("seport", "community.general"),
    ("slack", "community.general"),
    ("snap", "community.general"),
    ("ssh_config", "community.general"),
    ("subversion", "ansible.builtin"),
    ("supervisorctl", "community.general"),
    ("synchronize", "ansible.posix"),
    ("sysctl", "ansible.posix"),
    ("syslogger", "community.general"),
    ("terraform", "community.general"),
    ("timezone", "community.general"),
    ("ufw", "community.general"),
    ("vmware_guest", "community.vmware"),
    ("xattr", "community.general"),
    ("xml", "community.general"),
    ("yarn", "community.general"),
    ("yum", "ansible.builtin"),
    ("zfs", "community.general"),
    ("zypper", "community.general"),
];

/// How the names of many a collection begin.
const FAMILIES: &[(&str, &str)] = &[
    ("aws_", "amazon.aws"),
    ("azure_rm_", "azure.azcollection"),
    ("docker_", "community.docker"),
    ("ec2_", "amazon.aws"),
    ("gcp_", "google.cloud"),
    ("gitlab_", "community.general"),
    ("grafana_", "community.grafana"),
    ("hcloud_", "hetzner.hcloud"),
    ("ipa_", "community.general"),
    ("k8s_", "kubernetes.core"),
    ("keycloak_", "community.general"),
    ("ldap_", "community.general"),
    ("mongodb_", "community.mongodb"),
    ("mysql_", "community.mysql"),
    ("openssl_", "community.crypto"),
    ("podman_", "containers.podman"),
    ("postgresql_", "community.postgresql"),
    ("proxysql_", "community.proxysql"),
    ("rabbitmq_", "community.rabbitmq"),
    ("vmware_", "community.vmware"),
    ("win_", "ansible.windows"),
    ("zabbix_", "community.zabbix"),
];

/// The collection that a module is of, where that is known: one that is named with it, or the one
/// that has such a module.
pub(crate) fn collection_of(module: &str) -> Option<String> {
    let name = short(module);
    if let Some((collection, _)) = name.rsplit_once('.') {
        return Some(collection.to_owned());
    }
    let one = NAMES.iter().find(|(known, _)| *known == name);
    let family = || FAMILIES.iter().find(|(begin, _)| name.starts_with(begin));
    one.or_else(family).map(|(_, of)| (*of).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modules_collection_is_known_by_its_name_or_the_beginning_of_it() {
        let of = |name| collection_of(name);
        assert_eq!(of("ufw").as_deref(), Some("community.general"));
        assert_eq!(of("win_shell").as_deref(), Some("ansible.windows"));
        assert_eq!(of("my.own.thing").as_deref(), Some("my.own"));
        assert_eq!(of("ansible.builtin.coppy"), None);
        assert_eq!(of("coppy"), None);
    }

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted() && FAMILIES.is_sorted());
    }
}
