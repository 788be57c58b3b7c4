use rplay_event::ChangePrint;
use rplay_wire::Target;

use super::*;
use crate::{Origin, Request};

/// A change of a file from one content to another, whose digests are the contents.
fn change(path: &str, before: &str, after: &str) -> Planned {
    let state = |content: &str| {
        (!content.is_empty()).then(|| State::from([("mode".to_owned(), "0644".to_owned())]))
    };
    Planned {
        shown: Some(Change {
            target: Target::File(path.to_owned()),
            before: state(before),
            after: state(after),
            diff: None,
        }),
        print: ChangePrint {
            target: path.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        },
    }
}

fn entry(host: &str, changes: Vec<Planned>) -> Entry {
    Entry {
        host: host.to_owned(),
        delegated_to: None,
        item: None,
        end: End::Changed,
        changes,
        asked: None,
    }
}

fn open(host: &str, asked: &str) -> Entry {
    Entry {
        end: End::Undecided {
            because: vec![],
            hint: None,
            known: serde_json::Map::new(),
        },
        asked: Some(asked.to_owned()),
        ..entry(host, vec![])
    }
}

fn plan(steps: Vec<(&str, Vec<Entry>)>) -> Plan {
    let step = |(at, entries): (&str, Vec<Entry>)| Step {
        play: "all".into(),
        name: format!("Task {at}"),
        module: "copy".into(),
        at: at.into(),
        handler: false,
        entries,
    };
    Plan {
        made: String::new(),
        by: String::new(),
        folder: String::new(),
        request: Request::default(),
        key: Origin {
            vault_id: None,
            salt: String::new(),
            check: String::new(),
        },
        steps: steps.into_iter().map(step).collect(),
        recap: vec![],
        seconds: 0.0,
    }
}

fn told(found: &[Difference]) -> Vec<String> {
    let line = |d: &Difference| format!("{} {} {}: {}", d.host, d.target, d.kind, d.detail);
    found.iter().map(line).collect()
}

#[test]
fn a_plan_is_like_itself() {
    let one = plan(vec![(
        "1",
        vec![entry("a", vec![change("/x", "", "new")]), open("b", "ls")],
    )]);
    assert_eq!(differences(&one, &one), []);
}

#[test]
fn a_file_that_drifted_is_named_with_its_host() {
    let of = |before| {
        plan(vec![(
            "1",
            vec![entry("a", vec![change("/x", before, "new")])],
        )])
    };
    assert_eq!(
        told(&differences(&of("old"), &of("hand"))),
        ["a /x drifted: another content"]
    );
    assert_eq!(
        told(&differences(&of(""), &of("hand"))),
        ["a /x drifted: absent in the plan, there now"]
    );
}

#[test]
fn what_is_as_planned_already_and_what_is_new_are_told_apart() {
    let saved = plan(vec![(
        "1",
        vec![entry(
            "a",
            vec![change("/x", "", "n"), change("/y", "", "n")],
        )],
    )]);
    let now = plan(vec![(
        "1",
        vec![entry(
            "a",
            vec![change("/y", "", "n"), change("/z", "", "n")],
        )],
    )]);
    assert_eq!(
        told(&differences(&saved, &now)),
        [
            "a /x settled: it is as planned already, or not to be changed any more",
            "a /z new: it is not in the plan",
        ]
    );
}

#[test]
fn a_host_without_a_change_any_more_is_told() {
    let saved = plan(vec![("1", vec![entry("a", vec![change("/x", "", "n")])])]);
    let now = plan(vec![]);
    assert_eq!(differences(&saved, &now)[0].kind, Kind::Settled);
    assert_eq!(differences(&now, &saved)[0].kind, Kind::New);
}

#[test]
fn a_command_with_other_words_is_not_what_was_planned() {
    let of = |asked| plan(vec![("1", vec![open("a", asked)])]);
    assert_eq!(
        told(&differences(&of("ls"), &of("rm"))),
        ["a the task `Task 1` undecided: it would run with other arguments"]
    );
    assert_eq!(
        differences(&of("ls"), &plan(vec![]))[0].kind,
        Kind::Undecided
    );
    assert_eq!(
        differences(&plan(vec![]), &of("ls"))[0].kind,
        Kind::Undecided
    );
}

#[test]
fn the_second_time_of_a_task_is_compared_with_the_second_time() {
    let of = |second| {
        let entries = |after| vec![entry("a", vec![change("/x", "", after)])];
        plan(vec![("1", entries("one")), ("1", entries(second))])
    };
    assert_eq!(differences(&of("two"), &of("two")), []);
    assert_eq!(differences(&of("two"), &of("three")).len(), 1);
}

#[test]
fn what_is_another_each_time_is_no_drift() {
    let of = |key, name, fixed| {
        let changes = vec![
            change("/key", "", key),
            change(name, "", "n"),
            change("/f", "", fixed),
        ];
        plan(vec![("1", vec![entry("a", changes)])])
    };
    let (saved, now, again) = (
        of("1", "/tmp/1", "old"),
        of("2", "/tmp/2", "new"),
        of("3", "/tmp/3", "new"),
    );
    let found = differences(&saved, &now);
    assert_eq!(found.len(), 4);
    let left = without_chance(found, &now, &again);
    assert_eq!(told(&left), ["a /f otherwise: another content"]);
}
