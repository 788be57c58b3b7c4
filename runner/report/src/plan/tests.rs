use rplay_event::{ChangePrint, Recap};
use rplay_plan::{Origin, Request};
use rplay_wire::{Change, Diff, State, Target};

use super::*;
use crate::Look;

fn file(path: &str, diff: &str) -> Planned {
    let state = State::from([
        ("state".to_owned(), "file".to_owned()),
        ("mode".to_owned(), "0644".to_owned()),
    ]);
    planned(Some(Change {
        target: Target::File(path.to_owned()),
        before: None,
        after: Some(state),
        diff: Some(Diff::Text(diff.to_owned())),
    }))
}

fn planned(shown: Option<Change>) -> Planned {
    let print = ChangePrint {
        target: "t".into(),
        before: "b".into(),
        after: "a".into(),
    };
    Planned { shown, print }
}

fn entry(host: &str, end: End, changes: Vec<Planned>) -> Entry {
    Entry {
        host: host.to_owned(),
        delegated_to: None,
        item: None,
        end,
        changes,
        asked: None,
    }
}

fn step(name: &str, at: &str, entries: Vec<Entry>) -> Step {
    Step {
        play: "Web".into(),
        name: name.to_owned(),
        module: "copy".into(),
        at: at.to_owned(),
        handler: false,
        entries,
    }
}

fn known() -> serde_json::Map<String, serde_json::Value> {
    serde_json::Map::from_iter([("content".to_owned(), "who = ⟨unknown⟩\nwhere = a\n".into())])
}

fn plan() -> Plan {
    let motd = || file("/etc/motd", "@@ -0,0 +1 @@\n+<hello & bye>\n");
    let own = |host: &str| file("/etc/name", &format!("@@ -0,0 +1 @@\n+{host}\n"));
    let because = vec!["`command` at site.yml:12".to_owned()];
    let recap = |host: &str, failed| Recap {
        host: host.into(),
        ok: 2,
        changed: 2,
        failed,
        ..Recap::default()
    };
    Plan {
        made: "2026-11-23T21:00:00Z".into(),
        by: "rplay 0.1.0".into(),
        folder: "/srv".into(),
        request: Request {
            playbooks: vec!["site.yml".into()],
            ..Request::default()
        },
        key: Origin {
            vault_id: None,
            salt: String::new(),
            check: String::new(),
        },
        steps: vec![
            step(
                "Greet",
                "site.yml:4:7",
                vec![
                    entry("a", End::Changed, vec![motd(), own("a")]),
                    entry("b", End::Changed, vec![motd(), own("b")]),
                ],
            ),
            step(
                "Hush",
                "site.yml:9:7",
                vec![entry("a", End::Changed, vec![planned(None)])],
            ),
            step(
                "Ask",
                "site.yml:12:7",
                vec![
                    entry(
                        "a",
                        End::Undecided {
                            because: because.clone(),
                            hint: None,
                            known: known(),
                        },
                        vec![],
                    ),
                    entry(
                        "b",
                        End::Undecided {
                            because,
                            hint: None,
                            known: known(),
                        },
                        vec![],
                    ),
                ],
            ),
            step(
                "Fail",
                "site.yml:15:7",
                vec![entry(
                    "b",
                    End::Failed {
                        msg: "no <luck>".into(),
                        ignored: false,
                    },
                    vec![],
                )],
            ),
        ],
        recap: vec![recap("a", 0), recap("b", 1)],
        seconds: 1.0,
    }
}

#[test]
fn what_hosts_share_is_shown_once() {
    insta::assert_snapshot!(as_text(&plan(), &Look::plain()), @r"

    PLAY [Web] ********************************************************************

    TASK [Greet] ******************************************************************
    at site.yml:4:7
    --- /etc/motd (absent)
    +++ /etc/motd (file, mode 0644)
    @@ -0,0 +1 @@
    +<hello & bye>
    would change: [a, b]
    --- /etc/name (absent)
    +++ /etc/name (file, mode 0644)
    @@ -0,0 +1 @@
    +a
    would change: [a]
    --- /etc/name (absent)
    +++ /etc/name (file, mode 0644)
    @@ -0,0 +1 @@
    +b
    would change: [b]

    TASK [Hush] *******************************************************************
    at site.yml:9:7
    @@ [hidden by no_log] @@
    would change: [a]

    TASK [Ask] ********************************************************************
    at site.yml:12:7
    not decided: [a, b]: depends on `command` at site.yml:12
        content:
            who = ⟨unknown⟩
            where = a

    TASK [Fail] *******************************************************************
    at site.yml:15:7
    failed: [b]: no <luck>

    PLAN **************************************************************************
    a                         : ok=2   changed=2   unreachable=0   failed=0   skipped=0   rescued=0   ignored=0
    b                         : ok=2   changed=2   unreachable=0   failed=1   skipped=0   rescued=0   ignored=0

    took 1.00 s

    plan: 5 changes on 2 hosts, 2 not decided, failed on b
    ");
}

#[test]
fn a_plan_without_changes_says_so() {
    let empty = Plan {
        steps: vec![],
        recap: vec![],
        ..plan()
    };
    assert!(as_text(&empty, &Look::plain()).ends_with("plan: no changes\n"));
    assert!(as_html(&empty).contains("Nothing to do."));
}

/// The names of the elements of a page that are open at its end, and its texts: a strict reader,
/// since every element of the page is closed where it has to be.
fn elements(page: &str) -> Vec<String> {
    const VOID: [&str; 2] = ["meta", "input"];
    let mut open: Vec<String> = vec![];
    let mut all = vec![];
    let mut rest = page.strip_prefix("<!doctype html>").unwrap();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "closed in the wrong order"
            );
            continue;
        }
        let name = tag.split([' ', '\n']).next().unwrap();
        assert_eq!(
            tag.matches('"').count() % 2,
            0,
            "an attribute is not closed: {tag}"
        );
        all.push(tag.to_owned());
        if name == "style" || name == "script" {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
        } else if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new(), "not closed");
    all
}

#[test]
fn the_page_is_whole_and_loads_nothing() {
    let page = as_html(&plan());
    let tags = elements(&page);
    let count = |start: &str| tags.iter().filter(|tag| tag.starts_with(start)).count();
    assert_eq!(count("section"), 4);
    assert_eq!(count("details class=\"host\""), 2);
    // The shared change once, one of each host, the hidden one, the undecided, the failure.
    assert_eq!(count("details open class=\"entry"), 6);
    for tag in &tags {
        assert!(!tag.contains("src=") && !tag.starts_with("link"), "{tag}");
        assert!(!tag.contains("href=") || tag.contains("href=\"#"), "{tag}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("url("));
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn texts_of_a_plan_stay_texts_in_the_page() {
    let page = as_html(&plan());
    assert!(page.contains("+&lt;hello &amp; bye&gt;"));
    assert!(page.contains("no &lt;luck&gt;"));
    assert!(!page.contains("<hello"));
    let odd = Plan {
        steps: vec![step(
            "\"><script>x</script>",
            "a",
            plan().steps[0].entries.clone(),
        )],
        ..plan()
    };
    elements(&as_html(&odd));
}
