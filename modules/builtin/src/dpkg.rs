//! What dpkg knows: the packages of /var/lib/dpkg/status.
//!
//! Owns how the file is read and how a package is called: by its name, and `name:arch` where its
//! architecture is not the host's own. Knows nothing of where packages come from.

use std::collections::HashMap;
use std::path::Path;

use rplay_api::{Host, Result, State, Target};

const STATUS: &str = "/var/lib/dpkg/status";

/// The packages of a host, installed or with their configuration left over.
#[derive(Debug, Default)]
pub struct Dpkg {
    packages: HashMap<String, Package>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name, without an architecture.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The architecture it was built for, or `all`.
    pub architecture: String,
    /// Its section, such as `admin`.
    pub section: String,
    /// What is wanted of it: `install`, `hold`, `deinstall` or `purge`.
    pub selection: String,
    /// Where it stands: `installed`, `config-files`, ...
    pub status: String,
    /// The names it provides.
    pub provides: Vec<String>,
}

impl Package {
    /// Whether its files are there.
    pub fn is_installed(&self) -> bool {
        self.status != "config-files" && self.status != "not-installed"
    }
}

impl Dpkg {
    /// Reads the status file; a host without dpkg has no packages.
    ///
    /// # Errors
    /// I/O errors.
    pub fn read(host: &Host) -> Result<Self> {
        let path = Path::new(STATUS);
        if !host.exists(path)? {
            return Ok(Self::default());
        }
        // A maintainer's name may be in any encoding; the fields read here are ASCII.
        Ok(Self::parse(&String::from_utf8_lossy(&host.read(path)?)))
    }

    fn parse(text: &str) -> Self {
        let found: Vec<Package> = text.split("\n\n").filter_map(paragraph).collect();
        let native = found
            .iter()
            .find(|p| p.name == "dpkg")
            .map(|p| p.architecture.clone())
            .unwrap_or_default();
        let key = |p: &Package| match p.architecture.as_str() {
            "all" | "" => p.name.clone(),
            arch if arch == native => p.name.clone(),
            arch => format!("{}:{arch}", p.name),
        };
        let packages = found.into_iter().map(|p| (key(&p), p)).collect();
        Self { packages }
    }

    /// The package of a name; the host's own architecture may be left out or given.
    pub fn get(&self, name: &str) -> Option<&Package> {
        if let Some(package) = self.packages.get(name) {
            return Some(package);
        }
        let (name, arch) = name.split_once(':')?;
        let package = self.packages.get(name)?;
        let same = arch == package.architecture || arch == "any" || package.architecture == "all";
        same.then_some(package)
    }

    /// Every package, with the name it is called by.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.packages.iter().map(|(key, p)| (key.as_str(), p))
    }

    /// What is known of a package: the key `version`. `None` where it is not installed.
    ///
    /// # Errors
    /// None that a system gives today.
    pub fn state(&self, host: &Host, name: &str) -> Result<Option<State>> {
        host.state(&Target::Package(self.key(name)), || {
            let package = self.get(name).filter(|p| p.is_installed());
            Ok(package.map(|p| version_state(&p.version)))
        })
    }

    /// The installed package that provides a name, if one does.
    pub fn provider(&self, name: &str) -> Option<&str> {
        let provides = |p: &Package| p.is_installed() && p.provides.iter().any(|n| n == name);
        self.iter().find(|(_, p)| provides(p)).map(|(key, _)| key)
    }

    /// The name that a package is called by, as the plan of apt-get and a dry run's memory have it.
    fn key(&self, name: &str) -> String {
        match self.get(name) {
            Some(_) if !self.packages.contains_key(name) => {
                name.split(':').next().unwrap_or(name).to_owned()
            }
            _ => name.to_owned(),
        }
    }
}

/// The state of a package that is installed.
pub fn version_state(version: &str) -> State {
    State::from([("version".to_owned(), version.to_owned())])
}

fn paragraph(text: &str) -> Option<Package> {
    let field = |name: &str| {
        text.lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let mut status = field("Status")?.split_whitespace();
    let provided = |part: &str| part.split_whitespace().next().map(str::to_owned);
    Some(Package {
        name: field("Package")?.to_owned(),
        version: field("Version").unwrap_or_default().to_owned(),
        architecture: field("Architecture").unwrap_or_default().to_owned(),
        section: field("Section").unwrap_or_default().to_owned(),
        selection: status.next()?.to_owned(),
        status: status.nth(1)?.to_owned(),
        provides: field("Provides")
            .unwrap_or_default()
            .split(',')
            .filter_map(provided)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Package: dpkg
Status: install ok installed
Architecture: amd64
Version: 1.21.22

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.36
Provides: libc6-i686, libc-any (= 2)

Package: old
Status: deinstall ok config-files
Architecture: all
Version: 1
";

    #[test]
    fn a_package_of_another_architecture_has_it_in_its_name() {
        let dpkg = Dpkg::parse(STATUS);
        assert!(dpkg.get("libc6").is_none());
        assert_eq!(dpkg.get("libc6:i386").unwrap().version, "2.36");
        assert_eq!(dpkg.get("dpkg:amd64").unwrap().name, "dpkg");
        assert!(dpkg.get("dpkg:i386").is_none());
    }

    #[test]
    fn what_was_removed_but_not_purged_is_not_installed() {
        let dpkg = Dpkg::parse(STATUS);
        assert!(!dpkg.get("old").unwrap().is_installed());
        assert_eq!(dpkg.get("old").unwrap().selection, "deinstall");
    }

    #[test]
    fn a_provided_name_is_found() {
        let dpkg = Dpkg::parse(STATUS);
        assert_eq!(dpkg.provider("libc-any"), Some("libc6:i386"));
        assert_eq!(dpkg.provider("nothing"), None);
    }
}
