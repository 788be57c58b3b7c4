//! The half of an account that only root reads: password, lock, expiry.
//!
//! A state never holds a password or its hash: it holds a mark of eight letters that tells two
//! hashes apart, from which neither can be found.

use jiff::Timestamp;
use rplay_api::{Command, Host, Result, State, Stdin, Target};
use sha2::{Digest, Sha256};

use super::state::{put, run};
use super::{UpdatePassword, UserArgs};
use crate::accounts::{Defaults, entries, program};

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

/// Whether a key of an account's state is of this half.
pub(super) fn is_key(key: &str) -> bool {
    matches!(key, "password" | "locked" | "expires") || DAYS.iter().any(|days| days.key == key)
}

fn target(name: &str) -> Target {
    Target::Host(format!("shadow entry of {name}"))
}

/// Adds to an account's state what the task speaks of, and only that: the states of a real run
/// and of a dry run are to be the same.
pub(super) fn complete(args: &UserArgs, state: &mut State, host: &Host) -> Result<()> {
    let speaks = |key: &str| match key {
        "password" => args.password.is_some(),
        "locked" => args.password_lock.is_some(),
        "expires" => args.expires.is_some(),
        _ => DAYS.iter().any(|d| d.key == key && (d.wanted)(args).is_some()),
    };
    let Some(entry) = entry(&args.name, host)? else {
        // usermod makes the entry with the first of its fields.
        if speaks("expires") {
            put(state, "expires", "no entry");
        }
        return Ok(());
    };
    state.extend(entry.into_iter().filter(|(key, _)| speaks(key)));
    Ok(())
}

/// All that this half says of an account now; `None` where it has no entry.
fn entry(name: &str, host: &Host) -> Result<Option<State>> {
    host.state(&target(name), || {
        let lines = entries(host, "/etc/shadow");
        let line = lines
            .into_iter()
            .find(|fields| fields.first().is_some_and(|f| f == name));
        Ok(line.map(|line| of_line(&line)))
    })
}

fn of_line(line: &[String]) -> State {
    let field = |at: usize| line.get(at).map_or("", String::as_str);
    let locked = field(1).starts_with('!');
    let expires: Option<i64> = field(7).parse().ok();
    let mut state = State::new();
    put(&mut state, "password", &mark(field(1)));
    put(&mut state, "locked", if locked { "true" } else { "false" });
    put(&mut state, "expires", &expires.map(date).unwrap_or_default());
    for days in &DAYS {
        put(&mut state, days.key, field(days.field));
    }
    state
}

/// What a new account's half says before anything is set.
pub(super) fn fresh(host: &Host) -> State {
    let login = Defaults::login(host);
    let mut state = State::new();
    put(&mut state, "password", &mark("!"));
    put(&mut state, "locked", "true");
    for (key, setting) in [
        ("password_expire_min", "PASS_MIN_DAYS"),
        ("password_expire_max", "PASS_MAX_DAYS"),
        ("password_expire_warn", "PASS_WARN_AGE"),
    ] {
        put(&mut state, key, login.get(setting).unwrap_or_default());
    }
    state
}

/// Lets later tasks of a dry run know what became of this half.
pub(super) fn remember(args: &UserArgs, after: Option<&State>, is_new: bool, host: &Host) -> Result<()> {
    let Some(after) = after else {
        return host.remember(&target(&args.name), None);
    };
    let mut state = if is_new { fresh(host) } else { entry(&args.name, host)?.unwrap_or_default() };
    if args.expires.is_some() {
        state.remove("expires");
    }
    if args.password.is_some() && args.password_lock.is_none() {
        put(&mut state, "locked", "false");
    }
    state.extend(after.iter().filter(|(k, _)| is_key(k)).map(|(k, v)| (k.clone(), v.clone())));
    host.remember(&target(&args.name), Some(state))
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
    if mark(password) == UNHASHED || !is_whole(password) {
        host.warn(
            "`password` is no hash, so nobody can log in with it: give \
             \"{{ password | password_hash('sha512') }}\"",
        );
    }
    Ok(())
}

/// Whether a hash of a known kind has the letters and the length of one.
fn is_whole(hash: &str) -> bool {
    let parts: Vec<&str> = hash.split('$').collect();
    let ["" | "!", kind, .., last] = parts.as_slice() else {
        return true;
    };
    let length = match *kind {
        "1" => 22,
        "5" => 43,
        "6" => 86,
        _ => return true,
    };
    let of_hash = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    last.len() == length && last.bytes().all(of_hash)
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
    fn a_hash_has_its_length_and_letters() {
        let hash = |last: &str| is_whole(&format!("$6$rounds=5000$salt${last}"));
        assert!(hash(&"a".repeat(86)));
        assert!(!hash(&"a".repeat(85)));
        assert!(!hash(&format!("{}+", "a".repeat(85))));
        assert!(is_whole("$y$j9T$any$thing") && is_whole("*"));
    }

    #[test]
    fn an_expiry_is_a_day() {
        assert_eq!(expiry(1_422_403_387.0), "2015-01-28");
        assert_eq!(expiry(-1.0), "");
    }
}
