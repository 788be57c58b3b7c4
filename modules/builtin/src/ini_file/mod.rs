//! One option in a file of sections.
//!
//! The file is edited line by line: comments, blanks and what is no option stay as they are. An
//! option that is commented out stands for the place where the real one goes.

mod text;

use std::path::PathBuf;

use rplay_api::{Args, Choice, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return};

use crate::content::Content;
use crate::path_info;
use crate::placement::Placement;
use text::{Edit, Format, Ini, Required};

/// The `ini_file` module.
pub struct This;

/// Arguments of `ini_file`.
#[derive(Debug, Args)]
pub struct IniFileArgs {
    /// The file.
    #[arg(alias = "dest")]
    path: PathBuf,
    /// The section that the option is in; absent: the lines before the first section.
    section: Option<String>,
    /// Of several sections of that name, the first one with these options.
    section_has_values: Option<Vec<Required>>,
    /// The option; absent: the section as a whole.
    option: Option<String>,
    /// The option's value.
    value: Option<String>,
    /// The option's values, a line each.
    values: Option<Vec<String>>,
    /// Keep a copy of the old file, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// Whether the option, or the section, should be there.
    #[arg(default = State::Present)]
    state: State,
    /// The option has these values and no others; `false` adds these values or takes them away.
    #[arg(default = true)]
    exclusive: bool,
    /// Write `option=value` for `option = value`.
    #[arg(default = false)]
    no_extra_spaces: bool,
    /// Leave a line alone that differs in the blanks around `=` only.
    #[arg(default = false)]
    ignore_spaces: bool,
    /// Make the file where it is not there.
    #[arg(default = true)]
    create: bool,
    /// An option may be a word without `=`.
    #[arg(default = false)]
    allow_no_value: bool,
    /// Put the option in the place of one that is commented out.
    #[arg(default = true)]
    modify_inactive_option: bool,
    /// Write to the file that a link in its place names, instead of replacing the link.
    #[arg(default = false)]
    follow: bool,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

/// Whether the option, or the section, should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

impl Module for This {
    type Args = IniFileArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "ini_file",
        aliases: &["community.general.ini_file"],
        summary: "One option in a file of sections",
        description: "For a whole file there is `template`.",
        free_form: None,
        examples: r#"
- name: The journal is kept
  ini_file:
    path: /etc/systemd/journald.conf
    section: Journal
    option: Storage
    value: persistent
    no_extra_spaces: true

- name: No proxy
  ini_file:
    path: /etc/pip.conf
    section: global
    option: proxy
    state: absent
"#,
        returns: &[
            Return { name: "path", doc: "The file; also `mode`, `owner`, `size`, ..." },
            Return { name: "msg", doc: "What was done, such as `option added`; else `OK`." },
            Return { name: "backup_file", doc: "The copy of the old file." },
        ],
    };

    fn run(args: IniFileArgs, host: &Host) -> Result<Outcome> {
        let edit = args.edit()?;
        let path = path_info::follow(host, &args.path)?;
        let is_there = host.exists(&path)?;
        if !is_there && !args.create {
            let words = format!("Destination {} does not exist!", args.path.display());
            let failure = Failure::new(words).arg("path").with("rc", 257);
            return Err(failure.absent().help("use create: true to make it"));
        }
        let old = if is_there { host.read(&path)? } else { vec![] };
        let old = String::from_utf8(old)
            .map_err(|_| Failure::new(format!("`{}` is not text in UTF-8", path.display())).arg("path"))?;
        let mut ini = Ini::read(&old);
        let done = match args.state {
            State::Present => ini.add(&edit),
            State::Absent => ini.remove(&edit),
        };
        let outcome = Outcome::new().with("path", args.path.to_string_lossy()).with("msg", done);
        let is_same = old.is_empty() && done == "OK";
        if !is_there && is_same {
            return Ok(outcome);
        }
        let new = if is_same { old } else { ini.text() };
        let parent = path.parent().unwrap_or(&path);
        host.make_dirs(parent, &FileArgs::default())?;
        let placement = Placement {
            dest: &args.path,
            args: &args.file,
            backup: args.backup,
            follow: args.follow,
            validate: None,
        };
        let placed = placement.put(host, &Content::Bytes(new.into_bytes()))?;
        let outcome = match placed.backup {
            Some(copy) => outcome.with("backup_file", copy.to_string_lossy()),
            None => outcome,
        };
        path_info::describe(host, &args.path, outcome)
    }
}

impl IniFileArgs {
    fn edit(&self) -> Result<Edit<'_>> {
        let values = match (&self.value, &self.values) {
            (Some(_), Some(_)) => {
                let words = "parameters are mutually exclusive: value|values";
                return Err(Failure::new(words).arg("values"));
            }
            (Some(value), None) => vec![value.as_str()],
            (None, values) => values.iter().flatten().map(String::as_str).collect(),
        };
        if self.state == State::Present && values.is_empty() && !self.allow_no_value {
            // Ansible's words: playbooks look for them.
            let words = "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.";
            return Err(Failure::new(words).arg("value"));
        }
        let mut once = vec![];
        for value in values {
            if !once.contains(&value) {
                once.push(value);
            }
        }
        Ok(Edit {
            section: self.section.as_deref().filter(|section| !section.is_empty()),
            required: self.section_has_values.as_deref().unwrap_or_default(),
            option: self.option.as_deref(),
            values: once,
            exclusive: self.exclusive,
            inactive_too: self.modify_inactive_option,
            format: Format {
                tight: self.no_extra_spaces,
                lenient: self.ignore_spaces,
            },
        })
    }
}

#[cfg(test)]
mod tests;
