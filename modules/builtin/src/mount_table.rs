//! The tables of mounted file systems, and the sizes of what is mounted.
//!
//! Knows nothing of what a fact is called for.

use std::path::{Path, PathBuf};

use rplay_api::Host;
use serde_json::{Map, Value};

use crate::path_info;

/// A line of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The device, or what stands for one.
    pub device: String,
    /// Where it is mounted.
    pub point: String,
    /// The type of its file system.
    pub kind: String,
    /// Its options, separated by commas.
    pub options: String,
    /// Whether `dump` takes it, where the line says so.
    pub dump: Option<u64>,
    /// When it is checked at the start, where the line says so.
    pub pass: Option<u64>,
}

impl Mount {
    /// A line of /proc/mounts or /etc/fstab; `None` for a comment and for what is no line of one.
    pub fn parse(line: &str) -> Option<Self> {
        if line.trim_start().starts_with('#') {
            return None;
        }
        let mut words = line.split_whitespace();
        let mut text = || words.next().map(unescape);
        let (device, point, kind) = (text()?, text()?, text()?);
        let options = text().unwrap_or_else(|| "defaults".to_owned());
        let mut number = || words.next()?.parse().ok();
        Some(Self {
            device,
            point,
            kind,
            options,
            dump: number(),
            pass: number(),
        })
    }

    /// A line of the program `mount`: `DEVICE on POINT type KIND (OPTIONS)`.
    pub fn parse_listed(line: &str) -> Option<Self> {
        let (device, rest) = line.split_once(" on ")?;
        let (place, options) = rest.rsplit_once(" (")?;
        let (point, kind) = place.rsplit_once(" type ")?;
        Some(Self {
            device: device.to_owned(),
            point: point.to_owned(),
            kind: kind.trim().to_owned(),
            options: options.split(')').next()?.to_owned(),
            dump: None,
            pass: None,
        })
    }
}

/// A word with `\040` and its like as the letters that they stand for.
pub fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The sizes of what is mounted at `point`, under Ansible's names; `None` where that is not told.
pub fn sizes(point: &str) -> Option<Map<String, Value>> {
    let stat = rustix::fs::statvfs(point).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    let rows = [
        ("size_total", bytes(stat.f_blocks)),
        ("size_available", bytes(stat.f_bavail)),
        ("block_size", stat.f_bsize),
        ("block_total", stat.f_blocks),
        ("block_available", stat.f_bavail),
        ("block_used", stat.f_blocks.saturating_sub(stat.f_bavail)),
        ("inode_total", stat.f_files),
        ("inode_available", stat.f_favail),
        ("inode_used", stat.f_files.saturating_sub(stat.f_favail)),
    ];
    Some(
        rows.map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect(),
    )
}

/// The devices that have a UUID, with it.
pub fn device_uuids(host: &Host) -> Vec<(PathBuf, String)> {
    let folder = Path::new("/dev/disk/by-uuid");
    let names = host.read_dir(folder).unwrap_or_default();
    let found = names.into_iter().filter_map(|name| {
        let device = path_info::real_path(host, &folder.join(&name)).ok()?;
        Some((device, name.to_string_lossy().into_owned()))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_from_each_table() {
        let got = Mount::parse(r"/dev/x\040y /mnt\011a ext4 rw,ro 0 2").unwrap();
        assert_eq!(
            (got.device.as_str(), got.point.as_str()),
            ("/dev/x y", "/mnt\ta")
        );
        assert_eq!((got.dump, got.pass), (Some(0), Some(2)));
        let got = Mount::parse("LABEL=z none swap").unwrap();
        assert_eq!((got.options.as_str(), got.dump), ("defaults", None));
        assert_eq!(Mount::parse(" # c a b"), None);
        let got = Mount::parse_listed("/dev/a on /a on b type ext4 (rw,relatime) [x]").unwrap();
        assert_eq!(
            (got.point.as_str(), got.options.as_str()),
            ("/a on b", "rw,relatime")
        );
    }

    #[test]
    fn the_root_has_a_size() {
        assert!(sizes("/").unwrap()["size_total"].as_u64().unwrap() > 0);
        assert_eq!(sizes("/no/such/place"), None);
    }
}
