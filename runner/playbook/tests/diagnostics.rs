//! What people see when a playbook is wrong.

mod memory;

use memory::{errors, warnings};

#[test]
fn an_unknown_module_is_pointed_at() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - name: Copy it\n      coppy:\n        src: a\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: there is no module or keyword `coppy`
     --> site.yml:4:7
      |
    4 |       coppy:
      |       ^^^^^
      |
      = help: did you mean `copy`?
    ");
}

#[test]
fn an_unknown_module_of_a_collection_is_pointed_at() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - community.general.ufw:\n        rule: allow\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: the module `community.general.ufw` is not part of rplay: it only exists in Python
     --> site.yml:3:7
      |
    3 |     - community.general.ufw:
      |       ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: with its collection and ansible-core installed on this machine, it runs on hosts that have Python
      = help: `rplay doc` lists the modules that need neither; a program of yours in `library/` can stand in for it
    ");
}

#[test]
fn an_unknown_argument_is_pointed_at() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - copy:\n        src: a\n        dets: /b\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `copy` has no argument `dets`
     --> site.yml:5:9
      |
    5 |         dets: /b
      |         ^^^^
      |
      = help: did you mean `dest`?
    ");
}

#[test]
fn an_unknown_argument_in_text_is_pointed_at() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - copy: src=a dets=/b\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `copy` has no argument `dets`
     --> site.yml:3:19
      |
    3 |     - copy: src=a dets=/b
      |                   ^^^^
      |
      = help: did you mean `dest`?
    ");
}

#[test]
fn a_keyword_among_arguments_is_explained() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - copy:\n        src: a\n        become: true\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `copy` has no argument `become`
     --> site.yml:5:9
      |
    5 |         become: true
      |         ^^^^^^
      |
      = help: `become` is a keyword of the task: indent it as far as `copy`
    ");
}

#[test]
fn two_modules_in_a_task_are_both_named() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      copy:\n        dest: /x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: this task calls two modules: `command` and `copy`
     --> site.yml:4:7
      |
    3 |     - command: uptime
      |       ------- the first one
    4 |       copy:
      |       ^^^^
      |
      = help: make two tasks of it
    ");
}

#[test]
fn a_task_without_a_module() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - name: Nothing\n      when: x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: this task calls no module
     --> site.yml:3:7
      |
    3 |     - name: Nothing
      |       ^^^^^^^^^^^^^
      |
      = help: name one, such as `command:` or `copy:`
    ");
}

