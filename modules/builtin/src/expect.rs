//! Runs a program at a terminal and answers what it asks.
//!
//! The terminal is the agent's own: the target needs neither Python nor pexpect. The earliest
//! match in what the program wrote since the last answer counts, and of several there the first
//! that the task names.

use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use rplay_api::{
    Args, Command, Dialogue, Doc, Failure, Host, Module, Outcome, Output, Result, Return,
};
use serde_json::Value;

use crate::command;
use crate::commandline::{Timing, lines};
use crate::pattern;
use crate::python_regex::{Expression, Flags};

/// The `expect` module.
pub struct This;

/// Arguments of `expect`.
#[derive(Debug, Args)]
pub struct ExpectArgs {
    /// The command, split into words as a shell would, but run without one.
    command: String,
    /// What the program asks, as Python's regular expressions, and what is typed then. A list is
    /// used up, one answer a match.
    responses: IndexMap<String, Value>,
    /// Seconds to wait for the next question; 0 waits without end.
    #[arg(default = 30.0)]
    timeout: f64,
    /// Whether the output shows what is typed.
    #[arg(default = false)]
    echo: bool,
    /// Change into this folder first.
    chdir: Option<PathBuf>,
    /// Do nothing where this file (or a match of this pattern) is there.
    creates: Option<String>,
    /// Do nothing where this file (or a match of this pattern) is not there.
    removes: Option<String>,
}

impl Module for This {
    type Args = ExpectArgs;

    const DOC: Doc = Doc {
        name: "expect",
        aliases: &[],
        summary: "Runs a program that asks, and answers it",
        description: "`|`, `>` and `&&` mean nothing in the command: run `/bin/sh -c '...'` for \
            them. Set no_log: true where an answer is a secret.",
        free_form: None,
        examples: r#"
- name: A program that insists on a person
  expect:
    command: /opt/app/setup
    responses:
      "Accept the licence": "yes"
      "(?i)password:": "{{ vault_password }}"
      "Name of node":
        - node-1
        - node-2
    creates: /opt/app/etc/setup.done
  no_log: true
"#,
        returns: &[
            Return { name: "cmd", doc: "The command." },
            Return { name: "stdout", doc: "What it wrote; also `stdout_lines`." },
            Return { name: "rc", doc: "Its exit code; null where it was ended for its silence." },
            Return { name: "start", doc: "When it began; also `end` and `delta`." },
        ],
    };

    fn run(args: ExpectArgs, host: &Host) -> Result<Outcome> {
        let mut answers = args.answers()?;
        let words = command::split(&args.command).map_err(|f| f.arg("command"))?;
        if words.first().is_none_or(String::is_empty) {
            return Err(Failure::new("no command given").arg("command").with("rc", 256));
        }
        if let Some(why) = args.nothing_to_do(host)? {
            return Ok(Outcome::new()
                .changed(false)
                .with("cmd", args.command)
                .with("stdout_lines", lines(&why))
                .with("stdout", why)
                .with("rc", 0));
        }
        let patience = args.patience()?;
        let mut command = Command::changes(words);
        command.cwd.clone_from(&args.chdir);
        let start = host.now();
        let mut answer = |unread: &mut Vec<u8>| answers.next(unread);
        let mut dialogue = Dialogue { answer: &mut answer, patience, echo: args.echo };
        let ended = host.converse(&command, &mut dialogue);
        let timing = Timing { start, end: host.now() };
        match ended {
            Ok(output) => args.result(&output, &timing),
            Err(failure) if failure.unknown => Err(failure),
            Err(failure) => Err(args.failed(failure, &timing)),
        }
    }
}

impl ExpectArgs {
    fn answers(&self) -> Result<Answers> {
        let flags = Flags { dot_all: true, ..Flags::default() };
        let rows = self.responses.iter().map(|(question, answer)| {
            let expression = Expression::new("responses", question, flags)?;
            let wrong = || {
                Failure::new(format!("the answer to `{question}` is neither text nor a list of texts"))
                    .arg("responses")
            };
            let text = |value: &Value| match value {
                Value::String(text) => Ok(text.clone()),
                Value::Number(number) => Ok(number.to_string()),
                Value::Bool(true) => Ok("True".to_owned()),
                Value::Bool(false) => Ok("False".to_owned()),
                _ => Err(wrong()),
            };
            let say = match answer {
                Value::Array(list) => {
                    let list: Vec<String> = list.iter().map(text).collect::<Result<_>>()?;
                    Say::Each(list.into_iter())
                }
                value => Say::Always(text(value)?),
            };
            Ok(Row { question: question.clone(), expression, say })
        });
        Ok(Answers { rows: rows.collect::<Result<_>>()? })
    }

