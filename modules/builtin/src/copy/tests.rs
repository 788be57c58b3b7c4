use std::path::Path;

use rplay_api::{Attrs, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, on_each_system};

fn path(root: &Path, name: &str) -> String {
    root.join(name).to_string_lossy().into_owned()
}

fn text(system: &dyn System, path: &str) -> String {
    Fixture::new(system).on_host(|host| host.read_text(Path::new(path)).unwrap())
}

fn mode(system: &dyn System, path: &str) -> u32 {
    system.lstat(Path::new(path)).unwrap().unwrap().mode
}

fn sent(name: &str, mode: u32) -> Value {
    json!({"src": name, "entries": [{"path": "", "mode": mode, "kind": {"file": 0}}]})
}

#[test]
fn content_is_written_once_and_then_left_alone() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let dest = path(root, "motd");
        let args = json!({"content": "hello\n", "dest": dest, "mode": "0640"});
        let first = host.run::<This>(args.clone());
        let data = first.result.unwrap().data;
        assert_eq!(data["checksum"], "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert_eq!(data["md5sum"], "b1946ac92492d2347c6235b4d2611184");
        assert_eq!((&data["mode"], &data["size"]), (&json!("0640"), &json!(6)));
        assert_eq!(data["state"], "file");
        assert_eq!(first.changes.len(), 1);
        assert_eq!(text(system, &dest), "hello\n");
        assert_eq!(host.run::<This>(args).changes, []);
    });
}

#[test]
fn nothing_is_digested_for_a_result_that_nobody_looks_at() {
    on_each_system(|system, root| {
        let host = Fixture::new(system).blob(vec![b'x'; 2 << 20]).brief();
        let dest = path(root, "large");
        let args = json!({"src": sent("large", 0o644), "dest": dest});
        let first = host.run::<This>(args.clone());
        let data = first.result.unwrap().data;
        assert_eq!((data.get("checksum"), data.get("md5sum")), (None, None));
        assert_eq!(data["size"], 2 << 20);
        // It is told as a change all the same, and found to be there the next time.
        assert_eq!(first.changes.len(), 1);
        assert_eq!(first.changes[0].after.as_ref().unwrap()["state"], "file");
        assert_eq!(host.run::<This>(args).changes, []);
    });
}

#[test]
fn a_file_keeps_its_mode_when_mode_is_absent() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let dest = path(root, "f");
        host.run::<This>(json!({"content": "a", "dest": dest, "mode": "0600"}));
        host.run::<This>(json!({"content": "b", "dest": dest}));
        assert_eq!(
            (mode(system, &dest), text(system, &dest)),
            (0o600, "b".into())
        );
    });
}

#[test]
fn a_sent_file_goes_into_a_folder_under_its_name() {
    on_each_system(|system, root| {
        let host = Fixture::new(system).blob("x");
        let dest = path(root, "new/deep/");
        let ran = host.run::<This>(json!({"src": sent("files/app.conf", 0o755), "dest": dest,
            "mode": "preserve"}));
        let made = path(root, "new/deep/app.conf");
        assert_eq!(ran.result.unwrap().data["dest"], made);
        assert_eq!(
            (mode(system, &made), text(system, &made)),
            (0o755, "x".into())
        );
    });
}

#[test]
fn a_missing_folder_is_named() {
    on_each_system(|system, root| {
        let dest = path(root, "no/f");
        let ran = Fixture::new(system).run::<This>(json!({"content": "x", "dest": dest}));
        let error = ran.result.unwrap_err();
        let parent = path(root, "no");
        assert_eq!(
            error.msg,
            format!("the destination folder `{parent}` does not exist")
        );
        assert_eq!(error.arg.as_deref(), Some("dest"));
    });
}

