//! The lines of a file of sections, and how they are edited.

use std::ops::Range;

use rplay_api::{ArgKind, ArgType, Args, ArgMap};
use serde_json::Value;

/// An option that a section must have to be the one.
#[derive(Debug, Clone, Args)]
pub struct Required {
    /// The option.
    pub option: String,
    /// Its value; absent: any.
    pub value: Option<String>,
    /// Its values, all of them.
    pub values: Option<Vec<String>>,
}

impl ArgType for Required {
    const KIND: ArgKind = ArgKind::Dict;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        let map: &ArgMap = value.as_object().ok_or("it is a mapping with `option`")?;
        Self::parse(map).map_err(|error| error.to_string())
    }
}

impl Required {
    fn values(&self) -> Vec<&str> {
        let one = self.value.iter();
        one.chain(self.values.iter().flatten()).map(String::as_str).collect()
    }
}

/// How an option is written.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Without blanks around `=`.
    pub tight: bool,
    /// A line that differs in those blanks only is good as it is.
    pub lenient: bool,
}

impl Format {
    fn line(self, option: &str, value: Option<&str>) -> String {
        match value {
            None => format!("{option}\n"),
            Some(value) if self.tight => format!("{option}={value}\n"),
            Some(value) => format!("{option} = {value}\n"),
        }
    }
}

/// What is to be done.
pub struct Edit<'a> {
    pub section: Option<&'a str>,
    pub required: &'a [Required],
    pub option: Option<&'a str>,
    pub values: Vec<&'a str>,
    pub exclusive: bool,
    pub inactive_too: bool,
    pub format: Format,
}

/// The lines of the file, each with its newline.
pub struct Ini(Vec<String>);

/// A line that sets an option, or did before it was commented out.
struct Setting<'a> {
    active: bool,
    value: Option<&'a str>,
}

/// What a line says of an option.
fn setting<'a>(line: &'a str, option: &str) -> Option<Setting<'a>> {
    let line = line.trim();
    let body = line.strip_prefix(['#', ';']);
    let rest = body.unwrap_or(line).trim_start().strip_prefix(option)?.trim_start();
    let value = match rest.strip_prefix('=') {
        Some(value) => Some(value.trim()),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Setting {
        active: body.is_none(),
        value,
    })
}

fn header(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix('[')?.split_once(']')?.0)
}

fn is_filler(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', ';'])
}

impl Ini {
    pub fn read(text: &str) -> Self {
        let line = |line: &str| format!("{}\n", line.strip_suffix('\n').unwrap_or(line));
        match text {
            // As Ansible leaves a file that it begins.
            "" => Self(vec!["\n".to_owned()]),
            text => Self(text.split_inclusive('\n').map(line).collect()),
        }
    }

    pub fn text(&self) -> String {
        self.0.concat()
    }

    /// The lines below the header of the section, where there is one.
    fn find(&self, edit: &Edit<'_>) -> Option<Range<usize>> {
        let end = |start: usize| {
            let next = self.0[start..].iter().position(|line| header(line).is_some());
            next.map_or(self.0.len(), |at| start + at)
        };
        let Some(section) = edit.section else {
            return Some(0..end(0));
        };
        let starts = (0..self.0.len()).filter(|at| header(&self.0[*at]) == Some(section));
        let mut found = starts.map(|at| at + 1..end(at + 1));
        found.find(|range| edit.required.iter().all(|wanted| self.has(range, wanted)))
    }

    fn has(&self, range: &Range<usize>, wanted: &Required) -> bool {
        let lines = self.0[range.clone()].iter();
        let settings = lines.filter_map(|line| setting(line, &wanted.option)).filter(|s| s.active);
        let there: Vec<_> = settings.map(|setting| setting.value).collect();
        let values = wanted.values();
        !there.is_empty() && values.iter().all(|value| there.contains(&Some(*value)))
    }

