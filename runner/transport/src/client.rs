//! One agent: many requests at once over one process.
//!
//! A task writes frames, another reads them and hands each to the request it names. A request that
//! is dropped is cancelled on the target. One may be sent before its turn, to run when another one
//! has ended.

mod blobs;
mod pack;
pub(crate) mod streams;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rplay_wire::{After, End, FromAgent, Hello, Report, Run, ToAgent, encode};
use tokio::sync::mpsc;

use crate::process::Process;
use crate::{AgentLost, Exchange};
use blobs::{Grant, Pulls};

/// A running agent. When the last handle is dropped its input ends, and with it the agent.
pub struct AgentClient {
    host: String,
    hello: Hello,
    next: AtomicU64,
    frames: mpsc::UnboundedSender<Bytes>,
    chunks: mpsc::Sender<Bytes>,
    requests: Arc<Requests>,
}

/// What an agent says of one request.
enum Said {
    Progress(u64, Option<u64>),
    Pull(Grant),
    Push(Vec<u8>),
    Done(Box<Report>),
    Overlay(Vec<u8>),
}

/// The requests that wait for an answer.
#[derive(Default)]
struct Requests(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    by_id: HashMap<u64, mpsc::Sender<Said>>,
    lost: Option<AgentLost>,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AgentClient {
    /// An agent that has said hello; `rest` is what came after that.
    pub(crate) fn new(
        host: &str,
        hello: Hello,
        process: Process,
        rest: BytesMut,
        stderr: Vec<u8>,
    ) -> Self {
        let (frames, frames_out) = mpsc::unbounded_channel();
        let (chunks, chunks_out) = mpsc::channel(2);
        let requests = Arc::new(Requests::default());
        tokio::spawn(streams::write(process.input, frames_out, chunks_out));
        let reader = streams::Reader {
            host: host.to_owned(),
            requests: requests.clone(),
            stderr,
        };
        tokio::spawn(reader.read(process.output, rest));
        Self {
            host: host.to_owned(),
            hello,
            next: AtomicU64::new(1),
            frames,
            chunks,
            requests,
        }
    }

    /// What the agent said of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether the agent has ended.
    pub fn is_lost(&self) -> bool {
        self.requests.lock().lost.is_some()
    }

    /// Lets the agent go, and waits until it has ended; one that still works for somebody stays.
    pub(crate) async fn end(self: Arc<Self>, patience: Duration) {
        let requests = self.requests.clone();
        if Arc::into_inner(self).is_none() {
            return;
        }
        let ended = async {
            while requests.lock().lost.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // One that does not end in time is left to itself.
        let _ = tokio::time::timeout(patience, ended).await;
    }

    /// Runs a module; `run.id` is set here. Several may run at once. Dropping the future cancels
    /// the request and kills its processes.
    ///
    /// # Errors
    /// Where the agent or its connection ends before the module does.
    pub async fn run(
        self: &Arc<Self>,
        run: Run,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Report, AgentLost> {
        self.begin(run, None)?.answer(exchange).await
    }

    /// Sends a request, to run at once or when another one has ended; `run.id` and `run.after` are
    /// set here. Dropping what is given cancels it.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub fn begin(
        self: &Arc<Self>,
        mut run: Run,
        after: Option<After>,
    ) -> Result<Request, AgentLost> {
        let request = self.request()?;
        run.id = request.id;
        run.after = after;
        self.send(&ToAgent::Run(Box::new(run)))?;
        Ok(request)
    }

    /// What this agent's overlay holds.
    ///
    /// # Errors
    /// Where the agent ends first.
    pub async fn export_overlay(self: &Arc<Self>) -> Result<Vec<u8>, AgentLost> {
        let mut request = self.request()?;
        self.send(&ToAgent::ExportOverlay { id: request.id })?;
        loop {
            if let Said::Overlay(data) = request.said().await? {
                request.is_done = true;
                return Ok(data);
            }
        }
    }

    /// Replaces this agent's overlay by what another one exported. Requests sent after this see it.
    ///
    /// # Errors
    /// Where the agent has ended.
    pub fn import_overlay(&self, data: Vec<u8>) -> Result<(), AgentLost> {
        self.send(&ToAgent::ImportOverlay { data })
    }

    fn request(self: &Arc<Self>) -> Result<Request, AgentLost> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, said) = mpsc::channel(4);
        let mut waiting = self.requests.lock();
        if let Some(lost) = &waiting.lost {
            return Err(lost.clone());
        }
        waiting.by_id.insert(id, sender);
        Ok(Request {
            client: self.clone(),
            id,
            said,
            is_done: false,
        })
    }

    fn send(&self, message: &ToAgent) -> Result<(), AgentLost> {
        let frame = encode(message).map_err(|e| self.unsent(&e.to_string()))?;
        self.frames.send(frame.into()).map_err(|_| self.lost())
    }

    /// How the agent was lost, where it is known that it was.
    fn lost(&self) -> AgentLost {
        let known = self.requests.lock().lost.clone();
        known.unwrap_or_else(|| self.unsent("its input was closed"))
    }

    fn unsent(&self, how: &str) -> AgentLost {
        AgentLost {
            host: self.host.clone(),
            how: how.to_owned(),
            stderr: String::new(),
        }
    }
}

