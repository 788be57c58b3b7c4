//! Hosts that are not there: an agent inside the controller behind a line of a set delay. For
//! measuring what a run of very many hosts costs the controller; no part of `rplay` uses it.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rplay_wire::{FromAgent, Hello, Report, Run, ToAgent, VERSION, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};

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
        loop {
            while let Some(message) = take_frame::<ToAgent>(&mut buffer)? {
                let ToAgent::Run(run) = message else { continue };
                tokio::time::sleep(self.round_trip).await;
                let report = Box::new((self.answer)(&run));
                let done = FromAgent::Done { id: run.id, report };
                let frame = encode(&done).map_err(|e| e.to_string())?;
                output.write_all(&frame).await.map_err(|e| e.to_string())?;
            }
            if input
                .read_buf(&mut buffer)
                .await
                .map_err(|e| e.to_string())?
                == 0
            {
                return Ok(());
            }
        }
    }
}
