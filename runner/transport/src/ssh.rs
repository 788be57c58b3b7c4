//! SSH: one connection a host, and everything that is needed to get it.
//!
//! `russh` is used itself, and not by way of `async-ssh2-tokio`: see docs/decisions.

mod farewell;
mod shared;

use std::sync::Arc;

use russh::client::Handle;

use crate::error::Cause;
use crate::process::Process;
pub(crate) use farewell::Farewell;
use farewell::Listener;
pub(crate) use shared::Shared;

/// A connection that is logged in.
pub(crate) struct Session {
    handle: Handle<Listener>,
    farewell: Farewell,
    /// Kept open as long as this one runs through it.
    _jump: Option<Arc<Session>>,
}

impl Session {
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Starts a command line in the login shell.
    pub(crate) async fn exec(&self, command: &str, pty: bool) -> Result<Process, Cause> {
        let channel = match self.handle.channel_open_session().await {
            Ok(channel) => channel,
            Err(e) => return Err(self.failed("opening a channel", &e).await),
        };
        let started = async {
            if pty {
                channel
                    .request_pty(false, "dumb", 80, 24, 0, 0, &[])
                    .await?;
            }
            channel.exec(true, command).await
        };
        match started.await {
            Ok(()) => Ok(Process::ssh(channel, self.farewell.clone())),
            Err(e) => Err(self.failed("starting a shell", &e).await),
        }
    }

    async fn failed(&self, act: &str, error: &russh::Error) -> Cause {
        let error = match self.is_closed() {
            true => self.farewell.words().await,
            false => error.to_string(),
        };
        Cause::Closed {
            act: act.to_owned(),
            error,
        }
    }
}
