//! Connections to a port of this host, from /proc/net/tcp and /proc/net/tcp6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};
use std::path::Path;

use rplay_api::{Failure, Host, Result};

/// States of a connection, by their numbers in /proc/net/tcp from 1 on.
const STATES: [&str; 11] = [
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

const ACTIVE: [&str; 6] = [
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "SYN_RECV",
    "SYN_SENT",
    "TIME_WAIT",
];

/// Whose connections count.
pub(super) struct Query {
    local: Vec<IpAddr>,
    port: u16,
    exclude: Vec<IpAddr>,
    states: Vec<usize>,
}

impl Query {
    /// Connections to `host`'s port, in one of these states, save those from `exclude`.
    pub(super) fn new(
        host: &str,
        port: u16,
        exclude: &[String],
        states: Option<&[String]>,
    ) -> Result<Self> {
        Ok(Self {
            local: resolve(host),
            port,
            exclude: exclude.iter().flat_map(|name| resolve(name)).collect(),
            states: numbers(states)?,
        })
    }

    /// Whether no connection is left.
    pub(super) fn is_drained(&self, host: &Host) -> bool {
        let any = self.local.is_empty() || self.local.iter().any(IpAddr::is_unspecified);
        let counts = |c: &Connection| {
            c.local.1 == self.port
                && (any || self.local.contains(&c.local.0))
                && self.states.contains(&c.state)
                && !self.exclude.contains(&c.remote.0)
        };
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().all(|file| {
            let text = host.read_text(Path::new(file)).unwrap_or_default();
            !text
                .lines()
                .skip(1)
                .filter_map(Connection::parse)
                .any(|c| counts(&c))
        })
    }
}

/// The numbers of states by their names.
fn numbers(names: Option<&[String]>) -> Result<Vec<usize>> {
    let default = || ACTIVE.map(str::to_owned).to_vec();
    let names = names.map_or_else(default, <[String]>::to_vec);
    let number = |name: &String| {
        let at = STATES.iter().position(|s| s.eq_ignore_ascii_case(name));
        at.map(|at| at + 1).ok_or_else(|| {
            Failure::new(format!("`{name}` is no state of a connection"))
                .arg("active_connection_states")
                .help(format!("the states are {}", STATES.join(", ")))
        })
    };
    names.iter().map(number).collect()
}

fn resolve(name: &str) -> Vec<IpAddr> {
    let addresses = (name, 0).to_socket_addrs().into_iter().flatten();
    addresses.map(|a| a.ip()).collect()
}

struct Connection {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    state: usize,
}

impl Connection {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace().skip(1);
        Some(Self {
            local: address(fields.next()?)?,
            remote: address(fields.next()?)?,
            state: usize::from_str_radix(fields.next()?, 16).ok()?,
        })
    }
}

/// `0100007F:0277`: words of four bytes, each in the machine's order.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| {
        u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16)
            .ok()
            .map(u32::to_ne_bytes)
    };
    let ip: IpAddr = if ip.len() == 8 {
        Ipv4Addr::from(word(0)?).into()
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?];
        let bytes: [u8; 16] = words.concat().try_into().ok()?;
        Ipv6Addr::from(bytes).to_canonical()
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn addresses_are_read_as_the_kernel_writes_them() {
        assert_eq!(
            address("0100007F:0277"),
            Some(("127.0.0.1".parse().unwrap(), 631))
        );
        let mapped = "0000000000000000FFFF00000100007F:0016";
        assert_eq!(address(mapped), Some(("127.0.0.1".parse().unwrap(), 22)));
        let six = "00000000000000000000000001000000:0016";
        assert_eq!(address(six), Some(("::1".parse().unwrap(), 22)));
    }

    #[test]
    fn an_unknown_state_is_named() {
        let failure = numbers(Some(&["IDLE".to_owned()])).unwrap_err();
        assert!(failure.msg.contains("IDLE"));
        assert_eq!(numbers(None).unwrap(), [1, 4, 5, 3, 2, 6]);
    }
}
