//! Processors, memory and mounts.

use std::path::Path;

use indexmap::IndexMap;
use rplay_api::Host;
use serde_json::{Value, json};

use super::{Facts, text};
use crate::mount_table::{Mount, device_uuids, sizes, unescape};
use crate::path_info;

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    memory(host, facts);
    processors(host, facts);
    let uptime = text(host, "/proc/uptime");
    let seconds = uptime.split('.').next().and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
    facts.insert("uptime_seconds".to_owned(), seconds.into());
    facts.insert("mounts".to_owned(), mounts(host));
    for (name, file) in [
        ("system_vendor", "sys_vendor"),
        ("product_name", "product_name"),
        ("product_version", "product_version"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("bios_version", "bios_version"),
        ("bios_vendor", "bios_vendor"),
        ("bios_date", "bios_date"),
        ("board_asset_tag", "board_asset_tag"),
        ("board_name", "board_name"),
        ("board_serial", "board_serial"),
        ("board_vendor", "board_vendor"),
        ("board_version", "board_version"),
        ("chassis_asset_tag", "chassis_asset_tag"),
        ("chassis_serial", "chassis_serial"),
        ("chassis_vendor", "chassis_vendor"),
        ("chassis_version", "chassis_version"),
        ("form_factor", "chassis_type"),
    ] {
        let value = text(host, &format!("/sys/class/dmi/id/{file}"));
        let value = if value.is_empty() { "NA".to_owned() } else { value };
        facts.insert(name.to_owned(), value.into());
    }
}

/// How busy the host is.
pub(super) fn load(host: &Host, facts: &mut Facts) {
    let load = text(host, "/proc/loadavg");
    let load: Vec<f64> = load.split_whitespace().take(3).filter_map(|w| w.parse().ok()).collect();
    if let [one, five, fifteen] = load.as_slice() {
        facts.insert("loadavg".to_owned(), json!({ "1m": one, "5m": five, "15m": fifteen }));
    }
}

fn memory(host: &Host, facts: &mut Facts) {
    let info = text(host, "/proc/meminfo");
    let mb = |name: &str| -> u64 {
        let line = info.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
    };
    let (total, free) = (mb("MemTotal"), mb("MemFree"));
    let (buffers, cached) = (mb("Buffers"), mb("Cached"));
    let (swap_total, swap_free) = (mb("SwapTotal"), mb("SwapFree"));
    let no_cache = total.saturating_sub(free + buffers + cached);
    facts.insert("memtotal_mb".to_owned(), total.into());
    facts.insert("memfree_mb".to_owned(), free.into());
    facts.insert("swaptotal_mb".to_owned(), swap_total.into());
    facts.insert("swapfree_mb".to_owned(), swap_free.into());
    facts.insert(
        "memory_mb".to_owned(),
        json!({
            "real": { "total": total, "used": total.saturating_sub(free), "free": free },
            "nocache": { "free": total.saturating_sub(no_cache), "used": no_cache },
            "swap": {
                "total": swap_total,
                "free": swap_free,
                "used": swap_total.saturating_sub(swap_free),
                "cached": mb("SwapCached"),
            },
        }),
    );
}

