//! One request on a thread of its own.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use rplay_api::Control;
use rplay_wire::{End, FromAgent, Report, Run};

use crate::dispatch::Systems;
use crate::file::Files;
use crate::requests::{Requests, Turn};
use crate::writer::Writer;

thread_local! {
    /// What a panic on this thread said, where the thread catches it.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static CATCHES: Cell<bool> = const { Cell::new(false) };
}

/// What every request shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) systems: Arc<Systems>,
    pub(crate) requests: Requests,
    pub(crate) writer: Writer,
}

impl Shared {
    /// A new host's worth, whose messages go to `output`.
    pub(crate) fn new(output: impl Write + Send + 'static) -> Self {
        Self {
            systems: Arc::new(Systems::new()),
            requests: Requests::default(),
            writer: Writer::new(output),
        }
    }
}

/// Keeps a panic's words for the request's report; elsewhere they go to standard error, where the
/// controller finds them.
pub(crate) fn hook_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if CATCHES.get() {
            PANIC.set(Some(info.to_string().replace('\n', " ")));
        } else {
            default(info);
        }
    }));
}

/// Takes a request on: it runs when it is its turn.
pub(crate) fn admit(run: Run, shared: &Shared) {
    if let Some(turn) = shared.requests.admit(run) {
        take(turn, shared);
    }
}

fn take(turn: Turn, shared: &Shared) {
    match turn {
        Turn::Now(run) => spawn(*run, shared),
        Turn::Never(id) => finish(shared, id, Report::of(End::NotRun)),
    }
}

/// Begins a request; its thread reports its end.
fn spawn(run: Run, shared: &Shared) {
    let id = run.id;
    let worker = shared.clone();
    let started = std::thread::Builder::new()
        .name(run.module.clone())
        .spawn(move || {
            let report = self::run(&run, &worker);
            finish(&worker, id, report);
        });
    if let Err(e) = started {
        let report = failed(
            format!("could not start a thread on the host: {e}"),
            Instant::now(),
        );
        finish(shared, id, report);
    }
}

/// Runs a request on this thread.
pub(crate) fn run(run: &Run, shared: &Shared) -> Report {
    let control = shared.requests.control(run.id);
    match control.is_cancelled() {
        true => Report::of(End::Cancelled),
        false => with(run, shared, &control),
    }
}

fn with(run: &Run, shared: &Shared, control: &Control) -> Report {
    let files = Files {
        id: run.id,
        blobs: run.blobs.clone(),
        requests: shared.requests.clone(),
        writer: shared.writer.clone(),
        streams: Cell::new(0),
        expected: RefCell::default(),
        waited: Arc::default(),
    };
    guarded(&run.module, || shared.systems.run(run, &files, control))
}

/// Runs a module; where it panics, that is its result.
fn guarded(module: &str, run: impl FnOnce() -> Report) -> Report {
    let start = Instant::now();
    CATCHES.set(true);
    let caught = catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(false);
    caught.unwrap_or_else(|_| {
        let words = PANIC.take().unwrap_or_default();
        failed(
            format!("this is a bug in the module `{module}`: {words}"),
            start,
        )
    })
}

/// Reports, and goes on with what waited for it; a report too large to send is told as a failure.
fn finish(shared: &Shared, id: u64, report: Report) {
    let well = matches!(report.end, End::Ok { .. });
    let done = |report| FromAgent::Done {
        id,
        report: Box::new(report),
    };
    if let Err(rplay_wire::FrameError::TooLong(bytes)) = shared.writer.send(&done(report)) {
        let msg = format!("the result of {bytes} bytes is too large to send");
        // Where the controller is gone nobody hears of it.
        let _ = shared.writer.send(&done(failed(msg, Instant::now())));
    }
    for turn in shared.requests.end(id, well) {
        take(turn, shared);
    }
}

fn failed(msg: String, start: Instant) -> Report {
    let took_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let end = End::Failed {
        msg,
        arg: None,
        help: vec![],
        data: "{}".to_owned(),
    };
    Report {
        took_us,
        ..Report::of(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_panics_has_failed_and_says_where() {
        hook_panics();
        let report = guarded("copy", || panic!("index {} is out of bounds", 3));
        let End::Failed { msg, .. } = report.end else {
            panic!("{report:?}")
        };
        assert!(
            msg.starts_with("this is a bug in the module `copy`: "),
            "{msg}"
        );
        assert!(
            msg.contains("worker.rs:") && msg.contains("index 3 is out of bounds"),
            "{msg}"
        );
    }
}
