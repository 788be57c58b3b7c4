//! What kind of virtual machine or container the host is.
//!
//! What is found first is the host's type; all that is found is told beside it, as a container may be one
//! of a virtual machine.

use std::collections::BTreeSet;
use std::path::Path;

use rplay_api::Host;
use serde_json::Value;

use super::{Facts, text};

/// Makers of virtual machines, as the firmware names them: where it says so, how that begins, and the type.
const FIRMWARE: [(&str, &str, &str); 19] = [
    ("bios_vendor", "Xen", "xen"),
    ("bios_vendor", "innotek GmbH", "virtualbox"),
    ("bios_vendor", "Amazon EC2", "kvm"),
    ("sys_vendor", "QEMU", "kvm"),
    ("sys_vendor", "Amazon EC2", "kvm"),
    ("sys_vendor", "DigitalOcean", "kvm"),
    ("sys_vendor", "Google", "kvm"),
    ("sys_vendor", "Scaleway", "kvm"),
    ("sys_vendor", "Nutanix", "kvm"),
    ("sys_vendor", "oVirt", "oVirt"),
    ("sys_vendor", "OpenStack Foundation", "openstack"),
    ("sys_vendor", "Parallels", "parallels"),
    ("product_name", "KVM", "kvm"),
    ("product_name", "Bochs", "kvm"),
    ("product_name", "AHV", "kvm"),
    ("product_name", "VMware", "VMware"),
    ("product_name", "RHEV Hypervisor", "RHEV"),
    ("product_name", "OpenStack Compute", "openstack"),
    ("product_name", "OpenStack Nova", "openstack"),
];

/// What was found, the first of it first.
#[derive(Default)]
struct Found {
    kind: Option<String>,
    all: BTreeSet<String>,
}

impl Found {
    fn add(&mut self, kind: &str) {
        self.all.insert(kind.to_owned());
        self.kind.get_or_insert_with(|| kind.to_owned());
    }
}

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let mut guest = Found::default();
    container(host, &mut guest);
    machine(host, &mut guest);
    let runs_machines = there(host, "/dev/kvm") && text(host, "/proc/modules").lines().any(|line| line.starts_with("kvm "));
    let (kind, role) = match (&guest.kind, runs_machines) {
        (Some(kind), _) => (kind.as_str(), "guest"),
        (None, true) => ("kvm", "host"),
        (None, false) => ("NA", "NA"),
    };
    facts.insert("virtualization_type".to_owned(), kind.into());
    facts.insert("virtualization_role".to_owned(), role.into());
    facts.insert("virtualization_tech_guest".to_owned(), guest.all.into_iter().collect());
    let host_of: Value = if runs_machines { vec!["kvm"].into() } else { Vec::<&str>::new().into() };
    facts.insert("virtualization_tech_host".to_owned(), host_of);
}

/// The container that the host is: what started it says so in several places, one of them at least.
fn container(host: &Host, guest: &mut Found) {
    let environ = text(host, "/proc/1/environ");
    let named = environ.split('\0').find_map(|pair| pair.strip_prefix("container="));
    match named {
        Some(kind @ ("lxc" | "podman")) => guest.add(kind),
        Some(_) => guest.add("container"),
        None => {}
    }
    let systemd = text(host, "/run/systemd/container");
    if !systemd.is_empty() {
        guest.add(&systemd);
    }
    let groups = text(host, "/proc/1/cgroup");
    if groups.contains("/docker/") || groups.contains("/docker-") || there(host, "/.dockerenv") {
        guest.add("docker");
    }
    if groups.contains("/lxc/") || groups.contains("/lxc.") {
        guest.add("lxc");
    }
    // Only root may read it. Where it is read and says nothing, a file that is left in an image is no sign.
    let is_read = host.read(Path::new("/proc/1/environ")).is_ok();
    if groups.contains("/libpod") || (!is_read && there(host, "/run/.containerenv")) {
        guest.add("podman");
    }
    if guest.kind.is_some() {
        guest.add("container");
    }
}

