//! The loop that reads what the controller wants.

use std::io::{BufReader, Read};
use std::process::ExitCode;
use std::time::Duration;

use rplay_wire::{FrameError, FromAgent, Hello, MAGIC, ToAgent, VERSION, read_frame};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::requests::{Chunk, Requests};
use crate::worker::{self, Shared};

/// How long requests may take to clean up after the controller has gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves the controller until it goes away.
pub(crate) fn run() -> ExitCode {
    worker::hook_panics();
    let shared = Shared::new(std::io::stdout());
    if let Err(e) = end_on_signals(shared.requests.clone()) {
        panic!("could not watch for signals: {e}");
    }
    let success = serve(&mut BufReader::new(std::io::stdin()), &shared);
    shared.requests.cancel_all(PATIENCE);
    crate::exit_after(success)
}

/// A signal ends the agent as the end of its input does. (A handler, unlike ignoring the signal, is
/// not passed on to the processes that modules start.)
fn end_on_signals(requests: Requests) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            requests.cancel_all(PATIENCE);
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Says hello and does what is asked, until the input ends.
fn serve(input: &mut impl Read, shared: &Shared) -> bool {
    let greeted = shared
        .writer
        .raw(&MAGIC)
        .and_then(|()| shared.writer.send(&hello()).map_err(std::io::Error::other));
    if greeted.is_err() {
        return false;
    }
    loop {
        match read_frame(input) {
            Ok(message) => obey(message, shared),
            Err(FrameError::Closed) => return true,
            Err(e) => panic!("could not read what the controller sent: {e}"),
        }
    }
}

fn obey(message: ToAgent, shared: &Shared) {
    match message {
        ToAgent::Run(run) => worker::admit(*run, shared),
        ToAgent::Cancel { id } => shared.requests.cancel(id),
        ToAgent::Chunk {
            id,
            stream,
            data,
            packed,
            last,
            error,
        } => {
            let chunk = Chunk {
                data,
                packed,
                last,
                error,
            };
            shared.requests.chunk(id, stream, chunk);
        }
        ToAgent::ExportOverlay { id } => {
            let data = shared.systems.export();
            // Where the controller is gone the input ends next.
            let _ = shared.writer.send(&FromAgent::Overlay { id, data });
        }
        ToAgent::ImportOverlay { data } => shared.systems.import(&data),
    }
}

fn hello() -> FromAgent {
    let path = rplay_api::own_program_path();
    FromAgent::Hello(Hello {
        version: VERSION,
        arch: std::env::consts::ARCH.to_owned(),
        uid: rustix::process::geteuid().as_raw(),
        pid: std::process::id(),
        path: path.to_string_lossy().into_owned(),
        machine: rplay_wire::machine(),
    })
}
