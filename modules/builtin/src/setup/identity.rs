//! Who the host is: system, distribution, names, user, environment.

use std::path::Path;

use rplay_api::{Command, Host};
use serde_json::{Map, Value, json};

use super::{Facts, text};

/// Where a Python is, and its version, which it is asked for.
fn python(host: &Host, set: &mut impl FnMut(&str, Value)) {
    let found = std::env::var("PATH").unwrap_or_default();
    let places = found.split(':').map(|dir| Path::new(dir).join("python3"));
    let Some(path) = places.into_iter().find(|p| host.exists(p).unwrap_or(false)) else {
        return;
    };
    let Ok(told) = host.run(&Command::reads([path.as_os_str(), "-V".as_ref()])) else { return };
    let told = told.stdout();
    let Some(version) = told.trim().strip_prefix("Python ") else { return };
    set("python_version", version.into());
    set("python", python_facts(&path.to_string_lossy(), version));
}

/// Of a version as `3.11.2` or `3.14.0rc1`.
fn python_facts(executable: &str, version: &str) -> Value {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let words: Vec<&str> = version.splitn(3, '.').collect();
    let number = |at: usize| words.get(at).and_then(|word| digits(word).parse::<u64>().ok()).unwrap_or(0);
    let last = words.get(2).copied().unwrap_or_default();
    let rest = last.trim_start_matches(|c: char| c.is_ascii_digit()).trim_end_matches('+');
    let level = match rest.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "a" => "alpha",
        "b" => "beta",
        "rc" => "candidate",
        _ => "final",
    };
    let serial: u64 = rest.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
    json!({
        "executable": executable,
        "type": "cpython",
        // As every Python that still runs anything.
        "has_sslcontext": true,
        "version": {"major": number(0), "minor": number(1), "micro": number(2), "releaselevel": level, "serial": serial},
        "version_info": [number(0), number(1), number(2), level, serial],
    })
}

/// systemd's version and what it was built with: the one thing here that no file tells.
fn systemd(host: &Host, set: &mut impl FnMut(&str, Value)) {
    if !host.is_dir(Path::new("/run/systemd/system")).unwrap_or(false) {
        return;
    }
    let Ok(output) = host.run(&Command::reads(["systemctl", "--version"])) else { return };
    let stdout = output.stdout();
    let mut lines = stdout.lines();
    let version = lines.next().and_then(|line| line.split_whitespace().nth(1));
    let version = version.and_then(|v| v.parse::<u64>().ok());
    if let (Some(version), Some(features)) = (version, lines.next()) {
        set("systemd", json!({"version": version, "features": features}));
    }
}

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let uname = rustix::system::uname();
    let word = |s: &std::ffi::CStr| s.to_string_lossy().into_owned();
    let machine = word(uname.machine());
    let nodename = word(uname.nodename());
    let mut set = |name: &str, value: Value| {
        facts.insert(name.to_owned(), value);
    };
    set("system", word(uname.sysname()).into());
    set("kernel", word(uname.release()).into());
    set("kernel_version", word(uname.version()).into());
    set("machine", machine.clone().into());
    set("architecture", machine.clone().into());
    let bits = if cfg!(target_pointer_width = "64") { "64" } else { "32" };
    set("userspace_bits", bits.into());
    set("userspace_architecture", machine.into());
    names(host, &nodename, &mut set);
    distribution(host, &mut set);
    user(host, &mut set);
    let env: Map<String, Value> =
        host.envs().into_iter().map(|(name, value)| (name, value.into())).collect();
    set("env", env.into());
    python(host, &mut set);
    set("machine_id", text(host, "/etc/machine-id").into());
    let line = text(host, "/proc/cmdline");
    set("cmdline", command_line(&line));
    set("proc_cmdline", whole_command_line(&line));
    set("fips", (text(host, "/proc/sys/crypto/fips_enabled") == "1").into());
    set("service_mgr", service_manager(host).into());
    systemd(host, &mut set);
    let selinux = host.exists(Path::new("/sys/fs/selinux/enforce")).unwrap_or(false);
    let status = if selinux { "enabled" } else { "disabled" };
    set("selinux", json!({ "status": status }));
    // What needs it elsewhere needs nothing here.
    set("selinux_python_present", true.into());
    let apparmor = host.exists(Path::new("/sys/kernel/security/apparmor")).unwrap_or(false);
    set("apparmor", json!({ "status": if apparmor { "enabled" } else { "disabled" } }));
    set("dns", dns(&text(host, "/etc/resolv.conf")));
    keys(host, &mut set);
}

