//! Makes sure that several lines together are in a file, between two lines that mark them.

use std::path::PathBuf;

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::text_edit::{EditArgs, Position, TextEdit, bare, insert, lines};

/// The `blockinfile` module.
pub struct This;

/// Arguments of `blockinfile`.
#[derive(Debug, Args)]
pub struct BlockinfileArgs {
    /// The file.
    #[arg(alias = "dest", alias = "destfile", alias = "name")]
    path: PathBuf,
    /// The lines; none at all removes the block.
    #[arg(default = "", alias = "content")]
    block: String,
    /// Whether the block should be there.
    #[arg(default = State::Present)]
    state: State,
    /// The line before and after the block; `{mark}` becomes `marker_begin` or `marker_end`. Each
    /// block of a file needs one of its own.
    #[arg(default = "# {mark} ANSIBLE MANAGED BLOCK")]
    marker: String,
    /// What `{mark}` is before the block.
    #[arg(default = "BEGIN")]
    marker_begin: String,
    /// What `{mark}` is after the block.
    #[arg(default = "END")]
    marker_end: String,
    /// Put a new block after the last line that this regular expression matches; `EOF` is the end.
    insertafter: Option<String>,
    /// Put a new block before the last line that this regular expression matches; `BOF` is the
    /// start.
    insertbefore: Option<String>,
    /// Have an empty line before the block.
    #[arg(default = false)]
    prepend_newline: bool,
    /// Have an empty line after the block.
    #[arg(default = false)]
    append_newline: bool,
    /// Make the file where it is not there.
    #[arg(default = false)]
    create: bool,
    /// How the file is written back.
    #[arg(flatten)]
    edit: EditArgs,
}

/// Whether the block should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

impl Module for This {
    type Args = BlockinfileArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "blockinfile",
        aliases: &[],
        summary: "Makes sure that several lines together are in a file, or are not",
        description: "The block is found again by the lines before and after it, and replaced \
            where it differs.",
        free_form: None,
        examples: r##"
- name: Names of the cluster
  blockinfile:
    path: /etc/hosts
    marker: "# {mark} cluster"
    block: |
      10.0.0.1 node-1
      10.0.0.2 node-2

- name: Gone
  blockinfile:
    path: /etc/hosts
    marker: "# {mark} cluster"
    state: absent
"##,
        returns: &[
            Return {
                name: "msg",
                doc: "`Block inserted`, `Block removed`, `File created`, or empty.",
            },
            Return {
                name: "backup_file",
                doc: "The copy of the old file.",
            },
        ],
    };

    fn run(args: BlockinfileArgs, host: &Host) -> Result<Outcome> {
        let edit = TextEdit {
            path: &args.path,
            args: &args.edit,
        };
        let position = Position::parse(args.insertafter.as_deref(), args.insertbefore.as_deref())?;
        let block = Block::of(&args)?;
        let content = edit.read(host)?;
        let is_new = content.is_none();
        let nothing_to_add = args.create && block.lines.is_empty();
        if is_new && (args.state == State::Absent || nothing_to_add) {
            return Ok(Outcome::new().with("msg", "File not present"));
        }
        if is_new && !args.create {
            return Err(edit.missing("use create: true to make it"));
        }
        if is_new {
            edit.make_parent(host)?;
        }
        let old = content.unwrap_or_default();
        let mut lines = lines(&old);
        block.put(&mut lines, &position)?;
        let new = lines.concat();
        let msg = match () {
            () if is_new => "File created",
            () if new == old => "",
            () if block.lines.is_empty() => "Block removed",
            () => "Block inserted",
        };
        edit.finish(host, new, msg.to_owned())
    }
}

/// A block with its markers.
struct Block {
    begin: Vec<u8>,
    end: Vec<u8>,
    /// With both markers; empty where the block should not be there.
    lines: Vec<Vec<u8>>,
    space_before: bool,
    space_after: bool,
}

