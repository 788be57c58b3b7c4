use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rplay_api::{Meta, Overlay, System};
use serde_json::json;

use super::This;
use crate::fixture::{Fixture, on_each_system};

fn path(root: &Path, name: &str) -> String {
    root.join(name).to_string_lossy().into_owned()
}

fn meta(system: &dyn System, path: &str) -> Meta {
    system.lstat(Path::new(path)).unwrap().unwrap()
}

#[test]
fn a_folder_is_made_with_those_above_it() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let dir = path(root, "a/b/c");
        let args = json!({"path": dir, "state": "directory", "mode": "0750"});
        let ran = host.run::<This>(args.clone());
        assert_eq!(ran.changes.len(), 3);
        let data = ran.result.unwrap().data;
        assert_eq!(
            (&data["state"], &data["mode"]),
            (&json!("directory"), &json!("0750"))
        );
        assert_eq!(host.run::<This>(args).changes, []);
    });
}

#[test]
fn a_dry_run_warns_of_owners_who_are_not_there() {
    let overlay = Overlay::empty();
    let fixture = Fixture::new(&overlay);
    fixture.file("/etc/passwd", "al:x:7:7::/:/bin/sh\n");
    fixture.file("/etc/group", "");
    let args = |owner: &str, group: &str| json!({"path": "/none", "owner": owner, "group": group});
    let ran = fixture.run::<This>(args("bo", "77"));
    assert_eq!(
        ran.warnings,
        [
            "failed to look up user bo. Create user up to this point in real play",
            "failed to look up group with gid 77. Create group up to this point in real play"
        ]
    );
    let ran = Fixture::new(&overlay).run::<This>(json!({"path": "/none", "owner": "7"}));
    assert_eq!(ran.warnings, Vec::<String>::new());
}

#[test]
fn a_missing_file_cannot_be_given_a_mode() {
    on_each_system(|system, root| {
        let args = json!({"path": path(root, "f"), "mode": "0600"});
        let error = Fixture::new(system).run::<This>(args).result.unwrap_err();
        assert!(error.msg.ends_with("is absent, cannot continue"), "{error}");
    });
}

#[test]
fn a_symbolic_mode_starts_from_the_present_one() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let file = path(root, "f");
        host.file(&file, "x");
        host.run::<This>(json!({"path": file, "mode": "0640"}));
        let ran = host.run::<This>(json!({"path": file, "mode": "u+x,g-r"}));
        assert_eq!(ran.result.unwrap().data["mode"], "0700");
        let again = host.run::<This>(json!({"path": file, "mode": "u+x,g-r"}));
        assert_eq!(again.changes, []);
    });
}

#[test]
fn touch_makes_a_file_and_renews_its_time() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let file = path(root, "f");
        let set = json!({"path": file, "state": "touch", "modification_time": "202001021504.05",
            "access_time": "preserve"});
        assert_eq!(host.run::<This>(set.clone()).changes.len(), 1);
        let old = meta(system, &file).mtime;
        assert!(
            old < UNIX_EPOCH + Duration::from_secs(1_580_000_000),
            "{old:?}"
        );
        assert_eq!(host.run::<This>(set).changes, []);
        let ran = host.run::<This>(json!({"path": file, "state": "touch"}));
        assert_eq!(ran.changes.len(), 1);
        assert!(meta(system, &file).mtime > old);
        let kept = json!({"path": file, "state": "touch", "modification_time": "preserve",
            "access_time": "preserve"});
        assert_eq!(host.run::<This>(kept).changes, []);
    });
}

#[test]
fn absent_removes_a_folder_with_its_content_but_only_the_link_itself() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "d/e/f"), "x")
            .link("d", &path(root, "l"));
        let gone = |name: &str| json!({"path": path(root, name), "state": "absent"});
        assert_eq!(host.run::<This>(gone("l")).changes.len(), 1);
        assert!(system.lstat(&root.join("d/e/f")).unwrap().is_some());
        host.run::<This>(gone("d")).result.unwrap();
        assert!(system.lstat(&root.join("d")).unwrap().is_none());
        assert_eq!(host.run::<This>(gone("d")).changes, []);
    });
}

#[test]
fn a_link_is_made_and_turned() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "one"), "1")
            .file(&path(root, "two"), "2");
        let link = path(root, "l");
        let to = |src: &str| json!({"src": src, "dest": link, "state": "link"});
        let data = host.run::<This>(to("one")).result.unwrap().data;
        assert_eq!((&data["dest"], &data["src"]), (&json!(link), &json!("one")));
        assert_eq!(data["state"], "link");
        assert_eq!(host.run::<This>(to("one")).changes, []);
        host.run::<This>(to("two")).result.unwrap();
        assert_eq!(
            system.read_link(Path::new(&link)).unwrap(),
            Path::new("two")
        );
    });
}

#[test]
fn a_link_to_nothing_needs_force() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let mut args = json!({"src": path(root, "no"), "dest": path(root, "l"), "state": "link"});
        let error = host.run::<This>(args.clone()).result.unwrap_err();
        assert!(error.msg.ends_with("does not exist"), "{error}");
        args["force"] = true.into();
        host.run::<This>(args).result.unwrap();
        assert!(meta(system, &path(root, "l")).is_link());
    });
}

