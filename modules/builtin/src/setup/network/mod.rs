//! Interfaces, addresses and the way out.
//!
//! Everything is read from the kernel: no program is run for it, so that it needs no iproute2.

mod device;
mod route;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use rplay_api::Host;
use serde_json::{Map, Value, json};

use super::{Facts, text};

/// An IPv4 address with its mask and, where one is set, its broadcast address.
#[derive(Debug, Clone, Copy, PartialEq)]
struct V4 {
    ip: Ipv4Addr,
    mask: Ipv4Addr,
    broadcast: Option<Ipv4Addr>,
}

/// An IPv6 address.
#[derive(Debug, Clone, PartialEq)]
struct V6 {
    ip: Ipv6Addr,
    prefix: u8,
    scope: &'static str,
}

/// Addresses by interface, in the kernel's order.
#[derive(Default)]
struct Addresses {
    /// The second is the address' label: the interface's name, or that with `:` and more.
    v4: Vec<(V4, String)>,
    v6: Vec<(V6, String)>,
}

impl Addresses {
    fn read(host: &Host) -> Self {
        let mut all = Self::default();
        for interface in if_addrs::get_if_addrs().unwrap_or_default() {
            if let if_addrs::IfAddr::V4(v4) = &interface.addr {
                // Where none is set the C library gives the address itself.
                let broadcast = v4.broadcast.filter(|ip| *ip != v4.ip);
                let address = V4 { ip: v4.ip, mask: v4.netmask, broadcast };
                all.v4.push((address, interface.name));
            }
        }
        all.v6 = inet6(&text(host, "/proc/net/if_inet6"));
        all
    }

    fn v4_of<'a>(&'a self, device: &'a str) -> impl Iterator<Item = &'a V4> + 'a {
        let own = self.v4.iter().filter(move |(_, label)| device_of(label) == device);
        own.map(|(address, _)| address)
    }

    fn v6_of<'a>(&'a self, device: &'a str) -> impl Iterator<Item = &'a V6> + 'a {
        self.v6.iter().filter(move |(_, name)| name == device).map(|(address, _)| address)
    }
}

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let addresses = Addresses::read(host);
    let mut all = device::all(host);
    name_v4(&addresses, &mut all);
    for (address, name) in &addresses.v6 {
        let entry = all.entry(name.clone()).or_default();
        push(entry, "ipv6", v6_described(address));
    }
    let v4 = addresses.v4.iter().map(|(address, _)| address.ip).filter(|ip| !ip.is_loopback());
    let v6 = addresses.v6.iter().map(|(address, _)| address.ip).filter(|ip| !ip.is_loopback());
    facts.insert("all_ipv4_addresses".to_owned(), v4.map(|ip| ip.to_string()).collect());
    facts.insert("all_ipv6_addresses".to_owned(), v6.map(|ip| ip.to_string()).collect());
    let (v4, v6) = (route::v4(host), route::v6(host));
    facts.insert("default_ipv4".to_owned(), way_out(v4, &all, |device| {
        addresses.v4_of(device).next().map(v4_described)
    }));
    facts.insert("default_ipv6".to_owned(), way_out(v6, &all, |device| {
        let mut own: Vec<&V6> = addresses.v6_of(device).collect();
        own.sort_by_key(|address| address.scope != "global");
        own.first().map(|address| v6_described(address))
    }));
    facts.insert("locally_reachable_ips".to_owned(), route::locally_reachable(host));
    let key = |name: &str| name.replace(['-', ':', '.'], "_");
    facts.insert("interfaces".to_owned(), all.keys().map(|name| name.replace(':', "_")).collect());
    facts.extend(all.into_iter().map(|(name, map)| (key(&name), Value::Object(map))));
}

/// The first address of a name is its own, what follows are its secondaries; what the kernel holds
/// for a second one of the same network is a secondary of the device too, whatever its label.
fn name_v4(addresses: &Addresses, all: &mut BTreeMap<String, Map<String, Value>>) {
    for (n, (address, label)) in addresses.v4.iter().enumerate() {
        let device = device_of(label);
        let is_secondary = addresses.v4[..n].iter().any(|(other, name)| {
            device_of(name) == device && other.mask == address.mask && network(other) == network(address)
        });
        let entry = all.entry(label.clone()).or_default();
        if is_secondary || entry.contains_key("ipv4") {
            push(entry, "ipv4_secondaries", v4_described(address));
        } else {
            entry.insert("ipv4".to_owned(), v4_described(address));
        }
        if is_secondary && device != label {
            push(all.entry(device.to_owned()).or_default(), "ipv4_secondaries", v4_described(address));
        }
    }
}

