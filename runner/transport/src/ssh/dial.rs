//! Gets bytes to a server and shakes hands with it: directly, through another server, or through a
//! process.

use std::borrow::Cow;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{Config, Handle, connect_stream};
use russh::{Preferred, cipher};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::listener::{Listener, words};
use super::settings::Settings;
use crate::error::Cause;

/// A stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How much a server may send ahead, in bytes, and in how many pieces it waits here: enough for a
/// long line, and little to hold for each of a thousand hosts.
const WINDOW: u32 = 1 << 20;
const PIECES: usize = 16;

/// Connects to the address, each that its name has in turn.
pub(super) async fn tcp(settings: &Settings) -> Result<TcpStream, Cause> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let resolve = |error: String| Cause::Resolve {
        name: host.to_owned(),
        error,
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = timeout(settings.timeout, tokio::net::lookup_host((name, port)))
        .await
        .map_err(|_| resolve(format!("no answer in {} s", settings.timeout.as_secs_f32())))?
        .map_err(|e| resolve(resolver_words(&e)))?;
    let addresses = found.filter(|a| settings.ipv6.is_none_or(|v6| a.is_ipv6() == v6));
    let mut failed = resolve("it has no address of the wanted family".to_owned());
    for address in addresses {
        failed = match timeout(settings.timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Frames are small and wait for each other: no delay to fill packets.
                if let Err(e) = stream.set_nodelay(true) {
                    failed = Cause::Connect {
                        address: address.to_string(),
                        error: e.to_string(),
                    };
                    continue;
                }
                return Ok(stream);
            }
            Ok(Err(e)) => Cause::Connect {
                address: address.to_string(),
                error: system_words(&e),
            },
            Err(_) => Cause::Timeout {
                act: format!("connecting to `{address}`"),
                after: settings.timeout,
            },
        };
    }
    Err(failed)
}

/// A process that the bytes go through.
pub(super) struct Proxy {
    pub(super) child: Child,
    command: String,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Starts it.
    pub(super) fn start(line: &str) -> Result<(Self, impl Stream + use<>), Cause> {
        let failed = |e: std::io::Error| {
            Cause::Settings(
                format!("could not run the proxy command `{line}`: {e}"),
                None,
            )
        };
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("exec {line}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take().expect("bug: stdin is piped");
        let output = child.stdout.take().expect("bug: stdout is piped");
        let mut errors = child.stderr.take().expect("bug: stderr is piped");
        let said = Arc::new(Mutex::new(vec![]));
        let keep = said.clone();
        tokio::spawn(async move {
            let mut part = [0; 1024];
            while let Ok(n @ 1..) = errors.read(&mut part).await {
                let mut said = keep.lock().unwrap_or_else(PoisonError::into_inner);
                crate::client::streams::keep_tail(&mut said, &part[..n]);
            }
        });
        let proxy = Self {
            child,
            command: line.to_owned(),
            said,
        };
        Ok((proxy, tokio::io::join(output, input)))
    }

    /// The cause of a failure, with what the process said.
    pub(super) async fn blame(&self, cause: Cause) -> Cause {
        // Its last words may still be on their way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
        match (cause, said.as_str()) {
            (cause, "") => cause,
            (Cause::Closed { .. } | Cause::Timeout { .. } | Cause::Handshake { .. }, said) => {
                Cause::Closed {
                    act: format!("going through the proxy command `{}`", self.command),
                    error: said.to_owned(),
                }
            }
            (cause, _) => cause,
        }
    }
}

/// Agrees on keys with the server at the other end of a stream, and checks who it is.
pub(super) async fn handshake(
    stream: Box<dyn Stream>,
    settings: &Settings,
    listener: Listener,
) -> Result<Handle<Listener>, Cause> {
    let refused = listener.refused.clone();
    let config = Arc::new(config(settings, &listener));
    let shake = timeout(settings.timeout, connect_stream(config, stream, listener));
    let address = settings.address();
    match shake.await {
        Ok(Ok(handle)) => Ok(handle),
        Ok(Err(e)) => Err(refused.take().unwrap_or_else(|| match e {
            russh::Error::NoCommonAlgo { .. } | russh::Error::Version => Cause::Handshake {
                address,
                error: words(&e),
            },
            e => Cause::Closed {
                act: format!("shaking hands with `{address}`"),
                error: words(&e),
            },
        })),
        Err(_) => Err(Cause::Timeout {
            act: format!("shaking hands with `{address}`"),
            after: settings.timeout,
        }),
    }
}

fn config(settings: &Settings, listener: &Listener) -> Config {
    let defaults = Preferred::DEFAULT;
    let key = listener.known.prefer(&defaults.key);
    let certificates = match listener.known.has_authority() {
        true => key.clone(),
        false => vec![],
    };
    Config {
        client_id: russh::SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-rplay_",
            env!("CARGO_PKG_VERSION")
        ))),
        window_size: WINDOW,
        channel_buffer_size: PIECES,
        preferred: Preferred {
            key: Cow::Owned(key),
            host_key_certificates: Cow::Owned(certificates),
            // Both ends have it in hardware, most often.
            cipher: Cow::Borrowed(&[
                cipher::AES_256_GCM,
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_CTR,
                cipher::AES_192_CTR,
                cipher::AES_128_CTR,
            ]),
            ..defaults
        },
        keepalive_interval: settings.alive_interval,
        keepalive_max: settings.alive_max,
        nodelay: true,
        ..Config::default()
    }
}

/// "connection refused", without the number.
fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

/// The resolver's own words: "name or service not known".
fn resolver_words(error: &std::io::Error) -> String {
    let text = system_words(error);
    let text = text
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text);
    text.to_owned()
}
