use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rplay_api::{Outcome, Overlay, RealSystem, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, Ran};

/// A repository to check out, with a working folder that pushes to it.
struct Upstream {
    dir: tempfile::TempDir,
}

fn sh(dir: &Path, script: &str) -> String {
    let output = Command::new("sh")
        .args(["-ec", script])
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", dir.join("none"))
        .envs([("GIT_AUTHOR_NAME", "t"), ("GIT_AUTHOR_EMAIL", "t@e")])
        .envs([("GIT_COMMITTER_NAME", "t"), ("GIT_COMMITTER_EMAIL", "t@e")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Upstream {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = "git init -q --bare -b main up.git; git init -q -b main w; cd w
            git remote add origin ../up.git; echo 1 > a; git add .; git commit -qm one
            git tag -am note v1; git checkout -qb dev; echo d > d; git add .; git commit -qm dev
            git checkout -q main; git push -q origin main dev v1";
        sh(dir.path(), script);
        Self { dir }
    }

    fn url(&self) -> String {
        format!("file://{}", self.path("up.git").display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    fn commit(&self, version: &str) -> String {
        sh(&self.path("w"), &format!("git rev-parse {version}^{{commit}}"))
    }

    fn push(&self) -> String {
        sh(&self.path("w"), "echo more >> a; git commit -qam more; git push -q origin main");
        self.commit("main")
    }

    fn git(&self, system: &dyn System, mut args: Value) -> Ran {
        args["repo"] = args.get("repo").cloned().unwrap_or_else(|| self.url().into());
        Fixture::new(system).env("GIT_CONFIG_GLOBAL", "/none").run::<This>(args)
    }

    fn real(&self, args: Value) -> Outcome {
        self.git(&RealSystem, args).result.unwrap()
    }
}

fn dry() -> Overlay {
    Overlay::new(Arc::new(RealSystem))
}

#[test]
fn a_clone_is_the_same_in_a_dry_run() {
    let up = Upstream::new();
    let dest = up.path("x/y");
    let args = json!({"dest": dest});
    let planned = up.git(&dry(), args.clone());
    assert!(!dest.exists());
    let made = up.git(&RealSystem, args.clone());
    assert_eq!(planned.changes, made.changes);
    for ran in [planned, made] {
        let data = ran.result.unwrap().data;
        assert_eq!((&data["before"], &data["after"]), (&Value::Null, &json!(up.commit("main"))));
    }
    assert_eq!(sh(&dest, "git branch --show-current; git status -sb; ls"), "main\n## main...origin/main\na");
    let again = up.git(&RealSystem, args);
    assert_eq!((again.changes.len(), again.result.unwrap().data["before"].clone()), (0, up.commit("main").into()));
}

#[test]
fn a_dry_run_knows_no_file_of_a_planned_checkout() {
    let up = Upstream::new();
    let overlay = dry();
    let dest = up.path("c");
    up.git(&overlay, json!({"dest": dest})).result.unwrap();
    assert!(overlay.lstat(&dest).unwrap().unwrap().is_dir());
    assert!(overlay.lstat(&dest.join("a")).unwrap_err().unknown);
    let again = up.git(&overlay, json!({"dest": dest}));
    assert_eq!(again.changes, []);
    let other = up.git(&overlay, json!({"dest": dest, "version": "dev"}));
    assert_eq!(other.changes.len(), 1);
}

#[test]
fn an_update_goes_to_the_branch_the_tag_or_the_commit() {
    let up = Upstream::new();
    let dest = up.path("c");
    up.real(json!({"dest": dest}));
    for version in ["dev", "v1", "main", &up.commit("dev")] {
        let args = json!({"dest": dest, "version": version});
        let planned = up.git(&dry(), args.clone());
        let made = up.git(&RealSystem, args);
        assert_eq!(planned.changes, made.changes, "{version}");
        assert_eq!(made.result.unwrap().data["after"], up.commit(version), "{version}");
        assert_eq!(sh(&dest, "git rev-parse HEAD"), up.commit(version));
    }
    let next = up.push();
    let got = up.real(json!({"dest": dest, "update": false}));
    assert_eq!(got.data["after"], up.commit("dev"));
    let got = up.real(json!({"dest": dest}));
    assert_eq!((&got.data["after"], &got.data["remote_url_changed"]), (&json!(next), &json!(false)));
    assert_eq!(sh(&dest, "git status -sb"), "## main...origin/main");
}

#[test]
fn work_is_lost_only_with_force() {
    let up = Upstream::new();
    let dest = up.path("c");
    up.real(json!({"dest": dest}));
    std::fs::write(dest.join("a"), "mine").unwrap();
    let got = up.git(&RealSystem, json!({"dest": dest})).result.unwrap_err();
    assert!(got.msg.starts_with("Local modifications exist"), "{}", got.msg);
    let got = up.git(&RealSystem, json!({"dest": dest, "force": true}));
    assert_eq!((got.changes.len(), std::fs::read(dest.join("a")).unwrap()), (1, b"1\n".to_vec()));
}

#[test]
fn what_the_remote_has_not_is_told_before_anything_changes() {
    let up = Upstream::new();
    let dest = up.path("c");
    let got = up.git(&RealSystem, json!({"dest": dest, "version": "none"}));
    assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("version"));
    let got = up.git(&RealSystem, json!({"dest": dest, "repo": up.path("none.git")}));
    assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("repo"));
    assert!(!dest.exists());
    let whole = "0".repeat(40);
    let got = up.git(&RealSystem, json!({"dest": dest, "version": whole}));
    assert!(got.result.is_err() && got.changes.is_empty() && !dest.exists());
}

#[test]
fn a_folder_with_other_content_is_left_alone() {
    let up = Upstream::new();
    let got = up.git(&RealSystem, json!({"dest": up.dir.path(), "force": true}));
    assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("dest"));
    assert!(up.path("w").is_dir());
}

#[test]
fn only_so_much_is_fetched_as_is_wanted() {
    let up = Upstream::new();
    up.push();
    let count = |dest: &Path| sh(dest, "git rev-list --count HEAD");
    let dest = up.path("shallow");
    up.real(json!({"dest": dest, "depth": 1}));
    assert_eq!((count(&dest), sh(&dest, "git branch -r | grep -c dev || true")), ("1".into(), "0".into()));
    let next = up.push();
    assert_eq!(up.real(json!({"dest": dest, "depth": 1})).data["after"], next);
    up.push();
    up.real(json!({"dest": dest}));
    assert_eq!(count(&dest), "4");
    let tag = up.path("tag");
    up.real(json!({"dest": tag, "depth": 1, "version": "v1"}));
    assert_eq!(sh(&tag, "git rev-parse HEAD"), up.commit("v1"));
}

#[test]
fn a_bare_repository_follows_its_remote() {
    let up = Upstream::new();
    let args = json!({"dest": up.path("bare"), "bare": true});
    assert_eq!(up.real(args.clone()).data["after"], up.commit("main"));
    let next = up.push();
    let got = up.git(&RealSystem, args.clone());
    assert_eq!((got.changes.len(), &got.result.unwrap().data["after"]), (1, &json!(next)));
    assert_eq!(up.git(&RealSystem, args).changes, []);
}

#[test]
fn a_new_address_is_told() {
    let up = Upstream::new();
    let dest = up.path("c");
    up.real(json!({"dest": dest}));
    sh(up.dir.path(), "cp -r up.git other.git");
    let same = json!({"dest": dest, "repo": up.path("up.git")});
    assert_eq!(up.git(&RealSystem, same).changes, []);
    let other = json!({"dest": dest, "repo": up.path("other.git")});
    let got = up.git(&RealSystem, other);
    assert_eq!(got.changes.len(), 1);
    assert_eq!(got.result.unwrap().data["remote_url_changed"], true);
}

#[test]
fn the_repository_may_be_apart_and_move() {
    let up = Upstream::new();
    let dest = up.path("c");
    up.real(json!({"dest": dest, "separate_git_dir": up.path("c.git")}));
    assert!(dest.join(".git").is_file() && up.path("c.git/HEAD").is_file());
    let got = up.real(json!({"dest": dest, "separate_git_dir": up.path("d.git")}));
    assert_eq!(got.data["git_dir_now"], json!(up.path("d.git")));
    assert!(up.path("d.git/HEAD").is_file() && !up.path("c.git").exists());
}

#[test]
fn an_archive_is_made_and_kept_where_it_is_the_same() {
    let up = Upstream::new();
    for name in ["a.tar.gz", "a.zip", "a.tar"] {
        let args = json!({"dest": up.path("c"), "archive": up.path(name), "archive_prefix": "p/"});
        let got = up.git(&RealSystem, args.clone());
        assert!(got.result.is_ok() && up.path(name).is_file(), "{name}");
        assert_eq!(up.git(&RealSystem, args).changes, [], "{name}");
    }
    assert_eq!(sh(up.dir.path(), "tar tf a.tar.gz"), "p/\np/a");
    let args = json!({"dest": up.path("c"), "archive": up.path("a.rar")});
    assert_eq!(up.git(&RealSystem, args).result.unwrap_err().arg.as_deref(), Some("archive"));
}

#[test]
fn without_a_folder_the_remote_is_only_asked() {
    let up = Upstream::new();
    let got = up.real(json!({"clone": false, "version": "dev"}));
    assert_eq!((&got.data["before"], &got.data["after"]), (&Value::Null, &json!(up.commit("dev"))));
    let got = up.git(&RealSystem, json!({})).result.unwrap_err();
    assert_eq!(got.arg.as_deref(), Some("dest"));
}

#[test]
fn submodules_come_along() {
    let up = Upstream::new();
    let script = format!(
        "git init -q --bare -b main sub.git; git init -q -b main s; cd s; echo s > s; git add .
        git commit -qm s; git push -q ../sub.git main; cd ../w
        git -c protocol.file.allow=always submodule --quiet add file://{} sub
        git commit -qm sub; git push -q origin main",
        up.path("sub.git").display()
    );
    sh(up.dir.path(), &script);
    let dest = up.path("c");
    let clone = |args: Value| {
        Fixture::new(&RealSystem)
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "protocol.file.allow")
            .env("GIT_CONFIG_VALUE_0", "always")
            .run::<This>(args)
    };
    clone(json!({"repo": up.url(), "dest": dest, "recursive": false})).result.unwrap();
    assert!(!dest.join("sub/s").exists());
    let args = json!({"repo": up.url(), "dest": dest});
    let got = clone(args.clone());
    assert_eq!((got.changes.len(), &got.result.unwrap().data["submodules_changed"]), (1, &json!(true)));
    assert!(dest.join("sub/s").is_file());
    assert_eq!(clone(args).changes, []);
}
