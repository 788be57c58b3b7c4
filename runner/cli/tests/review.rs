//! Plan, review, apply: the real binary, in a folder that is thrown away; the host is this machine,
//! and all that is changed is in that folder.

// What fails while a room is made is the test's failure.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SITE: &str = r#"
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - name: Greet
      copy: {dest: "{{ playbook_dir }}/root/motd", content: "{{ words | default('hello') }}\n", mode: "0644"}
    - name: Keep
      copy: {dest: "{{ playbook_dir }}/root/kept", content: "kept\n", mode: "0600"}
"#;

/// A folder with a playbook, and where its changes go.
struct Room(TempDir);

impl Room {
    fn new(site: &str) -> Self {
        let room = Self(tempfile::tempdir().unwrap());
        fs::create_dir(room.path("root")).unwrap();
        room.write("site.yml", site);
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, line: &str) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_rplay"))
            .args(line.split(' '))
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("RPLAY_PLAN_KEY_FILE", self.path("plan.key"))
            .env_remove("ANSIBLE_CONFIG")
            .output()
            .unwrap();
        Ran(output, self.0.path().display().to_string())
    }

    /// Runs at a terminal, with an answer typed there.
    fn at_a_terminal(&self, line: &str, answer: &str) -> Ran {
        let program = env!("CARGO_BIN_EXE_rplay");
        let mut child = Command::new("script")
            .args(["-qec", &format!("{program} {line}"), "/dev/null"])
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("RPLAY_PLAN_KEY_FILE", self.path("plan.key"))
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut typed = child.stdin.take().unwrap();
        typed.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(typed);
        Ran(output, self.0.path().display().to_string())
    }

    /// Makes a plan of the playbook.
    fn plan(&self, more: &str) -> Ran {
        let line = format!("plan site.yml -i one, -c local -o p.rplan {more}");
        self.run(line.trim_end())
    }
}

struct Ran(Output, String);

impl Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        let got = self.0.status.code();
        assert_eq!(got, Some(code), "{}\n{}", self.out(), self.err());
        self
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).replace(&self.1, "ROOM")
    }

    fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).replace(&self.1, "ROOM")
    }

    fn json(&self) -> Value {
        let text = self.out();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }
}

#[test]
fn a_plan_is_applied_and_a_second_one_is_empty() {
    let room = Room::new(SITE);
    let planned = room.plan("").ends(0);
    assert!(
        planned.out().ends_with("plan: 2 changes on 1 host\n"),
        "{}",
        planned.out()
    );
    assert!(!room.path("root/motd").exists(), "a plan changes nothing");
    room.run("apply p.rplan").ends(0);
    assert_eq!(room.read("root/motd"), "hello\n");
    let second = room.plan("--detailed-exitcode").ends(0);
    assert!(
        second.out().ends_with("plan: no changes\n"),
        "{}",
        second.out()
    );
    let nothing = room.run("apply p.rplan").ends(0);
    assert_eq!(nothing.err(), "the plan has nothing to do\n");
}

