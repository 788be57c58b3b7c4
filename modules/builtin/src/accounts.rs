//! What `user` and `group` share: the shadow suite's settings, and the numbers it would choose.
//!
//! Both modules choose the number themselves, by the suite's own rules, and give it to the suite:
//! so a dry run announces the number that the real run uses.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rplay_api::{Failure, Host, Result};

/// A file of `NAME value` or `NAME=value` lines; later lines win.
pub struct Defaults(String);

impl Defaults {
    /// /etc/login.defs.
    pub fn login(host: &Host) -> Self {
        Self(
            host.read_text(Path::new("/etc/login.defs"))
                .unwrap_or_default(),
        )
    }

    /// /etc/default/useradd.
    pub fn useradd(host: &Host) -> Self {
        Self(
            host.read_text(Path::new("/etc/default/useradd"))
                .unwrap_or_default(),
        )
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().rev().find_map(|line| {
            let rest = line.trim_start().strip_prefix(name)?;
            let value = rest.strip_prefix(['=', ' ', '\t'])?;
            Some(value.trim().trim_matches('"')).filter(|v| !v.is_empty())
        })
    }

    /// A number, in the forms of C: 0777 is octal, 0x1F hexadecimal.
    pub fn number(&self, name: &str) -> Option<u32> {
        let text = self.get(name)?;
        if let Some(hex) = text.strip_prefix("0x") {
            return u32::from_str_radix(hex, 16).ok();
        }
        match text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
            _ => text.parse().ok(),
        }
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|v| v.eq_ignore_ascii_case("yes"))
    }

    /// The numbers that new accounts may get.
    pub fn range(&self, kind: Kind, system: bool) -> RangeInclusive<u32> {
        let key = |end: &str| {
            format!(
                "{}{}_{end}",
                if system { "SYS_" } else { "" },
                kind.prefix()
            )
        };
        let number = |end: &str, default: u32| self.number(&key(end)).unwrap_or(default);
        if !system {
            return number("MIN", 1000)..=number("MAX", 60_000);
        }
        let first = self
            .number(&format!("{}_MIN", kind.prefix()))
            .unwrap_or(1000);
        number("MIN", 101)..=number("MAX", first.saturating_sub(1))
    }
}

/// What a task says of the numbers that a new account may get.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// `uid_min`, `gid_min`.
    pub min: Option<u32>,
    /// `uid_max`, `gid_max`.
    pub max: Option<u32>,
}

impl Limits {
    /// A range with the ends that are said in place of its own.
    fn of(self, range: &RangeInclusive<u32>) -> RangeInclusive<u32> {
        self.min.unwrap_or(*range.start())..=self.max.unwrap_or(*range.end())
    }

    /// libuser's programs choose from their own range.
    ///
    /// # Errors
    /// `local` is asked for too.
    pub fn check_local(self, names: [&'static str; 2], local: bool) -> Result<()> {
        let said = [(self.min, names[0]), (self.max, names[1])];
        match said.into_iter().find(|(value, _)| local && value.is_some()) {
            None => Ok(()),
            Some((_, name)) => {
                Err(Failure::new(format!("`{name}` cannot be used with `local`")).arg(name))
            }
        }
    }
}

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::User => "UID",
            Self::Group => "GID",
        }
    }

    fn file(self) -> &'static Path {
        Path::new(match self {
            Self::User => "/etc/passwd",
            Self::Group => "/etc/group",
        })
    }
}

/// The number that the shadow suite would give a new account: one above the highest of its range,
/// or for a system account one below the lowest. `preferred` is taken where it is free (a user's
/// own group gets the user's number).
pub fn next_id(
    host: &Host,
    kind: Kind,
    system: bool,
    limits: Limits,
    preferred: Option<u32>,
) -> Result<u32> {
    let range = limits.of(&Defaults::login(host).range(kind, system));
    let used = used_ids(host, kind, &range);
    if let Some(id) = preferred.filter(|id| range.contains(id) && !used.contains(id)) {
        return Ok(id);
    }
    choose(&used, &range, system).ok_or_else(|| {
        Failure::new(format!(
            "every number from {} to {} is taken",
            range.start(),
            range.end()
        ))
        .help("give a number, or widen the range in /etc/login.defs")
    })
}