#[test]
fn without_force_an_old_file_stays() {
    on_each_system(|system, root| {
        let dest = path(root, "f");
        let host = Fixture::new(system);
        host.file(&dest, "old");
        let ran = host.run::<This>(json!({"content": "new", "dest": dest, "force": false}));
        assert_eq!(ran.result.unwrap().data["msg"], "file already exists");
        assert_eq!(text(system, &dest), "old");
    });
}

#[test]
fn a_backup_keeps_the_old_content() {
    on_each_system(|system, root| {
        let dest = path(root, "f");
        let host = Fixture::new(system);
        host.file(&dest, "old");
        let ran = host.run::<This>(json!({"content": "new", "dest": dest, "backup": true}));
        let data = ran.result.unwrap().data;
        let backup = data["backup_file"].as_str().unwrap();
        assert_eq!(
            (text(system, backup), text(system, &dest)),
            ("old".into(), "new".into())
        );
    });
}

#[test]
fn a_link_is_replaced_unless_it_is_followed() {
    on_each_system(|system, root| {
        let (file, link) = (path(root, "file"), path(root, "link"));
        let host = Fixture::new(system);
        host.file(&file, "old").link("file", &link);
        host.run::<This>(json!({"content": "1", "dest": link, "follow": true}));
        assert_eq!(text(system, &file), "1");
        let ran = host.run::<This>(json!({"content": "2", "dest": link}));
        assert_eq!(ran.changes.len(), 1, "{:?}", ran.changes);
        assert_eq!(
            (text(system, &file), text(system, &link)),
            ("1".into(), "2".into())
        );
        assert!(system.lstat(Path::new(&link)).unwrap().unwrap().is_file());
    });
}

#[test]
fn a_refused_content_leaves_the_old_file() {
    on_each_system(|system, root| {
        let dest = path(root, "f");
        let host = Fixture::new(system);
        host.file(&dest, "good\n");
        let args = |content: &str| {
            json!({"content": content, "dest": dest,
            "validate": "grep -q good %s"})
        };
        let ran = host.run::<This>(args("bad\n"));
        let error = ran.result.unwrap_err();
        assert!(
            error
                .msg
                .starts_with("failed to validate: `grep -q good %s` refused"),
            "{error}"
        );
        assert_eq!(error.data["exit_status"], 1);
        assert_eq!(
            (text(system, &dest), ran.changes),
            ("good\n".into(), vec![])
        );
        assert_eq!(system.read_dir(root).unwrap().len(), 1);
        host.run::<This>(args("good too\n")).result.unwrap();
        assert_eq!(text(system, &dest), "good too\n");
        assert_eq!(system.read_dir(root).unwrap().len(), 1);
    });
}

#[test]
fn validate_without_a_place_for_the_path_is_refused() {
    on_each_system(|system, root| {
        let args = json!({"content": "x", "dest": path(root, "f"), "validate": "visudo -c"});
        let error = Fixture::new(system).run::<This>(args).result.unwrap_err();
        assert_eq!(error.msg, "validate must contain %s: visudo -c");
    });
}

fn html() -> Value {
    json!([
        {"path": "sub", "mode": 0o755, "kind": "directory"},
        {"path": "sub/a", "mode": 0o644, "kind": {"file": 0}},
        {"path": "b", "mode": 0o600, "kind": {"file": 1}},
        {"path": "l", "mode": 0o777, "kind": {"link": "b"}},
    ])
}

#[test]
fn a_folder_or_its_content_is_copied() {
    on_each_system(|system, root| {
        let host = Fixture::new(system).blob("A").blob("B");
        let args = |src: &str| {
            json!({"src": {"src": src, "entries": html()},
            "dest": path(root, "www"), "directory_mode": "0711", "mode": "0640"})
        };
        host.run::<This>(args("html/")).result.unwrap();
        assert_eq!(text(system, &path(root, "www/sub/a")), "A");
        assert_eq!(mode(system, &path(root, "www/sub")), 0o711);
        assert_eq!(mode(system, &path(root, "www/b")), 0o640);
        assert_eq!(text(system, &path(root, "www/l")), "B");
        assert_eq!(host.run::<This>(args("html/")).changes, []);
        host.run::<This>(args("html")).result.unwrap();
        assert_eq!(text(system, &path(root, "www/html/b")), "B");
    });
}

