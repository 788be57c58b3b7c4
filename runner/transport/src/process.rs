//! A process on a host, wherever it is: its three streams and its end.

mod preface;

use std::process::Stdio;
use std::sync::Arc;

use russh::ChannelMsg;
use russh::client::Msg;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::client::streams::keep_tail;
use crate::ssh::Farewell;
use preface::Preface;
pub(crate) use preface::last_words;

/// The most bytes of one read from a local pipe.
const PIECE: usize = 16 << 10;

/// The next that a process says.
#[derive(Debug)]
pub(crate) enum Piece {
    /// On its standard output.
    Out(bytes::Bytes),
    /// On its standard error.
    Err(bytes::Bytes),
}

impl Piece {
    fn is_empty(&self) -> bool {
        let (Self::Out(data) | Self::Err(data)) = self;
        data.is_empty()
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With an exit code.
    Code(i32),
    /// By a signal: its name without `SIG`.
    Signal(String),
    /// Its connection ended first, and why.
    Lost(String),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(name) => write!(f, "was killed by SIG{name}"),
            Self::Lost(why) => write!(f, "lost its connection: {why}"),
        }
    }
}

/// What a process writes.
pub(crate) enum Output {
    /// Over an SSH channel.
    Ssh {
        /// The reading half.
        channel: Box<russh::ChannelReadHalf>,
        /// The end, once it is known.
        ended: Option<Ended>,
        /// Why the connection ended, once it is known.
        farewell: Farewell,
        /// Closes the channel with this.
        _closer: Closer,
    },
    /// Of a child of the controller.
    Local {
        /// The child.
        child: Box<Child>,
        /// Its standard output, until it ends.
        out: Option<ChildStdout>,
        /// Its standard error, until it ends.
        err: Option<ChildStderr>,
        /// What was read and is still to be given.
        ahead: Vec<Piece>,
        /// What its standard error is to say before it counts.
        preface: Option<Preface>,
    },
    /// Of a simulated host.
    #[cfg(feature = "simulate")]
    Simulated(tokio::io::ReadHalf<tokio::io::DuplexStream>),
}

/// What a process reads.
pub(crate) enum Input {
    /// Over an SSH channel.
    Ssh(Arc<russh::ChannelWriteHalf<Msg>>),
    /// Of a child of the controller.
    Local(ChildStdin),
    /// Of a simulated host.
    #[cfg(feature = "simulate")]
    Simulated(tokio::io::WriteHalf<tokio::io::DuplexStream>),
}

/// Closes a channel when it is dropped: what runs there loses its input. A sudo that waits for a
/// password would otherwise hold its lock, and the next one wait for that.
pub(crate) struct Closer(Arc<russh::ChannelWriteHalf<Msg>>);

impl Drop for Closer {
    fn drop(&mut self) {
        let channel = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // A channel that is closed already, or whose connection is gone, needs nothing.
            runtime.spawn(async move { drop(channel.close().await) });
        }
    }
}

/// Both halves of a process.
pub(crate) struct Process {
    pub(crate) input: Input,
    pub(crate) output: Output,
}

impl Process {
    /// A process over a channel on which a command was just asked for.
    pub(crate) fn ssh(channel: russh::Channel<Msg>, farewell: Farewell) -> Self {
        let (read, write) = channel.split();
        let (channel, write) = (Box::new(read), Arc::new(write));
        let _closer = Closer(write.clone());
        Self {
            input: Input::Ssh(write),
            output: Output::Ssh {
                channel,
                ended: None,
                farewell,
                _closer,
            },
        }
    }

