use std::sync::Arc;

use rplay_event::{Ended, Recap, Status};
use rplay_wire::{Change, Diff, State as Properties, Target};
use serde_json::{Value, json};

use super::*;

/// Both streams of a screen, as one text.
#[derive(Clone, std::default::Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn drawn(look: &AnsibleLook, events: &[Event]) -> String {
    let paper = Paper::default();
    let sink = Ansible::on(
        look.clone(),
        Box::new(paper.clone()),
        Box::new(paper.clone()),
    );
    events.iter().for_each(|event| sink.emit(event));
    String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
}

fn task(id: u64, name: &str, module: &str) -> Event {
    Event::TaskStarted {
        task: id,
        name: name.into(),
        role: None,
        module: module.into(),
        at: "site.yml:4:7".into(),
        lines: ["  gather_facts: false", "  tasks:", "    - name: it"]
            .map(String::from)
            .into(),
        handler: false,
        check: false,
        visible: true,
    }
}

fn end(task: u64, status: Status, result: Value) -> Ended {
    Ended {
        task,
        host: "h1".into(),
        delegated_to: None,
        item: None,
        status,
        result: result.as_object().unwrap().clone(),
        changes: vec![],
        diagnostic: None,
        quoted: vec![],
        ignored: false,
        took_us: 1,
        prints: None,
    }
}

fn ended(task: u64, status: Status, result: Value) -> Event {
    Event::HostEnded(Box::new(end(task, status, result)))
}

fn failed(msg: &str) -> Status {
    Status::Failed { msg: msg.into() }
}

