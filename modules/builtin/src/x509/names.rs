//! The names that a certificate holds for: hosts, addresses, mail addresses, URIs.

use std::net::IpAddr;

use rcgen::{SanType, string::Ia5String};
use rplay_api::{Failure, Result};

/// A name, in the type that a certificate has for it.
pub type Name = SanType;

/// Names as a task lists them, of mixed kinds; each once, in the order given.
pub fn parse(hosts: &[String], arg: &str) -> Result<Vec<Name>> {
    let mut names: Vec<Name> = vec![];
    for host in hosts.iter().map(|h| h.trim()).filter(|h| !h.is_empty()) {
        let name = name(host).map_err(|failure| failure.arg(arg))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn name(host: &str) -> Result<Name> {
    let bare = host
        .strip_prefix("IP:")
        .or_else(|| host.strip_prefix("DNS:"))
        .unwrap_or(host);
    let ascii = |text: &str| {
        Ia5String::try_from(text).map_err(|_| {
            Failure::new(format!(
                "`{text}` has letters that a certificate cannot hold"
            ))
            .help("write the name in punycode: `xn--...`")
        })
    };
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(ip));
    }
    if host.starts_with("IP:") || looks_like_an_address(bare) {
        return Err(Failure::new(format!("`{host}` is no IP address")));
    }
    if bare.contains("://") {
        return Ok(SanType::URI(ascii(bare)?));
    }
    if bare.contains('@') {
        return Ok(SanType::Rfc822Name(ascii(bare)?));
    }
    let name = ascii(bare)?;
    if !is_dns_name(bare) {
        return Err(Failure::new(format!(
            "`{host}` is neither a host's name nor an IP address"
        ))
        .help("give the name alone: no port, no path, no space"));
    }
    Ok(SanType::DnsName(name))
}

/// Digits and dots only: a slip in an address, for no top-level domain is a number.
fn looks_like_an_address(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or(text);
    (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
        || (text.contains(':')
            && text
                .bytes()
                .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'))
}

fn is_dns_name(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(host: &str) -> Result<Name> {
        Ok(parse(&[host.to_owned()], "hosts")?.remove(0))
    }

    #[test]
    fn kinds_are_told_apart() {
        assert!(matches!(one("192.168.6.204"), Ok(SanType::IpAddress(_))));
        assert!(matches!(one("::1"), Ok(SanType::IpAddress(_))));
        assert!(matches!(
            one("etcd.staging.huatai.me"),
            Ok(SanType::DnsName(_))
        ));
        assert!(matches!(one("*.example.org"), Ok(SanType::DnsName(_))));
        assert!(matches!(one("spiffe://a/b"), Ok(SanType::URI(_))));
        assert!(matches!(one("a@example.org"), Ok(SanType::Rfc822Name(_))));
    }

    #[test]
    fn slips_are_named() {
        for host in [
            "192.168.6.300",
            "192.168.6",
            "fe80::x:1::",
            "a b",
            "host:2379",
            "-a.org",
            "größe.de",
        ] {
            let failure = one(host).unwrap_err();
            assert!(
                failure.msg.contains(host) && failure.arg.as_deref() == Some("hosts"),
                "{failure:?}"
            );
        }
    }

    #[test]
    fn a_name_is_listed_once() {
        let hosts = ["a", "127.0.0.1", "a", ""].map(str::to_owned);
        assert_eq!(parse(&hosts, "hosts").unwrap().len(), 2);
    }
}
