//! Puts the pieces in a folder together into one file, in the order of their names.

use std::path::PathBuf;

use rplay_api::{Args, ControllerFile, Doc, EntryKind, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, target_path};

use crate::content::Content;
use crate::copy::RETURNS;
use crate::placement::Placement;
use crate::python_regex::{Expression, Flags};
use crate::validation::Validation;

/// The `assemble` module.
pub struct This;

/// Arguments of `assemble`.
#[derive(Debug, Args)]
pub struct AssembleArgs {
    /// The folder of the pieces: on the target, or with `remote_src: false` on the controller.
    src: ControllerFile,
    /// The file to make.
    dest: PathBuf,
    /// `src` is on the target.
    #[arg(name = "remote_src", default = true)]
    _remote_src: bool,
    /// A line between the pieces.
    delimiter: Option<String>,
    /// Only pieces whose names this regular expression (Python's) matches.
    regexp: Option<String>,
    /// Leave out pieces whose names begin with a dot.
    #[arg(default = false)]
    ignore_hidden: bool,
    /// Keep a copy of the file that is replaced, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// A command that judges the new content before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// Decrypt pieces that `ansible-vault` encrypted, on the controller.
    #[arg(name = "decrypt", default = true)]
    _decrypt: bool,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

impl Module for This {
    type Args = AssembleArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "assemble",
        aliases: &[],
        summary: "Puts the pieces in a folder together into one file",
        description: "The pieces are taken in the order of their names; each ends with a newline.",
        free_form: None,
        examples: r#"
- name: One configuration from its parts
  assemble:
    src: /etc/app/conf.d
    dest: /etc/app/app.conf
    regexp: '\.conf$'
    validate: app --check %s
"#,
        returns: RETURNS,
    };

    fn run(args: AssembleArgs, host: &Host) -> Result<Outcome> {
        crate::copy::require_parent(host, &args.dest)?;
        let regexp = args.regexp.as_deref();
        let regexp = regexp.map(|text| Expression::new("regexp", text, Flags::default()));
        let regexp = regexp.transpose()?;
        let (src, mut pieces) = pieces(&args.src, host)?;
        pieces.sort_by(|a, b| a.0.cmp(&b.0));
        let mut whole = vec![];
        for (name, content) in pieces {
            let hidden = args.ignore_hidden && name.starts_with('.');
            let chosen = match &regexp {
                Some(regexp) => regexp.is_match(name.as_bytes())?,
                None => true,
            };
            if chosen && !hidden {
                append(&mut whole, args.delimiter.as_deref(), &content, host)?;
            }
        }
        let validate = Validation::optional(args.validate.as_deref())?;
        let mut file = args.file.clone();
        file.mode = file.mode.filter(|mode| *mode != FileMode::Preserve);
        let placement = Placement {
            dest: &args.dest,
            args: &file,
            backup: args.backup,
            follow: true,
            validate: validate.as_ref(),
        };
        let placed = placement.put(host, &Content::Bytes(whole))?;
        placed.describe(host, Outcome::new().with("src", src).with("msg", "OK"))
    }
}

/// The files in the folder, by name, and the folder as the task names it.
fn pieces(src: &ControllerFile, host: &Host) -> Result<(String, Vec<(String, Content)>)> {
    match src {
        ControllerFile::Sent { src, entries } => {
            let piece = |entry: &rplay_api::ControllerEntry| match entry.kind {
                EntryKind::File(index) if !entry.path.is_empty() && !entry.path.contains('/') => {
                    Some((entry.path.clone(), Content::Blob(index)))
                }
                _ => None,
            };
            Ok((src.clone(), entries.iter().filter_map(piece).collect()))
        }
        ControllerFile::Remote(src) => {
            let dir = &target_path(src);
            if !host.is_dir(dir)? {
                let failure = Failure::new(format!("`{src}` is no folder")).arg("src");
                return Err(match host.exists(dir)? {
                    true => failure,
                    false => failure.absent(),
                });
            }
            let mut pieces = vec![];
            for name in host.read_dir(dir)? {
                let path = dir.join(&name);
                if host.stat(&path)?.is_some_and(|meta| meta.is_file()) {
                    pieces.push((name.to_string_lossy().into_owned(), Content::File(path)));
                }
            }
            Ok((src.clone(), pieces))
        }
    }
}

/// Adds a piece: on a line of its own, with the delimiter between it and the one before.
fn append(
    whole: &mut Vec<u8>,
    delimiter: Option<&str>,
    piece: &Content,
    host: &Host,
) -> Result<()> {
    if !whole.is_empty() {
        if !whole.ends_with(b"\n") {
            whole.push(b'\n');
        }
        if let Some(delimiter) = delimiter {
            let delimiter = delimiter.replace("\\n", "\n");
            whole.extend_from_slice(delimiter.as_bytes());
            if !delimiter.ends_with('\n') {
                whole.push(b'\n');
            }
        }
    }
    piece
        .open(host)?
        .read_to_end(whole)
        .map_err(|e| Failure::new(format!("could not read a piece: {e}")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::This;
    use crate::fixture::{Fixture, on_each_system};

    #[test]
    fn pieces_are_put_together_by_name() {
        on_each_system(|system, root| {
            let host = Fixture::new(system);
            let piece = |name: &str, text| {
                host.file(root.join("d").join(name).to_str().unwrap(), text);
            };
            piece("20-b", "b\n");
            piece("10-a", "a");
            piece(".hidden", "h\n");
            piece("30-c~", "c\n");
            let dest = root.join("whole");
            let args = json!({"src": root.join("d"), "dest": dest, "ignore_hidden": true,
                "regexp": "[^~]$", "delimiter": "## next"});
            host.run::<This>(args.clone()).result.unwrap();
            let text = host.on_host(|h| h.read_text(&dest).unwrap());
            assert_eq!(text, "a\n## next\nb\n");
            assert_eq!(host.run::<This>(args).changes, []);
        });
    }
}
