//! The modules. One file a module: its documentation, arguments, examples, code and tests.
//!
//! Owns the registry. Knows nothing of playbooks or of how a module's result travels.

use rplay_api::Entry;

/// Declares each module's file and its row in the registry.
macro_rules! modules {
    ($($name:ident)*) => {
        $(mod $name;)*

        /// Every module, by name.
        pub static MODULES: &[Entry] = &[$(Entry::of::<$name::This>()),*];
    };
}

mod accounts;
mod apt_get;
mod apt_source;
mod checksum;
mod commandline;
mod content;
mod dpkg;
#[cfg(test)]
mod fixture;
mod http;
mod init_script;
pub mod jobs;
mod mount_table;
mod openpgp;
mod path_info;
mod pattern;
mod placement;
mod progress;
mod python_regex;
mod rpm;
mod sent_program;
mod text_edit;
mod unit;
mod validation;
mod x509;

// Sorted. A new module is a file of this name and a word here.
modules! {
    _program
    _python_library
    alternatives
    apt
    apt_key
    apt_repository
    assemble
    async_status
    authorized_key
    blockinfile
    command
    copy
    cron
    deb822_repository
    debconf
    dnf
    dpkg_selections
    etcdctl
    expect
    fetch
    file
    find
    get_url
    getent
    git
    group
    hostname
    ini_file
    iptables
    known_hosts
    lineinfile
    locale_gen
    modprobe
    mount
    mount_facts
    package
    package_facts
    pam_limits
    ping
    pip
    replace
    rpm_key
    script
    service
    service_facts
    setup
    shell
    slurp
    stat
    subversion
    sysctl
    systemd
    sysvinit
    tempfile
    template
    timezone
    unarchive
    uri
    user
    wait_for
    x509_ca
    x509_certificate
    yum_repository
}

/// The module that a task calls `name`, or that has `name` as an alias.
pub fn find(name: &str) -> Option<&'static Entry> {
    MODULES.iter().find(|module| module.is_called(name))
}

#[cfg(test)]
mod tests {
    use super::MODULES;

    #[test]
    fn names_are_sorted_and_unique() {
        let names: Vec<_> = MODULES.iter().map(|m| m.doc.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