    /// Brings the option to its values, and says what was done.
    pub fn add(&mut self, edit: &Edit<'_>) -> &'static str {
        let Some(range) = self.find(edit) else {
            return self.add_section(edit);
        };
        let Some(option) = edit.option else {
            return "OK";
        };
        let mut lines: Vec<String> = self.0[range.clone()].to_vec();
        let (replaced, added) = match edit.values.is_empty() {
            true => add_word(&mut lines, option, edit),
            false => add_values(&mut lines, option, edit),
        };
        self.0.splice(range, lines);
        match (replaced, added) {
            (_, true) => "option added",
            (true, false) => "option changed",
            (false, false) => "OK",
        }
    }

    fn add_section(&mut self, edit: &Edit<'_>) -> &'static str {
        let section = edit.section.expect("bug: the lines before the first section are always there");
        self.0.push(format!("[{section}]\n"));
        for wanted in edit.required {
            let values = wanted.values();
            let lines = values.iter().map(|value| edit.format.line(&wanted.option, Some(value)));
            self.0.extend(lines);
            if values.is_empty() {
                self.0.push(edit.format.line(&wanted.option, None));
            }
        }
        let Some(option) = edit.option else {
            return "only section added";
        };
        self.0.extend(edit.values.iter().map(|value| edit.format.line(option, Some(value))));
        if edit.values.is_empty() {
            self.0.push(edit.format.line(option, None));
        }
        "section and option added"
    }

    /// Takes away the option, or the section, and says what was done.
    pub fn remove(&mut self, edit: &Edit<'_>) -> &'static str {
        let Some(range) = self.find(edit) else {
            return "OK";
        };
        let Some(option) = edit.option else {
            if edit.section.is_none() {
                return "OK";
            }
            self.0.drain(range.start - 1..range.end);
            return "section removed";
        };
        let goes = |line: &String| match setting(line, option) {
            Some(setting) if setting.active => {
                edit.exclusive || setting.value.is_some_and(|value| edit.values.contains(&value))
            }
            _ => false,
        };
        let mut kept = self.0[range.clone()].to_vec();
        kept.retain(|line| !goes(line));
        let changed = kept.len() != range.len();
        self.0.splice(range, kept);
        if changed { "option changed" } else { "OK" }
    }
}

/// An option that is a word: there already, in the place of another line of it, or new.
fn add_word(lines: &mut Vec<String>, option: &str, edit: &Edit<'_>) -> (bool, bool) {
    let new = edit.format.line(option, None);
    let is_of_it = |line: &String| {
        setting(line, option).is_some_and(|setting| setting.active || edit.inactive_too)
    };
    let Some(first) = lines.iter().position(is_of_it) else {
        insert(lines, vec![new]);
        return (false, true);
    };
    let old = lines.clone();
    lines[first] = new;
    if edit.exclusive {
        let mut at = 0;
        lines.retain(|line| {
            at += 1;
            at - 1 == first || !is_of_it(line)
        });
    }
    (*lines != old, false)
}

/// Gives the option its values: first to lines that have one of them, then to lines with others,
/// and then to new ones. Whether lines were changed, and whether any are new.
fn add_values(lines: &mut Vec<String>, option: &str, edit: &Edit<'_>) -> (bool, bool) {
    let old = lines.clone();
    let mut left = edit.values.clone();
    let mut rest = vec![];
    for at in 0..lines.len() {
        let Some(setting) = setting(&old[at], option) else {
            continue;
        };
        if !setting.active && !edit.inactive_too {
            continue;
        }
        match left.iter().position(|value| setting.value == Some(*value)) {
            Some(found) => {
                let value = left.remove(found);
                if !(setting.active && edit.format.lenient) {
                    lines[at] = edit.format.line(option, Some(value));
                }
            }
            None => rest.push(at),
        }
    }
    if edit.exclusive {
        let mut gone = vec![];
        for at in rest {
            match left.is_empty() {
                false => lines[at] = edit.format.line(option, Some(left.remove(0))),
                true => gone.push(at),
            }
        }
        let mut at = 0;
        lines.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
    }
    let replaced = *lines != old;
    let added = !left.is_empty();
    insert(lines, left.iter().map(|value| edit.format.line(option, Some(value))).collect());
    (replaced, added)
}

/// New lines go behind the last option, before the comments and blanks at the section's end.
fn insert(lines: &mut Vec<String>, new: Vec<String>) {
    let at = lines.iter().rposition(|line| !is_filler(line)).map_or(0, |at| at + 1);
    lines.splice(at..at, new);
}
