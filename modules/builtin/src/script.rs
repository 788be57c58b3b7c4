//! Runs a program of the controller on the target.
//!
//! It is written beside the agent, where no other user can replace it and programs may be run, and
//! is gone when it has ended.

use std::path::Path;

use rplay_api::{
    Args, ControllerFile, ControllerScript, Doc, Failure, Host, Module, Outcome, Result,
};
use serde_json::Value;

use crate::commandline::{Commandline, Done, RETURNS, Surroundings};
use crate::sent_program;

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
    /// Decrypt a program that `ansible-vault` encrypted, on the controller.
    #[arg(name = "decrypt", default = true)]
    _decrypt: bool,
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
        let name = match &cmd.file {
            ControllerFile::Sent { src, .. } => src.clone(),
            ControllerFile::Remote(path) => path.clone(),
        };
        if let Some(done) = args.surroundings.nothing_to_do(host)? {
            let why = match done {
                Done::Created(path) => format!("{path} exists, matching creates option"),
                Done::Removed(path) => format!("{path} does not exist, matching removes option"),
            };
            return Ok(Outcome::new().changed(false).with("skipped", true).with("msg", why));
        }
        let program = sent_program::placed(host, &cmd.file)?;
        let run = Commandline {
            argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), line(&quoted(&program))],
            shown: Value::from(line(&name)),
            surroundings: args.surroundings,
        };
        run.run(host)
    }
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