fn not_kept(error: String) -> End {
    End::Failed {
        msg: format!("could not keep what the host sent: {error}"),
        arg: None,
        help: vec![],
        data: "{}".to_owned(),
    }
}

/// A request under way. Dropped before its end, it is cancelled.
pub struct Request {
    client: Arc<AgentClient>,
    id: u64,
    said: mpsc::Receiver<Said>,
    is_done: bool,
}

impl Request {
    /// Its number on the channel to the agent.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The agent that it was sent to.
    pub fn client(&self) -> &Arc<AgentClient> {
        &self.client
    }

    /// Gives it the files that it wants, and waits for its end.
    ///
    /// # Errors
    /// Where the agent or its connection ends before the module does.
    pub async fn answer(mut self, exchange: Arc<dyn Exchange>) -> Result<Report, AgentLost> {
        let mut pulls = Pulls::new(self.id, self.client.chunks.clone(), exchange.clone());
        let mut unkept = None;
        loop {
            match self.said().await? {
                Said::Progress(done, total) => exchange.progress(done, total),
                Said::Pull(grant) => pulls.grant(grant),
                Said::Push(_) if unkept.is_some() => {}
                Said::Push(data) => {
                    if let Err(e) = exchange.push(&data) {
                        unkept = Some(e.to_string());
                        self.client.send(&ToAgent::Cancel { id: self.id })?;
                    }
                }
                Said::Done(report) => {
                    self.is_done = true;
                    return Ok(match unkept {
                        None => *report,
                        Some(error) => Report {
                            end: not_kept(error),
                            ..*report
                        },
                    });
                }
                Said::Overlay(_) => {}
            }
        }
    }

    async fn said(&mut self) -> Result<Said, AgentLost> {
        match self.said.recv().await {
            Some(said) => Ok(said),
            None => {
                self.is_done = true;
                Err(self.client.lost())
            }
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.client.requests.lock().by_id.remove(&self.id);
        if !self.is_done {
            // An agent that is gone has nothing left to cancel.
            let _ = self.client.send(&ToAgent::Cancel { id: self.id });
        }
    }
}

/// Which request a message is about, and what it says.
fn addressed(message: FromAgent) -> Option<(u64, Said)> {
    Some(match message {
        FromAgent::Hello(_) => return None,
        FromAgent::Progress { id, done, total } => (id, Said::Progress(done, total)),
        FromAgent::Pull {
            id,
            blob,
            stream,
            chunks,
            waited_us,
        } => {
            let waited = Duration::from_micros(waited_us);
            let grant = Grant {
                blob,
                stream,
                chunks,
                waited,
            };
            (id, Said::Pull(grant))
        }
        FromAgent::Push { id, data } => (id, Said::Push(data)),
        FromAgent::Done { id, report } => (id, Said::Done(report)),
        FromAgent::Overlay { id, data } => (id, Said::Overlay(data)),
    })
}
