//! What a module touched: the state before its first touch, compared at the end with the state
//! after its last one.

use std::io::Read;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rplay_wire::{Change, Diff, State, Target};
use sha2::{Digest, Sha256};

use super::accounts::name_of;
use crate::real::letters;
use crate::system::{FileKind, System};

/// Content above this size is not diffed as text, in bytes.
const TEXT_LIMIT: u64 = 1 << 20;

/// Everything touched so far, in the order of the first touch.
#[derive(Default)]
pub(super) struct Record {
    files: IndexMap<PathBuf, Before>,
    things: IndexMap<Target, (Option<State>, Option<State>)>,
    /// The order of the first touches across both maps.
    order: Vec<Touched>,
    /// What programs tell that they changed: what it is, and its text before and after.
    told: Vec<(String, Told)>,
}

enum Touched {
    File(PathBuf),
    Thing(Target),
}

/// How much is told of changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// All, with how texts differ.
    WithDiffs,
    /// All but that.
    Plainly,
    /// What costs no second reading of a large file that is new.
    Briefly,
}

/// A file before its first touch.
struct Before {
    state: Option<State>,
    content: Option<Content>,
    /// The times were set on purpose, and so count as a change.
    times: bool,
    /// The attributes, where they were set.
    attributes: Option<Option<u32>>,
    /// What was in a folder that is removed, where that is to be told.
    below: Option<Below>,
}

/// The paths of what is in a folder, at any depth.
#[derive(Debug, Clone, Default)]
pub(super) struct Below {
    pub directories: Vec<String>,
    pub files: Vec<String>,
}

/// A content: whole where it is small enough to diff.
#[derive(PartialEq)]
struct Content {
    size: u64,
    sha256: String,
    text: Option<String>,
}

/// A change, and the two texts of its diff where they may be shown.
pub(super) struct Recorded {
    pub change: Change,
    pub texts: Option<(String, String)>,
    /// What was in a folder that is gone.
    pub below: Option<Below>,
}

impl Record {
    /// A module is about to change the file at `path`.
    pub(super) fn touch(&mut self, system: &dyn System, path: &Path, times: bool) {
        if let Some(before) = self.files.get_mut(path) {
            before.times |= times;
            return;
        }
        let before = Before {
            state: file_state(system, path),
            content: content(system, path),
            times,
            attributes: None,
            below: None,
        };
        self.files.insert(path.to_owned(), before);
        self.order.push(Touched::File(path.to_owned()));
    }

    /// A module is about to set the attributes of a file that it touched.
    pub(super) fn watch_attributes(&mut self, system: &dyn System, path: &Path) {
        if let Some(before) = self.files.get_mut(path) {
            let now = || system.attributes(path);
            before.attributes.get_or_insert_with(now);
        }
    }

    /// A module is about to remove what is at `path`, with all that is in it.
    pub(super) fn touch_all(&mut self, system: &dyn System, path: &Path, telling: Telling) {
        let is_new = !self.files.contains_key(path);
        self.touch(system, path, false);
        if let Some(Before {
            state: Some(state),
            below,
            ..
        }) = self.files.get_mut(path).filter(|_| is_new)
            && state.get("state").is_some_and(|kind| kind == "directory")
        {
            let mut hash = Sha256::new();
            *below = (telling == Telling::WithDiffs).then(Below::default);
            list(system, path, &mut hash, below.as_mut());
            state.insert(Change::DIGEST.to_owned(), crate::hex(&hash.finalize()));
        }
    }

    /// A thing went from one state to another.
    pub(super) fn thing(&mut self, target: Target, before: Option<State>, after: Option<State>) {
        if let Some(entry) = self.things.get_mut(&target) {
            entry.1 = after;
            return;
        }
        self.things.insert(target.clone(), (before, after));
        self.order.push(Touched::Thing(target));
    }

    /// A program tells of a change of its own.
    pub(super) fn told(&mut self, what: String, told: Told) {
        self.told.push((what, told));
    }

