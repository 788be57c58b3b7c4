//! Programs that lookups run on the controller: each in a process group of its own, so that all of
//! it ends where the run is interrupted.
//!
//! Knows nothing of what the programs are for.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::runtime::{Handle, RuntimeFlavor};

/// The process groups of the programs that run now; `None` where no more are to run.
static RUNNING: Mutex<Option<BTreeSet<u32>>> = Mutex::new(Some(BTreeSet::new()));

/// Runs a program to its end and gives what it printed.
///
/// # Errors
/// It could not be started, or not be waited for.
pub(crate) fn output(mut command: Command) -> io::Result<Output> {
    let mut running = running();
    let Some(groups) = running.as_mut() else {
        return Err(io::ErrorKind::Interrupted.into());
    };
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let group = child.id();
    groups.insert(group);
    drop(running);
    let output = beside_others(|| child.wait_with_output());
    if let Some(groups) = self::running().as_mut() {
        groups.remove(&group);
    }
    output
}

/// Waits for something while other hosts' tasks go on, where they can.
fn beside_others<T>(wait: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}

/// Ends all programs that still run; no more are started.
pub(crate) fn end_all() {
    for group in running().take().unwrap_or_default() {
        let group = i32::try_from(group).ok().and_then(Pid::from_raw);
        // One that has ended by itself is no loss.
        let _ = group.map(|group| kill_process_group(group, Signal::TERM));
    }
}

fn running() -> MutexGuard<'static, Option<BTreeSet<u32>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_program_and_what_it_started_end_at_an_interrupt() {
        let begun = Instant::now();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "sleep 60 & wait"]);
        let waiting = std::thread::spawn(|| output(shell).unwrap());
        while running().as_ref().is_some_and(BTreeSet::is_empty) {
            std::thread::sleep(Duration::from_millis(5));
        }
        end_all();
        // The sleep holds the pipe open: its end is the end of the wait.
        assert!(!waiting.join().unwrap().status.success());
        assert!(begun.elapsed() < Duration::from_secs(50));
    }
}
