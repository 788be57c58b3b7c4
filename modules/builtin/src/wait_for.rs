//! Waits for a port, a file, or a text in either.
//!
//! In a dry run it looks once: what does not hold yet may come of something that is only planned,
//! and is unknown.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

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
    #[arg(default = Vec::new())]
    exclude_hosts: Vec<String>,
    /// States of connections that count for `drained`.
    #[arg(default = Vec::new())]
    active_connection_states: Vec<String>,
}

impl Module for This {
    type Args = WaitForArgs;

    const DOC: Doc = Doc {
        name: "wait_for",
        aliases: &[],
        summary: "Waits for a port, a file, or a text in either",
        description: "Without a port or path it waits for `timeout` seconds.",
        free_form: None,
        examples: "\n- wait_for:\n    port: 2379\n    timeout: 30\n- wait_for:\n    path: /run/app.pid\n    state: absent\n",
        returns: &[Return { name: "elapsed", doc: "seconds waited" }],
    };

    fn run(args: WaitForArgs, host: &Host) -> Result<Outcome> {
        let regex = args
            .search_regex
            .as_ref()
            .map(|text| Regex::new(&format!("(?m){text}")))
            .transpose()
            .map_err(|e| Failure::new(format!("the pattern is not good: {e}")).arg("search_regex"))?;
        if args.port.is_some() && args.path.is_some() {
            return Err(Failure::new("`port` and `path` exclude each other").arg("path"));
        }
        let begun = Instant::now();
        if args.delay > 0 {
            host.wait(Duration::from_secs(args.delay))?;
        }
        let limit = Duration::from_secs(args.timeout);
        if args.port.is_none() && args.path.is_none() {
            host.wait(limit)?;
            return Ok(ended(&args, begun));
        }
        loop {
            if holds(&args, regex.as_ref(), host)? {
                return Ok(ended(&args, begun));
            }
            if begun.elapsed() >= limit {
                let words = args.msg.clone().unwrap_or_else(|| too_long(&args));
                return Err(Failure::new(words).with("elapsed", begun.elapsed().as_secs()));
            }
            let left = limit.saturating_sub(begun.elapsed());
            host.wait(Duration::from_secs(args.sleep.max(1)).min(left))?;
        }
    }
}

fn ended(args: &WaitForArgs, begun: Instant) -> Outcome {
    let outcome = Outcome::new().changed(false).with("elapsed", begun.elapsed().as_secs());
    let outcome = outcome.with("state", args.state.word());
    match (args.port, &args.path) {
        (Some(port), _) => outcome.with("port", port),
        (None, Some(path)) => outcome.with("path", path.to_string_lossy()),
        _ => outcome,
    }
}

fn too_long(args: &WaitForArgs) -> String {
    let seconds = args.timeout;
    let what = match (args.port, &args.path) {
        (Some(port), _) => format!("{}:{port}", args.host),
        (None, Some(path)) => path.display().to_string(),
        _ => "the end".to_owned(),
    };
    format!("`{what}` was not {} after {seconds} seconds", args.state.word())
}

/// One look.
fn holds(args: &WaitForArgs, regex: Option<&Regex>, host: &Host) -> Result<bool> {
    let wants_presence = matches!(args.state, State::Started | State::Present);
    if let Some(path) = &args.path {
        let present = file_holds(path, regex, host)?;
        return Ok(present == wants_presence);
    }
    let Some(port) = args.port else { return Ok(true) };
    match args.state {
        State::Drained => Ok(!has_connections(port, &args.exclude_hosts, host)),
        _ => Ok(port_holds(args, port, regex) == wants_presence),
    }
}

fn file_holds(path: &Path, regex: Option<&Regex>, host: &Host) -> Result<bool> {
    if !host.exists(path)? {
        return Ok(false);
    }
    let Some(regex) = regex else { return Ok(true) };
    let content = String::from_utf8_lossy(&host.read(path)?).into_owned();
    regex.is_match(&content).map_err(|e| Failure::new(e.to_string()))
}

fn port_holds(args: &WaitForArgs, port: u16, regex: Option<&Regex>) -> bool {
    let limit = Duration::from_secs(args.connect_timeout.max(1));
    let addresses = (args.host.as_str(), port).to_socket_addrs().into_iter().flatten();
    let stream = addresses.into_iter().find_map(|a| TcpStream::connect_timeout(&a, limit).ok());
    let Some(mut stream) = stream else { return false };
    let Some(regex) = regex else {
        // Whatever the peer says to that does not matter: it was there.
        let _ = stream.shutdown(Shutdown::Both);
        return true;
    };
    sends(&mut stream, regex, limit)
}

/// Whether what a port sends holds a text, as far as it comes within the limit.
fn sends(stream: &mut TcpStream, regex: &Regex, limit: Duration) -> bool {
    let _ = stream.set_read_timeout(Some(limit));
    let _ = stream.flush();
    let mut heard = vec![];
    let mut buffer = [0; 1024];
    while let Ok(n) = stream.read(&mut buffer) {
        heard.extend_from_slice(&buffer[..n]);
        if regex.is_match(&*String::from_utf8_lossy(&heard)).unwrap_or(false) {
            return true;
        }
        if n == 0 || heard.len() > 1 << 20 {
            return false;
        }
    }
    false
}

/// Whether a local port has connections, as /proc/net says; listening does not count.
fn has_connections(port: u16, exclude: &[String], host: &Host) -> bool {
    let excluded: Vec<String> = exclude.iter().filter_map(|h| proc_address(h)).collect();
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|file| {
        let text = host.read_text(Path::new(file)).unwrap_or_default();
        text.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (Some(local), Some(remote), Some(state)) = (fields.get(1), fields.get(2), fields.get(3)) else {
                return false;
            };
            // ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT.
            let active = matches!(*state, "01" | "02" | "03" | "04" | "05" | "06");
            let ours = local.ends_with(&format!(":{port:04X}"));
            ours && active && !excluded.iter().any(|e| remote.starts_with(e.as_str()))
        })
    })
}

/// An IPv4 address as /proc/net/tcp writes it.
fn proc_address(text: &str) -> Option<String> {
    let address: std::net::Ipv4Addr = text.parse().ok()?;
    Some(format!("{:08X}", u32::from_le_bytes(address.octets())))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rplay_api::RealSystem;
    use serde_json::json;

    use super::*;
    use crate::fixture::run;

    #[test]
    fn a_listening_port_is_started() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(run::<This>(&RealSystem, json!({"port": port, "timeout": 2})).result.is_ok());
        let stopped = json!({"port": port, "timeout": 1, "state": "stopped", "msg": "taken"});
        assert_eq!(run::<This>(&RealSystem, stopped).result.unwrap_err().msg, "taken");
        drop(listener);
        let stopped = json!({"port": port, "timeout": 2, "state": "stopped"});
        assert!(run::<This>(&RealSystem, stopped).result.is_ok());
    }

    #[test]
    fn a_text_in_a_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, "a\nready: yes\n").unwrap();
        let found = json!({"path": path, "search_regex": "^ready", "timeout": 1});
        assert!(run::<This>(&RealSystem, found).result.is_ok());
        let missed = json!({"path": path, "search_regex": "^never", "timeout": 1});
        assert!(run::<This>(&RealSystem, missed).result.is_err());
    }

    #[test]
    fn an_address_is_written_as_proc_writes_it() {
        assert_eq!(proc_address("127.0.0.1").as_deref(), Some("0100007F"));
    }
}