impl Block {
    fn of(args: &BlockinfileArgs) -> Result<Self> {
        let marker = |mark: &str| args.marker.replace("{mark}", mark).into_bytes();
        let (begin, end) = (marker(&args.marker_begin), marker(&args.marker_end));
        if begin == end || begin.contains(&b'\n') || end.contains(&b'\n') {
            return Err(Failure::new(format!(
                "`{}` cannot mark a block: its begin and end must differ and be lines",
                args.marker
            ))
            .arg("marker")
            .help("`{mark}` in it becomes BEGIN and END"));
        }
        let body = args.block.trim_end_matches('\n');
        let is_wanted = args.state == State::Present && !body.is_empty();
        let ended = |line: &[u8]| [line, b"\n"].concat();
        let mut lines = vec![];
        if is_wanted {
            lines.push(ended(&begin));
            lines.extend(body.split('\n').map(|line| ended(line.as_bytes())));
            lines.push(ended(&end));
        }
        Ok(Self {
            begin,
            end,
            lines,
            space_before: args.prepend_newline,
            space_after: args.append_newline,
        })
    }

    /// Replaces the old block, or puts a new one at `position`.
    fn put(&self, lines: &mut Vec<Vec<u8>>, position: &Position) -> Result<()> {
        let at = match self.find(lines) {
            Some((first, last)) => {
                lines.drain(first..=last);
                first
            }
            None if self.lines.is_empty() => return Ok(()),
            None => position.index_in_text(lines)?,
        };
        if self.lines.is_empty() {
            return Ok(());
        }
        let mut new = self.lines.clone();
        let is_blank = |line: Option<&Vec<u8>>| line.is_some_and(|l| bare(l).is_empty());
        if self.space_before && at > 0 && !is_blank(lines.get(at - 1)) {
            new.insert(0, b"\n".to_vec());
        }
        if self.space_after && at < lines.len() && !is_blank(lines.get(at)) {
            new.push(b"\n".to_vec());
        }
        insert(lines, at, new);
        Ok(())
    }

    /// The lines of the last begin and end, whichever comes first.
    fn find(&self, lines: &[Vec<u8>]) -> Option<(usize, usize)> {
        let last = |marker: &[u8]| lines.iter().rposition(|line| bare(line) == marker);
        let (begin, end) = (last(&self.begin)?, last(&self.end)?);
        Some((begin.min(end), begin.max(end)))
    }
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
            let first = host.run::<This>(args.clone());
            assert_eq!(first.result.unwrap().data["msg"], msg);
            assert_eq!(host.on_host(|h| h.read_text(&path).unwrap()), after);
            assert_eq!(host.run::<This>(args).changes, []);
        });
    }

    const BLOCK: &str = "# BEGIN ANSIBLE MANAGED BLOCK\nx\ny\n# END ANSIBLE MANAGED BLOCK\n";

    #[test]
    fn a_block_is_added_replaced_and_removed() {
        let args = json!({"block": "x\ny\n"});
        assert_edit("a", args.clone(), &format!("a\n{BLOCK}"), "Block inserted");
        let old = BLOCK.replace("x\n", "old\n");
        assert_edit(
            &format!("a\n{old}b\n"),
            args,
            &format!("a\n{BLOCK}b\n"),
            "Block inserted",
        );
        let both = format!("a\n{BLOCK}b\n");
        assert_edit(&both, json!({"state": "absent"}), "a\nb\n", "Block removed");
        assert_edit(&both, json!({"block": ""}), "a\nb\n", "Block removed");
        assert_edit("a\n", json!({"state": "absent"}), "a\n", "");
    }

    #[test]
    fn a_block_goes_where_the_task_says() {
        let args = json!({"block": "x\ny", "insertbefore": "^b", "prepend_newline": true,
            "append_newline": true});
        let after = format!("a\n\n{BLOCK}\nb\n");
        assert_edit("a\nb\n", args, &after, "Block inserted");
        let args = json!({"block": "x\ny", "insertbefore": "BOF"});
        assert_edit("a\n", args, &format!("{BLOCK}a\n"), "Block inserted");
    }

    #[test]
    fn markers_without_a_difference_are_refused() {
        on_each_system(|system, root| {
            let args = json!({"path": root.join("f"), "block": "x", "marker": "# mine"});
            let error = Fixture::new(system).run::<This>(args).result.unwrap_err();
            assert!(
                error.msg.starts_with("`# mine` cannot mark a block"),
                "{error}"
            );
        });
    }
}
