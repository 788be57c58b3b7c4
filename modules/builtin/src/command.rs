//! Runs a program without a shell.
//!
//! In a dry run nothing is known of what a command would do: it is not run, and its result is
//! unknown. `creates` and `removes` are decided by files, and so hold in a dry run too.

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result};
use serde_json::Value;

use crate::commandline::{Commandline, RETURNS, Surroundings};

/// The `command` module.
pub struct This;

/// Arguments of `command`.
#[derive(Debug, Args)]
pub struct CommandArgs {
    /// The command, split into words as a shell would, but run without one.
    #[arg(alias = "_raw_params")]
    cmd: Option<String>,
    /// The command as a list of words, which needs no quoting.
    argv: Option<Vec<String>>,
    /// Has no meaning here: a program is run without a shell.
    executable: Option<String>,
    /// Where and when it runs, what it reads, how its output is kept.
    #[arg(flatten)]
    surroundings: Surroundings,
    /// Expand `$VARIABLES` and `~` in the words.
    #[arg(default = true)]
    expand_argument_vars: bool,
}

impl Module for This {
    type Args = CommandArgs;

    const DOC: Doc = Doc {
        name: "command",
        aliases: &[],
        summary: "Runs a program",
        description: "The words go to the program as they are: `|`, `>`, `&&` and `*` mean nothing \
            here (use `shell` for them). A dry run does not run it, and says that what depends on \
            its result is unknown; `creates` and `removes` hold there too.",
        free_form: Some("cmd"),
        examples: r#"
- name: Ask for the version
  command: etcd --version
  register: version
  changed_when: false

- name: Make the database once
  command:
    argv: [/usr/bin/make-database, --name, "two words"]
    creates: /var/lib/database
    chdir: /opt/app
"#,
        returns: RETURNS,
    };

    fn run(args: CommandArgs, host: &Host) -> Result<Outcome> {
        let words = match (&args.cmd, args.argv) {
            (Some(_), Some(_)) => {
                return Err(Failure::new("`cmd` and `argv`: parameters are mutually exclusive")
                    .arg("argv")
                    .help("keep one of them"));
            }
            (Some(text), None) => split(text)?,
            (None, Some(words)) => words,
            (None, None) => vec![],
        };
        if words.first().is_none_or(String::is_empty) {
            return Err(Failure::new("there is no command to run: one of the following is required: cmd, argv")
                .help("give it as `cmd`, as `argv`, or behind the module's name"));
        }
        if let Some(shell) = &args.executable {
            host.warn(format!(
                "`executable` is no longer supported by `command`: `{shell}` is not used"
            ));
        }
        let argv: Vec<String> = if args.expand_argument_vars {
            words.iter().map(|word| expand(word, host)).collect()
        } else {
            words
        };
        let line = Commandline {
            shown: Value::from(argv.clone()),
            argv,
            surroundings: args.surroundings,
        };
        line.run(host)
    }
}

/// A `#` begins a comment for `shlex`; in a command it is a letter like any other. This character
/// of Unicode's private use stands for it meanwhile.
const HASH: &str = "\u{f8fa}";

/// A line's words, quotes and backslashes as a POSIX shell reads them.
pub fn split(line: &str) -> Result<Vec<String>> {
    let words = shlex::split(&line.replace('#', HASH)).ok_or_else(|| {
        Failure::new("the command's quotes do not match")
            .arg("cmd")
            .help("close each quote, or give the words as a list in `argv`")
    })?;
    Ok(words.iter().map(|w| w.replace(HASH, "#")).collect())
}

/// A word with its `$NAME`, `${NAME}` and leading `~` replaced; a variable that is not set stays
/// as it is written.
fn expand(word: &str, host: &Host) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    if (word == "~" || word.starts_with("~/"))
        && let Some(home) = host.env("HOME")
    {
        out.push_str(&home);
        rest = &word[1..];
    }
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, length) = variable(&rest[1..]);
        match host.env(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[..=length]),
        }
        rest = &rest[length + 1..];
    }
    out + rest
}