fn choose(used: &BTreeSet<u32>, range: &RangeInclusive<u32>, system: bool) -> Option<u32> {
    let free = |id: &u32| !used.contains(id);
    let (low, high) = (*range.start(), *range.end());
    if system {
        let from = used.first().map_or(high, |id| id.saturating_sub(1));
        return (low..=from)
            .rev()
            .find(free)
            .or_else(|| (low..=high).rev().find(free));
    }
    let from = used.last().map_or(low, |id| id.saturating_add(1));
    (from..=high).find(free).or_else(|| (low..=high).find(free))
}

/// The numbers of a range that accounts have, or would have after what is planned.
fn used_ids(host: &Host, kind: Kind, range: &RangeInclusive<u32>) -> BTreeSet<u32> {
    let file = host.read_text(kind.file()).unwrap_or_default();
    let listed = file
        .lines()
        .filter_map(|l| l.split(':').nth(2)?.parse().ok());
    let mut used: BTreeSet<u32> = listed.filter(|id| range.contains(id)).collect();
    let planned = range
        .clone()
        .filter(|id| host.planned_account(kind == Kind::User, *id).is_some());
    used.extend(planned);
    used
}

/// The lines of an account file, split at the colons.
pub fn entries(host: &Host, file: &str) -> Vec<Vec<String>> {
    let text = host.read_text(Path::new(file)).unwrap_or_default();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    text.lines().map(fields).collect()
}

/// A program of the shadow suite, which must be there.
pub fn program(host: &Host, name: &'static str) -> Result<&'static str> {
    const DIRS: [&str; 6] = [
        "/usr/sbin",
        "/sbin",
        "/usr/bin",
        "/bin",
        "/usr/local/sbin",
        "/usr/local/bin",
    ];
    for dir in DIRS {
        if host.exists(&PathBuf::from(dir).join(name))? {
            return Ok(name);
        }
    }
    Err(Failure::new(format!("there is no program `{name}` on this host"))
        .absent()
        .help("install the shadow suite: `apk add shadow` on Alpine, `shadow-utils` or `passwd` elsewhere"))
}

/// A name that the account files can hold.
pub fn check_name(name: &str) -> Result<()> {
    let bad = |c: char| c == ':' || c == '/' || c == ',' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.starts_with('-') || name.contains(bad) {
        return Err(
            Failure::new(format!("`{name}` cannot be an account's name"))
                .arg("name")
                .help("use letters, digits, `_`, `-` and `.`, and begin with a letter"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_in_both_forms() {
        let defs = Defaults(
            "UID_MIN\t\t 500\n#UID_MAX 5\nUMASK 022\nSHELL=/bin/sh\nUSERGROUPS_ENAB yes\n".into(),
        );
        assert_eq!(defs.number("UID_MIN"), Some(500));
        assert_eq!(defs.number("UMASK"), Some(0o22));
        assert_eq!(defs.get("SHELL"), Some("/bin/sh"));
        assert!(defs.is_on("USERGROUPS_ENAB"));
        assert_eq!(defs.range(Kind::User, false), 500..=60_000);
        assert_eq!(defs.range(Kind::User, true), 101..=499);
    }

    #[test]
    fn numbers_go_up_for_users_and_down_for_the_system() {
        let used = |ids: &[u32]| ids.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(choose(&used(&[]), &(1000..=1002), false), Some(1000));
        assert_eq!(
            choose(&used(&[1000, 1001]), &(1000..=1002), false),
            Some(1002)
        );
        assert_eq!(
            choose(&used(&[1000, 1002]), &(1000..=1002), false),
            Some(1001)
        );
        assert_eq!(choose(&used(&[1000]), &(1000..=1000), false), None);
        assert_eq!(choose(&used(&[]), &(101..=999), true), Some(999));
        assert_eq!(choose(&used(&[998, 999]), &(101..=999), true), Some(997));
        assert_eq!(choose(&used(&[101]), &(101..=999), true), Some(999));
    }
}
