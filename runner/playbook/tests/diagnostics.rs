//! What people see when a playbook is wrong.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::{Diagnostic, Style, render};
use rplay_playbook::{Item, KnownModules, Loader, Sources};

struct Memory(HashMap<PathBuf, String>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.0.keys().any(|p| p.starts_with(path) && p != path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        self.0
            .keys()
            .filter(|p| p.parent() == Some(path))
            .cloned()
            .collect()
    }
}

struct Few;

impl KnownModules for Few {
    fn known(&self, name: &str) -> bool {
        self.names().iter().any(|n| n == name)
    }

    fn names(&self) -> Vec<String> {
        ["command", "copy", "debug", "import_tasks", "import_role"]
            .map(str::to_owned)
            .to_vec()
    }

    fn free_form(&self, name: &str) -> bool {
        name == "command" || name == "import_tasks"
    }

    fn check_arg(&self, module: &str, arg: &str) -> Result<(), Option<String>> {
        let known: &[&str] = match module {
            "command" => &["chdir", "creates"],
            "copy" => &["src", "dest", "mode", "content"],
            _ => return Ok(()),
        };
        if known.contains(&arg) {
            return Ok(());
        }
        Err(rplay_diag::did_you_mean(arg, known.iter().copied()).map(str::to_owned))
    }
}

fn loader(files: &[(&str, &str)]) -> Loader {
    let files = files
        .iter()
        .map(|(p, t)| (PathBuf::from(p), (*t).to_owned()))
        .collect();
    let early = |node: &rplay_yaml::Node, _: &rplay_yaml::Map| {
        Ok(node.as_str().unwrap_or_default().to_owned())
    };
    Loader::new(
        Arc::new(Memory(files)),
        Arc::new(Few),
        vec![],
        Box::new(early),
    )
}

fn errors(files: &[(&str, &str)]) -> String {
    let found: Vec<Diagnostic> = loader(files).playbook(Path::new("site.yml")).unwrap_err();
    found
        .iter()
        .map(|d| render(d, Style::Plain))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_unknown_module_is_pointed_at() {
    let text = "- hosts: all\n  tasks:\n    - name: Copy it\n      coppy:\n        src: a\n";
    insta::assert_snapshot!(errors(&[("site.yml", text)]), @"
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
fn an_unknown_argument_is_pointed_at() {
    let text = "- hosts: all\n  tasks:\n    - copy:\n        src: a\n        dets: /b\n";
    insta::assert_snapshot!(errors(&[("site.yml", text)]), @"
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
fn a_keyword_of_the_wrong_place_is_explained() {
    let text = "- hosts: all\n  whne: x\n  tasks:\n    - command: uptime\n      serial: 1\n";
    insta::assert_snapshot!(errors(&[("site.yml", text)]), @"
    error: `whne` is no keyword of a play
     --> site.yml:2:3
      |
    2 |   whne: x
      |   ^^^^
    error: `serial` is no keyword of a task
     --> site.yml:5:7
      |
    5 |       serial: 1
      |       ^^^^^^
      |
      = help: it belongs to a play: mind the indentation
    ");
}

#[test]
fn a_missing_role_names_the_places_searched() {
    let text = "- hosts: all\n  roles:\n    - etcd\n";
    insta::assert_snapshot!(errors(&[("site.yml", text)]), @"
    error: the role `etcd` is not there
     --> site.yml:3:7
      |
    3 |     - etcd
      |       ^^^^
      |
      = help: looked at `roles/etcd`, `etcd`, `../roles/etcd`
    ");
}

#[test]
fn two_modules_in_a_task_are_both_named() {
    let text = "- hosts: all\n  tasks:\n    - command: uptime\n      copy:\n        dest: /x\n";
    insta::assert_snapshot!(errors(&[("site.yml", text)]), @"
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
fn imports_and_roles_become_blocks() {
    let files = [
        (
            "site.yml",
            "- hosts: all\n  roles: [web]\n  tasks:\n    - import_tasks: more.yml\n",
        ),
        ("more.yml", "- debug:\n    msg: hi\n"),
        ("roles/web/tasks/main.yml", "- command: uptime chdir=/tmp\n"),
    ];
    let (plays, warnings) = loader(&files).playbook(Path::new("site.yml")).unwrap();
    assert!(warnings.is_empty());
    let Item::Block(role) = &plays[0].roles[0] else {
        panic!("a role is a block")
    };
    let Item::Task(task) = &role.items[0] else {
        panic!("it holds a task")
    };
    assert_eq!(task.action.text.as_ref().unwrap().as_str(), Some("uptime"));
    assert_eq!(
        task.action.args.get("chdir").unwrap().as_str(),
        Some("/tmp")
    );
    let Item::Block(import) = &plays[0].tasks[0] else {
        panic!("an import is a block")
    };
    assert_eq!(import.items.len(), 1);
}
