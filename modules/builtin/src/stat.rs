//! Says what is at a path.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rplay_api::{Args, Choice, Doc, FileKind, Host, Meta, Module, Outcome, Result, Return};
use serde_json::{Map, Value, json};

use crate::checksum::{self, Algorithm};
use crate::path_info;

/// The `stat` module.
pub struct This;

/// A digest.
#[derive(Debug, Clone, Copy, Choice)]
pub enum Digest {
    /// MD5.
    Md5,
    /// SHA-1.
    #[arg(alias = "sha")]
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Arguments of `stat`.
#[derive(Debug, Args)]
pub struct StatArgs {
    /// The path.
    #[arg(alias = "dest", alias = "name")]
    path: PathBuf,
    /// Follow links.
    #[arg(default = false)]
    follow: bool,
    /// Say the checksum of a file.
    #[arg(default = true)]
    get_checksum: bool,
    /// The checksum's kind.
    #[arg(alias = "checksum", alias = "checksum_algo", default = Digest::Sha1)]
    checksum_algorithm: Digest,
    /// Say the type of a file's content as `mimetype` and `charset`, where the host has the
    /// program `file`.
    #[arg(
        alias = "mime",
        alias = "mime_type",
        alias = "mime-type",
        default = true
    )]
    get_mime: bool,
    /// Say the attributes that `lsattr` shows, where the host has it.
    #[arg(alias = "attr", alias = "attributes", default = true)]
    get_attributes: bool,
    /// Say SELinux's context; here for compatibility.
    #[arg(default = false)]
    #[expect(dead_code, reason = "taken for compatibility")]
    get_selinux_context: bool,
}

impl Module for This {
    type Args = StatArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "stat",
        aliases: &[],
        summary: "Says what is at a path",
        description: "In a dry run it says what an earlier task would have put there.",
        free_form: None,
        examples: "\n- stat:\n    path: /var/lib/etcd/member\n  register: data\n- debug:\n    msg: bootstrapped\n  when: data.stat.exists\n",
        returns: &[Return {
            name: "stat",
            doc: "a mapping with `exists`, `isdir`, `isreg`, `islnk`, `mode`, `uid`, `gid`, \
                `pw_name`, `gr_name`, `size`, `mtime`, `checksum` and more",
        }],
    };

    fn run(args: StatArgs, host: &Host) -> Result<Outcome> {
        let found = if args.follow {
            host.stat(&args.path)?
        } else {
            host.lstat(&args.path)?
        };
        let stat = match found {
            None => json!({ "exists": false }),
            Some(meta) => Value::Object(described(&args, &meta, host)?),
        };
        Ok(Outcome::new().changed(false).with("stat", stat))
    }
}

fn described(args: &StatArgs, meta: &Meta, host: &Host) -> Result<Map<String, Value>> {
    let path = &args.path;
    let kind = |kind| meta.kind == kind;
    let bit = |bits: u32| meta.mode & bits != 0;
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let may = |owner: u32, group: u32, other: u32| match () {
        () if uid == 0 => true,
        () if meta.uid == uid => bit(owner),
        () if meta.gid == gid => bit(group),
        () => bit(other),
    };
    // What can be done is asked of where a link leads.
    let leads = !meta.is_link() || host.exists(path).unwrap_or(false);
    let executable =
        (uid == 0 && meta.mode & 0o111 != 0) || (uid != 0 && may(0o100, 0o010, 0o001));
    let stat = json!({
        "exists": true,
        "path": path.to_string_lossy(),
        "mode": format!("{:04o}", meta.mode),
        "isdir": kind(FileKind::Directory),
        "ischr": kind(FileKind::CharDevice),
        "isblk": kind(FileKind::BlockDevice),
        "isreg": kind(FileKind::File),
        "isfifo": kind(FileKind::Fifo),
        "islnk": kind(FileKind::Link),
        "issock": kind(FileKind::Socket),
        "uid": meta.uid,
        "gid": meta.gid,
        "size": meta.size,
        "inode": meta.inode,
        "dev": meta.device,
        "nlink": meta.nlink,
        "blocks": meta.blocks,
        "block_size": 4096,
        "device_type": meta.rdev,
        "atime": seconds(meta.atime),
        "mtime": seconds(meta.mtime),
        "ctime": seconds(meta.ctime),
        "wusr": bit(0o200), "rusr": bit(0o400), "xusr": bit(0o100),
        "wgrp": bit(0o020), "rgrp": bit(0o040), "xgrp": bit(0o010),
        "woth": bit(0o002), "roth": bit(0o004), "xoth": bit(0o001),
        "isuid": bit(0o4000), "isgid": bit(0o2000),
        "pw_name": host.user_name(meta.uid),
        "gr_name": host.group_name(meta.gid),
        "readable": leads && may(0o400, 0o040, 0o004),
        "writeable": leads && may(0o200, 0o020, 0o002),
        "executable": leads && executable,
    });
    let Value::Object(mut stat) = stat else {
        return Ok(Map::new());
    };
    if meta.is_link() {
        let to = host.read_link(path)?;
        // A link that leads to itself leads nowhere else.
        let source = path_info::real_path(host, path).unwrap_or_else(|_| path.to_owned());
        stat.insert("lnk_target".to_owned(), to.to_string_lossy().into());
        stat.insert("lnk_source".to_owned(), source.to_string_lossy().into());
    }
    if args.get_attributes {
        attributes(host, path, &mut stat);
    }
    if args.get_mime {
        let (mimetype, charset) = mime(host, path);
        stat.insert("mimetype".to_owned(), mimetype.into());
        stat.insert("charset".to_owned(), charset.into());
    }
    if meta.is_file() && args.get_checksum && may(0o400, 0o040, 0o004) {
        let digest = checksum::of_file(host, path, algorithm(args.checksum_algorithm))?;
        stat.insert("checksum".to_owned(), digest.into());
    }
    Ok(stat)
}

