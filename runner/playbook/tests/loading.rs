//! What playbooks become.
#![allow(clippy::unwrap_used)]

mod memory;

use std::path::Path;
use std::sync::Arc;

use memory::{errors, loader, plays};
use rplay_playbook::{
    Block, Context, Disk, Item, Keyword, KnownModules, Loader, Origin, Place, Problems, Role,
    RoleCall, Sources, Task, Unread,
};
use rplay_yaml::{Kind, Node};

#[track_caller]
fn task(item: &Item) -> &Arc<Task> {
    match item {
        Item::Task(task) => task,
        Item::Block(_) => panic!("this is a block"),
    }
}

#[track_caller]
fn block(item: &Item) -> &Arc<Block> {
    match item {
        Item::Block(block) => block,
        Item::Task(task) => panic!("this is the task {}", task.action.name),
    }
}

#[track_caller]
fn role(item: &Item) -> &Arc<Role> {
    match &block(item).origin {
        Origin::Role(role) => role,
        other => panic!("this is {other:?}"),
    }
}

#[track_caller]
fn only_task(text: &str) -> Arc<Task> {
    let text = format!("- hosts: all\n  tasks:\n{text}");
    task(&plays(&[("site.yml", &text)])[0].tasks[0]).clone()
}

fn text(node: Option<&Node>) -> &str {
    node.and_then(Node::as_str).unwrap_or("(nothing)")
}

/// The names of the roles of a list, and of those inside of them, in the order they run.
fn order(items: &[Item]) -> Vec<String> {
    let mut names = vec![];
    for item in items {
        if let Item::Block(block) = item {
            names.extend(order(&block.items));
            if let Origin::Role(role) = &block.origin {
                names.push(role.name.clone());
            }
        }
    }
    names
}

/// The roles of that name, those that others depend on among them.
fn roles_named(items: &[Item], name: &str, found: &mut Vec<Arc<Role>>) {
    for item in items {
        if let Item::Block(block) = item {
            roles_named(&block.items, name, found);
            if let Origin::Role(role) = &block.origin
                && role.name == name
            {
                found.push(role.clone());
            }
        }
    }
}

#[test]
fn names_of_the_builtin_collection_are_short() {
    let task = only_task("    - ansible.builtin.copy:\n        src: a\n");
    assert_eq!(task.action.name, "copy");
    let task = only_task("    - ansible.builtin.systemd_service: {name: x}\n");
    assert_eq!(task.action.name, "systemd");
}

#[test]
fn options_are_taken_out_of_a_command() {
    let task = only_task("    - command: ls -l foo=bar chdir=/tmp creates=\"/a b\"\n");
    assert_eq!(text(task.action.text.as_ref()), "ls -l foo=bar");
    assert_eq!(text(task.action.args.get("chdir")), "/tmp");
    assert_eq!(text(task.action.args.get("creates")), "/a b");
    assert_eq!(
        task.action.text.as_ref().unwrap().locate(3).to_string(),
        "site.yml:3:19"
    );
}

#[test]
fn a_script_keeps_its_lines_and_quotes() {
    let script = "    - shell: |\n        cat <<EOF\n        it's\n        EOF\n      args:\n        chdir: /tmp\n";
    let task = only_task(script);
    assert_eq!(text(task.action.text.as_ref()), "cat <<EOF\nit's\nEOF\n");
    assert_eq!(text(task.action.args.get("chdir")), "/tmp");
}

#[test]
fn an_action_may_be_written_in_four_ways() {
    let ways = [
        "    - copy: src=a dest=b\n",
        "    - copy: {src: a, dest: b}\n",
        "    - action: copy src=a dest=b\n",
        "    - action: {module: copy, src: a, dest: b}\n",
        "    - local_action: copy src=a dest=b\n",
        "    - copy:\n      args: {src: a, dest: b}\n",
    ];
    for way in ways {
        let task = only_task(way);
        assert_eq!(task.action.name, "copy");
        assert_eq!(text(task.action.args.get("src")), "a", "{way}");
        assert_eq!(text(task.action.args.get("dest")), "b", "{way}");
        let delegated = text(task.keywords.get(Keyword::DelegateTo));
        assert_eq!(delegated == "localhost", way.contains("local_action"));
    }
}

#[test]
fn arguments_may_be_one_template() {
    let task = only_task("    - copy: \"{{ arguments }}\"\n");
    assert_eq!(text(task.action.templates.first()), "{{ arguments }}");
}

