//! A command line run as another user, without the agent.
//!
//! What the program that changes the user says before the command begins (a prompt, a lecture) is
//! no part of the command's output.

use crate::connection::{Link, Ran};
use crate::error::{BecomeFault, Cause};
use crate::process::{Ended, Piece, Process};

use super::launch::{Launch, Other};

/// Runs a command line of sh as the user that `launch` is for.
pub(crate) async fn run_as(
    link: &Link,
    launch: &Launch,
    command: &str,
    stdin: &[u8],
    pty: bool,
) -> Result<Ran, Cause> {
    let process = link.spawn(&launch.line(command), pty).await?;
    let Some(other) = &launch.other else {
        return crate::connection::collect(process, stdin).await;
    };
    let mut change = Change {
        process,
        other,
        mark: format!("{}\n", launch.mark),
        out: vec![],
        err: vec![],
        sent: false,
    };
    match tokio::time::timeout(other.timeout, change.begin()).await {
        Ok(begun) => begun?,
        // With a terminal the prompt is on the output.
        Err(_) => {
            change.err.extend_from_slice(&change.out);
            return Err(other.late(&String::from_utf8_lossy(&change.err)));
        }
    }
    let Change { process, out, .. } = change;
    let mut ran = crate::connection::collect(process, stdin).await?;
    ran.stdout.splice(0..0, out);
    Ok(ran)
}

struct Change<'a> {
    process: Process,
    other: &'a Other,
    /// What is printed where the command begins.
    mark: String,
    out: Vec<u8>,
    err: Vec<u8>,
    /// The password was sent.
    sent: bool,
}

impl Change<'_> {
    /// Waits until the command begins, and answers a password prompt; what came of the command's
    /// output by then stays in `out`.
    async fn begin(&mut self) -> Result<(), Cause> {
        while let Some(piece) = self.process.output.next().await {
            match piece {
                Piece::Out(data) => self.out.extend_from_slice(&data),
                Piece::Err(data) => self.err.extend_from_slice(&data),
            }
            if let Some(at) = find(&self.out, self.mark.as_bytes()) {
                self.out.drain(..at + self.mark.len());
                return Ok(());
            }
            self.answer().await?;
        }
        let ended = self.process.output.ended().await;
        Err(match &ended {
            Ended::Lost(error) => Cause::Closed {
                act: "running a command".to_owned(),
                error: error.clone(),
            },
            _ => self
                .other
                .fault(&ended, &String::from_utf8_lossy(&self.err), self.sent),
        })
    }

    /// Sends the password where it is asked for: once.
    async fn answer(&mut self) -> Result<(), Cause> {
        // With a terminal the prompt is on the output.
        let asks = |said: &[u8]| self.other.asks(&String::from_utf8_lossy(said));
        if !asks(&self.err) && !asks(&self.out) {
            return Ok(());
        }
        let Some(password) = &self.other.password else {
            return Err(self.other.failed(BecomeFault::PasswordNeeded));
        };
        if self.sent {
            return Err(self.other.failed(BecomeFault::PasswordWrong));
        }
        self.sent = true;
        let line = format!("{}\n", password.expose());
        // A program that is gone is told of when its output ends. The prompt is not one again.
        let _ = self.process.input.write(line.into()).await;
        self.err.push(b'\n');
        self.out.push(b'\n');
        Ok(())
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}
