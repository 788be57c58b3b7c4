//! Jinja template files, as Ansible's `template` writes them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::path::Path;
use std::sync::Arc;

use rplay_diag::Source;
use rplay_template::{Language, TextOptions, Vars};

use common::{Few, templar, vars};

/// Every `x.j2` of `tests/files` beside what ansible-core 2.19.14 wrote of it, `x.txt`.
#[test]
fn files_are_what_ansible_writes() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let vars: Arc<dyn Vars> = Arc::new(Few {
        dir: dir.clone(),
        ..vars("v1: val")
    });
    let mut count = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let want = path.with_extension("txt");
        if path.extension().is_none_or(|e| e != "j2") || !want.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let source = Source::new(path.display().to_string(), text);
        let rendered = templar().file(&source, Language::Jinja, TextOptions::default(), &vars);
        let want = std::fs::read_to_string(want).unwrap();
        assert_eq!(rendered.unwrap().0, want, "{}", path.display());
        count += 1;
    }
    assert!(count >= 8, "the files of this test are gone");
}

#[test]
fn passwords_are_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let few = Few {
        dir: dir.path().to_owned(),
        ..vars("a: 1")
    };
    let vars: Arc<dyn Vars> = Arc::new(few);
    let node = common::yaml("\"{{ lookup('password', 'pw length=12 chars=digits') }}\"");
    let templar = templar();
    let first = templar.render(&node, &vars).unwrap();
    assert_eq!(templar.render(&node, &vars).unwrap(), first);
    let text = first.as_str().unwrap();
    assert!(
        text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()),
        "{text}"
    );
    assert_eq!(templar.redactor().redact(text), "[secret]");
    let kept = std::fs::read_to_string(dir.path().join("pw")).unwrap();
    assert_eq!(kept, format!("{text}\n"));
}
