//! What of a dry run is not decided so far, by the host that it would act on.
//!
//! What is not there for a later task may come by it: such a task has not failed, it is not decided.
//! Knows nothing of why something is not decided.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use rplay_template::Origin;
use rplay_wire::{Change, Target};

/// As many tasks are named.
const NAMED: usize = 3;

/// Actions that bring nothing to a host.
const BRING_NOTHING: [&str; 23] = [
    "add_host",
    "assert",
    "async_status",
    "debug",
    "fail",
    "fetch",
    "find",
    "gather_facts",
    "getent",
    "group_by",
    "include_vars",
    "meta",
    "mount_facts",
    "package_facts",
    "pause",
    "ping",
    "service_facts",
    "set_fact",
    "set_stats",
    "setup",
    "slurp",
    "stat",
    "wait_for",
];

/// The tasks that are not decided, and the users that are only planned, by host.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Mutex<HashMap<String, Doubt>>);

#[derive(Debug, Default)]
struct Doubt {
    tasks: Vec<String>,
    users: HashSet<String>,
}

impl Doubts {
    /// A task of that action is not decided on a host.
    pub(crate) fn add(&self, host: &str, action: &str, task: &Origin) {
        if BRING_NOTHING.contains(&action) {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = &mut all.entry(host.to_owned()).or_default().tasks;
        let task = task.to_string();
        if !tasks.contains(&task) {
            tasks.push(task);
        }
    }

    /// A dry run would make these changes on a host.
    pub(crate) fn plan(&self, host: &str, changes: &[Change]) {
        for change in changes {
            if let (Target::User(name), Some(_)) = (&change.target, &change.after) {
                let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let users = &mut all.entry(host.to_owned()).or_default().users;
                users.insert(name.clone());
            }
        }
    }

    /// Why a user who is not on the host may be there in the end, if so.
    pub(crate) fn of_user(&self, host: &str, user: &str) -> Option<String> {
        let is_planned = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(host)
                .is_some_and(|doubt| doubt.users.contains(user))
        };
        match is_planned {
            true => Some(format!("the user `{user}` is only planned")),
            false => self
                .of(host)
                .map(|tasks| format!("`{user}` may come by what is not decided: {tasks}")),
        }
    }

    /// The tasks that are not decided on a host, in words; the first ones are named.
    pub(crate) fn of(&self, host: &str) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = &all.get(host)?.tasks;
        tasks.first()?;
        let named = tasks
            .iter()
            .take(NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        Some(match tasks.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(what: &str) -> Origin {
        Origin {
            what: what.to_owned(),
            span: None,
        }
    }

    #[test]
    fn the_first_tasks_are_named_and_each_once() {
        let doubts = Doubts::default();
        assert_eq!(doubts.of("a"), None);
        doubts.add("a", "stat", &origin("stat"));
        assert_eq!(doubts.of("a"), None);
        for action in ["command", "apt", "command", "git", "pip"] {
            doubts.add("a", action, &origin(action));
        }
        assert_eq!(doubts.of("b"), None);
        let words = doubts.of("a").unwrap();
        assert_eq!(words, "`command`, `apt`, `git` and 1 more");
    }
}
