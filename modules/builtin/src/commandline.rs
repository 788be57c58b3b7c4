//! What `command` and `shell` share: the guards `creates` and `removes`, the run, its result.
//!
//! Knows nothing of how either module takes its words.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};
use rplay_api::{Args, Command, Failure, Host, Outcome, Output, Result, Return, Stdin};
use serde_json::Value;

use crate::pattern;

/// A command with what decides whether it is run at all.
pub struct Commandline {
    /// The words to run.
    pub argv: Vec<String>,
    /// The result's `cmd`.
    pub shown: Value,
    /// All that is around it.
    pub surroundings: Surroundings,
}

/// What both modules take besides the words.
#[derive(Debug, Args)]
pub struct Surroundings {
    /// Change into this folder first.
    chdir: Option<PathBuf>,
    /// Do nothing where this file (or a match of this pattern) is there.
    creates: Option<String>,
    /// Do nothing where this file (or a match of this pattern) is not there.
    removes: Option<String>,
    /// What the command reads from its standard input.
    stdin: Option<String>,
    /// Add a newline to `stdin`.
    #[arg(default = true)]
    stdin_add_newline: bool,
    /// Strip empty lines from the end of the output.
    #[arg(default = true)]
    strip_empty_ends: bool,
}

/// Why there is nothing to run.
pub enum Done {
    /// What `creates` names is there.
    Created(String),
    /// What `removes` names is not there.
    Removed(String),
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(path) => write!(f, "`{path}` exists"),
            Self::Removed(path) => write!(f, "`{path}` does not exist"),
        }
    }
}

impl Surroundings {
    /// Whether a guard says that there is nothing to do.
    pub fn nothing_to_do(&self, host: &Host) -> Result<Option<Done>> {
        let found = |path: &str| pattern::first_match(host, self.chdir.as_deref(), path);
        if let Some(path) = &self.creates
            && found(path)?.is_some()
        {
            return Ok(Some(Done::Created(path.clone())));
        }
        if let Some(path) = &self.removes
            && found(path)?.is_none()
        {
            return Ok(Some(Done::Removed(path.clone())));
        }
        Ok(None)
    }
}

/// The result's keys.
pub const RETURNS: &[Return] = &[
    Return {
        name: "cmd",
        doc: "The command that was run.",
    },
    Return {
        name: "rc",
        doc: "Its exit code; minus the signal's number where one ended it.",
    },
    Return {
        name: "stdout",
        doc: "What it wrote to standard output.",
    },
    Return {
        name: "stdout_lines",
        doc: "The same as a list of lines.",
    },
    Return {
        name: "stderr",
        doc: "What it wrote to standard error.",
    },
    Return {
        name: "stderr_lines",
        doc: "The same as a list of lines.",
    },
    Return {
        name: "start",
        doc: "When it started, in the host's time zone.",
    },
    Return {
        name: "end",
        doc: "When it ended.",
    },
    Return {
        name: "delta",
        doc: "How long it ran.",
    },
    Return {
        name: "msg",
        doc: "Why it was not run, or that it failed.",
    },
];

impl Commandline {
    /// Runs it, unless a guard says that there is nothing to do.
    pub fn run(self, host: &Host) -> Result<Outcome> {
        self.check_chdir(host)
            .map_err(|failure| self.not_begun(failure, Value::Null))?;
        if let Some(why) = self.surroundings.nothing_to_do(host)? {
            return Ok(self.skipped(&why.to_string()));
        }
        let mut command = Command::changes(self.argv.iter());
        command.cwd.clone_from(&self.surroundings.chdir);
        command.stdin = self.input();
        let start = host.now();
        let output = host.run(&command).map_err(|failure| {
            if failure.unknown {
                return failure;
            }
            self.not_begun(failure, 2.into())
        })?;
        let end = host.now();
        self.result(&output, &Timing { start, end })
    }