#[test]
fn remote_folders_are_copied_with_their_modes() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "from/x/f"), "F")
            .link("x", &path(root, "from/l"));
        host.run::<This>(json!({"content": "S", "dest": path(root, "from/s"), "mode": "0700"}));
        let args = |follow: bool, dest: &str| {
            json!({"src": path(root, "from/"),
            "remote_src": true, "dest": path(root, dest), "mode": "preserve",
            "local_follow": follow})
        };
        host.run::<This>(args(true, "to")).result.unwrap();
        assert_eq!(text(system, &path(root, "to/l/f")), "F");
        assert_eq!(mode(system, &path(root, "to/s")), 0o700);
        assert!(!system.lstat(&root.join("to/l")).unwrap().unwrap().is_link());
        host.run::<This>(args(false, "links")).result.unwrap();
        assert!(
            system
                .lstat(&root.join("links/l"))
                .unwrap()
                .unwrap()
                .is_link()
        );
        assert_eq!(host.run::<This>(args(false, "links")).changes, []);
    });
}

#[test]
fn a_link_back_to_the_folder_that_holds_it_is_copied_as_a_link() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "from/f"), "")
            .link(".", &path(root, "from/loop"));
        let args = json!({"src": path(root, "from"), "remote_src": true,
            "dest": path(root, "to")});
        host.run::<This>(args).result.unwrap();
        let copied = system.lstat(Path::new(&path(root, "to/from/loop")));
        assert!(copied.unwrap().unwrap().is_link());
    });
}

#[test]
fn a_copy_of_the_hosts_own_file_is_as_old_as_that() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(&path(root, "from/f"), "new").file(&path(root, "to/f"), "old");
        let early = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let attrs = Attrs { mtime: Some(early), ..Attrs::default() };
        host.on_host(|host| host.set_attrs(Path::new(&path(root, "from/f")), &attrs)).unwrap();
        for (src, dest, made) in [("from/f", "to/f", "to/f"), ("from/f", "g", "g"), ("from", "tree", "tree/from/f")] {
            let args = json!({"src": path(root, src), "remote_src": true, "dest": path(root, dest)});
            host.run::<This>(args).result.unwrap();
            let meta = system.lstat(Path::new(&path(root, made))).unwrap().unwrap();
            assert_eq!(meta.mtime, early, "{made}");
        }
        // In the place of a link it is made beside it first, which is no change of its own.
        host.link(&path(root, "g"), &path(root, "l"));
        let args = json!({"src": path(root, "from/f"), "remote_src": true, "dest": path(root, "l"), "follow": false});
        assert_eq!(host.run::<This>(args).changes.len(), 1);
    });
}

#[test]
fn a_wrong_checksum_copies_nothing() {
    on_each_system(|system, root| {
        let host = Fixture::new(system).blob("x");
        let args = json!({"src": sent("f", 0o644), "dest": path(root, "f"), "checksum": "00"});
        let error = host.run::<This>(args).result.unwrap_err();
        assert!(error.msg.contains("not `00`"), "{error}");
        assert!(system.read_dir(root).unwrap().is_empty());
    });
}

#[test]
fn a_folder_with_one_file_is_still_a_folder() {
    on_each_system(|system, root| {
        let host = Fixture::new(system).blob("A");
        let entries = json!([{"path": "a", "mode": 0o644, "kind": {"file": 0}}]);
        let args = json!({"src": {"src": "one", "entries": entries}, "dest": path(root, "to")});
        host.run::<This>(args).result.unwrap();
        assert_eq!(text(system, &path(root, "to/one/a")), "A");
    });
}