    /// A child of the controller, in a session of its own: a Ctrl-C at the terminal is the
    /// controller's to handle, and sudo finds no terminal to take over.
    pub(crate) fn local(mut command: Command) -> std::io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(false);
        // SAFETY: the closure runs between fork and exec and makes one system call, which is
        // async-signal-safe; it touches no memory of the parent.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
        }
        let mut child = command.spawn()?;
        let input = child.stdin.take().expect("bug: stdin is piped");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        Ok(Self {
            input: Input::Local(input),
            output: Output::Local {
                child: Box::new(child),
                out,
                err,
                ahead: vec![],
                preface: None,
            },
        })
    }

    /// Waits for a line of the output that begins with `word`, and gives the rest of it; what was
    /// said before it is dropped.
    pub(crate) async fn until(&mut self, word: &str) -> Result<String, Unsaid> {
        self.heard(word, &mut vec![]).await
    }

    /// Waits until a child of the controller has said a line on both streams; what it said before
    /// is dropped.
    pub(crate) async fn begun(&mut self, line: &'static str) -> Result<(), Unsaid> {
        if let Output::Local { preface, .. } = &mut self.output {
            *preface = Some(Preface::new(line));
        }
        let mut early = vec![];
        self.heard(line, &mut early).await?;
        self.output.put_back(Piece::Err(early.into()));
        Ok(())
    }

    /// As [`Self::until`], with what was said on standard error by then.
    async fn heard(&mut self, word: &str, err: &mut Vec<u8>) -> Result<String, Unsaid> {
        let mut out = bytes::BytesMut::new();
        let mut passed = vec![];
        while let Some(piece) = self.output.next().await {
            match piece {
                Piece::Out(data) => out.extend_from_slice(&data),
                Piece::Err(data) => {
                    keep_tail(err, &data);
                    continue;
                }
            }
            while let Some(end) = out.iter().position(|b| *b == b'\n') {
                let line = out.split_to(end + 1);
                let line = String::from_utf8_lossy(&line);
                if let Some(rest) = line.strip_prefix(word) {
                    self.output.put_back(Piece::Out(out.freeze()));
                    return Ok(rest.trim().to_owned());
                }
                keep_tail(&mut passed, line.as_bytes());
            }
        }
        keep_tail(&mut passed, &out);
        Err(Unsaid {
            ended: self.output.ended().await,
            out: String::from_utf8_lossy(&passed).into_owned(),
            err: String::from_utf8_lossy(err).into_owned(),
        })
    }

    /// Kills a child of the controller.
    pub(crate) fn kill(&mut self) {
        if let Output::Local { child, .. } = &mut self.output {
            // One that has ended already needs nothing.
            let _ = child.start_kill();
        }
    }
}

/// A process that ended before it said what was waited for.
#[derive(Debug)]
pub(crate) struct Unsaid {
    pub(crate) ended: Ended,
    /// The last of its output.
    pub(crate) out: String,
    /// The last of its errors.
    pub(crate) err: String,
}

impl Unsaid {
    /// Its last words, on one line.
    pub(crate) fn words(&self) -> String {
        last_words(&format!("{}\n{}", self.out, self.err))
    }
}

impl Input {
    /// Writes all of it. Not safe to drop halfway.
    pub(crate) async fn write(&mut self, data: bytes::Bytes) -> std::io::Result<()> {
        match self {
            Self::Ssh(channel) => channel
                .data_bytes(data)
                .await
                .map_err(|e| std::io::Error::other(e.to_string())),
            Self::Local(pipe) => pipe.write_all(&data).await,
            #[cfg(feature = "simulate")]
            Self::Simulated(line) => line.write_all(&data).await,
        }
    }

    /// Says that no more comes.
    pub(crate) async fn end(self) {
        match self {
            // A channel that is gone needs no end.
            Self::Ssh(channel) => drop(channel.eof().await),
            Self::Local(pipe) => drop(pipe),
            #[cfg(feature = "simulate")]
            Self::Simulated(mut line) => drop(line.shutdown().await),
        }
    }
}

