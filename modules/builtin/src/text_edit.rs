//! A file changed in part: what lineinfile, blockinfile and replace share.
//!
//! Owns the reading, the writing back with its checks and backup, and the result. Knows nothing
//! of what is changed. Files are bytes: they need not be UTF-8.

use std::path::Path;

use rplay_api::{Args, Failure, FileArgs, Host, Outcome, Result};

use crate::content::Content;
use crate::placement::Placement;
use crate::validation::Validation;

/// A file under edit.
pub struct TextEdit<'a> {
    /// Its path.
    pub path: &'a Path,
    /// How it is written back.
    pub args: &'a EditArgs,
}

/// What all three modules take of how the file is written back.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// Keep a copy of the old file, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// A command that judges the new content before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

impl TextEdit<'_> {
    /// The file's content; `None` where nothing is there.
    pub fn read(&self, host: &Host) -> Result<Option<Vec<u8>>> {
        let shown = self.path.display();
        match host.stat(self.path)? {
            None => Ok(None),
            Some(meta) if meta.is_dir() => {
                Err(Failure::new(format!("Path {shown} is a directory !"))
                    .arg("path")
                    .with("rc", 256))
            }
            Some(_) => host.read(self.path).map(Some),
        }
    }

    /// The failure for a file that is not there.
    pub fn missing(&self, help: &str) -> Failure {
        Failure::new(format!(
            "Destination {} does not exist !",
            self.path.display()
        ))
        .absent()
        .arg("path")
        .help(help)
        .with("rc", 257)
    }

    /// Makes the folders above a file that is to be made.
    pub fn make_parent(&self, host: &Host) -> Result<()> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        host.make_dirs(parent, &FileArgs::default())
    }

    /// Writes the new content where it differs, and says in the result what was done: `msg`, and
    /// what became of the owner and mode.
    pub fn finish(&self, host: &Host, content: Vec<u8>, msg: String) -> Result<Outcome> {
        let before = host.stat(self.path)?;
        let validate = Validation::optional(self.args.validate.as_deref())?;
        let placement = Placement {
            dest: self.path,
            args: &self.args.file,
            backup: self.args.backup,
            follow: true,
            validate: validate.as_ref(),
        };
        let placed = placement.put(host, &Content::Bytes(content))?;
        let properties = |m: &rplay_api::Meta| (m.mode, m.uid, m.gid);
        let after = host.stat(self.path)?;
        let kept =
            before.is_none() || before.as_ref().map(properties) == after.as_ref().map(properties);
        let outcome = Outcome::new().with("msg", message(msg, kept));
        Ok(match placed.backup {
            Some(copy) => outcome.with("backup_file", copy.to_string_lossy()),
            None => outcome,
        })
    }
}

fn message(msg: String, properties_kept: bool) -> String {
    const PROPERTIES: &str = "ownership, perms or SE linux context changed";
    match (msg.is_empty(), properties_kept) {
        (_, true) => msg,
        (true, false) => PROPERTIES.to_owned(),
        (false, false) => format!("{msg} and {PROPERTIES}"),
    }
}

/// The lines of a file, each with its newline.
pub fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    content
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// A line without what ends it.
pub fn bare(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .rposition(|b| !matches!(b, b'\n' | b'\r'))
        .map_or(0, |at| at + 1);
    &line[..end]
}

/// Puts lines in before the one at `at`; a last line without a newline gets one first.
pub fn insert(lines: &mut Vec<Vec<u8>>, at: usize, new: impl IntoIterator<Item = Vec<u8>>) {
    if let Some(last) = at.checked_sub(1).and_then(|i| lines.get_mut(i))
        && !last.ends_with(b"\n")
    {
        last.push(b'\n');
    }
    lines.splice(at..at, new);
}

/// Where new lines go, as `insertafter` and `insertbefore` say.
pub enum Position {
    /// Before the first line.
    Start,
    /// After the last line.
    End,
    /// After the line that matches.
    After(crate::python_regex::Expression),
    /// Before the line that matches.
    Before(crate::python_regex::Expression),
}

impl Position {
    /// Reads both arguments, of which one may be given.
    pub fn parse(after: Option<&str>, before: Option<&str>) -> Result<Self> {
        use crate::python_regex::{Expression, Flags};
        let flags = Flags::default();
        match (after, before) {
            (Some(_), Some(_)) => Err(Failure::new(
                "`insertafter` and `insertbefore`: parameters are mutually exclusive",
            )
            .arg("insertbefore")
            .help("leave one of them out")),
            (Some("BOF"), _) | (_, Some("BOF")) => Ok(Self::Start),
            (None | Some("EOF"), None) | (_, Some("EOF")) => Ok(Self::End),
            (Some(text), None) => Ok(Self::After(Expression::new("insertafter", text, flags)?)),
            (None, Some(text)) => Ok(Self::Before(Expression::new("insertbefore", text, flags)?)),
        }
    }

    /// As [`Self::index`]; an expression that says `(?m)` is looked for in the text as a whole.
    pub fn index_in_text(&self, lines: &[Vec<u8>]) -> Result<usize> {
        let (expression, after) = match self {
            Self::After(expression) if expression.is_multi_line() => (expression, true),
            Self::Before(expression) if expression.is_multi_line() => (expression, false),
            _ => return self.index(lines, false),
        };
        let text = lines.concat();
        let Some(found) = expression.find(&text)? else {
            return Ok(lines.len());
        };
        let range = found.range();
        let end = if after { range.end } else { range.start };
        let newlines = text[..end].iter().filter(|b| **b == b'\n').count();
        Ok(newlines + usize::from(after))
    }

    /// The index before which new lines go: that of the last match or, with `first`, the first.
    /// Where nothing matches that is the end.
    pub fn index(&self, lines: &[Vec<u8>], first: bool) -> Result<usize> {
        let (expression, add) = match self {
            Self::Start => return Ok(0),
            Self::End => return Ok(lines.len()),
            Self::After(expression) => (expression, 1),
            Self::Before(expression) => (expression, 0),
        };
        let mut found = lines.len();
        for (at, line) in lines.iter().enumerate() {
            if expression.is_match(bare(line))? {
                found = at + add;
                if first {
                    break;
                }
            }
        }
        Ok(found)
    }
}
