//! Unpacks an archive on the target.
//!
//! The archive streams through: no copy of it is made on the target (save of a zip, whose list is
//! at its end), and each member is compared with what is there while it is unpacked.

mod choice;
mod format;
mod transform;
mod unpack;
mod zstd;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rplay_api::{Args, ControllerFile, Doc, EntryKind, Failure, FileArgs, Host, Module, Outcome, Result, Return, target_path, WrittenPath};

use crate::content::Content;
use crate::http::{Client, Download, Options, Slot};
use crate::path_info;
use choice::Choice;
use format::Archive;
use unpack::Unpack;

/// The `unarchive` module.
pub struct This;

/// Arguments of `unarchive`.
#[derive(Debug, Args)]
pub struct UnarchiveArgs {
    /// The archive: a file of the controller, or with `remote_src` a path on the target or an
    /// address to download from. tar, plain or packed by gzip, bzip2, xz or zstd, and zip.
    src: ControllerFile,
    /// The folder to unpack into; it must be there.
    dest: WrittenPath,
    /// `src` is on the target, or an address that the target downloads from.
    #[arg(name = "remote_src", default = false)]
    _remote_src: bool,
    /// The opposite of `remote_src`, as it was called once.
    #[arg(name = "copy", default = true)]
    _copy: bool,
    /// Do nothing where this file (or a match of this pattern) is there.
    creates: Option<String>,
    /// Give the names of the members as `files`.
    #[arg(default = false)]
    list_files: bool,
    /// Unpack only these members or folders; patterns may be used.
    #[arg(default = Vec::new())]
    include: Vec<String>,
    /// Unpack all but these members or folders; patterns may be used.
    #[arg(default = Vec::new())]
    exclude: Vec<String>,
    /// Leave files alone that are newer than the archive's.
    #[arg(default = false)]
    keep_newer: bool,
    /// Options as for tar: `--strip-components=1`, `--transform=s/a/b/`, ...
    #[arg(default = Vec::new())]
    extra_opts: Vec<String>,
    /// For an address: refuse a server whose certificate the target does not trust.
    #[arg(default = true)]
    validate_certs: bool,
    /// Taken for compatibility: what passes is never held whole.
    #[arg(name = "io_buffer_size", default = 65536)]
    _io_buffer_size: i64,
    /// Decrypt a source that `ansible-vault` encrypted, on the controller.
    #[arg(name = "decrypt", default = true)]
    _decrypt: bool,
    /// Owner, group and mode of all that is unpacked.
    #[arg(flatten)]
    file: FileArgs,
}

impl Module for This {
    type Args = UnarchiveArgs;

    const DOC: Doc = Doc {
        name: "unarchive",
        aliases: &[],
        summary: "Unpacks an archive, without tar or unzip on the target",
        description: "Only members that differ from what is there are written, each in one step. \
            A member that would leave `dest`, by its path or through a link, is refused.",
        free_form: None,
        examples: r#"
- name: A release that get_url brought
  unarchive:
    src: /var/cache/app-1.2.tar.gz
    dest: /opt/app
    remote_src: true
    extra_opts: [--strip-components=1]
    owner: app
    group: app

- name: Straight from an address, once
  unarchive:
    src: https://example.com/app-1.2.zip
    dest: /opt
    remote_src: true
    creates: /opt/app-1.2/bin/app
"#,
        returns: &[
            Return {
                name: "dest",
                doc: "The folder.",
            },
            Return {
                name: "src",
                doc: "The archive.",
            },
            Return {
                name: "handler",
                doc: "The archive's kind: `TgzArchive`, `ZipArchive`, ...",
            },
            Return {
                name: "files",
                doc: "The members' names, with `list_files`.",
            },
            Return {
                name: "mode",
                doc: "The folder's; also `owner`, `group`, `uid`, `gid`, `size`, `state`.",
            },
        ],
    };

