//! The callback `default`: banners, a line a result, a recap.

use std::collections::{HashMap, HashSet};

use rplay_event::{Ended, Event, Recap, Status, TaskId};
use serde_json::{Map, Value};

use super::notices::Notices;
use super::paint::Ink;
use super::shown::{self, Task};
use super::stats::Stats;
use super::yaml::{self, Layout};
use super::{AnsibleLook, ResultFormat, Screen, diff, dump, fault, recap};

/// What was drawn so far.
#[derive(Debug, Default)]
pub(crate) struct Default {
    tasks: HashMap<TaskId, Task>,
    /// The task whose banner stands last.
    last: Option<TaskId>,
    check: bool,
    /// Whether each host goes at its own pace: then a banner waits for a result.
    free: bool,
    stats: Stats,
    /// Errors that were told: what is wrong on many hosts is told once.
    told: HashSet<String>,
    notices: Notices,
}

impl Default {
    pub(crate) fn event(&mut self, event: &Event, look: &AnsibleLook, screen: &mut Screen) {
        match event {
            Event::RunStarted { check, .. } => {
                self.check = *check;
                if *check && look.check_markers {
                    screen.line(Ink::Plain, &look.banner("DRY RUN"));
                }
            }
            Event::PlaybookStarted { path, plays } if look.verbosity > 1 => {
                let name = path.rsplit('/').next().unwrap_or(path);
                screen.line(Ink::Plain, &look.banner(&format!("PLAYBOOK: {name}")));
                screen.line(Ink::Verbose, &format!("{plays} plays in {path}"));
            }
            Event::PlaybookStarted { .. } => {}
            Event::PlayStarted {
                name, free, check, ..
            } => {
                self.last = None;
                self.free = *free;
                let mark = mark(*check, look);
                screen.line(Ink::Plain, &look.banner(&format!("PLAY [{name}]{mark}")));
            }
            Event::NoHosts { why } => screen.line(Ink::Skipped, &format!("skipping: {why}")),
            Event::NoMoreHosts => screen.line(Ink::Plain, &look.banner("NO MORE HOSTS LEFT")),
            Event::TaskStarted { .. } => self.task(event, look, screen),
            Event::HostStarted { .. } | Event::Progress { .. } => {}
            Event::Retrying {
                task,
                host,
                left,
                item,
            } => {
                self.retrying(*task, host, item.as_deref(), *left, look, screen);
            }
            Event::Polled { task, host, job } => {
                self.banner(*task, look, screen);
                let text = format!("ASYNC POLL on {host}: jid={job} started=True finished=False");
                screen.line(Ink::Retry, &text);
            }
            Event::ItemEnded(ended) => self.item(ended, look, screen),
            Event::HostEnded(ended) => {
                self.stats.add(&ended.host, &ended.result);
                self.ended(ended, look, screen);
            }
            Event::Included {
                task,
                what,
                hosts,
                item,
            } => {
                self.banner(*task, look, screen);
                let item = item
                    .as_ref()
                    .map(|i| format!(" => (item={i})"))
                    .unwrap_or_default();
                let text = format!("included: {what} for {}{item}", hosts.join(", "));
                screen.line(Ink::Skipped, &text);
            }
            Event::Warning { text, drawn, error } if *error || look.warnings => {
                let ink = if *error { Ink::Failed } else { Ink::Warning };
                screen.err(ink, &fault::notice(text, drawn.as_deref(), *error, look));
            }
            Event::Deprecated { task, entry, drawn } => {
                self.banner(*task, look, screen);
                self.notices.deprecated(entry, drawn, look, screen);
            }
            Event::Note { text } if look.verbosity > 1 || look.debug => {
                screen.line(Ink::Verbose, text)
            }
            Event::Note { .. } | Event::Warning { .. } => {}
            Event::RunEnded { recap, .. } => {
                table(recap, look, screen);
                if look.custom_stats {
                    self.stats.show(look, screen);
                }
                if self.check && look.check_markers {
                    screen.line(Ink::Plain, &look.banner("DRY RUN"));
                }
            }
        }
    }

    fn task(&mut self, event: &Event, look: &AnsibleLook, screen: &mut Screen) {
        let Event::TaskStarted {
            task,
            name,
            role,
            module,
            at,
            lines,
            handler,
            check,
            visible,
        } = event
        else {
            return;
        };
        let kind = if *handler { "RUNNING HANDLER" } else { "TASK" };
        let role = role.as_ref().map(|r| format!("{r} : ")).unwrap_or_default();
        // A task without a name goes by its module; a role that it includes is a part of that.
        let title = format!("{kind} [{role}{name}]{}", mark(*check, look));
        let known = Task {
            // A retry is told under the name alone; one without a name under its role too.
            name: match name == module || name.ends_with(&format!(".{module}")) {
                true => format!("{role}{name}"),
                false => name.clone(),
            },
            title,
            at: at.clone(),
            lines: lines.clone(),
            module: module.clone(),
            visible: *visible,
        };
        self.tasks.insert(*task, known);
        if !self.free && look.skipped && look.ok {
            self.banner(*task, look, screen);
        }
    }

