//! Answers to the questions of Debian's packages, given before they are asked.
//!
//! What is set is read with debconf-show, since debconf's database may be anywhere. A password is
//! never shown by it: one that is there cannot be compared, so it is asked with debconf's own
//! protocol.

use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return, State, Stdin, Target};
use serde_json::{Map, Value};

use crate::apt_get::prepared;

/// The `debconf` module.
pub struct This;

/// What kind of question it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Kind {
    /// Yes or no.
    Boolean,
    /// Something that went wrong.
    Error,
    /// Some of several.
    Multiselect,
    /// Something to read.
    Note,
    /// A password.
    Password,
    /// Whether a question was seen.
    Seen,
    /// One of several.
    Select,
    /// A line.
    String,
    /// Text.
    Text,
    /// A title.
    Title,
}

/// Arguments of `debconf`.
#[derive(Debug, Args)]
pub struct DebconfArgs {
    /// The package.
    #[arg(alias = "pkg")]
    name: String,
    /// The question; without it nothing is set, and what is set is given.
    #[arg(alias = "selection", alias = "setting")]
    question: Option<String>,
    /// What kind of question it is.
    vtype: Option<Kind>,
    /// The answer: text, a bool, or a list.
    #[arg(alias = "answer")]
    value: Option<Value>,
    /// Do not mark the question as seen.
    #[arg(default = false)]
    unseen: bool,
}

impl Module for This {
    type Args = DebconfArgs;

    const DOC: Doc = Doc {
        name: "debconf",
        aliases: &[],
        summary: "Answers questions of Debian's packages before they are asked",
        description: "The package `debconf` must be there, and `debconf-utils` is not needed. Set \
            `no_log: true` for passwords.",
        free_form: None,
        examples: r#"
- name: Wireshark may be used by others than root
  debconf:
    name: wireshark-common
    question: wireshark-common/install-setuid
    vtype: boolean
    value: true
"#,
        returns: &[
            Return { name: "current", doc: "The answers of the package, by question, afterwards." },
            Return { name: "previous", doc: "What the answer was." },
        ],
    };

    fn run(args: DebconfArgs, host: &Host) -> Result<Outcome> {
        let current = shown(&args.name, host)?;
        let Some(question) = &args.question else {
            return Ok(Outcome::new().with("current", current).with("msg", ""));
        };
        let (Some(kind), Some(value)) = (args.vtype, &args.value) else {
            return Err(Failure::new("a `question` needs a `vtype` and a `value`").arg("question"));
        };
        let wanted = answer(kind, value)?;
        // The order of a list does not count; what is written out is meant as it is.
        let unordered = kind == Kind::Multiselect && value.is_array();
        let target = Target::Host(format!("debconf {} {question}", args.name));
        let found = || match kind {
            Kind::Password => {
                asked(question, host).map(|v| v.map(|v| compared_password(&v, &wanted)))
            }
            _ => Ok(current.get(question).and_then(Value::as_str).map(|v| compared(unordered, v))),
        };
        let before = host.state(&target, || Ok(found()?.map(state)))?;
        let after = state(match kind {
            Kind::Password if before.as_ref().is_some_and(|b| b["answer"] == THIS_PASSWORD) => {
                THIS_PASSWORD.to_owned()
            }
            Kind::Password => NEW_PASSWORD.to_owned(),
            _ => compared(unordered, &wanted),
        });
        let line = format!("{} {question} {} {wanted}\n", args.name, kind.word());
        let unseen = args.unseen;
        host.ensure(target, before, Some(after), || {
            let words = ["debconf-set-selections"].into_iter().chain(unseen.then_some("-u"));
            let mut command = prepared(Command::changes(words));
            command.stdin = Stdin::Bytes(line.clone().into_bytes());
            host.run(&command)?.success(&command).map(drop)
        })?;
        let previous = current.get(question).cloned().unwrap_or(Value::Null);
        let mut now = current;
        if kind != Kind::Password {
            now.insert(question.clone(), wanted.into());
        }
        Ok(Outcome::new().with("current", now).with("previous", previous))
    }
}

