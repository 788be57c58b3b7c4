//! One JSON object a line, one line an event.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use rplay_event::{Event, Sink};

/// Writes every event as it comes.
pub struct JsonLines<W> {
    out: Mutex<W>,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out: Mutex::new(out),
        }
    }

    fn write(&self, event: &Event) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_writer(&mut *out, event)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

impl<W: Write + Send> Sink for JsonLines<W> {
    fn emit(&self, event: &Event) {
        // A reader that went away (`| head`) ends the output, not the run.
        let _ = self.write(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_its_name_first() {
        let sink = JsonLines::new(Vec::new());
        sink.emit(&Event::NoHosts {
            why: "no hosts matched".into(),
        });
        let text = String::from_utf8(sink.out.into_inner().unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"event\":\"no_hosts\",\"why\":\"no hosts matched\"}\n"
        );
    }
}