fn push(map: &mut Map<String, Value>, key: &str, value: Value) {
    if let Value::Array(list) = map.entry(key).or_insert_with(|| json!([])) {
        list.push(value);
    }
}

/// The device that an address with this label is on.
fn device_of(label: &str) -> &str {
    label.split(':').next().unwrap_or(label)
}

fn network(address: &V4) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address.ip) & u32::from(address.mask))
}

fn v4_described(address: &V4) -> Value {
    json!({
        "address": address.ip.to_string(),
        "netmask": address.mask.to_string(),
        "network": network(address).to_string(),
        "broadcast": address.broadcast.map(|ip| ip.to_string()).unwrap_or_default(),
        "prefix": u32::from(address.mask).count_ones().to_string(),
    })
}

fn v6_described(address: &V6) -> Value {
    json!({
        "address": address.ip.to_string(),
        "prefix": address.prefix.to_string(),
        "scope": address.scope,
    })
}

/// /proc/net/if_inet6: address, index, prefix, scope, flags, name.
fn inet6(table: &str) -> Vec<(V6, String)> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, scope, _, name] = fields.as_slice() else { return None };
        let ip = Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?);
        let prefix = u8::from_str_radix(prefix, 16).ok()?;
        let scope = match *scope {
            "00" => "global",
            "10" => "host",
            "20" => "link",
            "40" => "site",
            _ => "unknown",
        };
        Some((V6 { ip, prefix, scope }, (*name).to_owned()))
    };
    table.lines().filter_map(row).collect()
}

/// A default route with the address and the device that it goes out by.
fn way_out(
    route: Option<route::Default>,
    all: &BTreeMap<String, Map<String, Value>>,
    address: impl Fn(&str) -> Option<Value>,
) -> Value {
    let Some(route) = route else { return json!({}) };
    let Some(Value::Object(mut map)) = address(&route.device) else { return json!({}) };
    map.insert("gateway".to_owned(), route.gateway.into());
    map.insert("interface".to_owned(), route.device.clone().into());
    if map.contains_key("netmask") {
        map.insert("alias".to_owned(), route.device.clone().into());
    }
    let device = all.get(&route.device);
    for key in ["macaddress", "mtu", "type"] {
        let value = device.and_then(|device| device.get(key));
        map.extend(value.map(|value| (key.to_owned(), value.clone())));
    }
    map.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(ip: &str, mask: &str) -> V4 {
        V4 { ip: ip.parse().unwrap(), mask: mask.parse().unwrap(), broadcast: None }
    }

    #[test]
    fn an_ipv6_row_is_read() {
        let all = inet6("fe800000000000000000000000000001 02 40 20 80     eth0\n");
        let want = V6 { ip: "fe80::1".parse().unwrap(), prefix: 64, scope: "link" };
        assert_eq!(all, [(want, "eth0".to_owned())]);
    }

    #[test]
    fn a_network_is_computed_from_its_mask_and_a_broadcast_is_told_where_one_is_set() {
        let mut address = v4("192.168.6.204", "255.255.255.0");
        let got = v4_described(&address);
        assert_eq!((&got["network"], &got["prefix"]), (&json!("192.168.6.0"), &json!("24")));
        assert_eq!(got["broadcast"], "");
        address.broadcast = Some("192.168.6.255".parse().unwrap());
        assert_eq!(v4_described(&address)["broadcast"], "192.168.6.255");
    }

    #[test]
    fn further_addresses_are_secondaries_and_labels_have_their_own() {
        let addresses = Addresses {
            v4: vec![
                (v4("10.9.9.1", "255.255.255.0"), "br0".into()),
                (v4("100.1.1.1", "255.255.255.255"), "br0".into()),
                (v4("10.9.9.2", "255.255.255.0"), "br0:x".into()),
                (v4("10.8.8.1", "255.255.255.0"), "br0:y".into()),
            ],
            v6: vec![],
        };
        let mut all = BTreeMap::new();
        name_v4(&addresses, &mut all);
        let listed = |value: &Value| -> Vec<String> {
            let list = value.as_array().unwrap().iter();
            list.map(|one| one["address"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(all["br0"]["ipv4"]["address"], "10.9.9.1");
        assert_eq!(listed(&all["br0"]["ipv4_secondaries"]), ["100.1.1.1", "10.9.9.2"]);
        assert_eq!(listed(&all["br0:x"]["ipv4_secondaries"]), ["10.9.9.2"]);
        assert_eq!(all["br0:y"]["ipv4"]["address"], "10.8.8.1");
    }
}
