use rplay_api::{Overlay, Target};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, Ran, run};

fn host() -> Overlay {
    let overlay = Overlay::empty();
    Fixture::new(&overlay)
        .file("/etc/login.defs", "UMASK 022\nHOME_MODE 0700\nUSERGROUPS_ENAB yes\n")
        .file("/etc/default/useradd", "SHELL=/bin/sh\nGROUP=100\n")
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbob:x:1000:1000:Bob:/home/bob:/bin/sh\n")
        .file("/etc/shadow", "root:*:19000:0:99999:7:::\nbob:$6$salt$old:19000:0:99999:7:::\n")
        .file("/etc/group", "root:x:0:\nusers:x:100:\nsudo:x:27:bob\nadm:x:4:bob\nbob:x:1000:\n")
        .file("/etc/skel/.profile", "# profile\n")
        .file("/home/bob/.profile", "# profile\n");
    for program in ["useradd", "usermod", "userdel", "groupadd", "groupdel", "chpasswd", "chage"] {
        Fixture::new(&overlay).file(&format!("/usr/sbin/{program}"), "");
    }
    overlay
}

fn ok(host: &Overlay, args: Value) -> Ran {
    let ran = run::<This>(host, args);
    assert!(ran.result.is_ok(), "{:?}", ran.result);
    ran
}

fn targets(ran: &Ran) -> Vec<Target> {
    ran.changes.iter().map(|c| c.target.clone()).collect()
}

#[test]
fn a_new_account_is_announced_with_its_group_home_and_skeleton() {
    let host = host();
    let ran = ok(&host, json!({"name": "etcd", "comment": "etcd user"}));
    assert_eq!(
        targets(&ran),
        [
            Target::Group("etcd".into()),
            Target::User("etcd".into()),
            Target::File("/home/etcd".into()),
            Target::File("/home/etcd/.profile".into()),
        ]
    );
    let home = ran.changes[2].after.as_ref().unwrap();
    assert_eq!((home["mode"].as_str(), home["owner"].as_str()), ("0700", "etcd"));
    let data = ran.result.unwrap().data;
    assert_eq!((&data["uid"], &data["group"]), (&json!(1001), &json!(1001)));
    assert_eq!((&data["home"], &data["shell"]), (&json!("/home/etcd"), &json!("/bin/sh")));
    assert_eq!(ok(&host, json!({"name": "etcd", "comment": "etcd user"})).changes, []);
}

#[test]
fn an_account_with_all_given_gets_just_that() {
    let host = host();
    let args = json!({
        "name": "etcd", "uid": 1501, "group": "users", "groups": "adm", "home": "/var/lib/etcd",
        "shell": "/bin/false", "create_home": false, "expires": 1_422_403_387.0,
    });
    let ran = ok(&host, args);
    assert_eq!(targets(&ran), [Target::User("etcd".into())]);
    let after = ran.changes[0].after.clone().unwrap();
    let got: Vec<_> = after.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        got,
        ["expires=2015-01-28", "gid=100", "groups=adm", "home=/var/lib/etcd", "shell=/bin/false", "uid=1501"]
    );
}

#[test]
fn groups_are_replaced_or_added_to() {
    let groups = |args: Value| {
        let host = host();
        let ran = ok(&host, args);
        ran.changes.first().map(|c| c.after.as_ref().unwrap().get("groups").cloned().unwrap_or_default())
    };
    assert_eq!(groups(json!({"name": "bob", "groups": "sudo"})), Some("sudo".into()));
    assert_eq!(groups(json!({"name": "bob", "groups": "users", "append": true})), Some("adm,sudo,users".into()));
    assert_eq!(groups(json!({"name": "bob", "groups": ["adm", "sudo"]})), None);
    assert_eq!(groups(json!({"name": "bob", "groups": ""})), Some(String::new()));
    assert_eq!(groups(json!({"name": "bob", "groups": "4", "append": true})), None);
}

#[test]
fn a_missing_group_is_named() {
    let got = run::<This>(&host(), json!({"name": "bob", "groups": "wheel"})).result.unwrap_err();
    assert_eq!((got.msg.as_str(), got.arg.as_deref()), ("there is no group `wheel`", Some("groups")));
}

#[test]
fn a_password_shows_nowhere() {
    let host = host();
    let new = "$6$othersalt$newhash";
    let ran = ok(&host, json!({"name": "bob", "password": new}));
    assert_eq!(ran.changes.len(), 1);
    let all = format!("{:?} {:?}", ran.changes, ran.result);
    assert!(!all.contains("salt") && !all.contains("newhash"), "{all}");
    assert_eq!(ok(&host, json!({"name": "bob", "password": new})).changes, []);
}

#[test]
fn a_password_of_an_earlier_task_is_known_and_in_no_other_change() {
    let host = host();
    let set = json!({"name": "etcd", "password": "$6$salt$one", "password_lock": false});
    ok(&host, set.clone());
    let ran = ok(&host, json!({"name": "etcd", "comment": "x"}));
    assert_eq!(ran.changes.len(), 1);
    assert!(!ran.changes[0].before.as_ref().unwrap().contains_key("password"));
    assert_eq!(ok(&host, set).changes, []);
}

