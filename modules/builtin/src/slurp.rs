//! Reads a file of the host into the result, in base64.
//!
//! The whole file is held in memory and travels in one frame: it is for small files. Files of
//! /proc say that they are empty, so that the size is no guide.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return};

/// The `slurp` module.
pub struct This;

/// Arguments of `slurp`.
#[derive(Debug, Args)]
pub struct SlurpArgs {
    /// The file.
    #[arg(alias = "path")]
    src: PathBuf,
}

impl Module for This {
    type Args = SlurpArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "slurp",
        aliases: &[],
        summary: "Reads a file of the host into the result, in base64",
        description: "For small files: decode it with the `b64decode` filter.",
        free_form: None,
        examples: "\n- slurp:\n    src: /etc/os-release\n  register: release\n",
        returns: &[
            Return { name: "content", doc: "the file's content, in base64" },
            Return { name: "encoding", doc: "`base64`" },
            Return { name: "source", doc: "the file" },
        ],
    };

    fn run(args: SlurpArgs, host: &Host) -> Result<Outcome> {
        let path = args.src.display();
        let unreadable = |failure: Failure| match failure.cause {
            Some(ErrorKind::PermissionDenied) => Failure {
                msg: format!("File is not readable: {path}"),
                ..failure.arg("src")
            },
            _ => failure,
        };
        match host.stat(&args.src).map_err(unreadable)? {
            None if path_of_file(host, &args.src)? => {
                return Err(Failure::new(format!("Unable to slurp file: a part of `{path}` is no folder")).arg("src"));
            }
            None => {
                return Err(Failure::new(format!("File not found: {path}")).absent().arg("src"));
            }
            Some(meta) if meta.is_dir() => {
                return Err(Failure::new(format!("Source is a directory and must be a file: {path}")).arg("src"));
            }
            Some(_) => {}
        }
        let content = host.read(&args.src).map_err(unreadable)?;
        Ok(Outcome::new()
            .with("content", STANDARD.encode(content))
            .with("encoding", "base64")
            .with("source", path.to_string()))
    }
}

/// Whether a path leads through something that is no folder.
fn path_of_file(host: &Host, path: &Path) -> Result<bool> {
    for above in path.ancestors().skip(1) {
        if let Some(meta) = host.stat(above)? {
            return Ok(!meta.is_dir());
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    #[test]
    fn the_content_comes_back_in_base64() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "hi\n").unwrap();
        let ran = run::<This>(&RealSystem, json!({"src": dir.path().join("f")}));
        assert_eq!(ran.result.unwrap().data["content"], "aGkK");
        assert!(ran.changes.is_empty());
    }

    #[test]
    fn a_folder_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let ran = run::<This>(&RealSystem, json!({"src": dir.path()}));
        let words = format!("Source is a directory and must be a file: {}", dir.path().display());
        assert_eq!(ran.result.unwrap_err().msg, words);
    }

    #[test]
    fn a_path_through_a_file_is_told_from_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "").unwrap();
        let ran = run::<This>(&RealSystem, json!({"src": dir.path().join("f/x")}));
        assert!(ran.result.unwrap_err().msg.starts_with("Unable to slurp file"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let ran = run::<This>(&RealSystem, json!({"src": "/nowhere/at/all"}));
        assert_eq!(ran.result.unwrap_err().msg, "File not found: /nowhere/at/all");
    }

    #[test]
    fn a_file_that_a_task_before_may_bring_is_not_known_to_be_missing() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay).after("`command` at site.yml:4");
        let failure = fixture.run::<This>(json!({"src": "/made"})).result.unwrap_err();
        assert!(failure.unknown);
        let words = "File not found: /made, but it may come by what is not decided: `command` at site.yml:4";
        assert_eq!(failure.msg, words);
    }
}
