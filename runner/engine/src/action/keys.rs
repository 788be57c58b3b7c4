//! Keys as they are typed at the terminal, one by one.

use std::io::{self, IsTerminal, Stdin, Write};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

/// How a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// With Return; what was typed before it.
    Line(String),
    /// The time was up.
    TimeUp,
    /// Ctrl-C and then `c`.
    GoOn,
    /// Ctrl-C and then `a`.
    Abort,
}

const CTRL_C: u8 = 3;

/// Whether somebody sits at standard input, and this program is the one that they see.
pub(super) fn is_manned() -> bool {
    let stdin = io::stdin();
    stdin.is_terminal() && tcgetpgrp(&stdin).is_ok_and(|seen| seen == rustix::process::getpgrp())
}

/// Waits until Return; where there is an end, until then: what is typed counts for nothing.
///
/// # Errors
/// The terminal is gone.
pub(super) fn wait(until: Option<Instant>, echo: bool) -> io::Result<Typed> {
    let terminal = Terminal::taken()?;
    let mut line: Vec<u8> = vec![];
    loop {
        let Some(key) = terminal.key(until)? else {
            return Ok(Typed::TimeUp);
        };
        match key {
            CTRL_C => return terminal.choice(),
            _ if until.is_some() => {}
            b'\r' | b'\n' => {
                say("\r\n");
                return Ok(Typed::Line(String::from_utf8_lossy(&line).into_owned()));
            }
            key if terminal.erases(key) => {
                // A letter may be of several bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                if echo {
                    say("\x08 \x08");
                }
            }
            key => {
                line.push(key);
                if echo {
                    let _ = io::stderr().write_all(&[key]);
                }
            }
        }
    }
}

/// Where nobody can be told any more, nobody types either.
fn say(words: &str) {
    let mut stderr = io::stderr();
    let _ = stderr.write_all(words.as_bytes());
    let _ = stderr.flush();
}

/// The terminal, which gives keys at once and shows none by itself; as before when it is dropped.
struct Terminal {
    stdin: Stdin,
    before: Termios,
}

impl Terminal {
    fn taken() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        Ok(Self { stdin, before })
    }

    /// The next key; none where the time is up.
    fn key(&self, until: Option<Instant>) -> io::Result<Option<u8>> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let mut polled = [PollFd::new(&self.stdin, PollFlags::IN)];
        if poll(&mut polled, left.map(timespec).as_ref())? == 0 {
            return Ok(None);
        }
        let mut key = [0];
        match rustix::io::read(&self.stdin, &mut key)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(Some(key[0])),
        }
    }

    fn erases(&self, key: u8) -> bool {
        key == self.before.special_codes[SpecialCodeIndex::VERASE] || matches!(key, 8 | 127)
    }

    /// What to do after Ctrl-C.
    fn choice(&self) -> io::Result<Typed> {
        say("Press 'C' to continue the play or 'A' to abort \r\n");
        loop {
            match self.key(None)? {
                Some(b'c' | b'C') => return Ok(Typed::GoOn),
                Some(b'a' | b'A') => return Ok(Typed::Abort),
                _ => {}
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to put back.
        let _ = tcsetattr(&self.stdin, OptionalActions::Now, &self.before);
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
