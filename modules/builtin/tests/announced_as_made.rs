//! What a dry run announces is what the run then makes, change by change and path by path, whatever
//! the order of tasks; and the dry run leaves everything as it was.
//!
//! Sequences of tasks are generated over a few paths of a folder that is thrown away, so that they
//! meet: files become folders and links, are edited, copied, unpacked over and removed.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use rplay_api::{
    ArgMap, Blobs, Change, Control, Failure, Host, Overlay, RealSystem, Result, Settings, System,
    Target,
};
use serde_json::{Value, json};

/// Paths that tasks are about, below the root.
const PATHS: [&str; 9] = ["a", "b", "d", "d/a", "d/e", "d/e/a", "l", "l/a", "new/x"];
const MODES: [&str; 4] = ["0600", "0644", "0755", "u+x,o-r"];
const LINES: [&str; 5] = ["one", "two=2", "two=3", "", "three"];

/// A task: a module and its arguments, in which `ROOT` stands for the root.
#[derive(Debug, Clone)]
struct Task {
    module: &'static str,
    args: Value,
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(&PATHS[..]).prop_map(|name| format!("ROOT/{name}"))
}

fn mode() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(prop::sample::select(&MODES[..]))
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..4).prop_map(|lines| lines.join("\n"))
}

fn line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&LINES[..])
}

fn presence() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["present", "absent"])
}

/// Tasks that make, link and remove files and folders.
fn files() -> impl Strategy<Value = (&'static str, Value)> {
    let states = vec!["absent", "directory", "file", "touch"];
    let folders = vec!["ROOT/d", "ROOT/l", "ROOT/new"];
    prop_oneof![
        4 => (path(), text(), mode(), any::<bool>()).prop_map(|(dest, content, mode, force)| {
            ("copy", json!({"dest": dest, "content": content, "mode": mode, "force": force}))
        }),
        2 => (path(), path(), mode()).prop_map(|(src, dest, mode)| {
            ("copy", json!({"src": src, "dest": dest, "remote_src": true, "mode": mode}))
        }),
        4 => (path(), prop::sample::select(states), mode()).prop_map(|(path, state, mode)| {
            let mut args = json!({"path": path, "state": state, "mode": mode});
            if state == "touch" {
                // One now differs from the next.
                args["modification_time"] = "preserve".into();
                args["access_time"] = "preserve".into();
            }
            ("file", args)
        }),
        1 => (path(), mode()).prop_map(|(path, mode)| {
            ("file", json!({"path": path, "state": "directory", "mode": mode, "recurse": true}))
        }),
        2 => (path(), path(), prop::sample::select(vec!["link", "hard"]), any::<bool>()).prop_map(
            |(src, path, state, force)| {
                ("file", json!({"src": src, "path": path, "state": state, "force": force}))
            }
        ),
        1 => (path(), path()).prop_map(|(src, dest)| {
            ("assemble", json!({"src": src, "dest": dest, "remote_src": true}))
        }),
        1 => (path(), mode(), any::<bool>()).prop_map(|(dest, mode, newer)| {
            ("unarchive", json!({
                "src": "ROOT/pack.tar", "dest": dest, "remote_src": true, "mode": mode,
                "keep_newer": newer,
            }))
        }),
        1 => (prop::sample::select(folders), presence()).prop_map(|(folder, state)| {
            ("yum_repository", json!({
                "name": "one", "description": "One", "baseurl": "http://x.invalid/",
                "reposdir": folder, "state": state,
            }))
        }),
    ]
}

/// Tasks that edit texts.
fn edits() -> impl Strategy<Value = (&'static str, Value)> {
    let regexp = prop::option::of(Just("^two"));
    prop_oneof![
        3 => (path(), line(), regexp, presence(), any::<bool>()).prop_map(
            |(path, line, regexp, state, create)| {
                ("lineinfile", json!({
                    "path": path, "line": line, "regexp": regexp, "state": state, "create": create,
                }))
            }
        ),
        2 => (path(), text(), presence(), any::<bool>()).prop_map(|(path, block, state, create)| {
            ("blockinfile", json!({"path": path, "block": block, "state": state, "create": create}))
        }),
        2 => (path(), line()).prop_map(|(path, with)| {
            ("replace", json!({"path": path, "regexp": "t(w|h)", "replace": format!("{with}\\1")}))
        }),
    ]
}

fn task() -> impl Strategy<Value = Task> {
    prop_oneof![2 => files(), 1 => edits()].prop_map(|(module, args)| Task { module, args })
}

