//! What `ipaddr` is asked of an address.

use minijinja::{Error, Value};

use super::net::Net;
use crate::python::wrong;

/// An address that was asked about.
pub(super) struct Asked {
    pub net: Net,
    /// It came with a prefix.
    pub with_prefix: bool,
    /// As it was written.
    pub written: String,
}

/// Nothing comes of it.
fn none() -> Value {
    Value::from(())
}

/// The value where that holds.
fn when(holds: bool, value: impl FnOnce() -> String) -> Value {
    if holds { value().into() } else { none() }
}

impl Asked {
    /// What a query gives.
    ///
    /// # Errors
    /// There is no such query, or no answer to it.
    pub(super) fn answer(&self, query: &Value) -> Result<Value, Error> {
        if let Some(at) = number(query) {
            return Ok(self.nth(at));
        }
        let word = query.as_str().unwrap_or_default();
        if let Some(within) = Net::parse(word) {
            return Ok(when(within.holds(self.net), || self.written.clone()));
        }
        match self.of_form(word) {
            Some(value) => Ok(value),
            None => match self.of_class(word) {
                Some(value) => Ok(value),
                None => self.of_neighbours(word),
            },
        }
    }

    fn nth(&self, at: i128) -> Value {
        let net = self.net;
        match (self.with_prefix, net.is_single()) {
            (false, _) => net.address().into(),
            (_, true) => self.written.as_str().into(),
            _ => match net.nth(at) {
                Some(ip) => Net { ip, ..net }.cidr().into(),
                None => false.into(),
            },
        }
    }

    /// Queries for a form of the address or a part of it.
    fn of_form(&self, query: &str) -> Option<Value> {
        let net = self.net;
        // One that a host has, and not the network's own.
        let is_hosts = net.is_single() || net.is_pair() || net.ip != net.first();
        let with_prefix = is_hosts && !net.is_single();
        Some(match query {
            "" if self.with_prefix => net.cidr().into(),
            "" => net.address().into(),
            "bool" => true.into(),
            "version" => if net.v6 { 6 } else { 4 }.into(),
            "type" => if net.is_network() {
                "network"
            } else {
                "address"
            }
            .into(),
            // Of IPv6 a network's own address is one that hosts have.
            "address" | "ip" => when(is_hosts || net.v6, || net.address()),
            "host" => when(is_hosts, || net.cidr()),
            "host/prefix" | "hostnet" | "address/prefix" | "gateway" | "gw" | "router" => {
                match net.is_single() || net.is_usable(net.ip) {
                    true => net.cidr().into(),
                    false => false.into(),
                }
            }
            "ip/prefix" => when(with_prefix, || net.cidr()),
            "ip_netmask" => when(with_prefix, || {
                format!("{} {}", net.address(), net.shown(net.mask()))
            }),
            "net" => when(net.is_network(), || net.cidr()),
            "network" | "network_id" => net.network().address().into(),
            "network/prefix" | "subnet" => net.network().cidr().into(),
            "network_netmask" => {
                format!("{} {}", net.network().address(), net.shown(net.mask())).into()
            }
            "network_wildcard" => {
                format!("{} {}", net.network().address(), net.shown(net.host_mask())).into()
            }
            "cidr" => net.cidr().into(),
            "netmask" => net.shown(net.mask()).into(),
            "hostmask" | "wildcard" => net.shown(net.host_mask()).into(),
            "prefix" => net.prefix.into(),
            "broadcast" => when(!net.is_single() && !net.is_pair(), || net.shown(net.last())),
            // All of IPv6 are one more than can be counted here.
            "size" => net
                .host_mask()
                .checked_add(1)
                .map_or_else(|| 2_f64.powi(128).into(), Value::from),
            "int" if self.with_prefix => format!("{}/{}", net.ip, net.prefix).into(),
            "int" => Value::from(net.ip),
            "revdns" => reverse(net).into(),
            "ipv4" => self.as_v4(),
            "ipv6" if net.v6 => self.written.as_str().into(),
            "ipv6" => format!("::ffff:{}/{}", net.address(), net.prefix + 96).into(),
            "6to4" => self.six_to_four(),
            _ => return None,
        })
    }

