//! A dry run sees what the real run would: the same acts give the same answers, the same failures
//! and the same tree, and the host stays as it was.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use rplay_api::{Attrs, Meta, Overlay, RealSystem, System};

/// Paths that the acts are done on and that are looked at after each: files, folders, names below
/// links and files, a way back up.
const PATHS: [&str; 16] = [
    "a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "l", "l/a", "l/e/a", "d/l", "up/b",
    "e/../a", "new/x",
];

const TARGETS: [&str; 8] = ["a", "d", "../a", "l", "nowhere", "..", "d/e", "missing/b"];

#[derive(Debug, Clone)]
enum Step {
    Write(usize, Vec<u8>, Attrs),
    MakeDir(usize, Attrs),
    Symlink(usize, usize),
    HardLink(usize, usize),
    Rename(usize, usize),
    Remove(usize),
    SetAttrs(usize, Attrs),
}

fn attrs() -> impl Strategy<Value = Attrs> {
    let mode = prop::option::of(prop::sample::select(vec![
        0o600, 0o644, 0o755, 0o4755, 0o2775,
    ]));
    let id = || prop::option::weighted(0.2, prop::sample::select(vec![0u32, 1, 1000]));
    let mtime = prop::option::weighted(0.3, 0u64..2_000_000_000);
    (mode, id(), id(), mtime).prop_map(|(mode, uid, gid, mtime)| Attrs {
        mode,
        uid,
        gid,
        mtime: mtime.map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s)),
        ..Attrs::default()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let path = || 0..PATHS.len();
    prop_oneof![
        4 => (path(), prop::collection::vec(any::<u8>(), 0..9), attrs())
            .prop_map(|(p, c, a)| Step::Write(p, c, a)),
        3 => (path(), attrs()).prop_map(|(p, a)| Step::MakeDir(p, a)),
        2 => (0..TARGETS.len(), path()).prop_map(|(t, p)| Step::Symlink(t, p)),
        2 => (path(), path()).prop_map(|(f, t)| Step::HardLink(f, t)),
        3 => (path(), path()).prop_map(|(f, t)| Step::Rename(f, t)),
        2 => path().prop_map(Step::Remove),
        3 => (path(), attrs()).prop_map(|(p, a)| Step::SetAttrs(p, a)),
    ]
}

fn plant(root: &Path) {
    fs::create_dir_all(root).unwrap();
    fs::write(root.join("a"), "first").unwrap();
    fs::write(root.join("b"), "second").unwrap();
    fs::set_permissions(root.join("b"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::create_dir_all(root.join("d/e")).unwrap();
    fs::write(root.join("d/a"), "below").unwrap();
    fs::write(root.join("d/e/a"), "deep").unwrap();
    symlink("d", root.join("l")).unwrap();
    symlink("..", root.join("d/up")).unwrap();
    symlink("e/a", root.join("d/l")).unwrap();
    symlink(".", root.join("up")).unwrap();
}

/// An answer without the root's own name, which differs.
fn said<T: std::fmt::Debug>(root: &Path, answer: rplay_api::Result<T>) -> String {
    let text = match answer {
        Ok(value) => format!("{value:?}"),
        Err(failure) => format!("{failure} {:?}", failure.help),
    };
    text.replace(&root.display().to_string(), "ROOT")
}

fn act(system: &dyn System, root: &Path, step: &Step) -> String {
    let at = |i: &usize| root.join(PATHS[*i]);
    let result = match step {
        Step::Write(p, content, attrs) => system.write(&at(p), &mut content.as_slice(), attrs),
        Step::MakeDir(p, attrs) => system.make_dir(&at(p), attrs),
        Step::Symlink(to, p) => system.symlink(Path::new(TARGETS[*to]), &at(p)),
        Step::HardLink(from, to) => system.hard_link(&at(from), &at(to)),
        Step::Rename(from, to) => system.rename(&at(from), &at(to)),
        Step::Remove(p) => system.remove(&at(p)),
        Step::SetAttrs(p, attrs) => system.set_attrs(&at(p), attrs),
    };
    said(root, result)
}

fn look(system: &dyn System, root: &Path) -> Vec<String> {
    let paths = PATHS.iter().chain(&["", "up", "d/up", "new"]);
    paths
        .map(|name| {
            let path = root.join(name);
            let read = system.read(&path).map(|mut reader| {
                let mut content = vec![];
                reader.read_to_end(&mut content).unwrap();
                content
            });
            format!(
                "{name}: {} | {} | {} | {}",
                said(root, system.lstat(&path).map(|m| m.map(|m| facts(&m)))),
                said(root, read),
                said(root, system.read_dir(&path)),
                said(root, system.read_link(&path)),
            )
        })
        .collect()
}

/// What both must agree on: a folder's size and its count of links are the file system's own, and
/// so is now.
fn facts(meta: &Meta) -> String {
    let size = if meta.is_dir() { 0 } else { meta.size };
    let nlink = if meta.is_dir() { 0 } else { meta.nlink };
    let set =
        meta.mtime < SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000) && !meta.is_dir();
    let recent = SystemTime::now()
        .duration_since(meta.mtime)
        .is_ok_and(|d| d.as_secs() < 600);
    let mtime = if set && !recent {
        Some(meta.mtime)
    } else {
        None
    };
    format!(
        "{:?} {:o} {}:{} {size} bytes, {nlink} names, {mtime:?}",
        meta.kind, meta.mode, meta.uid, meta.gid
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_dry_run_answers_as_the_real_one(steps in prop::collection::vec(step(), 1..14)) {
        let (a_dir, b_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // Deep enough for the links that lead up and out.
        let (a, b) = (a_dir.path().join("o/o/o/o/root"), b_dir.path().join("o/o/o/o/root"));
        plant(&a);
        plant(&b);
        let overlay = Overlay::new(Arc::new(RealSystem));
        let before = look(&RealSystem, &b);
        for step in &steps {
            let real = act(&RealSystem, &a, step);
            let dry = act(&overlay, &b, step);
            prop_assert_eq!(real, dry, "at {:?}", step);
            let (real, dry) = (look(&RealSystem, &a), look(&overlay, &b));
            for (real, dry) in real.iter().zip(&dry) {
                prop_assert_eq!(real, dry, "after {:?}", step);
            }
        }
        prop_assert_eq!(before, look(&RealSystem, &b));
        // A sibling agent that takes it over sees the same.
        let sibling = Overlay::new(Arc::new(RealSystem));
        sibling.import(&overlay.export()).unwrap();
        prop_assert_eq!(look(&overlay, &b), look(&sibling, &b));
    }
}
