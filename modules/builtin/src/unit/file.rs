//! Unit files on the host, those of earlier tasks of a dry run among them.

use std::path::{Path, PathBuf};

use rplay_api::{Host, Result};

use super::Scope;
use crate::pattern;

/// Where administrators' links are, strongest first.
const CONFIG: [&str; 2] = ["/etc/systemd/system", "/run/systemd/system"];
const SYSTEM: [&str; 5] = [
    CONFIG[0],
    CONFIG[1],
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
const USER_CONFIG: [&str; 2] = ["/etc/systemd/user", "/run/systemd/user"];
const USER: [&str; 4] = [
    USER_CONFIG[0],
    USER_CONFIG[1],
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
];

fn folders(host: &Host, scope: Scope) -> Vec<PathBuf> {
    let own = host
        .env("HOME")
        .map(|home| PathBuf::from(home).join(".config/systemd/user"));
    match scope {
        Scope::System => SYSTEM.iter().map(PathBuf::from).collect(),
        Scope::User => own
            .into_iter()
            .chain(USER.iter().map(PathBuf::from))
            .collect(),
        Scope::Global => USER.iter().map(PathBuf::from).collect(),
    }
}

fn config_folders(host: &Host, scope: Scope) -> Vec<PathBuf> {
    let own = host
        .env("HOME")
        .map(|home| PathBuf::from(home).join(".config/systemd/user"));
    match scope {
        Scope::System => CONFIG.iter().map(PathBuf::from).collect(),
        Scope::User => own
            .into_iter()
            .chain(USER_CONFIG.iter().map(PathBuf::from))
            .collect(),
        Scope::Global => USER_CONFIG.iter().map(PathBuf::from).collect(),
    }
}

/// `getty@tty1.service` as `getty@.service`.
fn template(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (_, suffix) = rest.rsplit_once('.')?;
    Some(format!("{prefix}@.{suffix}"))
}

/// The unit's file: its own, or its template's.
pub(super) fn find(host: &Host, scope: Scope, name: &str) -> Result<Option<PathBuf>> {
    let names = [Some(name.to_owned()), template(name).filter(|t| t != name)];
    for name in names.into_iter().flatten() {
        for folder in folders(host, scope) {
            let path = folder.join(&name);
            if host.lstat(&path)?.is_some() {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Whether a link to /dev/null is in the unit's place.
pub(super) fn is_masked(host: &Host, scope: Scope, name: &str) -> Result<bool> {
    for folder in config_folders(host, scope) {
        let path = folder.join(name);
        if host.lstat(&path)?.is_some_and(|m| m.is_link())
            && host.read_link(&path)? == Path::new("/dev/null")
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A file of the unit's own in the administrators' folder, which `mask` refuses to replace.
pub(super) fn in_the_way_of_mask(host: &Host, scope: Scope, name: &str) -> Result<Option<PathBuf>> {
    let Some(folder) = config_folders(host, scope).into_iter().next() else {
        return Ok(None);
    };
    let path = folder.join(name);
    Ok(host.lstat(&path)?.filter(|m| !m.is_link()).map(|_| path))
}

/// What `systemctl is-enabled` would say, from the files alone.
pub(super) fn install_state(host: &Host, scope: Scope, name: &str) -> Result<&'static str> {
    if is_masked(host, scope, name)? {
        return Ok("masked");
    }
    unmasked_state(host, scope, name)
}

/// The same, for when the mask is gone.
pub(super) fn unmasked_state(host: &Host, scope: Scope, name: &str) -> Result<&'static str> {
    let Some(path) = find_unmasked(host, scope, name)? else {
        return Ok("disabled");
    };
    let install = Install::parse(&host.read_text(&path).unwrap_or_default(), name);
    for folder in config_folders(host, scope) {
        for link in &install.links {
            if host.lstat(&folder.join(link))?.is_some() {
                return Ok("enabled");
            }
        }
    }
    Ok(match (install.links.is_empty(), install.also) {
        (false, _) => "disabled",
        (true, true) => "indirect",
        (true, false) => "static",
    })
}

fn find_unmasked(host: &Host, scope: Scope, name: &str) -> Result<Option<PathBuf>> {
    let names = [Some(name.to_owned()), template(name)];
    for name in names.into_iter().flatten() {
        for folder in folders(host, scope) {
            let path = folder.join(&name);
            if host.stat(&path)?.is_some_and(|m| m.is_file()) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// A unit file's [Install].
struct Install {
    /// The links that `systemctl enable` makes, from a folder of units.
    links: Vec<PathBuf>,
    /// Whether it enables others.
    also: bool,
}

impl Install {
    fn parse(text: &str, name: &str) -> Self {
        let instance = name
            .split_once('@')
            .and_then(|(_, rest)| rest.rsplit_once('.'))
            .map_or("", |(instance, _)| instance);
        let mut install = Self {
            links: vec![],
            also: false,
        };
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Install]";
            }
            let Some((key, value)) = line.split_once('=').filter(|_| inside) else {
                continue;
            };
            let value = value.replace("%i", instance);
            for word in value.split_whitespace() {
                match key.trim() {
                    "WantedBy" => install
                        .links
                        .push(Path::new(&format!("{word}.wants")).join(name)),
                    "RequiredBy" => install
                        .links
                        .push(Path::new(&format!("{word}.requires")).join(name)),
                    "UpheldBy" => install
                        .links
                        .push(Path::new(&format!("{word}.upholds")).join(name)),
                    "Alias" => install.links.push(word.into()),
                    "Also" => install.also = true,
                    _ => {}
                }
            }
        }
        install
    }
}

/// Whether an init script starts at boot; systemd's own answer for one is that it is `generated`.
pub(super) fn sysv_state(host: &Host, name: &str) -> Result<&'static str> {
    let script = name.strip_suffix(".service").unwrap_or(name);
    if host
        .lstat(&Path::new("/etc/init.d").join(script))?
        .is_none()
    {
        return Ok("static");
    }
    let links = pattern::first_match(host, None, &format!("/etc/rc[2-5].d/S??{script}"))?;
    Ok(if links.is_some() {
        "enabled"
    } else {
        "disabled"
    })
}

/// The unit whose name is nearest to a misspelt one.
pub(super) fn nearest(host: &Host, scope: Scope, name: &str) -> Option<String> {
    let bare = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(bare, _)| bare)
            .to_owned()
    };
    let asked = bare(name);
    let limit = (asked.chars().count() / 3).clamp(1, 3);
    let mut best: Option<(usize, String)> = None;
    for folder in folders(host, scope) {
        for entry in host.read_dir(&folder).unwrap_or_default() {
            let entry = entry.to_string_lossy().into_owned();
            let distance = strsim::damerau_levenshtein(&asked, &bare(&entry));
            if distance <= limit && best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, entry));
            }
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;

    use super::*;
    use crate::fixture::Fixture;

    const UNIT: &str =
        "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target other.target\n";

    fn state(fixture: &Fixture, name: &str) -> &'static str {
        fixture.on_host(|h| install_state(h, Scope::System, name).unwrap())
    }

    #[test]
    fn links_tell_whether_a_unit_is_enabled() {
        let overlay = Overlay::empty();
        let host = Fixture::new(&overlay);
        host.file("/lib/systemd/system/etcd.service", UNIT);
        assert_eq!(state(&host, "etcd.service"), "disabled");
        host.link(
            "/lib/systemd/system/etcd.service",
            "/etc/systemd/system/other.target.wants/etcd.service",
        );
        assert_eq!(state(&host, "etcd.service"), "enabled");
        host.link("/dev/null", "/etc/systemd/system/etcd.service");
        assert_eq!(state(&host, "etcd.service"), "masked");
    }

    #[test]
    fn an_instance_is_found_by_its_template() {
        let overlay = Overlay::empty();
        let host = Fixture::new(&overlay);
        host.file(
            "/usr/lib/systemd/system/app@.service",
            "[Install]\nWantedBy=app-%i.target\n",
        );
        let found = host.on_host(|h| find(h, Scope::System, "app@one.service").unwrap());
        assert_eq!(found, Some("/usr/lib/systemd/system/app@.service".into()));
        assert_eq!(state(&host, "app@one.service"), "disabled");
        host.link(
            "x",
            "/etc/systemd/system/app-one.target.wants/app@one.service",
        );
        assert_eq!(state(&host, "app@one.service"), "enabled");
    }

    #[test]
    fn a_unit_without_install_is_static() {
        let overlay = Overlay::empty();
        let host = Fixture::new(&overlay);
        host.file(
            "/lib/systemd/system/a.service",
            "[Service]\nWantedBy=no.target\n",
        );
        host.file(
            "/lib/systemd/system/b.service",
            "[Install]\nAlso=a.socket\n",
        );
        assert_eq!(
            (state(&host, "a.service"), state(&host, "b.service")),
            ("static", "indirect")
        );
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let overlay = Overlay::empty();
        let host = Fixture::new(&overlay);
        host.file("/lib/systemd/system/nginx.service", "");
        let near = |name: &str| host.on_host(|h| nearest(h, Scope::System, name));
        assert_eq!(near("ngnix.service"), Some("nginx.service".into()));
        assert_eq!(near("postgresql.service"), None);
        assert_eq!(near("cron.service"), None);
    }
}
