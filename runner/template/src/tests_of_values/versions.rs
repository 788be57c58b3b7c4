//! Versions compared: loosely, strictly, by semver, by PEP 440.

use std::cmp::Ordering;

use minijinja::{Error, State};

use crate::call::{Args, Callable, Out, strict};
use crate::python::wrong;

pub(super) const TESTS: &[Callable] = &[strict(
    &["version", "version_compare"],
    &["value", "version", "operator", "strict", "version_type"],
    version,
)];

fn version(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (a, b) = (args.text(0)?, args.text(1)?);
    if a.is_empty() {
        return Err(wrong("the input version value cannot be empty"));
    }
    if b.is_empty() {
        return Err(wrong("the version to compare against cannot be empty"));
    }
    let kind = args.opt_text(4)?;
    if kind.is_some() && args.some(3).is_some() {
        return Err(wrong(
            "`version` takes `strict` or `version_type`, and not both",
        ));
    }
    let strict = if args.flag(3, false) {
        "strict"
    } else {
        "loose"
    };
    let order = match kind.as_deref().unwrap_or(strict) {
        "loose" => loose(&a, &b)?,
        "strict" => strictly(&a)?.cmp(&strictly(&b)?),
        "semver" | "semantic" => semver(&a, &b)?,
        "pep440" => Pep440::parse(&a)?.key().cmp(&Pep440::parse(&b)?.key()),
        other => {
            let words = format!("there is no type `{other}` of versions");
            return Err(wrong(format!(
                "{words}: use loose, strict, semver or pep440"
            )));
        }
    };
    let operator = args.opt_text(2)?.unwrap_or_else(|| "eq".into());
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => {
            let words = format!("`{other}` compares no versions");
            return Err(wrong(format!("{words}: use ==, !=, <, <=, > or >=")));
        }
    }
    .into())
}

/// A part of a loose version.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(u64),
    Word(String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts: Vec<String> = vec![];
    let mut last = None;
    for c in version.chars() {
        let kind = if c.is_ascii_digit() {
            0
        } else if c.is_ascii_lowercase() {
            1
        } else {
            2
        };
        if c == '.' {
            last = None;
            continue;
        }
        match parts.last_mut() {
            Some(part) if last == Some(kind) => part.push(c),
            _ => parts.push(c.to_string()),
        }
        last = Some(kind);
    }
    parts
        .into_iter()
        .map(|p| p.parse().map_or(Part::Word(p), Part::Number))
        .collect()
}

/// Numbers and words in turn; a number against a word is no version of one kind.
fn loose(a: &str, b: &str) -> Result<Ordering, Error> {
    let (x, y) = (parts(a), parts(b));
    for pair in x.iter().zip(&y) {
        let order = match pair {
            (Part::Number(x), Part::Number(y)) => x.cmp(y),
            (Part::Word(x), Part::Word(y)) => x.cmp(y),
            _ => {
                let words =
                    format!("`{a}` and `{b}` cannot be compared: a number stands against a word");
                return Err(wrong(format!(
                    "{words}; try version_type='pep440' or 'semver'"
                )));
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(x.len().cmp(&y.len()))
}

/// Three numbers, whether it is a release, and which pre-release it is otherwise.
type Strict = ([u64; 3], bool, Option<(char, u64)>);

/// `1.2`, `1.2.3`, `1.2a1`: three numbers, and a pre-release that comes before none.
fn strictly(version: &str) -> Result<Strict, Error> {
    let bad = || {
        wrong(format!(
            "`{version}` is no strict version: it is like `1.2.3` or `1.2b1`"
        ))
    };
    let (numbers, pre) = match version.find(['a', 'b']) {
        Some(at) => {
            let letter = version[at..].chars().next().ok_or_else(bad)?;
            let number = version[at + 1..].parse().map_err(|_| bad())?;
            (&version[..at], Some((letter, number)))
        }
        None => (version, None),
    };
    let parsed: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
    let parsed = parsed.map_err(|_| bad())?;
    if !(2..=3).contains(&parsed.len()) {
        return Err(bad());
    }
    let third = parsed.get(2).copied().unwrap_or(0);
    Ok(([parsed[0], parsed[1], third], pre.is_none(), pre))
}

fn semver(a: &str, b: &str) -> Result<Ordering, Error> {
    type Semver<'a> = ([u64; 3], Vec<&'a str>);
    fn parse(version: &str) -> Result<Semver<'_>, Error> {
        let bad = || {
            wrong(format!(
                "`{version}` is no semantic version: it is like `1.2.3` or `1.2.3-rc.1`"
            ))
        };
        let (rest, _) = version.split_once('+').unwrap_or((version, ""));
        let (core, pre) = rest
            .split_once('-')
            .map_or((rest, None), |(c, p)| (c, Some(p)));
        let numbers: Result<Vec<u64>, _> = core.split('.').map(str::parse).collect();
        let numbers: [u64; 3] = numbers.map_err(|_| bad())?.try_into().map_err(|_| bad())?;
        Ok((numbers, pre.map_or(vec![], |p| p.split('.').collect())))
    }
    let ((x, xpre), (y, ypre)) = (parse(a)?, parse(b)?);
    let pre = match (xpre.is_empty(), ypre.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let one = |(a, b): (&&str, &&str)| match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            };
            let mut orders = xpre.iter().zip(&ypre).map(one);
            orders
                .find(|o| *o != Ordering::Equal)
                .unwrap_or_else(|| xpre.len().cmp(&ypre.len()))
        }
    };
    Ok(x.cmp(&y).then(pre))
}

