//! What a task names: a package with its versions, or what only pip understands.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use rplay_api::State;

/// One entry of `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Requirement {
    /// A package.
    Named {
        text: String,
        name: String,
        specifier: Option<String>,
    },
    /// An address, a path, or a package under a condition.
    Other(String),
}

/// A package's name as all of its spellings have it in common.
pub(super) fn normal(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            letter => out.extend(letter.to_lowercase()),
        }
    }
    out
}

/// The entries as they were meant: text is split at commas, but `a>=1,<2` and `a[b,c]` are one.
pub(super) fn joined<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut joined: Vec<String> = vec![];
    for part in names {
        let part = part.trim();
        let goes_on = part.starts_with(['<', '>', '=', '!', '~'])
            || joined.last().is_some_and(|last| last.matches('[').count() > last.matches(']').count());
        match joined.last_mut() {
            Some(last) if goes_on => {
                last.push(',');
                last.push_str(part);
            }
            _ if part.is_empty() => {}
            _ => joined.push(part.to_owned()),
        }
    }
    joined
}

impl Requirement {
    pub(super) fn parse(text: &str) -> Self {
        let other = || Self::Other(text.to_owned());
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(extras) => match extras.split_once(']') {
                Some((_, rest)) => rest,
                None => return other(),
            },
            None => rest,
        };
        let specifier = rest.trim();
        let is_path = name.is_empty() || name.starts_with('.') || name.starts_with('-');
        let is_file = [".whl", ".zip", ".tar.gz"].iter().any(|end| name.ends_with(end));
        let is_specifier = specifier.is_empty() || VersionSpecifiers::from_str(specifier).is_ok();
        if is_path || is_file || !is_specifier {
            return other();
        }
        Self::Named {
            text: text.to_owned(),
            name: normal(name),
            specifier: Some(specifier.to_owned()).filter(|s| !s.is_empty()),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Named { text, .. } | Self::Other(text) => text,
        }
    }

    /// Whether it is the package of that (normal) name.
    pub(super) fn is(&self, package: &str) -> bool {
        matches!(self, Self::Named { name, .. } if name == package)
    }

    /// Whether what is installed is what is wanted.
    pub(super) fn is_satisfied_by(&self, installed: &State) -> bool {
        let Self::Named { name, specifier, .. } = self else {
            return false;
        };
        match (installed.get(name), specifier) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(version), Some(specifier)) => {
                let specifier = VersionSpecifiers::from_str(specifier);
                let version = Version::from_str(version);
                matches!((specifier, version), (Ok(s), Ok(v)) if s.contains(&v))
            }
        }
    }

    /// The package and version that it comes to, as far as that is known.
    pub(super) fn expected(&self) -> (String, String) {
        match self {
            Self::Named { name, specifier, .. } => {
                let version = match specifier.as_deref() {
                    Some(s) if s.starts_with("==") && !s.contains([',', '*']) => {
                        s.trim_start_matches('=').trim().to_owned()
                    }
                    Some(range) => range.to_owned(),
                    None => "newest".to_owned(),
                };
                (name.clone(), version)
            }
            Self::Other(text) => (text.clone(), "installed".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_satisfied_by_its_versions() {
        let installed = State::from([("a-b".to_owned(), "1.15.0".to_owned())]);
        let ok = |text: &str| Requirement::parse(text).is_satisfied_by(&installed);
        for text in ["A_b", "a.b==1.15", "a-b>=1.10,<1.16", "a-b[x,y]~=1.15.0", "a-b != 2"] {
            assert!(ok(text), "{text}");
        }
        for text in ["a-b==1.16", "a-b<1.15", "c", "git+https://x/a-b", "./a-b", "a-b.whl", "a-b; python_version > '3'"] {
            assert!(!ok(text), "{text}");
        }
    }

    #[test]
    fn parts_of_one_requirement_are_put_together_again() {
        let names = ["a>=1", "<2", "b[x", "y]==1", "c"].map(str::to_owned);
        assert_eq!(joined(&names), ["a>=1,<2", "b[x,y]==1", "c"]);
    }
}
