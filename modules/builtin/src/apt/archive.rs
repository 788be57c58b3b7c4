//! A package in a file of its own: `deb: /tmp/foo.deb`, or an address of one.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rplay_api::{Command, Failure, Host, Result};
use tempfile::TempPath;

use crate::apt_get::prepared;
use crate::http::{Client, Download, Options, Slot};

/// A package's file and what it holds.
pub struct Archive {
    /// Where it is.
    pub path: PathBuf,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file goes with this, where it was downloaded.
    _downloaded: Option<TempPath>,
}

impl Archive {
    /// The archive at a path of the host or an address, which is downloaded first, in a dry run
    /// too: only the file tells what would be installed.
    pub fn open(place: &str, host: &Host) -> Result<Self> {
        let downloaded = place.contains("://").then(|| download(place, host)).transpose()?;
        let path = downloaded.as_deref().map_or_else(|| PathBuf::from(place), Path::to_owned);
        if downloaded.is_none() && !host.exists(&path)? {
            return Err(Failure::new(format!("there is no `{place}`"))
                .absent()
                .arg("deb")
                .help("it is a path on the target (copy it there first) or an address"));
        }
        let control = control(&path, host).map_err(|f| f.arg("deb"))?;
        let field = |name: &str| {
            let value = control.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
            value.map(|v| v.trim().to_owned()).ok_or_else(|| {
                let why = format!("the package `{place}` does not say its `{name}`");
                Failure::new(why).arg("deb")
            })
        };
        let name = match (field("Package")?, field("Architecture")?) {
            (name, arch) if arch == "all" || arch == native(host)? => name,
            (name, arch) => format!("{name}:{arch}"),
        };
        Ok(Self { name, version: field("Version")?, path, _downloaded: downloaded })
    }

    /// How its version stands to an installed one: `lt`, `eq` or `gt` holds.
    pub fn is(&self, relation: &str, installed: &str, host: &Host) -> Result<bool> {
        let words = ["dpkg", "--compare-versions", &self.version, relation, installed];
        Ok(host.run(&Command::reads(words))?.rc == 0)
    }
}

/// What a package says of itself. `dpkg-deb --field` would unpack it to a folder in /tmp.
fn control(path: &Path, host: &Host) -> Result<String> {
    let words = ["dpkg-deb", "--ctrl-tarfile", &path.to_string_lossy()].map(str::to_owned);
    let command = prepared(Command::reads(words));
    let output = host.run(&command)?.success(&command)?;
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let wrong = |e: io::Error| Failure::io("read the package", path, &e);
    for member in archive.entries().map_err(wrong)? {
        let mut member = member.map_err(wrong)?;
        if member.path().is_ok_and(|p| p.file_name().is_some_and(|n| n == "control")) {
            let mut text = vec![];
            member.read_to_end(&mut text).map_err(wrong)?;
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Err(Failure::new(format!("`{}` is no package", path.display())))
}

fn native(host: &Host) -> Result<String> {
    Ok(host.query(["dpkg", "--print-architecture"])?.trim().to_owned())
}

fn download(url: &str, host: &Host) -> Result<TempPath> {
    let options = Options::plain("rplay-apt", Duration::from_secs(30), 4);
    let client = Client::new(host, options, url)?;
    let answer = client.get(url, &[]).map_err(|f| f.arg("deb"))?;
    let dir = std::env::temp_dir();
    let failed = |e: io::Error| Failure::io("write a downloaded package in", &dir, &e);
    let mut file = tempfile::Builder::new()
        .prefix("rplay-")
        .suffix(".deb")
        .tempfile_in(&dir)
        .map_err(failed)?;
    let slot = Slot::default();
    let mut body = Download::new(&client, answer, slot.clone());
    io::copy(&mut body, file.as_file_mut()).map_err(|e| slot.or(failed(e)))?;
    Ok(file.into_temp_path())
}