#[test]
fn what_is_said_by_name_goes_over_templates_and_the_action_s_own_over_args() {
    let task =
        only_task("    - copy: \"{{ more }} src=a {{ 'x=1' }}\"\n      args: \"{{ least }}\"\n");
    let templates: Vec<&str> = task
        .action
        .templates
        .iter()
        .filter_map(Node::as_str)
        .collect();
    assert_eq!(templates, ["{{ least }}", "{{ more }}"]);
    assert_eq!(text(task.action.args.get("src")), "a");
    let task = only_task(
        "    - action:\n        module: copy src=b mode=b {{ more }}\n        args: {src: a}\n        mode: c\n        dest: c\n      args: {dest: d, owner: d}\n",
    );
    let said = |name: &str| text(task.action.args.get(name)).to_owned();
    assert_eq!(
        ["src", "mode", "dest", "owner"].map(said),
        ["a", "b", "c", "d"]
    );
    assert_eq!(task.action.templates.len(), 1);
}

#[test]
fn a_loop_may_have_the_lookup_of_a_collection() {
    let task = only_task("    - command: uptime\n      with_community.general.filetree: [a]\n");
    let lookup = task.looped.as_ref().unwrap().lookup.as_deref();
    assert_eq!(lookup, Some("community.general.filetree"));
}

#[test]
fn loops_keep_their_lookup() {
    let task = only_task("    - debug:\n      with_fileglob: /etc/*\n");
    assert_eq!(
        task.looped.as_ref().unwrap().lookup.as_deref(),
        Some("fileglob")
    );
    let task =
        only_task("    - debug:\n      loop: \"{{ xs }}\"\n      loop_control: {loop_var: x}\n");
    assert_eq!(task.looped.as_ref().unwrap().lookup, None);
    assert!(task.keywords.get(Keyword::LoopControl).is_some());
}

#[test]
fn a_keyword_without_a_value_is_as_good_as_none() {
    let task = only_task("    - debug:\n      when:\n      tags:\n");
    assert!(task.keywords.get(Keyword::When).is_none());
}

#[test]
fn blocks_nest() {
    let text = "- hosts: all\n  tasks:\n    - block:\n        - block:\n            - debug:\n          rescue:\n            - debug:\n      always:\n        - debug:\n      when: x\n";
    let plays = plays(&[("site.yml", text)]);
    let outer = block(&plays[0].tasks[0]);
    assert!(outer.keywords.get(Keyword::When).is_some());
    let inner = block(&outer.items[0]);
    assert_eq!(
        (inner.items.len(), inner.rescue.len(), outer.always.len()),
        (1, 1, 1)
    );
}

#[test]
fn an_import_becomes_a_block_whose_tasks_inherit() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  vars: {os: debian}\n  tasks:\n    - import_tasks: \"tasks/{{ os }}.yml\"\n      tags: [a, b]\n      become: true\n      register: x\n",
        ),
        ("tasks/debian.yml", "- import_tasks: more.yml\n"),
        ("tasks/more.yml", "- debug:\n"),
    ];
    let plays = plays(&files);
    let import = block(&plays[0].tasks[0]);
    assert_eq!(import.keywords.tags(), ["a", "b"]);
    assert!(import.keywords.get(Keyword::Become).is_some());
    // What only a task can have is not inherited.
    assert!(import.keywords.get(Keyword::Register).is_none());
    let nested = block(&import.items[0]);
    assert_eq!(task(&nested.items[0]).file, Path::new("tasks/more.yml"));
}

#[test]
fn imported_playbooks_bring_their_keywords() {
    let files = [
        (
            "site.yml",
            "- import_playbook: \"{{ which }}/web.yml\"\n  vars: {which: plays, other: 1}\n  tags: t\n  when: x\n",
        ),
        (
            "plays/web.yml",
            "- hosts: web\n  tasks:\n    - import_tasks: a.yml\n",
        ),
        ("plays/a.yml", "- debug:\n"),
    ];
    let plays = plays(&files);
    assert_eq!(plays[0].dir, Path::new("plays"));
    assert_eq!(plays[0].name(), "web");
    let import = &plays[0].imports[0];
    assert_eq!(import.tags(), ["t"]);
    assert!(import.get(Keyword::When).is_some() && import.get(Keyword::Vars).is_some());
}

