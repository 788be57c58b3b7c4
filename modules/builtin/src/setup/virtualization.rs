//! What kind of virtual machine or container the host is.
//!
//! A container is also of the kind `container`, which is its type where nobody knows a better one.

use std::path::Path;

use rplay_api::Host;
use serde_json::Value;

use super::{Facts, text};

/// The containers that are types of their own.
const CONTAINERS: &[&str] = &["docker", "lxc", "openvz", "podman"];

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let there = |path: &str| host.exists(Path::new(path)).unwrap_or(false);
    let container = container(host);
    let machine = machine(host);
    let hosts: &[&str] = if there("/dev/kvm") { &["kvm"] } else { &[] };
    let (kind, role, guests) = match (container.as_deref(), machine) {
        (Some(name), _) if CONTAINERS.contains(&name) => (name, "guest", vec![name, "container"]),
        (Some("container"), _) => ("container", "guest", vec!["container"]),
        (Some(name), _) => ("container", "guest", vec!["container", name]),
        (None, Some(name)) => (name, "guest", vec![name]),
        (None, None) => match hosts.first() {
            Some(name) if text(host, "/proc/modules").contains("kvm ") => (*name, "host", vec![]),
            _ => ("NA", "NA", vec![]),
        },
    };
    let facts_of = [
        ("type", Value::from(kind)),
        ("role", role.into()),
        ("tech_guest", guests.into()),
        ("tech_host", hosts.to_vec().into()),
    ];
    facts.extend(facts_of.map(|(name, value)| (format!("virtualization_{name}"), value)));
}

/// The kind of container, by what it was started with or what is put in it.
fn container(host: &Host) -> Option<String> {
    let there = |path: &str| host.exists(Path::new(path)).unwrap_or(false);
    let systemd = text(host, "/run/systemd/container");
    let environment = host.read(Path::new("/proc/1/environ")).ok().filter(|text| !text.is_empty());
    // Only root may read it. Where it is read and says nothing, a file that is left in an image is no sign.
    let is_read = environment.is_some();
    let environment = environment.unwrap_or_default();
    let mut variables = environment.split(|byte| *byte == 0);
    let said = variables.find_map(|variable| variable.strip_prefix(b"container="));
    let said = said.map(|name| String::from_utf8_lossy(name).into_owned());
    let groups = text(host, "/proc/1/cgroup");
    let within = |name: &str| groups.lines().any(|line| line.contains(name));
    if there("/.dockerenv") || within("/docker/") || within("/docker-") {
        Some("docker".to_owned())
    } else if within("/lxc/") {
        Some("lxc".to_owned())
    } else if within("/libpod") || (!is_read && there("/run/.containerenv")) {
        Some("podman".to_owned())
    } else {
        Some(systemd).filter(|name| !name.is_empty()).or(said).filter(|name| !name.is_empty())
    }
}

/// The kind of virtual machine, by what its firmware says.
fn machine(host: &Host) -> Option<&'static str> {
    let product = text(host, "/sys/class/dmi/id/product_name");
    let vendor = text(host, "/sys/class/dmi/id/sys_vendor");
    if product.contains("KVM") || vendor == "QEMU" {
        Some("kvm")
    } else if vendor.contains("VMware") {
        Some("VMware")
    } else if product == "VirtualBox" {
        Some("virtualbox")
    } else if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
        Some("VirtualPC")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    /// Type, role and kinds of a host with these files.
    fn of(files: &[(&str, &str)]) -> Value {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        for (path, content) in files {
            fixture.file(path, content);
        }
        let mut facts = Facts::new();
        fixture.on_host(|host| gather(host, &mut facts));
        ["type", "role", "tech_guest", "tech_host"]
            .map(|name| facts[&format!("virtualization_{name}")].clone())
            .to_vec()
            .into()
    }

    #[test]
    fn a_container_is_of_two_kinds() {
        let docker = json!(["docker", "guest", ["docker", "container"], []]);
        assert_eq!(of(&[("/.dockerenv", "")]), docker);
        assert_eq!(of(&[("/proc/1/cgroup", "0::/docker/629d17\n")]), docker);
        let podman = json!(["podman", "guest", ["podman", "container"], []]);
        assert_eq!(of(&[("/proc/1/environ", "A=b\0container=podman\0")]), podman);
        let lxc = json!(["lxc", "guest", ["lxc", "container"], []]);
        assert_eq!(of(&[("/run/systemd/container", "lxc\n")]), lxc);
        let nspawn = json!(["container", "guest", ["container", "systemd-nspawn"], []]);
        assert_eq!(of(&[("/run/systemd/container", "systemd-nspawn")]), nspawn);
    }

    #[test]
    fn a_file_that_an_image_may_keep_counts_where_nothing_better_can_be_read() {
        let left = ("/run/.containerenv", "engine=\"podman\"\n");
        assert_eq!(of(&[left])[0], "podman");
        assert_eq!(of(&[left, ("/proc/1/environ", "HOME=/root\0")])[0], "NA");
    }

    #[test]
    fn a_machine_is_known_by_its_firmware() {
        let kvm = json!(["kvm", "guest", ["kvm"], []]);
        assert_eq!(of(&[("/sys/class/dmi/id/sys_vendor", "QEMU\n")]), kvm);
        let host = [("/dev/kvm", ""), ("/proc/modules", "kvm 1 0 - Live 0x0\n")];
        assert_eq!(of(&host), json!(["kvm", "host", [], ["kvm"]]));
        assert_eq!(of(&[]), json!(["NA", "NA", [], []]));
    }
}
