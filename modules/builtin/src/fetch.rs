//! Sends a file of the target to the controller.
//!
//! What is here reads it and sends it in pieces; the controller keeps it under `dest`, and says
//! whether it differs from the copy that it had.

use std::path::PathBuf;

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::checksum;
use crate::content::fill;
use crate::progress::Progress;

/// The `fetch` module.
pub struct This;

/// Arguments of `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The file on the target.
    src: PathBuf,
    /// The folder on the controller, beside the playbook where it is relative; the file gets the
    /// path `DEST/HOST/SRC` in it. With `flat` it is the file itself, or with a `/` at its end
    /// the folder that it goes into.
    #[arg(name = "dest")]
    _dest: String,
    /// Neither the host's name nor the path on the target are made part of the destination.
    #[arg(name = "flat", default = false)]
    _flat: bool,
    /// Fail where the file is not there.
    #[arg(default = true)]
    fail_on_missing: bool,
    /// Check that what came has the digest of what was sent.
    #[arg(name = "validate_checksum", default = true)]
    _validate_checksum: bool,
}

/// The most bytes sent in one piece.
const PIECE: usize = 64 << 10;

impl Module for This {
    type Args = FetchArgs;

    const DOC: Doc = Doc {
        name: "fetch",
        aliases: &[],
        summary: "Copies a file of the target to the controller",
        description: "For the opposite way there is `copy`. A dry run says whether the \
            controller's copy would change, and keeps it as it is.",
        free_form: None,
        examples: r#"
- name: Logs of all hosts, each in a folder of its own
  fetch:
    src: /var/log/app.log
    dest: logs

- name: One certificate, under this name
  fetch:
    src: /etc/app/ca.pem
    dest: files/ca.pem
    flat: true
"#,
        returns: &[
            Return {
                name: "dest",
                doc: "The file on the controller.",
            },
            Return {
                name: "checksum",
                doc: "SHA-1 of the file; `remote_checksum` is the same of the target's.",
            },
            Return {
                name: "md5sum",
                doc: "MD5 of the file.",
            },
        ],
    };

    fn run(args: FetchArgs, host: &Host) -> Result<Outcome> {
        let shown = args.src.display();
        let Some(meta) = host.stat(&args.src)? else {
            if args.fail_on_missing {
                return Err(
                    Failure::new(format!("the remote file does not exist: `{shown}`"))
                        .absent()
                        .arg("src")
                        .help("fail_on_missing: false goes on without it"),
                );
            }
            let msg =
                format!("the remote file does not exist, not transferring, ignored: `{shown}`");
            return Ok(Outcome::new().with("msg", msg).changed(false));
        };
        if meta.is_dir() {
            let msg = format!("remote file is a directory, fetch cannot work on directories: `{shown}`");
            if !args.fail_on_missing {
                return Ok(Outcome::new().with("msg", msg).changed(false));
            }
            return Err(Failure::new(msg)
                .arg("src")
                .help("loop over the files that the `find` module lists"));
        }
        let [sha1, md5] = checksum::sha1_and_md5(host, &args.src)?;
        let mut source = host.open(&args.src)?;
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        let mut progress = Progress::default();
        loop {
            let n =
                fill(&mut source, &mut piece).map_err(|e| Failure::io("read", &args.src, &e))?;
            if n == 0 {
                break;
            }
            host.blobs().push(&piece[..n])?;
            done += n as u64;
            progress.at(host, done, Some(meta.size));
        }
        Ok(Outcome::new()
            .changed(false)
            .with("src", args.src.to_string_lossy())
            .with("checksum", sha1.as_str())
            .with("remote_checksum", sha1)
            .with("md5sum", md5)
            .with("size", done))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::This;
    use crate::fixture::{Fixture, on_each_system};

    #[test]
    fn a_file_is_sent_with_its_digests() {
        on_each_system(|system, root| {
            let host = Fixture::new(system);
            host.file(root.join("f").to_str().unwrap(), "abc");
            let ran = host.run::<This>(json!({"src": root.join("f"), "dest": "x"}));
            let data = ran.result.unwrap().data;
            assert_eq!(data["checksum"], "a9993e364706816aba3e25717850c26c9cd0d89d");
            assert_eq!(ran.changes, []);
        });
    }

    #[test]
    fn a_missing_file_is_a_failure_unless_the_task_says_otherwise() {
        on_each_system(|system, root| {
            let run = |fail: bool| {
                let args = json!({"src": root.join("f"), "dest": "x", "fail_on_missing": fail});
                Fixture::new(system).run::<This>(args).result
            };
            assert!(run(true).unwrap_err().msg.starts_with("the remote file does not exist: "));
            let msg = run(false).unwrap().data["msg"].as_str().unwrap().to_owned();
            assert!(msg.contains("not transferring, ignored: "), "{msg}");
        });
    }
}
