//! Makes sure that a line is in a file, or is not.
//!
//! With `regexp` the last line that matches is replaced; where none does the line is added. A line
//! that is there already is never added again.

use std::path::PathBuf;

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::python_regex::{Expression, Flags, Template};
use crate::text_edit::{EditArgs, Position, TextEdit, bare, insert, lines};

/// The `lineinfile` module.
pub struct This;

/// Arguments of `lineinfile`.
#[derive(Debug, Args)]
pub struct LineinfileArgs {
    /// The file.
    #[arg(alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// The line, without its newline.
    #[arg(alias = "value")]
    line: Option<String>,
    /// Replace the last line that this regular expression (Python's) matches; with `absent`
    /// remove all lines that it matches.
    #[arg(alias = "regex")]
    regexp: Option<String>,
    /// As `regexp`, but a text that must be in the line as it is.
    search_string: Option<String>,
    /// Whether the line should be there.
    #[arg(default = State::Present)]
    state: State,
    /// Fill the groups of `regexp` into `line` (`\1`, `\g<name>`); where nothing matches the file
    /// stays as it is.
    #[arg(default = false, alias = "backreferences")]
    backrefs: bool,
    /// Add the line after the last one that this regular expression matches; `EOF` is the end.
    insertafter: Option<String>,
    /// Add the line before the last one that this regular expression matches; `BOF` is the start.
    insertbefore: Option<String>,
    /// The first match counts, not the last.
    #[arg(default = false)]
    firstmatch: bool,
    /// Make the file where it is not there.
    #[arg(default = false)]
    create: bool,
    /// How the file is written back.
    #[arg(flatten)]
    edit: EditArgs,
}

/// Whether the line should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

impl Module for This {
    type Args = LineinfileArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "lineinfile",
        aliases: &[],
        summary: "Makes sure that a line is in a file, or is not",
        description: "For several lines together there is `blockinfile`, for text anywhere \
            `replace`, for a whole file `template` or `copy`.",
        free_form: None,
        examples: r#"
- name: No root over SSH
  lineinfile:
    path: /etc/ssh/sshd_config
    regexp: '^#?PermitRootLogin\b'
    line: PermitRootLogin no
    validate: sshd -t -f %s

- name: A name after the one it belongs to
  lineinfile:
    path: /etc/hosts
    line: 10.0.0.7 db
    insertafter: '^127\.0\.0\.1'

- name: Another value in the same line
  lineinfile:
    path: /etc/default/app
    regexp: '^(OPTS=".*)"$'
    line: '\1 --verbose"'
    backrefs: true

- name: None of these
  lineinfile:
    path: /etc/app.conf
    search_string: deprecated
    state: absent
"#,
        returns: &[
            Return {
                name: "msg",
                doc: "`line added`, `line replaced`, `N line(s) removed`, or empty.",
            },
            Return {
                name: "found",
                doc: "With `absent`: how many lines were removed.",
            },
            Return {
                name: "backup",
                doc: "The copy of the old file, or empty.",
            },
        ],
    };

    fn run(args: LineinfileArgs, host: &Host) -> Result<Outcome> {
        let edit = TextEdit {
            path: &args.path,
            args: &args.edit,
        };
        let selector = Selector::of(&args, host)?;
        let content = edit.read(host)?;
        match args.state {
            State::Present => present(&args, &edit, selector.as_ref(), content, host),
            State::Absent => absent(&args, &edit, selector.as_ref(), content, host),
        }
    }
}

/// How the line is found that is to be replaced or removed.
enum Selector {
    Regexp(Expression),
    Text(Vec<u8>),
}

impl Selector {
    fn of(args: &LineinfileArgs, host: &Host) -> Result<Option<Self>> {
        let empty = |word: &Option<String>| word.as_deref() == Some("");
        let kind = match (empty(&args.regexp), empty(&args.search_string)) {
            (true, _) => Some("regular expression"),
            (_, true) => Some("search string"),
            _ => None,
        };
        if let Some(kind) = kind {
            // In Ansible's words, which playbooks look for.
            let help = match kind {
                "search string" => "",
                _ => " If this is desired, use '^' to match every line in the file and avoid this warning.",
            };
            host.warn(format!(
                "The {kind} is an empty string, which will match every line in the file. \
                 This may have unintended consequences, such as replacing the last line in the \
                 file rather than appending.{help}"
            ));
        }
        if args.backrefs && args.regexp.is_none() {
            return Err(Failure::new("`backrefs` needs `regexp`: its groups").arg("backrefs"));
        }
        match (&args.regexp, &args.search_string) {
            (Some(_), Some(_)) => Err(Failure::new(
                "`regexp` and `search_string`: parameters are mutually exclusive",
            )
            .arg("search_string")
            .help("leave one of them out")),
            (Some(text), None) => {
                let expression = Expression::new("regexp", text, Flags::default())?;
                Ok(Some(Self::Regexp(expression)))
            }
            (None, Some(text)) => Ok(Some(Self::Text(text.clone().into_bytes()))),
            (None, None) => Ok(None),
        }
    }

