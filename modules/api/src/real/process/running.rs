//! A process under way: its pipes, its deadline, its end.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::Control;
use crate::system::{Command, Stdin};

/// How long the output of an ended process may go on: a service that it left in the background
/// may hold the pipes open for ever.
pub(super) const GRACE: Duration = Duration::from_millis(300);

/// How long it may go on at most, where the background never falls silent.
pub(super) const MAX_GRACE: Duration = Duration::from_secs(5);

/// More output than this cannot be sent to the controller, in bytes.
pub(super) const MAX_OUTPUT: usize = 32 << 20;

/// A process under way, and our ends of its pipes.
pub(super) struct Running<'a> {
    group: u32,
    input: Option<(std::process::ChildStdin, &'a [u8])>,
    outputs: [Pipe; 2],
    /// Readable once the process has ended.
    ended: io::PipeReader,
    waiter: Option<std::thread::JoinHandle<io::Result<ExitStatus>>>,
    status: Option<ExitStatus>,
    /// When to stop whatever is still open.
    deadline: Option<Instant>,
    timed_out: bool,
    /// Once it has ended: the deadline is not put off beyond that.
    last: Option<Instant>,
}

/// One of a process's outputs.
pub(super) struct Pipe {
    /// Until it is closed.
    source: Option<Box<dyn ReadFd>>,
    pub(super) bytes: Vec<u8>,
    pub(super) overflow: bool,
}

trait ReadFd: Read + AsFd {}
impl<T: Read + AsFd> ReadFd for T {}

/// What a process came to.
pub(super) struct Ended {
    pub(super) status: Option<ExitStatus>,
    pub(super) outputs: [Pipe; 2],
    pub(super) timed_out: bool,
}

impl<'a> Running<'a> {
    pub(super) fn new(mut child: Child, command: &'a Command) -> io::Result<Self> {
        let input = child.stdin.take().zip(match &command.stdin {
            Stdin::Bytes(bytes) => Some(bytes.as_slice()),
            Stdin::Empty => None,
        });
        let outputs = [
            Pipe::new(child.stdout.take())?,
            Pipe::new(child.stderr.take())?,
        ];
        if let Some((pipe, _)) = &input {
            do_not_block(pipe)?;
        }
        let group = child.id();
        let (ended, tell) = io::pipe()?;
        // A thread and not a pidfd: kernels before 5.3 have none.
        let waiter = std::thread::spawn(move || {
            let status = child.wait();
            drop(tell);
            status
        });
        Ok(Self {
            group,
            input,
            outputs,
            ended,
            waiter: Some(waiter),
            status: None,
            deadline: command.timeout.and_then(|t| Instant::now().checked_add(t)),
            last: None,
            timed_out: false,
        })
    }

    pub(super) fn finish(mut self, control: &Control) -> io::Result<Ended> {
        while !self.is_done(control) {
            self.step()?;
        }
        Ok(Ended {
            status: self.status,
            outputs: self.outputs,
            timed_out: self.timed_out,
        })
    }

    fn is_done(&self, control: &Control) -> bool {
        let closed = self.outputs.iter().all(|pipe| pipe.source.is_none());
        let late = self.deadline.is_some_and(|d| d <= Instant::now());
        self.status.is_some() && (closed || late || control.is_cancelled())
    }

    /// Waits for the next thing to happen, and deals with it.
    fn step(&mut self) -> io::Result<()> {
        let ready = self.poll()?;
        if ready.input {
            self.feed();
        }
        for (pipe, readable) in self.outputs.iter_mut().zip(ready.outputs) {
            if readable && pipe.drain()? && self.status.is_some() {
                self.deadline = self.last.min(Some(Instant::now() + GRACE));
            }
        }
        if ready.ended {
            self.reap()?;
        }
        if self.status.is_none() && self.deadline.is_some_and(|d| d <= Instant::now()) {
            self.timed_out = true;
            self.deadline = None;
            kill(self.group);
        }
        Ok(())
    }

    fn poll(&self) -> io::Result<Ready> {
        let mut fds = Vec::with_capacity(4);
        let mut roles = Vec::with_capacity(4);
        if let Some((pipe, _)) = &self.input {
            fds.push(PollFd::new(pipe, PollFlags::OUT));
            roles.push(Role::Input);
        }
        for (i, pipe) in self.outputs.iter().enumerate() {
            if let Some(source) = &pipe.source {
                fds.push(PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN));
                roles.push(Role::Output(i));
            }
        }
        if self.status.is_none() {
            fds.push(PollFd::new(&self.ended, PollFlags::IN));
            roles.push(Role::Ended);
        }
        let timeout = self.deadline.map(|d| timespec(d - Instant::now()));
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let mut ready = Ready::default();
        for (fd, role) in fds.iter().zip(roles) {
            let is_ready = !fd.revents().is_empty();
            match role {
                Role::Input => ready.input = is_ready,
                Role::Output(i) => ready.outputs[i] = is_ready,
                Role::Ended => ready.ended = is_ready,
            }
        }
        Ok(ready)
    }

    /// Writes as much of the input as the process takes. One that does not want it all is no error.
    fn feed(&mut self) {
        let Some((mut pipe, bytes)) = self.input.take() else {
            return;
        };
        match pipe.write(bytes) {
            Ok(n) if n < bytes.len() => self.input = Some((pipe, &bytes[n..])),
            Err(e) if is_retry(&e) => self.input = Some((pipe, bytes)),
            _ => {}
        }
    }

    fn reap(&mut self) -> io::Result<()> {
        if let Some(waiter) = self.waiter.take() {
            let status = waiter.join().expect("bug: the waiter panicked");
            self.status = Some(status?);
            self.input = None;
            self.deadline = Some(Instant::now() + GRACE);
            self.last = Some(Instant::now() + MAX_GRACE);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Ready {
    input: bool,
    outputs: [bool; 2],
    ended: bool,
}

enum Role {
    Input,
    Output(usize),
    Ended,
}

impl Pipe {
    fn new<T: Read + AsFd + 'static>(source: Option<T>) -> io::Result<Self> {
        let source = source.map(|s| Box::new(s) as Box<dyn ReadFd>);
        if let Some(source) = &source {
            do_not_block(source)?;
        }
        Ok(Self {
            source,
            bytes: Vec::new(),
            overflow: false,
        })
    }

    /// Reads what is there; says whether anything was.
    fn drain(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.source else {
            return Ok(false);
        };
        let mut buffer = [0; 64 << 10];
        match source.read(&mut buffer) {
            Ok(0) => self.source = None,
            Ok(n) if self.bytes.len() + n > MAX_OUTPUT => self.overflow = true,
            Ok(n) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                return Ok(true);
            }
            Err(e) if is_retry(&e) => {}
            Err(e) => return Err(e),
        }
        Ok(false)
    }
}

pub(super) fn kill(group: u32) {
    let pid = i32::try_from(group).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

fn do_not_block(fd: &(impl AsFd + ?Sized)) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}

fn is_retry(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

pub(super) fn timespec(left: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