#[test]
fn a_play_has_banners_results_and_a_recap() {
    let events = [
        Event::PlayStarted {
            name: "all".into(),
            hosts: vec!["h1".into()],
            free: false,
            check: false,
        },
        task(1, "Reach", "ping"),
        ended(
            1,
            Status::Ok,
            json!({"changed": false, "failed": false, "ping": "pong"}),
        ),
        task(2, "Say", "debug"),
        ended(
            2,
            Status::Ok,
            json!({"_rplay_show": true, "changed": false, "failed": false, "msg": "hi"}),
        ),
        task(3, "Break", "command"),
        ended(
            3,
            failed("non-zero return code"),
            json!({"changed": true, "failed": true, "msg": "non-zero return code", "rc": 1}),
        ),
        Event::RunEnded {
            recap: vec![Recap {
                host: "h1".into(),
                ok: 2,
                failed: 1,
                ..Recap::default()
            }],
            seconds: 1.0,
        },
    ];
    insta::assert_snapshot!(drawn(&AnsibleLook::plain(), &events), @r#"

    PLAY [all] *********************************************************************

    TASK [Reach] *******************************************************************
    ok: [h1]

    TASK [Say] *********************************************************************
    ok: [h1] => {
        "msg": "hi"
    }

    TASK [Break] *******************************************************************
    [ERROR]: Task failed: Module failed: non-zero return code
    Origin: site.yml:4:7

    2   gather_facts: false
    3   tasks:
    4     - name: it
            ^ column 7

    fatal: [h1]: FAILED! => {"changed": true, "msg": "non-zero return code", "rc": 1}

    PLAY RECAP *********************************************************************
    h1                         : ok=2    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0
    "#);
}

#[test]
fn a_result_is_told_with_v_and_the_place_with_vv() {
    let look = AnsibleLook {
        verbosity: 2,
        cwd: "/pb".into(),
        ..AnsibleLook::plain()
    };
    let events = [
        task(1, "Reach", "ping"),
        ended(
            1,
            Status::Ok,
            json!({"changed": false, "failed": false, "ping": "pong"}),
        ),
        task(2, "Not now", "ping"),
        ended(
            2,
            Status::Skipped { why: "no".into() },
            json!({"changed": false, "skipped": true, "skip_reason": "no"}),
        ),
    ];
    insta::assert_snapshot!(drawn(&look, &events), @r#"

    TASK [Reach] *******************************************************************
    task path: /pb/site.yml:4
    ok: [h1] => {"changed": false, "ping": "pong"}

    TASK [Not now] *****************************************************************
    task path: /pb/site.yml:4
    skipping: [h1] => {"changed": false, "skip_reason": "no"}
    "#);
}

#[test]
fn a_loops_items_are_told_and_its_end_only_where_all_were_skipped() {
    let item = |status, item: &str| {
        let one = end(
            1,
            status,
            json!({"changed": false, "item": item, "ansible_loop_var": "item"}),
        );
        Event::ItemEnded(Box::new(Ended {
            item: Some(item.into()),
            ..one
        }))
    };
    let skipped = || Status::Skipped { why: "no".into() };
    let whole = json!({"_rplay_items": true, "results": [1, 2]});
    let mixed = [
        task(1, "Each", "command"),
        item(Status::Changed, "a"),
        item(failed("no"), "b"),
        ended(1, failed("one or more items failed"), whole.clone()),
    ];
    insta::assert_snapshot!(drawn(&AnsibleLook::plain(), &mixed), @r#"

    TASK [Each] ********************************************************************
    changed: [h1] => (item=a)
    [ERROR]: Task failed: Module failed: no
    Origin: site.yml:4:7

    2   gather_facts: false
    3   tasks:
    4     - name: it
            ^ column 7

    failed: [h1] (item=b) => {"ansible_loop_var": "item", "changed": false, "item": "b"}
    "#);
    let none = [
        task(1, "Each", "command"),
        item(skipped(), "a"),
        ended(1, skipped(), whole),
    ];
    insta::assert_snapshot!(drawn(&AnsibleLook::plain(), &none), @"

    TASK [Each] ********************************************************************
    skipping: [h1] => (item=a) 
    skipping: [h1]
    ");
}

#[test]
fn what_is_secret_does_not_show() {
    let mut secret = task(1, "Hide", "command");
    if let Event::TaskStarted { visible, .. } = &mut secret {
        *visible = false;
    }
    let change = Change {
        target: Target::File("/etc/key".into()),
        before: None,
        after: Some(Properties::new()),
        diff: Some(Diff::Text("+hidden\n".into())),
    };
    let one = Ended {
        item: Some("hidden".into()),
        changes: vec![change],
        ..end(
            1,
            Status::Changed,
            json!({"stdout": "hidden", "warnings": ["hidden"]}),
        )
    };
    let look = AnsibleLook {
        verbosity: 3,
        diff: true,
        ..AnsibleLook::plain()
    };
    let text = drawn(&look, &[secret, Event::ItemEnded(Box::new(one))]);
    assert!(!text.contains("hidden\""), "{text}");
    assert!(!text.contains("+hidden"), "{text}");
    assert!(text.contains("(item=(censored due to no_log))"), "{text}");
    assert!(
        text.contains("\"censored\": \"the output has been hidden"),
        "{text}"
    );
}

#[test]
fn words_that_are_hidden_are_not_shown_as_hidden() {
    let mut secret = task(1, "Say", "debug");
    if let Event::TaskStarted { visible, .. } = &mut secret {
        *visible = false;
    }
    let said = json!({"_rplay_show": true, "changed": false, "msg": "hidden"});
    let text = drawn(&AnsibleLook::plain(), &[secret, ended(1, Status::Ok, said)]);
    assert!(text.ends_with("\nok: [h1]\n"), "{text}");
}

#[test]
fn a_host_that_no_task_was_for_has_no_row() {
    let rows = ["h1", "h2"].map(|host| Recap {
        host: host.into(),
        ok: u64::from(host == "h1"),
        ..Recap::default()
    });
    let recap = rows.to_vec();
    let text = drawn(
        &AnsibleLook::plain(),
        &[Event::RunEnded {
            recap,
            seconds: 1.0,
        }],
    );
    assert!(text.contains("h1 ") && !text.contains("h2 "), "{text}");
}

#[test]
fn hosts_at_their_own_pace_have_the_banner_above_each_result() {
    let events = [
        Event::PlayStarted {
            name: "all".into(),
            hosts: vec![],
            free: true,
            check: false,
        },
        task(1, "A", "ping"),
        task(2, "A", "ping"),
        ended(1, Status::Ok, json!({})),
        task(3, "B", "ping"),
        ended(3, Status::Ok, json!({})),
        ended(2, Status::Ok, json!({})),
    ];
    let text = drawn(&AnsibleLook::plain(), &events);
    let banners: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("TASK"))
        .map(|l| &l[..8])
        .collect();
    assert_eq!(banners, ["TASK [A]", "TASK [B]", "TASK [A]"]);
}

#[test]
fn skipped_and_unchanged_hosts_can_be_left_out_with_their_banners() {
    let look = AnsibleLook {
        skipped: false,
        ok: false,
        ..AnsibleLook::plain()
    };
    let events = [
        task(1, "A", "ping"),
        ended(1, Status::Ok, json!({})),
        task(2, "B", "command"),
        ended(2, Status::Changed, json!({})),
    ];
    insta::assert_snapshot!(drawn(&look, &events), @"

    TASK [B] ***********************************************************************
    changed: [h1]
    ");
}

#[test]
fn minimal_and_oneline_are_blocks_and_lines() {
    let events = [
        task(1, "p", "ping"),
        ended(1, Status::Ok, json!({"changed": false, "ping": "pong"})),
        task(2, "c", "command"),
        ended(
            2,
            Status::Changed,
            json!({"changed": true, "rc": 0, "stdout": "a\nb", "stderr": ""}),
        ),
        ended(
            1,
            Status::Unreachable { msg: "gone".into() },
            json!({"msg": "gone", "unreachable": true}),
        ),
    ];
    let look = |callback| AnsibleLook {
        callback,
        ..AnsibleLook::plain()
    };
    insta::assert_snapshot!(drawn(&look(Callback::Minimal), &events), @r#"
    h1 | SUCCESS => {
        "changed": false,
        "ping": "pong"
    }
    h1 | CHANGED | rc=0 >>
    a
    b
    [ERROR]: Task failed: gone
    Origin: site.yml:4:7

    2   gather_facts: false
    3   tasks:
    4     - name: it
            ^ column 7

    h1 | UNREACHABLE! => {
        "msg": "gone",
        "unreachable": true
    }
    "#);
    insta::assert_snapshot!(drawn(&look(Callback::Oneline), &events), @r#"
    h1 | SUCCESS => {"changed": false, "ping": "pong"}
    h1 | CHANGED | rc=0 | (stdout) a\nb
    [ERROR]: Task failed: gone
    Origin: site.yml:4:7

    2   gather_facts: false
    3   tasks:
    4     - name: it
            ^ column 7

    h1 | UNREACHABLE!: gone
    "#);
}