fn names(host: &Host, nodename: &str, set: &mut dyn FnMut(&str, Value)) {
    let short = nodename.split('.').next().unwrap_or(nodename);
    let full = full_name(host, nodename);
    let domain = full.split_once('.').map_or("", |(_, domain)| domain);
    set("nodename", nodename.into());
    set("hostname", short.into());
    set("domain", domain.into());
    set("fqdn", full.clone().into());
}

/// A host's whole name.
pub(crate) fn full_name(host: &Host, nodename: &str) -> String {
    // As /etc/hosts has it, which is what most resolvers answer for the own name.
    let hosts = text(host, "/etc/hosts");
    hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        .find(|names| names.contains(&nodename) && names.iter().any(|n| n.contains('.')))
        .and_then(|names| names.into_iter().find(|n| n.contains('.')).map(str::to_owned))
        .unwrap_or_else(|| nodename.to_owned())
}

/// Families of distributions, by the ids of os-release.
const FAMILIES: [(&str, &[&str]); 7] = [
    ("Debian", &["debian", "ubuntu", "raspbian", "linuxmint", "kali", "pop", "devuan"]),
    ("RedHat", &["rhel", "centos", "fedora", "rocky", "almalinux", "ol", "amzn", "scientific"]),
    ("Suse", &["suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles"]),
    ("Archlinux", &["arch", "manjaro", "endeavouros"]),
    ("Alpine", &["alpine"]),
    ("Gentoo", &["gentoo"]),
    ("NixOS", &["nixos"]),
];

/// What Ansible calls a distribution, by its id.
const NAMES: [(&str, &str); 14] = [
    ("debian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("fedora", "Fedora"),
    ("centos", "CentOS"),
    ("rhel", "RedHat"),
    ("rocky", "Rocky"),
    ("almalinux", "AlmaLinux"),
    ("ol", "OracleLinux"),
    ("amzn", "Amazon"),
    ("alpine", "Alpine"),
    ("arch", "Archlinux"),
    ("gentoo", "Gentoo"),
    ("sles", "SLES"),
    ("linuxmint", "Linux Mint"),
];

/// What a distribution says its name in besides os-release: the distribution's name or family, what
/// Ansible calls such a file, and the file.
const VARIETIES: [(&str, &str, &str); 6] = [
    ("Amazon", "Amazon", "/etc/system-release"),
    ("OracleLinux", "OracleLinux", "/etc/oracle-release"),
    ("RedHat", "RedHat", "/etc/redhat-release"),
    ("Suse", "SUSE", "/etc/os-release"),
    ("Alpine", "Alpine", "/etc/alpine-release"),
    ("Archlinux", "Archlinux", "/etc/arch-release"),
];

fn distribution(host: &Host, set: &mut dyn FnMut(&str, Value)) {
    let mut release = text(host, "/etc/os-release");
    if release.is_empty() {
        release = text(host, "/usr/lib/os-release");
    }
    let field = |name: &str| -> String {
        let line = release.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    };
    let id = field("ID");
    let like = format!("{id} {}", field("ID_LIKE"));
    let name = NAMES.iter().find(|(key, _)| *key == id).map_or_else(|| field("NAME"), |(_, n)| (*n).to_owned());
    let family = FAMILIES
        .iter()
        .find(|(_, ids)| like.split_whitespace().any(|word| ids.contains(&word)))
        .map_or_else(|| name.clone(), |(family, _)| (*family).to_owned());
    let debian = text(host, "/etc/debian_version");
    let version = match (id.as_str(), field("VERSION_ID")) {
        ("debian", version) if !debian.is_empty() && debian.starts_with(version.as_str()) => debian.clone(),
        (_, version) if version.is_empty() => "n/a".to_owned(),
        (_, version) => version,
    };
    let major = version.split('.').next().unwrap_or_default().to_owned();
    let minor = version.split('.').nth(1).unwrap_or_default().to_owned();
    set("distribution", name.as_str().into());
    set("distribution_version", version.into());
    set("distribution_major_version", major.into());
    set("distribution_minor_version", minor.into());
    set("distribution_release", field("VERSION_CODENAME").into());
    let variety = VARIETIES.iter().find(|(of, ..)| *of == name || *of == family);
    let own = variety.filter(|(_, _, file)| host.exists(Path::new(file)).unwrap_or(false));
    set("distribution_file_path", own.map_or("/etc/os-release", |(_, _, file)| file).into());
    set("distribution_file_variety", variety.map_or(family.as_str(), |(_, variety, _)| variety).into());
    set("distribution_file_parsed", true.into());
    set("os_family", family.into());
    let managers = [
        ("/usr/bin/apt-get", "apt"),
        ("/usr/bin/dnf5", "dnf5"),
        ("/usr/bin/dnf", "dnf"),
        ("/usr/bin/yum", "yum"),
        ("/usr/bin/zypper", "zypper"),
        ("/usr/bin/pacman", "pacman"),
        ("/sbin/apk", "apk"),
        ("/usr/bin/emerge", "portage"),
    ];
    let there = |path: &str| host.exists(Path::new(path)).unwrap_or(false);
    let manager = managers.iter().find(|(path, _)| there(path)).map_or("unknown", |(_, name)| name);
    set("pkg_mgr", manager.into());
}

fn user(host: &Host, set: &mut dyn FnMut(&str, Value)) {
    let uid = rustix::process::geteuid().as_raw();
    let name = host.user_name(uid);
    let account = host.user(&name).ok().flatten().unwrap_or_default();
    let field = |key: &str| account.get(key).cloned().unwrap_or_default();
    set("user_id", name.into());
    set("user_uid", uid.into());
    set("user_gid", rustix::process::getegid().as_raw().into());
    set("user_gecos", field("comment").into());
    set("user_dir", field("home").into());
    set("user_shell", field("shell").into());
    set("real_user_id", rustix::process::getuid().as_raw().into());
    set("effective_user_id", uid.into());
    set("real_group_id", rustix::process::getgid().as_raw().into());
    set("effective_group_id", rustix::process::getegid().as_raw().into());
}

/// Words of the kernel's command line: `name=value` and bare names, which are true.
fn command_line(line: &str) -> Value {
    let words = line.split_whitespace().map(|word| match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Value::from(value)),
        None => (word.to_owned(), true.into()),
    });
    Value::Object(words.collect())
}

