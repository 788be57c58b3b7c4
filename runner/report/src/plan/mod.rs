//! A plan as a person reviews it: what is the same on several hosts is shown once.

mod html;
mod text;

use rplay_plan::{End, Entry, Plan, Planned, Step};

pub use html::as_html;
pub use text::as_text;

/// A change and the hosts that share it.
struct Shared<'a> {
    change: &'a Planned,
    item: Option<&'a str>,
    counts: bool,
    hosts: Vec<String>,
}

/// How a task ends, where that is not told by its changes, and the hosts that share it.
struct Ended<'a> {
    end: &'a End,
    item: Option<&'a str>,
    hosts: Vec<String>,
}

/// The changes of a step, each once, in the order of their first host.
fn shared(step: &Step) -> Vec<Shared<'_>> {
    let mut all: Vec<Shared<'_>> = vec![];
    for entry in &step.entries {
        for change in &entry.changes {
            let item = entry.item.as_deref();
            // What is hidden can only be told apart by its digests.
            let alike = |one: &&mut Shared<'_>| {
                let same = match (&one.change.shown, &change.shown) {
                    (Some(a), Some(b)) => a == b,
                    (None, None) => one.change.print == change.print,
                    _ => false,
                };
                same && one.item == item && one.counts == counts(entry)
            };
            match all.iter_mut().find(alike) {
                Some(one) => one.hosts.push(host(entry)),
                None => all.push(Shared {
                    change,
                    item,
                    counts: counts(entry),
                    hosts: vec![host(entry)],
                }),
            }
        }
    }
    all
}

/// The ends of a step that its changes do not tell.
fn ends(step: &Step) -> Vec<Ended<'_>> {
    let mut all: Vec<Ended<'_>> = vec![];
    let told = |entry: &Entry| {
        !entry.changes.is_empty() && matches!(entry.end, End::Changed | End::Uncounted)
    };
    for entry in step.entries.iter().filter(|entry| !told(entry)) {
        let item = entry.item.as_deref();
        match all
            .iter_mut()
            .find(|one| one.end == &entry.end && one.item == item)
        {
            Some(one) => one.hosts.push(host(entry)),
            None => all.push(Ended {
                end: &entry.end,
                item,
                hosts: vec![host(entry)],
            }),
        }
    }
    all
}

fn counts(entry: &Entry) -> bool {
    entry.end != End::Uncounted
}

fn host(entry: &Entry) -> String {
    match &entry.delegated_to {
        Some(to) => format!("{} -> {to}", entry.host),
        None => entry.host.clone(),
    }
}

/// The plan in one line.
fn summary(plan: &Plan) -> String {
    let many = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let mut words = match plan.changes() {
        0 => "no changes".to_owned(),
        n => {
            let changing = |host: &&str| {
                let of = |(_, e): &(&Step, &Entry)| e.host == **host && !e.changes.is_empty();
                plan.entries().any(|pair| of(&pair))
            };
            let hosts = plan
                .hosts()
                .into_iter()
                .filter(|host| changing(host))
                .count();
            format!("{} on {}", many(n, "change"), many(hosts, "host"))
        }
    };
    if plan.undecided() > 0 {
        words.push_str(&format!(", {} not decided", plan.undecided()));
    }
    if !plan.failed().is_empty() {
        words.push_str(&format!(", failed on {}", plan.failed().join(", ")));
    }
    words
}

#[cfg(test)]
mod tests;
