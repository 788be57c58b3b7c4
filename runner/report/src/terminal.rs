//! The run as a person watches it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use console::Style;
use rplay_event::{Ended, Event, Sink, TaskId};
use serde_json::Value;

use crate::live::Live;
use crate::recap::recap;
use crate::result::results;

/// How it should look.
#[derive(Debug, Clone)]
pub struct Look {
    /// Whether colour is used.
    pub colour: bool,
    /// Whether lines of what is under way are drawn: only where standard output is a terminal.
    pub live: bool,
    /// How much is shown: the number of `-v`.
    pub verbosity: u8,
    /// Whether diffs are shown.
    pub diff: bool,
    /// Whether skipped hosts are shown.
    pub skipped: bool,
    /// Whether hosts with the same result share a line.
    pub groups: bool,
    /// Width of the banners, in columns.
    pub width: usize,
}

impl Look {
    /// Without colour or live lines, as in a file.
    pub fn plain() -> Self {
        Self {
            colour: false,
            live: false,
            verbosity: 0,
            diff: true,
            skipped: true,
            groups: true,
            width: 79,
        }
    }

    pub(crate) fn paint(&self, style: &Style, text: &str) -> String {
        style
            .clone()
            .force_styling(self.colour)
            .apply_to(text)
            .to_string()
    }

    pub(crate) fn banner(&self, text: &str) -> String {
        let stars = self.width.saturating_sub(text.chars().count() + 1).max(3);
        format!(
            "\n{} {}",
            self.paint(&Style::new().bold(), text),
            "*".repeat(stars)
        )
    }
}

/// Draws events on standard output.
pub struct Terminal {
    look: Look,
    state: Mutex<State>,
}

struct State {
    live: Live,
    names: HashMap<TaskId, Task>,
    last_banner: Option<TaskId>,
}

/// A task that began, and what ended in it but is not drawn yet.
#[derive(Default)]
struct Task {
    banner: String,
    name: String,
    visible: bool,
    running: HashSet<String>,
    /// The place of each host in the order they began, which is the play's.
    order: HashMap<String, usize>,
    ended: Vec<Ended>,
}

impl Terminal {
    /// A terminal with that look.
    pub fn new(look: Look) -> Self {
        let live = Live::new(look.live);
        let state = State {
            live,
            names: HashMap::new(),
            last_banner: None,
        };
        Self {
            look,
            state: Mutex::new(state),
        }
    }
}

impl Sink for Terminal {
    fn emit(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.emit(event, &self.look);
    }
}

impl State {
    fn emit(&mut self, event: &Event, look: &Look) {
        match event {
            Event::RunStarted { check: true, .. } => {
                let text = "dry run: nothing will be changed";
                self.live.print(&look.paint(&Style::new().cyan(), text));
            }
            Event::RunStarted { .. }
            | Event::PlaybookStarted { .. }
            | Event::PlayStarted { .. }
            | Event::NoMoreHosts
            | Event::NoHosts { .. } => {
                self.flush_all(look);
                self.play(event, look);
            }
            Event::TaskStarted { .. } => self.task_started(event, look),
            Event::HostStarted { task, host, .. } => self.host_started(*task, host),
            Event::Progress {
                task,
                host,
                done,
                total,
            } => {
                self.live.progress(*task, host, *done, *total);
            }
            Event::Retrying {
                task,
                host,
                left,
                item,
            } => self.retrying(*task, host, item.as_deref(), *left, look),
            // The line that counts the seconds of what runs says as much; and what Ansible is to take no
            // more, rplay takes.
            Event::Polled { .. } | Event::Deprecated { .. } => {}
            Event::ItemEnded(ended) => self.ended(ended, look, false),
            Event::HostEnded(ended) => self.ended(ended, look, true),
            Event::Included {
                task,
                what,
                hosts,
                item,
            } => {
                self.flush_all(look);
                let hosts = hosts.join(", ");
                let text = format!(
                    "included: {what} for {hosts}{}",
                    item_words(item.as_deref())
                );
                self.under_banner(*task, look.paint(&Style::new().cyan(), &text));
            }
            Event::Warning { text, drawn, .. } => {
                let text = drawn
                    .clone()
                    .unwrap_or_else(|| format!("[WARNING]: {text}"));
                self.live.print(&look.paint(&Style::new().magenta(), &text));
            }
            Event::Note { text } if look.verbosity > 0 => self.live.print(text),
            Event::Note { .. } => {}
            Event::RunEnded {
                recap: rows,
                seconds,
            } => {
                self.flush_all(look);
                let table = recap(rows, *seconds, look);
                self.live
                    .print(&format!("{}\n{table}", look.banner("PLAY RECAP")));
            }
        }
    }