/// As [`command_line`], with every value of a name that has several.
fn whole_command_line(line: &str) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for word in line.split_whitespace() {
        let (name, value) = word.split_once('=').map_or((word, true.into()), |(name, value)| (name, value.into()));
        match all.get_mut(name) {
            None => drop(all.insert(name.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = vec![first.take(), value].into(),
        }
    }
    all.into()
}

fn service_manager(host: &Host) -> String {
    if host.exists(Path::new("/run/systemd/system")).unwrap_or(false) {
        return "systemd".to_owned();
    }
    if host.exists(Path::new("/run/openrc")).unwrap_or(false) {
        return "openrc".to_owned();
    }
    match text(host, "/proc/1/comm").as_str() {
        "init" | "" => "sysvinit".to_owned(),
        other => other.to_owned(),
    }
}

fn dns(resolv: &str) -> Value {
    let values = |key: &str| -> Vec<String> {
        let lines = resolv.lines().filter_map(|l| {
            let mut words = l.split_whitespace();
            (words.next() == Some(key)).then(|| words.map(str::to_owned).collect::<Vec<_>>())
        });
        lines.flatten().collect()
    };
    let mut dns = Map::new();
    for (key, name) in [("nameserver", "nameservers"), ("search", "search")] {
        let found = values(key);
        if !found.is_empty() {
            dns.insert(name.to_owned(), found.into());
        }
    }
    dns.into()
}

fn keys(host: &Host, set: &mut dyn FnMut(&str, Value)) {
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let line = text(host, &format!("/etc/ssh/ssh_host_{kind}_key.pub"));
        let mut words = line.split_whitespace();
        if let (Some(algorithm), Some(key)) = (words.next(), words.next()) {
            set(&format!("ssh_host_key_{kind}_public"), key.into());
            set(&format!("ssh_host_key_{kind}_public_keytype"), algorithm.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pythons_version_is_told_in_its_parts() {
        let told = python_facts("/usr/bin/python3", "3.11.2");
        assert_eq!(told["version_info"], json!([3, 11, 2, "final", 0]));
        assert_eq!(told["version"]["micro"], 2);
        let told = python_facts("/usr/bin/python3", "3.14.0rc2");
        assert_eq!(told["version_info"], json!([3, 14, 0, "candidate", 2]));
    }

    #[test]
    fn a_command_line_is_read_word_by_word() {
        assert_eq!(command_line("ro quiet root=/dev/sda"), json!({"ro": true, "quiet": true, "root": "/dev/sda"}));
    }

    #[test]
    fn names_of_the_command_line_that_come_again_have_all_their_values() {
        let line = "a=1 ro a=2 console=tty a=3";
        assert_eq!(whole_command_line(line), json!({"a": ["1", "2", "3"], "ro": true, "console": "tty"}));
        assert_eq!(command_line(line)["a"], "3");
    }

    #[test]
    fn resolv_conf_gives_servers_and_search() {
        let dns = dns("nameserver 10.0.0.1\nnameserver 10.0.0.2\nsearch a b\n");
        assert_eq!(dns, json!({"nameservers": ["10.0.0.1", "10.0.0.2"], "search": ["a", "b"]}));
    }
}
