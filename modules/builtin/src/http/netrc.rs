//! Logins of `~/.netrc`.

use std::path::Path;

use rplay_api::{Host, Result};

/// The login for an address's host.
pub fn login(host: &Host, url: &str) -> Result<Option<String>> {
    let Some(home) = host.env("HOME").filter(|h| h.starts_with('/')) else {
        return Ok(None);
    };
    let path = host
        .env("NETRC")
        .unwrap_or_else(|| format!("{home}/.netrc"));
    let path = Path::new(&path);
    if !host.stat(path)?.is_some_and(|meta| meta.is_file()) {
        return Ok(None);
    }
    Ok(find(&host.read_text(path)?, name_of(url)))
}

/// The name of the host in an address.
fn name_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn find(text: &str, machine: &str) -> Option<String> {
    let lines = text.lines().filter(|l| !l.trim_start().starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace);
    let mut ours = false;
    let (mut name, mut password) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if ours {
                    break;
                }
                ours = word == "default" || words.next() == Some(machine);
            }
            "login" if ours => name = words.next(),
            "password" if ours => password = words.next(),
            "login" | "password" | "account" => drop(words.next()),
            _ => {}
        }
    }
    Some(format!("{}:{}", name?, password.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# x\nmachine a.example login me password secret\n\
        machine b.example\n  login other\n  password p2\ndefault login any password none\n";

    #[test]
    fn the_login_of_the_host_is_found() {
        assert_eq!(find(FILE, "a.example").as_deref(), Some("me:secret"));
        assert_eq!(find(FILE, "b.example").as_deref(), Some("other:p2"));
        assert_eq!(find(FILE, "c.example").as_deref(), Some("any:none"));
        assert_eq!(find("machine a login x", "b"), None);
    }

    #[test]
    fn a_port_is_no_part_of_the_host() {
        assert_eq!(name_of("http://h:8/x"), "h");
        assert_eq!(name_of("https://[::1]:8/x"), "::1");
    }
}