    fn nothing_to_do(&self, host: &Host) -> Result<Option<String>> {
        let there = |path: &str| -> Result<bool> {
            Ok(pattern::first_match(host, self.chdir.as_deref(), path)?.is_some())
        };
        if let Some(path) = &self.creates
            && there(path)?
        {
            return Ok(Some(format!("skipped, since {path} exists")));
        }
        if let Some(path) = &self.removes
            && !there(path)?
        {
            return Ok(Some(format!("skipped, since {path} does not exist")));
        }
        Ok(None)
    }

    fn patience(&self) -> Result<Option<Duration>> {
        let time = Duration::try_from_secs_f64(self.timeout).map_err(|_| {
            Failure::new(format!("`{}` is no time to wait", self.timeout)).arg("timeout")
        })?;
        Ok(Some(time).filter(|time| !time.is_zero()))
    }

    fn result(&self, output: &Output, timing: &Timing) -> Result<Outcome> {
        let stdout = output.stdout();
        let outcome = self.told(Outcome::new().changed(true), &stdout, timing).with("rc", output.rc);
        if output.rc == 0 {
            return Ok(outcome);
        }
        let mut failure = Failure::new("non-zero return code");
        failure.data = outcome.with("changed", true).data;
        Err(failure)
    }

    /// A conversation that ended too early: what was said until then is told.
    fn failed(&self, mut failure: Failure, timing: &Timing) -> Failure {
        let Some(Value::String(stdout)) = failure.data.remove("stdout") else {
            return failure.with("cmd", self.command.as_str());
        };
        let outcome = self.told(Outcome::new(), &stdout, timing);
        failure.data.extend(outcome.with("changed", true).data);
        failure
    }

    fn told(&self, outcome: Outcome, stdout: &str, timing: &Timing) -> Outcome {
        let stdout = stdout.trim_end_matches(['\r', '\n']);
        timing
            .tell(outcome)
            .with("cmd", self.command.as_str())
            .with("stdout_lines", lines(stdout))
            .with("stdout", stdout)
    }
}

/// The task's questions, in its order.
struct Answers {
    rows: Vec<Row>,
}

struct Row {
    question: String,
    expression: Expression,
    say: Say,
}

enum Say {
    Always(String),
    Each(std::vec::IntoIter<String>),
}

