//! The half of an account that only root reads: password, lock, expiry.
//!
//! A state never holds a password or its hash: it holds a mark of eight letters that tells two
//! hashes apart, from which neither can be found.

use jiff::Timestamp;
use rplay_api::{Command, Host, Result, State, Stdin};
use sha2::{Digest, Sha256};

use super::state::{put, run};
use super::{UpdatePassword, UserArgs};
use crate::accounts::{entries, program};

const DAY: i64 = 86_400;

/// A number of days in /etc/shadow: its key in a state, its field, and chage's flag for it.
struct Days {
    key: &'static str,
    field: usize,
    flag: &'static str,
    wanted: fn(&UserArgs) -> Option<i64>,
}

const DAYS: [Days; 4] = [
    Days { key: "password_expire_min", field: 3, flag: "-m", wanted: |a| a.password_expire_min },
    Days { key: "password_expire_max", field: 4, flag: "-M", wanted: |a| a.password_expire_max },
    Days { key: "password_expire_warn", field: 5, flag: "-W", wanted: |a| a.password_expire_warn },
    Days {
        key: "password_expire_account_disable",
        field: 6,
        flag: "-I",
        wanted: |a| a.password_expire_account_disable,
    },
];

/// Adds to a present account's state what the task speaks of and the state does not hold yet.
pub(super) fn complete(args: &UserArgs, state: &mut State, host: &Host, is_new: bool) -> Result<()> {
    if is_new {
        return Ok(());
    }
    let lines = entries(host, "/etc/shadow");
    let line = lines.into_iter().find(|fields| fields.first() == Some(&args.name));
    let field = |at: usize| line.as_ref().and_then(|l| l.get(at)).map_or("", String::as_str);
    if args.password.is_some() && !state.contains_key("password") {
        put(state, "password", &mark(field(1)));
    }
    if args.password_lock.is_some() && !state.contains_key("locked") {
        put(state, "locked", if field(1).starts_with('!') { "true" } else { "false" });
    }
    if args.expires.is_some() && !state.contains_key("expires") {
        let days: Option<i64> = field(7).parse().ok();
        put(state, "expires", &days.map(date).unwrap_or_default());
    }
    for days in DAYS.iter().filter(|d| (d.wanted)(args).is_some()) {
        if !state.contains_key(days.key) {
            put(state, days.key, field(days.field));
        }
    }
    Ok(())
}

/// What the task wants of it.
pub(super) fn want(args: &UserArgs, before: &mut State, after: &mut State, is_new: bool) {
    if let Some(password) = &args.password
        && (is_new || args.update_password == UpdatePassword::Always)
    {
        let wanted = mark(password);
        let differs = before.get("password") != Some(&wanted);
        // Two passwords that are no hashes have the same mark: which it was before is not told.
        if wanted == UNHASHED && !differs {
            put(before, "password", "unhashed (before)");
        }
        put(after, "password", &wanted);
    }
    if let Some(lock) = args.password_lock {
        put(after, "locked", if lock { "true" } else { "false" });
    }
    if let Some(seconds) = args.expires {
        put(after, "expires", &expiry(seconds));
    }
    for days in &DAYS {
        if let Some(number) = (days.wanted)(args) {
            put(after, days.key, &number.to_string());
        }
    }
}

/// The words that `useradd` and `usermod` take for an expiry that changes.
pub(super) fn expiry_words(before: &State, after: &State) -> Option<[String; 2]> {
    let date = after.get("expires");
    (before.get("expires") != date).then(|| ["-e".to_owned(), date.cloned().unwrap_or_default()])
}

/// Sets password, lock and days, where they change.
pub(super) fn apply(args: &UserArgs, before: &State, after: &State, host: &Host) -> Result<()> {
    let changes = |key: &str| before.get(key) != after.get(key);
    if let Some(password) = &args.password
        && changes("password")
    {
        let mut command = Command::changes([program(host, "chpasswd")?, "-e"]);
        command.stdin = Stdin::Bytes(format!("{}:{password}\n", args.name).into_bytes());
        run(host, &command)?;
    }
    if let Some(lock) = args.password_lock
        && changes("locked")
    {
        let flag = if lock { "-L" } else { "-U" };
        run(host, &Command::changes([program(host, "usermod")?, flag, &args.name]))?;
    }
    let mut words = vec![];
    for days in DAYS.iter().filter(|days| changes(days.key)) {
        words.extend([days.flag.to_owned(), after.get(days.key).cloned().unwrap_or_default()]);
    }
    if !words.is_empty() {
        words.insert(0, program(host, "chage")?.to_owned());
        words.push(args.name.clone());
        run(host, &Command::changes(words))?;
    }
    Ok(())
}

/// Refuses what would break /etc/shadow, and warns of a password that nobody could log in with.
pub(super) fn check_password(password: &str, host: &Host) -> Result<()> {
    if password.contains([':', '\n']) {
        return Err(rplay_api::Failure::new("a password hash cannot hold `:` or a line's end")
            .arg("password")
            .help("give the hash: \"{{ password | password_hash('sha512') }}\""));
    }
    if mark(password) == UNHASHED {
        host.warn(
            "`password` is no hash, so nobody can log in with it: give \
             \"{{ password | password_hash('sha512') }}\"",
        );
    }
    Ok(())
}

const UNHASHED: &str = "unhashed";

fn mark(hash: &str) -> String {
    let bare = hash.trim_start_matches('!');
    let des = bare.len() == 13 && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
    match bare {
        "" | "*" if !hash.is_empty() => "none that fits".to_owned(),
        "" => "empty".to_owned(),
        _ if bare.starts_with(['$', '_', '*']) || des || bare == "x" => {
            format!("hash {}", &rplay_api::hex(&Sha256::digest(bare))[..8])
        }
        _ => UNHASHED.to_owned(),
    }
}

/// The day of an expiry; empty for never.
fn expiry(seconds: f64) -> String {
    if seconds < 0.0 {
        return String::new();
    }
    // Seconds beyond what a date can hold are no date anyway.
    #[allow(clippy::cast_possible_truncation)]
    date((seconds as i64).div_euclid(DAY))
}

fn date(days: i64) -> String {
    Timestamp::from_second(days.saturating_mul(DAY))
        .map(|t| t.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_hashes_apart_and_ignores_the_lock() {
        let (a, b) = (mark("$6$salt$one"), mark("$6$salt$two"));
        assert_ne!(a, b);
        assert_eq!(a, mark("!$6$salt$one"));
        assert!(!a.contains("salt"));
        assert_eq!((mark("!"), mark("*"), mark("")), ("none that fits".into(), "none that fits".into(), "empty".into()));
        assert_eq!(mark("hunter2"), UNHASHED);
    }

    #[test]
    fn an_expiry_is_a_day() {
        assert_eq!(expiry(1_422_403_387.0), "2015-01-28");
        assert_eq!(expiry(-1.0), "");
    }
}