    fn play(&self, event: &Event, look: &Look) {
        match event {
            Event::PlayStarted { name, .. } => {
                self.live.print(&look.banner(&format!("PLAY [{name}]")));
            }
            Event::NoMoreHosts => self.live.print(&look.banner("NO MORE HOSTS LEFT")),
            Event::NoHosts { why } => {
                self.live
                    .print(&look.paint(&Style::new().cyan(), &format!("skipping: {why}")));
            }
            _ => {}
        }
    }

    fn task_started(&mut self, event: &Event, look: &Look) {
        let Event::TaskStarted {
            task,
            name,
            role,
            at,
            handler,
            visible,
            ..
        } = event
        else {
            return;
        };
        let kind = if *handler { "RUNNING HANDLER" } else { "TASK" };
        let role = role.as_ref().map(|r| format!("{r} : ")).unwrap_or_default();
        let mut banner = look.banner(&format!("{kind} [{role}{name}]"));
        if look.verbosity > 1 {
            banner.push_str(&format!("\ntask path: {at}"));
        }
        let task_state = Task {
            banner,
            name: name.clone(),
            visible: *visible,
            ..Task::default()
        };
        self.names.insert(*task, task_state);
    }

    fn host_started(&mut self, task: TaskId, host: &str) {
        let Some(state) = self.names.get_mut(&task) else {
            return;
        };
        state.running.insert(host.to_owned());
        let place = state.order.len();
        state.order.entry(host.to_owned()).or_insert(place);
        let name = state.name.clone();
        self.live.start(task, host, &name);
    }

    /// A try that failed: under its task's banner, which comes now where nothing of it is drawn yet.
    fn retrying(&mut self, task: TaskId, host: &str, item: Option<&str>, left: u64, look: &Look) {
        let Some(state) = self.names.get(&task) else {
            return;
        };
        let item = item_words(item.map(|item| if state.visible { item } else { CENSORED }));
        let text = format!(
            "FAILED - RETRYING: [{host}]: {}{item} ({left} retries left).",
            state.name
        );
        self.under_banner(task, look.paint(&Style::new().cyan(), &text));
    }

    /// Prints what belongs to a task, after its banner where that was not the last.
    fn under_banner(&mut self, task: TaskId, mut text: String) {
        if self.last_banner != Some(task)
            && let Some(state) = self.names.get(&task)
        {
            text = format!("{}\n{text}", state.banner);
        }
        self.last_banner = Some(task);
        self.live.print(text.trim_end());
    }

    fn ended(&mut self, ended: &Ended, look: &Look, whole: bool) {
        let task = ended.task;
        if whole {
            self.live.end(task, &ended.host);
        }
        let Some(state) = self.names.get_mut(&task) else {
            return;
        };
        // A loop's items were drawn one by one: its end says nothing new, save where it had none.
        let had_items = || {
            let items = ended.result.get("results").and_then(Value::as_array);
            items.is_none_or(|items| !items.is_empty())
        };
        let loop_end = whole && ended.result.contains_key("_rplay_items") && had_items();
        if !loop_end {
            state.ended.push(ended.clone());
        }
        if whole {
            state.running.remove(&ended.host);
        }
        if state.running.is_empty() || !look.groups {
            self.flush(task, look);
        }
    }

    fn flush_all(&mut self, look: &Look) {
        let mut tasks: Vec<TaskId> = self.names.keys().copied().collect();
        tasks.sort_unstable();
        for task in tasks {
            self.flush(task, look);
        }
    }

    fn flush(&mut self, task: TaskId, look: &Look) {
        let Some(state) = self.names.get_mut(&task) else {
            return;
        };
        let mut ended = std::mem::take(&mut state.ended);
        if ended.is_empty() {
            return;
        }
        ended.sort_by_key(|one| state.order.get(&one.host).copied());
        let text = if state.visible {
            results(&ended, look)
        } else {
            results(&ended.into_iter().map(censored).collect::<Vec<_>>(), look)
        };
        self.under_banner(task, text);
    }
}

/// What stands for an item under `no_log`.
const CENSORED: &str = "(censored due to no_log)";

fn item_words(item: Option<&str>) -> String {
    item.map(|item| format!(" => (item={item})"))
        .unwrap_or_default()
}

/// A result under `no_log`: only how it ended.
fn censored(mut ended: Ended) -> Ended {
    ended.result.clear();
    ended.changes.clear();
    ended.item = ended.item.map(|_| CENSORED.to_owned());
    ended
}