    /// Queries for addresses of a class: those that are none of it give nothing.
    fn of_class(&self, query: &str) -> Option<Value> {
        let net = self.net;
        let holds = match query {
            "private" => net.is_private(),
            "public" => !net.is_multicast() && !net.is_private(),
            "unicast" => !net.is_multicast(),
            "multicast" => net.is_multicast(),
            "link-local" => net.is_in(&["169.254.0.0/16", "fe80::/10"]),
            "loopback" | "lo" => net.is_in(&["127.0.0.0/8", "::1"]),
            _ => return None,
        };
        Some(when(holds, || self.written.clone()))
    }

    /// Queries for other addresses of the network.
    fn of_neighbours(&self, query: &str) -> Result<Value, Error> {
        if ![
            "first_usable",
            "last_usable",
            "range_usable",
            "next_usable",
            "previous_usable",
            "peer",
        ]
        .contains(&query)
        {
            return Err(wrong(format!("ipaddr: unknown filter type: {query}")));
        }
        if !self.with_prefix {
            return Err(wrong("Not a network address"));
        }
        let net = self.net;
        let beside = |by: i128| {
            let ip = net.moved(by).filter(|ip| net.is_usable(*ip));
            ip.map_or_else(none, |ip| net.shown(ip).into())
        };
        let (first, last) = match net.usable() {
            Some((first, last)) => (net.shown(first), net.shown(last)),
            None if query == "peer" => (String::new(), String::new()),
            None => return Ok(none()),
        };
        Ok(match query {
            "first_usable" => first.into(),
            "last_usable" => last.into(),
            "range_usable" => format!("{first}-{last}").into(),
            "next_usable" => beside(1),
            "previous_usable" => beside(-1),
            _ => self.peer()?,
        })
    }

    /// The host at the other end.
    fn peer(&self) -> Result<Value, Error> {
        let net = self.net;
        if net.is_pair() {
            return Ok(net.shown(net.ip ^ 1).into());
        }
        if net.prefix + 2 != net.bits() {
            return Err(wrong("Not a point-to-point network"));
        }
        match net.ip & 3 {
            0 => Err(wrong("Network address of /30 has no peer")),
            3 => Err(wrong("Broadcast address of /30 has no peer")),
            _ => Ok(net.shown(net.ip ^ 3).into()),
        }
    }

    fn as_v4(&self) -> Value {
        let net = self.net;
        if !net.v6 {
            return self.written.as_str().into();
        }
        let is_mapped = net.ip >> 32 == 0xffff || net.ip >> 32 == 0;
        match net.prefix.checked_sub(96).filter(|_| is_mapped) {
            Some(prefix) => Net {
                v6: false,
                ip: net.ip & 0xffff_ffff,
                prefix,
            }
            .cidr()
            .into(),
            None => false.into(),
        }
    }

    fn six_to_four(&self) -> Value {
        let net = self.net;
        if net.v6 {
            return match net.ip >> 112 == 0x2002 {
                true => self.written.as_str().into(),
                false => false.into(),
            };
        }
        if net.is_multicast() || net.is_network() {
            return false.into();
        }
        format!("2002:{:04x}:{:04x}::1/48", net.ip >> 16, net.ip & 0xffff).into()
    }
}

/// A number, also one that is written.
pub(super) fn number(value: &Value) -> Option<i128> {
    if value.is_integer() {
        return i128::try_from(value.clone()).ok();
    }
    value.as_str()?.parse().ok()
}

/// An address' name for a look-up from addresses to names.
fn reverse(net: Net) -> String {
    if net.v6 {
        let digits: Vec<String> = (0..32)
            .map(|at| format!("{:x}", net.ip >> (4 * at) & 0xf))
            .collect();
        return format!("{}.ip6.arpa.", digits.join("."));
    }
    let parts: Vec<String> = (0..4)
        .map(|at| (net.ip >> (8 * at) & 0xff).to_string())
        .collect();
    format!("{}.in-addr.arpa.", parts.join("."))
}