#[test]
fn a_file_changed_by_hand_since_is_named_and_nothing_is_touched() {
    let room = Room::new(SITE);
    room.write("root/kept", "old\n");
    room.plan("--detailed-exitcode").ends(2);
    room.write("root/kept", "by hand\n");
    let refused = room.run("apply p.rplan").ends(6);
    insta::assert_snapshot!(refused.err(), @"
    one: ROOM/root/kept drifted: another content (site.yml:8:7)
    error: the plan does not fit any more: nothing was changed
     |
     = help: `rplay plan` tells how it is now
    ");
    assert!(!room.path("root/motd").exists(), "nothing may be touched");
    assert_eq!(room.read("root/kept"), "by hand\n");

    let told = room.run("apply p.rplan --json").ends(6).json();
    assert_eq!(told["event"], "plan_misfit");
    assert_eq!(told["differences"][0]["kind"], "drifted");

    // What is as planned already is told as well.
    room.plan("").ends(0);
    room.write("root/motd", "hello\n");
    let refused = room.run("apply p.rplan").ends(6);
    assert!(
        refused.err().contains("ROOM/root/motd settled"),
        "{}",
        refused.err()
    );
}

#[test]
fn a_folder_to_be_removed_that_got_another_file_is_named() {
    let site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: \"{{ playbook_dir }}/root/old\", state: absent}\n";
    let room = Room::new(site);
    fs::create_dir_all(room.path("root/old/in")).unwrap();
    room.write("root/old/in/one", "1");
    room.plan("").ends(0);
    room.write("root/old/in/two", "2");
    let refused = room.run("apply p.rplan").ends(6);
    assert!(refused.err().contains("ROOM/root/old drifted"));
    assert!(room.path("root/old/in/two").exists());
    room.plan("").ends(0);
    room.run("apply p.rplan").ends(0);
    assert!(!room.path("root/old").exists());
}

#[test]
fn a_host_where_the_plan_fails_now_is_named() {
    let room = Room::new(SITE);
    room.plan("").ends(0);
    fs::create_dir_all(room.path("root/kept/in")).unwrap();
    let refused = room.run("apply p.rplan").ends(2);
    assert!(
        refused.err().starts_with("one: `Keep` fails: "),
        "{}",
        refused.err()
    );
    assert!(
        refused.err().contains("nothing was changed"),
        "{}",
        refused.err()
    );
    assert!(!room.path("root/motd").exists());
}

#[test]
fn a_playbook_that_was_changed_since_is_not_what_was_reviewed() {
    let room = Room::new(SITE);
    room.plan("").ends(0);
    room.write("site.yml", &SITE.replace("hello", "goodbye"));
    let refused = room.run("apply p.rplan").ends(6);
    assert!(
        refused.err().contains("ROOM/root/motd otherwise"),
        "{}",
        refused.err()
    );
    assert!(!room.path("root/motd").exists());
}

#[test]
fn another_command_does_not_pass_for_the_one_that_was_reviewed() {
    let site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Ask\n      command: touch root/a\n      args: {chdir: \"{{ playbook_dir }}\"}\n";
    let room = Room::new(site);
    let planned = room.plan("").ends(0);
    assert!(
        planned.out().contains("not decided: [one]"),
        "{}",
        planned.out()
    );
    room.write("site.yml", &site.replace("root/a", "root/b"));
    let refused = room.run("apply p.rplan").ends(6);
    assert!(
        refused.err().contains("the task `Ask` undecided"),
        "{}",
        refused.err()
    );
    room.write("site.yml", site);
    room.run("apply p.rplan").ends(0);
    assert!(room.path("root/a").exists() && !room.path("root/b").exists());
}

#[test]
fn what_is_made_anew_each_time_is_no_drift() {
    let site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Key\n      copy: {dest: \"{{ playbook_dir }}/root/key\", content: \"{{ 999999999 | random }}{{ 999999999 | random }}\"}\n    - copy: {dest: \"{{ playbook_dir }}/root/f\", content: x}\n";
    let room = Room::new(site);
    room.plan("").ends(0);
    room.run("apply p.rplan").ends(0);
    assert!(room.path("root/key").exists());
    room.plan("").ends(0);
    room.write("root/f", "by hand");
    let refused = room.run("apply p.rplan").ends(6);
    assert!(
        refused.err().contains("ROOM/root/f new"),
        "{}",
        refused.err()
    );
    assert!(!refused.err().contains("root/key"), "{}", refused.err());
}

#[test]
fn no_secret_is_in_a_plan() {
    let site = r#"
- hosts: all
  gather_facts: false
  tasks:
    - name: Hidden
      copy: {dest: "{{ playbook_dir }}/root/hidden", content: "{{ word }}"}
      no_log: true
    - name: Vaulted
      copy: {dest: "{{ playbook_dir }}/root/vaulted", content: "pw={{ vaulted }}"}
"#;
    let room = Room::new(site);
    room.write("pw", "vault-password");
    room.write("plain.yml", "vaulted: from-the-vault\n");
    fs::create_dir(room.path("group_vars")).unwrap();
    room.run("vault encrypt --vault-password-file pw --output group_vars/all.yml plain.yml")
        .ends(0);
    room.plan("-e word=hunter22 --vault-password-file pw")
        .ends(0);
    // SHA-256 of what the two files hold.
    let digests = [
        "20d2fe5e369db54ec7090639a9dc30ec4d608604936239d39e2de07fda09eb0b",
        "aa59f29ca8976a5de0c5fc0c42db1db7bdbaf62797c5758d75cde5d5b5fd1a2b",
    ];
    for show in ["show p.rplan", "show p.rplan --json", "show p.rplan --html"] {
        let shown = room.run(show).ends(0).out();
        for secret in ["hunter22", "from-the-vault", digests[0], digests[1]] {
            assert!(!shown.contains(secret), "{show}: {shown}");
            assert!(!room.read("p.rplan").contains(secret));
        }
    }
    let refused = room.run("apply p.rplan").ends(4);
    insta::assert_snapshot!(refused.err(), @"
    error: the plan was made with the vault password of `default`, which is not given
     |
     = help: give it with --vault-password-file, --vault-id or --ask-vault-pass
    ");
    assert!(!room.path("plan.key").exists());
    room.run("apply p.rplan --vault-password-file pw").ends(0);
    assert_eq!(room.read("root/hidden"), "hunter22");
    assert_eq!(room.read("root/vaulted"), "pw=from-the-vault");
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let room = Room::new(SITE);
    room.plan("").ends(0);
    let text = room.read("p.rplan");
    room.write("p.rplan", &text.replace("+hello", "+hullo"));
    let refused = room.run("apply p.rplan").ends(4);
    insta::assert_snapshot!(refused.err(), @"
    error: the plan `p.rplan` was changed since it was made, or is cut off
     |
     = help: make it anew with `rplay plan`
    ");
    room.run("show p.rplan").ends(4);
    room.write("p.rplan", &text);
    fs::remove_file(room.path("plan.key")).unwrap();
    let refused = room.run("apply p.rplan").ends(4);
    assert!(
        refused
            .err()
            .contains("made with another key than `ROOM/plan.key`")
    );
}

#[test]
fn a_plan_with_failures_is_saved_to_be_looked_at() {
    let room =
        Room::new("- hosts: all\n  gather_facts: false\n  tasks:\n    - fail: {msg: no luck}\n");
    let planned = room.plan("").ends(2);
    assert!(
        planned.out().contains("failed: [one]: no luck"),
        "{}",
        planned.out()
    );
    let refused = room.run("apply p.rplan").ends(6);
    insta::assert_snapshot!(refused.err(), @"error: the plan is not whole, for it failed on one; --limit leaves hosts out");
    room.plan("--detailed-exitcode").ends(1);
}

#[test]
fn drift_is_an_exit_code_and_json() {
    let room = Room::new(SITE);
    let line = "drift site.yml -i one, -c local";
    room.run(line).ends(2);
    room.run("site.yml -i one, -c local --detailed-exitcode")
        .ends(2);
    room.run("site.yml -i one, -c local --detailed-exitcode")
        .ends(0);
    room.run(line).ends(0);
    room.write("root/motd", "by hand\n");
    let told = room.run(&format!("{line} --json")).ends(2).json();
    assert_eq!(told["version"], 1);
    assert_eq!(
        (&told["drifted"], &told["changes"]),
        (&true.into(), &1.into())
    );
    assert_eq!(told["drift"][0]["host"], "one");
    assert_eq!(
        told["drift"][0]["change"]["diff"]["text"],
        "@@ -1 +1 @@\n-by hand\n+hello\n"
    );
    assert!(!room.path("plan.key").exists(), "drift keeps no key");
}

#[test]
fn asking_wants_a_terminal_and_changes_nothing_without() {
    let room = Room::new(SITE);
    let asked = room.run("site.yml -i one, -c local --ask").ends(1);
    assert!(
        asked.out().contains("plan: 2 changes on 1 host"),
        "{}",
        asked.out()
    );
    assert!(
        asked.err().contains("--ask needs a terminal"),
        "{}",
        asked.err()
    );
    assert!(!room.path("root/motd").exists());
}

#[test]
fn only_yes_is_taken_for_yes() {
    let room = Room::new(SITE);
    let asked = room.at_a_terminal("site.yml -i one, -c local --ask", "y\n");
    assert_eq!(asked.0.status.code(), Some(1), "{}", asked.out());
    assert!(
        asked.out().contains("nothing was changed"),
        "{}",
        asked.out()
    );
    assert!(!room.path("root/motd").exists());

    let line = "site.yml -i one, -c local --ask --detailed-exitcode";
    let asked = room.at_a_terminal(line, "yes\n");
    assert_eq!(asked.0.status.code(), Some(2), "{}", asked.out());
    assert_eq!(room.read("root/motd"), "hello\n");

    let asked = room.at_a_terminal(line, "");
    assert_eq!(asked.0.status.code(), Some(0), "{}", asked.out());
    assert!(asked.out().contains("plan: no changes"), "{}", asked.out());
    assert!(
        !room.path("plan.key").exists(),
        "a plan that is not saved needs no key"
    );
}

#[test]
fn the_folder_of_a_plan_is_told_where_its_playbook_is_not() {
    let room = Room::new(SITE);
    room.plan("").ends(0);
    fs::create_dir(room.path("elsewhere")).unwrap();
    fs::rename(room.path("site.yml"), room.path("elsewhere/site.yml")).unwrap();
    let refused = room.run("apply p.rplan").ends(4);
    insta::assert_snapshot!(refused.err(), @"
    error: the playbook `site.yml` is not there
     |
     = help: the plan was made in ROOM
    ");
}
