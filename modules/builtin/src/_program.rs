//! A module of the user's: a program that speaks Ansible's protocol, from a folder `library` or a
//! collection.
//!
//! How it is given its arguments is told by what it holds: `WANT_JSON`, a placeholder for them, or
//! nothing (`name=value` words); a binary gets JSON. What is written in Python with Ansible's own
//! library is run in that library, which the engine has put there (`_python_library`). It prints its
//! result as JSON.
//!
//! What is written with the library is told whether it may change anything, and keeps to that: it runs
//! in a dry run too, as with Ansible, and sees the host itself there. Nobody knows that of any other
//! program, which a dry run therefore does not run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rplay_api::{Args, Command, ControllerFile, Doc, Failure, Host, Module, Outcome, Output, Result, Stdin, Told, exact_integers};
use serde_json::{Map, Value, json};

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
    /// What runs it, where that is not what its first line says.
    interpreter: Option<String>,
    /// The folder of Ansible's library, where it is written in Python with that.
    library: Option<String>,
    /// Its name in that library, parts separated by dots.
    full_name: Option<String>,
    /// Whether the result tells what it wrote to standard error, as that of a task with `async` does.
    #[arg(default = false)]
    with_stderr: bool,
}

/// What is replaced in a program that has its arguments written into it.
const PLACEHOLDER: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// Where a Python is looked for, the first that is there.
const PYTHONS: [&str; 11] = [
    "/usr/bin/python3",
    "python3",
    "/usr/libexec/platform-python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "python",
];

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
        let name = name.strip_suffix(".py").unwrap_or(name).to_owned();
        let content = sent_program::content(host, &args.program)?;
        if let Some(named) = args.interpreter.as_deref().filter(|i| i.starts_with('/'))
            && !host.exists(Path::new(named))?
        {
            // The words that playbooks look for.
            let words = format!("The module interpreter '{named}' was not found.");
            return Err(host.missing(Failure::new(words)));
        }
        let (library, full_name) = match (args.library, args.full_name) {
            (Some(library), Some(full_name)) => (library, full_name),
            _ => {
                let output = as_it_is(host, &name, args.interpreter, &content, args.arguments)?;
                return result(host, &name, &output, args.with_stderr);
            }
        };
        let python = InPython { name: &name, library: Path::new(&library), full_name: &full_name };
        let output = python.run(host, args.interpreter, &content, &args.arguments)?;
        // It sees the host itself, whatever a dry run has planned.
        result(host, &name, &output, args.with_stderr).map_err(|failure| host.unaware(failure))
    }
}

/// Runs a program as it is, its arguments in a file or in itself.
fn as_it_is(host: &Host, name: &str, interpreter: Option<String>, content: &[u8], arguments: Value) -> Result<Output> {
    let text = String::from_utf8_lossy(content);
    let json = arguments.to_string();
    // What was read is what is run: the program is sent once.
    let (program, input) = if text.contains(PLACEHOLDER) {
        let text = text.replace(PLACEHOLDER, &json);
        (sent_program::written(name, 0o700, text.as_bytes())?, None)
    } else {
        let is_binary = content.starts_with(b"\x7fELF");
        let words = match arguments {
            Value::Object(map) if !is_binary && !text.contains("WANT_JSON") => pairs(&map),
            _ => json,
        };
        let input = sent_program::written("args", 0o600, words.as_bytes())?;
        (sent_program::written(name, 0o700, content)?, Some(input))
    };
    let interpreter = match interpreter {
        None if wants_missing_python(&text) => python(host),
        given => given,
    };
    let paths = [Some(&program), input.as_ref()].into_iter().flatten();
    let paths = paths.map(|path| path.to_string_lossy().into_owned());
    host.run(&Command::changes(interpreter.into_iter().chain(paths)))
}

/// Whether a program's first line names a Python that is not there.
fn wants_missing_python(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.strip_prefix("#!").unwrap_or_default().split_whitespace();
    let mut interpreter = words.next().map(Path::new);
    let mut is_there = interpreter.is_some_and(Path::exists);
    if interpreter.is_some_and(|path| path.ends_with("env")) {
        interpreter = words.find(|word| !word.starts_with('-')).map(Path::new);
        let folders = std::env::var_os("PATH").unwrap_or_default();
        is_there = interpreter.is_some_and(|name| std::env::split_paths(&folders).any(|dir| dir.join(name).exists()));
    }
    let name = interpreter.and_then(Path::file_name).unwrap_or_default();
    name.to_string_lossy().starts_with("python") && !is_there
}