    pub(super) fn changes(&self, system: &dyn System, telling: Telling) -> Vec<Recorded> {
        let told = self.told.iter().map(|(what, told)| {
            let (diff, texts) = (telling == Telling::WithDiffs).then(|| told.diff()).unzip();
            Recorded {
                change: of_program(what.clone(), diff),
                texts: texts.flatten(),
                below: None,
            }
        });
        self.order
            .iter()
            .filter_map(|touched| match touched {
                Touched::File(path) => self.file_change(system, path, telling),
                Touched::Thing(target) => {
                    let (before, after) = self.things[target].clone();
                    (before != after).then(|| Recorded {
                        change: Change {
                            target: target.clone(),
                            before,
                            after,
                            diff: None,
                        },
                        texts: None,
                        below: None,
                    })
                }
            })
            .chain(told)
            .collect()
    }

    fn file_change(&self, system: &dyn System, path: &Path, telling: Telling) -> Option<Recorded> {
        let before = &self.files[path];
        let wants_diff = telling == Telling::WithDiffs;
        let content_after = match telling {
            Telling::Briefly if before.state.is_none() && is_large(system, path) => None,
            _ => content(system, path),
        };
        let same_content = before.content == content_after;
        let mut old = with_digest(before.state.clone(), before.content.as_ref());
        let mut after = with_digest(file_state(system, path), content_after.as_ref());
        if let Some(attributes) = before.attributes {
            tell_attributes(&mut old, attributes);
            tell_attributes(&mut after, system.attributes(path));
        }
        // What came and went, such as a file that took another's name, is none.
        if old == after && same_content && (!before.times || after.is_none()) {
            return None;
        }
        if before.times
            && old == after
            && let Some(state) = &mut after
        {
            state.insert("times".to_owned(), "set".to_owned());
        }
        let (diff, texts) = (wants_diff && !same_content)
            .then(|| content_diff(before.content.as_ref(), content_after.as_ref()))
            .unzip();
        let change = Change {
            target: Target::File(path.to_string_lossy().into_owned()),
            before: old,
            after,
            diff,
        };
        Some(Recorded {
            change,
            texts: texts.flatten(),
            below: before.below.clone(),
        })
    }
}

fn tell_attributes(state: &mut Option<State>, attributes: Option<u32>) {
    if let (Some(state), Some(bits)) = (state, attributes) {
        state.insert("attributes".to_owned(), letters(bits));
    }
}

/// A file's state with the digest of its content: a saved plan knows by it whether the host is
/// still as it was.
fn with_digest(state: Option<State>, content: Option<&Content>) -> Option<State> {
    let mut state = state?;
    if let Some(content) = content {
        state.insert(Change::DIGEST.to_owned(), content.sha256.clone());
    }
    Some(state)
}

/// The properties of a file that a change shows.
fn file_state(system: &dyn System, path: &Path) -> Option<State> {
    let meta = system.lstat(path).ok().flatten()?;
    let mut state = State::new();
    let kind = match meta.kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::Fifo => "fifo",
        FileKind::Socket => "socket",
        FileKind::BlockDevice => "block device",
        FileKind::CharDevice => "character device",
    };
    state.insert("state".to_owned(), kind.to_owned());
    if meta.is_link() {
        let to = system.read_link(path).ok()?;
        state.insert("src".to_owned(), to.to_string_lossy().into_owned());
    } else {
        state.insert("mode".to_owned(), format!("0{:03o}", meta.mode));
    }
    state.insert("owner".to_owned(), name_of(system, "/etc/passwd", meta.uid));
    state.insert("group".to_owned(), name_of(system, "/etc/group", meta.gid));
    Some(state)
}