impl Output {
    /// The next piece; `None` at the end. Safe to drop halfway.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        match self {
            Self::Ssh { channel, ended, .. } => next_ssh(channel, ended).await,
            Self::Local { ahead, .. } if !ahead.is_empty() => ahead.pop(),
            Self::Local {
                out, err, preface, ..
            } => next_counted(out, err, preface).await,
            #[cfg(feature = "simulate")]
            Self::Simulated(line) => {
                let mut data = bytes::BytesMut::new();
                let n = line.read_buf(&mut data).await.unwrap_or(0);
                (n > 0).then(|| Piece::Out(data.freeze()))
            }
        }
    }

    /// Gives this piece of a child's output once more.
    fn put_back(&mut self, piece: Piece) {
        match self {
            Self::Local { ahead, .. } if !piece.is_empty() => ahead.push(piece),
            _ => debug_assert!(piece.is_empty(), "bug: only a child's output is put back"),
        }
    }

    /// How the process ended, after [`Output::next`] gave `None`.
    pub(crate) async fn ended(&mut self) -> Ended {
        match self {
            Self::Ssh {
                ended: Some(ended), ..
            } => ended.clone(),
            Self::Ssh { farewell, .. } => Ended::Lost(farewell.words().await),
            Self::Local { child, .. } => match child.wait().await {
                Ok(status) => local_end(status),
                Err(e) => Ended::Lost(e.to_string()),
            },
            #[cfg(feature = "simulate")]
            Self::Simulated(_) => Ended::Code(0),
        }
    }
}

async fn next_ssh(
    channel: &mut russh::ChannelReadHalf,
    ended: &mut Option<Ended>,
) -> Option<Piece> {
    loop {
        match channel.wait().await? {
            ChannelMsg::Data { data } => return Some(Piece::Out(data)),
            ChannelMsg::ExtendedData { data, .. } => return Some(Piece::Err(data)),
            ChannelMsg::ExitStatus { exit_status } => {
                *ended = Some(Ended::Code(i32::try_from(exit_status).unwrap_or(i32::MAX)));
            }
            ChannelMsg::ExitSignal { signal_name, .. } => {
                *ended = Some(Ended::Signal(signal(&signal_name)));
            }
            ChannelMsg::Close => return None,
            _ => {}
        }
    }
}

async fn next_counted(
    out: &mut Option<ChildStdout>,
    err: &mut Option<ChildStderr>,
    preface: &mut Option<Preface>,
) -> Option<Piece> {
    loop {
        let piece = next_local(out, err).await;
        let Some(skipped) = preface else { return piece };
        match piece {
            Some(Piece::Err(data)) => {
                if let Some(rest) = skipped.rest(&data) {
                    *preface = None;
                    return Some(Piece::Err(rest));
                }
            }
            Some(out) => return Some(out),
            None => {
                let held = preface.take().map(|p| p.held).unwrap_or_default();
                return (!held.is_empty()).then(|| Piece::Err(held.into()));
            }
        }
    }
}

async fn next_local(out: &mut Option<ChildStdout>, err: &mut Option<ChildStderr>) -> Option<Piece> {
    loop {
        let mut from_out = bytes::BytesMut::new();
        let mut from_err = bytes::BytesMut::new();
        tokio::select! {
            n = read_some(out, &mut from_out), if out.is_some() => match n {
                0 => *out = None,
                _ => return Some(Piece::Out(from_out.freeze())),
            },
            n = read_some(err, &mut from_err), if err.is_some() => match n {
                0 => *err = None,
                _ => return Some(Piece::Err(from_err.freeze())),
            },
            else => return None,
        }
    }
}

/// Bytes read; 0 at the end of the stream, which a broken pipe is too.
async fn read_some<R: tokio::io::AsyncRead + Unpin>(
    pipe: &mut Option<R>,
    into: &mut bytes::BytesMut,
) -> usize {
    let Some(pipe) = pipe else { return 0 };
    into.reserve(PIECE);
    pipe.read_buf(into).await.unwrap_or(0)
}

fn local_end(status: std::process::ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, Some(9)) => Ended::Signal("KILL".to_owned()),
        (None, Some(11)) => Ended::Signal("SEGV".to_owned()),
        (None, Some(15)) => Ended::Signal("TERM".to_owned()),
        (None, Some(number)) => Ended::Signal(number.to_string()),
        (None, None) => Ended::Lost("it is neither running nor ended".to_owned()),
    }
}

fn signal(name: &russh::Sig) -> String {
    match name {
        russh::Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}