    /// The task's banner, unless it stands last already.
    fn banner(&mut self, id: TaskId, look: &AnsibleLook, screen: &mut Screen) {
        if self.last == Some(id) {
            return;
        }
        self.last = Some(id);
        let Some(task) = self.tasks.get(&id) else {
            return;
        };
        screen.line(Ink::Plain, &look.banner(&task.title));
        if look.verbosity > 1 {
            screen.line(Ink::Plain, &path_line(task, look));
        }
    }

    fn retrying(
        &mut self,
        id: TaskId,
        host: &str,
        item: Option<&str>,
        left: u64,
        look: &AnsibleLook,
        screen: &mut Screen,
    ) {
        self.banner(id, look, screen);
        let Some(task) = self.tasks.get(&id) else {
            return;
        };
        let item = task
            .item(item)
            .map(|i| format!(" => (item={i})"))
            .unwrap_or_default();
        let text = format!(
            "FAILED - RETRYING: [{host}]: {}{item} ({left} retries left).",
            task.name
        );
        screen.line(Ink::Retry, &text);
    }

    fn item(&mut self, ended: &Ended, look: &AnsibleLook, screen: &mut Screen) {
        // A host that is lost is told of once, at the end.
        if matches!(ended.status, Status::Unreachable { .. }) {
            return;
        }
        self.line(ended, look, screen);
    }

    fn ended(&mut self, ended: &Ended, look: &AnsibleLook, screen: &mut Screen) {
        // Under `no_log` a loop's results are gone, but not that it was one.
        let items = ended.result.get("results").and_then(Value::as_array);
        let looped = ended.result.contains_key("_rplay_items")
            && items.is_none_or(|items| !items.is_empty());
        let told = match &ended.status {
            Status::Skipped { .. } | Status::Undecided { .. } | Status::Unreachable { .. } => false,
            Status::Ok | Status::Changed | Status::Failed { .. } => looped,
        };
        let debug = self
            .tasks
            .get(&ended.task)
            .is_some_and(|task| task.module == "debug");
        if !told {
            self.line(ended, look, screen);
        } else if debug && matches!(ended.status, Status::Failed { .. }) {
            // Ansible says it of this module only.
            let text = format!("fatal: [{}]: FAILED! => ", shown::host(ended));
            let words = Map::from_iter([("msg".to_owned(), "One or more items failed".into())]);
            let text = format!("{text}{}", dumped(&words, false, look));
            let mut show = |text: &str| match look.failed_stderr {
                true => screen.err(Ink::Failed, text),
                false => screen.line(Ink::Failed, text),
            };
            let path = self.tasks.get(&ended.task).map(|t| path_line(t, look));
            if let Some(path) = path.filter(|_| look.task_path_on_failure && look.verbosity < 2) {
                show(&path);
            }
            show(&text);
        }
        if ended.ignored {
            screen.line(Ink::Skipped, "...ignoring");
        }
    }

    /// The line of a result, under its banner.
    fn line(&mut self, ended: &Ended, look: &AnsibleLook, screen: &mut Screen) {
        let hidden = match ended.status {
            Status::Ok => !look.ok,
            Status::Skipped { .. } | Status::Undecided { .. } => !look.skipped,
            _ => false,
        };
        if hidden {
            return;
        }
        self.banner(ended.task, look, screen);
        let Some(task) = self.tasks.get(&ended.task).cloned() else {
            return;
        };
        if task.visible {
            changes(ended, look, screen);
        }
        job(ended, &task, screen);
        self.notices.of_result(ended, &task, look, screen);
        match &ended.status {
            Status::Failed { .. } | Status::Unreachable { .. } => {
                let fault = fault::failure(ended, &task, look);
                let fault = self.told.insert(fault.clone()).then_some(fault);
                failed(ended, &task, fault, look, screen)
            }
            _ => well(ended, &task, look, screen),
        }
    }
}

/// What became of a job that was waited for.
fn job(ended: &Ended, task: &Task, screen: &mut Screen) {
    let done = |value: &Value| value == &Value::Bool(true) || value == &Value::from(1);
    let finished = ended.result.get("finished").is_some_and(done);
    let id = ended.result.get("ansible_job_id").and_then(Value::as_str);
    let Some(id) = id.filter(|_| finished && task.module != "async_status") else {
        return;
    };
    let word = match ended.status {
        Status::Failed { .. } => "FAILED",
        _ => "OK",
    };
    screen.line(
        Ink::Retry,
        &format!("ASYNC {word} on {}: jid={id}", ended.host),
    );
}

