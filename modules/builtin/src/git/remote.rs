//! What a remote repository has: its branches, tags and their commits.

use rplay_api::{Failure, Result};

use super::GitArgs;
use super::program::Git;

/// The names of a remote that a task may mean.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Remote {
    /// The branch that its HEAD is on.
    head_branch: Option<String>,
    /// Names with their commits.
    refs: Vec<(String, String)>,
}

/// What a task's `version` comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What it is.
    pub kind: Kind,
    /// Its commit, where the remote says it or the version is one.
    pub commit: Option<String>,
}

/// What a version is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A branch of the remote.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, or what only the checkout itself can tell.
    Revision(String),
}

impl Kind {
    /// The word that git knows it by.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Branch(word) | Self::Tag(word) | Self::Revision(word) => word,
        }
    }
}

impl Remote {
    /// Asks the remote.
    pub(super) fn ask(args: &GitArgs, git: &Git) -> Result<Self> {
        let version = &args.version;
        let mut words = vec!["ls-remote".to_owned(), "--symref".to_owned(), args.repo.clone()];
        words.push("HEAD".to_owned());
        words.extend(patterns(version));
        let failed = |failure: Failure| {
            if failure.unknown {
                return failure;
            }
            failure.arg("repo")
        };
        Ok(Self::parse(&git.asks(None, words).map_err(failed)?))
    }

    fn parse(text: &str) -> Self {
        let mut remote = Self::default();
        for line in text.lines() {
            let Some((left, name)) = line.split_once('\t') else {
                continue;
            };
            match left.strip_prefix("ref: ") {
                Some(branch) if name == "HEAD" => {
                    remote.head_branch = branch.strip_prefix("refs/heads/").map(str::to_owned);
                }
                Some(_) => {}
                None => remote.refs.push((name.to_owned(), left.to_owned())),
            }
        }
        remote
    }

    fn commit(&self, name: &str) -> Option<String> {
        let found = self.refs.iter().find(|(n, _)| n == name);
        found.map(|(_, commit)| commit.clone())
    }

    /// What the task's version comes to.
    pub(super) fn wanted(&self, args: &GitArgs) -> Result<Wanted> {
        let version = args.version.as_str();
        if version == "HEAD" {
            let commit = self.commit("HEAD");
            if commit.is_none() {
                return Err(Failure::new(format!("`{}` has no commit yet", args.repo)).arg("repo"));
            }
            let kind = match &self.head_branch {
                Some(branch) => Kind::Branch(branch.clone()),
                None => Kind::Revision(commit.clone().unwrap_or_default()),
            };
            return Ok(Wanted { kind, commit });
        }
        if let Some(commit) = self.commit(&format!("refs/heads/{version}")) {
            let kind = Kind::Branch(version.to_owned());
            return Ok(Wanted { kind, commit: Some(commit) });
        }
        // Behind `^{}` is the commit of a tag that is an object of its own.
        let tag = format!("refs/tags/{version}");
        if let Some(commit) = self.commit(&format!("{tag}^{{}}")).or_else(|| self.commit(&tag)) {
            let kind = Kind::Tag(version.to_owned());
            return Ok(Wanted { kind, commit: Some(commit) });
        }
        let revision = |commit| Wanted { kind: Kind::Revision(version.to_owned()), commit };
        if let Some(commit) = self.commit(version) {
            return Ok(revision(Some(commit)));
        }
        if is_whole_commit(version) {
            return Ok(revision(Some(version.to_lowercase())));
        }
        let may_be_known_to_git = is_commit(version)
            || version.contains(['~', '^', '@', ':'])
            || version.starts_with(&format!("{}/", args.remote))
            || args.refspec.is_some();
        if may_be_known_to_git {
            return Ok(revision(None));
        }
        let failure = Failure::new(format!(
            "`{version}` is no branch, tag or commit of `{}`",
            args.repo
        ));
        Err(failure
            .arg("version")
            .help(format!("`git ls-remote {}` lists what there is", args.repo)))
    }
}

/// The names that may be meant by a version, for ls-remote.
fn patterns(version: &str) -> Vec<String> {
    match version {
        "HEAD" => vec![],
        full if full.starts_with("refs/") => vec![full.to_owned()],
        short => vec![
            format!("refs/heads/{short}"),
            format!("refs/tags/{short}"),
            format!("refs/tags/{short}^{{}}"),
        ],
    }
}

fn is_commit(word: &str) -> bool {
    (4..=64).contains(&word.len()) && word.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_whole_commit(word: &str) -> bool {
    is_commit(word) && matches!(word.len(), 40 | 64)
}

#[cfg(test)]
mod tests {
    use rplay_api::Args;
    use serde_json::json;

    use super::*;

    fn wanted(version: &str) -> Result<Wanted> {
        let answer = "ref: refs/heads/main\tHEAD\naa\tHEAD\nbb\trefs/heads/dev\n\
            cc\trefs/tags/v1\ndd\trefs/tags/v1^{}\nee\trefs/meta/x\n";
        let args = json!({"repo": "r", "version": version});
        let args = GitArgs::parse(args.as_object().unwrap()).unwrap();
        Remote::parse(answer).wanted(&args)
    }

    #[test]
    fn a_version_is_a_branch_a_tag_or_a_commit() {
        let is = |version: &str, kind: Kind, commit: Option<&str>| {
            let commit = commit.map(str::to_owned);
            assert_eq!(wanted(version).unwrap(), Wanted { kind, commit }, "{version}");
        };
        is("HEAD", Kind::Branch("main".into()), Some("aa"));
        is("dev", Kind::Branch("dev".into()), Some("bb"));
        is("v1", Kind::Tag("v1".into()), Some("dd"));
        is("refs/meta/x", Kind::Revision("refs/meta/x".into()), Some("ee"));
        is("abc123", Kind::Revision("abc123".into()), None);
        let whole = "0123456789".repeat(4);
        is(&whole, Kind::Revision(whole.clone()), Some(&whole));
        assert_eq!(wanted("none").unwrap_err().arg.as_deref(), Some("version"));
    }
}
