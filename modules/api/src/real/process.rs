//! Processes, each with a group of its own so that it can be ended with all it started.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Access, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::{RealSystem, find_program, no_program};
use crate::system::{Command, Output, Stdin, System};
use crate::{Control, Failure, Result};

/// How long the output of an ended process may go on: a service that it left in the background
/// may hold the pipes open for ever.
const GRACE: Duration = Duration::from_millis(300);

/// More output than this cannot be sent to the controller, in bytes.
const MAX_OUTPUT: usize = 32 << 20;

/// A program that was written just now may still be open in a process that is being started.
const BUSY_RETRIES: u32 = 5;

/// Runs a process to its end.
pub(super) fn run(command: &Command, control: &Control) -> Result<Output> {
    if control.is_cancelled() {
        return Err(cancelled(command));
    }
    if let Some(cwd) = &command.cwd {
        check_cwd(command, cwd)?;
    }
    let program = find_program(command, is_program).ok_or_else(|| not_found(command))?;
    let child = spawn(command, &program)?;
    let group = child.id();
    control.enter(group);
    let result = Running::new(child, command).and_then(|running| running.finish(control));
    control.leave(group);
    let ended = result.map_err(|e| failed(command, &e))?;
    ended.judge(command, control)
}

fn check_cwd(command: &Command, cwd: &Path) -> Result<()> {
    let refused = |why: &dyn std::fmt::Display| {
        Failure::new(format!(
            "could not run `{}` in `{}`: {why}",
            command.display(),
            cwd.display()
        ))
    };
    match std::fs::metadata(cwd) {
        Ok(meta) if !meta.is_dir() => Err(refused(&"it is no folder")),
        Ok(_) => RealSystem
            .access(cwd, Access::EXEC_OK)
            .map_err(|_| refused(&"permission denied")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(refused(&"there is no such folder")),
        Err(e) => Err(refused(&e)),
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file())
        && RealSystem.access(path, Access::EXEC_OK).is_ok()
}

/// Nothing that can be run: absent, or there without leave to run it.
fn not_found(command: &Command) -> Failure {
    let Some(file) = find_program(command, |path| path.exists()) else {
        return no_program(command);
    };
    let (file, why) = if file.is_dir() {
        (file.display(), "it is a folder")
    } else {
        (file.display(), "it is not executable")
    };
    Failure::new(format!("could not run `{file}`: {why}")).with("rc", 126)
}

fn failed(command: &Command, error: &io::Error) -> Failure {
    let failure = Failure::io("run", Path::new(&command.display()), error);
    match Errno::from_io_error(error) {
        Some(Errno::NOEXEC) => failure.help(
            "its first line should name its interpreter, such as `#!/bin/sh`; a binary must be \
             built for this machine",
        ),
        Some(Errno::NOENT) => {
            failure.help("the program is there: its interpreter (or loader) is not")
        }
        _ => failure,
    }
}

fn spawn(command: &Command, program: &Path) -> Result<Child> {
    let mut process = process(command, program);
    for retry in 0.. {
        match process.spawn() {
            Err(e) if e.kind() == io::ErrorKind::ExecutableFileBusy && retry < BUSY_RETRIES => {
                std::thread::sleep(Duration::from_millis(20) * (retry + 1));
            }
            result => return result.map_err(|e| failed(command, &e)),
        }
    }
    unreachable!("bug: the last retry returns")
}

fn process(command: &Command, program: &Path) -> std::process::Command {
    let mut process = match command.umask {
        // Only the process itself can set it, and between fork and exec no code of ours may run.
        Some(umask) => {
            let mut shell = std::process::Command::new("/bin/sh");
            let script = format!("umask {umask:04o} && exec \"$0\" \"$@\"");
            shell.arg("-c").arg(script).arg(program);
            shell
        }
        None => {
            let mut process = std::process::Command::new(program);
            process.arg0(&command.argv[0]);
            process
        }
    };
    process
        .args(&command.argv[1..])
        .envs(command.env.iter().map(|(n, v)| (n, v)))
        .process_group(0)
        .stdin(match command.stdin {
            Stdin::Empty => Stdio::null(),
            Stdin::Bytes(_) => Stdio::piped(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(cwd) = &command.cwd {
        process.current_dir(cwd);
    }
    process
}

/// A process under way, and our ends of its pipes.
struct Running<'a> {
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
}

/// One of a process's outputs.
struct Pipe {
    /// Until it is closed.
    source: Option<Box<dyn ReadFd>>,
    bytes: Vec<u8>,
    overflow: bool,
}

trait ReadFd: Read + AsFd {}
impl<T: Read + AsFd> ReadFd for T {}

/// What a process came to.
struct Ended {
    status: Option<ExitStatus>,
    outputs: [Pipe; 2],
    timed_out: bool,
}

impl<'a> Running<'a> {
    fn new(mut child: Child, command: &'a Command) -> io::Result<Self> {
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
            timed_out: false,
        })
    }

    fn finish(mut self, control: &Control) -> io::Result<Ended> {
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
                self.deadline = Some(Instant::now() + GRACE);
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

impl Ended {
    fn judge(self, command: &Command, control: &Control) -> Result<Output> {
        if control.is_cancelled() {
            return Err(cancelled(command));
        }
        let overflow = self.outputs.iter().any(|pipe| pipe.overflow);
        let [stdout, stderr] = self.outputs.map(|pipe| pipe.bytes);
        let output = Output {
            rc: self.status.map_or(-1, rc),
            stdout,
            stderr,
        };
        if self.timed_out {
            return Err(timed_out(command, &output));
        }
        if overflow {
            return Err(too_much(command, output.rc));
        }
        Ok(output)
    }
}

/// The exit code, or minus the signal that ended it.
fn rc(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| -signal))
        .unwrap_or(-1)
}

fn cancelled(command: &Command) -> Failure {
    Failure::new(format!("`{}` was cancelled", command.display()))
}

fn timed_out(command: &Command, output: &Output) -> Failure {
    let after = command.timeout.unwrap_or_default().as_secs_f64();
    Failure::new(format!(
        "`{}` did not end within {after} seconds and was killed",
        command.display()
    ))
    .with("rc", output.rc)
    .with("stdout", output.stdout())
    .with("stderr", output.stderr())
}

fn too_much(command: &Command, rc: i32) -> Failure {
    Failure::new(format!(
        "`{}` ended with exit code {rc}, but wrote more than {} MiB",
        command.display(),
        MAX_OUTPUT >> 20
    ))
    .help("let it write to a file, and fetch that")
    .with("rc", rc)
}

fn kill(group: u32) {
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

fn timespec(left: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