/// The first Python that runs; one that was found is not looked for again.
fn python(host: &Host) -> Option<String> {
    static FOUND: OnceLock<String> = OnceLock::new();
    if let Some(found) = FOUND.get() {
        return Some(found.clone());
    }
    let runs = |name: &&str| {
        let asked = host.run(&Command::reads([name, "-c", "import sys; sys.exit(sys.version_info < (3,))"]));
        asked.is_ok_and(|output| output.rc == 0)
    };
    let found = PYTHONS.iter().find(|name| runs(name))?;
    Some(FOUND.get_or_init(|| (*found).to_owned()).clone())
}

/// A module that is written in Python with Ansible's library.
struct InPython<'a> {
    name: &'a str,
    library: &'a Path,
    full_name: &'a str,
}

impl InPython<'_> {
    fn run(&self, host: &Host, interpreter: Option<String>, content: &[u8], arguments: &Value) -> Result<Output> {
        let interpreter = interpreter.or_else(|| python(host)).ok_or_else(|| {
            Failure::new(format!("the module `{}` is written in Python, and there is no Python 3", self.name))
                .help("install python3 there in a task before, or use a module that is part of rplay (`rplay doc`)")
                .absent()
        })?;
        self.put(content)?;
        let runner = self.library.join("rplay_module.py");
        let words = [interpreter.as_str(), &runner.to_string_lossy(), self.full_name].map(str::to_owned);
        let command = Command {
            stdin: Stdin::Bytes(json!({"ANSIBLE_MODULE_ARGS": arguments}).to_string().into_bytes()),
            ..Command::reads(words)
        };
        host.run(&command)
    }

    /// Puts the module where Python finds it under its name, unless it is there.
    fn put(&self, content: &[u8]) -> Result<()> {
        let below: PathBuf = self.full_name.split('.').collect();
        let path = self.library.join(below).with_extension("py");
        if fs::read(&path).is_ok_and(|old| old == content) {
            return Ok(());
        }
        let failed = |e: &std::io::Error| Failure::io("write", &path, e);
        let dir = path.parent().unwrap_or(self.library);
        fs::create_dir_all(dir).map_err(|e| failed(&e))?;
        let mut part = tempfile::NamedTempFile::new_in(dir).map_err(|e| failed(&e))?;
        std::io::Write::write_all(&mut part, content).map_err(|e| failed(&e))?;
        part.persist(&path).map(drop).map_err(|e| failed(&e.error))
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

/// Takes a program's result from what it printed.
fn result(host: &Host, name: &str, output: &Output, with_stderr: bool) -> Result<Outcome> {
    let (stdout, stderr) = (output.stdout(), output.stderr());
    let exact = exact_integers(&stdout);
    let Some((mut data, rest)) = object_in(&exact) else {
        let said = stderr.trim().lines().last().map(|line| format!(": {line}")).unwrap_or_default();
        return Err(Failure::new(format!("the module `{name}` printed no JSON object as its result{said}"))
            .help("it prints one object and nothing else on standard output")
            .with("module_stdout", stdout)
            .with("module_stderr", stderr)
            .with("rc", output.rc));
    };
    let truth = |value: Option<Value>| matches!(value, Some(Value::Bool(true)));
    let changed = truth(data.shift_remove("changed"));
    if !rest.is_empty() {
        host.warn(format!("Module invocation had junk after the JSON data: {rest}"));
    }
    tell(host, name, &mut data);
    if with_stderr && !stderr.is_empty() {
        data.insert("stderr".to_owned(), stderr.into());
    }
    if truth(data.shift_remove("failed")) || (output.rc != 0 && !data.contains_key("rc")) {
        let msg = data.get("msg").and_then(Value::as_str).unwrap_or("the module failed").to_owned();
        let mut failure = Failure::new(msg);
        failure.data = data;
        return Err(failure);
    }
    let outcome = Outcome::new().changed(changed);
    Ok(data.into_iter().fold(outcome, |outcome, (name, value)| outcome.with(&name, value)))
}

/// The object that a program printed, whatever it printed before it, and what it printed after it.
fn object_in(printed: &str) -> Option<(Map<String, Value>, &str)> {
    let starts_a_line = |at: &usize| {
        let before = printed[..*at].rsplit('\n').next().unwrap_or_default();
        before.trim().is_empty()
    };
    let mut braces = printed.match_indices('{').map(|(at, _)| at).filter(starts_a_line);
    braces.find_map(|at| {
        let mut objects = serde_json::Deserializer::from_str(&printed[at..]).into_iter();
        let object = objects.next()?.ok()?;
        Some((object, printed[at + objects.byte_offset()..].trim()))
    })
}

/// Takes what a result tells beside its keys: warnings, deprecations and diffs.
fn tell(host: &Host, name: &str, data: &mut Map<String, Value>) {
    let list = |value: Option<Value>| match value {
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
        None => vec![],
    };
    for warning in list(data.shift_remove("warnings")) {
        host.warn(message(&warning));
    }
    let deprecations = list(data.shift_remove("deprecations"));
    if !deprecations.is_empty() {
        let plain: Vec<Value> = deprecations.iter().map(deprecation).collect();
        data.insert("deprecations".to_owned(), plain.into());
    }
    for diff in list(data.shift_remove("diff")) {
        let header = ["after_header", "before_header"].iter().find_map(|key| diff.get(key)?.as_str());
        let side = |key: &str| diff.get(key).map(text).unwrap_or_default();
        match diff.get("prepared").and_then(Value::as_str) {
            Some(prepared) => host.tell(header.unwrap_or(name), Told::Prepared(prepared.to_owned())),
            None => host.tell(header.unwrap_or(name), Told::Sides(side("before"), side("after"))),
        }
    }
}

/// The words of a warning: itself, or those that newer libraries wrap.
fn message(warning: &Value) -> String {
    let wrapped = warning.pointer("/event/msg").or_else(|| warning.get("msg"));
    text(wrapped.unwrap_or(warning))
}

/// A deprecation under the keys that results have.
fn deprecation(told: &Value) -> Value {
    let collection = told.pointer("/deprecator/resolved_name").or_else(|| told.get("collection_name"));
    let known = ["version", "date"].map(|key| (key, told.get(key)));
    let known = known.into_iter().chain([("collection_name", collection)]);
    let known = known.filter_map(|(key, value)| Some((key, value.filter(|v| !v.is_null())?.clone())));
    let all = [("msg", message(told).into())].into_iter().chain(known);
    Value::Object(all.map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A value as text: one that is none as JSON, a key a line.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).map(|json| json + "\n").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::{RealSystem, Target};

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        let map = serde_json::json!({"a": "x y", "b": "it's", "c": 1, "d": true});
        let Value::Object(map) = map else { unreachable!() };
        assert_eq!(pairs(&map), r#"a='x y' b='it'"'"'s' c=1 d=True"#);
    }

    #[test]
    fn a_result_stands_between_whatever_else_is_printed() {
        let (object, rest) = object_in("loading {x}\n  {\"a\": {\"b\": 1}}\nbye\n").unwrap();
        assert_eq!((object["a"]["b"].as_i64(), rest), (Some(1), "bye"));
        assert_eq!(object_in("{\"a\": 1}").unwrap().1, "");
        assert!(object_in("{broken").is_none());
    }

    #[test]
    fn a_program_tells_of_warnings_and_of_changes() {
        let program = b"#!/bin/sh\n# WANT_JSON\necho '{\"changed\": true, \"warnings\": [\"w\", {\"event\": {\"msg\": \"x\"}}], \
            \"deprecations\": [{\"event\": {\"msg\": \"old\"}, \"version\": \"3\"}], \
            \"diff\": {\"before\": \"a\", \"after\": \"b\"}}'";
        let args = json!({
            "program": {"src": "p", "entries": [{"path": "", "mode": 0o755, "kind": {"file": 0}}]},
            "arguments": {},
        });
        let ran = Fixture::new(&RealSystem).blob(*program).run::<This>(args);
        let outcome = ran.result.unwrap();
        assert_eq!(outcome.changed, Some(true));
        assert_eq!(ran.warnings, ["w", "x"]);
        assert_eq!(outcome.data["deprecations"][0]["msg"], "old");
        assert_eq!(ran.changes[0].target, Target::Command("p".to_owned()));
    }

    #[test]
    fn what_prints_no_result_is_told_with_its_last_words() {
        let args = json!({
            "program": {"src": "p", "entries": [{"path": "", "mode": 0o755, "kind": {"file": 0}}]},
            "arguments": {},
        });
        let program = b"#!/bin/sh\necho one >&2\necho two >&2\nexit 3\n";
        let ran = Fixture::new(&RealSystem).blob(*program).run::<This>(args);
        let failure = ran.result.unwrap_err();
        assert!(failure.msg.ends_with("as its result: two"), "{failure}");
        assert_eq!(failure.data["rc"], 3);
    }
}