fn processors(host: &Host, facts: &mut Facts) {
    let info = text(host, "/proc/cpuinfo");
    let values = |key: &str| -> Vec<String> {
        let lines = info.lines().filter_map(|l| {
            let (name, value) = l.split_once(':')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        });
        lines.collect()
    };
    let threads = values("processor").len().max(1);
    let mut sockets = values("physical id");
    sockets.sort();
    sockets.dedup();
    let count = sockets.len().max(1);
    let cores: usize = values("cpu cores").first().and_then(|c| c.parse().ok()).unwrap_or(threads / count).max(1);
    let mut list: Vec<String> = vec![];
    let (vendors, models) = (values("vendor_id"), values("model name"));
    for index in 0..threads {
        list.push(index.to_string());
        list.extend(vendors.get(index).cloned());
        list.extend(models.get(index).cloned());
    }
    let flags = values("flags").into_iter().chain(values("Features")).next().unwrap_or_default();
    let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
    facts.insert("flags".to_owned(), flags.into());
    let per_core = (threads / (count * cores)).max(1);
    facts.insert("processor".to_owned(), list.into());
    facts.insert("processor_count".to_owned(), count.into());
    facts.insert("processor_cores".to_owned(), cores.into());
    facts.insert("processor_threads_per_core".to_owned(), per_core.into());
    facts.insert("processor_vcpus".to_owned(), threads.into());
    let usable = std::thread::available_parallelism().map_or(threads, usize::from);
    facts.insert("processor_nproc".to_owned(), usable.into());
}

/// Mounted file systems that have a device, as Ansible lists them: one a place, the last that was mounted
/// there.
fn mounts(host: &Host) -> Value {
    let bound = bound(host);
    let uuids = device_uuids(host);
    let table = text(host, "/proc/self/mounts");
    let mut rows: IndexMap<String, Value> = IndexMap::new();
    for mount in table.lines().filter_map(Mount::parse) {
        let device = mount.device.as_str();
        if !(device.starts_with('/') || device.contains(":/")) || mount.kind == "none" {
            continue;
        }
        let real = path_info::real_path(host, Path::new(device)).ok();
        let uuid = uuids.iter().find(|(path, _)| Some(path) == real.as_ref());
        let options = match bound.contains(&mount.point) {
            true => format!("{},bind", mount.options),
            false => mount.options.clone(),
        };
        let mut row = json!({
            "device": mount.device,
            "mount": mount.point,
            "fstype": mount.kind,
            "options": options,
            "uuid": uuid.map_or("N/A", |(_, uuid)| uuid),
            "dump": mount.dump.unwrap_or(0),
            "passno": mount.pass.unwrap_or(0),
        });
        if let (Some(sizes), Value::Object(row)) = (sizes(&mount.point), &mut row) {
            row.extend(sizes);
        }
        rows.insert(mount.point, row);
    }
    rows.into_values().collect()
}

/// The places where a part of a file system is mounted, and not the whole of it.
fn bound(host: &Host) -> Vec<String> {
    let table = text(host, "/proc/self/mountinfo");
    let rows = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(3);
        let (root, point) = (words.next()?, words.next()?);
        (root != "/").then(|| unescape(point))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::Fixture;

    /// As ansible-core 2.19 lists them: neither `tmpfs` nor `overlay`, and the last mount of a place.
    #[test]
    fn mounts_are_those_of_devices_and_servers() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/proc/self/mounts", "overlay / overlay rw 0 0\n/dev/a / ext4 ro 0 0\ntmpfs /tmp tmpfs rw 0 0\nsrv:/x /no/n nfs rw 0 0\n/dev/a /no/a\\040b ext4 rw 0 0\n/dev/b / ext4 rw 1 2\n");
        fixture.file("/proc/self/mountinfo", "30 1 8:1 / / rw - ext4 /dev/b rw\n31 30 8:1 /sub /no/a\\040b rw shared:1 - ext4 /dev/a rw\n");
        fixture.file("/dev/b", "").link("../../b", "/dev/disk/by-uuid/12-34");
        let mounts = fixture.on_host(mounts);
        let told = |name: &str| mounts.as_array().unwrap().iter().map(|row| row[name].clone()).collect::<Vec<_>>();
        assert_eq!(told("mount"), ["/", "/no/n", "/no/a b"]);
        assert_eq!(told("device"), ["/dev/b", "srv:/x", "/dev/a"]);
        assert_eq!(told("options"), ["rw", "rw", "rw,bind"]);
        assert_eq!(told("uuid"), ["12-34", "N/A", "N/A"]);
        assert_eq!(told("passno"), [2, 0, 0]);
    }
}
