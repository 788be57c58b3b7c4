//! Network devices, as /sys/class/net tells of them.

use std::collections::BTreeMap;
use std::path::Path;

use rplay_api::Host;
use serde_json::{Map, Value};

use super::text;

const CLASS: &str = "/sys/class/net";

/// The flag of a device that takes every packet.
const PROMISCUOUS: u32 = 0x100;

/// Every device by its name.
pub(super) fn all(host: &Host) -> BTreeMap<String, Map<String, Value>> {
    let names = host.read_dir(Path::new(CLASS)).unwrap_or_default();
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    // Some files there are no devices.
    let devices = names.filter(|name| host.is_dir(&Path::new(CLASS).join(name)).unwrap_or(false));
    devices.map(|name| (name.clone(), Device { host, name: &name }.facts())).collect()
}

struct Device<'a> {
    host: &'a Host<'a>,
    name: &'a str,
}

impl Device<'_> {
    fn facts(&self) -> Map<String, Value> {
        let mut map = Map::from_iter([
            ("device".to_owned(), Value::from(self.name)),
            ("active".to_owned(), (self.field("operstate") != "down").into()),
            ("type".to_owned(), self.kind().into()),
        ]);
        let mut set = |key: &str, value: Value| {
            map.insert(key.to_owned(), value);
        };
        let mac = self.field("address");
        if !mac.is_empty() && mac != "00:00:00:00:00:00" {
            set("macaddress", mac.into());
        }
        if let Ok(mtu) = self.field("mtu").parse::<u64>() {
            set("mtu", mtu.into());
        }
        // A device that is down has no speed to tell.
        if let Ok(speed) = self.field("speed").parse::<i64>() {
            set("speed", speed.into());
        }
        let flags = self.field("flags");
        if let Ok(flags) = u32::from_str_radix(flags.trim_start_matches("0x"), 16) {
            set("promisc", (flags & PROMISCUOUS != 0).into());
        }
        if let Some(module) = self.link("device/driver/module") {
            set("module", module.into());
        }
        if let Some(id) = self.link("device") {
            set("pciid", id.into());
        }
        if self.is_bridge() {
            set("interfaces", self.names("brif").into());
            set("id", self.field("bridge/bridge_id").into());
            set("stp", (self.field("bridge/stp_state") == "1").into());
        }
        if self.is_bond() {
            for (fact, file) in [("mode", "mode"), ("miimon", "miimon"), ("lacp_rate", "lacp_rate"), ("primary", "primary")] {
                let value = self.field(&format!("bonding/{file}"));
                let value = value.split_whitespace().next().unwrap_or_default().to_owned();
                set(fact, value.into());
            }
            let slaves = self.field("bonding/slaves");
            set("slaves", slaves.split_whitespace().map(str::to_owned).collect());
            set("all_slaves_active", (self.field("bonding/all_slaves_active") == "1").into());
        }
        map
    }

    fn kind(&self) -> &'static str {
        match self.field("type").as_str() {
            _ if self.is_bridge() => "bridge",
            _ if self.is_bond() => "bonding",
            "1" => "ether",
            "32" => "infiniband",
            "512" => "ppp",
            "772" => "loopback",
            "65534" => "tunnel",
            _ => "unknown",
        }
    }

    fn is_bridge(&self) -> bool {
        self.host.is_dir(&self.path("bridge")).unwrap_or(false)
    }

    fn is_bond(&self) -> bool {
        self.host.is_dir(&self.path("bonding")).unwrap_or(false)
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        Path::new(CLASS).join(self.name).join(file)
    }

    fn field(&self, file: &str) -> String {
        text(self.host, &self.path(file).to_string_lossy())
    }

    /// The last part of what a link names.
    fn link(&self, file: &str) -> Option<String> {
        let to = self.host.read_link(&self.path(file)).ok()?;
        Some(to.file_name()?.to_string_lossy().into_owned())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let names = self.host.read_dir(&self.path(folder)).unwrap_or_default();
        names.iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }
}
