//! Patterns of hosts: `web:&staging:!web3`, `~regex`, `db[0:1]`.

use std::sync::Arc;

use indexmap::IndexSet;
use rplay_diag::did_you_mean;

use crate::model::Inventory;

/// The hosts that a pattern names, in the inventory's order of the pattern's parts.
///
/// `localhost` needs no inventory.
///
/// # Errors
/// A part that names nothing: the words, and what may be meant.
pub fn select(
    inventory: &Inventory,
    pattern: &str,
) -> Result<Vec<Arc<str>>, (String, Option<String>)> {
    let parts = split(pattern);
    let mut chosen: IndexSet<Arc<str>> = IndexSet::new();
    let plain = |p: &&String| !p.starts_with(['&', '!']);
    if !parts.iter().any(|p| plain(&p)) {
        chosen.extend(inventory.hosts.keys().cloned());
    }
    // Ansible's order: what adds, what narrows, what takes away.
    for part in parts.iter().filter(plain) {
        chosen.extend(hosts(inventory, part)?);
    }
    for part in parts.iter().filter_map(|p| p.strip_prefix('&')) {
        let keep: IndexSet<_> = hosts(inventory, part)?.into_iter().collect();
        chosen.retain(|h| keep.contains(h));
    }
    for part in parts.iter().filter_map(|p| p.strip_prefix('!')) {
        let drop: IndexSet<_> = hosts(inventory, part)
            .unwrap_or_default()
            .into_iter()
            .collect();
        chosen.retain(|h| !drop.contains(h));
    }
    Ok(chosen.into_iter().collect())
}

/// Parts between commas or colons; a colon inside brackets is a slice's.
fn split(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let colons = !pattern.starts_with('~') && pattern.matches(':').count() < 6;
    for c in pattern.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ',' || (c == ':' && colons)) {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
        .into_iter()
        .map(|p| p.trim().to_owned())
        .filter(|p| !p.is_empty())
        .collect()
}

fn hosts(inventory: &Inventory, part: &str) -> Result<Vec<Arc<str>>, (String, Option<String>)> {
    let (name, slice) = match part.strip_suffix(']').and_then(|p| p.split_once('[')) {
        Some((name, slice)) if !part.starts_with('~') && !name.is_empty() && is_slice(slice) => {
            (name, Some(slice))
        }
        _ => (part, None),
    };
    let found = named(inventory, name)?;
    match slice {
        None => Ok(found),
        Some(slice) => Ok(sliced(&found, slice)),
    }
}

fn named(inventory: &Inventory, name: &str) -> Result<Vec<Arc<str>>, (String, Option<String>)> {
    if name == "all" || name == "*" {
        return Ok(inventory.hosts.keys().cloned().collect());
    }
    if inventory.groups.contains_key(name) {
        return Ok(inventory.hosts_of(name));
    }
    if let Some((host, _)) = inventory.hosts.get_key_value(name) {
        return Ok(vec![host.clone()]);
    }
    if matches!(name, "localhost" | "127.0.0.1" | "::1") {
        return Ok(vec![name.into()]);
    }
    let pattern = match name.strip_prefix('~') {
        Some(regex) => format!("^(?:{regex})"),
        None if name.contains(['*', '?', '[']) => glob(name),
        None => return Err(unknown(inventory, name)),
    };
    let regex = regex::Regex::new(&pattern).map_err(|e| {
        (
            format!("the pattern `{name}` is no regular expression: {e}"),
            None,
        )
    })?;
    let mut found: IndexSet<Arc<str>> = IndexSet::new();
    for group in inventory.groups.keys().filter(|g| regex.is_match(g)) {
        found.extend(inventory.hosts_of(group));
    }
    found.extend(
        inventory
            .hosts
            .keys()
            .filter(|h| regex.is_match(h))
            .cloned(),
    );
    if found.is_empty() {
        return Err(unknown(inventory, name));
    }
    Ok(found.into_iter().collect())
}

fn unknown(inventory: &Inventory, name: &str) -> (String, Option<String>) {
    let names = inventory
        .groups
        .keys()
        .chain(inventory.hosts.keys())
        .map(|n| &**n);
    let near = did_you_mean(name, names).map(str::to_owned);
    (format!("no host or group is called `{name}`"), near)
}

fn glob(pattern: &str) -> String {
    let mut out = String::from("^");
    for c in pattern.chars() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' | ']' | '-' => out.push(c),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push('$');
    out
}

/// `1`, `-1`, `1:`, `1:3`; anything else in brackets is a choice of characters.
fn is_slice(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once([':', '-']) {
        Some(("", last)) => text.starts_with('-') && digits(last),
        Some((first, last)) => digits(first) && (last.is_empty() || digits(last)),
        None => digits(text),
    }
}

/// Those hosts of the list; none where it is too short.
fn sliced(found: &[Arc<str>], slice: &str) -> Vec<Arc<str>> {
    let number = |text: &str| text.parse::<usize>().ok();
    let (from, to) = match slice.split_once([':', '-']) {
        Some(("", last)) => {
            let at = number(last).and_then(|n| found.len().checked_sub(n));
            (at, at)
        }
        Some((first, "")) => (number(first), found.len().checked_sub(1)),
        Some((first, last)) => (number(first), number(last)),
        None => (number(slice), number(slice)),
    };
    let (Some(from), Some(to)) = (from, to) else {
        return vec![];
    };
    let to = to.saturating_add(1).min(found.len());
    found.get(from..to).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        inventory.group_mut("all");
        for (host, group) in [
            ("w1", "web"),
            ("w2", "web"),
            ("w3", "web"),
            ("d1", "db"),
            ("w2", "staging"),
        ] {
            inventory.host_mut(host, group);
        }
        inventory
    }

    fn names(pattern: &str) -> Vec<String> {
        select(&inventory(), pattern)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn parts_add_narrow_and_take_away() {
        assert_eq!(names("web:db"), ["w1", "w2", "w3", "d1"]);
        assert_eq!(names("web:&staging"), ["w2"]);
        assert_eq!(names("all,!web"), ["d1"]);
        assert_eq!(names("!db"), ["w1", "w2", "w3"]);
    }

    #[test]
    fn globs_regexes_and_slices_choose() {
        assert_eq!(names("w*"), ["w1", "w2", "w3"]);
        assert_eq!(names("~w[12]"), ["w1", "w2"]);
        assert_eq!(names("web[0]"), ["w1"]);
        assert_eq!(names("web[1:]"), ["w2", "w3"]);
        assert_eq!(names("web[-1]"), ["w3"]);
        assert_eq!(names("web[0:9]"), ["w1", "w2", "w3"]);
    }

    #[test]
    fn a_slice_beyond_the_end_is_empty() {
        for pattern in ["web[9]", "web[-9]", "web[2:1]", "web[3:]"] {
            assert_eq!(names(pattern), [""; 0], "{pattern}");
        }
    }

    #[test]
    fn brackets_that_are_no_slice_choose_characters() {
        assert_eq!(names("w[:1]"), ["w1"]);
        assert_eq!(names("w[-2:]"), ["w2"]);
    }

    #[test]
    fn a_name_of_nothing_suggests_the_nearest() {
        let (words, near) = select(&inventory(), "wbe").unwrap_err();
        assert_eq!(words, "no host or group is called `wbe`");
        assert_eq!(near.as_deref(), Some("web"));
    }
}
