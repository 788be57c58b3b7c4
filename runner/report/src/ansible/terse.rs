//! The callbacks `minimal` and `oneline`: results without banners, as `ansible` prints them.

use std::collections::HashMap;

use rplay_event::{Ended, Event, Status, TaskId};
use serde_json::{Map, Value};

use super::notices::Notices;
use super::paint::Ink;
use super::shown::{self, Task};
use super::{AnsibleLook, Callback, Screen, diff, dump, fault};

/// The tasks that began.
#[derive(Debug, Default)]
pub(crate) struct Terse {
    tasks: HashMap<TaskId, Task>,
    notices: Notices,
}

impl Terse {
    pub(crate) fn event(&mut self, event: &Event, look: &AnsibleLook, screen: &mut Screen) {
        match event {
            Event::TaskStarted {
                task,
                name,
                module,
                at,
                lines,
                visible,
                ..
            } => {
                let known = Task {
                    name: name.clone(),
                    title: String::new(),
                    at: at.clone(),
                    lines: lines.clone(),
                    module: module.clone(),
                    visible: *visible,
                };
                self.tasks.insert(*task, known);
            }
            Event::HostEnded(ended) => {
                if let Some(task) = self.tasks.get(&ended.task) {
                    self.notices.of_result(ended, task, look, screen);
                    line(ended, task, look, screen);
                }
            }
            Event::Deprecated { entry, drawn, .. } => {
                self.notices.deprecated(entry, drawn, look, screen);
            }
            Event::Warning { text, drawn, error } if *error || look.warnings => {
                let ink = if *error { Ink::Failed } else { Ink::Warning };
                screen.err(ink, &fault::notice(text, drawn.as_deref(), *error, look));
            }
            _ => {}
        }
    }
}

fn line(ended: &Ended, task: &Task, look: &AnsibleLook, screen: &mut Screen) {
    let asked = look.diff || ended.changes.iter().any(|c| c.diff.is_some());
    if asked && task.visible {
        let text: String = ended
            .changes
            .iter()
            .map(|c| diff::change(c, look.colour))
            .collect();
        if !text.is_empty() {
            screen.raw(text.strip_suffix('\n').unwrap_or(&text));
        }
    }
    let (ink, word) = match &ended.status {
        Status::Ok => (Ink::Ok, "SUCCESS"),
        Status::Changed => (Ink::Changed, "CHANGED"),
        Status::Failed { .. } => (Ink::Failed, "FAILED"),
        Status::Unreachable { .. } => (Ink::Unreachable, "UNREACHABLE"),
        Status::Skipped { .. } | Status::Undecided { .. } => {
            return screen.line(Ink::Skipped, &format!("{} | SKIPPED", ended.host));
        }
    };
    let shown = shown::talk(ended, task);
    let text = match look.callback {
        Callback::Oneline => oneline(ended, &shown, word, task),
        Callback::Default | Callback::Minimal => minimal(ended, &shown, word, task),
    };
    if matches!(
        ended.status,
        Status::Failed { .. } | Status::Unreachable { .. }
    ) {
        screen.line(Ink::Failed, &fault::failure(ended, task, look));
    }
    screen.line(ink, &text);
}

fn minimal(ended: &Ended, shown: &Map<String, Value>, word: &str, task: &Task) -> String {
    let host = &ended.host;
    if task.is_command() && task.visible && !is_job(shown) && word != "UNREACHABLE" {
        let rc = shown.get("rc").map_or(-1, |rc| rc.as_i64().unwrap_or(-1));
        let text = |key: &str| shown.get(key).and_then(Value::as_str).unwrap_or_default();
        let (stdout, stderr, msg) = (text("stdout"), text("stderr"), text("msg"));
        return format!("{host} | {word} | rc={rc} >>\n{stdout}{stderr}{msg}");
    }
    let mark = if is_bad(word) { "!" } else { "" };
    format!("{host} | {word}{mark} => {}", dump::indented(shown))
}

fn oneline(ended: &Ended, shown: &Map<String, Value>, word: &str, task: &Task) -> String {
    let host = &ended.host;
    if let Status::Unreachable { msg } = &ended.status {
        return format!("{host} | UNREACHABLE!: {msg}");
    }
    if task.is_command() && task.visible && !is_job(shown) {
        let rc = shown.get("rc").map_or(-1, |rc| rc.as_i64().unwrap_or(-1));
        let text = |key: &str| {
            let text = shown.get(key).and_then(Value::as_str).unwrap_or_default();
            text.replace('\n', "\\n").replace('\r', "\\r")
        };
        let err = match text("stderr") {
            empty if empty.is_empty() => String::new(),
            text => format!(" (stderr) {text}"),
        };
        return format!(
            "{host} | {word} | rc={rc} | (stdout) {}{err}",
            text("stdout")
        );
    }
    let mark = if is_bad(word) { "!" } else { "" };
    format!("{host} | {word}{mark} => {}", dump::one_line(shown))
}

fn is_bad(word: &str) -> bool {
    matches!(word, "FAILED" | "UNREACHABLE")
}

/// Whether a command runs in the background, and has printed nothing yet.
fn is_job(shown: &Map<String, Value>) -> bool {
    shown.contains_key("ansible_job_id")
}