impl Answers {
    /// The answer to the earliest question in `unread`, which is taken out of it with all before.
    fn next(&mut self, unread: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
        let mut earliest: Option<(usize, usize, &mut Row)> = None;
        for row in &mut self.rows {
            let Some(found) = row.expression.find(unread)? else {
                continue;
            };
            let range = found.range();
            // What matches nothing at all would be answered for ever.
            if range.is_empty() {
                continue;
            }
            if earliest.as_ref().is_none_or(|(start, ..)| range.start < *start) {
                earliest = Some((range.start, range.end, row));
            }
        }
        let Some((_, end, row)) = earliest else {
            return Ok(None);
        };
        let said = match &mut row.say {
            Say::Always(text) => text.clone(),
            Say::Each(list) => list.next().ok_or_else(|| {
                let asked = String::from_utf8_lossy(&unread[..end]).into_owned();
                Failure::new(format!("No remaining responses for '{}', output was '{asked}'", row.question))
                    .arg("responses")
                    .help("the program asked more often than the list has answers")
            })?,
        };
        unread.drain(..end);
        Ok(Some(format!("{}\n", said.trim_end_matches('\n')).into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::run;

    const ASK: &str = r#"/bin/sh -c 'printf "Name: "; read n; printf "Age? "; read a; echo "hello $n $a"'"#;
    const TWICE: &str = r#"/bin/sh -c 'for i in 1 2; do printf "Next "; read q; echo "got $q"; done'"#;

    fn real(args: Value) -> Result<Outcome> {
        run::<This>(&RealSystem, args).result
    }

    #[test]
    fn each_question_has_its_answer() {
        let got = real(json!({"command": ASK, "responses": {"(?i)name": "Anna", "Age\\?": 7}})).unwrap();
        assert_eq!(got.data["stdout"], "Name: Age? hello Anna 7");
        assert_eq!((got.changed, &got.data["rc"]), (Some(true), &json!(0)));
    }

    #[test]
    fn what_is_typed_shows_where_it_should() {
        let args = json!({"command": ASK, "responses": {"Name": "Anna\n", "Age": "7"}, "echo": true});
        let got = real(args).unwrap();
        assert_eq!(got.data["stdout"], "Name: Anna\r\nAge? 7\r\nhello Anna 7");
        assert_eq!(got.data["stdout_lines"], json!(["Name: Anna", "Age? 7", "hello Anna 7"]));
    }

    #[test]
    fn a_list_is_used_up() {
        let got = real(json!({"command": TWICE, "responses": {"Next": ["a", "b"]}})).unwrap();
        assert_eq!(got.data["stdout_lines"], json!(["Next got a", "Next got b"]));
        let got = real(json!({"command": TWICE, "responses": {"Next": ["a"]}})).unwrap_err();
        assert!(got.msg.starts_with("No remaining responses for 'Next'"), "{}", got.msg);
        let got = real(json!({"command": TWICE, "responses": {"Next": "same"}})).unwrap();
        assert_eq!(got.data["stdout_lines"], json!(["Next got same", "Next got same"]));
    }

    #[test]
    fn silence_is_not_waited_for_without_end() {
        let got = real(json!({"command": ASK, "responses": {"no": "x"}, "timeout": 0.3})).unwrap_err();
        assert_eq!(got.msg, "command exceeded timeout");
        assert_eq!((&got.data["rc"], &got.data["stdout"]), (&Value::Null, &json!("Name: ")));
    }

    #[test]
    fn it_is_a_terminal_and_its_code_is_told() {
        let command = "/bin/sh -c 'test -t 0 && stty size; echo no > /dev/tty; exit 3'";
        let got = real(json!({"command": command, "responses": {}})).unwrap_err();
        assert_eq!((&got.data["rc"], &got.data["stdout_lines"]), (&json!(3), &json!(["24 80", "no"])));
    }

    #[test]
    fn what_stays_in_the_background_does_not_hold_it_up() {
        let start = std::time::Instant::now();
        let args = json!({"command": "/bin/sh -c 'sleep 30 & echo x'", "responses": {}});
        let got = real(args).unwrap();
        assert_eq!(got.data["stdout"], "x");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn the_earliest_question_counts() {
        let args = json!({"command": "x", "responses": {"b": "2", "a": "1"}});
        let args = ExpectArgs::parse(args.as_object().unwrap()).unwrap();
        let mut answers = args.answers().unwrap();
        let mut unread = b"a b c".to_vec();
        assert_eq!(answers.next(&mut unread).unwrap().unwrap(), b"1\n");
        assert_eq!(unread, b" b c");
        assert_eq!(answers.next(&mut unread).unwrap().unwrap(), b"2\n");
        assert_eq!(answers.next(&mut unread).unwrap(), None);
    }

    #[test]
    fn a_dry_run_does_not_know_what_it_would_do() {
        let args = json!({"command": "/bin/true", "responses": {}});
        assert!(run::<This>(&Overlay::empty(), args).result.unwrap_err().unknown);
        let args = json!({"command": "/bin/true", "responses": {}, "removes": "/none"});
        assert_eq!(run::<This>(&Overlay::empty(), args).result.unwrap().changed, Some(false));
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (args, at) in [
            (json!({"command": "", "responses": {}}), Some("command")),
            (json!({"command": "x 'y", "responses": {}}), Some("command")),
            (json!({"command": "x", "responses": {"(": "y"}}), Some("responses")),
            (json!({"command": "x", "responses": {"a": {"b": 1}}}), Some("responses")),
            (json!({"command": "x", "responses": {}, "timeout": -1}), Some("timeout")),
            (json!({"command": "/none/such", "responses": {}}), None),
        ] {
            assert_eq!(real(args).unwrap_err().arg.as_deref(), at);
        }
    }
}