#[test]
fn a_password_that_is_set_already_or_for_creation_only_stays() {
    let host = host();
    assert_eq!(ok(&host, json!({"name": "bob", "password": "$6$salt$old"})).changes, []);
    let args = json!({"name": "bob", "password": "$6$x$y", "update_password": "on_create"});
    assert_eq!(ok(&host, args).changes, []);
}

#[test]
fn a_password_in_plain_is_warned_of() {
    let ran = ok(&host(), json!({"name": "bob", "password": "hunter2"}));
    assert!(ran.warnings[0].contains("password_hash"), "{:?}", ran.warnings);
    assert!(!format!("{:?}", ran.changes).contains("hunter2"));
}

#[test]
fn a_lock_and_an_expiry_are_changes_once() {
    let host = host();
    for args in [json!({"name": "bob", "password_lock": true}), json!({"name": "bob", "expires": 0})] {
        assert_eq!(ok(&host, args.clone()).changes.len(), 1);
        assert_eq!(ok(&host, args).changes, []);
    }
    assert_eq!(ok(&host, json!({"name": "bob", "expires": -1})).changes.len(), 1);
    assert_eq!(ok(&host, json!({"name": "bob", "password_expire_max": 90})).changes.len(), 1);
}

#[test]
fn a_home_is_moved_and_its_files_follow_a_new_number() {
    let host = host();
    Fixture::new(&host).file("/home/bob/notes", "x").on_host(|h| {
        for path in ["/home/bob", "/home/bob/notes"] {
            let attrs = rplay_api::Attrs { uid: Some(1000), gid: Some(1000), ..Default::default() };
            h.set_attrs(path.as_ref(), &attrs).unwrap();
        }
    });
    let args = json!({"name": "bob", "home": "/srv/bob", "move_home": true, "uid": 2000});
    Fixture::new(&host).file("/srv/x", "");
    ok(&host, args);
    Fixture::new(&host).on_host(|h| {
        assert!(h.lstat("/home/bob".as_ref()).unwrap().is_none());
        let notes = h.lstat("/srv/bob/notes".as_ref()).unwrap().unwrap();
        assert_eq!((notes.uid, notes.gid), (2000, 1000));
    });
}

#[test]
fn a_removed_account_takes_its_own_group_along() {
    let host = host();
    let ran = ok(&host, json!({"name": "bob", "state": "absent"}));
    assert_eq!(targets(&ran), [Target::User("bob".into()), Target::Group("bob".into())]);
    assert_eq!(ok(&host, json!({"name": "bob", "state": "absent"})).changes, []);
}

#[test]
fn the_home_is_removed_only_where_it_is_the_accounts() {
    let host = host();
    Fixture::new(&host).file("/home/bob/notes", "x");
    let ran = ok(&host, json!({"name": "bob", "state": "absent", "remove": true}));
    assert_eq!(ran.changes.len(), 2);
    assert!(ran.warnings[0].contains("is kept"), "{:?}", ran.warnings);
}

#[test]
fn a_taken_number_is_refused() {
    let got = run::<This>(&host(), json!({"name": "etcd", "uid": 1000})).result.unwrap_err();
    assert_eq!(got.msg, "the user `bob` has the number 1000 already");
}

#[test]
fn a_system_account_counts_down() {
    let host = host();
    let data = ok(&host, json!({"name": "daemon1", "system": true, "create_home": false})).result.unwrap().data;
    assert_eq!((&data["uid"], &data["group"]), (&json!(999), &json!(999)));
    let data = ok(&host, json!({"name": "daemon2", "system": true, "create_home": false})).result.unwrap().data;
    assert_eq!(data["uid"], 998);
}

#[test]
fn a_shell_in_a_home_folder_and_a_skeleton_of_nothing_are_taken() {
    let host = host();
    Fixture::new(&host).file("/dev/null", "");
    let args = json!({"name": "etcd", "shell": "~nobody-here/sh", "skeleton": "/dev/null"});
    let ran = ok(&host, args);
    assert_eq!(targets(&ran).len(), 3, "no file of a skeleton: {:?}", targets(&ran));
    assert_eq!(ran.result.unwrap().data["shell"], "~nobody-here/sh");
}

#[test]
fn an_account_without_an_entry_in_shadow_gets_one_with_its_expiry() {
    let host = host();
    Fixture::new(&host).file("/etc/passwd", "ann:x:1005:100::/home/ann:/bin/sh\n").file("/home/ann/f", "");
    let args = json!({"name": "ann", "expires": -1.0});
    assert_eq!(targets(&ok(&host, args.clone())), [Target::User("ann".into())]);
    assert_eq!(ok(&host, args).changes, []);
}

#[test]
fn a_hash_that_is_cut_off_is_warned_of() {
    let ran = ok(&host(), json!({"name": "bob", "password": "$6$salt$short"}));
    assert_eq!(ran.warnings.len(), 1, "{:?}", ran.warnings);
}

#[test]
fn what_only_the_shadow_suite_does_is_refused_for_local_accounts() {
    for (arg, value) in [("umask", json!("077")), ("uid_min", json!(1000)), ("uid_max", json!(2000))] {
        let mut args = json!({"name": "etcd", "local": true});
        args[arg] = value;
        let got = run::<This>(&host(), args).result.unwrap_err();
        assert_eq!(got.msg, format!("`{arg}` cannot be used with `local`"));
    }
}
