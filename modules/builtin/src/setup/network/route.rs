//! Default routes, and the addresses that are the host's own, from the kernel's tables in /proc.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use rplay_api::Host;
use serde_json::{Value, json};

use super::text;

/// Where packets go that no other route takes.
#[derive(Debug, PartialEq)]
pub(super) struct Default {
    pub device: String,
    pub gateway: String,
}

/// A route that refuses packets.
const REJECT: u32 = 0x200;
/// A route to the host itself.
const LOCAL: u32 = 0x8000_0000;

pub(super) fn v4(host: &Host) -> Option<Default> {
    default_v4(&text(host, "/proc/net/route"))
}

pub(super) fn v6(host: &Host) -> Option<Default> {
    default_v6(&text(host, "/proc/net/ipv6_route"))
}

/// The addresses and networks that the host answers for.
pub(super) fn locally_reachable(host: &Host) -> Value {
    json!({
        "ipv4": local_v4(&text(host, "/proc/net/fib_trie")),
        "ipv6": local_v6(&text(host, "/proc/net/ipv6_route")),
    })
}

/// Of several the one with the smallest metric.
fn default_v4(table: &str) -> Option<Default> {
    let rows = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [device, "00000000", gateway, flags, _, _, metric, "00000000", ..] = fields.as_slice() else {
            return None;
        };
        let refuses = u32::from_str_radix(flags, 16).ok()? & REJECT != 0;
        let gateway = u32::from_str_radix(gateway, 16).ok()?;
        let gateway = Ipv4Addr::from(gateway.to_be()).to_string();
        let route = Default { device: (*device).to_owned(), gateway };
        (!refuses).then_some((metric.parse::<u32>().ok()?, route))
    });
    rows.min_by_key(|(metric, _)| *metric).map(|(_, route)| route)
}

fn default_v6(table: &str) -> Option<Default> {
    let rows = v6_rows(table).filter(|row| row.prefix == 0 && row.flags & REJECT == 0 && row.device != "lo");
    let row = rows.min_by_key(|row| row.metric)?;
    let gateway = if row.gateway.is_unspecified() { String::new() } else { row.gateway.to_string() };
    Some(Default { device: row.device.to_owned(), gateway })
}

struct V6Row<'a> {
    to: Ipv6Addr,
    prefix: u8,
    gateway: Ipv6Addr,
    metric: u32,
    flags: u32,
    device: &'a str,
}

/// Destination, prefix, source, its prefix, next hop, metric, two counts, flags, device.
fn v6_rows(table: &str) -> impl Iterator<Item = V6Row<'_>> {
    let ip = |hex: &str| Some(Ipv6Addr::from(u128::from_str_radix(hex, 16).ok()?));
    table.lines().filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [to, prefix, _, _, gateway, metric, _, _, flags, device] = fields.as_slice() else { return None };
        Some(V6Row {
            to: ip(to)?,
            prefix: u8::from_str_radix(prefix, 16).ok()?,
            gateway: ip(gateway)?,
            metric: u32::from_str_radix(metric, 16).ok()?,
            flags: u32::from_str_radix(flags, 16).ok()?,
            device,
        })
    })
}

/// Lines `|-- ADDRESS`, and under each what routes there are to it: `/PREFIX host LOCAL`.
fn local_v4(trie: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut address = "";
    for line in trie.lines().map(str::trim) {
        if let Some(leaf) = line.strip_prefix("|-- ") {
            address = leaf;
        } else if let Some(prefix) = line.strip_suffix(" host LOCAL") {
            let whole = if prefix == "/32" { address.to_owned() } else { format!("{address}{prefix}") };
            found.insert(whole);
        }
    }
    found
}

fn local_v6(table: &str) -> Vec<String> {
    let local = v6_rows(table).filter(|row| row.flags & LOCAL != 0 && row.prefix == 128);
    local.map(|row| row.to.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_with_the_smallest_metric_is_taken() {
        let table = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n\
            eth1 00000000 0100000A 0003 0 0 200 00000000 0 0 0\n\
            eth0 00000000 0106A8C0 0003 0 0 100 00000000 0 0 0\n\
            eth0 0006A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n";
        let want = Default { device: "eth0".into(), gateway: "192.168.6.1".into() };
        assert_eq!(default_v4(table), Some(want));
        let zero = "0".repeat(32);
        let refused = format!("{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 00200200 lo\n");
        assert_eq!(default_v6(&refused), None);
        let gateway = "fd000001000000000000000000000009";
        let good = format!("{refused}{zero} 00 {zero} 00 {gateway} 00000400 00000002 00000000 00000003 br0\n");
        let want = Default { device: "br0".into(), gateway: "fd00:1::9".into() };
        assert_eq!(default_v6(&good), Some(want));
    }

    #[test]
    fn the_hosts_own_addresses_are_read_from_the_trie() {
        let trie = "Local:\n  +-- 127.0.0.0/8 2 0 2\n     |-- 127.0.0.0\n        /8 host LOCAL\n     \
            |-- 127.0.0.1\n        /32 host LOCAL\n  |-- 10.0.0.0\n     /24 link UNICAST\n";
        let want: BTreeSet<String> = ["127.0.0.0/8".into(), "127.0.0.1".into()].into();
        assert_eq!(local_v4(trie), want);
    }
}
