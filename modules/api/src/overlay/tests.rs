use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::SystemTime;

use super::*;
use crate::RealSystem;

/// Root, or a user whose numbers no file in a test has.
fn who(uid: u32) -> Identity {
    Identity {
        uid,
        gid: uid,
        groups: vec![],
        umask: 0o022,
    }
}

fn seen_by(uid: u32) -> Overlay {
    Overlay::seen_by(Arc::new(RealSystem), who(uid))
}

fn mode(bits: u32) -> Attrs {
    Attrs {
        mode: Some(bits),
        ..Attrs::default()
    }
}

fn write(overlay: &Overlay, path: &Path) -> Result<()> {
    overlay.write(path, &mut &b"text"[..], &Attrs::default())
}

/// A folder of root's that only it may write to, with a file in it.
fn closed() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "old").unwrap();
    (dir, file)
}

#[test]
fn a_user_may_not_write_where_the_real_run_could_not() {
    let (dir, file) = closed();
    let user = seen_by(64_123);
    let failure = write(&user, &file).unwrap_err();
    let said = format!("could not write `{}`: Permission denied", file.display());
    assert_eq!(failure.msg, said);
    assert!(
        user.make_dir(&dir.path().join("new"), &Attrs::default())
            .is_err()
    );
    assert!(user.remove(&file).is_err());
    assert!(user.rename(&file, &dir.path().join("other")).is_err());
    assert!(user.set_attrs(&file, &mode(0o600)).is_err());
    assert!(write(&seen_by(fs_uid(&file)), &file).is_ok());
}

fn fs_uid(path: &Path) -> u32 {
    RealSystem.lstat(path).unwrap().unwrap().uid
}

#[test]
fn what_another_user_s_agent_planned_keeps_its_mode() {
    let (dir, _) = closed();
    let root = seen_by(0);
    let (open, shut) = (dir.path().join("open"), dir.path().join("shut"));
    root.make_dir(&open, &mode(0o777)).unwrap();
    root.make_dir(&shut, &mode(0o700)).unwrap();
    write(&root, &shut.join("secret")).unwrap();
    let user = seen_by(64_123);
    user.import(&root.export()).unwrap();
    write(&user, &open.join("mine")).unwrap();
    assert!(write(&user, &shut.join("mine")).is_err());
    assert!(user.read(&shut.join("secret")).is_err());
    assert!(user.read_dir(&shut).is_err());
}

#[test]
fn in_a_sticky_folder_others_files_stay() {
    let (dir, _) = closed();
    let root = seen_by(0);
    let shared = dir.path().join("shared");
    root.make_dir(&shared, &mode(0o1777)).unwrap();
    write(&root, &shared.join("roots")).unwrap();
    let user = seen_by(64_123);
    user.import(&root.export()).unwrap();
    write(&user, &shared.join("mine")).unwrap();
    assert!(user.remove(&shared.join("roots")).is_err());
    assert!(user.remove(&shared.join("mine")).is_ok());
}

#[test]
fn a_link_to_a_planned_place_leads_there() {
    let (dir, file) = closed();
    symlink(dir.path(), dir.path().join("loop")).unwrap();
    let overlay = Overlay::new(Arc::new(RealSystem));
    overlay.remove(&file).unwrap();
    assert_eq!(overlay.lstat(&dir.path().join("loop/loop/file")), Ok(None));
    assert!(file.exists());
}

#[test]
fn a_query_of_what_is_only_planned_is_unknown() {
    let (dir, file) = closed();
    symlink(dir.path(), dir.path().join("same")).unwrap();
    let overlay = Overlay::new(Arc::new(RealSystem));
    let cat = |path: &Path| {
        let command = Command::reads([std::ffi::OsStr::new("cat"), path.as_os_str()]);
        overlay.run(&command, &Control::default())
    };
    assert_eq!(cat(&file).unwrap().stdout(), "old");
    write(&overlay, &file).unwrap();
    assert!(cat(&file).unwrap_err().unknown);
    assert!(cat(&dir.path().join("same/file")).unwrap_err().unknown);
    let other = dir.path().join("other");
    fs::write(&other, "still").unwrap();
    assert_eq!(cat(&other).unwrap().stdout(), "still");
}

#[test]
fn what_lies_below_a_removed_folder_is_not_read() {
    let (dir, file) = closed();
    let overlay = Overlay::new(Arc::new(RealSystem));
    overlay.remove(dir.path()).unwrap();
    let command = Command::reads([std::ffi::OsStr::new("cat"), file.as_os_str()]);
    let failure = overlay.run(&command, &Control::default()).unwrap_err();
    assert!(failure.unknown, "{failure:?}");
}

#[test]
fn a_removed_program_is_not_run() {
    let (_dir, file) = closed();
    fs::write(&file, "#!/bin/sh\necho ran\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let overlay = Overlay::new(Arc::new(RealSystem));
    let run = || overlay.run(&Command::reads([file.as_os_str()]), &Control::default());
    assert_eq!(run().unwrap().stdout(), "ran\n");
    overlay.remove(&file).unwrap();
    let said = format!("there is no program `{}`", file.display());
    assert_eq!(run().unwrap_err().msg, said);
}

#[test]
fn a_command_that_may_change_anything_is_not_run() {
    let (_dir, file) = closed();
    let overlay = Overlay::new(Arc::new(RealSystem));
    let command = Command::changes([std::ffi::OsStr::new("rm"), file.as_os_str()]);
    let failure = overlay.run(&command, &Control::default()).unwrap_err();
    assert!(failure.unknown);
    assert!(file.exists());
}

#[test]
fn odd_names_and_times_travel_to_a_sibling() {
    let overlay = Overlay::empty();
    let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/odd\xff".to_vec()));
    let early = SystemTime::UNIX_EPOCH - Duration::from_millis(1500);
    let attrs = Attrs {
        mtime: Some(early),
        ..Attrs::default()
    };
    overlay.write(&odd, &mut &b"x"[..], &attrs).unwrap();
    let sibling = Overlay::empty();
    sibling.import(&overlay.export()).unwrap();
    assert_eq!(sibling.lstat(&odd).unwrap().unwrap().mtime, early);
    assert_eq!(
        sibling.read_dir(Path::new("/")),
        Ok(vec![odd.file_name().unwrap().into()])
    );
}

#[test]
fn a_device_is_not_planned_to_be_a_file() {
    let overlay = Overlay::new(Arc::new(RealSystem));
    let failure = write(&overlay, Path::new("/dev/null")).unwrap_err();
    assert_eq!(
        failure.msg,
        "could not write `/dev/null`: it is a character device, not a file"
    );
}

#[test]
fn a_content_too_large_to_share_is_unknown_to_a_sibling() {
    let overlay = Overlay::empty();
    let (small, large) = (Path::new("/small"), Path::new("/large"));
    let mut bytes = std::io::repeat(7).take(MAX_EXPORT + 1);
    overlay.write(large, &mut bytes, &Attrs::default()).unwrap();
    write(&overlay, small).unwrap();
    let sibling = Overlay::empty();
    sibling.import(&overlay.export()).unwrap();
    assert!(sibling.read(small).is_ok());
    assert!(sibling.read(large).err().is_some_and(|f| f.unknown));
    assert_eq!(sibling.lstat(large).unwrap().unwrap().size, MAX_EXPORT + 1);
}