    fn selects(&self, line: &[u8]) -> Result<bool> {
        match self {
            Self::Regexp(expression) => expression.is_match(bare(line)),
            Self::Text(text) => Ok(text.is_empty() || line.windows(text.len()).any(|w| w == text)),
        }
    }
}

fn present(
    args: &LineinfileArgs,
    edit: &TextEdit,
    selector: Option<&Selector>,
    content: Option<Vec<u8>>,
    host: &Host,
) -> Result<Outcome> {
    let line = args.line.as_deref().ok_or_else(|| {
        Failure::new("line is required with state=present")
            .arg("line")
            .help("it is the line to be there; state: absent needs none")
    })?;
    let position = Position::parse(args.insertafter.as_deref(), args.insertbefore.as_deref())?;
    if content.is_none() {
        if !args.create {
            return Err(edit.missing("use create: true to make it"));
        }
        edit.make_parent(host)?;
    }
    let mut lines = lines(&content.unwrap_or_default());
    let msg = put(args, line, selector, &position, &mut lines)?;
    edit.finish(host, lines.concat(), msg.to_owned())
        .map(with_backup)
}

/// This module names the copy of the old file under a key of its own, which is always there.
fn with_backup(mut outcome: Outcome) -> Outcome {
    let copy = outcome.data.remove("backup_file");
    outcome.with("backup", copy.unwrap_or_else(|| "".into()))
}

/// Brings the line into the lines, and says what was done.
fn put(
    args: &LineinfileArgs,
    line: &str,
    selector: Option<&Selector>,
    position: &Position,
    lines: &mut Vec<Vec<u8>>,
) -> Result<&'static str> {
    let selected = match selector {
        Some(selector) => select(selector, lines, args.firstmatch)?,
        None => None,
    };
    if args.backrefs && selected.is_none() {
        // Without a match there is nothing to fill in.
        return Ok("");
    }
    let is_line = |there: &Vec<u8>| bare(there) == bare(line.as_bytes());
    let at = selected.or_else(|| lines.iter().rposition(is_line));
    let Some(at) = at else {
        let at = position.index(lines, args.firstmatch)?;
        insert(lines, at, [ended(line.as_bytes())]);
        return Ok("line added");
    };
    let new = match selector {
        Some(Selector::Regexp(expression)) if args.backrefs => {
            let template = Template::new("line", line)?;
            match expression.find(bare(&lines[at]))? {
                Some(found) => ended(&found.expand(&template)?),
                None => ended(line.as_bytes()),
            }
        }
        _ => ended(line.as_bytes()),
    };
    if lines[at] == new {
        return Ok("");
    }
    lines[at] = new;
    Ok("line replaced")
}

fn select(selector: &Selector, lines: &[Vec<u8>], first: bool) -> Result<Option<usize>> {
    let mut found = None;
    for (at, line) in lines.iter().enumerate() {
        if selector.selects(line)? {
            found = Some(at);
            if first {
                break;
            }
        }
    }
    Ok(found)
}

/// A line with its newline.
fn ended(line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    if !line.ends_with(b"\n") {
        line.push(b'\n');
    }
    line
}

fn absent(
    args: &LineinfileArgs,
    edit: &TextEdit,
    selector: Option<&Selector>,
    content: Option<Vec<u8>>,
    host: &Host,
) -> Result<Outcome> {
    if selector.is_none() && args.line.is_none() {
        return Err(
            Failure::new("state: absent needs `regexp`, `search_string` or `line`")
                .arg("state")
                .help("they say which lines are to go"),
        );
    }
    let Some(content) = content else {
        return Ok(Outcome::new()
            .with("msg", "file not present")
            .with("found", 0));
    };
    let mut kept = vec![];
    let mut found = 0;
    for line in lines(&content) {
        let goes = match (selector, &args.line) {
            (Some(selector), _) => selector.selects(&line)?,
            (None, Some(text)) => bare(&line) == bare(text.as_bytes()),
            (None, None) => false,
        };
        if goes {
            found += 1;
        } else {
            kept.push(line);
        }
    }
    let msg = if found == 0 {
        String::new()
    } else {
        format!("{found} line(s) removed")
    };
    let outcome = edit.finish(host, kept.concat(), msg)?;
    Ok(with_backup(outcome).with("found", found))
}

#[cfg(test)]
mod tests;
