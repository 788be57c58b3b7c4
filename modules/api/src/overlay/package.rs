//! What a package that is only planned may bring.
//!
//! Nothing says which files those are: what is not there counts as one where its name is the
//! package's, as `/etc/nginx` is for `nginx-common`. Knows nothing of package managers.

use std::path::Path;

use rplay_wire::Target;

use super::Overlay;
use crate::{Failure, Result};

/// Folders that packages leave to the administrator and to users.
const NOT_OF_PACKAGES: [&str; 9] = [
    "/dev",
    "/home",
    "/media",
    "/mnt",
    "/proc",
    "/root",
    "/srv",
    "/tmp",
    "/usr/local",
];

/// So many letters are enough for a name to be another one's beginning: `greet` of `greeter`.
const TELLING: usize = 5;

impl Overlay {
    /// What is not there may come with a package that is only planned.
    pub(super) fn not_of_planned_package(&self, key: &Path) -> Result<()> {
        let Some(name) = key.file_name().and_then(|name| name.to_str()) else {
            return Ok(());
        };
        if NOT_OF_PACKAGES.iter().any(|folder| key.starts_with(folder)) {
            return Ok(());
        }
        let plan = self.lock();
        let package = plan.things.iter().find_map(|(target, state)| match target {
            Target::Package(package) if state.is_some() => {
                are_akin(name, package).then_some(package)
            }
            _ => None,
        });
        match package {
            None => Ok(()),
            Some(package) => Err(Failure::unknown(format!(
                "`{}` may come with the package `{package}`, which is only planned",
                key.display()
            ))),
        }
    }
}

/// Whether a file's name is a package's: the same up to a dot, or one begins the other.
fn are_akin(file: &str, package: &str) -> bool {
    let stem = |name: &str| {
        let end = name.find(['.', ':']).unwrap_or(name.len());
        name[..end].to_lowercase()
    };
    let (file, package) = (stem(file), stem(package));
    let (short, long) = match file.len() <= package.len() {
        true => (&file, &package),
        false => (&package, &file),
    };
    let Some(rest) = long
        .strip_prefix(short.as_str())
        .filter(|_| short.len() > 1)
    else {
        return false;
    };
    let ends_there = !rest.starts_with(|c: char| c.is_ascii_alphabetic());
    ends_there || short.len() >= TELLING
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rplay_wire::State;

    use super::*;
    use crate::overlay::nowhere::Nowhere;
    use crate::system::{Attrs, System};

    #[test]
    fn files_have_the_names_of_their_packages() {
        for (file, package) in [
            ("nginx", "nginx-common"),
            ("nginx.service", "nginx"),
            ("postgresql", "postgresql-15"),
            ("php", "php8.2-fpm"),
            ("greet", "greeter"),
            ("docker.list", "docker-ce"),
            ("libfoo", "libfoo:i386"),
        ] {
            assert!(are_akin(file, package), "{file} {package}");
        }
        for (file, package) in [
            ("app.conf", "apparmor"),
            ("motd", "nginx"),
            (".x", "x"),
            ("x", "x11"),
        ] {
            assert!(!are_akin(file, package), "{file} {package}");
        }
    }

    #[test]
    fn what_a_planned_package_may_bring_is_unknown_until_it_is_removed_again() {
        let overlay = Overlay::new(Arc::new(Nowhere));
        for folder in ["/etc", "/srv"] {
            overlay
                .make_dir(Path::new(folder), &Attrs::default())
                .unwrap();
        }
        let target = Target::Package("nginx".to_owned());
        let look = |path: &str| overlay.lstat(Path::new(path));
        assert_eq!(look("/etc/nginx/nginx.conf"), Ok(None));
        let remember = |state| overlay.transition(&target, state, &mut || Ok(())).unwrap();
        remember(Some(State::new()));
        let why = look("/etc/nginx/nginx.conf").unwrap_err();
        assert!(why.unknown);
        assert_eq!(
            why.msg,
            "`/etc/nginx` may come with the package `nginx`, which is only planned"
        );
        assert_eq!(look("/srv/nginx"), Ok(None));
        assert_eq!(look("/etc/motd"), Ok(None));
        remember(None);
        assert_eq!(look("/etc/nginx"), Ok(None));
    }
}
