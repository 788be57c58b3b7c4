//! What rpm knows: the packages of its database, asked with `rpm --query`.

use std::path::Path;

use rplay_api::{Command, Host, Result};

/// A package of rpm's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its epoch, where it has one.
    pub epoch: Option<u32>,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// The architecture it was built for.
    pub arch: String,
}

const FORMAT: &str = "%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n";

/// Whether the host has rpm.
///
/// # Errors
/// I/O errors.
pub fn is_there(host: &Host) -> Result<bool> {
    Ok(host.exists(Path::new("/usr/bin/rpm"))? || host.exists(Path::new("/bin/rpm"))?)
}

/// Every installed package.
///
/// # Errors
/// Where rpm cannot read its database.
pub fn installed(host: &Host) -> Result<Vec<Package>> {
    let command = Command::reads(["rpm", "--query", "--all", "--queryformat", FORMAT]);
    let said = host.run(&command)?.success(&command)?.stdout();
    Ok(said.lines().filter_map(package).collect())
}

fn package(line: &str) -> Option<Package> {
    let mut fields = line.split('\t').map(str::to_owned);
    Some(Package {
        name: fields.next()?,
        epoch: fields.next()?.parse().ok(),
        version: fields.next()?,
        release: fields.next()?,
        arch: fields.next()?,
    })
    .filter(|p| p.name != "gpg-pubkey")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_package_and_a_key_is_none() {
        let got = package("bash\t(none)\t5.2\t1.el9\tx86_64").unwrap();
        assert_eq!((got.release.as_str(), got.epoch), ("1.el9", None));
        assert_eq!(package("vim\t2\t9\t1\tnoarch").unwrap().epoch, Some(2));
        assert_eq!(package("gpg-pubkey\t(none)\tab\tcd\t(none)"), None);
    }
}
