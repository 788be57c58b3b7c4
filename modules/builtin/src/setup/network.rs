//! Interfaces and addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use rplay_api::Host;
use serde_json::{Map, Value, json};

use super::{Facts, text};

/// Addresses of one interface.
#[derive(Default)]
struct Addresses {
    v4: Vec<(Ipv4Addr, Ipv4Addr)>,
    v6: Vec<(String, u8, String)>,
}

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let mut all: BTreeMap<String, Addresses> = BTreeMap::new();
    for name in host.read_dir(Path::new("/sys/class/net")).unwrap_or_default() {
        let name = name.to_string_lossy().into_owned();
        if host.is_dir(Path::new(&format!("/sys/class/net/{name}"))).unwrap_or(false) {
            all.entry(name).or_default();
        }
    }
    for interface in if_addrs::get_if_addrs().unwrap_or_default() {
        let entry = all.entry(interface.name.clone()).or_default();
        if let if_addrs::IfAddr::V4(v4) = &interface.addr {
            entry.v4.push((v4.ip, v4.netmask));
        }
    }
    inet6(&text(host, "/proc/net/if_inet6"), &mut all);
    let (mut v4, mut v6) = (vec![], vec![]);
    for (name, addresses) in &all {
        v4.extend(addresses.v4.iter().filter(|(ip, _)| !ip.is_loopback()).map(|(ip, _)| ip.to_string()));
        v6.extend(addresses.v6.iter().filter(|(ip, ..)| ip != "::1").map(|(ip, ..)| ip.clone()));
        let key = name.replace(['-', ':', '.'], "_");
        facts.insert(key, interface(host, name, addresses));
    }
    facts.insert("interfaces".to_owned(), all.keys().cloned().collect::<Vec<_>>().into());
    facts.insert("all_ipv4_addresses".to_owned(), v4.into());
    facts.insert("all_ipv6_addresses".to_owned(), v6.into());
    facts.insert("default_ipv4".to_owned(), default_v4(host, &all));
    facts.insert("default_ipv6".to_owned(), json!({}));
}

fn interface(host: &Host, name: &str, addresses: &Addresses) -> Value {
    let field = |file: &str| text(host, &format!("/sys/class/net/{name}/{file}"));
    let mut map = Map::from_iter([
        ("device".to_owned(), Value::from(name)),
        ("macaddress".to_owned(), field("address").into()),
        ("mtu".to_owned(), field("mtu").parse::<u64>().unwrap_or(0).into()),
        ("active".to_owned(), (field("operstate") != "down").into()),
        ("type".to_owned(), (if name == "lo" { "loopback" } else { "ether" }).into()),
    ]);
    let mut v4 = addresses.v4.iter().map(|(ip, mask)| described(*ip, *mask));
    if let Some(first) = v4.next() {
        map.insert("ipv4".to_owned(), first);
        let more: Vec<Value> = v4.collect();
        if !more.is_empty() {
            map.insert("ipv4_secondaries".to_owned(), more.into());
        }
    }
    let v6 = addresses.v6.iter().map(|(ip, prefix, scope)| {
        json!({ "address": ip, "prefix": prefix.to_string(), "scope": scope })
    });
    let v6: Vec<Value> = v6.collect();
    if !v6.is_empty() {
        map.insert("ipv6".to_owned(), v6.into());
    }
    map.into()
}

fn described(ip: Ipv4Addr, mask: Ipv4Addr) -> Value {
    let (bits, mask_bits) = (u32::from(ip), u32::from(mask));
    json!({
        "address": ip.to_string(),
        "netmask": mask.to_string(),
        "network": Ipv4Addr::from(bits & mask_bits).to_string(),
        "broadcast": Ipv4Addr::from(bits | !mask_bits).to_string(),
        "prefix": mask_bits.count_ones().to_string(),
    })
}

/// /proc/net/if_inet6: address, index, prefix, scope, flags, name.
fn inet6(table: &str, all: &mut BTreeMap<String, Addresses>) {
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, _, prefix, scope, _, name] = fields.as_slice() else { continue };
        let Ok(bits) = u128::from_str_radix(address, 16) else { continue };
        let Ok(prefix) = u8::from_str_radix(prefix, 16) else { continue };
        let scope = match *scope {
            "00" => "global",
            "10" => "host",
            "20" => "link",
            "40" => "site",
            _ => "unknown",
        };
        let ip = std::net::Ipv6Addr::from(bits).to_string();
        all.entry((*name).to_owned()).or_default().v6.push((ip, prefix, scope.to_owned()));
    }
}

/// The interface and gateway of the default route, from /proc/net/route.
fn default_v4(host: &Host, all: &BTreeMap<String, Addresses>) -> Value {
    let table = text(host, "/proc/net/route");
    let route = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, "00000000", gateway, ..] = fields.as_slice() else { return None };
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        Some(((*name).to_owned(), Ipv4Addr::from(gateway.to_be())))
    });
    let Some((name, gateway)) = route else { return json!({}) };
    let Some((ip, mask)) = all.get(&name).and_then(|a| a.v4.first()) else { return json!({}) };
    let mut map = described(*ip, *mask);
    map["interface"] = name.clone().into();
    map["alias"] = name.clone().into();
    map["gateway"] = gateway.to_string().into();
    map["macaddress"] = text(host, &format!("/sys/class/net/{name}/address")).into();
    map["mtu"] = text(host, &format!("/sys/class/net/{name}/mtu")).parse::<u64>().unwrap_or(0).into();
    map["type"] = "ether".into();
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_row_is_read() {
        let mut all = BTreeMap::new();
        inet6("fe800000000000000000000000000001 02 40 20 80     eth0\n", &mut all);
        assert_eq!(all["eth0"].v6, [("fe80::1".to_owned(), 64, "link".to_owned())]);
    }

    #[test]
    fn a_network_is_computed_from_its_mask() {
        let got = described(Ipv4Addr::new(192, 168, 6, 204), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!((&got["network"], &got["prefix"]), (&json!("192.168.6.0"), &json!("24")));
    }
}
