//! Block devices, their partitions, and the names that udev gives them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rplay_api::Host;
use serde_json::{Map, Value, json};

use super::{Facts, text};

/// Names by the device that they are of.
type Names = BTreeMap<String, Vec<String>>;

/// The kinds of names, under Ansible's words.
struct Links {
    ids: Names,
    labels: Names,
    uuids: Names,
    masters: Names,
}

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let disks = names(host, Path::new("/sys/block"));
    let links = Links {
        ids: udev(host, "by-id"),
        labels: udev(host, "by-label"),
        uuids: udev(host, "by-uuid"),
        masters: masters(host, &disks),
    };
    let devices = disks.iter().map(|disk| (disk.clone(), Device::of(host, disk).facts(&links)));
    facts.insert("devices".to_owned(), devices.collect());
    let links = json!({
        "ids": links.ids,
        "labels": links.labels,
        "masters": links.masters,
        "uuids": links.uuids,
    });
    facts.insert("device_links".to_owned(), links);
}

/// The names in a folder, sorted.
fn names(host: &Host, folder: &Path) -> Vec<String> {
    let names = host.read_dir(folder).unwrap_or_default();
    let mut names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The links of a folder below /dev/disk, by the device that they lead to.
fn udev(host: &Host, kind: &str) -> Names {
    let folder = Path::new("/dev/disk").join(kind);
    let mut all = Names::new();
    for name in names(host, &folder) {
        let target = host.read_link(&folder.join(&name)).unwrap_or_default();
        if let Some(device) = target.file_name() {
            all.entry(device.to_string_lossy().into_owned()).or_default().push(name);
        }
    }
    all
}

/// The devices that are made of others, by those.
fn masters(host: &Host, disks: &[String]) -> Names {
    let mut all = Names::new();
    for disk in disks {
        for part in names(host, &Path::new("/sys/block").join(disk).join("slaves")) {
            all.entry(part).or_default().push(disk.clone());
        }
    }
    all
}

/// A disk or a partition, by its folder in /sys.
struct Device<'a> {
    host: &'a Host<'a>,
    name: &'a str,
    folder: PathBuf,
}

impl<'a> Device<'a> {
    fn of(host: &'a Host, name: &'a str) -> Self {
        let folder = Path::new("/sys/block").join(name);
        Self { host, name, folder }
    }

