//! apt-get as modules use it: run with the task's options, or asked what it would do.
//!
//! Owns the process, its locks and what its simulation says. Knows nothing of what a task wants.

pub mod lists;
mod plan;

use std::time::{Duration, Instant};

use rplay_api::{Command, Failure, Host, Output, Result};

pub use plan::Plan;

/// apt-get with the options of a task.
#[derive(Debug, Clone, Default)]
pub struct AptGet {
    options: Vec<String>,
    lock_timeout: Duration,
}

/// What apt-get says where another process holds one of its locks.
const LOCKED: [&str; 3] = [
    "Could not get lock",
    "Unable to acquire the dpkg frontend lock",
    "Unable to lock",
];

impl AptGet {
    /// apt-get of this host.
    ///
    /// # Errors
    /// Where it has none.
    pub fn of(host: &Host, lock_timeout: Duration) -> Result<Self> {
        for path in ["/usr/bin/apt-get", "/bin/apt-get", "/usr/local/bin/apt-get"] {
            if host.exists(path.as_ref())? {
                let wait = format!("DPkg::Lock::Timeout={}", lock_timeout.as_secs());
                // Without this a source that cannot be fetched is a warning only.
                let strict = "APT::Update::Error-Mode=any".to_owned();
                let options = vec!["-y".into(), "-o".into(), wait, "-o".into(), strict];
                return Ok(Self {
                    options,
                    lock_timeout,
                });
            }
        }
        let failure = Failure::new("there is no `apt-get` on this host").help(
            "it is for Debian and what derives from it; `package` takes the manager that the host has",
        );
        Err(host.missing(failure))
    }

    /// With more words before the command.
    pub fn option(&mut self, words: impl IntoIterator<Item = impl Into<String>>) {
        self.options.extend(words.into_iter().map(Into::into));
    }

    /// Runs it, waiting for its locks.
    ///
    /// # Errors
    /// Where it fails: its own words, with `stdout` and `stderr`.
    pub fn run<S: AsRef<str>>(&self, host: &Host, words: &[S]) -> Result<Output> {
        let command = Command::changes(self.words(&[], words));
        let end = Instant::now() + self.lock_timeout;
        loop {
            let output = host.run(&prepared(command.clone()))?;
            let stderr = output.stderr();
            let denied = stderr.contains("Permission denied");
            let locked =
                output.rc != 0 && !denied && LOCKED.iter().any(|words| stderr.contains(words));
            if !locked || Instant::now() >= end {
                return judged(output);
            }
            host.wait(Duration::from_secs(1))?;
        }
    }

    /// Asks it what it would do, and gives its words too.
    ///
    /// # Errors
    /// Where it could not do it.
    pub fn plan<S: AsRef<str>>(&self, host: &Host, words: &[S]) -> Result<(Plan, Output)> {
        let output = host.run(&asking(self.words(&["-s"], words)))?;
        let output = judged(output)?;
        Ok((Plan::parse(&output.stdout()), output))
    }

    fn words<S: AsRef<str>>(&self, more: &[&str], words: &[S]) -> Vec<String> {
        let own = std::iter::once("apt-get").chain(self.options.iter().map(String::as_str));
        own.chain(more.iter().copied())
            .chain(words.iter().map(AsRef::as_ref))
            .map(str::to_owned)
            .collect()
    }
}

/// A process of apt or dpkg: it asks nobody, and speaks English.
pub fn prepared(command: Command) -> Command {
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBIAN_PRIORITY", "critical")
        .env("LC_ALL", "C.UTF-8")
        .env("LANG", "C.UTF-8")
}

/// The output, or the errors that apt-get named.
/// A question to apt-get or apt-cache, which leaves nothing behind: they would keep what they worked
/// out of the lists in /var/cache/apt, and how they planned in /var/log/apt.
pub fn asking<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Command {
    let mut words: Vec<String> = words.into_iter().map(|w| w.as_ref().to_owned()).collect();
    for place in [
        "Cache::pkgcache",
        "Cache::srcpkgcache",
        "Log::Planner",
        "Log::Solver",
    ] {
        words.splice(1..1, ["-o".to_owned(), format!("Dir::{place}=")]);
    }
    prepared(Command::reads(words))
}

fn judged(output: Output) -> Result<Output> {
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let unfetched = stderr.contains("Some index files failed to download");
    if output.rc == 0 && !unfetched {
        return Ok(output);
    }
    let mut errors: Vec<&str> = stderr
        .lines()
        .filter_map(|l| l.strip_prefix("E: "))
        .map(str::trim)
        .collect();
    errors.dedup();
    // "held broken packages" says nothing; what depends on what stands before it, indented.
    let unmet = stdout
        .lines()
        .filter(|l| l.starts_with(' ') && l.contains(": "));
    if stdout.contains("unmet dependencies") {
        errors.extend(unmet.map(str::trim));
    }
    if errors.is_empty() {
        errors.extend(stderr.lines().last().or_else(|| stdout.lines().last()));
    }
    let failure = Failure::new(format!("apt-get: {}", errors.join("; ")));
    let denied = stderr.contains("are you root?") || stderr.contains("Permission denied");
    let failure = if denied {
        failure.help("packages are root's to change: set `become: true`")
    } else {
        failure
    };
    Err(failure
        .with("rc", output.rc)
        .with("stdout", stdout)
        .with("stderr", stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(rc: i32, stdout: &str, stderr: &str) -> Output {
        Output {
            rc,
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    #[test]
    fn the_errors_of_apt_get_are_the_message() {
        let got = judged(output(100, "", "W: x\nE: Unable to locate package a\n")).unwrap_err();
        assert_eq!(got.msg, "apt-get: Unable to locate package a");
        assert_eq!(got.data["rc"], 100);
    }

    #[test]
    fn unmet_dependencies_are_named() {
        let said = "The following packages have unmet dependencies:\n a : Depends: b but it is not installable\n";
        let got = judged(output(100, said, "E: Unable to correct problems.\n")).unwrap_err();
        assert_eq!(
            got.msg,
            "apt-get: Unable to correct problems.; a : Depends: b but it is not installable"
        );
    }

    #[test]
    fn a_source_that_was_not_fetched_is_a_failure() {
        let said = "W: Some index files failed to download. They have been ignored.\n";
        assert!(judged(output(0, "", said)).is_err());
    }

    #[test]
    fn a_user_who_may_not_is_told_to_become_root() {
        let said = "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n";
        let got = judged(output(100, "", said)).unwrap_err();
        assert_eq!(
            got.help,
            ["packages are root's to change: set `become: true`"]
        );
    }
}
