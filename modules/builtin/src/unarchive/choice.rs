//! Which members are unpacked, and under which names: include, exclude, extra_opts.

use glob::{MatchOptions, Pattern};
use rplay_api::{Failure, Result};

use super::transform::Transform;

/// What the arguments say of members.
#[derive(Default)]
pub(super) struct Choice {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    strip: usize,
    transforms: Vec<Transform>,
    /// `--keep-newer-files`.
    pub keep_newer: bool,
    /// `--keep-old-files`, `--skip-old-files`.
    pub keep_old: bool,
    /// `--same-owner` and its opposite.
    pub same_owner: Option<bool>,
    /// `--same-permissions` and its opposite.
    pub same_mode: Option<bool>,
}

const OPTIONS: &str = "--strip-components=N, --transform=EXPRESSION, --exclude=PATTERN, \
    --keep-newer-files, --keep-old-files, --skip-old-files, --same-owner, --no-same-owner, \
    --same-permissions, --no-same-permissions, --overwrite, --wildcards";

impl Choice {
    pub(super) fn new(include: &[String], exclude: &[String], options: &[String]) -> Result<Self> {
        if !include.is_empty() && !exclude.is_empty() {
            return Err(Failure::new("`include` and `exclude`: parameters are mutually exclusive")
                .arg("exclude")
                .help("leave one of them out"));
        }
        let mut choice = Self {
            include: patterns(include, "include")?,
            exclude: patterns(exclude, "exclude")?,
            ..Self::default()
        };
        let mut words = options.iter().flat_map(|o| split(o)).peekable();
        while let Some(word) = words.next() {
            choice.option(&word, &mut words)?;
        }
        Ok(choice)
    }

    fn option(&mut self, word: &str, rest: &mut impl Iterator<Item = String>) -> Result<()> {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || {
            let missing = || option_failure(format!("the option `{name}` needs a value"));
            value.clone().or_else(|| rest.next()).ok_or_else(missing)
        };
        match name {
            "--strip-components" | "--strip" => {
                let count = value()?;
                self.strip = count.parse().map_err(|_| {
                    option_failure(format!("`{count}` is no number for --strip-components"))
                })?;
            }
            "--transform" | "--xform" => self.transforms.push(Transform::parse(&value()?)?),
            "--exclude" => self.exclude.extend(patterns(&[value()?], "extra_opts")?),
            "--keep-newer-files" => self.keep_newer = true,
            "--keep-old-files" | "--skip-old-files" | "-k" | "-n" => self.keep_old = true,
            "--same-owner" => self.same_owner = Some(true),
            "--no-same-owner" | "-o" => self.same_owner = Some(false),
            "--same-permissions" | "--preserve-permissions" | "-p" => self.same_mode = Some(true),
            "--no-same-permissions" => self.same_mode = Some(false),
            "--overwrite" | "--wildcards" | "--no-overwrite-dir" => {}
            other => {
                return Err(option_failure(format!(
                    "the option `{other}` is not known here"
                )));
            }
        }
        Ok(())
    }

    /// Whether a member is to be unpacked.
    pub(super) fn takes(&self, path: &str) -> bool {
        let path = plain(path);
        let included = self.include.is_empty()
            || self
                .include
                .iter()
                .any(|p| with_folders(&path).any(|at| is_match(p, at)));
        included && !self.excludes(&path)
    }

    /// A pattern matches from the start or from any folder on, and what is below it too.
    fn excludes(&self, path: &str) -> bool {
        let starts = path.match_indices('/').map(|(i, _)| i + 1);
        let tails: Vec<&str> = std::iter::once(0)
            .chain(starts)
            .map(|i| &path[i..])
            .collect();
        let hits =
            |pattern: &Pattern, tail: &&str| with_folders(tail).any(|at| is_match(pattern, at));
        self.exclude
            .iter()
            .any(|p| tails.iter().any(|tail| hits(p, tail)))
    }

