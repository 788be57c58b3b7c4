//! The words beside a status: `ureq` drops them, and so they are read on the way.

use std::sync::{Arc, Mutex, PoisonError};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// The words of the last status line. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Reason(Arc<Mutex<String>>);

impl Reason {
    pub(super) fn last(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<In: Transport> Connector<In> for Reason {
    type Out = Heard<In>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Heard<In>>, Error> {
        Ok(chained.map(|inner| Heard {
            inner,
            reason: self.clone(),
            at_start: true,
        }))
    }
}

/// A connection whose status lines are heard.
#[derive(Debug)]
pub(super) struct Heard<T> {
    inner: T,
    reason: Reason,
    /// Whether the next input is the beginning of an answer.
    at_start: bool,
}

impl<T: Transport> Heard<T> {
    fn hear(&mut self) {
        let Some((status, words)) = status_line(self.inner.buffers().input()) else {
            return;
        };
        // One of a hundred and something goes before the answer.
        if status.starts_with('1') {
            return;
        }
        self.at_start = false;
        let mut last = self.reason.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = words;
    }
}

/// The status and its words, where the whole line is there.
fn status_line(input: &[u8]) -> Option<(String, String)> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let line = String::from_utf8_lossy(input.get(..end)?);
    let rest = line.trim_end().strip_prefix("HTTP/")?;
    let (_, rest) = rest.split_once(' ')?;
    let (status, words) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((status.to_owned(), words.trim().to_owned()))
}

impl<T: Transport> Transport for Heard<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.at_start = true;
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let more = self.inner.await_input(timeout)?;
        if self.at_start {
            self.hear();
        }
        Ok(more)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_status_line_are_told() {
        let told = |line: &str| status_line(line.as_bytes()).map(|(_, words)| words);
        assert_eq!(
            told("HTTP/1.1 404 NOT FOUND\r\nx").as_deref(),
            Some("NOT FOUND")
        );
        assert_eq!(told("HTTP/1.1 200\r\n").as_deref(), Some(""));
        assert_eq!(told("HTTP/1.1 200 O"), None);
    }
}