/// A version of Python's packages: `1!2.0rc1.post2.dev3`.
#[derive(Debug, Default)]
struct Pep440 {
    epoch: u64,
    release: Vec<u64>,
    pre: Option<(char, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<(u64, String)>,
}

impl Pep440 {
    fn parse(version: &str) -> Result<Self, Error> {
        let bad = || wrong(format!("`{version}` is no version of PEP 440"));
        let pattern = r"(?i)^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$";
        let regex = crate::filters::regex::pattern_of(pattern, false, false)?;
        let found = regex
            .captures(version)
            .map_err(|_| bad())?
            .ok_or_else(bad)?;
        let text = |i: usize| found.get(i).map(|m| m.as_str());
        let number = |i: usize| text(i).map_or(0, |t| t.parse().unwrap_or(0));
        let mut release: Vec<u64> = text(2)
            .unwrap_or("")
            .split('.')
            .map(|n| n.parse().unwrap_or(0))
            .collect();
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        let letter = |word: &str| match word.to_lowercase().as_str() {
            "a" | "alpha" => 'a',
            "b" | "beta" => 'b',
            _ => 'r',
        };
        let local = text(10).map_or(vec![], |local| {
            let part = |p: &str| {
                p.parse()
                    .map_or((0, p.to_lowercase()), |n: u64| (n + 1, String::new()))
            };
            local.split(['.', '-', '_']).map(part).collect()
        });
        Ok(Self {
            epoch: number(1),
            release,
            pre: text(3).map(|word| (letter(word), number(4))),
            post: text(5).or(text(6)).map(|_| number(5).max(number(7))),
            dev: text(8).map(|_| number(9)),
            local,
        })
    }

    /// What versions are ordered by: a development release comes before a pre-release, that before
    /// the release, that before what came after it.
    fn key(self) -> impl Ord {
        let pre = match (self.pre, self.post, self.dev) {
            (None, None, Some(_)) => (0, 0, 0),
            (None, _, _) => (2, 0, 0),
            (Some((letter, number)), _, _) => (1, u32::from(letter), number),
        };
        let post = self.post.map_or(0, |n| n + 1);
        let dev = self.dev.map_or(u64::MAX, |n| n);
        (self.epoch, self.release, pre, post, dev, self.local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert_eq!(loose("3.5.10", "3.5.9").unwrap(), Ordering::Greater);
        assert_eq!(loose("3.5", "3.5.1").unwrap(), Ordering::Less);
        assert_eq!(loose("1.0rc1", "1.0rc2").unwrap(), Ordering::Less);
        assert!(loose("1.a", "1.2").is_err());
    }

    #[test]
    fn a_pre_release_comes_before_its_release() {
        assert_eq!(semver("1.0.0-rc.1", "1.0.0").unwrap(), Ordering::Less);
        assert_eq!(semver("1.0.0-rc.2", "1.0.0-rc.10").unwrap(), Ordering::Less);
        let pep = |a: &str, b: &str| {
            Pep440::parse(a)
                .unwrap()
                .key()
                .cmp(&Pep440::parse(b).unwrap().key())
        };
        assert_eq!(pep("1.0rc1", "1.0"), Ordering::Less);
        assert_eq!(pep("1.0.dev1", "1.0a1"), Ordering::Less);
        assert_eq!(pep("1.0.post1", "1.0"), Ordering::Greater);
        assert_eq!(pep("1.0", "1.0.0"), Ordering::Equal);
    }
}