#[test]
fn a_role_is_read_with_all_its_parts() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles:\n    - role: web\n      listen_on: 80\n      tags: [t]\n      vars: {v: 1}\n",
        ),
        (
            "roles/web/tasks/main.yaml",
            "- include_tasks: \"{{ os }}.yml\"\n- command: uptime\n  notify: Restart\n",
        ),
        (
            "roles/web/handlers/main.yml",
            "- name: Restart\n  service: {name: x}\n  listen: [web, all]\n",
        ),
        (
            "roles/web/defaults/main.yml",
            "listen_on: 8080\nuser: www\n",
        ),
        ("roles/web/vars/main/a.yml", "a: 1\nb: 1\n"),
        ("roles/web/vars/main/b.yml", "b: 2\n"),
        (
            "roles/web/meta/argument_specs.yml",
            "argument_specs:\n  main:\n    options:\n      listen_on: {type: int}\n",
        ),
    ];
    let plays = plays(&files);
    let called = block(&plays[0].roles[0]);
    let role = role(&plays[0].roles[0]);
    assert_eq!(
        (role.name.as_str(), role.path.as_path()),
        ("web", Path::new("roles/web"))
    );
    assert_eq!(role.params.get("listen_on").unwrap().kind, Kind::Int(80));
    assert_eq!(
        role.defaults.get("listen_on").unwrap().kind,
        Kind::Int(8080)
    );
    assert_eq!(role.vars.get("b").unwrap().kind, Kind::Int(2));
    assert!(
        role.argument_spec
            .as_ref()
            .unwrap()
            .get("options")
            .is_some()
    );
    assert_eq!(called.keywords.tags(), ["t"]);
    // The first holds its variables against the specification.
    assert_eq!(task(&called.items[0]).action.name, "validate_argument_spec");
    assert_eq!(called.items.len(), 3);
    let handler = task(&role.handlers[0]);
    assert_eq!(handler.keywords.list(Keyword::Listen).len(), 2);
}

#[test]
fn dependencies_come_first_and_are_marked_as_the_same() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles: [a, b, a, {role: c, x: 1}, {role: c, x: 2}]\n",
        ),
        ("roles/a/meta/main.yml", "dependencies:\n  - role: base\n"),
        ("roles/a/tasks/main.yml", "- debug:\n"),
        (
            "roles/b/meta/main.yml",
            "dependencies: [base, {role: d, tags: x}, d]\n",
        ),
        ("roles/base/tasks/main.yml", "- debug:\n"),
        ("roles/c/tasks/main.yml", "- debug:\n"),
        ("roles/c/defaults/main.yml", "x: 0\n"),
        ("roles/d/tasks/main.yml", "- debug:\n"),
    ];
    let plays = plays(&files);
    // What ran already on a host is passed over when the play runs, by its identity.
    assert_eq!(
        order(&plays[0].roles),
        ["base", "a", "base", "d", "d", "b", "base", "a", "c", "c"]
    );
    let identities = |name: &str| {
        let mut all = vec![];
        roles_named(&plays[0].roles, name, &mut all);
        assert!(all.iter().all(|role| role.once));
        all.iter()
            .map(|role| role.identity.clone())
            .collect::<std::collections::HashSet<_>>()
            .len()
    };
    assert_eq!(
        (identities("base"), identities("a"), identities("c")),
        (1, 1, 2)
    );
}

#[test]
fn a_role_that_allows_it_runs_again() {
    let files = [
        ("site.yml", "- hosts: all\n  roles: [a, a]\n"),
        ("roles/a/meta/main.yml", "allow_duplicates: yes\n"),
        ("roles/a/tasks/main.yml", "- debug:\n"),
    ];
    assert_eq!(order(&plays(&files)[0].roles), ["a", "a"]);
}

#[test]
fn roles_are_found_where_ansible_looks() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles: [near, far, acme.web.nginx, ./odd/place]\n",
        ),
        ("roles/near/tasks/main.yml", "- debug:\n"),
        ("/etc/roles/near/tasks/main.yml", "- debug:\n"),
        ("/etc/roles/far/tasks/main.yml", "- debug:\n"),
        (
            "/usr/share/collections/ansible_collections/acme/web/roles/nginx/meta/main.yml",
            "dependencies: [common]\n",
        ),
        (
            "/usr/share/collections/ansible_collections/acme/web/roles/common/tasks/main.yml",
            "- debug:\n",
        ),
        ("odd/place/tasks/main.yml", "- debug:\n"),
    ];
    let plays = plays(&files);
    let paths: Vec<_> = plays[0]
        .roles
        .iter()
        .map(|item| role(item).path.clone())
        .collect();
    let nginx = "/usr/share/collections/ansible_collections/acme/web/roles/nginx";
    assert_eq!(
        paths,
        ["roles/near", "/etc/roles/far", nginx, "odd/place"].map(Into::<std::path::PathBuf>::into)
    );
    let nginx = role(&plays[0].roles[2]);
    assert_eq!(
        (nginx.name.as_str(), nginx.collection.as_deref()),
        ("nginx", Some("acme.web"))
    );
    assert_eq!(order(&plays[0].roles[2..3]), ["common", "nginx"]);
}

