//! Hosts that are not there: an agent inside the controller behind a line of a set delay. For
//! measuring what a run of very many hosts costs the controller; no part of `rplay` uses it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rplay_wire::{End, FromAgent, Hello, Report, Run, ToAgent, VERSION, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::time::Instant;

use crate::AgentClient;
use crate::client::streams::take_frame;
use crate::process::{Input, Output, Process};

/// What the simulated hosts are like.
#[derive(Clone)]
pub struct Simulation {
    /// How long it takes until an agent is there.
    pub connect: Duration,
    /// How long a request and its answer take.
    pub round_trip: Duration,
    /// What the agent answers.
    pub answer: Arc<dyn Fn(&Run) -> Report + Send + Sync>,
}

/// How much may be on its way, in bytes.
const LINE: usize = 64 << 10;

impl Simulation {
    pub(crate) async fn agent(&self, host: &str) -> AgentClient {
        tokio::time::sleep(self.connect).await;
        let (near, far) = tokio::io::duplex(LINE);
        tokio::spawn(self.clone().serve(far));
        let (output, input) = tokio::io::split(near);
        let process = Process {
            input: Input::Simulated(input),
            output: Output::Simulated(output),
        };
        let hello = Hello {
            version: VERSION,
            arch: std::env::consts::ARCH.to_owned(),
            uid: 0,
            pid: 1,
            path: "/simulated".to_owned(),
            machine: "simulated".to_owned(),
        };
        AgentClient::new(host, hello, process, BytesMut::new(), vec![])
    }

    /// Answers until the line ends.
    async fn serve(self, line: DuplexStream) {
        let (mut input, mut output) = tokio::io::split(line);
        // An end of the line in any place is the end of the host.
        let _ = self.answers(&mut input, &mut output).await;
    }

    async fn answers(
        &self,
        input: &mut ReadHalf<DuplexStream>,
        output: &mut WriteHalf<DuplexStream>,
    ) -> Result<(), String> {
        let mut buffer = BytesMut::new();
        let mut line = Answers::new(self);
        loop {
            while let Some(message) = take_frame::<ToAgent>(&mut buffer)? {
                if let ToAgent::Run(run) = message {
                    line.take(&run);
                }
            }
            tokio::select! {
                biased;
                (id, report) = line.next() => {
                    let report = Box::new(report);
                    let frame = encode(&FromAgent::Done { id, report }).map_err(|e| e.to_string())?;
                    output.write_all(&frame).await.map_err(|e| e.to_string())?;
                }
                read = input.read_buf(&mut buffer) => {
                    if read.map_err(|e| e.to_string())? == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// Answers on their way: each is there a round trip after its request was sent.
struct Answers<'a> {
    host: &'a Simulation,
    line: VecDeque<(Instant, u64, Report)>,
    ended_badly: HashSet<u64>,
}

impl<'a> Answers<'a> {
    fn new(host: &'a Simulation) -> Self {
        Self {
            host,
            line: VecDeque::new(),
            ended_badly: HashSet::new(),
        }
    }

    fn take(&mut self, run: &Run) {
        let needed = run.after.filter(|after| after.needs);
        let report = match needed.is_some_and(|after| self.ended_badly.contains(&after.id)) {
            true => Report::of(End::NotRun),
            false => (self.host.answer)(run),
        };
        if !matches!(report.end, End::Ok { .. }) {
            self.ended_badly.insert(run.id);
        }
        let there = Instant::now() + self.host.round_trip;
        self.line.push_back((there, run.id, report));
    }

    /// The next answer, when it is there.
    async fn next(&mut self) -> (u64, Report) {
        match self.line.front() {
            Some((there, ..)) => tokio::time::sleep_until(*there).await,
            None => std::future::pending().await,
        }
        let (_, id, report) = self.line.pop_front().expect("bug: the line has a front");
        (id, report)
    }
}
