//! Processors, memory, disks and mounts.

use std::path::Path;

use rplay_api::Host;
use serde_json::{Map, Value, json};

use super::{Facts, text};
use crate::mount_table::{Mount, sizes};

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    memory(host, facts);
    processors(host, facts);
    let uptime = text(host, "/proc/uptime");
    let seconds = uptime.split('.').next().and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
    facts.insert("uptime_seconds".to_owned(), seconds.into());
    let load: Vec<f64> =
        text(host, "/proc/loadavg").split_whitespace().take(3).filter_map(|w| w.parse().ok()).collect();
    if let [one, five, fifteen] = load.as_slice() {
        facts.insert("loadavg".to_owned(), json!({ "1m": one, "5m": five, "15m": fifteen }));
    }
    facts.insert("mounts".to_owned(), mounts(host));
    facts.insert("devices".to_owned(), devices(host));
    for (name, file) in [
        ("system_vendor", "sys_vendor"),
        ("product_name", "product_name"),
        ("product_version", "product_version"),
        ("product_serial", "product_serial"),
        ("product_uuid", "product_uuid"),
        ("bios_version", "bios_version"),
        ("bios_vendor", "bios_vendor"),
        ("bios_date", "bios_date"),
        ("board_name", "board_name"),
        ("board_vendor", "board_vendor"),
        ("form_factor", "chassis_type"),
    ] {
        let value = text(host, &format!("/sys/class/dmi/id/{file}"));
        let value = if value.is_empty() { "NA".to_owned() } else { value };
        facts.insert(name.to_owned(), value.into());
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
    let per_core = (threads / (count * cores)).max(1);
    facts.insert("processor".to_owned(), list.into());
    facts.insert("processor_count".to_owned(), count.into());
    facts.insert("processor_cores".to_owned(), cores.into());
    facts.insert("processor_threads_per_core".to_owned(), per_core.into());
    facts.insert("processor_vcpus".to_owned(), threads.into());
    let usable = std::thread::available_parallelism().map_or(threads, usize::from);
    facts.insert("processor_nproc".to_owned(), usable.into());
}

/// Mounted file systems that have a device or a size, as Ansible lists them.
fn mounts(host: &Host) -> Value {
    let table = text(host, "/proc/self/mounts");
    let rows = table.lines().filter_map(Mount::parse).filter_map(|mount| {
        let device = mount.device.as_str();
        let real = device.starts_with('/') || device.contains(":/") || mount.kind == "zfs";
        if !real && !matches!(mount.kind.as_str(), "tmpfs" | "overlay" | "btrfs" | "xfs" | "ext4") {
            return None;
        }
        let mut row = json!({
            "device": mount.device,
            "mount": mount.point,
            "fstype": mount.kind,
            "options": mount.options,
        });
        if let (Some(sizes), Value::Object(row)) = (sizes(&mount.point), &mut row) {
            row.extend(sizes);
        }
        Some(row)
    });
    rows.collect()
}

fn devices(host: &Host) -> Value {
    let mut all = Map::new();
    for name in host.read_dir(Path::new("/sys/block")).unwrap_or_default() {
        let name = name.to_string_lossy().into_owned();
        let base = format!("/sys/block/{name}");
        let field = |file: &str| text(host, &format!("{base}/{file}"));
        let sectors = field("size");
        all.insert(
            name,
            json!({
                "model": field("device/model"),
                "vendor": field("device/vendor"),
                "removable": field("removable"),
                "rotational": field("queue/rotational"),
                "sectors": sectors,
                "sectorsize": field("queue/hw_sector_size"),
            }),
        );
    }
    all.into()
}
