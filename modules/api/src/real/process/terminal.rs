//! A process at a terminal of its own, and someone who answers what it asks.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Pts, Pty};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::running::{GRACE, MAX_GRACE, MAX_OUTPUT, kill, timespec};
use super::{Command, Control, Failure, Output, Result, cancelled, failed, rc, too_much};
use crate::system::Dialogue;

/// The terminal of a program that does not care for its size.
const SIZE: (u16, u16) = (24, 80);

/// A program prints its question and only then turns the echo off, which throws away what was
/// typed before: a person is slower.
const BEFORE_TYPING: Duration = Duration::from_millis(50);

/// How often it is looked whether the request was cancelled or the process has ended.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a process at a terminal to its end.
pub(super) fn converse(
    command: &Command,
    program: &Path,
    dialogue: &mut Dialogue<'_>,
    control: &Control,
) -> Result<Output> {
    let (pty, child) = open(command, program, dialogue.echo).map_err(|e| failed(command, &e))?;
    let group = child.id();
    control.enter(group);
    let mut session = Session {
        pty,
        child,
        output: vec![],
        unread: vec![],
        deadline: None,
    };
    let ended = session.run(dialogue, control);
    if ended.is_err() || control.is_cancelled() {
        kill(group);
    }
    let status = session.child.wait();
    control.leave(group);
    if control.is_cancelled() {
        return Err(cancelled(command));
    }
    let status = status.map_err(|e| failed(command, &e))?;
    match ended {
        Ok(()) => Ok(Output {
            rc: rc(status),
            stdout: session.output,
            stderr: vec![],
        }),
        Err(Stop::Io(error)) => Err(failed(command, &error)),
        Err(Stop::TooMuch) => Err(too_much(command, rc(status))),
        Err(Stop::Silent) => Err(Failure::new("command exceeded timeout")
            .with("rc", serde_json::Value::Null)
            .with("stdout", String::from_utf8_lossy(&session.output))
            .help("what it wrote is in `stdout`: an answer to its last question may be missing")),
        Err(Stop::Answer(failure)) => {
            Err(failure.with("stdout", String::from_utf8_lossy(&session.output)))
        }
    }
}

/// Why a conversation ends before the process does.
enum Stop {
    Io(io::Error),
    TooMuch,
    /// It asked nothing that has an answer for too long.
    Silent,
    Answer(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn open(command: &Command, program: &Path, echo: bool) -> io::Result<(Pty, Child)> {
    let (pty, pts) = pty_process::blocking::open().map_err(other)?;
    pty.resize(Size::new(SIZE.0, SIZE.1)).map_err(other)?;
    if !echo {
        silence(&pts)?;
    }
    let plain = super::process_of(command, program);
    let child = pty_process::blocking::Command::from(plain)
        .spawn(pts)
        .map_err(other)?;
    Ok((pty, child))
}

fn other(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(errno) => errno.into(),
    }
}

fn silence(pts: &Pts) -> io::Result<()> {
    let mut modes = tcgetattr(pts)?;
    modes.local_modes.remove(LocalModes::ECHO);
    Ok(tcsetattr(pts, OptionalActions::Now, &modes)?)
}

struct Session {
    pty: Pty,
    child: Child,
    output: Vec<u8>,
    /// What no answer has been given to yet.
    unread: Vec<u8>,
    /// When to stop waiting for the next question.
    deadline: Option<Instant>,
}

impl Session {
    fn run(
        &mut self,
        dialogue: &mut Dialogue<'_>,
        control: &Control,
    ) -> std::result::Result<(), Stop> {
        let mut ended: Option<Instant> = None;
        let mut last_heard = Instant::now();
        self.put_off(dialogue);
        while !control.is_cancelled() {
            if ended.is_none() && self.child.try_wait()?.is_some() {
                ended = Some(Instant::now());
                last_heard = Instant::now();
            }
            match self.hear()? {
                Heard::Closed => return Ok(()),
                Heard::Something => {
                    last_heard = Instant::now();
                    self.answer(dialogue)?;
                }
                Heard::Nothing => {}
            }
            // What it left in the background may hold the terminal open for ever.
            if let Some(at) = ended
                && (last_heard.elapsed() > GRACE || at.elapsed() > MAX_GRACE)
            {
                return Ok(());
            }
            if ended.is_none() && self.deadline.is_some_and(|d| d <= Instant::now()) {
                return Err(Stop::Silent);
            }
        }
        Ok(())
    }

    fn put_off(&mut self, dialogue: &Dialogue<'_>) {
        self.deadline = dialogue
            .patience
            .and_then(|time| Instant::now().checked_add(time));
    }

    fn hear(&mut self) -> std::result::Result<Heard, Stop> {
        let mut fds = [PollFd::from_borrowed_fd(self.pty.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timespec(LOOK))) {
            Ok(0) | Err(Errno::INTR) => return Ok(Heard::Nothing),
            Ok(_) => {}
            Err(e) => return Err(io::Error::from(e).into()),
        }
        let mut buffer = [0; 16 << 10];
        match self.pty.read(&mut buffer) {
            Ok(0) => Ok(Heard::Closed),
            // Nobody has the other end open any more.
            Err(e) if Errno::from_io_error(&e) == Some(Errno::IO) => Ok(Heard::Closed),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Heard::Nothing),
            Err(e) => Err(e.into()),
            Ok(n) if self.output.len() + n > MAX_OUTPUT => Err(Stop::TooMuch),
            Ok(n) => {
                self.output.extend_from_slice(&buffer[..n]);
                self.unread.extend_from_slice(&buffer[..n]);
                Ok(Heard::Something)
            }
        }
    }

    /// Types what the questions so far are answered with.
    fn answer(&mut self, dialogue: &mut Dialogue<'_>) -> std::result::Result<(), Stop> {
        while let Some(answer) = (dialogue.answer)(&mut self.unread).map_err(Stop::Answer)? {
            std::thread::sleep(BEFORE_TYPING);
            match self.pty.write_all(&answer) {
                // It has ended meanwhile, and does not want it.
                Err(e) if Errno::from_io_error(&e) == Some(Errno::IO) => {}
                result => result?,
            }
            self.put_off(dialogue);
        }
        Ok(())
    }
}

enum Heard {
    Something,
    Nothing,
    Closed,
}