#[test]
fn import_role_may_begin_elsewhere() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  vars: {step: install}\n  tasks:\n    - import_role:\n        name: web\n        tasks_from: \"{{ step }}.yml\"\n        vars_from: special\n      tags: t\n",
        ),
        (
            "roles/web/tasks/main.yml",
            "- import_role: {name: web, tasks_from: install}\n",
        ),
        ("roles/web/tasks/install.yml", "- debug:\n- debug:\n"),
        ("roles/web/vars/special.yml", "a: 1\n"),
    ];
    let plays = plays(&files);
    let called = block(&plays[0].tasks[0]);
    assert_eq!(called.items.len(), 2);
    assert!(role(&plays[0].tasks[0]).vars.contains_key("a"));
    assert_eq!(called.keywords.tags(), ["t"]);
}

#[test]
fn a_role_may_import_a_part_of_itself() {
    let files = [
        ("site.yml", "- hosts: all\n  roles: [web]\n"),
        (
            "roles/web/tasks/main.yml",
            "- import_role: {name: web, tasks_from: install}\n- import_tasks: install.yml\n",
        ),
        ("roles/web/tasks/install.yml", "- debug:\n"),
    ];
    assert_eq!(block(&plays(&files)[0].roles[0]).items.len(), 2);
}

#[test]
fn includes_are_read_when_the_run_gets_there() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - include_tasks: later.yml\n",
        ),
        ("roles/web/tasks/main.yml", "- include_tasks: parts/a.yml\n"),
        ("roles/web/tasks/parts/a.yml", "- debug:\n- debug:\n"),
        ("roles/web/tasks/parts/bad.yml", "- debgu:\n"),
        ("roles/web/tasks/parts/lost.yml", "- import_tasks: no.yml\n"),
    ];
    assert_eq!(
        task(&plays(&files)[0].tasks[0]).action.name,
        "include_tasks"
    );
    let loader = loader(&files);
    let main = Path::new("roles/web/tasks/main.yml");
    let context = Context::include(Path::new(""), main, Some(Path::new("roles/web")));
    let found = loader.find_tasks("parts/a.yml", &context).unwrap();
    assert_eq!(
        loader
            .tasks_file(&found, Place::Task, &context)
            .unwrap()
            .len(),
        2
    );
    let bad = loader.find_tasks("parts/bad.yml", &context).unwrap();
    let Err(Unread::Wrong(errors)) = loader.tasks_file(&bad, Place::Task, &context) else {
        panic!("it is wrong")
    };
    assert_eq!(
        errors[0].span().unwrap().to_string(),
        "roles/web/tasks/parts/bad.yml:1:3"
    );
    let lost = loader.find_tasks("parts/lost.yml", &context).unwrap();
    let read = loader.tasks_file(&lost, Place::Task, &context);
    assert!(matches!(read, Err(Unread::Absent(_))), "{read:?}");
}

#[test]
fn an_include_of_a_role_is_read_from_its_task() {
    let files = [
        ("roles/web/tasks/install.yml", "- debug:\n"),
        ("roles/web/defaults/main.yml", "a: 1\n"),
    ];
    let task = only_task(
        "    - include_role:\n        name: web\n        tasks_from: install.yml\n        public: yes\n",
    );
    let call = RoleCall::of_task(&task, &mut Problems::default()).unwrap();
    let block = loader(&files)
        .include_role(&call, &Context::playbook(Path::new("site.yml")))
        .unwrap();
    let Origin::Role(role) = &block.origin else {
        panic!("it is a role")
    };
    assert!(role.public.is_so(None) && role.defaults.contains_key("a"));
    assert_eq!(block.items.len(), 1);
}

#[test]
fn paths_that_grow_do_not_hide_a_circle() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - import_tasks: t/a.yml\n",
        ),
        ("t/a.yml", "- import_tasks: ../t/a.yml\n"),
    ];
    assert!(errors(&files).contains("imports itself"));
}

