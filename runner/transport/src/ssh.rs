//! SSH: one connection a host, and everything that is needed to get it.
//!
//! `russh` is used itself, and not by way of `async-ssh2-tokio`: see docs/decisions.

mod config;
mod dial;
mod farewell;
mod keys;
mod known_hosts;
mod listener;
mod login;
mod pattern;
mod settings;
mod shared;

use std::sync::Arc;

use russh::ChannelStream;
use russh::client::{Handle, Msg};

use crate::error::Cause;
use crate::process::Process;
pub(crate) use farewell::Farewell;
use listener::Listener;
use settings::Settings;
pub(crate) use shared::Shared;

/// A connection that is logged in.
pub(crate) struct Session {
    handle: Handle<Listener>,
    farewell: Farewell,
    /// Kept open as long as this one runs through it.
    _jump: Option<Arc<Session>>,
    /// The process that the bytes go through.
    _proxy: Option<tokio::process::Child>,
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

    /// A stream to another server, which this one connects to.
    async fn tunnel(&self, to: &Settings) -> Result<ChannelStream<Msg>, Cause> {
        let port = u32::from(to.port);
        let open = self
            .handle
            .channel_open_direct_tcpip(&to.host, port, "127.0.0.1", 0);
        match tokio::time::timeout(to.timeout, open).await {
            Ok(Ok(channel)) => Ok(channel.into_stream()),
            Ok(Err(russh::Error::ChannelOpenFailure(reason))) => Err(Cause::Connect {
                address: to.address(),
                error: format!("the jump host could not ({reason:?})"),
            }),
            Ok(Err(e)) => Err(self.failed("opening a tunnel", &e).await),
            Err(_) => Err(Cause::Timeout {
                act: format!("connecting to `{}` from the jump host", to.address()),
                after: to.timeout,
            }),
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
