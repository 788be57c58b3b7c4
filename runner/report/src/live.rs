//! A line for every task and host that is under way, on a terminal only.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rplay_event::TaskId;

/// As many lines as are shown at once; the rest run unseen.
const MAX_LINES: usize = 12;

/// The lines of what is under way.
pub(crate) struct Live {
    area: MultiProgress,
    lines: HashMap<(TaskId, String), ProgressBar>,
    shown: bool,
}

impl Live {
    /// `shown` is false where standard output is no terminal: then nothing is drawn.
    pub(crate) fn new(shown: bool) -> Self {
        let target = if shown {
            ProgressDrawTarget::stdout()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            area: MultiProgress::with_draw_target(target),
            lines: HashMap::new(),
            shown,
        }
    }

    pub(crate) fn start(&mut self, task: TaskId, host: &str, name: &str) {
        if !self.shown || self.lines.len() >= MAX_LINES {
            return;
        }
        let line = self.area.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} {elapsed}") {
            line.set_style(style);
        }
        line.set_prefix(host.to_owned());
        line.set_message(name.to_owned());
        line.enable_steady_tick(Duration::from_millis(120));
        self.lines.insert((task, host.to_owned()), line);
    }

    pub(crate) fn progress(&self, task: TaskId, host: &str, done: u64, total: Option<u64>) {
        let Some(line) = self.lines.get(&(task, host.to_owned())) else {
            return;
        };
        if let Some(total) = total {
            line.set_length(total);
            let template = "{spinner} {prefix}: {msg} {bytes}/{total_bytes} {bytes_per_sec}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                line.set_style(style);
            }
        }
        line.set_position(done);
    }

    pub(crate) fn end(&mut self, task: TaskId, host: &str) {
        if let Some(line) = self.lines.remove(&(task, host.to_owned())) {
            line.finish_and_clear();
            self.area.remove(&line);
        }
    }

    /// Prints above the lines.
    #[allow(clippy::print_stdout)]
    pub(crate) fn print(&self, text: &str) {
        if self.shown {
            // Drawing to a terminal that went away is no reason to end the run.
            let _ = self.area.suspend(|| write_out(text));
        } else {
            let _ = write_out(text);
        }
    }
}

fn write_out(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}
