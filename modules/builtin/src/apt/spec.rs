//! What a name in a task asks for: `foo`, `foo=1.2*`, `foo>=1.0`, `foo/backports`, `lib*`.

use glob::Pattern;
use rplay_api::{Command, Failure, Host, Result};

use crate::apt_get::asking;
use crate::dpkg::Dpkg;

/// A package that a task names.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its name, perhaps with an architecture.
    pub name: String,
    /// Which version.
    pub pin: Pin,
}

/// Which version a task wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Pin {
    /// apt's own choice.
    Any,
    /// This one; `*`, `?` and `[...]` stand for more.
    Like(Pattern),
    /// This one or a later one.
    AtLeast(String),
    /// That of a release.
    Release(String),
}

impl Spec {
    /// Reads a name as a task writes it.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |why: &str| Failure::new(format!("`{text}` names no package: {why}")).arg("name");
        let (name, pin) = if let Some((name, version)) = text.split_once(">=") {
            (name, Pin::AtLeast(version.trim().to_owned()))
        } else if let Some((name, version)) = text.split_once('=') {
            let pattern = Pattern::new(version.trim()).map_err(|e| wrong(e.msg))?;
            (name, Pin::Like(pattern))
        } else if let Some((name, release)) = text.split_once('/') {
            (name, Pin::Release(release.to_owned()))
        } else {
            (text, Pin::Any)
        };
        let name = name.trim();
        if name.starts_with('-') || name.is_empty() || name.contains(char::is_whitespace) {
            let failure = wrong("a name is letters, digits, `+`, `-` and `.`");
            return Err(failure.help("give several packages as a list"));
        }
        Ok(Self { name: name.to_owned(), pin })
    }

    /// Whether the name stands for several.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '['])
    }

    /// Whether an installed version is what is asked for.
    pub fn accepts(&self, version: &str, host: &Host) -> Result<bool> {
        match &self.pin {
            Pin::Any => Ok(true),
            Pin::Like(pattern) => Ok(pattern.matches(version)),
            Pin::AtLeast(least) => is_at_least(version, least, host),
            Pin::Release(_) => Ok(false),
        }
    }

    /// The word for apt-get that asks for it.
    pub fn word(&self, host: &Host) -> Result<String> {
        let name = &self.name;
        match &self.pin {
            Pin::Any => Ok(name.clone()),
            Pin::Release(release) => Ok(format!("{name}/{release}")),
            Pin::Like(_) | Pin::AtLeast(_) => Ok(format!("{name}={}", self.best(host)?)),
        }
    }

    /// The version to install: apt's candidate where it fits, or else the latest that does.
    fn best(&self, host: &Host) -> Result<String> {
        let policy = host.run(&asking(["apt-cache", "policy", &self.name]))?;
        let policy = policy.stdout();
        let candidate = policy.lines().find_map(|l| l.trim().strip_prefix("Candidate: "));
        let offered = host.run(&asking(["apt-cache", "madison", &self.name]))?;
        let offered = offered.stdout();
        let versions = || {
            let lines = offered.lines();
            candidate
                .into_iter()
                .chain(lines.filter_map(|l| l.split('|').nth(1)).map(str::trim))
        };
        for version in versions() {
            if self.accepts(version, host)? {
                return Ok(version.to_owned());
            }
        }
        Err(self.not_offered(versions()))
    }

    fn not_offered<'v>(&self, versions: impl Iterator<Item = &'v str>) -> Failure {
        let wanted = match &self.pin {
            Pin::Like(pattern) => format!("{}={pattern}", self.name),
            Pin::AtLeast(least) => format!("{}>={least}", self.name),
            Pin::Any | Pin::Release(_) => self.name.clone(),
        };
        let mut there: Vec<String> = versions.filter(|v| *v != "(none)").map(|v| format!("`{v}`")).collect();
        there.dedup();
        let failure = Failure::new(format!("no package matches `{wanted}`")).arg("name");
        if there.is_empty() {
            return failure.help("no source has it: set `update_cache: true`, or add the source that does");
        }
        failure.help(format!("there is {}", there.join(", ")))
    }
}

fn is_at_least(version: &str, least: &str, host: &Host) -> Result<bool> {
    let command = Command::reads(["dpkg", "--compare-versions", version, "ge", least]);
    Ok(host.run(&command)?.rc == 0)
}

/// The packages that a task names, patterns replaced by what they match: of `installed` packages
/// only, or of all that apt knows.
pub fn expand(names: &[String], installed: Option<&Dpkg>, host: &Host) -> Result<Vec<Spec>> {
    let mut specs = vec![];
    for text in names.iter().filter(|n| !n.trim().is_empty()) {
        let spec = Spec::parse(text)?;
        if !spec.is_pattern() {
            specs.push(spec);
            continue;
        }
        let pattern = Pattern::new(&spec.name)
            .map_err(|e| Failure::new(format!("`{text}`: {}", e.msg)).arg("name"))?;
        let mut known = match installed {
            Some(dpkg) => dpkg.iter().map(|(name, _)| name.to_owned()).collect(),
            None => known_names(host)?,
        };
        known.retain(|name| pattern.matches(name));
        known.sort_unstable();
        if known.is_empty() && installed.is_none() {
            return Err(spec.not_offered(std::iter::empty()));
        }
        specs.extend(known.into_iter().map(|name| Spec { name, pin: spec.pin.clone() }));
    }
    Ok(specs)
}

fn known_names(host: &Host) -> Result<Vec<String>> {
    let command = asking(["apt-cache", "pkgnames"]);
    let names = host.run(&command)?.success(&command)?.stdout();
    Ok(names.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_carry_a_version_or_a_release() {
        let spec = |text: &str| Spec::parse(text).unwrap();
        assert_eq!(spec("foo").pin, Pin::Any);
        assert_eq!(spec("foo=1.2*").pin, Pin::Like(Pattern::new("1.2*").unwrap()));
        assert_eq!(spec("foo >= 1.0"), Spec { name: "foo".into(), pin: Pin::AtLeast("1.0".into()) });
        assert_eq!(spec("foo/backports").pin, Pin::Release("backports".into()));
        assert!(spec("lib*-dev").is_pattern());
    }

    #[test]
    fn what_is_an_option_or_two_names_is_refused() {
        let got = Spec::parse("foo bar").unwrap_err();
        assert_eq!(got.help, ["give several packages as a list"]);
        assert!(Spec::parse("--force").is_err());
        assert!(Spec::parse("=1").is_err());
    }
}
