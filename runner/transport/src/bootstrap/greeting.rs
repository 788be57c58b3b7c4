//! What comes back from a start: the agent's hello, a password prompt, a word that the agent is
//! missing, or something else altogether.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use rplay_wire::{FromAgent, Hello, MAGIC};

use crate::client::streams::{keep_tail, take_frame};
use crate::error::{BecomeFault, Cause};
use crate::process::{Ended, Piece, Process, last_words};

use super::Launch;

/// How long a start may take. Login shells and PAM can be slow.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that a login shell may print before the agent's hello, in bytes.
const NOISE_LIMIT: usize = 64 << 10;

const MISSING: &[u8] = b"rplay-missing ";

/// What came back.
pub(super) enum Greeting {
    Agent(Box<Greeted>),
    Missing(Uname),
}

/// An agent that said hello.
pub(super) struct Greeted {
    pub(super) hello: Hello,
    pub(super) process: Process,
    pub(super) rest: BytesMut,
    pub(super) stderr: Vec<u8>,
}

/// What the host is.
pub(super) struct Uname {
    pub(super) os: String,
    pub(super) arch: String,
    pub(super) has_gzip: bool,
}

impl Uname {
    /// As a shell says it.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Self {
            os: words.next()?,
            arch: words.next()?,
            has_gzip: words.next()? == "gzip",
        })
    }
}

/// Waits for the agent, and answers a password prompt.
pub(super) async fn await_agent(process: Process, launch: &Launch) -> Result<Greeting, Cause> {
    let mut start = Start {
        process,
        launch,
        out: BytesMut::new(),
        err: vec![],
        sent: false,
    };
    let after = launch.other.as_ref().map_or(START_TIMEOUT, |o| o.timeout);
    match tokio::time::timeout(after, start.heard()).await {
        Ok(Ok(Heard::Hello(hello))) => Ok(start.greeted(hello)),
        Ok(Ok(Heard::Missing(uname))) => Ok(Greeting::Missing(uname)),
        Ok(Err(cause)) => Err(cause),
        Err(_) => Err(match &launch.other {
            Some(other) => other.late(&String::from_utf8_lossy(&start.err)),
            None => Cause::Timeout {
                act: "starting the agent".to_owned(),
                after,
            },
        }),
    }
}

struct Start<'a> {
    process: Process,
    launch: &'a Launch,
    out: BytesMut,
    err: Vec<u8>,
    /// The password was sent.
    sent: bool,
}

/// How a start ends well.
enum Heard {
    Hello(Hello),
    Missing(Uname),
}

impl Start<'_> {
    fn greeted(self, hello: Hello) -> Greeting {
        Greeting::Agent(Box::new(Greeted {
            hello,
            process: self.process,
            rest: self.out,
            // A prompt's words are no part of what the agent says later.
            stderr: vec![],
        }))
    }

    async fn heard(&mut self) -> Result<Heard, Cause> {
        let mut began = false;
        while let Some(piece) = self.process.output.next().await {
            match piece {
                Piece::Err(data) => {
                    keep_tail(&mut self.err, &data);
                    self.answer().await?;
                    continue;
                }
                Piece::Out(data) => self.out.extend_from_slice(&data),
            }
            if !began && let Some(at) = find(&self.out, &MAGIC) {
                self.out.advance(at + MAGIC.len());
                began = true;
            }
            if began {
                if let Some(hello) = self.hello()? {
                    return Ok(Heard::Hello(hello));
                }
            } else if let Some(uname) = missing(&self.out) {
                return Ok(Heard::Missing(uname));
            } else if self.out.len() > NOISE_LIMIT {
                let ended = format!("printed more than {} KiB", NOISE_LIMIT >> 10);
                return Err(self.no_agent(ended));
            }
        }
        let ended = self.process.output.ended().await;
        Err(self.fault(&ended))
    }

    fn hello(&mut self) -> Result<Option<Hello>, Cause> {
        match take_frame::<FromAgent>(&mut self.out) {
            Ok(None) => Ok(None),
            Ok(Some(FromAgent::Hello(hello))) => Ok(Some(hello)),
            Ok(Some(_)) => Err(self.no_agent("sent something before its hello".to_owned())),
            Err(e) => Err(self.no_agent(e)),
        }
    }

    /// Sends the password where it is asked for: once.
    async fn answer(&mut self) -> Result<(), Cause> {
        let Some(other) = &self.launch.other else {
            return Ok(());
        };
        if !other.asks(&String::from_utf8_lossy(&self.err)) {
            return Ok(());
        }
        let Some(password) = &other.password else {
            return Err(other.failed(BecomeFault::PasswordNeeded));
        };
        if self.sent {
            return Err(other.failed(BecomeFault::PasswordWrong));
        }
        self.sent = true;
        let line = format!("{}\n", password.expose());
        // A program that is gone is told of when its output ends.
        let _ = self.process.input.write(line.into()).await;
        Ok(())
    }

    fn fault(&self, ended: &Ended) -> Cause {
        match (&self.launch.other, ended) {
            (_, Ended::Lost(why)) => Cause::Closed {
                act: "starting the agent".to_owned(),
                error: why.clone(),
            },
            (Some(other), _) => other.fault(ended, &String::from_utf8_lossy(&self.err), self.sent),
            (None, _) => self.no_agent(ended.to_string()),
        }
    }

    /// What was printed in place of a hello: the last words of both streams.
    fn no_agent(&self, ended: String) -> Cause {
        let mut said = self.out.to_vec();
        said.extend_from_slice(&self.err);
        let output = last_words(&String::from_utf8_lossy(&said));
        Cause::NoAgent { ended, output }
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

/// The line that says that the agent is missing, once it is whole.
fn missing(out: &[u8]) -> Option<Uname> {
    let line = &out[find(out, MISSING)? + MISSING.len()..];
    let line = &line[..line.iter().position(|b| *b == b'\n')?];
    Uname::of(&String::from_utf8_lossy(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_login_shell_prints_before_is_skipped() {
        let uname = missing(b"Welcome!\nrplay-missing Linux x86_64 gzip\n").unwrap();
        assert_eq!(
            (uname.os.as_str(), uname.arch.as_str(), uname.has_gzip),
            ("Linux", "x86_64", true)
        );
    }

    #[test]
    fn half_a_line_is_not_read() {
        assert!(missing(b"rplay-missing Linux x86_64").is_none());
    }
}
