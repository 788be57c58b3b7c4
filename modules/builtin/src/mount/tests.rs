use std::path::Path;

use rplay_api::Overlay;
use serde_json::{Value, json};

use super::This;
use crate::fixture::Fixture;

const MOUNTS: &str = "/dev/a / ext4 rw 0 0\ntmpfs /mnt/a tmpfs rw 0 0\n/dev/s /mnt/b\\040c ext4 rw 0 0\n";

fn on_host(fstab: &str, body: impl Fn(&Fixture)) {
    let overlay = Overlay::empty();
    let fixture = Fixture::new(&overlay);
    fixture.file("/proc/self/mounts", MOUNTS).file("/etc/fstab", fstab);
    body(&fixture);
}

fn fstab(fixture: &Fixture) -> String {
    fixture.on_host(|host| host.read_text(Path::new("/etc/fstab")).unwrap())
}

/// What fstab becomes; a second run must find nothing to do.
#[track_caller]
fn assert_fstab(before: &str, args: Value, after: &str) {
    on_host(before, |fixture| {
        fixture.run::<This>(args.clone()).result.unwrap();
        assert_eq!(fstab(fixture), after, "{args}");
        assert_eq!(fixture.run::<This>(args.clone()).changes, [], "{args}");
    });
}

fn tmpfs(path: &str, state: &str) -> Value {
    json!({"path": path, "src": "tmpfs", "fstype": "tmpfs", "state": state})
}

#[test]
fn a_line_is_added_or_changed_and_the_others_stay() {
    let old = "# c\n/dev/a   /mnt/q  ext4\tdefaults 0 2\nbad line\n\n/dev/b /mnt/q2 xfs";
    let args = |src: &str| json!({"path": "/mnt/q", "src": src, "fstype": "ext4", "passno": 2, "state": "present"});
    assert_fstab(old, args("/dev/a"), old);
    let new = "# c\n/dev/a2 /mnt/q ext4 defaults 0 2\nbad line\n\n/dev/b /mnt/q2 xfs\n";
    assert_fstab(old, args("/dev/a2"), new);
    assert_fstab("", tmpfs("/mnt/x", "present"), "tmpfs /mnt/x tmpfs defaults 0 0\n");
    let blanks = json!({"path": "/mnt/z", "src": "//s/a b", "fstype": "cifs", "opts": "user=a b",
        "boot": false, "state": "present"});
    assert_fstab("", blanks, "//s/a\\040b /mnt/z cifs user=a\\040b,noauto 0 0\n");
}

#[test]
fn swap_space_is_known_by_its_source() {
    let old = "/dev/s1 none swap sw 0 0\n";
    let args = |src: &str, state: &str| json!({"path": "none", "src": src, "fstype": "swap", "opts": "sw", "state": state});
    assert_fstab(old, args("/dev/s2", "present"), &format!("{old}/dev/s2 none swap sw 0 0\n"));
    assert_fstab(old, args("/dev/s2", "absent_from_fstab"), old);
    assert_fstab(old, args("/dev/s1", "absent_from_fstab"), "");
}

#[test]
fn what_is_mounted_is_not_mounted_again() {
    on_host("", |fixture| {
        let ran = fixture.run::<This>(tmpfs("/mnt/n", "mounted"));
        let things: Vec<_> = ran.changes.iter().map(|change| change.target.parts()).collect();
        assert!(things.contains(&("mount", "/mnt/n")) && things.contains(&("file", "/mnt/n")), "{things:?}");
        assert_eq!(fixture.run::<This>(tmpfs("/mnt/n", "mounted")).changes, []);
        let args = json!({"path": "/mnt/n", "state": "unmounted"});
        assert_eq!(fixture.run::<This>(args.clone()).changes.len(), 1);
        assert_eq!(fixture.run::<This>(args).changes, []);
    });
    on_host("tmpfs /mnt/a tmpfs defaults 0 0\n", |fixture| {
        fixture.file("/mnt/a/x", "");
        assert_eq!(fixture.run::<This>(tmpfs("/mnt/a", "mounted")).changes, []);
        let again = fixture.run::<This>(json!({"path": "/mnt/a", "state": "remounted"}));
        assert_eq!(again.changes.len(), 1);
    });
}

#[test]
fn what_is_gone_leaves_neither_line_nor_folder() {
    on_host("tmpfs /mnt/b\\040c tmpfs defaults 0 0\n", |fixture| {
        // What is in the file system that is unmounted is not in the folder.
        fixture.file("/mnt/b c/x", "");
        let args = json!({"path": "/mnt/b c", "state": "absent"});
        assert_eq!(fixture.run::<This>(args.clone()).changes.len(), 3);
        assert_eq!(fstab(fixture), "");
        assert_eq!(fixture.run::<This>(args).changes, []);
        fixture.file("/mnt/full/x", "");
        let failure = fixture.run::<This>(json!({"path": "/mnt/full", "state": "absent"})).result.unwrap_err();
        assert_eq!(failure.msg, "Error rmdir /mnt/full: Directory not empty");
    });
}

#[test]
fn an_ephemeral_one_is_in_no_file() {
    on_host("", |fixture| {
        assert_eq!(fixture.run::<This>(tmpfs("/mnt/e", "ephemeral")).changes.len(), 3);
        assert_eq!(fixture.run::<This>(tmpfs("/mnt/a", "ephemeral")).changes.len(), 1);
        let other = json!({"path": "/mnt/a", "src": "/dev/b", "fstype": "ext4", "state": "ephemeral"});
        let failure = fixture.run::<This>(other).result.unwrap_err();
        assert!(failure.msg.contains("different source"), "{failure}");
        assert_eq!(fstab(fixture), "");
    });
}

#[test]
fn what_is_to_be_mounted_has_a_source_and_a_type() {
    on_host("", |fixture| {
        let failure = fixture.run::<This>(json!({"path": "/x", "src": "/y", "state": "present"})).result.unwrap_err();
        assert_eq!(failure.msg, "state is present but all of the following are missing: fstype");
        let failure = fixture.run::<This>(json!({"path": "/x", "state": "remounted"})).result.unwrap_err();
        assert_eq!(failure.arg.as_deref(), Some("path"));
    });
}
