//! A plan's file: a line of JSON with its version and digest, and the plan as JSON after it.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ring::digest;
use rplay_diag::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::key::hex;
use crate::{Key, Plan};

/// The version of the file that this release writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    rplay_plan: u32,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    seal: String,
}

/// A plan that was read: whole, but not known to be of who has the key.
#[derive(Debug)]
pub struct Locked {
    /// The plan.
    pub plan: Plan,
    body: Vec<u8>,
    seal: String,
}

impl Locked {
    /// Whether the plan was made with that key and not changed since.
    pub fn is_sealed_by(&self, key: &Key) -> bool {
        key.seal(&self.body) == self.seal
    }
}

/// Writes a plan, readable by its owner only; a file that is there is replaced at once.
///
/// # Errors
/// I/O errors, with the path.
pub fn write(plan: &Plan, key: &Key, path: &Path) -> Result<(), Diagnostic> {
    let mut body = serde_json::to_vec_pretty(plan).expect("bug: a plan is no JSON");
    body.push(b'\n');
    let head = Head {
        rplay_plan: FORMAT,
        sha256: sha256(&body),
        seal: key.seal(&body),
    };
    let head = serde_json::to_string(&head).expect("bug: a head is no JSON");
    saved(path, &head, &body).map_err(|e| {
        Diagnostic::error(format!(
            "could not write the plan `{}`: {e}",
            path.display()
        ))
    })
}

fn saved(path: &Path, head: &str, body: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    writeln!(file, "{head}")?;
    file.write_all(body)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Reads a plan.
///
/// # Errors
/// It is not there, is no plan, is of a newer rplay, or was changed since it was written.
pub fn read(path: &Path) -> Result<Locked, Diagnostic> {
    let shown = path.display();
    let text = fs::read(path)
        .map_err(|e| Diagnostic::error(format!("could not read the plan `{shown}`: {e}")))?;
    let end = text
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(text.len());
    let (head, body) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let Ok(head) = serde_json::from_slice::<Head>(head) else {
        return Err(Diagnostic::error(format!("`{shown}` is no plan"))
            .help("`rplay plan PLAYBOOK -i INVENTORY -o FILE` makes one"));
    };
    if head.rplay_plan > FORMAT {
        let words = format!(
            "the plan `{shown}` is of format {}, and this rplay reads up to {FORMAT}",
            head.rplay_plan
        );
        return Err(Diagnostic::error(words).help("use the rplay that made it, or a newer one"));
    }
    if head.sha256 != sha256(body) {
        let words = format!("the plan `{shown}` was changed since it was made, or is cut off");
        return Err(Diagnostic::error(words).help("make it anew with `rplay plan`"));
    }
    let plan = serde_json::from_slice(body).map_err(|e| {
        Diagnostic::error(format!("the plan `{shown}` is not as rplay writes it: {e}"))
    })?;
    Ok(Locked {
        plan,
        body: body.to_vec(),
        seal: head.seal,
    })
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Material, Recorder, Request};

    fn saved(dir: &Path) -> (Key, std::path::PathBuf) {
        let material = Material {
            vault: vec![],
            file: dir.join("key"),
        };
        let key = Key::new(&material).unwrap();
        let path = dir.join("plan.rplan");
        let plan = Recorder::default().plan(Request::default(), &key);
        write(&plan, &key, &path).unwrap();
        (key, path)
    }

    fn refused(path: &Path) -> String {
        let error = read(path).unwrap_err();
        error
            .to_string()
            .replace(&path.display().to_string(), "PLAN")
    }

    #[test]
    fn a_plan_is_read_as_it_was_written_and_only_by_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (key, path) = saved(dir.path());
        let read = read(&path).unwrap();
        assert!(read.is_sealed_by(&key));
        assert_eq!(read.plan.key, key.origin);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_plan_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (key, path) = saved(dir.path());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"become\": false", "\"become\": true")).unwrap();
        insta::assert_snapshot!(refused(&path), @"the plan `PLAN` was changed since it was made, or is cut off");
        fs::write(&path, &text[..text.len() - 5]).unwrap();
        insta::assert_snapshot!(refused(&path), @"the plan `PLAN` was changed since it was made, or is cut off");

        // Who changes the digest too does not have the key.
        let (head, body) = text.split_once('\n').unwrap();
        let body = body.replace("\"become\": false", "\"become\": true");
        let mut head: Head = serde_json::from_str(head).unwrap();
        head.sha256 = sha256(body.as_bytes());
        fs::write(
            &path,
            format!("{}\n{body}", serde_json::to_string(&head).unwrap()),
        )
        .unwrap();
        assert!(!read(&path).unwrap().is_sealed_by(&key));
    }

    #[test]
    fn what_is_no_plan_or_of_a_newer_rplay_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "- hosts: all\n").unwrap();
        insta::assert_snapshot!(refused(&path), @"`PLAN` is no plan");
        fs::write(&path, "{\"rplay_plan\":2,\"other\":1}\n{}").unwrap();
        insta::assert_snapshot!(refused(&path), @"the plan `PLAN` is of format 2, and this rplay reads up to 1");
        fs::remove_file(&path).unwrap();
        insta::assert_snapshot!(refused(&path), @"could not read the plan `PLAN`: No such file or directory (os error 2)");
    }
}
