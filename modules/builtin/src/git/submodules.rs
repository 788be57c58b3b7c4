//! The submodules of a checkout.

use std::path::Path;

use rplay_api::Result;

use super::GitArgs;
use super::program::Git;

/// The submodules of one checkout.
pub(super) struct Submodules<'a> {
    pub args: &'a GitArgs,
    pub git: &'a Git<'a>,
    pub dest: &'a Path,
}

/// Whether submodules are at other commits than the checkout names, or not there at all.
pub(super) fn are_stale(args: &GitArgs, git: &Git, dest: &Path) -> Result<bool> {
    if args.bare || !args.recursive || args.track_submodules || !has_some(git, dest)? {
        return Ok(false);
    }
    let listed = git.knows(dest, ["submodule", "status", "--recursive"])?;
    Ok(listed.is_some_and(|text| text.lines().any(|line| line.starts_with(['+', '-']))))
}

/// Whether the checkout has submodules; one that is only planned has what it needs.
fn has_some(git: &Git, dest: &Path) -> Result<bool> {
    Ok(git.knows(dest, ["cat-file", "-e", "HEAD:.gitmodules"])?.is_some())
}

impl Submodules<'_> {
    /// Checks them out; says whether any of them moved.
    pub(super) fn update(&self) -> Result<bool> {
        let dest = Some(self.dest);
        if !self.args.recursive || !has_some(self.git, self.dest)? {
            return Ok(false);
        }
        let before = self.commits()?;
        self.git.does(dest, ["submodule", "--quiet", "sync", "--recursive"])?;
        let mut words = vec!["submodule", "--quiet", "update", "--init", "--recursive", "--force"];
        if self.args.track_submodules {
            words.push("--remote");
        }
        self.git.does(dest, words)?;
        Ok(self.commits()? != before)
    }

    /// The commits that they are at.
    fn commits(&self) -> Result<Vec<String>> {
        let output = self.git.tries(Some(self.dest), ["submodule", "status", "--recursive"])?;
        let text = output.stdout();
        let lines = text.lines().filter(|line| !line.starts_with('-'));
        Ok(lines
            .filter_map(|line| Some(line.get(1..)?.split(" (").next()?.to_owned()))
            .collect())
    }
}