fn plant(root: &Path) {
    let block = "two=3\n# BEGIN ANSIBLE MANAGED BLOCK\none\n# END ANSIBLE MANAGED BLOCK\n";
    fs::create_dir_all(root.join("d/e")).unwrap();
    fs::write(root.join("a"), "one\ntwo=2\n").unwrap();
    fs::write(root.join("d/a"), "three").unwrap();
    fs::write(root.join("d/e/a"), block).unwrap();
    fs::set_permissions(root.join("d/a"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("d", root.join("l")).unwrap();
    let mut pack = tar::Builder::new(fs::File::create(root.join("pack.tar")).unwrap());
    for (name, content) in [("a", "packed\n"), ("sub/b", "packed too\n")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o640);
        header.set_mtime(1_700_000_000);
        pack.append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    pack.into_inner().unwrap().sync_all().unwrap();
}

/// The controller sends nothing.
struct Nothing;

impl Blobs for Nothing {
    fn info(&self, _: u32) -> Option<(String, u64)> {
        None
    }

    fn open(&self, _: u32) -> Result<Box<dyn Read + Send>> {
        Err(Failure::new("nothing was sent"))
    }

    fn push(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}
}

/// What came of a task: how it ended, and what it changed.
fn run(system: &dyn System, root: &Path, task: &Task) -> (String, Vec<Change>) {
    let text = task.args.to_string();
    let text = text.replace("ROOT", &root.display().to_string());
    let mut args: ArgMap = serde_json::from_str(&text).unwrap();
    args.retain(|_, value| !value.is_null());
    let module = rplay_builtin::find(task.module).unwrap();
    let settings = Settings {
        diff: true,
        ..Settings::default()
    };
    let control = Control::default();
    let host = Host::new(system, &Nothing, &control, settings);
    let result = module.run(&args, &host);
    let changes = host.changes();
    let end = match result {
        Ok(outcome) => {
            let changed = outcome.changed.unwrap_or(!changes.is_empty());
            format!("changed: {changed}")
        }
        Err(failure) => format!("failed: {failure}"),
    };
    (end, changes)
}

/// Everything below the root: of a folder no times and no size, which are the file system's own.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let what = if meta.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            "folder".to_owned()
        } else if meta.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()
        };
        let facts = format!("{what} {:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
        all.insert(path.display().to_string(), facts);
    }
    all
}

/// With the times of changes too: nothing sets those back.
fn exact(root: &Path) -> Vec<String> {
    let time = |path: &String| {
        let meta = fs::symlink_metadata(path).unwrap();
        format!("{} {} {}", meta.ino(), meta.ctime(), meta.ctime_nsec())
    };
    let all = tree(root);
    let lines = all.iter();
    lines
        .map(|(path, facts)| format!("{path} {facts} {}", time(path)))
        .collect()
}

/// Paths that are not as they were.
fn touched(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let all = before.keys().chain(after.keys());
    all.filter(|path| before.get(*path) != after.get(*path))
        .cloned()
        .collect()
}

/// Whether a path's change was announced: by itself, under another name of the same file or of its
/// folder, or with a folder above it that went as a whole.
fn is_announced(path: &str, announced: &[String]) -> bool {
    let real = |name: &Path| {
        let folder = name.parent().and_then(|folder| folder.canonicalize().ok());
        folder.map_or_else(
            || name.to_owned(),
            |folder| folder.join(name.file_name().unwrap_or_default()),
        )
    };
    announced.iter().map(Path::new).any(|name| {
        let path = Path::new(path);
        path.starts_with(name) || path.starts_with(real(name)) || are_one(path, name)
    })
}

fn are_one(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::symlink_metadata(a), fs::symlink_metadata(b)) else {
        return false;
    };
    a.nlink() > 1 && (a.dev(), a.ino()) == (b.dev(), b.ino())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_dry_run_announces_what_is_made(tasks in prop::collection::vec(task(), 1..10)) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("root");
        plant(&root);
        let start = exact(&root);
        let overlay = Overlay::new(Arc::new(RealSystem));
        let dry: Vec<_> = tasks.iter().map(|task| run(&overlay, &root, task)).collect();
        prop_assert_eq!(start, exact(&root), "the dry run left something behind");
        for (task, (end, announced)) in tasks.iter().zip(&dry) {
            let before = tree(&root);
            let (really, made) = run(&RealSystem, &root, task);
            prop_assert_eq!(end, &really, "of {:?}", task);
            prop_assert_eq!(announced, &made, "by {:?}", task);
            let names = |change: &Change| match &change.target {
                Target::File(path) => path.clone(),
                other => panic!("{other:?} is no file"),
            };
            let names: Vec<String> = announced.iter().map(names).collect();
            for path in touched(&before, &tree(&root)) {
                prop_assert!(
                    is_announced(&path, &names),
                    "{} is not in {:?} of {:?}", path, names, task
                );
            }
        }
    }
}