#[test]
fn text_for_a_module_that_takes_none() {
    let files = [("site.yml", "- hosts: all\n  tasks:\n    - copy: /a to /b\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: `copy` takes arguments, not text
     --> site.yml:3:13
      |
    3 |     - copy: /a to /b
      |             ^^
      |
      = help: write them below it, as `name: value`
    ");
}

#[test]
fn an_open_quote_in_arguments() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - copy: src=a content=\"b c\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: this `"` is never closed
     --> site.yml:3:27
      |
    3 |     - copy: src=a content="b c
      |                           ^
      |
      = help: write the arguments below the module, as `name: value`, where quotes are plain text
    "#);
}

#[test]
fn a_list_for_a_module() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - copy:\n        - src: a\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `copy` takes a mapping of arguments, not a list
     --> site.yml:4:9
      |
    4 |         - src: a
      |         ^^^^^^^^
    ");
}

#[test]
fn an_action_that_names_nothing() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - action:\n        src: a\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `action` names a module
     --> site.yml:4:9
      |
    4 |         src: a
      |         ^^^^^^
      |
      = help: write `action: copy src=a dest=b`, or the module as the key
    ");
}

#[test]
fn include_is_gone() {
    let files = [("site.yml", "- hosts: all\n  tasks:\n    - include: a.yml\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: `include` is gone
     --> site.yml:3:7
      |
    3 |     - include: a.yml
      |       ^^^^^^^
      |
      = help: use `include_tasks`, `import_tasks` or `import_playbook`
    ");
}

#[test]
fn keywords_of_the_wrong_place_are_explained() {
    let files = [(
        "site.yml",
        "- hosts: all\n  whne: x\n  when: y\n  tasks:\n    - command: uptime\n      serial: 1\n    - command: uptime\n      listen: x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `whne` is no keyword of a play
     --> site.yml:2:3
      |
    2 |   whne: x
      |   ^^^^
      |
      = help: `when`, if it is that, belongs to a task
    error: `when` is no keyword of a play
     --> site.yml:3:3
      |
    3 |   when: y
      |   ^^^^
      |
      = help: it belongs to a task: mind the indentation
    error: `serial` is no keyword of a task
     --> site.yml:6:7
      |
    6 |       serial: 1
      |       ^^^^^^
      |
      = help: it belongs to a play: mind the indentation
    error: `listen` is no keyword of a task
     --> site.yml:8:7
      |
    8 |       listen: x
      |       ^^^^^^
      |
      = help: it belongs to a handler: mind the indentation
    ");
}

#[test]
fn a_misspelt_keyword() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      regsiter: out\n      becom: true\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: there is no module or keyword `regsiter`
     --> site.yml:4:7
      |
    4 |       regsiter: out
      |       ^^^^^^^^
      |
      = help: did you mean `register`?
    error: there is no module or keyword `becom`
     --> site.yml:5:7
      |
    5 |       becom: true
      |       ^^^^^
      |
      = help: did you mean `become`?
    ");
}

#[test]
fn values_of_the_wrong_type() {
    let files = [(
        "site.yml",
        "- hosts: all\n  gather_facts: maybe\n  serial: many\n  strategy: fre\n  order: random\n  tasks:\n    - command: uptime\n      retries: a few\n      ignore_errors: [x]\n      tags: {a: b}\n      register: my-var\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: The value 'maybe' could not be converted to 'bool': `gather_facts` takes true or false
     --> site.yml:2:17
      |
    2 |   gather_facts: maybe
      |                 ^^^^^
      |
      = help: a variable is written `"{{ maybe }}"`
    error: `serial` takes a number or percentage, not `many`
     --> site.yml:3:11
      |
    3 |   serial: many
      |           ^^^^
    error: `strategy` cannot be `fre`
     --> site.yml:4:13
      |
    4 |   strategy: fre
      |             ^^^
      |
      = help: did you mean `free`?
    error: `order` cannot be `random`
     --> site.yml:5:10
      |
    5 |   order: random
      |          ^^^^^^
      |
      = help: one of `inventory`, `reverse_inventory`, `sorted`, `reverse_sorted`, `shuffle`
    error: `retries` takes a number, not `a few`
     --> site.yml:8:16
      |
    8 |       retries: a few
      |                ^^^^^
    error: `ignore_errors` takes true or false, not a list
     --> site.yml:9:22
      |
    9 |       ignore_errors: [x]
      |                      ^^^
    error: `tags` takes text, not a mapping
      --> site.yml:10:13
       |
    10 |       tags: {a: b}
       |             ^^^^^^
    error: Invalid variable name `my-var`
      --> site.yml:11:17
       |
    11 |       register: my-var
       |                 ^^^^^^
       |
       = help: letters, digits and underscores, such as `my_var`
    "#);
}

#[test]
fn a_condition_that_is_a_mapping() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      when: \n        env: prod\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: `when` takes a condition, not a mapping
     --> site.yml:5:9
      |
    5 |         env: prod
      |         ^^^^^^^^^
      |
      = help: write `env == "prod"`
    "#);
}

#[test]
fn variables_in_a_list() {
    let files = [("site.yml", "- hosts: all\n  vars:\n    - a: 1\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: `vars` takes a mapping of variables, not a list
     --> site.yml:3:5
      |
    3 |     - a: 1
      |     ^^^^^^
      |
      = help: take the `- ` off: `name: value`
    ");
}

#[test]
fn a_variable_with_a_dash() {
    let files = [("site.yml", "- hosts: all\n  vars:\n    my-var: 1\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: Invalid variable name `my-var`
     --> site.yml:3:5
      |
    3 |     my-var: 1
      |     ^^^^^^
      |
      = help: letters, digits and underscores, such as `my_var`
    ");
}

#[test]
fn a_loop_over_a_name() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      loop: packages\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: `loop` takes a list, not `packages`
     --> site.yml:4:13
      |
    4 |       loop: packages
      |             ^^^^^^^^
      |
      = help: a variable is written `"{{ packages }}"`
    "#);
}

#[test]
fn two_loops() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      loop: [1]\n      with_items: [2]\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: this task loops twice: `loop` and `with_items`
     --> site.yml:5:7
      |
    4 |       loop: [1]
      |       ---- the first one
    5 |       with_items: [2]
      |       ^^^^^^^^^^
      |
      = help: loop over both at once with `{{ one | product(other) | list }}`
    ");
}

#[test]
fn an_unknown_with() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      with_itemz: [2]\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: there is no lookup for `with_itemz`
     --> site.yml:4:7
      |
    4 |       with_itemz: [2]
      |       ^^^^^^^^^^
      |
      = help: use `loop`
    ");
}

#[test]
fn an_unknown_key_of_loop_control() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      loop: [1]\n      loop_control:\n        loopvar: x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `loopvar` is no key of `loop_control`
     --> site.yml:6:9
      |
    6 |         loopvar: x
      |         ^^^^^^^
      |
      = help: did you mean `loop_var`?
    ");
}

#[test]
fn a_prompt_without_a_name() {
    let files = [(
        "site.yml",
        "- hosts: all\n  vars_prompt:\n    - prompt: Which?\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: Invalid vars_prompt data structure, missing 'name' key
     --> site.yml:3:7
      |
    3 |     - prompt: Which?
      |       ^^^^^^^^^^^^^^
      |
      = help: `name` is the variable that takes the answer
    ");
}

#[test]
fn rescue_without_block() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - rescue:\n        - command: uptime\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `rescue` needs a `block` beside it
     --> site.yml:3:7
      |
    3 |     - rescue:
      |       ^^^^^^
    ");
}

#[test]
fn a_block_that_loops() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - block:\n        - command: uptime\n      loop: [1]\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: a block cannot loop
     --> site.yml:5:7
      |
    5 |       loop: [1]
      |       ^^^^
      |
      = help: put its tasks into a file and loop over `include_tasks`
    ");
}

#[test]
fn a_block_with_a_task_keyword() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - block:\n        - command: uptime\n      register: x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `register` is no keyword of a block
     --> site.yml:5:7
      |
    5 |       register: x
      |       ^^^^^^^^
      |
      = help: it belongs to a task: mind the indentation
    ");
}

#[test]
fn an_error_inside_a_rescue() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - block:\n        - command: uptime\n      rescue:\n        - debgu:\n            msg: x\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: there is no module or keyword `debgu`
     --> site.yml:6:11
      |
    6 |         - debgu:
      |           ^^^^^
      |
      = help: did you mean `debug`?
    ");
}

#[test]
fn a_play_without_hosts() {
    let files = [("site.yml", "- name: x\n  tasks: []\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: a play needs `hosts`
     --> site.yml:1:3
      |
    1 | - name: x
      |   ^^^^^^^
      |
      = help: say which: `hosts: all`
    ");
}

#[test]
fn empty_hosts() {
    let files = [(
        "site.yml",
        "- hosts:\n  tasks: []\n- hosts: []\n- hosts: \"\"\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: a play needs `hosts`
     --> site.yml:1:3
      |
    1 | - hosts:
      |   ^^^^^
      |
      = help: say which: `hosts: all`
    error: Hosts list cannot be empty. Please check your playbook
     --> site.yml:3:10
      |
    3 | - hosts: []
      |          ^^
      |
      = help: say which: `hosts: all`
    error: Hosts list cannot be empty. Please check your playbook
     --> site.yml:4:10
      |
    4 | - hosts: ""
      |          ^^
      |
      = help: say which: `hosts: all`
    "#);
}

#[test]
fn a_playbook_that_is_a_mapping() {
    let files = [("site.yml", "hosts: all\ntasks: []\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: a playbook is a list of plays, not a mapping
     --> site.yml:1:1
      |
    1 | hosts: all
      | ^^^^^^^^^^
      |
      = help: begin the play with `- `: `- hosts: ...`
    ");
}

#[test]
fn a_task_where_a_play_should_be() {
    let files = [("site.yml", "- name: x\n  debug:\n    msg: y\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: 'debug' is not a valid attribute for a Play: it is a task
     --> site.yml:2:3
      |
    2 |   debug:
      |   ^^^^^
      |
      = help: a playbook holds plays: put it under `tasks:` of a `- hosts: ...`
    ");
}

#[test]
fn a_play_among_tasks() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - import_tasks: web.yml\n",
        ),
        ("web.yml", "- hosts: all\n  tasks: []\n"),
    ];
    insta::assert_snapshot!(errors(&files), @"
    error: this is a play, and plays cannot stand among tasks
     --> web.yml:1:3
      |
    1 | - hosts: all
      |   ^^^^^
      |
      = help: `import_playbook`, beside the plays, brings in plays
    ");
}

#[test]
fn tasks_that_are_no_list() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    name: x\n    debug:\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: A malformed block was encountered while loading tasks: a mapping should be a list or None
     --> site.yml:3:5
      |
    3 |     name: x
      |     ^^^^^^^
      |
      = help: begin each task with `- `
    ");
}

#[test]
fn a_task_that_is_text() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command:uptime\n    - uptime\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: a task is a mapping, not a string
     --> site.yml:3:7
      |
    3 |     - command:uptime
      |       ^^^^^^^^^^^^^^
      |
      = help: a space is missing after the colon: `command: uptime`
    error: a task is a mapping, not a string
     --> site.yml:4:7
      |
    4 |     - uptime
      |       ^^^^^^
      |
      = help: write it as `- name: ...` with the module below
    ");
}

#[test]
fn roles_that_are_no_list() {
    let files = [("site.yml", "- hosts: all\n  roles: web\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: A malformed role declaration was encountered. `roles` is a list of roles, not a string
     --> site.yml:2:10
      |
    2 |   roles: web
      |          ^^^
      |
      = help: begin each with `- `
    ");
}

#[test]
fn an_import_that_is_not_there() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - import_tasks: other.yml\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: Could not find or access 'other.yml' on the Ansible Controller.
     --> site.yml:3:21
      |
    3 |     - import_tasks: other.yml
      |                     ^^^^^^^^^
      |
      = help: looked at `other.yml`, `tasks/other.yml`
    ");
}

#[test]
fn an_import_that_loops() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - import_tasks: other.yml\n      loop: [1]\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `import_tasks` cannot loop
     --> site.yml:3:7
      |
    3 |     - import_tasks: other.yml
      |       ^^^^^^^^^^^^
      |
      = help: use `include_tasks`
    ");
}

#[test]
fn files_that_import_each_other() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - import_tasks: a.yml\n",
        ),
        ("a.yml", "- import_tasks: ./b.yml\n"),
        ("b.yml", "- import_tasks: a.yml\n"),
    ];
    insta::assert_snapshot!(errors(&files), @"
    error: `a.yml` imports itself
     --> b.yml:1:3
      |
    1 | - import_tasks: a.yml
      |   ^^^^^^^^^^^^
      |
      = help: `a.yml` -> `b.yml` -> `a.yml`: `include_tasks` with a condition may go in circles
    ");
}

#[test]
fn an_import_whose_name_only_the_run_knows() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - import_tasks: \"{{ distro }}.yml\"\n",
    )];
    insta::assert_snapshot!(errors(&files), @r#"
    error: `distro` is undefined
     --> site.yml:3:21
      |
    3 |     - import_tasks: "{{ distro }}.yml"
      |                     ^^^^^^^^^^^^^^^^^^
      |
      = help: an import is read before the run: use an include for what only the run knows
    "#);
}

#[test]
fn a_playbook_that_imports_itself() {
    let files = [("site.yml", "- import_playbook: site.yml\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: the playbook `site.yml` imports itself
     --> site.yml:1:20
      |
    1 | - import_playbook: site.yml
      |                    ^^^^^^^^
      |
      = help: `site.yml` -> `site.yml`
    ");
}

#[test]
fn an_imported_playbook_that_is_not_there() {
    let files = [(
        "site.yml",
        "- import_playbook: web.yml\n  vars: {a: b}\n  hosts: all\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: the playbook `web.yml` is not there
     --> site.yml:1:20
      |
    1 | - import_playbook: web.yml
      |                    ^^^^^^^
      |
      = help: looked at `web.yml`
    error: `hosts` cannot stand beside `import_playbook`
     --> site.yml:3:3
      |
    3 |   hosts: all
      |   ^^^^^
      |
      = help: it takes `name`, `tags`, `vars` and `when`
    ");
}

#[test]
fn import_playbook_among_tasks() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - import_playbook: web.yml\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `import_playbook` cannot stand among tasks
     --> site.yml:3:7
      |
    3 |     - import_playbook: web.yml
      |       ^^^^^^^^^^^^^^^
      |
      = help: it stands beside plays, at the top of a playbook
    ");
}

#[test]
fn a_keyword_on_an_include() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - include_tasks: a.yml\n      become: true\n      notify: x\n    - include_role:\n        name: web\n        tag: x\n        apply:\n          becme: true\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: `become` does not belong to an include
     --> site.yml:4:7
      |
    4 |       become: true
      |       ^^^^^^
      |
      = help: write it under `apply:` of `include_tasks`, for each task that is brought in
    error: `notify` does not belong to an include
     --> site.yml:5:7
      |
    5 |       notify: x
      |       ^^^^^^
      |
      = help: write it under `apply:` of `include_tasks`, for each task that is brought in
    error: Invalid options for include_role: tag
     --> site.yml:8:9
      |
    8 |         tag: x
      |         ^^^
      |
      = help: one of `name`, `role`, `tasks_from`, `vars_from`, `defaults_from`, `handlers_from`, `public`, `allow_duplicates`, `rolespec_validate`, `apply`
    error: `becme` is no keyword of a block
      --> site.yml:10:11
       |
    10 |           becme: true
       |           ^^^^^
       |
       = help: did you mean `become`?
    ");
}

#[test]
fn an_include_without_a_name() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - include_role:\n        tasks_from: x\n    - include_tasks:\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: 'name' is a required field for include_role.
     --> site.yml:3:7
      |
    3 |     - include_role:
      |       ^^^^^^^^^^^^^
      |
      = help: say which role: `name: ROLE`
    error: No file specified for include_tasks
     --> site.yml:5:7
      |
    5 |     - include_tasks:
      |       ^^^^^^^^^^^^^
      |
      = help: write `include_tasks: other.yml`
    ");
}

#[test]
fn a_missing_role_names_the_places_searched() {
    let files = [("site.yml", "- hosts: all\n  roles:\n    - etcd\n")];
    insta::assert_snapshot!(errors(&files), @"
    error: the role 'etcd' was not found in roles:/etc/roles:.
     --> site.yml:3:7
      |
    3 |     - etcd
      |       ^^^^
    ");
}

#[test]
fn a_missing_role_of_a_collection() {
    let files = [(
        "site.yml",
        "- hosts: all\n  roles:\n    - role: acme.web.nginx\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: the role 'acme.web.nginx' was not found in collections/ansible_collections/acme/web/roles/nginx:/usr/share/collections/ansible_collections/acme/web/roles/nginx:roles:/etc/roles:.
     --> site.yml:3:13
      |
    3 |     - role: acme.web.nginx
      |             ^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_role_without_a_name() {
    let files = [(
        "site.yml",
        "- hosts: all\n  roles:\n    - web:\n    - {tags: x}\n    - [a]\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: this role has no name
     --> site.yml:3:7
      |
    3 |     - web:
      |       ^^^
      |
      = help: write `- role: web`
    error: this role has no name
     --> site.yml:4:7
      |
    4 |     - {tags: x}
      |       ^^^^^^^^^
      |
      = help: write `- role: NAME`
    error: a role is a name or a mapping, not a list
     --> site.yml:5:7
      |
    5 |     - [a]
      |       ^^^
    ");
}

#[test]
fn roles_that_depend_on_each_other() {
    let files = [
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies:\n  - role: a\n"),
    ];
    insta::assert_snapshot!(errors(&files), @"
    error: the role `a` depends on itself
     --> roles/b/meta/main.yml:2:11
      |
    2 |   - role: a
      |           ^
      |
      = help: `a` -> `b` -> `a`
    ");
}

#[test]
fn an_entry_point_that_is_not_there() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - import_role:\n        name: web\n        tasks_from: install\n",
        ),
        ("roles/web/tasks/main.yml", "- debug:\n"),
    ];
    insta::assert_snapshot!(errors(&files), @"
    error: the role `web` has no tasks `install`
     --> site.yml:4:15
      |
    4 |         name: web
      |               ^^^
      |
      = help: looked at `roles/web/tasks/install.yml`, `roles/web/tasks/install.yaml`, `roles/web/tasks/install.json`
    ");
}

#[test]
fn an_error_in_a_role_points_into_the_role() {
    let files = [
        ("site.yml", "- hosts: all\n  roles: [web]\n"),
        (
            "roles/web/tasks/main.yml",
            "- name: x\n  servce:\n    name: nginx\n",
        ),
        ("roles/web/defaults/main.yml", "- a\n"),
    ];
    insta::assert_snapshot!(errors(&files), @"
    error: a file of variables is a mapping, not a list
     --> roles/web/defaults/main.yml:1:1
      |
    1 | - a
      | ^^^
    error: there is no module or keyword `servce`
     --> roles/web/tasks/main.yml:2:3
      |
    2 |   servce:
      |   ^^^^^^
      |
      = help: did you mean `service`?
    ");
}

#[test]
fn everything_wrong_is_said_at_once() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - coppy:\n    - copy:\n        dets: x\n- name: y\n",
    )];
    insta::assert_snapshot!(errors(&files), @"
    error: there is no module or keyword `coppy`
     --> site.yml:3:7
      |
    3 |     - coppy:
      |       ^^^^^
      |
      = help: did you mean `copy`?
    error: `copy` has no argument `dets`
     --> site.yml:5:9
      |
    5 |         dets: x
      |         ^^^^
      |
      = help: did you mean `dest`?
    error: a play needs `hosts`
     --> site.yml:6:3
      |
    6 | - name: y
      |   ^^^^^^^
      |
      = help: say which: `hosts: all`
    ");
}

#[test]
fn a_condition_in_braces_warns() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      when: \"{{ x == 1 }}\"\n      failed_when: [\"{{ a }} == 1\"]\n",
    )];
    insta::assert_snapshot!(warnings(&files), @r#"
    warning: `when` is a condition already: it needs no `{{ }}`
     --> site.yml:4:13
      |
    4 |       when: "{{ x == 1 }}"
      |             ^^^^^^^^^^^^^^
      |
      = help: write `when: x == 1`
    warning: `failed_when` is a condition already: it needs no `{{ }}`
     --> site.yml:5:21
      |
    5 |       failed_when: ["{{ a }} == 1"]
      |                     ^^^^^^^^^^^^^^
      |
      = help: write the condition without braces
    "#);
}

#[test]
fn a_misspelt_keyword_of_a_role_warns() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles:\n    - role: web\n      tgas: x\n      prt: 80\n",
        ),
        ("roles/web/tasks/main.yml", "- debug:\n"),
        ("roles/web/defaults/main.yml", "prt: 1\n"),
    ];
    insta::assert_snapshot!(warnings(&files), @"
    warning: `tgas` is given to the role as a variable that it does not know
     --> site.yml:4:7
      |
    4 |       tgas: x
      |       ^^^^
      |
      = help: did you mean the keyword `tags`?
    ");
}

#[test]
fn a_keyword_that_a_role_knows_as_a_variable_warns() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles:\n    - role: web\n      port: 80\n",
        ),
        ("roles/web/tasks/main.yml", "- debug:\n"),
        ("roles/web/defaults/main.yml", "port: 1\n"),
    ];
    insta::assert_snapshot!(warnings(&files), @"
    warning: `port` is a keyword here, and not given to the role's variable
     --> site.yml:4:7
      |
    4 |       port: 80
      |       ^^^^
      |
      = help: for the variable write `vars: {port: ...}`
    ");
}

#[test]
fn a_duplicate_key_warns() {
    let files = [(
        "site.yml",
        "- hosts: all\n  tasks:\n    - command: uptime\n      tags: a\n      tags: b\n",
    )];
    insta::assert_snapshot!(warnings(&files), @"
    warning: Found duplicate mapping key 'tags': the last one counts
     --> site.yml:5:7
      |
    4 |       tags: a
      |       ---- first here
    5 |       tags: b
      |       ^^^^
    ");
}
