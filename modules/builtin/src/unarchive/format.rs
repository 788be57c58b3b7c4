//! Which kind of archive a stream is, and what is in it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use rplay_api::{Failure, Result};
use tar::EntryType;

use super::zstd::Zstd;
use crate::content::fill;

/// Something in an archive.
pub(super) struct Member {
    /// Its path as the archive has it.
    pub path: String,
    pub kind: Kind,
    /// Permission bits, where the archive has them.
    pub mode: Option<u32>,
    pub owner: Option<Owner>,
    pub mtime: Option<SystemTime>,
}

/// What a member is.
pub(super) enum Kind {
    File,
    Directory,
    Symlink(String),
    /// Another name of the member of that path.
    HardLink(String),
    /// A device or pipe.
    Special,
}

/// Whose a member was where the archive was made.
pub(super) struct Owner {
    pub uid: u64,
    pub gid: u64,
    pub user: String,
    pub group: String,
}

/// Takes a member and its content.
pub(super) type Visit<'v> = dyn FnMut(Member, &mut dyn Read) -> Result<()> + 'v;

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Zip,
}

/// A tar header says so there.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

impl Format {
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // The second is an empty archive, the third one in parts.
            [b'P', b'K', 3 | 5 | 7, ..] => Some(Self::Zip),
            head if is_tar(head) => Some(Self::Tar),
            _ => None,
        }
    }

    /// Ansible's word for what unpacks it.
    pub(super) fn handler(self) -> &'static str {
        match self {
            Self::Tar => "TarArchive",
            Self::Gzip => "TgzArchive",
            Self::Bzip2 => "TarBzipArchive",
            Self::Xz => "TarXzArchive",
            Self::Zstd => "TarZstdArchive",
            Self::Zip => "ZipArchive",
        }
    }
}

/// An old tar has no magic, but every header has a checksum; an empty archive is zeros.
fn is_tar(head: &[u8]) -> bool {
    if head.get(TAR_MAGIC) == Some(b"ustar") {
        return true;
    }
    let Ok(block) = <&[u8; 512]>::try_from(head) else {
        return false;
    };
    if block.iter().all(|b| *b == 0) {
        return true;
    }
    let header = tar::Header::from_byte_slice(block);
    let sum: u32 = (0..512)
        .map(|i| {
            if (148..156).contains(&i) {
                32
            } else {
                u32::from(block[i])
            }
        })
        .sum();
    header.cksum().is_ok_and(|cksum| cksum == sum)
}

/// An archive whose kind is known.
pub(super) struct Archive<'a> {
    pub format: Format,
    name: String,
    source: Box<dyn Read + 'a>,
}

impl<'a> Archive<'a> {
    /// Looks at the first bytes of the archive `name`.
    pub(super) fn open(name: &str, mut source: Box<dyn Read + 'a>) -> Result<Self> {
        let mut head = vec![0; 512];
        let n = fill(&mut source, &mut head).map_err(|e| broken(name, &e))?;
        head.truncate(n);
        let format = Format::of(&head).ok_or_else(|| {
            Failure::new(format!("`{name}` is no archive"))
                .arg("src")
                .help("archives are .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst and .zip")
        })?;
        Ok(Self {
            format,
            name: name.to_owned(),
            source: Box::new(io::Cursor::new(head).chain(source)),
        })
    }

    /// Gives each member to `visit`, in the archive's order.
    pub(super) fn each(self, visit: &mut Visit) -> Result<()> {
        let name = self.name;
        match self.format {
            Format::Tar => tar(&name, self.source, visit),
            Format::Gzip => tar(&name, MultiGzDecoder::new(self.source), visit),
            Format::Bzip2 => tar(&name, MultiBzDecoder::new(self.source), visit),
            Format::Xz => tar(&name, XzReader::new(self.source, true), visit),
            Format::Zstd => tar(&name, Zstd::new(self.source), visit),
            Format::Zip => zip(&name, self.source, visit),
        }
    }
}

fn broken(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("the archive `{name}` is damaged: {error}"))
        .arg("src")
        .help("copy or download it again; a checksum on get_url finds such faults early")
}

fn tar(name: &str, source: impl Read, visit: &mut Visit) -> Result<()> {
    let mut archive = tar::Archive::new(source);
    let failed = |e: io::Error| broken(name, &e);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        if let Some(member) = tar_member(&entry).map_err(failed)? {
            visit(member, &mut entry)?;
        }
    }
    // To its end, where the packer's own checksum is.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(failed)?;
    Ok(())
}

fn tar_member<R: Read>(entry: &tar::Entry<R>) -> io::Result<Option<Member>> {
    let header = entry.header();
    let link = || -> io::Result<String> {
        let to = entry.link_name_bytes().unwrap_or_default();
        Ok(String::from_utf8_lossy(&to).into_owned())
    };
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let kind = match header.entry_type() {
        // Old archives have no type of their own for folders.
        EntryType::Regular if path.ends_with('/') => Kind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink(link()?),
        EntryType::Link => Kind::HardLink(link()?),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Kind::Special,
        _ => return Ok(None),
    };
    let name =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    Ok(Some(Member {
        path,
        kind,
        mode: Some(header.mode()? & 0o7777),
        owner: Some(Owner {
            uid: header.uid()?,
            gid: header.gid()?,
            user: name(header.username_bytes()),
            group: name(header.groupname_bytes()),
        }),
        mtime: UNIX_EPOCH.checked_add(Duration::from_secs(header.mtime()?)),
    }))
}

/// A zip's list of members is at its end: it is put into a nameless temporary file first.
fn zip(name: &str, mut source: impl Read, visit: &mut Visit) -> Result<()> {
    let spool = |e: io::Error| {
        Failure::new(format!("could not keep `{name}` in a temporary file: {e}"))
            .help("free some space in the folder for temporary files")
    };
    let mut file = tempfile::tempfile().map_err(spool)?;
    io::copy(&mut source, &mut file).map_err(spool)?;
    file.seek(SeekFrom::Start(0)).map_err(spool)?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| bad_zip(name, e))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|e| bad_zip(name, e))?;
        let member = zip_member(name, &mut entry)?;
        visit(member, &mut entry)?;
    }
    Ok(())
}

fn bad_zip(name: &str, error: zip::result::ZipError) -> Failure {
    match error {
        zip::result::ZipError::UnsupportedArchive(why) => {
            Failure::new(format!("the archive `{name}` cannot be read: {why}")).arg("src")
        }
        other => broken(name, &io::Error::other(other.to_string())),
    }
}

fn zip_member(archive: &str, entry: &mut zip::read::ZipFile<'_, File>) -> Result<Member> {
    let path = entry.name().map_err(|e| bad_zip(archive, e))?.into_owned();
    let kind = if entry.is_dir() {
        Kind::Directory
    } else if entry.is_symlink() {
        let mut to = String::new();
        entry
            .read_to_string(&mut to)
            .map_err(|e| broken(archive, &e))?;
        Kind::Symlink(to)
    } else {
        Kind::File
    };
    let mtime = entry.extra_data_fields().find_map(|field| match field {
        zip::ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    Ok(Member {
        path,
        kind,
        // Zero where it was made on a system without permissions.
        mode: entry.unix_mode().map(|m| m & 0o7777).filter(|m| *m != 0),
        owner: None,
        mtime: mtime.and_then(|t| UNIX_EPOCH.checked_add(Duration::from_secs(t.into()))),
    })
}
