//! An address of IPv4 or IPv6 with the length of its network's prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address in a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Net {
    pub v6: bool,
    pub ip: u128,
    pub prefix: u8,
}

impl Net {
    /// `10.0.0.1`, `10.0.0.1/8`, `10.0.0.1/255.0.0.0`, `10.0.0.1/0.255.255.255`, `2001:db8::1/64`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (ip, prefix) = match text.split_once('/') {
            Some((ip, prefix)) => (ip, Some(prefix)),
            None => (text, None),
        };
        let net = match ip.parse().ok()? {
            IpAddr::V4(ip) => Self {
                v6: false,
                ip: u32::from(ip).into(),
                prefix: 32,
            },
            IpAddr::V6(ip) => Self {
                v6: true,
                ip: ip.into(),
                prefix: 128,
            },
        };
        let prefix = match prefix {
            None => net.prefix,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(mask) => net.prefix_of_mask(mask)?,
        };
        (prefix <= net.bits()).then_some(Self { prefix, ..net })
    }

    /// The prefix that a mask means, of the network or of its hosts.
    fn prefix_of_mask(self, mask: &str) -> Option<u8> {
        let mask = Self::parse(mask).filter(|mask| mask.v6 == self.v6)?.ip;
        (0..=self.bits()).find(|prefix| {
            let net = Self {
                prefix: *prefix,
                ..self
            };
            net.mask() == mask || net.host_mask() == mask
        })
    }

    /// An address as a number: one of IPv4 where it can be.
    pub(super) fn of_number(number: u128) -> Self {
        let v6 = number > u32::MAX.into();
        Self {
            v6,
            ip: number,
            prefix: if v6 { 128 } else { 32 },
        }
    }

    pub(super) fn bits(self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// All addresses of this kind.
    fn all(self) -> u128 {
        if self.v6 { u128::MAX } else { u32::MAX.into() }
    }

    pub(super) fn host_mask(self) -> u128 {
        self.all().checked_shr(self.prefix.into()).unwrap_or(0)
    }

    pub(super) fn mask(self) -> u128 {
        self.all() ^ self.host_mask()
    }

    pub(super) fn first(self) -> u128 {
        self.ip & self.mask()
    }

    pub(super) fn last(self) -> u128 {
        self.ip | self.host_mask()
    }

    /// Whether it is one address, and not one of several.
    pub(super) fn is_single(self) -> bool {
        self.prefix == self.bits()
    }

    /// Whether it is one end of a line between two hosts.
    pub(super) fn is_pair(self) -> bool {
        self.prefix + 1 == self.bits()
    }

    /// Whether it is a network's own address.
    pub(super) fn is_network(self) -> bool {
        !self.is_single() && self.ip == self.first()
    }

    /// The first and the last address that a host may have.
    pub(super) fn usable(self) -> Option<(u128, u128)> {
        match (self.is_single(), self.is_pair()) {
            (true, _) => None,
            (_, true) => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    pub(super) fn is_usable(self, ip: u128) -> bool {
        self.usable()
            .is_some_and(|(first, last)| (first..=last).contains(&ip))
    }

    /// Whether all of another one is in it.
    pub(super) fn holds(self, other: Self) -> bool {
        self.v6 == other.v6 && self.first() <= other.first() && other.last() <= self.last()
    }

    /// Its address of that number, counted from the end where it is below zero.
    pub(super) fn nth(self, at: i128) -> Option<u128> {
        let steps = at.unsigned_abs();
        let ip = match at < 0 {
            true => self.last().checked_sub(steps - 1)?,
            false => self.first().checked_add(steps)?,
        };
        (self.first()..=self.last()).contains(&ip).then_some(ip)
    }

    /// The address that lies that far from its own.
    pub(super) fn moved(self, by: i128) -> Option<u128> {
        let ip = self.ip.checked_add_signed(by)?;
        (ip <= self.all()).then_some(ip)
    }

    /// An address of the same kind as text.
    pub(super) fn shown(self, ip: u128) -> String {
        match u32::try_from(ip) {
            Ok(ip) if !self.v6 => Ipv4Addr::from(ip).to_string(),
            // As the C library writes those that are made of one of IPv4.
            Ok(ip) if ip > 0xffff => format!("::{}", Ipv4Addr::from(ip)),
            _ => Ipv6Addr::from(ip).to_string(),
        }
    }

    /// Its own address as text.
    pub(super) fn address(self) -> String {
        self.shown(self.ip)
    }

    /// Its address and prefix as text.
    pub(super) fn cidr(self) -> String {
        format!("{}/{}", self.address(), self.prefix)
    }

    /// The network that it is in.
    pub(super) fn network(self) -> Self {
        Self {
            ip: self.first(),
            ..self
        }
    }

    /// Whether it is in one of these networks.
    pub(super) fn is_in(self, nets: &[&str]) -> bool {
        let one = Self {
            prefix: self.bits(),
            ..self
        };
        nets.iter()
            .filter_map(|net| Self::parse(net))
            .any(|net| net.holds(one))
    }

    pub(super) fn is_multicast(self) -> bool {
        self.is_in(&["224.0.0.0/4", "ff00::/8"])
    }

    /// Whether the internet knows no way there (registries of special addresses of IANA).
    pub(super) fn is_private(self) -> bool {
        !self.is_in(REACHABLE) && self.is_in(SPECIAL)
    }
}

const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];

const REACHABLE: &[&str] = &[
    "192.0.0.9",
    "192.0.0.10",
    "2001:1::1",
    "2001:1::2",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];