    /// The patterns of `include` that none of `paths` matches.
    pub(super) fn missing<'c>(&'c self, paths: &[String]) -> Vec<&'c str> {
        let is_there = |pattern: &&Pattern| {
            paths
                .iter()
                .any(|p| with_folders(&plain(p)).any(|at| is_match(pattern, at)))
        };
        let absent = self.include.iter().filter(|p| !is_there(p));
        absent.map(Pattern::as_str).collect()
    }

    /// A path of the archive as it is to be below the destination; `None` where nothing is left.
    pub(super) fn rename(&self, path: &str) -> Result<Option<String>> {
        let mut path = path.to_owned();
        for transform in &self.transforms {
            path = transform.apply(&path)?;
        }
        Ok(self.stripped(&path).map(str::to_owned))
    }

    fn stripped<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.strip == 0 {
            return Some(path);
        }
        // `./a` has one part, as for tar.
        let mut rest = path.strip_prefix("./").unwrap_or(path);
        for _ in 0..self.strip {
            rest = rest.split_once('/')?.1.trim_start_matches('/');
        }
        (!rest.is_empty()).then_some(rest)
    }
}

/// `--a=1 --b` as words; one with a blank in its value is written as an item of its own.
fn split(option: &str) -> Vec<String> {
    shlex::split(option).unwrap_or_else(|| vec![option.to_owned()])
}

fn option_failure(why: String) -> Failure {
    Failure::new(why)
        .arg("extra_opts")
        .help(format!("these are known: {OPTIONS}"))
}

fn patterns(texts: &[String], arg: &str) -> Result<Vec<Pattern>> {
    let pattern = |text: &String| {
        Pattern::new(&plain(text)).map_err(|e| {
            Failure::new(format!("`{text}` is no pattern: {e}"))
                .arg(arg)
                .help("put a literal `[` in brackets: `[[]`")
        })
    };
    texts.iter().map(pattern).collect()
}

fn plain(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.trim_end_matches('/').to_owned()
}

/// A path, and the folders that it is in.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(i, _)| &path[..i]);
    std::iter::once(path).chain(folders)
}

fn is_match(pattern: &Pattern, path: &str) -> bool {
    pattern.matches_with(path, MatchOptions::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(include: &[&str], exclude: &[&str], options: &[&str]) -> Choice {
        let own = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        Choice::new(&own(include), &own(exclude), &own(options)).unwrap()
    }

    fn stripped(choice: &Choice, path: &str) -> Option<String> {
        choice.rename(path).unwrap()
    }

    #[test]
    fn parts_are_stripped_from_the_front() {
        let choice = choice(&[], &[], &["--strip-components=1"]);
        assert_eq!(stripped(&choice, "app-1/bin/x").as_deref(), Some("bin/x"));
        assert_eq!(stripped(&choice, "./app-1/x").as_deref(), Some("x"));
        assert_eq!(stripped(&choice, "app-1/"), None);
        assert_eq!(stripped(&choice, "app-1"), None);
    }

    #[test]
    fn a_value_may_be_a_word_of_its_own() {
        let strip = choice(&[], &[], &["--strip-components", "2"]);
        assert_eq!(stripped(&strip, "a/b/c").as_deref(), Some("c"));
        let strip = choice(&[], &[], &["--strip-components 2"]);
        assert_eq!(stripped(&strip, "a/b/c").as_deref(), Some("c"));
    }

    #[test]
    fn a_folder_stands_for_what_is_in_it() {
        let only = choice(&["app/bin", "*.md"], &[], &[]);
        assert!(only.takes("./app/bin/x") && only.takes("app/bin/") && only.takes("a/README.md"));
        assert!(!only.takes("app/lib/x"));
        let not = choice(&[], &["bin", "*.md"], &[]);
        assert!(!not.takes("app/bin/x") && !not.takes("app/README.md") && not.takes("app/x"));
    }

    #[test]
    fn an_unknown_option_is_named_with_those_that_are_known() {
        let error = Choice::new(&[], &[], &["--frob".to_owned()]).err().unwrap();
        assert_eq!(error.msg, "the option `--frob` is not known here");
        assert!(error.help[0].contains("--strip-components=N"));
    }
}