    /// It did not begin, and so printed and changed nothing.
    fn not_begun(&self, failure: Failure, rc: Value) -> Failure {
        failure
            .with("cmd", self.shown.clone())
            .with("rc", rc)
            .with("stdout", "")
            .with("stderr", "")
            .with("changed", false)
    }

    /// The folder to run in must be there before the command is.
    fn check_chdir(&self, host: &Host) -> Result<()> {
        let Some(dir) = &self.surroundings.chdir else {
            return Ok(());
        };
        if host.is_dir(dir)? {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Unable to change directory to `{}`: there is no such folder",
            dir.display()
        ))
        .absent()
        .arg("chdir")
        .help("make it first with the `file` module and state: directory"))
    }

    fn skipped(&self, why: &str) -> Outcome {
        let why_plain = why.replace('`', "");
        let stdout = format!("skipped, since {why_plain}");
        Outcome::new()
            .changed(false)
            .with("cmd", self.shown.clone())
            .with("rc", 0)
            .with(
                "msg",
                format!("Did not run command since {}", why.replace('`', "'")),
            )
            .with("stdout_lines", lines(&stdout))
            .with("stdout", stdout)
            .with("stderr", "")
            .with("stderr_lines", Vec::<String>::new())
            .with("start", Value::Null)
            .with("end", Value::Null)
            .with("delta", Value::Null)
    }

    fn input(&self) -> Stdin {
        let Some(text) = &self.surroundings.stdin else {
            return Stdin::Empty;
        };
        let mut bytes = text.clone().into_bytes();
        if self.surroundings.stdin_add_newline {
            bytes.push(b'\n');
        }
        Stdin::Bytes(bytes)
    }

    fn result(&self, output: &Output, timing: &Timing) -> Result<Outcome> {
        let text = |text: String| {
            if self.surroundings.strip_empty_ends {
                text.trim_end_matches(['\r', '\n']).to_owned()
            } else {
                text
            }
        };
        let (stdout, stderr) = (text(output.stdout()), text(output.stderr()));
        let msg = if output.rc == 0 {
            ""
        } else {
            "non-zero return code"
        };
        let outcome = timing
            .tell(Outcome::new().changed(true))
            .with("cmd", self.shown.clone())
            .with("rc", output.rc)
            .with("stdout_lines", lines(&stdout))
            .with("stdout", stdout)
            .with("stderr_lines", lines(&stderr))
            .with("stderr", stderr)
            .with("msg", msg);
        if output.rc == 0 {
            return Ok(outcome);
        }
        let mut failure = Failure::new(msg);
        failure.data = outcome.with("changed", true).data;
        Err(failure)
    }
}

/// When a command began and ended.
pub struct Timing {
    /// When it began.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
}

impl Timing {
    /// Adds `start`, `end` and `delta` to a result.
    pub fn tell(&self, outcome: Outcome) -> Outcome {
        let delta = self.end.duration_since(self.start).unwrap_or_default();
        outcome
            .with("start", local_time(self.start))
            .with("end", local_time(self.end))
            .with("delta", delta_text(delta))
    }
}

/// Text as a list of lines.
pub fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn local_time(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .map(|t| t.to_zoned_datetime(TimeZone::system()))
        .map(|t| t.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string())
        .unwrap_or_default()
}

/// `0:00:01.234567`, and `2 days, 0:00:01.234567` for a long one.
fn delta_text(delta: Duration) -> String {
    let seconds = delta.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    format!(
        "{days}{}:{:02}:{:02}.{:06}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        delta.subsec_micros()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_reads_as_ansible_writes_it() {
        assert_eq!(
            delta_text(Duration::from_micros(1_234_567)),
            "0:00:01.234567"
        );
        assert_eq!(
            delta_text(Duration::from_secs(90_061)),
            "1 day, 1:01:01.000000"
        );
    }

    #[test]
    fn lines_drop_their_ends() {
        assert_eq!(lines("a\r\n\nb"), ["a", "", "b"]);
    }
}
