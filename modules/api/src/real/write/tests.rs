use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use super::*;

fn text(path: &Path, content: &str, wanted: &Attrs) -> Result<()> {
    write(path, &mut content.as_bytes(), wanted)
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    names
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// A source that gives a few bytes and then fails.
struct Broken(bool);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 {
            return Err(io::Error::other("the controller is gone"));
        }
        self.0 = true;
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn a_source_that_breaks_leaves_the_old_file_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "old").unwrap();
    let failure = write(&file, &mut Broken(false), &Attrs::default()).unwrap_err();
    assert!(
        failure.msg.ends_with(": the controller is gone"),
        "{failure}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(names(dir.path()), ["file"]);
}

#[test]
fn an_existing_file_keeps_its_mode_and_setuid() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o4750)).unwrap();
    text(&file, "new", &Attrs::default()).unwrap();
    assert_eq!(
        (fs::read_to_string(&file).unwrap(), mode(&file)),
        ("new".to_owned(), 0o4750)
    );
}

#[test]
fn the_new_file_is_another_one_so_that_a_reader_of_the_old_one_is_not_disturbed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "old").unwrap();
    let mut reader = File::open(&file).unwrap();
    text(&file, "new", &Attrs::default()).unwrap();
    let mut seen = String::new();
    reader.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "old");
}

#[test]
fn a_link_stays_and_its_file_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (link, file) = (dir.path().join("link"), dir.path().join("file"));
    symlink("file", &link).unwrap();
    text(&link, "new", &Attrs::default()).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
}

#[test]
fn extended_attributes_stay_where_the_file_system_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "old").unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&file, "user.note", b"kept", flags).is_err() {
        return;
    }
    text(&file, "new", &Attrs::default()).unwrap();
    let mut value = [0; 16];
    let len = rustix::fs::getxattr(&file, "user.note", value.as_mut_slice()).unwrap();
    assert_eq!(&value[..len], b"kept");
}

#[test]
fn a_missing_folder_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let failure = text(&dir.path().join("no/file"), "x", &Attrs::default()).unwrap_err();
    assert!(
        failure.help[0].starts_with("make the folder"),
        "{failure:?}"
    );
}

#[test]
fn the_longest_name_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("n".repeat(255));
    text(&file, "x", &Attrs::default()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "x");
}

/// Set in the copy of this test that runs in mount namespaces of its own.
const INSIDE: &str = "RPLAY_TEST_MOUNTS";

/// Runs one test again where it may mount; not as a user who may not.
fn with_mounts(test: &str) -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os(INSIDE) {
        return Some(dir.into());
    }
    let may = Command::new("unshare").args(["-m", "true"]).status();
    if !may.is_ok_and(|s| s.success()) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = format!("real::write::tests::{test}");
    let status = Command::new("unshare")
        .args(["-m", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &name])
        .env(INSIDE, dir.path())
        .status()
        .unwrap();
    assert!(status.success(), "it failed with mounts of its own");
    None
}

fn mount(args: &[&str], at: &Path) {
    assert!(
        Command::new("mount")
            .args(args)
            .arg(at)
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    let Some(dir) = with_mounts("a_full_disk_leaves_the_old_file_and_nothing_else") else {
        return;
    };
    mount(&["-t", "tmpfs", "-o", "size=64k", "none"], &dir);
    let file = dir.join("file");
    fs::write(&file, "old").unwrap();
    let failure = text(&file, &"x".repeat(1 << 20), &Attrs::default()).unwrap_err();
    assert!(
        failure.msg.ends_with("No space left on device"),
        "{failure}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(names(&dir), ["file"]);
}

#[test]
fn a_file_that_is_a_mount_point_is_written_in_place() {
    let Some(dir) = with_mounts("a_file_that_is_a_mount_point_is_written_in_place") else {
        return;
    };
    let (file, source) = (dir.join("file"), dir.join("source"));
    fs::write(&file, "").unwrap();
    fs::write(&source, "a longer old text").unwrap();
    mount(&["--bind", source.to_str().unwrap()], &file);
    text(&file, "new", &Attrs::default()).unwrap();
    assert_eq!(fs::read_to_string(&source).unwrap(), "new");
    assert_eq!(names(&dir).len(), 2);
}

#[test]
fn a_move_to_another_file_system_keeps_everything() {
    let Some(dir) = with_mounts("a_move_to_another_file_system_keeps_everything") else {
        return;
    };
    let (from, other) = (dir.join("from"), dir.join("other"));
    fs::create_dir_all(from.join("sub")).unwrap();
    fs::create_dir(&other).unwrap();
    mount(&["-t", "tmpfs", "none"], &other);
    fs::write(from.join("sub/file"), "text").unwrap();
    fs::set_permissions(from.join("sub/file"), fs::Permissions::from_mode(0o4711)).unwrap();
    symlink("sub/file", from.join("link")).unwrap();
    super::super::rename::rename(&from, &other.join("to")).unwrap();
    assert!(!from.exists());
    assert_eq!(fs::read_to_string(other.join("to/link")).unwrap(), "text");
    assert_eq!(mode(&other.join("to/sub/file")), 0o4711);
    assert_eq!(names(&other), ["to"]);
}