    fn run(args: UnarchiveArgs, host: &Host) -> Result<Outcome> {
        let name = name(&args.src)?;
        let outcome = Outcome::new()
            .with("src", name.as_str())
            .with("dest", args.dest.0.to_string_lossy());
        if let Some(pattern) = &args.creates
            && let Some(path) = crate::pattern::first_match(host, None, pattern)?
        {
            return Ok(outcome.with("msg", format!("skipped, since {} exists", path.display())));
        }
        let choice = Choice::new(&args.include, &args.exclude, &args.extra_opts)?;
        let dest = args.dest.whole();
        require_folder(host, &dest)?;
        if dest != args.dest.0 {
            let (written, whole) = (args.dest.0.display(), dest.display());
            host.warn(format!(
                "Relative destination path '{written}' was resolved to absolute path '{whole}'."
            ));
        }
        let slot = Slot::default();
        unpack(&args, host, &dest, &name, &choice, &slot, outcome).map_err(|failure| slot.or(failure))
    }
}

fn unpack(
    args: &UnarchiveArgs,
    host: &Host,
    dest: &Path,
    name: &str,
    choice: &Choice,
    slot: &Slot,
    outcome: Outcome,
) -> Result<Outcome> {
    let client;
    let source: Box<dyn Read + '_> = match content(&args.src)? {
        Source::Content(content) => content.open(host).map_err(|f| f.arg("src"))?,
        Source::Url(url) => {
            client = Client::new(host, options(args), &url)?;
            let answer = client.get(&url, &[]).map_err(|f| f.arg("src"))?;
            Box::new(Download::new(&client, answer, slot.clone()))
        }
    };
    let archive = Archive::open(name, source)?;
    let handler = archive.format.handler();
    let mut unpack = Unpack::new(host, dest, &args.file, choice, args.keep_newer)?;
    archive.each(&mut |member, content| unpack.member(member, content))?;
    unpack.finish()?;
    if let Some(pattern) = choice.missing(&unpack.names).first() {
        return Err(Failure::new(format!("`{name}` has no member `{pattern}`")).arg("include"));
    }
    let mut outcome = outcome.with("handler", handler);
    if args.list_files {
        outcome = outcome.with("files", unpack.names);
    }
    path_info::describe(host, dest, outcome)
}

enum Source {
    Content(Content),
    Url(String),
}

fn content(src: &ControllerFile) -> Result<Source> {
    match src {
        ControllerFile::Sent { src, entries } => match entries.as_slice() {
            [entry] if let ("", EntryKind::File(index)) = (entry.path.as_str(), &entry.kind) => {
                Ok(Source::Content(Content::Blob(*index)))
            }
            _ => Err(Failure::new(format!("`{src}` is a folder, not an archive")).arg("src")),
        },
        ControllerFile::Remote(src) if src.contains("://") => Ok(Source::Url(src.clone())),
        ControllerFile::Remote(src) => Ok(Source::Content(Content::File(src.into()))),
    }
}

fn name(src: &ControllerFile) -> Result<String> {
    match src {
        ControllerFile::Sent { src, .. } => Ok(src.clone()),
        ControllerFile::Remote(src) => {
            if src.contains("://") {
                return Ok(src.clone());
            }
            Ok(target_path(src).to_string_lossy().into_owned())
        }
    }
}

fn options(args: &UnarchiveArgs) -> Options {
    Options {
        validate_certs: args.validate_certs,
        ..Options::plain("ansible-httpget", Duration::from_secs(10), 4)
    }
}

fn require_folder(host: &Host, dest: &Path) -> Result<()> {
    if host.is_dir(dest)? {
        return Ok(());
    }
    let dest = dest.display();
    Err(Failure::new(format!(
        "the destination `{dest}` is not a folder that is there"
    ))
    .arg("dest")
    .help("make it first with the `file` module and state: directory"))
}

#[cfg(test)]
mod tests;