/// The variable's name at the start of `text`, and how much of `text` it takes.
fn variable(text: &str) -> (&str, usize) {
    if let Some(inner) = text.strip_prefix('{') {
        return match inner.find('}') {
            Some(end) => (&inner[..end], end + 2),
            None => ("", 0),
        };
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    fn real(args: Value) -> Result<Outcome> {
        run::<This>(&RealSystem, args).result
    }

    #[test]
    fn words_are_split_as_a_shell_does_and_a_hash_is_a_letter() {
        assert_eq!(
            split(r#"printf "%s %s" 'a b' c\ d # e"#).unwrap(),
            ["printf", "%s %s", "a b", "c d", "#", "e"]
        );
        assert_eq!(split("echo 'it").unwrap_err().arg.as_deref(), Some("cmd"));
    }

    #[test]
    fn a_run_gives_what_ansible_gives() {
        let got = real(json!({"_raw_params": "printf 'a\\nb\\n\\n'"})).unwrap();
        assert_eq!(got.changed, Some(true));
        assert_eq!(got.data["stdout"], "a\nb");
        assert_eq!(got.data["stdout_lines"], json!(["a", "b"]));
        assert_eq!(got.data["cmd"], json!(["printf", "a\\nb\\n\\n"]));
        assert_eq!(got.data["rc"], 0);
        assert!(got.data["delta"].as_str().unwrap().starts_with("0:00:0"));
    }

    #[test]
    fn empty_ends_stay_where_they_are_wanted() {
        let got = real(json!({"cmd": "printf 'a\\n\\n'", "strip_empty_ends": false})).unwrap();
        assert_eq!(got.data["stdout"], "a\n\n");
    }

    #[test]
    fn a_failing_command_has_its_output_in_the_failure() {
        let got = real(json!({"argv": ["sh", "-c", "echo no >&2; exit 3"]})).unwrap_err();
        assert_eq!(got.msg, "non-zero return code");
        assert_eq!((&got.data["rc"], &got.data["stderr"]), (&json!(3), &json!("no")));
    }

    #[test]
    fn a_missing_program_is_code_2() {
        let got = real(json!({"cmd": "no-such-program-here"})).unwrap_err();
        assert_eq!(got.data["rc"], 2);
        assert_eq!(got.msg, "there is no program `no-such-program-here`");
        assert_eq!(got.data["cmd"], json!(["no-such-program-here"]));
    }

    #[test]
    fn stdin_gets_its_newline() {
        let with = real(json!({"cmd": "od -c", "stdin": "x"})).unwrap();
        assert!(with.data["stdout"].as_str().unwrap().contains("\\n"));
        let without = json!({"cmd": "od -c", "stdin": "x", "stdin_add_newline": false});
        let without = real(without).unwrap();
        assert!(!without.data["stdout"].as_str().unwrap().contains("\\n"));
    }

    #[test]
    fn creates_and_removes_hold_in_a_dry_run() {
        let overlay = Overlay::empty();
        Fixture::new(&overlay).file("/opt/app-1/done", "");
        for args in [
            json!({"cmd": "x", "creates": "/opt/app-*/done"}),
            json!({"cmd": "x", "removes": "/opt/other"}),
            json!({"cmd": "x", "chdir": "/opt", "creates": "app-1/done"}),
        ] {
            let got = run::<This>(&overlay, args).result.unwrap();
            assert_eq!((got.changed, &got.data["rc"]), (Some(false), &json!(0)));
        }
    }

    #[test]
    fn a_dry_run_does_not_know_what_a_command_does() {
        let overlay = Overlay::empty();
        let got = run::<This>(&overlay, json!({"cmd": "/bin/true", "creates": "/x"}));
        assert!(got.result.unwrap_err().unknown);
    }

    #[test]
    fn variables_of_the_task_are_expanded() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay).env("NAME", "etcd").env("HOME", "/root");
        fixture.on_host(|host| {
            assert_eq!(expand("~/$NAME-${NAME}x-$NONE-$", host), "/root/etcd-etcdx-$NONE-$");
            assert_eq!(expand("a~", host), "a~");
        });
    }

    #[test]
    fn cmd_and_argv_together_are_refused() {
        let got = real(json!({"cmd": "a", "argv": ["b"]})).unwrap_err();
        assert_eq!(got.arg.as_deref(), Some("argv"));
    }
}
