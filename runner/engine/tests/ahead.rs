//! What is sent before its turn, on hosts behind a line of a second each way. The clock is tokio's
//! own, which stands still while there is work to do: a second is a second on any machine.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rplay_engine::{Answer, Broken, Catalog, Operator, Options, Run, Setup, Summary};
use rplay_event::{Event, Sink};
use rplay_inventory::Inventory;
use rplay_playbook::{Disk, Loader};
use rplay_template::vault::VaultKeys;
use rplay_template::{Redactor, Templar};
use rplay_transport::{Connector, Image, NoSecrets, Simulation};
use rplay_vars::{Mappings, Store};
use rplay_wire::{End, Report, Run as Request};
use serde_json::{Value as Json, json};

/// What came of a run.
struct Told {
    /// Round trips, the connection not counted.
    trips: u64,
    /// What the hosts were asked, in that order: the module, and its `dest`, `path` or words.
    asked: Vec<String>,
    /// Task and host and status, in the order that it was shown.
    shown: Vec<String>,
    summary: Summary,
}

const SECOND: Duration = Duration::from_secs(1);

/// Runs the tasks on so many hosts. A request whose words have `fail` in them fails.
async fn run(hosts: u8, tasks: &str) -> Told {
    run_play(
        hosts,
        &format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"),
    )
    .await
}

async fn run_play(hosts: u8, playbook: &str) -> Told {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("play.yml");
    std::fs::write(&path, playbook).unwrap();
    let (plays, _) = loader().playbook(&path).unwrap();
    let asked = Arc::new(Mutex::new(vec![]));
    let shown = Arc::new(Mutex::new(vec![]));
    let run = Run::new(setup(hosts, asked.clone(), shown.clone()));
    let begun = tokio::time::Instant::now();
    let summary = run.execute(vec![("play.yml".to_owned(), plays)]).await;
    let trips = begun.elapsed().as_secs();
    let asked = asked.lock().unwrap().clone();
    let shown = shown.lock().unwrap().clone();
    Told {
        trips,
        asked,
        shown,
        summary,
    }
}

fn loader() -> Loader {
    let early = |node: &rplay_yaml::Node, _: &rplay_yaml::Map| {
        Ok(node.as_str().unwrap_or_default().to_owned())
    };
    Loader::new(
        Arc::new(Disk),
        Arc::new(Catalog::default()),
        vec![],
        Box::new(early),
    )
}

fn setup(hosts: u8, asked: Arc<Mutex<Vec<String>>>, shown: Arc<Mutex<Vec<String>>>) -> Setup {
    let mut inventory = Inventory::default();
    inventory.group_mut("all");
    for number in 1..=hosts {
        inventory.host_mut(&format!("node{number}"), "all");
    }
    let inventory = Arc::new(inventory);
    let templar = Templar::new(Redactor::default(), VaultKeys::default(), false);
    let store = Store::new(inventory, templar.clone(), vec![], Mappings::default());
    let simulation = Simulation {
        connect: Duration::ZERO,
        round_trip: SECOND,
        answer: Arc::new(move |request| answer(request, &asked)),
    };
    let image = Image {
        gzip: &[],
        sha256: "",
        arch: "",
    };
    Setup {
        options: options(),
        store: Arc::new(store),
        loader: Arc::new(loader()),
        templar,
        connector: Connector::new(image, Arc::new(NoSecrets)).simulating(simulation),
        limit: None,
        operator: Arc::new(Nobody),
        sink: Arc::new(Shown(shown)),
        reload: Box::new(|| Err(vec![])),
    }
}

fn answer(request: &Request, asked: &Mutex<Vec<String>>) -> Report {
    let args: Json = serde_json::from_str(&request.args).unwrap();
    let words = ["dest", "path", "cmd"]
        .iter()
        .find_map(|key| args.get(key)?.as_str())
        .unwrap_or_default();
    asked
        .lock()
        .unwrap()
        .push(format!("{} {words}", request.module));
    let data = json!({ "stdout": format!("said {words}") }).to_string();
    let end = match words.contains("fail") {
        true => End::Failed {
            msg: "it failed".to_owned(),
            arg: None,
            help: vec![],
            data,
        },
        false => End::Ok {
            changed: true,
            data,
            unknown: vec![],
        },
    };
    Report::of(end)
}

struct Shown(Arc<Mutex<Vec<String>>>);

