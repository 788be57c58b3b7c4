//! The requests under way: what a cancel or a chunk from the controller is for, and whose turn it
//! is.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rplay_api::Control;
use rplay_wire::Run;

/// A part of a blob, or why there is none.
pub(crate) struct Chunk {
    pub(crate) data: Vec<u8>,
    pub(crate) packed: bool,
    pub(crate) last: bool,
    pub(crate) error: Option<String>,
}

/// All requests under way. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<Inner>);

#[derive(Default)]
struct Inner {
    known: Mutex<Known>,
    ended: Condvar,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<u64, Request>,
    /// Those that ended, and not well. What comes after one may be sent long after its end.
    ended_badly: HashSet<u64>,
}

#[derive(Default)]
struct Request {
    control: Control,
    streams: HashMap<u32, Sender<Chunk>>,
    /// Those that wait for its end.
    followers: Vec<Run>,
}

/// What may be done with a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Turn {
    /// It may run.
    Now(Box<Run>),
    /// The one that it needs did not end well.
    Never(u64),
}

impl Requests {
    /// A request has come: none where it waits for the end of another one.
    pub(crate) fn admit(&self, run: Run) -> Option<Turn> {
        let mut known = self.lock();
        known.by_id.entry(run.id).or_default();
        match run.after.and_then(|after| known.by_id.get_mut(&after.id)) {
            Some(before) => {
                before.followers.push(run);
                None
            }
            None => Some(known.turn(run)),
        }
    }

    /// What a request that runs is stopped with.
    pub(crate) fn control(&self, id: u64) -> Control {
        self.lock().by_id.entry(id).or_default().control.clone()
    }

    /// A request has ended: what waited for that has its turn.
    pub(crate) fn end(&self, id: u64, well: bool) -> Vec<Turn> {
        let mut known = self.lock();
        if !well {
            known.ended_badly.insert(id);
        }
        let ended = known.by_id.remove(&id).unwrap_or_default();
        let turns = ended.followers.into_iter().map(|run| known.turn(run));
        let turns = turns.collect();
        self.0.ended.notify_all();
        turns
    }

    /// A request reads a blob: chunks of that number go to it.
    pub(crate) fn listen(&self, id: u64, stream: u32, sender: Sender<Chunk>) {
        if let Some(request) = self.lock().by_id.get_mut(&id) {
            request.streams.insert(stream, sender);
        }
    }

    /// A request has read enough of a blob.
    pub(crate) fn unlisten(&self, id: u64, stream: u32) {
        if let Some(request) = self.lock().by_id.get_mut(&id) {
            request.streams.remove(&stream);
        }
    }

    /// A chunk has come. One for a request that has ended meanwhile is dropped.
    pub(crate) fn chunk(&self, id: u64, stream: u32, chunk: Chunk) {
        let known = self.lock();
        if let Some(reader) = known.by_id.get(&id).and_then(|r| r.streams.get(&stream)) {
            let _ = reader.send(chunk);
        }
    }

    /// Cancels a request: its processes are killed, and what it waits for fails.
    pub(crate) fn cancel(&self, id: u64) {
        if let Some(request) = self.lock().by_id.get_mut(&id) {
            request.cancel();
        }
    }

    /// Cancels every request, and gives them a moment to clean up after themselves.
    pub(crate) fn cancel_all(&self, patience: Duration) {
        let mut known = self.lock();
        known.by_id.values_mut().for_each(Request::cancel);
        let waited = self
            .0
            .ended
            .wait_timeout_while(known, patience, |left| !left.by_id.is_empty());
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What becomes of a request that waits for nothing.
    fn turn(&self, run: Run) -> Turn {
        match run.after {
            Some(after) if after.needs && self.ended_badly.contains(&after.id) => {
                Turn::Never(run.id)
            }
            _ => Turn::Now(Box::new(run)),
        }
    }
}

impl Request {
    fn cancel(&mut self) {
        self.control.cancel();
        self.streams.clear();
    }
}

#[cfg(test)]
mod tests {
    use rplay_wire::After;

    use super::*;

    fn run(id: u64, after: Option<(u64, bool)>) -> Run {
        Run {
            id,
            after: after.map(|(id, needs)| After { id, needs }),
            ..Run::new("file", "{}".to_owned())
        }
    }

    fn now(id: u64, after: (u64, bool)) -> Turn {
        Turn::Now(Box::new(run(id, Some(after))))
    }

    #[test]
    fn a_request_waits_for_the_one_before_it() {
        let requests = Requests::default();
        assert!(matches!(requests.admit(run(1, None)), Some(Turn::Now(_))));
        assert_eq!(requests.admit(run(2, Some((1, true)))), None);
        assert_eq!(requests.admit(run(3, Some((2, true)))), None);
        assert_eq!(requests.end(1, true), [now(2, (1, true))]);
        assert_eq!(requests.end(2, true), [now(3, (2, true))]);
    }

    #[test]
    fn a_request_that_comes_after_the_end_of_the_one_before_runs_at_once() {
        let requests = Requests::default();
        requests.admit(run(1, None));
        requests.end(1, true);
        assert_eq!(
            requests.admit(run(2, Some((1, true)))),
            Some(now(2, (1, true)))
        );
    }

    #[test]
    fn a_request_does_not_run_where_the_one_that_it_needs_failed() {
        let requests = Requests::default();
        requests.admit(run(1, None));
        requests.admit(run(2, Some((1, true))));
        assert_eq!(requests.end(1, false), [Turn::Never(2)]);
        requests.end(2, false);
        // What comes late is not run either, nor what needs one that was not run.
        assert_eq!(
            requests.admit(run(3, Some((1, true)))),
            Some(Turn::Never(3))
        );
        assert_eq!(
            requests.admit(run(4, Some((2, true)))),
            Some(Turn::Never(4))
        );
    }

    #[test]
    fn an_item_runs_whatever_came_of_the_one_before() {
        let requests = Requests::default();
        requests.admit(run(1, None));
        requests.admit(run(2, Some((1, false))));
        assert_eq!(requests.end(1, false), [now(2, (1, false))]);
    }

    #[test]
    fn a_request_that_waits_can_be_cancelled() {
        let requests = Requests::default();
        requests.admit(run(1, None));
        requests.admit(run(2, Some((1, false))));
        requests.cancel(2);
        requests.end(1, true);
        assert!(requests.control(2).is_cancelled());
    }
}
