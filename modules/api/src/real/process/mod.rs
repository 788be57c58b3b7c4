//! Processes, each with a group of its own so that it can be ended with all it started.

mod running;
mod terminal;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::Access;
use rustix::io::Errno;

use super::{RealSystem, find_program, no_program};
use crate::system::{Command, Dialogue, Output, Stdin, System};
use crate::{Control, Failure, Result};
use running::{Ended, MAX_OUTPUT, Running};

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

/// Runs a process at a terminal to its end.
pub(super) fn converse(
    command: &Command,
    dialogue: &mut Dialogue<'_>,
    control: &Control,
) -> Result<Output> {
    if control.is_cancelled() {
        return Err(cancelled(command));
    }
    if let Some(cwd) = &command.cwd {
        check_cwd(command, cwd)?;
    }
    let program = find_program(command, is_program).ok_or_else(|| not_found(command))?;
    terminal::converse(command, &program, dialogue, control)
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
            .map_err(|_| refused(&"Permission denied")),
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
    let mut process = process_of(command, program);
    process
        .process_group(0)
        .stdin(match command.stdin {
            Stdin::Empty => crate::nothing(),
            Stdin::Bytes(_) => Stdio::piped(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process
}

/// The process without its input and output.
fn process_of(command: &Command, program: &Path) -> std::process::Command {
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
        .envs(command.env.iter().map(|(n, v)| (n, v)));
    if let Some(cwd) = &command.cwd {
        process.current_dir(cwd);
    }
    process
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
