//! Makes a plan of a dry run's events (or, of a real run's, what was made).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use rplay_event::{ChangePrint, Ended, Event, Prints, Recap, Sink, Status, TaskId};
use rplay_wire::Change;
use serde_json::{Map, Value};

use crate::plan::{End, Entry, Planned, Step};
use crate::{Key, Plan, Request};

/// Hears a run and keeps what a plan is made of.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    play: String,
    /// Every host so far, in the order of the plays.
    hosts: Vec<String>,
    is_dry: bool,
    steps: Vec<Step>,
    tasks: HashMap<TaskId, Task>,
    /// Loops whose items were told one by one.
    items: HashSet<(TaskId, String)>,
    recap: Vec<Recap>,
    seconds: f64,
}

#[derive(Debug)]
struct Task {
    step: usize,
    /// It is really run though the run is dry.
    runs: bool,
}

impl Recorder {
    /// What was heard, as a plan.
    pub fn plan(&self, request: Request, key: &Key) -> Plan {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = std::env::current_dir().unwrap_or_default();
        Plan {
            made: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            by: format!("rplay {}", env!("CARGO_PKG_VERSION")),
            folder: folder.display().to_string(),
            request,
            key: key.origin.clone(),
            steps: heard.steps(),
            recap: heard.recap.clone(),
            seconds: heard.seconds,
        }
    }
}

impl Sink for Recorder {
    fn emit(&self, event: &Event) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { check, .. } => heard.is_dry = *check,
            Event::PlayStarted { name, hosts, .. } => {
                heard.play.clone_from(name);
                let new = hosts.iter().filter(|host| !heard.hosts.contains(host));
                let new: Vec<String> = new.cloned().collect();
                heard.hosts.extend(new);
            }
            Event::TaskStarted { .. } => heard.task(event),
            Event::ItemEnded(ended) => {
                heard.items.insert((ended.task, ended.host.clone()));
                heard.ended(ended);
            }
            // A loop's items were told; its end tells them again.
            Event::HostEnded(ended) if heard.told_items(ended) => {}
            Event::HostEnded(ended) => heard.ended(ended),
            Event::RunEnded { recap, seconds } => {
                heard.recap.clone_from(recap);
                heard.seconds = *seconds;
            }
            _ => {}
        }
    }
}

impl Heard {
    fn told_items(&self, ended: &Ended) -> bool {
        self.items.contains(&(ended.task, ended.host.clone()))
    }

    /// The steps with something in them, each with its hosts in the play's order.
    fn steps(&self) -> Vec<Step> {
        let place = |entry: &Entry| self.hosts.iter().position(|host| *host == entry.host);
        let ordered = |step: &Step| {
            let mut step = step.clone();
            step.entries.sort_by_key(place);
            step
        };
        self.steps
            .iter()
            .filter(|s| !s.entries.is_empty())
            .map(ordered)
            .collect()
    }

    fn task(&mut self, event: &Event) {
        let Event::TaskStarted {
            task,
            name,
            role,
            module,
            at,
            handler,
            check,
            ..
        } = event
        else {
            return;
        };
        let role = role
            .as_ref()
            .map(|role| format!("{role} : "))
            .unwrap_or_default();
        let step = Step {
            play: self.play.clone(),
            name: format!("{role}{name}"),
            module: module.clone(),
            at: at.clone(),
            handler: *handler,
            entries: vec![],
        };
        let runs = self.is_dry && !check;
        let known = Task {
            step: self.steps.len(),
            runs,
        };
        self.tasks.insert(*task, known);
        self.steps.push(step);
    }

    fn ended(&mut self, ended: &Ended) {
        let Some(task) = self.tasks.get(&ended.task) else {
            return;
        };
        let prints = ended.prints.as_deref();
        let changes = planned(&ended.changes, prints);
        let end = match &ended.status {
            Status::Changed if task.runs => End::Ran,
            Status::Changed => End::Changed,
            Status::Undecided { because } => End::Undecided {
                because: because.clone(),
                hint: ended.diagnostic.clone(),
                known: known(ended),
            },
            Status::Failed { msg } => End::Failed {
                msg: msg.clone(),
                ignored: ended.ignored,
            },
            Status::Unreachable { msg } => End::Unreachable { msg: msg.clone() },
            Status::Ok | Status::Skipped { .. } if changes.is_empty() => return,
            Status::Ok | Status::Skipped { .. } if task.runs => End::Ran,
            Status::Ok | Status::Skipped { .. } => End::Uncounted,
        };
        self.steps[task.step].entries.push(Entry {
            host: ended.host.clone(),
            delegated_to: ended.delegated_to.clone(),
            item: ended.item.clone(),
            end,
            changes,
            asked: prints.and_then(|prints| prints.asked.clone()),
        });
    }
}

/// The texts of a task that is not decided, as far as they are known.
fn known(ended: &Ended) -> Map<String, Value> {
    match ended.result.get("known") {
        Some(Value::Object(known)) => known.clone(),
        _ => Map::new(),
    }
}

/// The changes with their prints; under `no_log` there are only prints.
fn planned(changes: &[Change], prints: Option<&Prints>) -> Vec<Planned> {
    let prints: &[ChangePrint] = prints.map_or(&[], |prints| &prints.changes);
    let with = |(at, print): (usize, &ChangePrint)| Planned {
        shown: changes.get(at).cloned(),
        print: print.clone(),
    };
    prints.iter().enumerate().map(with).collect()
}