/// The answers that debconf shows: `* question: answer` lines.
fn shown(package: &str, host: &Host) -> Result<Map<String, Value>> {
    if !["/usr/bin/debconf-show", "/bin/debconf-show"].iter().any(|p| host.exists(p.as_ref()).unwrap_or(false)) {
        let failure = Failure::new("there is no `debconf-show` on this host");
        return Err(host.missing(failure.help("the package `debconf` of Debian and Ubuntu brings it")));
    }
    let command = prepared(Command::reads(["debconf-show", package]));
    let said = host.run(&command)?.success(&command)?.stdout();
    Ok(answers(&said))
}

fn answers(text: &str) -> Map<String, Value> {
    let row = |line: &str| {
        let line = line.trim_start_matches(['*', ' ']);
        let (question, answer) = line.split_once(':')?;
        Some((question.trim().to_owned(), answer.trim().into()))
    };
    text.lines().filter_map(row).collect()
}

/// Asks debconf for an answer that it does not show.
fn asked(question: &str, host: &Host) -> Result<Option<String>> {
    let mut command = prepared(Command::reads(["debconf-communicate", "-fnoninteractive"]));
    command.stdin = Stdin::Bytes(format!("GET {question}\n").into_bytes());
    let said = host.run(&command)?.stdout();
    // `0 ANSWER`; any other number says that there is no such question.
    Ok(said.lines().next().and_then(|l| l.strip_prefix("0 ")).map(str::to_owned))
}

/// The answer as debconf takes it.
fn answer(kind: Kind, value: &Value) -> Result<String> {
    let text = match value {
        Value::Array(items) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let wrong = || Failure::new(format!("Invalid value provided: {value} is no list of texts")).arg("value");
            words.ok_or_else(wrong)?.join(", ")
        }
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    if kind != Kind::Boolean {
        return Ok(text);
    }
    Ok(match text.to_lowercase().as_str() {
        "yes" | "y" | "on" | "1" | "true" => "true".to_owned(),
        "no" | "n" | "off" | "0" | "false" => "false".to_owned(),
        _ => text,
    })
}

/// An answer as it is compared: the order of several may not count.
fn compared(unordered: bool, answer: &str) -> String {
    if !unordered {
        return answer.to_owned();
    }
    let mut words: Vec<&str> = answer.split(',').map(str::trim).filter(|w| !w.is_empty()).collect();
    words.sort_unstable();
    words.join(", ")
}

/// A password goes into no report, and no digest of it: these words stand for it.
const THIS_PASSWORD: &str = "the password of the task";
const NEW_PASSWORD: &str = "a new password";

fn compared_password(found: &str, wanted: &str) -> String {
    let word = if found == wanted { THIS_PASSWORD } else { "another password" };
    word.to_owned()
}

fn state(answer: String) -> State {
    State::from([("answer".to_owned(), answer)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_read_by_question() {
        let got = answers("* locales/default_environment_locale: C.UTF-8\n  tzdata/Zones/Etc: UTC\n  a/b:\n");
        assert_eq!(got["locales/default_environment_locale"], "C.UTF-8");
        assert_eq!((got["tzdata/Zones/Etc"].as_str(), got["a/b"].as_str()), (Some("UTC"), Some("")));
    }

    #[test]
    fn a_bool_is_an_answer_as_debconf_writes_it() {
        let said = |kind, value| answer(kind, &value).unwrap();
        assert_eq!(said(Kind::Boolean, json!(true)), "true");
        assert_eq!(said(Kind::Boolean, json!("No")), "false");
        assert_eq!(said(Kind::String, json!("No")), "No");
        assert_eq!(said(Kind::Multiselect, json!(["b", "a"])), "b, a");
    }

    #[test]
    fn a_list_of_answers_is_of_texts() {
        let wrong = answer(Kind::Multiselect, &json!(["a", 1])).unwrap_err();
        assert!(wrong.msg.starts_with("Invalid value provided"), "{}", wrong.msg);
    }

    #[test]
    fn the_order_counts_where_answers_are_written_out() {
        assert_eq!(compared(true, "b,  a"), compared(true, "a, b"));
        assert_ne!(compared(false, "b, a"), compared(false, "a, b"));
    }

    #[test]
    fn a_password_is_told_by_words_that_are_not_it() {
        assert_eq!(compared_password("hunter2", "hunter2"), THIS_PASSWORD);
        assert_eq!(compared_password("old", "hunter2"), "another password");
    }
}
