//! Waits for a port, a file, or a text in either.
//!
//! In a dry run it looks once: what does not hold yet may come of something that is only planned,
//! and is unknown.

mod drained;
mod look;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use drained::Query;
use look::{Found, Look};

/// The `wait_for` module.
pub struct This;

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Choice)]
pub enum State {
    /// The port accepts connections, or the file is there.
    Started,
    /// The file is there (and holds the text), or the port accepts connections.
    Present,
    /// The port accepts no connections.
    Stopped,
    /// The file is gone.
    Absent,
    /// The port has no connections left.
    Drained,
}

/// Arguments of `wait_for`.
#[derive(Debug, Args)]
pub struct WaitForArgs {
    /// The host to connect to, as this host sees it.
    #[arg(default = "127.0.0.1")]
    host: String,
    /// The port.
    port: Option<u16>,
    /// The file.
    path: Option<PathBuf>,
    /// What to wait for.
    #[arg(default = State::Started)]
    state: State,
    /// A text to find in the file, or in what the port sends.
    search_regex: Option<String>,
    /// Seconds before the first look.
    #[arg(default = 0_u64)]
    delay: u64,
    /// Seconds between looks.
    #[arg(default = 1_u64)]
    sleep: u64,
    /// Seconds to wait in all.
    #[arg(default = 300_u64)]
    timeout: u64,
    /// Seconds of one try to connect.
    #[arg(default = 5_u64)]
    connect_timeout: u64,
    /// What to say where it does not come about.
    msg: Option<String>,
    /// Hosts whose connections do not count for `drained`.
    exclude_hosts: Option<Vec<String>>,
    /// States of connections that count for `drained`.
    active_connection_states: Option<Vec<String>>,
}

impl Module for This {
    type Args = WaitForArgs;

    const DOC: Doc = Doc {
        name: "wait_for",
        aliases: &[],
        summary: "Waits for a port, a file, or a text in either",
        description: "Without a port or path it waits for `delay` and `timeout` seconds.",
        free_form: None,
        examples: "\n- wait_for:\n    port: 2379\n    timeout: 30\n- wait_for:\n    path: /run/app.pid\n    state: absent\n",
        returns: &[
            Return { name: "elapsed", doc: "Seconds waited." },
            Return { name: "match_groups", doc: "What the groups of `search_regex` matched." },
            Return { name: "match_groupdict", doc: "The same of named groups." },
        ],
    };

    fn run(args: WaitForArgs, host: &Host) -> Result<Outcome> {
        let begun = Instant::now();
        let limit = Duration::from_secs(args.timeout);
        let look = args.look()?;
        pause(Duration::from_secs(args.delay), host)?;
        let Some(look) = look else {
            pause(limit, host)?;
            return Ok(args.ended(begun, Found::default()));
        };
        loop {
            if let Some(found) = look.once(host)? {
                return Ok(args.ended(begun, found));
            }
            if begun.elapsed() >= limit {
                return Err(args.too_long(begun));
            }
            let left = limit.saturating_sub(begun.elapsed());
            host.wait(Duration::from_secs(args.sleep.max(1)).min(left))?;
        }
    }
}

/// A pause decides nothing: a dry run goes on at once.
fn pause(time: Duration, host: &Host) -> Result<()> {
    match host.wait(time) {
        Err(failure) if failure.unknown => Ok(()),
        result => result,
    }
}

impl WaitForArgs {
    fn look(&self) -> Result<Option<Look>> {
        let refuse = |msg: &str, arg: &str| Err(Failure::new(msg).arg(arg));
        let regex = self.search_regex.as_deref().map(look::regex).transpose()?;
        let exclude = self.exclude_hosts.as_deref().unwrap_or_default();
        match (self.port, &self.path, self.state) {
            (Some(_), Some(_), _) => refuse("`port` and `path`: parameters are mutually exclusive", "path"),
            (None, _, State::Drained) => refuse("state drained needs a `port`", "state"),
            (None, None, _) if regex.is_some() => {
                refuse("`search_regex` needs a `port` or a `path`", "search_regex")
            }
            (None, None, _) => Ok(None),
            (None, Some(path), state) => Ok(Some(Look::Path {
                path: path.clone(),
                regex,
                absent: matches!(state, State::Absent | State::Stopped),
            })),
            (Some(port), None, State::Drained) => {
                let states = self.active_connection_states.as_deref();
                Ok(Some(Look::Drained(Query::new(&self.host, port, exclude, states)?)))
            }
            (Some(port), None, state) => Ok(Some(Look::Port {
                host: self.host.clone(),
                port,
                timeout: Duration::from_secs(self.connect_timeout.max(1)),
                regex,
                closed: matches!(state, State::Stopped | State::Absent),
            })),
        }
    }

    fn ended(&self, begun: Instant, found: Found) -> Outcome {
        Outcome::new()
            .changed(false)
            .with("elapsed", begun.elapsed().as_secs())
            .with("state", self.state.word())
            .with("port", self.port)
            .with("path", self.path.as_ref().map(|p| p.to_string_lossy().into_owned()))
            .with("search_regex", self.search_regex.clone())
            .with("match_groups", found.groups)
            .with("match_groupdict", found.named)
    }

    fn too_long(&self, begun: Instant) -> Failure {
        let what = match (self.port, &self.path) {
            (Some(port), _) => format!("{}:{port}", self.host),
            (None, Some(path)) => path.display().to_string(),
            _ => "the end".to_owned(),
        };
        let words = match &self.search_regex {
            Some(regex) => format!("Timeout when waiting for search string {regex} in {what}"),
            None if self.state.word() == "started" => format!("Timeout when waiting for {what}"),
            None => format!("Timeout when waiting for {what} to be {}", self.state.word()),
        };
        Failure::new(self.msg.clone().unwrap_or(words)).with("elapsed", begun.elapsed().as_secs())
    }
}

#[cfg(test)]
mod tests;
