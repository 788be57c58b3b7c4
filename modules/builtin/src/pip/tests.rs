use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_api::{Overlay, RealSystem, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Ran, run};

/// A virtual environment whose pip is a script: packages are files in a folder.
struct Venv {
    dir: tempfile::TempDir,
}

const PIP: &str = r#"#!/bin/sh
packages=$(dirname "$0")/../packages
case "$1" in
    --version) echo "pip 21.0 from /x (python 3.9)";;
    list) sep=; printf '['; for f in "$packages"/*; do
            [ -e "$f" ] || continue
            printf '%s{"name": "%s", "version": "%s"}' "$sep" "$(basename "$f")" "$(cat "$f")"; sep=,
        done; echo ']';;
    install) shift; for word; do case "$word" in
            -*) ;;
            *==*) printf '%s' "${word#*==}" > "$packages/${word%%==*}";;
            no) echo 'ERROR: No matching distribution found for no' >&2; exit 1;;
            *) printf 9.9 > "$packages/$word";;
        esac; done;;
    uninstall) shift 2; for word; do rm -f "$packages/$word"; done;;
esac
"#;

impl Venv {
    fn new(packages: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        std::fs::create_dir_all(dir.path().join("packages")).unwrap();
        std::fs::write(dir.path().join("bin/activate"), "").unwrap();
        let pip = dir.path().join("bin/pip3");
        std::fs::write(&pip, PIP).unwrap();
        std::fs::set_permissions(&pip, std::fs::Permissions::from_mode(0o755)).unwrap();
        for (name, version) in packages {
            std::fs::write(dir.path().join("packages").join(name), version).unwrap();
        }
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn pip(&self, system: &dyn System, mut args: Value) -> Ran {
        args["virtualenv"] = json!(self.path());
        run::<This>(system, args)
    }

    fn has(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path().join("packages").join(name)).ok()
    }
}

fn dry() -> Overlay {
    Overlay::new(Arc::new(RealSystem))
}

#[test]
fn a_dry_run_announces_what_is_installed() {
    let venv = Venv::new(&[("six", "1.15.0")]);
    let args = json!({"name": ["six==1.16.0", "other==2"]});
    let planned = venv.pip(&dry(), args.clone());
    assert_eq!(venv.has("six").as_deref(), Some("1.15.0"));
    let made = venv.pip(&RealSystem, args.clone());
    assert_eq!(planned.changes, made.changes);
    assert_eq!(made.result.unwrap().data["cmd"][1], "install");
    assert_eq!((venv.has("six").as_deref(), venv.has("other").as_deref()), (Some("1.16.0"), Some("2")));
    assert_eq!(venv.pip(&RealSystem, args).changes, []);
}

#[test]
fn a_later_task_of_a_dry_run_knows() {
    let venv = Venv::new(&[]);
    let overlay = dry();
    assert_eq!(venv.pip(&overlay, json!({"name": "six", "version": "1.2"})).changes.len(), 1);
    assert_eq!(venv.pip(&overlay, json!({"name": "six>=1,<2"})).changes, []);
    assert_eq!(venv.pip(&overlay, json!({"name": "six", "state": "absent"})).changes.len(), 1);
}

#[test]
fn a_package_goes_where_it_is_there() {
    let venv = Venv::new(&[("six", "1")]);
    let args = json!({"name": ["Six", "none"], "state": "absent"});
    assert_eq!(venv.pip(&dry(), args.clone()).changes.len(), 1);
    let args_lower = json!({"name": ["six", "none"], "state": "absent"});
    assert_eq!(venv.pip(&RealSystem, args_lower).changes.len(), 1);
    assert_eq!((venv.has("six"), venv.pip(&RealSystem, args).changes.len()), (None, 0));
}

#[test]
fn what_an_old_pip_cannot_tell_a_dry_run_does_not_know() {
    let venv = Venv::new(&[("six", "1")]);
    let args = json!({"name": "six", "state": "latest"});
    assert!(venv.pip(&dry(), args.clone()).result.unwrap_err().unknown);
    let got = venv.pip(&RealSystem, args.clone()).result.unwrap();
    assert_eq!(got.changed, Some(true));
    assert_eq!(venv.pip(&RealSystem, args).result.unwrap().changed, Some(false));
}

#[test]
fn pips_own_words_are_told() {
    let venv = Venv::new(&[]);
    let got = venv.pip(&RealSystem, json!({"name": "no"})).result.unwrap_err();
    assert!(got.msg.ends_with("No matching distribution found for no"), "{}", got.msg);
}

#[test]
fn a_target_without_pip_says_so() {
    let got = run::<This>(&Overlay::empty(), json!({"name": "six"})).result.unwrap_err();
    assert_eq!(got.msg, "the target has no pip");
    let args = json!({"name": "six", "executable": "/none/pip"});
    let got = run::<This>(&Overlay::empty(), args).result.unwrap_err();
    assert_eq!(got.arg.as_deref(), Some("executable"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (args, at) in [
        (json!({"name": "a", "requirements": "/r"}), Some("requirements")),
        (json!({"name": "a", "virtualenv": "/v", "executable": "pip"}), Some("executable")),
        (json!({"name": ["a", "b"], "version": "1"}), Some("version")),
        (json!({"name": "a==1", "version": "1"}), Some("version")),
        (json!({"state": "present"}), None),
    ] {
        let got = run::<This>(&Overlay::empty(), args).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), at);
    }
    assert!(!Path::new("/v").exists());
}
