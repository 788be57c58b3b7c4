//! Runs a program of the controller on the target.
//!
//! It is written beside the agent, where no other user can replace it and programs may be run, and
//! is gone when it has ended.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rplay_api::{
    Args, ControllerFile, ControllerScript, Doc, EntryKind, Failure, Host, Module, Outcome, Result,
};
use serde_json::Value;
use tempfile::TempPath;

use crate::commandline::{Commandline, RETURNS, Surroundings};

/// The `script` module.
pub struct This;

/// Arguments of `script`.
#[derive(Debug, Args)]
pub struct ScriptArgs {
    /// The program on the controller, looked for in `files`, and the words behind it.
    #[arg(alias = "_raw_params")]
    cmd: Option<ControllerScript>,
    /// Run it with this program, and not with what its first line names.
    executable: Option<String>,
    /// Where and when it runs, what it reads, how its output is kept.
    #[arg(flatten)]
    surroundings: Surroundings,
}

impl Module for This {
    type Args = ScriptArgs;

    const DOC: Doc = Doc {
        name: "script",
        aliases: &[],
        summary: "Runs a program of the controller on the target",
        description: "The program may be a binary, or a script whose interpreter is on the target. \
            The words behind its name go through a shell. A dry run does not run it, and says that \
            what depends on its result is unknown; `creates` and `removes` hold there too.",
        free_form: Some("cmd"),
        examples: r#"
- name: Make the database once
  script: make-database.sh --name main
  args:
    creates: /var/lib/database

- name: Run it with an interpreter of its own
  script:
    cmd: report.pl --all
    executable: /usr/bin/perl
"#,
        returns: RETURNS,
    };

    fn run(args: ScriptArgs, host: &Host) -> Result<Outcome> {
        let Some(cmd) = args.cmd else {
            return Err(Failure::new("one of the following is required: cmd, free-form").arg("cmd"));
        };
        let line = |program: &str| {
            let before = args.executable.iter().map(|e| format!("{e} "));
            let words = Some(&cmd.words).filter(|w| !w.is_empty());
            let after = words.into_iter().map(|w| format!(" {w}"));
            before.chain([program.to_owned()]).chain(after).collect::<String>()
        };
        let blob = blob(&cmd.file)?;
        let name = match &cmd.file {
            ControllerFile::Sent { src, .. } => src.clone(),
            ControllerFile::Remote(path) => path.clone(),
        };
        let program = placed(host, blob, &name)?;
        let run = Commandline {
            argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), line(&quoted(&program))],
            shown: Value::from(line(&name)),
            surroundings: args.surroundings,
        };
        run.run(host)
    }
}

fn blob(file: &ControllerFile) -> Result<u32> {
    if let ControllerFile::Sent { entries, .. } = file
        && let [entry] = entries.as_slice()
        && let EntryKind::File(blob) = entry.kind
    {
        return Ok(blob);
    }
    Err(Failure::new("a script is one file of the controller").arg("cmd"))
}

/// The program, where it can be run; it goes when the path is dropped.
fn placed(host: &Host, blob: u32, name: &str) -> Result<TempPath> {
    let agent = std::env::current_exe().unwrap_or_default();
    let dir = agent.parent().unwrap_or(Path::new("/tmp"));
    let failed = |e: io::Error| Failure::io("write the script beside the agent in", dir, &e);
    let ending = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    let mut file = tempfile::Builder::new()
        .prefix("script-")
        .suffix(&format!("-{ending}"))
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempfile_in(dir)
        .map_err(failed)?;
    copy(host, blob, file.as_file_mut()).map_err(failed)?;
    Ok(file.into_temp_path())
}

fn copy(host: &Host, blob: u32, file: &mut File) -> io::Result<()> {
    let mut content = host.blobs().open(blob).map_err(|e| io::Error::other(e.msg))?;
    io::copy(&mut content, file)?;
    file.flush()
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_quotes_keeps_its_blanks() {
        let split = |line: &str| ControllerScript::split(line);
        assert_eq!(split("a.sh  b 'c d' "), ("a.sh".into(), "b 'c d'".into()));
        assert_eq!(split("'my script.sh' b"), ("my script.sh".into(), "b".into()));
        assert_eq!(split("a.sh"), ("a.sh".into(), String::new()));
    }

    #[test]
    fn a_quote_in_a_path_is_kept_from_the_shell() {
        assert_eq!(quoted(Path::new("/a'b")), r"'/a'\''b'");
    }
}
