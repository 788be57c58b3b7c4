//! `ansible.cfg`: where it is, and its entries with their places.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};

/// One `key = value`.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The section that it stands in.
    pub section: String,
    /// The key, in lower case.
    pub key: String,
    /// The key's place.
    pub key_span: Span,
    /// The value, without comments.
    pub value: String,
    /// The value's place.
    pub span: Span,
}

/// The file to read, if there is one, and a warning where one is passed over.
pub(crate) fn find() -> (Option<PathBuf>, Option<Diagnostic>) {
    if let Some(path) = std::env::var_os("ANSIBLE_CONFIG").map(PathBuf::from) {
        let path = PathBuf::from(super::given::expanded(&path.display().to_string()));
        let path = if path.is_dir() {
            path.join("ansible.cfg")
        } else {
            path
        };
        if path.is_file() {
            return (Some(path), None);
        }
    }
    let here = std::env::current_dir().unwrap_or_default();
    let local = here.join("ansible.cfg");
    let mut warning = None;
    if local.is_file() {
        let mode = std::fs::metadata(&here).map_or(0, |m| m.permissions().mode());
        if mode & 0o002 == 0 {
            return (Some(local), None);
        }
        let words = format!(
            "`{}` is not read: anyone may write to its folder",
            local.display()
        );
        let warned = Diagnostic::warning(words);
        warning = Some(
            warned
                .help("take the right to write from others, or name the file in `ANSIBLE_CONFIG`"),
        );
    }
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".ansible.cfg"));
    let rest = home
        .into_iter()
        .chain([PathBuf::from("/etc/ansible/ansible.cfg")]);
    (rest.into_iter().find(|path| path.is_file()), warning)
}

/// The entries of a file.
///
/// # Errors
/// A line that is no section, entry or comment.
pub(crate) fn entries(source: &Arc<Source>) -> Result<Vec<Entry>, Diagnostic> {
    let mut entries: Vec<Entry> = vec![];
    let mut section: Option<String> = None;
    let mut at = 0;
    for line in source.text().split_inclusive('\n') {
        let (start, text) = (at, line.trim_end());
        at += line.len();
        let span = |from: usize, to: usize| Span::new(source.clone(), start + from, start + to);
        let bare = text.trim_start();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if text.starts_with([' ', '\t'])
            && let Some(last) = entries.last_mut()
        {
            last.value.push('\n');
            last.value.push_str(bare);
            continue;
        }
        if let Some(name) = text.strip_prefix('[') {
            let Some((name, _)) = name.split_once(']') else {
                return Err(Diagnostic::error("a section ends with `]`").at(&span(0, text.len())));
            };
            section = Some(name.trim().to_owned());
            continue;
        }
        let Some(section) = &section else {
            let error = Diagnostic::error("an entry stands before the first section");
            return Err(error
                .at(&span(0, text.len()))
                .help("begin with `[defaults]`"));
        };
        let Some(mark) = text.find(['=', ':']) else {
            let error = Diagnostic::error("this is no `key = value`");
            return Err(error.at(&span(0, text.len())));
        };
        let value = text[mark + 1..].split(" ;").next().unwrap_or_default();
        let begin = mark + 1 + (value.len() - value.trim_start().len());
        let value = value.trim();
        entries.push(Entry {
            section: section.clone(),
            key: text[..mark].trim().to_lowercase(),
            key_span: span(0, text[..mark].trim_end().len()),
            value: value.to_owned(),
            span: span(begin, begin + value.len()),
        });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_sections_places_and_no_comments() {
        let text = "# c\n[defaults]\nforks = 7 ; few\ninventory: a,\n  b\n\n[ssh_connection]\nssh_args=-o A=b\n";
        let entries = entries(&Source::new("ansible.cfg", text)).unwrap();
        let shown: Vec<String> = entries
            .iter()
            .map(|e| format!("{} {}={:?} {}", e.section, e.key, e.value, e.span))
            .collect();
        assert_eq!(
            shown,
            [
                "defaults forks=\"7\" ansible.cfg:3:9",
                "defaults inventory=\"a,\\nb\" ansible.cfg:4:12",
                "ssh_connection ssh_args=\"-o A=b\" ansible.cfg:8:10",
            ]
        );
    }

    #[test]
    fn a_line_that_is_nothing_is_an_error_with_its_place() {
        let error = entries(&Source::new("ansible.cfg", "[defaults]\nforks 7\n")).unwrap_err();
        assert_eq!(error.message, "this is no `key = value`");
        assert_eq!(error.labels[0].span.to_string(), "ansible.cfg:2:1");
    }
}