#[test]
fn a_play_with_every_keyword_is_read() {
    let written = r#"
- name: "Everything: {{ now }}"
  hosts: [web, "!old", "{{ more | default('all') }}"]
  user: admin
  port: 22
  connection: ssh
  become: "{{ root | default(true) }}"
  become_user: 1000
  become_method: sudo
  become_exe: /usr/bin/sudo
  become_flags: -H
  gather_facts: "no"
  gather_subset: ["!all", min]
  gather_timeout: 10
  fact_path: /etc/facts
  serial: [1, "30%", "{{ n }}"]
  strategy: ansible.builtin.free
  order: shuffle
  max_fail_percentage: 30%
  any_errors_fatal: "{{ strict }}"
  force_handlers: yes
  ignore_errors: no
  ignore_unreachable: false
  check_mode: no
  diff: yes
  no_log: "{{ quiet | bool }}"
  run_once: no
  throttle: 3
  timeout: "{{ t }}"
  debugger: on_failed
  collections: [ansible.builtin]
  environment:
    - "{{ proxy }}"
    - PATH: /bin
  module_defaults:
    file: {owner: root}
    group/aws: {region: x}
  vars: {_a: 1, b2: "{{ c }}"}
  vars_files: [a.yml, [b.yml, "{{ d }}.yml"]]
  vars_prompt:
    - {name: pw, prompt: Password, private: yes, confirm: yes, default: x, encrypt: sha512_crypt, salt_size: 7, unsafe: no}
  tags: always,web
  tasks:
    - name:
      ansible.builtin.command: "echo {{ 'a b' }} creates={{ x }}/y"
      args: {chdir: /}
      async: 60
      poll: 0
      register: "{{ name }}"
      until: [out is success, "out.rc == 0"]
      retries: "{{ n | int }}"
      delay: 1.5
      changed_when: no
      failed_when: [false, out.rc > 1]
      when: [a is defined, b, true]
      loop: "{{ xs }}"
      loop_control: {loop_var: x, index_var: i, label: "{{ x }}", pause: 1, extended: yes, extended_allitems: no, break_when: x == 2}
      notify: ["Restart {{ x }}", all]
      delegate_to: "{{ groups.web | first }}"
      delegate_facts: yes
    - set_fact: a=1 b="c d"
    - meta: flush_handlers
    - include_vars: "{{ os }}.yml"
    - include_tasks: {file: x.yml, apply: {become: yes, tags: [t]}}
      loop: [1]
      tags: t
    - debug: var=x
      with_dict: "{{ d }}"
    -
  handlers:
    - name: Restart
      service: name=x state=restarted
      listen: [all]
    - debug:
      listen: more
  roles: []
  pre_tasks:
  post_tasks: []
"#;
    let plays = plays(&[("site.yml", written)]);
    assert_eq!(plays[0].tasks.len(), 6);
    let first = task(&plays[0].tasks[0]);
    assert_eq!(text_of(first), "echo {{ 'a b' }}");
    assert_eq!(text(first.action.args.get("creates")), "{{ x }}/y");
    assert_eq!(plays[0].keywords.tags(), ["always", "web"]);
    assert_eq!(text(plays[0].keywords.get(Keyword::RemoteUser)), "admin");
}

fn text_of(task: &Task) -> &str {
    text(task.action.text.as_ref())
}

/// Any module with any arguments: the playbooks here are about their form only.
struct Any;

impl KnownModules for Any {
    fn known(&self, name: &str) -> bool {
        Keyword::find(name, Place::Handler).is_none() && !name.starts_with("with_")
    }

    fn names(&self) -> Vec<String> {
        vec![]
    }

    fn free_form(&self, name: &str) -> bool {
        matches!(
            name,
            "command" | "shell" | "raw" | "script" | "meta" | "include_vars"
        )
    }

    fn check_arg(&self, _: &str, _: &str) -> Result<(), Option<String>> {
        Ok(())
    }
}

#[test]
fn the_playbooks_of_this_project_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let early = |node: &Node, _: &rplay_yaml::Map| Ok(text(Some(node)).to_owned());
    let loader = Loader::new(
        Arc::new(Disk),
        Arc::new(Any),
        vec![root.join("roles")],
        Box::new(early),
    );
    let playbooks = Disk.list(&root.join("playbooks"));
    let playbooks: Vec<_> = playbooks
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "yml"))
        .collect();
    assert!(!playbooks.is_empty());
    for playbook in playbooks {
        match loader.playbook(playbook) {
            Ok((plays, warnings)) => {
                assert!(!plays.is_empty() && warnings.is_empty(), "{warnings:?}");
            }
            Err(errors) => panic!(
                "{}",
                errors.iter().map(|e| format!("{e}\n")).collect::<String>()
            ),
        }
    }
}
