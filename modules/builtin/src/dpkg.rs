//! What dpkg knows: the packages of /var/lib/dpkg/status.
//!
//! Owns how the file is read and how a package is called: by its name, and `name:arch` where its
//! architecture is not the host's own. Knows nothing of where packages come from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rplay_api::{Failure, Host, Result, State, Target};

const STATUS: &str = "/var/lib/dpkg/status";

/// What dpkg keeps of each package: the lists of its files.
const INFO: &str = "/var/lib/dpkg/info";

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
    /// The packages that it needs; of several that would do, the first.
    pub depends: Vec<String>,
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
        let state = host.state(&Target::Package(self.key(name)), || {
            let package = self.get(name).filter(|p| p.is_installed());
            Ok(package.map(|p| version_state(&p.version)))
        })?;
        match state {
            Some(state) if state.is_empty() => Err(not_sure(name)),
            state => Ok(state),
        }
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

/// The failure for a package that a task which is not decided may install.
pub fn not_sure(name: &str) -> Failure {
    Failure::unknown(format!(
        "whether the package `{name}` is installed by then is not known"
    ))
}

/// Lets later tasks of a dry run see that a package's files are gone with it, and that its services
/// do not run any more. Its configuration stays where it is not purged.
pub fn take_away(host: &Host, asked: &str, purge: bool) {
    let info = |package: &str, what: &str| -> Vec<String> {
        let path = format!("{INFO}/{package}.{what}");
        let text = host.read_text(Path::new(&path)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    host.foresee_gone(|| {
        let all = host.read_dir(Path::new(INFO)).unwrap_or_default();
        let all: Vec<String> = all
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        // One that may be there for several architectures has its own in the name.
        let with_architecture = format!("{asked}:");
        let name = match all
            .iter()
            .find(|other| other.starts_with(&with_architecture))
        {
            Some(other) => other.rsplit_once('.').map_or(asked, |(stem, _)| stem),
            None => asked,
        };
        let stays = ["conffiles", "postrm"]
            .iter()
            .any(|what| all.contains(&format!("{name}.{what}")));
        // A dry run remembers anything.
        let _ = host.remember(&leftover(asked), (stays && !purge).then(State::new));
        let kept = if purge {
            vec![]
        } else {
            info(name, "conffiles")
        };
        let mut paths = info(name, "list");
        paths.retain(|path| path != "/." && !kept.contains(path));
        // What is in a folder comes before it.
        paths.sort_unstable_by(|a, b| b.cmp(a));
        let own = format!("{name}.list");
        for other in &all {
            if let Some(other) = other.strip_suffix(".list").filter(|_| *other != own) {
                let shared: std::collections::HashSet<String> =
                    info(other, "list").into_iter().collect();
                paths.retain(|path| !shared.contains(path));
            }
        }
        for unit in paths.iter().filter_map(|path| service_of(path)) {
            let stopped = State::from([("active".to_owned(), "inactive".to_owned())]);
            // A dry run remembers anything.
            let _ = host.remember(&Target::Unit(unit.to_owned()), Some(stopped));
        }
        paths.into_iter().map(PathBuf::from).collect()
    });
}

/// The mark of a package that a dry run has removed and whose configuration stays.
fn leftover(name: &str) -> Target {
    Target::Host(format!("configuration left of {name}"))
}

/// Whether a dry run has removed a package whose configuration stays.
pub fn leaves_configuration(host: &Host, name: &str) -> Result<bool> {
    Ok(host.state(&leftover(name), || Ok(None))?.is_some())
}

/// Purges what a dry run has left of a package.
pub fn purge_rest(host: &Host, name: &str) -> Result<()> {
    let before = State::from([("state".to_owned(), "configuration only".to_owned())]);
    host.remember(&leftover(name), None)?;
    host.ensure(Target::Package(name.to_owned()), Some(before), None, || {
        Ok(())
    })?;
    take_away(host, name, true);
    Ok(())
}

/// The service whose unit file is at a path.
fn service_of(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    (folder.ends_with("/systemd/system") && name.ends_with(".service")).then_some(name)
}

/// Lets later tasks of a dry run see a package that is to come, in a version that is not known.
pub fn expect(host: &Host, name: &str) {
    let target = Target::Package(name.to_owned());
    let planned = host.state(&target, || Ok(None));
    if planned.is_ok_and(|state| state.is_none()) {
        // A dry run remembers anything.
        let _ = host.remember(&target, Some(State::new()));
    }
}

/// The state of a package that is installed.
pub fn version_state(version: &str) -> State {
    State::from([("version".to_owned(), version.to_owned())])
}

fn field<'t>(paragraph: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = paragraph.lines();
    lines
        .find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// The packages that a package needs, as its paragraph names them; of several that would do, the
/// first.
pub fn needs(paragraph: &str) -> Vec<String> {
    let lists = ["Pre-Depends", "Depends"].map(|name| field(paragraph, name).unwrap_or_default());
    let names = lists
        .iter()
        .flat_map(|list| list.split(','))
        .filter_map(|one| {
            let name = one.split(|c: char| c == '|' || c == '(' || c.is_whitespace());
            name.map(str::trim).find(|name| !name.is_empty())
        });
    names
        .map(|name| name.split(':').next().unwrap_or(name).to_owned())
        .collect()
}

fn paragraph(text: &str) -> Option<Package> {
    let field = |name: &str| field(text, name);
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
        depends: needs(text),
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

    #[test]
    fn what_a_package_brought_goes_with_it_but_its_configuration_and_what_others_have() {
        let host = rplay_api::Overlay::empty();
        let fixture = crate::fixture::Fixture::new(&host);
        let paths = "/.\n/etc\n/etc/x\n/etc/x/conf\n/lib/systemd/system/x.service\n/usr\n/usr/x\n/usr/x/data\n/usr/both\n";
        for path in [
            "/etc/x/conf",
            "/lib/systemd/system/x.service",
            "/usr/x/data",
            "/usr/both",
        ] {
            fixture.file(path, "");
        }
        fixture.file(&format!("{INFO}/x.list"), paths);
        fixture.file(&format!("{INFO}/x.conffiles"), "/etc/x/conf\n");
        fixture.file(&format!("{INFO}/y.list"), "/usr/both\n");
        let there = |paths: [&str; 5]| {
            fixture.on_host(|h| paths.map(|path| h.lstat(Path::new(path)).unwrap().is_some()))
        };
        let looked = [
            "/etc/x/conf",
            "/lib/systemd/system/x.service",
            "/usr/x/data",
            "/usr/x",
            "/usr/both",
        ];
        fixture.on_host(|h| take_away(h, "x", false));
        assert_eq!(there(looked), [true, false, false, false, true]);
        let unit = Target::Unit("x.service".to_owned());
        let stopped = fixture.on_host(|h| h.state(&unit, || Ok(None)).unwrap().unwrap());
        assert_eq!(stopped["active"], "inactive");
        fixture.on_host(|h| take_away(h, "x", true));
        assert!(!there(looked)[0]);
    }
}
