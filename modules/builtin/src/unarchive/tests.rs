use std::path::Path;
use std::process::Command;

use rplay_api::System;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::This;
use crate::fixture::{Fixture, Ran, on_each_system};

/// A folder such as releases have, packed by a shell command that runs in it.
fn packed(command: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "set -e; umask 022; mkdir -p app-1/bin app-1/doc; echo run > app-1/bin/app
         chmod 755 app-1/bin/app; ln -s bin/app app-1/start; echo read > app-1/doc/README.md
         head -c 300000 /dev/zero > app-1/big; chmod 600 app-1/doc/README.md
         touch -d 2020-02-03T04:05:06Z app-1/bin/app app-1/doc/README.md app-1/big
         {command}"
    );
    let status = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&dir)
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
    std::fs::read(dir.path().join("out")).unwrap()
}

/// An archive of members that no packer makes.
fn crafted(members: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(vec![]);
    for (path, kind, text) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        // The builder's own setters refuse what is tested here.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        let is_file = *kind == EntryType::Regular;
        header.set_size(if is_file { text.len() as u64 } else { 0 });
        if !is_file {
            header.as_old_mut().linkname[..text.len()].copy_from_slice(text.as_bytes());
        }
        header.set_cksum();
        let body = if is_file { text.as_bytes() } else { b"" };
        builder.append(&header, body).unwrap();
    }
    builder.into_inner().unwrap()
}

fn unpack(system: &dyn System, root: &Path, archive: Vec<u8>, more: Value) -> Ran {
    let host = Fixture::new(system).blob(archive);
    let dest = root.join("dest");
    host.on_host(|h| h.make_dirs(&dest, &Default::default()).unwrap());
    let src = json!({"src": "files/a.tgz", "entries": [
        {"path": "", "mode": 0o644, "kind": {"file": 0}}]});
    let mut args = json!({"src": src, "dest": dest});
    for (name, value) in more.as_object().unwrap() {
        args[name] = value.clone();
    }
    host.run::<This>(args)
}

fn text(system: &dyn System, path: &Path) -> String {
    Fixture::new(system).on_host(|host| host.read_text(path).unwrap())
}

fn exists(system: &dyn System, path: &Path) -> bool {
    system.lstat(path).unwrap().is_some()
}

#[test]
fn every_format_is_unpacked_and_then_left_alone() {
    let formats = [
        ("tar cf out app-1", "TarArchive"),
        ("tar czf out app-1", "TgzArchive"),
        ("tar cjf out app-1", "TarBzipArchive"),
        ("tar cJf out app-1", "TarXzArchive"),
        ("tar c --zstd -f out app-1", "TarZstdArchive"),
        (
            "tar cf t app-1; (head -c 9000 t | zstd; tail -c +9001 t | zstd) > out",
            "TarZstdArchive",
        ),
        ("zip -qry out app-1; mv out.zip out", "ZipArchive"),
    ];
    for (command, handler) in formats {
        on_each_system(|system, root| {
            let archive = packed(command);
            let ran = unpack(system, root, archive.clone(), json!({}));
            let data = ran.result.unwrap().data;
            assert_eq!(data["handler"], handler);
            let app = root.join("dest/app-1");
            assert_eq!(text(system, &app.join("start")), "run\n");
            let meta = |name: &str| system.lstat(&app.join(name)).unwrap().unwrap();
            assert_eq!(
                (meta("bin/app").mode, meta("doc/README.md").mode),
                (0o755, 0o600)
            );
            assert_eq!(meta("big").size, 300_000);
            let time = meta("bin/app")
                .mtime
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            assert_eq!(time.as_secs(), 1_580_702_706);
            assert_eq!(
                unpack(system, root, archive, json!({})).changes,
                [],
                "{command}"
            );
        });
    }
}

#[test]
fn only_what_differs_is_written() {
    on_each_system(|system, root| {
        let archive = packed("tar czf out app-1");
        unpack(system, root, archive.clone(), json!({}))
            .result
            .unwrap();
        let file = root.join("dest/app-1/doc/README.md");
        Fixture::new(system).file(file.to_str().unwrap(), "READ\n");
        let ran = unpack(system, root, archive, json!({}));
        assert_eq!(ran.changes.len(), 1, "{:?}", ran.changes);
        assert_eq!(text(system, &file), "read\n");
    });
}

#[test]
fn a_difference_far_into_a_file_is_found() {
    on_each_system(|system, root| {
        let archive = packed("tar czf out app-1");
        let file = root.join("dest/app-1/big");
        let mut other = vec![0; 300_000];
        other[250_000] = b'x';
        Fixture::new(system).file(file.to_str().unwrap(), std::str::from_utf8(&other).unwrap());
        unpack(system, root, archive, json!({})).result.unwrap();
        assert_eq!(text(system, &file), "\0".repeat(300_000));
    });
}