/// The attributes that chattr sets, by their letters.
const ATTRIBUTES: [(char, &str); 20] = [
    ('A', "noatime"),
    ('a', "append"),
    ('c', "compressed"),
    ('C', "nocow"),
    ('d', "nodump"),
    ('D', "dirsync"),
    ('e', "extents"),
    ('E', "encrypted"),
    ('h', "blocksize"),
    ('i', "immutable"),
    ('I', "indexed"),
    ('j', "journalled"),
    ('N', "inline"),
    ('s', "zero"),
    ('S', "synchronous"),
    ('t', "notail"),
    ('T', "blockroot"),
    ('u', "undelete"),
    ('X', "compressedraw"),
    ('Z', "compresseddirty"),
];

/// The file's attributes, where the host has `lsattr` and its file system has any.
fn attributes(host: &Host, path: &Path, stat: &mut Map<String, Value>) {
    let told = host.query(["lsattr", "-vd", "--", &*path.to_string_lossy()]);
    let told = told.unwrap_or_default();
    let mut words = told.split_whitespace();
    let (version, flags) = (words.next(), words.next().unwrap_or_default());
    let flags = flags.replace('-', "");
    let name = |flag: char| ATTRIBUTES.iter().find(|(c, _)| *c == flag).map(|(_, name)| *name);
    let names: Vec<&str> = flags.chars().filter_map(name).collect();
    stat.insert("attributes".to_owned(), names.into());
    stat.insert("attr_flags".to_owned(), flags.into());
    if let Some(version) = version {
        stat.insert("version".to_owned(), version.into());
    }
}

/// The type of a content and its encoding, where the host has the program `file` to tell.
fn mime(host: &Host, path: &Path) -> (String, String) {
    let path = path.to_string_lossy();
    let told = host.query([
        "file",
        "--brief",
        "--mime-type",
        "--mime-encoding",
        "--",
        &*path,
    ]);
    let words = told.unwrap_or_default();
    match words.trim().split_once("; charset=") {
        Some((mimetype, charset)) => (mimetype.to_owned(), charset.to_owned()),
        None => ("unknown".to_owned(), "unknown".to_owned()),
    }
}

fn algorithm(digest: Digest) -> Algorithm {
    match digest {
        Digest::Md5 => Algorithm::Md5,
        Digest::Sha1 => Algorithm::Sha1,
        Digest::Sha224 => Algorithm::Sha224,
        Digest::Sha256 => Algorithm::Sha256,
        Digest::Sha384 => Algorithm::Sha384,
        Digest::Sha512 => Algorithm::Sha512,
    }
}

/// Seconds since 1970, with a fraction.
fn seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rplay_api::RealSystem;

    use super::*;
    use crate::fixture::run;

    fn stat(args: Value) -> Value {
        run::<This>(&RealSystem, args).result.unwrap().data["stat"].clone()
    }

    #[test]
    fn a_missing_path_does_not_exist() {
        assert_eq!(
            stat(json!({"path": "/nowhere/at/all"})),
            json!({"exists": false})
        );
    }

    #[test]
    fn a_file_has_its_checksum_and_size() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "hi\n").unwrap();
        let got = stat(json!({"path": dir.path().join("f"), "checksum_algorithm": "md5"}));
        assert_eq!(got["checksum"], "764efa883dda1e11db47671c4a3bbd9e");
        assert_eq!(
            (got["size"].clone(), got["isreg"].clone()),
            (json!(3), json!(true))
        );
    }

    #[test]
    fn a_link_is_followed_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        symlink(dir.path(), dir.path().join("l")).unwrap();
        let path = dir.path().join("l");
        assert_eq!(stat(json!({"path": path}))["islnk"], true);
        assert_eq!(stat(json!({"path": path, "follow": true}))["isdir"], true);
    }

    #[test]
    fn a_link_to_itself_is_a_link_that_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        symlink("l", &path).unwrap();
        let told = stat(json!({"path": path}));
        assert_eq!(told["islnk"], true);
        assert_eq!(told["readable"], false);
    }
}