    /// What a file says; nothing where it is not there, or empty.
    fn field(&self, file: &str) -> Option<String> {
        let text = text(self.host, &self.folder.join(file).to_string_lossy());
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Its size, as the kernel counts it: in pieces of 512 bytes.
    fn pieces(&self) -> u64 {
        self.field("size").and_then(|size| size.parse().ok()).unwrap_or(0)
    }

    fn facts(&self, links: &Links) -> Value {
        let scheduler = self.field("queue/scheduler").unwrap_or_default();
        let chosen = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        let mut map = self.common(links);
        map.extend([
            ("host".to_owned(), "".into()),
            ("model".to_owned(), self.field("device/model").into()),
            ("partitions".to_owned(), self.partitions(links)),
            ("removable".to_owned(), self.field("removable").into()),
            ("rotational".to_owned(), self.field("queue/rotational").into()),
            ("sas_address".to_owned(), self.field("device/sas_address").into()),
            ("sas_device_handle".to_owned(), self.field("device/sas_device_handle").into()),
            ("scheduler_mode".to_owned(), chosen.map_or("", |(mode, _)| mode).into()),
            ("support_discard".to_owned(), self.field("queue/discard_granularity").into()),
            ("vendor".to_owned(), self.field("device/vendor").into()),
            ("virtual".to_owned(), 1.into()),
        ]);
        if let Some(serial) = self.field("device/serial") {
            map.insert("serial".to_owned(), serial.into());
        }
        let ids = links.ids.get(self.name).into_iter().flatten();
        if let Some(wwn) = ids.filter_map(|id| id.strip_prefix("wwn-")).next() {
            map.insert("wwn".to_owned(), wwn.into());
        }
        map.into()
    }

    /// What disks and partitions have alike.
    fn common(&self, links: &Links) -> Map<String, Value> {
        let of = |names: &Names| names.get(self.name).cloned().unwrap_or_default();
        let said = self.field("queue/logical_block_size");
        let sector = said.as_ref().and_then(|size| size.parse::<u64>().ok()).filter(|size| *size > 0);
        let bytes = self.pieces().saturating_mul(512);
        Map::from_iter([
            ("holders".to_owned(), self.holders().into()),
            (
                "links".to_owned(),
                json!({
                    "ids": of(&links.ids),
                    "labels": of(&links.labels),
                    "masters": of(&links.masters),
                    "uuids": of(&links.uuids),
                }),
            ),
            ("sectors".to_owned(), (bytes / sector.unwrap_or(512)).into()),
            // A text where the kernel tells it, a number where that is taken for granted: as Ansible's.
            ("sectorsize".to_owned(), said.map_or_else(|| 512.into(), Value::from)),
            ("size".to_owned(), human(bytes).into()),
        ])
    }

    fn partitions(&self, links: &Links) -> Value {
        let below = names(self.host, &self.folder);
        let parts = below.iter().filter(|name| is_partition(self.name, name));
        let parts = parts.map(|name| {
            let part = Device { host: self.host, name, folder: self.folder.join(name) };
            let mut map = part.common(links);
            let start = part.field("start").unwrap_or_else(|| "0".to_owned());
            map.insert("start".to_owned(), start.into());
            let uuid = links.uuids.get(name).and_then(|uuids| uuids.first());
            map.insert("uuid".to_owned(), uuid.cloned().into());
            (name.clone(), Value::from(map))
        });
        parts.collect()
    }

    /// What is made of it: a device of the mapper by the name that people know.
    fn holders(&self) -> Vec<String> {
        let holders = names(self.host, &self.folder.join("holders"));
        let named = |holder: String| self.field(&format!("holders/{holder}/dm/name")).unwrap_or(holder);
        holders.into_iter().map(named).collect()
    }
}

/// Whether a name in a disk's folder is that of a partition: `sda1`, `nvme0n1p1`.
fn is_partition(disk: &str, name: &str) -> bool {
    let rest = name.strip_prefix(disk).map(|rest| rest.strip_prefix('p').unwrap_or(rest));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// A size as Ansible writes it: `20.00 GB`.
#[expect(clippy::cast_precision_loss, reason = "two digits are told")]
fn human(bytes: u64) -> String {
    let units = [(4, "TB"), (3, "GB"), (2, "MB"), (1, "KB")];
    let fits = units.into_iter().find(|(power, _)| bytes >= 1024_u64.pow(*power));
    let (power, unit) = fits.unwrap_or((0, "Bytes"));
    format!("{:.2} {unit}", bytes as f64 / 1024_u64.pow(power) as f64)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::Fixture;

    /// What ansible-core 2.19 tells of the same files.
    #[test]
    fn a_disk_is_told_with_its_partitions_and_names() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        let zda = |file: &str| format!("/sys/block/zda/{file}");
        for (file, content) in [
            ("size", "41943040"), ("queue/scheduler", "none [mq-deadline] kyber"), ("queue/logical_block_size", "512"),
            ("device/model", "VMware Virtual S "), ("device/serial", "ABC123"), ("holders/zdm-9/dm/name", "vg0-root"),
            ("zda1/start", "2048"), ("zda1/size", "2095104"), ("zda2/start", "2097152"), ("zda2/size", "39843840"),
            ("zda2/queue/logical_block_size", "4096"), ("zda2/holders/zdm-0/x", ""),
        ] {
            fixture.file(&zda(file), &format!("{content}\n"));
        }
        fixture.file("/sys/block/zdm-0/slaves/zda2/x", "").file("/sys/block/zdm-0/size", "1000\n");
        fixture.link("../../zda", "/dev/disk/by-id/wwn-0x5000").link("../../zda1", "/dev/disk/by-uuid/1111-2222");
        let mut facts = Facts::new();
        fixture.on_host(|host| gather(host, &mut facts));
        let zda = &facts["devices"]["zda"];
        let told = |names: &[&str]| names.iter().map(|name| zda[*name].clone()).collect::<Vec<_>>();
        assert_eq!(
            told(&["sectors", "sectorsize", "size", "scheduler_mode", "model", "vendor", "serial", "wwn", "holders"]),
            [
                json!(41_943_040), json!("512"), json!("20.00 GB"), json!("mq-deadline"), json!("VMware Virtual S"),
                json!(null), json!("ABC123"), json!("0x5000"), json!(["vg0-root"])
            ]
        );
        assert_eq!(
            zda["partitions"]["zda1"],
            json!({
                "holders": [], "links": {"ids": [], "labels": [], "masters": [], "uuids": ["1111-2222"]},
                "sectors": 2_095_104, "sectorsize": 512, "size": "1023.00 MB", "start": "2048", "uuid": "1111-2222",
            })
        );
        let second = &zda["partitions"]["zda2"];
        assert_eq!((&second["sectors"], &second["size"]), (&json!(4_980_480), &json!("19.00 GB")));
        assert_eq!((&second["holders"], &second["links"]["masters"]), (&json!(["zdm-0"]), &json!(["zdm-0"])));
        assert_eq!(facts["device_links"]["ids"], json!({"zda": ["wwn-0x5000"]}));
    }

    #[test]
    fn sizes_are_written_with_two_digits() {
        for (bytes, text) in [(0, "0.00 Bytes"), (512, "512.00 Bytes"), (2_560_000, "2.44 MB"), (1 << 41, "2.00 TB")] {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn partitions_are_told_from_other_folders() {
        assert!(is_partition("sda", "sda1") && is_partition("nvme0n1", "nvme0n1p2"));
        assert!(!is_partition("sda", "sda") && !is_partition("sda", "queue") && !is_partition("sda", "sdap"));
    }
}
