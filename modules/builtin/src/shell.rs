//! Runs a line of shell.
//!
//! The line goes to the shell whole, so pipes, redirections and `$VARIABLES` are the shell's. What
//! is true of `command` in a dry run is true here.


use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, WrittenPath};
use serde_json::Value;

use crate::commandline::{Commandline, RETURNS, Surroundings};

/// The `shell` module.
pub struct This;

/// Arguments of `shell`.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// The line, as it would be typed.
    #[arg(alias = "_raw_params")]
    cmd: Option<String>,
    /// The shell that runs it: a whole path.
    #[arg(default = "/bin/sh")]
    executable: WrittenPath,
    /// Where and when it runs, what it reads, how its output is kept.
    #[arg(flatten)]
    surroundings: Surroundings,
}

impl Module for This {
    type Args = ShellArgs;

    const DOC: Doc = Doc {
        name: "shell",
        aliases: &[],
        summary: "Runs a line of shell",
        description: "Quote a variable of the playbook that goes into the line: \
            `{{ name | quote }}`. Prefer `command` where no pipe, redirection or pattern is needed.",
        free_form: Some("cmd"),
        examples: r#"
- name: Count the members
  shell: etcdctl member list | wc -l
  register: members
  changed_when: false

- name: Make a dump once
  shell:
    cmd: set -o pipefail; dump-database | gzip > backup.gz
    executable: /bin/bash
    chdir: /var/backups
    creates: backup.gz
"#,
        returns: RETURNS,
    };

    fn run(args: ShellArgs, host: &Host) -> Result<Outcome> {
        let Some(text) = args.cmd.filter(|cmd| !cmd.trim().is_empty()) else {
            return Err(Failure::new("there is no command to run")
                .help("give it as `cmd`, or behind the module's name"));
        };
        let shell = args.executable.0.to_string_lossy().into_owned();
        let line = Commandline {
            argv: vec![shell, "-c".to_owned(), text.clone()],
            shown: Value::from(text),
            surroundings: args.surroundings,
        };
        line.run(host)
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::run;

    #[test]
    fn a_pipe_is_the_shells() {
        let got = run::<This>(&RealSystem, json!({"_raw_params": "echo a b | tr ab xy"}));
        let got = got.result.unwrap();
        assert_eq!((&got.data["stdout"], &got.data["cmd"]), (&json!("x y"), &json!("echo a b | tr ab xy")));
    }

    #[test]
    fn another_shell_may_run_it() {
        let args = json!({"cmd": "echo ${BASH_VERSION:+bash}", "executable": "/bin/bash"});
        assert_eq!(run::<This>(&RealSystem, args).result.unwrap().data["stdout"], "bash");
    }

    #[test]
    fn it_runs_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let args = json!({"cmd": "echo x > made; exit 0", "chdir": dir.path(), "creates": "made"});
        let first = run::<This>(&RealSystem, args.clone()).result.unwrap();
        let second = run::<This>(&RealSystem, args).result.unwrap();
        assert!(dir.path().join("made").exists());
        assert_eq!((first.changed, second.changed), (Some(true), Some(false)));
    }

    #[test]
    fn a_dry_run_does_not_run_it() {
        let dir = tempfile::tempdir().unwrap();
        let cmd = format!("touch {}/made", dir.path().display());
        let got = run::<This>(&Overlay::new(std::sync::Arc::new(RealSystem)), json!({"cmd": cmd}));
        assert!(got.result.unwrap_err().unknown);
        assert!(!dir.path().join("made").exists());
    }
}
