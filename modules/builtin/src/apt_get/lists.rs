//! apt's package lists: how old they are, and how they are fetched anew.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rplay_api::{Args, Failure, Host, Result, State, Target};

use super::AptGet;

/// What of a fetch may be set.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// How often a fetch that failed is tried again.
    #[arg(default = 5u32)]
    pub update_cache_retries: u32,
    /// The longest pause between two tries, in seconds; it doubles from one try to the next.
    #[arg(default = 12u64)]
    pub update_cache_retry_max_delay: u64,
}

/// The lists, as they are called in a report and in a dry run's memory.
fn target() -> Target {
    Target::Host("apt lists".to_owned())
}

/// When the lists were fetched last, in seconds since 1970; 0 where they never were.
///
/// # Errors
/// I/O errors.
pub fn fetched_at(host: &Host) -> Result<u64> {
    let found = host.state(&target(), || {
        let stamp = Path::new("/var/lib/apt/periodic/update-success-stamp");
        let meta = match host.stat(stamp)? {
            Some(meta) => Some(meta),
            None => host.stat(Path::new("/var/lib/apt/lists"))?,
        };
        let time = meta.and_then(|m| m.mtime.duration_since(UNIX_EPOCH).ok());
        Ok(time.map(|t| state(&t.as_secs().to_string())))
    })?;
    let word = found.and_then(|s| s.get("fetched").cloned());
    Ok(match word.as_deref() {
        Some(NOW) => seconds(host),
        Some(time) => time.parse().unwrap_or(0),
        None => 0,
    })
}

/// The word for lists that this run fetches: the second in which it does is not worth telling, and
/// a dry run cannot tell it.
const NOW: &str = "now";

fn seconds(host: &Host) -> u64 {
    let time = host.now().duration_since(UNIX_EPOCH);
    time.map_or(0, |time| time.as_secs())
}

/// Fetches the lists, and says whether they are others than before. It is a change of the host
/// where `counts`; a dry run cannot know whether it would be.
///
/// # Errors
/// Where a source cannot be fetched, in each of the tries; unknown in a dry run, where that counts.
pub fn fetch(host: &Host, apt: &AptGet, args: &ListArgs, counts: bool) -> Result<bool> {
    let before = fetched_at(host)?;
    let fetched = Cell::new(false);
    host.refresh(&target(), || {
        fetched.set(true);
        with_retries(host, apt, args)
    })?;
    if fetched.get() && before == fetched_at(host)? {
        return Ok(false);
    }
    let (before, after) = (state(&before.to_string()), state(NOW));
    match (counts, fetched.get()) {
        (true, true) => host.ensure(target(), Some(before), Some(after), || Ok(()))?,
        _ => host.remember(&target(), Some(after))?,
    }
    if counts && !fetched.get() {
        let why = "whether apt's lists are others is known when they are fetched";
        return Err(Failure::unknown(why));
    }
    Ok(true)
}

/// Why a package that apt does not know may come to be known: lists or sources that are only
/// planned. `None` in a real run.
pub fn planned_sources(host: &Host) -> Option<Failure> {
    let fetched = host.state(&target(), || Ok(None));
    if fetched.is_ok_and(|state| state.is_some()) {
        return Some(Failure::unknown("apt's lists were not fetched"));
    }
    planned_files(host)
}

/// Why what a package would be may be another one: files of apt's sources that are only planned.
/// `None` in a real run.
pub fn planned_files(host: &Host) -> Option<Failure> {
    // A dry run says which file below the folder is only planned.
    let look = rplay_api::Command::reads(["test", "-d", "/etc/apt"]);
    host.run(&look).err().filter(|f| f.unknown)
}

fn state(time: &str) -> State {
    State::from([("fetched".to_owned(), time.to_owned())])
}

fn with_retries(host: &Host, apt: &AptGet, args: &ListArgs) -> Result<()> {
    let mut tried = 0;
    loop {
        let failure = match apt.run(host, &["update"]) {
            Ok(_) => return Ok(()),
            Err(failure) => failure,
        };
        if tried >= args.update_cache_retries || host.is_cancelled() {
            return Err(Failure {
                msg: format!("apt's lists could not be fetched: {}", failure.msg),
                ..failure
            }
            .help("`apt-get update` on the host says the same; look at /etc/apt/sources.list and sources.list.d"));
        }
        let pause = 1u64.checked_shl(tried).unwrap_or(u64::MAX);
        host.wait(Duration::from_secs(
            pause.min(args.update_cache_retry_max_delay),
        ))?;
        tried += 1;
    }
}
