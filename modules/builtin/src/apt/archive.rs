//! A package in a file of its own: `deb: /tmp/foo.deb`, or an address of one.

use std::io;
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
                .arg("deb")
                .help("it is a path on the target (copy it there first) or an address"));
        }
        let field = |name: &str| {
            let words = ["dpkg-deb", "--field", &path.to_string_lossy(), name].map(str::to_owned);
            let command = prepared(Command::reads(words));
            let value = host.run(&command)?.success(&command).map_err(|f| f.arg("deb"))?.stdout();
            Ok::<_, Failure>(value.trim().to_owned())
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