#[test]
fn parts_are_stripped_and_members_chosen() {
    on_each_system(|system, root| {
        let archive = packed("tar czf out ./app-1");
        let more = json!({"extra_opts": ["--strip-components=1"], "exclude": ["*.md"],
            "list_files": true, "mode": "u+w,go-rx"});
        let data = unpack(system, root, archive.clone(), more)
            .result
            .unwrap()
            .data;
        let dest = root.join("dest");
        assert!(exists(system, &dest.join("bin/app")));
        assert_eq!(
            system.lstat(&dest.join("bin/app")).unwrap().unwrap().mode,
            0o700
        );
        assert!(!exists(system, &dest.join("doc/README.md")));
        let files = data["files"].as_array().unwrap();
        assert!(files.contains(&json!("./app-1/bin/app")), "{files:?}");

        let error = unpack(system, root, archive, json!({"include": ["app-1/none"]}));
        let error = error.result.unwrap_err();
        assert_eq!(error.msg, "`files/a.tgz` has no member `app-1/none`");
    });
}

#[test]
fn members_that_would_leave_the_destination_are_refused() {
    use EntryType::{Link, Regular, Symlink};
    type Members<'m> = &'m [(&'m str, EntryType, &'m str)];
    let cases: [(Members, &str); 7] = [
        (
            &[("../evil", Regular, "x")],
            "leaves the destination with `..`",
        ),
        (
            &[("a/../../evil", Regular, "x")],
            "leaves the destination with `..`",
        ),
        (&[("/evil", Regular, "x")], "has an absolute path"),
        (&[("l", Symlink, "/etc")], "out of the destination"),
        (&[("l", Symlink, "../secret")], "out of the destination"),
        (
            &[("l", Link, "../secret")],
            "leaves the destination with `..`",
        ),
        // Each link alone stays inside; together they do not.
        (
            &[
                ("p/q/r", Symlink, "../.."),
                ("p/q/s", Symlink, "r/../secret"),
            ],
            "out of the destination",
        ),
    ];
    for (members, why) in cases {
        on_each_system(|system, root| {
            Fixture::new(system).file(root.join("secret").to_str().unwrap(), "s");
            let ran = unpack(system, root, crafted(members), json!({}));
            let error = ran.result.unwrap_err();
            assert!(
                error.msg.starts_with("refusing to unpack") && error.msg.contains(why),
                "{error}"
            );
            assert!(!exists(system, &root.join("evil")) && !exists(system, Path::new("/evil")));
        });
    }
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(root.join("out/f").to_str().unwrap(), "old");
        host.link("../out", root.join("dest/l").to_str().unwrap());
        let archive = crafted(&[("l/f", EntryType::Regular, "new")]);
        let error = unpack(system, root, archive, json!({})).result.unwrap_err();
        assert!(
            error.msg.contains("through a link out of the destination"),
            "{error}"
        );
        assert_eq!(text(system, &root.join("out/f")), "old");
    });
}

#[test]
fn a_file_takes_the_place_of_a_link_and_not_of_what_it_leads_to() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        host.file(root.join("out").to_str().unwrap(), "old");
        host.link("../out", root.join("dest/f").to_str().unwrap());
        let archive = crafted(&[("f", EntryType::Regular, "new")]);
        unpack(system, root, archive, json!({})).result.unwrap();
        assert_eq!(text(system, &root.join("out")), "old");
        assert_eq!(text(system, &root.join("dest/f")), "new");
    });
}

#[test]
fn hard_links_share_their_file() {
    on_each_system(|system, root| {
        let archive = packed("ln app-1/big app-1/same; tar cf out app-1/big app-1/same");
        unpack(system, root, archive.clone(), json!({}))
            .result
            .unwrap();
        let inode = |name: &str| {
            system
                .lstat(&root.join("dest/app-1").join(name))
                .unwrap()
                .unwrap()
                .inode
        };
        assert_eq!(inode("big"), inode("same"));
        assert_eq!(unpack(system, root, archive, json!({})).changes, []);
    });
}

#[test]
fn newer_files_stay_where_the_task_says_so() {
    on_each_system(|system, root| {
        let archive = packed("tar cf out app-1");
        let file = root.join("dest/app-1/bin/app");
        Fixture::new(system).file(file.to_str().unwrap(), "mine");
        unpack(system, root, archive, json!({"keep_newer": true}))
            .result
            .unwrap();
        assert_eq!(text(system, &file), "mine");
    });
}

#[test]
fn a_damaged_or_wrong_file_is_said_to_be_one() {
    on_each_system(|system, root| {
        let mut archive = packed("tar czf out app-1");
        archive.truncate(archive.len() / 2);
        let error = unpack(system, root, archive, json!({})).result.unwrap_err();
        assert!(
            error.msg.contains("damaged") || error.msg.contains("could not"),
            "{error}"
        );
        let error = unpack(system, root, b"<html>not found".to_vec(), json!({}));
        assert_eq!(error.result.unwrap_err().msg, "`files/a.tgz` is no archive");
    });
}

#[test]
fn creates_saves_the_work() {
    on_each_system(|system, root| {
        Fixture::new(system).file(root.join("there").to_str().unwrap(), "");
        let ran = unpack(system, root, vec![], json!({"creates": root.join("there")}));
        let data = ran.result.unwrap().data;
        assert!(data["msg"].as_str().unwrap().starts_with("skipped, since"));
    });
}

#[test]
fn a_missing_destination_is_refused() {
    on_each_system(|system, root| {
        let more = json!({"dest": root.join("none")});
        let error = unpack(system, root, packed("tar cf out app-1"), more)
            .result
            .unwrap_err();
        assert!(
            error.msg.ends_with("is not a folder that is there"),
            "{error}"
        );
    });
}