/// The virtual machine that the host is, as its firmware tells.
fn machine(host: &Host, guest: &mut Found) {
    let said = |file: &str| text(host, &format!("/sys/class/dmi/id/{file}"));
    if said("sys_vendor") == "Microsoft Corporation" && said("product_name") == "Virtual Machine" {
        guest.add("VirtualPC");
    }
    if let Some((_, _, kind)) = FIRMWARE.iter().find(|(file, begins, _)| said(file).starts_with(begins)) {
        guest.add(kind);
    }
}

fn there(host: &Host, path: &str) -> bool {
    host.exists(Path::new(path)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rplay_api::Overlay;
    use serde_json::json;

    use crate::fixture::Fixture;

    /// The type and all that was found, on a host that has these files besides those of its firmware.
    fn found(files: &[(&str, &str)]) -> (String, String) {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        // Nothing of the machine that the test runs on.
        for path in ["/proc/1/environ", "/proc/1/cgroup", "/run/systemd/container", "/proc/modules"] {
            fixture.file(path, "");
        }
        for file in ["sys_vendor", "product_name", "bios_vendor"] {
            fixture.file(&format!("/sys/class/dmi/id/{file}"), "");
        }
        fixture.on_host(|host| host.remove(Path::new("/.dockerenv"))).unwrap();
        for (path, content) in files {
            fixture.file(path, content);
        }
        let args = json!({"gather_subset": ["!all", "!min", "virtual"]});
        let facts = fixture.run::<super::super::This>(args).result.unwrap().data["ansible_facts"].clone();
        let all = facts["ansible_virtualization_tech_guest"].as_array().unwrap();
        let all: Vec<&str> = all.iter().map(|kind| kind.as_str().unwrap()).collect();
        (facts["ansible_virtualization_type"].as_str().unwrap().to_owned(), all.join(" "))
    }

    /// Each as ansible-core 2.19 tells of such a host.
    #[test]
    fn a_container_is_told_as_its_maker_and_as_a_container() {
        let environ = "/proc/1/environ";
        let systemd = "/run/systemd/container";
        let cgroup = "/proc/1/cgroup";
        for (files, kind, all) in [
            (vec![(environ, "A=b\0container=systemd-nspawn\0"), (systemd, "systemd-nspawn\n")], "container", "container systemd-nspawn"),
            (vec![(environ, "container=lxc")], "lxc", "container lxc"),
            (vec![(environ, "container=podman")], "podman", "container podman"),
            (vec![(environ, "container=oci")], "container", "container"),
            (vec![("/.dockerenv", "")], "docker", "container docker"),
            (vec![(systemd, "wsl\n")], "wsl", "container wsl"),
            (vec![(cgroup, "1:name=systemd:/docker-0123.scope\n")], "docker", "container docker"),
            (vec![(cgroup, "1:name=systemd:/lxc/abc\n")], "lxc", "container lxc"),
            (vec![("/run/.containerenv", "")], "NA", ""),
            (vec![(environ, "container=podman"), ("/sys/class/dmi/id/sys_vendor", "QEMU\n")], "podman", "container kvm podman"),
        ] {
            assert_eq!(found(&files), (kind.to_owned(), all.to_owned()), "{files:?}");
        }
    }

    #[test]
    fn a_virtual_machine_is_told_by_its_firmware() {
        for (vendor, product, bios, kind) in [
            ("Amazon EC2", "t3.micro", "Amazon EC2", "kvm"),
            ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "SeaBIOS", "kvm"),
            ("Microsoft Corporation", "Virtual Machine", "", "VirtualPC"),
            ("VMware, Inc.", "VMware7,1", "", "VMware"),
            ("innotek GmbH", "VirtualBox", "innotek GmbH", "virtualbox"),
            ("Red Hat", "RHEV Hypervisor", "", "RHEV"),
            ("Xen", "HVM domU", "Xen", "xen"),
            ("Dell Inc.", "R640", "Dell Inc.", "NA"),
        ] {
            let files = [
                ("/sys/class/dmi/id/sys_vendor", vendor),
                ("/sys/class/dmi/id/product_name", product),
                ("/sys/class/dmi/id/bios_vendor", bios),
            ];
            assert_eq!(found(&files).0, kind, "{vendor} {product}");
        }
    }
}
