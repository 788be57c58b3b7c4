use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rplay_api::{Overlay, RealSystem, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, Ran};

/// A repository with two revisions of a file in its trunk and a branch; none where the machine has no
/// svn to make one with.
struct Upstream(tempfile::TempDir);

fn sh(dir: &Path, script: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]).current_dir(dir);
    let output = shell.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
}

impl Upstream {
    fn new() -> Option<Self> {
        let found = Command::new("svnadmin").arg("--version").output();
        if found.is_err() {
            assert!(
                std::env::var_os("CI").is_none(),
                "CI installs subversion: see .ci/run"
            );
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let script = "svnadmin create repo; u=file://$PWD/repo; svn -q mkdir $u/trunk -m 1
            svn -q co $u/trunk w; echo one > w/f; svn -q add w/f; svn -q ci w -m 2
            echo two > w/f; svn -q ci w -m 3; svn -q cp $u/trunk $u/branch -m 4";
        sh(dir.path(), script);
        Some(Self(dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("file://{}/{name}", self.path("repo").display())
    }

    fn svn(&self, system: &dyn System, mut args: Value) -> Ran {
        args["repo"] = self.url(args["repo"].as_str().unwrap_or("trunk")).into();
        if args.get("dest").is_none() {
            args["dest"] = self.path("d").to_string_lossy().into_owned().into();
        }
        Fixture::new(system).run::<This>(args)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn lines(&self, revision: u32, name: &str) -> Value {
        json!([format!("Revision: {revision}"), format!("URL: {}", self.url(name))])
    }
}

fn data(ran: &Ran) -> &serde_json::Map<String, Value> {
    &ran.result.as_ref().unwrap().data
}

#[test]
fn a_checkout_is_made_kept_and_brought_on() {
    let Some(up) = Upstream::new() else { return };
    let first = up.svn(&RealSystem, json!({"revision": "2"}));
    assert_eq!(data(&first)["before"], Value::Null);
    assert_eq!(data(&first)["after"], up.lines(2, "trunk"));
    assert_eq!((first.changes.len(), up.text("d/f")), (1, "one\n".into()));
    assert_eq!(up.svn(&RealSystem, json!({"revision": "2"})).changes, []);
    let on = up.svn(&RealSystem, json!({}));
    assert_eq!(data(&on)["before"], up.lines(2, "trunk"));
    assert_eq!((on.changes.len(), up.text("d/f")), (1, "two\n".into()));
    assert_eq!(up.svn(&RealSystem, json!({})).changes, []);
}

#[test]
fn a_dry_run_tells_the_revision_and_makes_nothing() {
    let Some(up) = Upstream::new() else { return };
    let dry = Overlay::new(Arc::new(RealSystem));
    let first = up.svn(&dry, json!({"revision": "2"}));
    assert_eq!(data(&first)["after"], up.lines(2, "trunk"));
    assert_eq!(first.changes.len(), 1);
    let again = up.svn(&dry, json!({}));
    assert_eq!(data(&again)["before"], up.lines(2, "trunk"));
    assert_eq!(data(&again)["after"], up.lines(4, "trunk"));
    assert!(!up.path("d").exists());
}

#[test]
fn a_revision_in_which_no_file_changed_is_no_change() {
    let Some(up) = Upstream::new() else { return };
    up.svn(&RealSystem, json!({"revision": "3"}));
    let on = up.svn(&RealSystem, json!({}));
    assert_eq!(on.changes, []);
    assert_eq!(data(&on)["after"], up.lines(4, "trunk"));
}

#[test]
fn changed_files_are_thrown_away_only_by_force() {
    let Some(up) = Upstream::new() else { return };
    up.svn(&RealSystem, json!({}));
    std::fs::write(up.path("d/f"), "mine\n").unwrap();
    std::fs::write(up.path("d/untracked"), "").unwrap();
    let refused = up.svn(&RealSystem, json!({})).result.unwrap_err();
    assert_eq!(refused.msg, "ERROR: modified files exist in the repository.");
    let forced = up.svn(&RealSystem, json!({"force": true}));
    assert_eq!((forced.changes.len(), up.text("d/f")), (1, "two\n".into()));
}

#[test]
fn a_working_copy_follows_to_another_address() {
    let Some(up) = Upstream::new() else { return };
    up.svn(&RealSystem, json!({}));
    let stays = up.svn(&RealSystem, json!({"repo": "branch", "switch": false}));
    assert_eq!(data(&stays)["after"], up.lines(4, "trunk"));
    let follows = up.svn(&RealSystem, json!({"repo": "branch"}));
    assert_eq!(data(&follows)["after"], up.lines(4, "branch"));
    assert_eq!(follows.changes.len(), 1);
}

#[test]
fn an_export_has_no_records_and_replaces_nothing_unforced() {
    let Some(up) = Upstream::new() else { return };
    let first = up.svn(&RealSystem, json!({"export": true}));
    assert_eq!((first.changes.len(), up.text("d/f")), (1, "two\n".into()));
    assert!(!up.path("d/.svn").exists());
    assert!(up.svn(&RealSystem, json!({"export": true})).result.is_err());
    let forced = up.svn(&RealSystem, json!({"export": true, "force": true}));
    assert_eq!(forced.changes.len(), 1);
}

#[test]
fn a_folder_in_the_way_is_taken_only_in_place() {
    let Some(up) = Upstream::new() else { return };
    std::fs::create_dir(up.path("d")).unwrap();
    std::fs::write(up.path("d/f"), "mine\n").unwrap();
    let refused = up.svn(&RealSystem, json!({})).result.unwrap_err();
    assert!(refused.msg.contains("folder already exists"), "{}", refused.msg);
    up.svn(&RealSystem, json!({"in_place": true})).result.unwrap();
    assert_eq!(up.text("d/f"), "mine\n");
    up.svn(&RealSystem, json!({"in_place": true, "force": true}));
    assert_eq!(up.text("d/f"), "two\n");
}

#[test]
fn a_question_needs_no_folder() {
    let Some(up) = Upstream::new() else { return };
    let asked = up.svn(&RealSystem, json!({"dest": null, "checkout": false, "update": false}));
    assert_eq!(data(&asked)["after"], "Revision: 4");
    assert_eq!(asked.changes, []);
    let refused = up.svn(&RealSystem, json!({"dest": null})).result.unwrap_err();
    assert!(refused.msg.starts_with("the destination directory must be specified"));
}

#[test]
fn what_svn_says_is_the_failure() {
    let Some(up) = Upstream::new() else { return };
    let failure = up.svn(&RealSystem, json!({"repo": "nowhere"})).result.unwrap_err();
    let words = &failure.msg;
    assert!(words.starts_with("svn: ") && words.contains("nowhere"), "{words}");
    assert!(!up.path("d").exists());
}
