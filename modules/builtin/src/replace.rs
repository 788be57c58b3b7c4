//! Replaces every match of a regular expression in a file.

use std::ops::Range;
use std::path::PathBuf;

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::python_regex::{Expression, Flags, Template};
use crate::text_edit::{EditArgs, TextEdit};

/// The `replace` module.
pub struct This;

/// Arguments of `replace`.
#[derive(Debug, Args)]
pub struct ReplaceArgs {
    /// The file.
    #[arg(alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// The regular expression (Python's); `^` and `$` match at each line.
    regexp: String,
    /// What takes the place of each match; `\1` and `\g<name>` are its groups.
    #[arg(default = "")]
    replace: String,
    /// Only what comes after the first match of this expression.
    after: Option<String>,
    /// Only what comes before the first match of this expression.
    before: Option<String>,
    /// The file's encoding; it is worked on as bytes.
    #[arg(name = "encoding", default = "utf-8")]
    _encoding: String,
    /// How the file is written back.
    #[arg(flatten)]
    edit: EditArgs,
}

impl Module for This {
    type Args = ReplaceArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "replace",
        aliases: &[],
        summary: "Replaces every match of a regular expression in a file",
        description: "The new text must not match again, or each run changes the file.",
        free_form: None,
        examples: r#"
- name: Another host name everywhere
  replace:
    path: /etc/hosts
    regexp: '(\s+)old\.host\.name(\s+.*)?$'
    replace: '\1new.host.name\2'

- name: Only in one section
  replace:
    path: /etc/app.ini
    after: '\[db\]'
    before: '\['
    regexp: '^port *=.*$'
    replace: port = 5433
"#,
        returns: &[
            Return {
                name: "msg",
                doc: "`N replacements made`, or empty.",
            },
            Return {
                name: "backup_file",
                doc: "The copy of the old file.",
            },
        ],
    };

    fn run(args: ReplaceArgs, host: &Host) -> Result<Outcome> {
        let edit = TextEdit {
            path: &args.path,
            args: &args.edit,
        };
        let flags = Flags {
            multi_line: true,
            ..Flags::default()
        };
        let expression = Expression::new("regexp", &args.regexp, flags)?;
        let template = Template::new("replace", &args.replace).map_err(|failure| Failure {
            msg: format!("Unable to process replace due to error: {}", failure.msg),
            ..failure
        })?;
        let content = edit
            .read(host)?
            .ok_or_else(|| edit.missing("the `copy` or `template` module makes files"))?;
        let Some(section) = section(&args, &content)? else {
            return Ok(Outcome::new().with(
                "msg",
                "Pattern for before/after params did not match the given file",
            ));
        };
        let (new, count) = substitute(&expression, &template, &content[section.clone()])?;
        let whole = [&content[..section.start], &new, &content[section.end..]].concat();
        let msg = if count == 0 || whole == content {
            String::new()
        } else {
            format!("{count} replacements made")
        };
        Ok(edit.finish(host, whole, msg)?.with("rc", 0))
    }
}

/// The part of the file that `after` and `before` leave.
fn section(args: &ReplaceArgs, content: &[u8]) -> Result<Option<Range<usize>>> {
    let pattern = match (&args.after, &args.before) {
        (None, None) => return Ok(Some(0..content.len())),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*?){before}"),
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
    };
    let arg = if args.after.is_some() {
        "after"
    } else {
        "before"
    };
    let flags = Flags {
        dot_all: true,
        ..Flags::default()
    };
    let found = Expression::new(arg, &pattern, flags)?.find(content)?;
    Ok(found.and_then(|found| found.group("subsection")))
}

fn substitute(
    expression: &Expression,
    template: &Template,
    text: &[u8],
) -> Result<(Vec<u8>, usize)> {
    let found = expression.find_all(text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for one in &found {
        let range = one.range();
        out.extend_from_slice(&text[at..range.start]);
        out.extend(one.expand(template)?);
        at = range.end;
    }
    out.extend_from_slice(&text[at..]);
    Ok((out, found.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::This;
    use crate::fixture::{Fixture, on_each_system};

    fn assert_edit(before: &str, args: Value, after: &str, msg: &str) {
        on_each_system(|system, root| {
            let path = root.join("f");
            let host = Fixture::new(system);
            host.file(path.to_str().unwrap(), before);
            let mut args = args.clone();
            args["path"] = path.to_string_lossy().into();
            let first = host.run::<This>(args);
            assert_eq!(first.result.unwrap().data["msg"], msg);
            assert_eq!(host.on_host(|h| h.read_text(&path).unwrap()), after);
        });
    }

    #[test]
    fn every_match_is_replaced_at_each_line() {
        let args = json!({"regexp": "^(a+)=(.*)$", "replace": r"\2=\1"});
        assert_edit(
            "a=1\nb=2\naa=3\n",
            args,
            "1=a\nb=2\n3=aa\n",
            "2 replacements made",
        );
        assert_edit("x\n", json!({"regexp": "y"}), "x\n", "");
        assert_edit(
            "#a\nb\n",
            json!({"regexp": "^#.*\n"}),
            "b\n",
            "1 replacements made",
        );
    }

    #[test]
    fn a_section_is_kept_to() {
        let text = "[a]\nport=1\n[db]\nport=1\n[c]\nport=1\n";
        let args = json!({"regexp": "^port=.*$", "replace": "port=2", "after": r"\[db\]",
            "before": r"\["});
        let after = "[a]\nport=1\n[db]\nport=2\n[c]\nport=1\n";
        assert_edit(text, args, after, "1 replacements made");
        let args = json!({"regexp": "1", "replace": "2", "after": r"\[c\]"});
        let after = "[a]\nport=1\n[db]\nport=1\n[c]\nport=2\n";
        assert_edit(text, args, after, "1 replacements made");
        let args = json!({"regexp": "1", "replace": "2", "before": "none"});
        let msg = "Pattern for before/after params did not match the given file";
        assert_edit(text, args, text, msg);
    }
}