/// What a banner says of a dry run, where that is wanted.
fn mark(check: bool, look: &AnsibleLook) -> &'static str {
    if check && look.check_markers {
        " [CHECK MODE]"
    } else {
        ""
    }
}

fn path_line(task: &Task, look: &AnsibleLook) -> String {
    // The column is no part of it.
    let place = look.place(&task.at);
    let place = place
        .rsplit_once(':')
        .map_or(place.as_str(), |(line, _)| line);
    format!("task path: {place}")
}

fn changes(ended: &Ended, look: &AnsibleLook, screen: &mut Screen) {
    // A task may ask for its own diff.
    let asked = look.diff || ended.changes.iter().any(|c| c.diff.is_some());
    if asked && matches!(ended.status, Status::Changed | Status::Failed { .. }) {
        for one in &ended.changes {
            let text = diff::change(one, look.colour);
            if !text.is_empty() {
                screen.raw(text.strip_suffix('\n').unwrap_or(&text));
            }
        }
    }
}

fn well(ended: &Ended, task: &Task, look: &AnsibleLook, screen: &mut Screen) {
    let (ink, word) = match ended.status {
        Status::Changed => (Ink::Changed, "changed"),
        Status::Skipped { .. } | Status::Undecided { .. } => (Ink::Skipped, "skipping"),
        _ => (Ink::Ok, "ok"),
    };
    let host = shown::host(ended);
    let item = task
        .item(ended.item.as_deref())
        .map(|i| format!(" => (item={i})"))
        .unwrap_or_default();
    // Ansible leaves a blank after a skipped item.
    let blank = if ink == Ink::Skipped && !item.is_empty() {
        " "
    } else {
        ""
    };
    let quiet = ended.result.contains_key("_rplay_quiet");
    // What `no_log` hides is not talked of.
    let talk = ink != Ink::Skipped && task.is_talk() && task.visible && !quiet;
    let tail = if talk || look.verbosity > 0 {
        format!(" => {}", dumped(&shown::talk(ended, task), talk, look))
    } else {
        String::new()
    };
    screen.line(ink, &format!("{word}: [{host}]{item}{blank}{tail}"));
}

fn failed(
    ended: &Ended,
    task: &Task,
    fault: Option<String>,
    look: &AnsibleLook,
    screen: &mut Screen,
) {
    let ink = match ended.status {
        Status::Unreachable { .. } => Ink::Unreachable,
        _ => Ink::Failed,
    };
    let host = shown::host(ended);
    let head = match (&ended.status, task.item(ended.item.as_deref())) {
        (Status::Unreachable { .. }, _) => format!("fatal: [{host}]: UNREACHABLE! => "),
        (_, Some(item)) => format!("failed: [{host}] (item={item}) => "),
        (_, None) => format!("fatal: [{host}]: FAILED! => "),
    };
    let keys = ["assertion", "_rplay_show"];
    let talk = task.is_talk() && task.visible && keys.iter().any(|k| ended.result.contains_key(*k));
    let text = format!("{head}{}", dumped(&shown::talk(ended, task), talk, look));
    // What cannot be read is no result of a task: its error is told apart.
    let (unread, fault) = match fault {
        Some(fault) if shown::is_unread(ended, task) => (Some(fault), None),
        fault => (None, fault),
    };
    if let Some(unread) = unread {
        screen.err(Ink::Failed, &unread);
    }
    let mut show = |ink, text: &str| match look.failed_stderr {
        true => screen.err(ink, text),
        false => screen.line(ink, text),
    };
    if let Some(fault) = fault {
        show(Ink::Failed, &fault);
    }
    if look.task_path_on_failure && look.verbosity < 2 && ended.item.is_none() {
        show(ink, &path_line(task, look));
    }
    show(ink, &text);
}

fn dumped(map: &Map<String, Value>, talk: bool, look: &AnsibleLook) -> String {
    match look.format {
        ResultFormat::Yaml => match look.pretty {
            Some(false) => yaml::yaml(map, Layout::Exact),
            _ => yaml::yaml(map, Layout::Pretty),
        },
        ResultFormat::Json if talk || look.pretty.unwrap_or(look.verbosity > 2) => {
            dump::indented(map)
        }
        ResultFormat::Json => dump::one_line(map),
    }
}

/// A host that no task was for has no row, as where the batch before its own failed.
fn took_part(row: &Recap) -> bool {
    let ran = row.ok + row.unreachable + row.failed + row.skipped;
    ran + row.rescued + row.ignored + row.undecided > 0
}

fn table(rows: &[Recap], look: &AnsibleLook, screen: &mut Screen) {
    screen.line(Ink::Plain, &look.banner("PLAY RECAP"));
    for row in rows.iter().filter(|row| took_part(row)) {
        screen.raw(&recap::row(row, look.colour));
    }
    screen.raw("");
}