/// What is below a folder: names, kinds, modes and sizes, by which a saved plan tells whether the
/// folder that it removes is still the one that was looked at.
fn list(system: &dyn System, folder: &Path, hash: &mut Sha256, mut below: Option<&mut Below>) {
    let mut names = system.read_dir(folder).unwrap_or_default();
    names.sort_unstable();
    for name in names {
        let path = folder.join(&name);
        let Ok(Some(meta)) = system.lstat(&path) else {
            continue;
        };
        let size = if meta.is_dir() { 0 } else { meta.size };
        if let Some(below) = below.as_deref_mut() {
            let names = match meta.is_dir() {
                true => &mut below.directories,
                false => &mut below.files,
            };
            names.push(path.to_string_lossy().into_owned());
        }
        hash.update(format!("{name:?} {:?} {:o} {size}\n", meta.kind, meta.mode));
        if meta.is_dir() {
            list(system, &path, hash, below.as_deref_mut());
            hash.update("up\n");
        }
    }
}

fn is_large(system: &dyn System, path: &Path) -> bool {
    let meta = system.lstat(path).ok().flatten();
    meta.is_some_and(|meta| meta.is_file() && meta.size > TEXT_LIMIT)
}

/// A regular file's content; `None` where there is none or it cannot be read.
fn content(system: &dyn System, path: &Path) -> Option<Content> {
    let meta = system.lstat(path).ok().flatten().filter(|m| m.is_file())?;
    let mut reader = system.read(path).ok()?;
    let mut hash = Sha256::new();
    let mut kept = Vec::new();
    let mut size = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let n = reader.read(&mut buffer).ok()?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        size += n as u64;
        if meta.size <= TEXT_LIMIT {
            kept.extend_from_slice(&buffer[..n]);
        }
    }
    let text = (size <= TEXT_LIMIT)
        .then(|| String::from_utf8(kept).ok())
        .flatten()
        .filter(|text| !text.contains('\0'));
    Some(Content {
        size,
        sha256: crate::hex(&hash.finalize()),
        text,
    })
}

/// How two contents differ, and their texts where they may be shown.
fn content_diff(
    before: Option<&Content>,
    after: Option<&Content>,
) -> (Diff, Option<(String, String)>) {
    let text = |content: Option<&Content>| match content {
        None => Some(String::new()),
        Some(content) => content.text.clone(),
    };
    let (Some(old), Some(new)) = (text(before), text(after)) else {
        let digest = |content: &Content| (content.size, content.sha256.clone());
        let diff = Diff::Binary {
            before: before.map(digest),
            after: after.map(digest),
        };
        return (diff, None);
    };
    text_diff(&old, &new)
}

/// What a program tells of a change of its own.
#[derive(Debug, Clone)]
pub enum Told {
    /// Its text before and after.
    Sides(String, String),
    /// A unified diff, with its head.
    Prepared(String),
}

impl Told {
    /// The change, by what it is called.
    pub fn change(&self, what: &str) -> Change {
        of_program(what.to_owned(), Some(self.diff().0))
    }

    fn diff(&self) -> (Diff, Option<(String, String)>) {
        match self {
            Self::Sides(before, after) => text_diff(before, after),
            Self::Prepared(text) if is_secret(text) => (Diff::Secret, None),
            Self::Prepared(text) => (Diff::Text(text.clone()), None),
        }
    }
}

fn of_program(what: String, diff: Option<Diff>) -> Change {
    Change {
        target: Target::Command(what),
        before: Some(State::new()),
        after: Some(State::new()),
        diff,
    }
}

fn text_diff(old: &str, new: &str) -> (Diff, Option<(String, String)>) {
    if is_secret(old) || is_secret(new) {
        return (Diff::Secret, None);
    }
    let diff = similar::TextDiff::from_lines(old, new);
    let hunks = diff.unified_diff().context_radius(3).to_string();
    (Diff::Text(hunks), Some((old.to_owned(), new.to_owned())))
}

/// A private key never shows in a diff, whatever the task says of it.
fn is_secret(text: &str) -> bool {
    text.lines()
        .any(|l| l.starts_with("-----BEGIN ") && l.contains("PRIVATE KEY-----"))
}
