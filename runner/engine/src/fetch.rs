//! The controller's half of `fetch`: what the target sends is kept in a file here.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rplay_api::ArgType;
use serde_json::{Map, Value as Json};
use sha1::{Digest, Sha1};
use tempfile::NamedTempFile;

use crate::result::{Ending, TaskResult};

/// A file on its way from a target.
#[derive(Debug)]
pub(crate) struct Fetch {
    dest: PathBuf,
    /// In a dry run what comes is only compared.
    keeps: bool,
    received: Mutex<Option<NamedTempFile>>,
}

impl Fetch {
    /// Where the task's arguments put the file of `host`. Relative destinations are beside the
    /// playbook, in `dir`.
    ///
    /// # Errors
    /// A destination that cannot be a file, in words.
    pub(crate) fn new(
        args: &Map<String, Json>,
        dir: &Path,
        host: &str,
        check: bool,
    ) -> Result<Self, String> {
        let text = |name: &str| args.get(name).and_then(Json::as_str).unwrap_or_default();
        let flat = args
            .get("flat")
            .is_some_and(|v| bool::parse_arg(v).unwrap_or(false));
        let (src, dest) = (text("src"), text("dest"));
        let home = || PathBuf::from(std::env::var("HOME").unwrap_or_default());
        let base = match dest.strip_prefix("~/") {
            Some(below) => home().join(below),
            None => dir.join(dest),
        };
        let name = src.rsplit('/').next().unwrap_or(src);
        let dest = match flat {
            true if dest.ends_with('/') => base.join(name),
            true if base.is_dir() => {
                return Err(format!(
                    "dest is an existing directory, use a trailing slash if you want to fetch src \
                     into that directory: `{dest}`"
                ));
            }
            true => base,
            false => base.join(host).join(src.trim_start_matches('/')),
        };
        if dest.is_dir() {
            let shown = dest.display();
            return Err(format!(
                "calculated dest '{shown}' is an existing directory, use another path that does not \
                 point to an existing directory"
            ));
        }
        Ok(Self {
            dest,
            keeps: !check,
            received: Mutex::default(),
        })
    }

    /// Takes the next bytes.
    pub(crate) fn push(&self, data: &[u8]) -> io::Result<()> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        if received.is_none() {
            *received = Some(self.temporary()?);
        }
        match received.as_mut() {
            Some(file) => file.write_all(data),
            None => Ok(()),
        }
    }

    /// Beside the destination, so that the file takes its name in one step.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rplay-");
        if !self.keeps {
            return builder.tempfile();
        }
        let dir = self.dest.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(dir)?;
        // The umask takes from these what it always does.
        builder
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(dir)
    }

    /// Keeps what came, where the module succeeded and it differs from what is here.
    pub(crate) fn finish(&self, result: TaskResult) -> TaskResult {
        let Some(Json::String(remote)) = result.data.get("checksum").cloned() else {
            return result;
        };
        if !matches!(result.end, Ending::Done { .. }) {
            return result;
        }
        match self.keep(&remote) {
            Ok(changed) => TaskResult {
                end: Ending::Done { changed },
                ..result.with("dest", self.dest.to_string_lossy())
            },
            Err(why) => TaskResult::failed(why),
        }
    }

    fn keep(&self, remote: &str) -> Result<bool, String> {
        let failed = |e: io::Error| {
            format!(
                "could not keep `{}` on the controller: {e}",
                self.dest.display()
            )
        };
        let received = self
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut received = match received {
            Some(file) => file,
            // An empty file sends nothing.
            None => self.temporary().map_err(failed)?,
        };
        received.flush().map_err(failed)?;
        let came = sha1(received.path()).map_err(failed)?;
        if came != remote {
            return Err(format!(
                "the file changed while it was fetched: its SHA-1 was `{remote}`, what came has \
                 `{came}`"
            ));
        }
        if sha1(&self.dest).is_ok_and(|local| local == came) {
            return Ok(false);
        }
        if self.keeps {
            received.persist(&self.dest).map_err(|e| failed(e.error))?;
        }
        Ok(true)
    }
}

fn sha1(path: &Path) -> io::Result<String> {
    let mut hash = Sha1::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(rplay_api::hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    fn fetch(dir: &Path, dest: &str, flat: bool, check: bool) -> Fetch {
        let args = json!({"src": "/etc/app.conf", "dest": dest, "flat": flat});
        Fetch::new(args.as_object().unwrap(), dir, "web-1", check).unwrap()
    }

    fn done() -> TaskResult {
        TaskResult::done(false, Map::new()).with("checksum", ABC)
    }

    #[test]
    fn a_file_is_kept_under_its_host_and_path() {
        let dir = tempfile::tempdir().unwrap();
        let one = fetch(dir.path(), "got", false, false);
        one.push(b"a").unwrap();
        one.push(b"bc").unwrap();
        assert_eq!(one.finish(done()).end, Ending::Done { changed: true });
        let kept = dir.path().join("got/web-1/etc/app.conf");
        assert_eq!(fs::read(&kept).unwrap(), b"abc");

        let again = fetch(dir.path(), "got", false, false);
        again.push(b"abc").unwrap();
        assert_eq!(again.finish(done()).end, Ending::Done { changed: false });
        assert_eq!(fs::read_dir(kept.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn flat_takes_the_destination_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |dest: &str| fetch(dir.path(), dest, true, false).dest;
        assert_eq!(at("x.conf"), dir.path().join("x.conf"));
        assert_eq!(at("new/"), dir.path().join("new/app.conf"));
        let args = json!({"src": "/f", "dest": dir.path(), "flat": true});
        let error = Fetch::new(args.as_object().unwrap(), dir.path(), "h", false).unwrap_err();
        assert!(error.contains("is an existing directory"), "{error}");
    }

    #[test]
    fn a_dry_run_keeps_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let one = fetch(dir.path(), "got", false, true);
        one.push(b"abc").unwrap();
        assert_eq!(one.finish(done()).end, Ending::Done { changed: true });
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_came_damaged_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let one = fetch(dir.path(), "got", true, false);
        one.push(b"abx").unwrap();
        assert!(matches!(one.finish(done()).end, Ending::Failed(_)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
