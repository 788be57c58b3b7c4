//! A run in Ansible's words, for people and scripts that know its output.
//!
//! Owns the callbacks `default`, `minimal` and `oneline`, and those that tell how long things took. Results go to standard output, warnings to
//! standard error. Knows nothing of `ansible.cfg`: what it may choose is in [`AnsibleLook`].

mod default;
mod diff;
mod dump;
mod fault;
mod notices;
mod paint;
mod profile;
mod recap;
mod shown;
mod stats;
mod terse;
mod yaml;

pub use fault::notice;
pub use profile::{Order, Profile};
pub use shown::result_line;

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rplay_event::{Event, Sink};

use default::Default;
use paint::Ink;
use terse::Terse;

/// Which of Ansible's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callback {
    /// Banners, a line a result, a recap.
    Default,
    /// A block a result, as `ansible` prints it.
    Minimal,
    /// A line a result.
    Oneline,
}

/// How a result's keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// How it should look.
#[derive(Debug, Clone)]
pub struct AnsibleLook {
    /// Which output.
    pub callback: Callback,
    /// Whether colour is used.
    pub colour: bool,
    /// The number of `-v`.
    pub verbosity: u8,
    /// Whether diffs are shown.
    pub diff: bool,
    /// How a result's keys are written.
    pub format: ResultFormat,
    /// Whether JSON is indented; `None`: where `-v` is given three times.
    pub pretty: Option<bool>,
    /// Whether skipped hosts are shown.
    pub skipped: bool,
    /// Whether hosts where nothing changed are shown.
    pub ok: bool,
    /// Whether failures go to standard error.
    pub failed_stderr: bool,
    /// Whether the place of a task is shown where it fails.
    pub task_path_on_failure: bool,
    /// Whether what the engine does for itself is told (`ANSIBLE_DEBUG`).
    pub debug: bool,
    /// Whether banners say that nothing is changed.
    pub check_markers: bool,
    /// Whether `set_stats` is shown at the end.
    pub custom_stats: bool,
    /// Whether warnings are shown.
    pub warnings: bool,
    /// Whether what is deprecated is told.
    pub deprecations: bool,
    /// Width of the banners, in columns.
    pub columns: usize,
    /// What relative places are relative to.
    pub cwd: PathBuf,
    /// A file that takes all of the output too.
    pub log: Option<PathBuf>,
    /// What is told of times, in this order.
    pub profiles: Vec<Profile>,
}

impl AnsibleLook {
    /// As in a file, without `-v`.
    pub fn plain() -> Self {
        Self {
            callback: Callback::Default,
            colour: false,
            verbosity: 0,
            diff: false,
            format: ResultFormat::Json,
            pretty: None,
            skipped: true,
            ok: true,
            failed_stderr: false,
            task_path_on_failure: false,
            debug: false,
            check_markers: false,
            custom_stats: false,
            warnings: true,
            deprecations: true,
            columns: 79,
            cwd: PathBuf::new(),
            log: None,
            profiles: vec![],
        }
    }

    /// A line of stars after a text.
    fn banner(&self, text: &str) -> String {
        let stars = self
            .columns
            .saturating_sub(console::measure_text_width(text));
        format!("\n{text} {}", "*".repeat(stars.max(3)))
    }

    /// `file:line:column` with its whole path.
    fn place(&self, at: &str) -> String {
        // What is on no disk has a name in brackets.
        if at.starts_with(['/', '<']) {
            return at.to_owned();
        }
        let joined = self.cwd.join(at.strip_prefix("./").unwrap_or(at));
        joined.display().to_string()
    }
}

/// Where lines go.
pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    log: Option<std::fs::File>,
    /// Who runs this, for the log.
    user: String,
    colour: bool,
}

impl Screen {
    /// A line (or several) on standard output.
    pub(crate) fn line(&mut self, ink: Ink, text: &str) {
        // A reader that went away (`| head`) ends the output, not the run.
        let _ = writeln!(self.out, "{}", ink.paint(text, self.colour));
        let _ = self.out.flush();
        self.log(text);
    }

    /// A line (or several) on standard error.
    pub(crate) fn err(&mut self, ink: Ink, text: &str) {
        let _ = writeln!(self.err, "{}", ink.paint(text, self.colour));
        let _ = self.err.flush();
        self.log(text);
    }

    /// Text that is painted already.
    pub(crate) fn raw(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
        let _ = self.out.flush();
        self.log(&console::strip_ansi_codes(text));
    }

    fn log(&mut self, text: &str) {
        let Some(log) = &mut self.log else {
            return;
        };
        let zone = jiff::tz::TimeZone::system();
        let now = zone.to_datetime(jiff::Timestamp::now());
        let now = now.strftime("%Y-%m-%d %H:%M:%S,%3f");
        let process = std::process::id();
        let head = format!("{now} p={process} u={} n=ansible INFO|", self.user);
        let text = text.trim_start_matches('\n');
        let _ = writeln!(log, "{head} {text}");
    }
}

/// Draws events as Ansible does.
pub struct Ansible {
    state: Mutex<State>,
}

struct State {
    look: AnsibleLook,
    screen: Screen,
    drawing: Drawing,
    clock: profile::Clock,
}

enum Drawing {
    Default(Box<Default>),
    Terse(Terse),
}

impl Ansible {
    /// On standard output and standard error.
    pub fn new(look: AnsibleLook) -> Self {
        Self::on(
            look,
            Box::new(std::io::stdout()),
            Box::new(std::io::stderr()),
        )
    }

    fn on(look: AnsibleLook, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        let log = look.log.as_ref().and_then(|path| {
            let file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path);
            file.ok()
        });
        let screen = Screen {
            out,
            err,
            log,
            user: std::env::var("USER").unwrap_or_else(|_| "root".to_owned()),
            colour: look.colour,
        };
        let drawing = match look.callback {
            Callback::Default => Drawing::Default(Box::default()),
            Callback::Minimal | Callback::Oneline => Drawing::Terse(Terse::default()),
        };
        let state = State {
            look,
            screen,
            drawing,
            clock: profile::Clock::default(),
        };
        Self {
            state: Mutex::new(state),
        }
    }
}

impl Sink for Ansible {
    fn emit(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State {
            look,
            screen,
            drawing,
            clock,
        } = &mut *state;
        match drawing {
            Drawing::Default(default) => default.event(event, look, screen),
            Drawing::Terse(terse) => terse.event(event, look, screen),
        }
        if !look.profiles.is_empty() {
            clock.event(event, look, screen);
        }
    }
}

#[cfg(test)]
mod tests;
