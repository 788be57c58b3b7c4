//! Every text gives plays or errors, and every error has a place that can be drawn.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::Path;

use memory::loader;
use proptest::prelude::*;
use rplay_diag::{Style, render};

const PLAYBOOK: &str = r#"- name: Web
  hosts: [web, "!old"]
  become: yes
  gather_facts: no
  serial: ["1", 30%]
  vars: &v {a: 1, b: "{{ a }}"}
  vars_files: [one.yml, [two.yml, three.yml]]
  pre_tasks:
    - debug: msg="{{ a }} b" var=x
  roles:
    - web
    - {role: web, x: 1, tags: t}
  tasks:
    - name: Block
      block:
        - command: ls chdir=/tmp
          register: out
          until: out.rc == 0
          retries: 3
        - import_tasks: more.yml
      rescue:
        - local_action: copy src=a dest=b
      always:
        - include_role: {name: web, apply: {tags: t}}
      when: a is defined
    - copy: {src: a, dest: /b, mode: 0644}
      loop: "{{ xs }}"
      loop_control: {label: x}
      notify: [Restart]
  handlers:
    - name: Restart
      service: name=x state=restarted
      listen: all
- import_playbook: other.yml
"#;

fn survives(text: &str) {
    let files = [
        ("site.yml", text),
        ("more.yml", text),
        ("other.yml", text),
        ("roles/web/tasks/main.yml", "- debug:\n"),
        ("roles/web/meta/main.yml", text),
        ("roles/web/defaults/main.yml", text),
    ];
    let found = match loader(&files).playbook(Path::new("site.yml")) {
        Ok((_, warnings)) => warnings,
        Err(errors) => {
            assert!(!errors.is_empty(), "an error must say something");
            errors
        }
    };
    for diagnostic in &found {
        assert!(diagnostic.span().is_some(), "no place: {diagnostic}");
        render(diagnostic, Style::Plain);
    }
}

/// The keys of a playbook in any order, with values that do not belong to them.
fn entry() -> impl Strategy<Value = String> {
    let keys = [
        "hosts",
        "tasks",
        "roles",
        "block",
        "rescue",
        "when",
        "loop",
        "with_items",
        "vars",
        "tags",
        "copy",
        "command",
        "include_role",
        "import_role",
        "import_tasks",
        "import_playbook",
        "action",
        "local_action",
        "args",
        "name",
        "role",
        "register",
        "serial",
        "environment",
        "apply",
        "notify",
        "vars_prompt",
        "loop_control",
        "handlers",
        "module_defaults",
        "dependencies",
        "x",
    ];
    let values = [
        "x",
        "1",
        "yes",
        "",
        "[]",
        "{}",
        "[a, {b: c}]",
        "{a: b}",
        "\"{{ x }}\"",
        "a=b c='d e'",
        "a='b",
        "more.yml",
        "web",
        "{name: web}",
        "[{debug: }]",
        "{module: copy}",
        "!unsafe x",
        "!vault x",
        "1.5",
        "[[[]]]",
        "\"{{ x\"",
        "é=ü",
        "[web, web]",
        "{role: web}",
        "|\n      a\n",
    ];
    (
        prop::sample::select(keys.to_vec()),
        prop::sample::select(values.to_vec()),
    )
        .prop_map(|(key, value)| format!("{key}: {value}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    })]

    #[test]
    fn a_playbook_with_a_piece_cut_out(from in 0..PLAYBOOK.len(), len in 0_usize..40) {
        let to = (from + len).min(PLAYBOOK.len());
        survives(&format!("{}{}", &PLAYBOOK[..from], &PLAYBOOK[to..]));
    }

    #[test]
    fn a_playbook_with_lines_moved(from in 0_usize..40, to in 0_usize..40, indent in 0_usize..6) {
        let mut lines: Vec<String> = PLAYBOOK.lines().map(str::to_owned).collect();
        let line = lines.remove(from % lines.len());
        let at = to % lines.len();
        lines.insert(at, format!("{}{}", " ".repeat(indent), line.trim_start()));
        survives(&lines.join("\n"));
    }

    #[test]
    fn mappings_of_odd_keys(entries in prop::collection::vec(prop::collection::vec(entry(), 1..5), 1..4)) {
        let plays = entries.iter().map(|keys| format!("- {}", keys.join("  ")));
        survives(&plays.collect::<String>());
        let tasks = entries.iter().map(|keys| format!("    - {}", keys.join("      ")));
        survives(&format!("- hosts: all\n  tasks:\n{}", tasks.collect::<String>()));
    }
}
