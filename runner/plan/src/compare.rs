//! How two plans differ: what a host has become since, and what a playbook would do otherwise now.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use rplay_wire::{Change, State};

use crate::plan::{End, Entry, Plan, Planned, Step};

/// One thing that is not as the plan has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The host.
    pub host: String,
    /// What it is about: a path, a user, or a task that is not decided.
    pub target: String,
    /// The task's name.
    pub task: String,
    /// The task's place.
    pub at: String,
    /// How it differs.
    pub kind: Kind,
    /// What is known of the difference, in words.
    pub detail: String,
    slot: Slot,
    spot: Spot,
}

/// How something differs from a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The host is not as it was: another state is there.
    Drifted,
    /// The plan would change it, and there is nothing to change now.
    Settled,
    /// It would be changed now, and the plan has nothing of it.
    New,
    /// It would be made otherwise than the plan says.
    Otherwise,
    /// A task that is not decided would do other things, or is decided now.
    Undecided,
}

/// Where in a run an end is: the n-th time that a task ends on a host (for an item).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Slot {
    host: String,
    at: String,
    item: Option<String>,
    nth: usize,
}

/// Where in an end a change is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    /// The change of this thing.
    Target(String),
    /// The n-th that only the saved plan has.
    Gone(usize),
    /// The n-th that only the new plan has.
    Added(usize),
    /// What is not decided.
    Asked,
}

type Slots<'a> = BTreeMap<Slot, (&'a Step, &'a Entry)>;

/// What of `now` is not as `saved` has it, in the order of the run.
pub fn differences(saved: &Plan, now: &Plan) -> Vec<Difference> {
    let (old, new) = (slots(saved), slots(now));
    let mut all = vec![];
    for (slot, step, entry) in in_order(saved) {
        match new.get(&slot) {
            Some((_, other)) => entries(&slot, step, Some(entry), Some(other), &mut all),
            None => entries(&slot, step, Some(entry), None, &mut all),
        }
    }
    for (slot, step, entry) in in_order(now) {
        if !old.contains_key(&slot) {
            entries(&slot, step, None, Some(entry), &mut all);
        }
    }
    all
}

/// The differences that are no chance: `now` and `again` were made one right after the other, so that
/// where they differ the playbook makes something new each time (a key, a random number, the time).
pub fn without_chance(found: Vec<Difference>, now: &Plan, again: &Plan) -> Vec<Difference> {
    let chance = differences(now, again);
    let by_chance = |d: &Difference| {
        let alike = |c: &Difference| c.slot == d.slot && c.spot == d.spot && c.kind == d.kind;
        chance.iter().any(alike)
    };
    found.into_iter().filter(|d| !by_chance(d)).collect()
}

fn in_order(plan: &Plan) -> Vec<(Slot, &Step, &Entry)> {
    let mut seen: HashMap<(&str, &str, Option<&str>), usize> = HashMap::new();
    let compared = plan.entries().filter(|(_, entry)| entry.end != End::Ran);
    let slotted = compared.map(|(step, entry)| {
        let key = (entry.host.as_str(), step.at.as_str(), entry.item.as_deref());
        let nth = seen.entry(key).and_modify(|n| *n += 1).or_default();
        let slot = Slot {
            host: entry.host.clone(),
            at: step.at.clone(),
            item: entry.item.clone(),
            nth: *nth,
        };
        (slot, step, entry)
    });
    slotted.collect()
}

fn slots(plan: &Plan) -> Slots<'_> {
    let all = in_order(plan).into_iter();
    all.map(|(slot, step, entry)| (slot, (step, entry)))
        .collect()
}

/// The differences of two ends of a task.
fn entries(
    slot: &Slot,
    step: &Step,
    saved: Option<&Entry>,
    now: Option<&Entry>,
    all: &mut Vec<Difference>,
) {
    let mut tell = |target: String, kind, detail: String, spot| {
        all.push(Difference {
            host: slot.host.clone(),
            target,
            task: step.name.clone(),
            at: step.at.clone(),
            kind,
            detail,
            slot: slot.clone(),
            spot,
        });
    };
    if let Some(detail) = decided(saved, now) {
        let target = format!("the task `{}`", step.name);
        tell(target, Kind::Undecided, detail, Spot::Asked);
    }
    let old = saved.map_or(&[][..], |entry| &entry.changes);
    let new = now.map_or(&[][..], |entry| &entry.changes);
    let of = |list: &[Planned], print: &str| list.iter().find(|c| c.print.target == print).cloned();
    let gone = old.iter().filter(|c| of(new, &c.print.target).is_none());
    for (at, planned) in gone.enumerate() {
        tell(
            planned.target(),
            Kind::Settled,
            settled(planned),
            Spot::Gone(at),
        );
    }
    for planned in old {
        let target = &planned.print.target;
        let Some(other) = of(new, target) else {
            continue;
        };
        let spot = Spot::Target(target.clone());
        if planned.print.before != other.print.before {
            let detail = state_words(planned, &other, |change| change.before.as_ref());
            tell(planned.target(), Kind::Drifted, detail, spot);
        } else if planned.print.after != other.print.after {
            let detail = state_words(planned, &other, |change| change.after.as_ref());
            tell(planned.target(), Kind::Otherwise, detail, spot);
        }
    }
    let added = new.iter().filter(|c| of(old, &c.print.target).is_none());
    for (at, planned) in added.enumerate() {
        let detail = "it is not in the plan".to_owned();
        tell(planned.target(), Kind::New, detail, Spot::Added(at));
    }
}

/// How what is not decided differs.
fn decided(saved: Option<&Entry>, now: Option<&Entry>) -> Option<String> {
    let open = |entry: Option<&Entry>| {
        entry.is_some_and(|entry| matches!(entry.end, End::Undecided { .. }))
    };
    let words = match (open(saved), open(now)) {
        (false, false) => return None,
        (true, false) => "it was not decided, and is now",
        (false, true) => "it would run, and is not in the plan",
        (true, true) if saved?.asked != now?.asked => "it would run with other arguments",
        (true, true) => return None,
    };
    Some(words.to_owned())
}

/// Why there is nothing to change any more.
fn settled(planned: &Planned) -> String {
    let words = match planned.shown.as_ref().map(|change| &change.after) {
        Some(None) => "it is gone already, or not to be removed any more",
        _ => "it is as planned already, or not to be changed any more",
    };
    words.to_owned()
}

fn state_words(saved: &Planned, now: &Planned, side: impl Fn(&Change) -> Option<&State>) -> String {
    let (Some(saved), Some(now)) = (&saved.shown, &now.shown) else {
        return "it is another".to_owned();
    };
    match (side(saved), side(now)) {
        (None, Some(_)) => "absent in the plan, there now".to_owned(),
        (Some(_), None) => "there in the plan, absent now".to_owned(),
        (Some(old), Some(new)) => {
            let none = String::new();
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            let differ = keys
                .into_iter()
                .filter(|key| old.get(*key) != new.get(*key));
            let words = differ.map(|key| {
                let word = |state: &State| match state.get(key).unwrap_or(&none).as_str() {
                    "" => "none".to_owned(),
                    value => format!("`{value}`"),
                };
                format!("{key} {} in the plan, {} now", word(old), word(new))
            });
            let words: Vec<String> = words.collect();
            match words.is_empty() {
                true => "another content".to_owned(),
                false => words.join("; "),
            }
        }
        (None, None) => "it is another".to_owned(),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drifted => "drifted",
            Self::Settled => "settled",
            Self::New => "new",
            Self::Otherwise => "otherwise",
            Self::Undecided => "undecided",
        })
    }
}

#[cfg(test)]
mod tests;