impl Sink for Shown {
    fn emit(&self, event: &Event) {
        let line = match event {
            Event::TaskStarted { name, .. } => format!("TASK {name}"),
            Event::HostEnded(ended) => format!("{}: {}", ended.host, word(&ended.status)),
            Event::ItemEnded(ended) => {
                format!(
                    "{} {}: {}",
                    ended.host,
                    ended.item.as_deref().unwrap_or_default(),
                    word(&ended.status)
                )
            }
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A status without its words.
fn word(status: &rplay_event::Status) -> String {
    let whole = format!("{status:?}");
    whole.split(' ').next().unwrap_or_default().to_owned()
}

struct Nobody;

impl Operator for Nobody {
    fn step(&self, _: &str) -> Answer {
        Answer::Yes
    }

    fn value(&self, _: &str, _: bool) -> Option<String> {
        None
    }

    fn tell(&self, _: &str) {}
}

fn options() -> Options {
    Options {
        forks: 10,
        ..Options::default()
    }
}

const FOUR_FILES: &str = r#"
    - file: { path: /a, state: touch }
    - copy: { dest: /b, content: "b" }
    - file: { path: /c, state: touch }
    - copy: { dest: /d, content: "d" }
"#;

#[tokio::test(start_paused = true)]
async fn tasks_that_do_not_need_each_other_take_one_round_trip() {
    for hosts in [1, 3] {
        let told = run(hosts, FOUR_FILES).await;
        assert_eq!(told.trips, 1, "{hosts} hosts: {:?}", told.shown);
        assert_eq!(told.asked.len(), 4 * usize::from(hosts));
        assert_eq!(told.summary.recap[0].ok, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_is_in_order() {
    let told = run(1, FOUR_FILES).await;
    assert_eq!(
        told.shown,
        [
            "TASK file",
            "node1: Changed",
            "TASK copy",
            "node1: Changed",
            "TASK file",
            "node1: Changed",
            "TASK copy",
            "node1: Changed"
        ]
    );
    assert_eq!(told.asked, ["file /a", "copy /b", "file /c", "copy /d"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_uses_a_result_waits_for_it() {
    let told = run(
        1,
        r#"
    - command: one
      register: one
    - file: { path: /a, state: touch }
    - copy: { dest: "/{{ one.stdout }}", content: "x" }
    - file: { path: /b, state: touch }
      when: one is changed
"#,
    )
    .await;
    assert_eq!(
        told.asked,
        ["command one", "file /a", "copy /said one", "file /b"]
    );
    assert_eq!(told.trips, 2);
}

#[tokio::test(start_paused = true)]
async fn a_result_is_found_through_variables_and_through_hostvars() {
    for way in [
        "'{{ hostvars.node1.one.stdout }}'",
        "'{{ through }}'",
        "'{{ vars.one.stdout }}'",
        "'{{ lookup(\"vars\", \"one\").stdout }}'",
    ] {
        let told = run(
            1,
            &format!(
                r#"
    - command: one
      register: one
    - file: {{ path: {way}, state: touch }}
      vars: {{ through: "{{{{ one.stdout }}}}" }}
"#
            ),
        )
        .await;
        assert_eq!(told.asked, ["command one", "file said one"], "{way}");
        assert_eq!(told.trips, 2, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_behind_a_failure() {
    let told = run(
        1,
        r#"
    - file: { path: /a, state: touch }
    - file: { path: /fail, state: touch }
    - file: { path: /c, state: touch }
    - file: { path: /d, state: touch }
      when: false
"#,
    )
    .await;
    assert_eq!(told.asked, ["file /a", "file /fail"]);
    assert_eq!(
        told.shown,
        ["TASK file", "node1: Changed", "TASK file", "node1: Failed"]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_behind_a_notified_handler_that_is_not_there() {
    let told = run(
        2,
        r#"
    - block:
        - file: { path: /a, state: touch }
          notify: nobody
        - file: { path: /b, state: touch }
      rescue:
        - file: { path: /rescue, state: touch }
      always:
        - file: { path: /always, state: touch }
    - file: { path: /c, state: touch }
"#,
    )
    .await;
    assert_eq!(told.asked, ["file /a", "file /a"]);
    assert_eq!(
        told.shown,
        ["TASK file", "node1: Changed", "node2: Changed"]
    );
    assert_eq!(told.summary.broken, Some(Broken::Halted));
    assert!(!told.summary.failed);
}

#[tokio::test(start_paused = true)]
async fn a_notified_handler_that_is_there_holds_nothing_back() {
    let told = run_play(
        1,
        r#"
- hosts: all
  gather_facts: false
  tasks:
    - file: { path: /a, state: touch }
      notify: one
    - file: { path: /b, state: touch }
  handlers:
    - name: one
      file: { path: /handler, state: touch }
"#,
    )
    .await;
    assert_eq!(told.asked, ["file /a", "file /b", "file /handler"]);
    assert_eq!(told.trips, 2);
}

#[tokio::test(start_paused = true)]
async fn an_included_file_that_is_wrong_ends_the_run_and_one_that_is_not_there_fails_the_host() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("wrong.yml");
    std::fs::write(&wrong, "- fiel: { path: /x, state: touch }\n").unwrap();
    let broken = |file: &std::path::Path| {
        format!(
            r#"
    - block:
        - include_tasks: "{}"
      rescue:
        - file: {{ path: /rescue, state: touch }}
"#,
            file.display()
        )
    };
    let told = run(1, &broken(&wrong)).await;
    assert!(told.asked.is_empty());
    assert_eq!(told.summary.broken, Some(Broken::Unreadable));
    let told = run(1, &broken(&dir.path().join("nothing.yml"))).await;
    assert_eq!(told.asked, ["file /rescue"]);
    assert_eq!(told.summary.broken, None);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_ignored_is_gone_on_from() {
    let told = run(
        1,
        r#"
    - file: { path: /fail, state: touch }
      ignore_errors: true
    - file: { path: /b, state: touch }
      when: false
    - file: { path: /c, state: touch }
"#,
    )
    .await;
    assert_eq!(told.asked, ["file /fail", "file /c"]);
    assert_eq!(
        told.shown[3..],
        ["node1: Skipped", "TASK file", "node1: Changed"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_rescue_runs_and_not_what_was_behind_the_failure() {
    let told = run(
        2,
        r#"
    - block:
        - file: { path: /fail, state: touch }
        - file: { path: /b, state: touch }
      rescue:
        - file: { path: /rescue, state: touch }
    - file: { path: /c, state: touch }
"#,
    )
    .await;
    let mut asked = told.asked;
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["file /c", "file /fail", "file /rescue"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_failure_is_judged_here_holds_the_next_back() {
    let told = run(
        1,
        r#"
    - command: one
      failed_when: true
    - file: { path: /b, state: touch }
"#,
    )
    .await;
    assert_eq!(told.asked, ["command one"]);
}

#[tokio::test(start_paused = true)]
async fn hosts_in_step_wait_for_each_other_where_one_may_see_what_another_did() {
    let tasks = "    - command: one\n    - command: two\n    - command: three\n";
    assert_eq!(run(1, tasks).await.trips, 1);
    let told = run(2, tasks).await;
    assert_eq!(told.trips, 3);
    let free = format!("- hosts: all\n  gather_facts: false\n  strategy: free\n  tasks:\n{tasks}");
    assert_eq!(run_play(2, &free).await.trips, 1);
}

#[tokio::test(start_paused = true)]
async fn hosts_whose_failures_are_shared_wait_for_each_other() {
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  any_errors_fatal: true\n  tasks:{FOUR_FILES}"
    );
    assert_eq!(run_play(1, &play).await.trips, 1);
    assert_eq!(run_play(2, &play).await.trips, 4);
}

#[tokio::test(start_paused = true)]
async fn a_loop_takes_one_round_trip() {
    let told = run(
        1,
        r#"
    - command: "item {{ item }}"
      loop: "{{ range(300) }}"
      when: item != 2
      register: all
    - assert:
        that:
          - all.results | length == 300
          - all.results[7].stdout == 'said item 7'
          - all.results[2] is skipped
"#,
    )
    .await;
    assert_eq!(told.trips, 1);
    assert_eq!(told.asked.len(), 299);
    assert_eq!(told.asked[2], "command item 3");
    assert!(!told.summary.failed);
}

#[tokio::test(start_paused = true)]
async fn the_items_behind_a_failed_one_run() {
    let told = run(
        1,
        "    - command: \"{{ item }}\"\n      loop: [one, fail, three]\n",
    )
    .await;
    assert_eq!(told.asked, ["command one", "command fail", "command three"]);
    assert_eq!(told.trips, 1);
    assert!(told.summary.failed);
    assert_eq!(
        told.shown[1..4],
        [
            "node1 one: Changed",
            "node1 fail: Failed",
            "node1 three: Changed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_on_the_controller_is_run_once_and_in_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log").display().to_string();
    let told = run(
        1,
        &format!(
            r#"
    - command: "{{{{ lookup('pipe', 'echo x >> {log}; wc -l < {log}') }}}}"
      loop: [1, 2, 3]
    - command: four
    - command: "{{{{ lookup('pipe', 'echo x >> {log}; wc -l < {log}') }}}}"
"#
        ),
    )
    .await;
    let asked = ["1", "2", "3", "four", "4"].map(|words| format!("command {words}"));
    assert_eq!(told.asked, asked);
    assert_eq!(told.trips, 5);
}

#[tokio::test(start_paused = true)]
async fn items_that_are_tried_again_or_may_be_left_out_wait_for_each_other() {
    for keyword in [
        "until: true",
        "loop_control: { break_when: false }",
        "timeout: 100",
        "async: 0",
    ] {
        let told = run(
            1,
            &format!("    - command: \"{{{{ item }}}}\"\n      loop: [1, 2, 3]\n      {keyword}\n"),
        )
        .await;
        assert_eq!(told.trips, 3, "{keyword}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_wrong_fails_and_the_others_run() {
    let told = run(
        1,
        "    - command: \"{{ item.x }}\"\n      loop: [{x: one}, {y: 1}, {x: three}]\n",
    )
    .await;
    assert_eq!(told.asked, ["command one", "command three"]);
    assert!(told.summary.failed);
}