#[test]
fn a_file_becomes_a_link_only_by_force_and_a_full_folder_never() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "to"), "")
            .file(&path(root, "f"), "")
            .file(&path(root, "d/x"), "");
        let args = |dest: &str, force: bool| {
            json!({"src": path(root, "to"),
            "dest": path(root, dest), "state": "link", "force": force})
        };
        let error = host.run::<This>(args("f", false)).result.unwrap_err();
        assert!(error.msg.starts_with("refusing to convert"), "{error}");
        host.run::<This>(args("f", true)).result.unwrap();
        assert!(meta(system, &path(root, "f")).is_link());
        let error = host.run::<This>(args("d", true)).result.unwrap_err();
        assert!(error.msg.contains("is not empty"), "{error}");
    });
}

#[test]
fn a_hard_link_shares_the_file() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "a"), "A")
            .file(&path(root, "other"), "O");
        let args = json!({"src": path(root, "a"), "dest": path(root, "b"), "state": "hard"});
        let data = host.run::<This>(args.clone()).result.unwrap().data;
        assert_eq!(data["state"], "hard");
        assert_eq!(
            meta(system, &path(root, "a")).inode,
            meta(system, &path(root, "b")).inode
        );
        assert_eq!(host.run::<This>(args).changes, []);
        let args = json!({"src": path(root, "a"), "dest": path(root, "other"), "state": "hard"});
        let error = host.run::<This>(args).result.unwrap_err();
        assert!(error.msg.starts_with("cannot link"), "{error}");
    });
}

#[test]
fn recurse_gives_x_to_folders_only() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "d/e/f"), "x")
            .link("..", &path(root, "d/e/up"));
        let args = json!({"path": path(root, "d"), "state": "directory", "recurse": true,
            "mode": "u=rwX,go=rX"});
        host.run::<This>(args.clone()).result.unwrap();
        assert_eq!(meta(system, &path(root, "d/e")).mode, 0o755);
        assert_eq!(meta(system, &path(root, "d/e/f")).mode, 0o644);
        assert_eq!(host.run::<This>(args).changes, []);
    });
}

#[test]
fn a_link_to_a_folder_counts_as_the_folder() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "d/f"), "")
            .link("d", &path(root, "l"));
        let args = json!({"path": path(root, "l"), "state": "directory", "mode": "0700"});
        host.run::<This>(args).result.unwrap();
        assert_eq!(meta(system, &path(root, "d")).mode, 0o700);
        assert!(meta(system, &path(root, "l")).is_link());
    });
}

#[test]
fn a_peek_says_what_is_there_and_changes_nothing() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let (text, binary) = (path(root, "text"), path(root, "binary"));
        host.file(&text, "hello");
        host.file(&binary, "a\0b");
        let peek = |path: &str| {
            let args = json!({"path": path, "_diff_peek": true, "mode": "0600", "state": "touch"});
            let ran = host.run::<This>(args);
            assert_eq!(ran.changes, [], "{path}");
            ran.result.unwrap().data
        };
        assert_eq!(peek(&text)["appears_binary"], false);
        assert_eq!(peek(&text)["size"], 5);
        assert_eq!(peek(&binary)["appears_binary"], true);
        let nothing = peek(&path(root, "nothing"));
        assert_eq!(nothing["appears_binary"], false);
        assert!(!nothing.contains_key("state"));
    });
}

#[test]
fn links_that_lead_beside_the_folder_are_followed_into_theirs() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        for dir in ["in", "beside"] {
            let args = json!({"path": path(root, dir), "state": "directory", "mode": "0755"});
            host.run::<This>(args);
        }
        host.file(&path(root, "beside/f"), "x");
        host.run::<This>(json!({"path": path(root, "beside/f"), "mode": "0700"}));
        let link = json!({"path": path(root, "in/l"), "src": "../beside", "state": "link"});
        host.run::<This>(link);
        let mode = || meta(system, &path(root, "beside/f")).mode;
        let recursed = |follow: bool| {
            json!({"path": path(root, "in"), "recurse": true, "mode": "a-x", "follow": follow, "state": "directory"})
        };
        host.run::<This>(recursed(false));
        assert_eq!(mode(), 0o700);
        host.run::<This>(recursed(true)).result.unwrap();
        assert_eq!(mode(), 0o600);
    });
}

#[test]
fn attributes_that_are_there_already_are_no_change() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let file = path(root, "f");
        host.file(&file, "x");
        let set = |attributes: &str| host.run::<This>(json!({"path": file, "attributes": attributes}));
        let first = set("A");
        if first.result.is_err() {
            // Not every file system keeps them.
            return;
        }
        assert_eq!(first.changes.len(), 1);
        let told = |change: &rplay_api::Change| change.after.as_ref().unwrap()["attributes"].clone();
        assert_eq!(told(&first.changes[0]), "A");
        assert_eq!(set("+A").changes, []);
        assert_eq!(set("=A").changes, []);
        assert_eq!(told(&set("-A").changes[0]), "");
        assert_eq!(set("-A").changes, []);
    });
}
