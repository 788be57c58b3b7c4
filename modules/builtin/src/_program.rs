//! A module of the user's: a program that speaks Ansible's protocol, from a folder `library`.
//!
//! How it is given its arguments is told by what it holds: `WANT_JSON`, a placeholder for them, or
//! nothing (`name=value` words); a binary gets JSON. It prints its result as JSON. What is written
//! in Python with Ansible's own library needs that library on the target, and says so.

use rplay_api::{Args, Command, ControllerFile, Doc, Failure, Host, Module, Outcome, Result};
use serde_json::{Map, Value};
use tempfile::TempPath;

use crate::sent_program;

/// The `_program` module.
pub struct This;

/// Arguments of `_program`.
#[derive(Debug, Args)]
pub struct ProgramArgs {
    /// The program on the controller.
    program: ControllerFile,
    /// Its arguments.
    arguments: Value,
}

/// What is replaced in a program that has its arguments written into it.
const PLACEHOLDER: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

impl Module for This {
    type Args = ProgramArgs;

    const DOC: Doc = Doc {
        name: "_program",
        aliases: &[],
        summary: "Runs a module of the user's",
        description: "What the engine calls for a module that it finds in a folder `library`.",
        free_form: None,
        examples: "",
        returns: &[],
    };

    fn run(args: ProgramArgs, host: &Host) -> Result<Outcome> {
        let name = sent_program::program_name(&args.program);
        let content = sent_program::content(host, &args.program)?;
        let text = String::from_utf8_lossy(&content);
        let arguments = match args.arguments {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        if text.contains("ansible.module_utils") || text.contains("from ansible") {
            return Err(Failure::new(format!(
                "the module `{name}` needs Ansible's Python library, which rplay does not have"
            ))
            .help("a program that reads JSON and prints JSON runs as it is (docs/porting.md)"));
        }
        let json = Value::Object(arguments.clone()).to_string();
        // What was read is what is run: the program is sent once.
        let (program, input) = if text.contains(PLACEHOLDER) {
            let text = text.replace(PLACEHOLDER, &json);
            (sent_program::written(name, 0o700, text.as_bytes())?, None)
        } else {
            let is_binary = content.starts_with(b"\x7fELF");
            let words = if is_binary || text.contains("WANT_JSON") { json } else { pairs(&arguments) };
            let input = sent_program::written("args", 0o600, words.as_bytes())?;
            (sent_program::written(name, 0o700, &content)?, Some(input))
        };
        result(host, name, &program, input.as_ref())
    }
}

/// `name=value` words, as modules of old read them.
fn pairs(arguments: &Map<String, Value>) -> String {
    let word = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            other => other.to_string(),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            return format!("{name}={text}");
        }
        format!("{name}='{}'", text.replace('\'', r#"'"'"'"#))
    };
    arguments.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn result(host: &Host, name: &str, program: &TempPath, input: Option<&TempPath>) -> Result<Outcome> {
    let words = [Some(program), input];
    let words = words.into_iter().flatten().map(|p| p.to_string_lossy().into_owned());
    let output = host.run(&Command::changes(words))?;
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let start = stdout.find('{').unwrap_or(0);
    let end = stdout.rfind('}').map_or(stdout.len(), |at| at + 1);
    let Ok(Value::Object(mut data)) = serde_json::from_str(stdout.get(start..end).unwrap_or_default()) else {
        return Err(Failure::new(format!("the module `{name}` printed no JSON object as its result"))
            .help("it prints one object and nothing else on standard output")
            .with("module_stdout", stdout)
            .with("module_stderr", stderr)
            .with("rc", output.rc));
    };
    let truth = |value: Option<Value>| matches!(value, Some(Value::Bool(true)));
    let changed = truth(data.shift_remove("changed"));
    if truth(data.shift_remove("failed")) || (output.rc != 0 && !data.contains_key("rc")) {
        let msg = data.get("msg").and_then(Value::as_str).unwrap_or("the module failed").to_owned();
        let mut failure = Failure::new(msg);
        failure.data = data;
        return Err(failure);
    }
    let outcome = Outcome::new().changed(changed);
    Ok(data.into_iter().fold(outcome, |outcome, (name, value)| outcome.with(&name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        let map = serde_json::json!({"a": "x y", "b": "it's", "c": 1, "d": true});
        let Value::Object(map) = map else { unreachable!() };
        assert_eq!(pairs(&map), r#"a='x y' b='it'"'"'s' c=1 d=True"#);
    }
}
