//! A repository on the target, and how it comes to the commit that is wanted.

use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Failure, FileArgs, Host, Outcome, Result, State, Target};
use serde_json::Value;

use super::program::{Git, no_repository};
use super::remote::{Kind, Remote, Wanted};
use super::submodules::{self, Submodules};
use super::{GitArgs, archive, verify};
use crate::path_info;

/// A repository that is there, or would be by now.
pub(super) struct Checkout<'a> {
    dest: &'a Path,
    target: Target,
    /// `revision`, `url`, `git_dir`, and `branch` or `modified` where they are.
    state: State,
}

/// What was done.
#[derive(Default)]
struct Done {
    after: Option<String>,
    submodules_changed: bool,
}

fn target(dest: &Path) -> Target {
    Target::Repository(dest.to_string_lossy().into_owned())
}

impl<'a> Checkout<'a> {
    /// The repository at `dest`; `None` where nothing is, or an empty folder.
    pub(super) fn find(args: &GitArgs, git: &Git, host: &Host, dest: &'a Path) -> Result<Option<Self>> {
        let target = target(dest);
        let state = host.state(&target, || probe(args, git, host, dest))?;
        Ok(state.map(|state| Self { dest, target, state }))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.state.get(key).map(String::as_str)
    }

    /// It stays as it is: update: false.
    pub(super) fn keep(&self, args: &GitArgs, git: &Git, host: &Host) -> Result<Outcome> {
        archive::make(args, git, host, self.dest, "HEAD")?;
        Ok(Outcome::new()
            .with("before", self.get("revision"))
            .with("after", self.get("revision")))
    }

    /// Makes it, where nothing is.
    pub(super) fn clone(args: &GitArgs, git: &Git, host: &Host, dest: &'a Path) -> Result<Outcome> {
        let wanted = Remote::ask(args, git)?.wanted(args)?;
        let made = make_folder(args, host, dest)?;
        let git_dir = git_dir_of_new(args, dest);
        let new = Self { dest, target: target(dest), state: State::new() };
        let after = state(&wanted, &args.repo, &git_dir);
        let mut done = None;
        let result = host.ensure(new.target.clone(), None, Some(after), || {
            clone(args, git, dest, &wanted)?;
            done = Some(new.settle(args, git, &wanted)?);
            Ok(())
        });
        if let Err(failure) = result {
            // What git left of a clone that failed would be in the way of the next one.
            if made {
                host.remove(dest)?;
            }
            return Err(failure);
        }
        archive::make(args, git, host, dest, "HEAD")?;
        let outcome = Outcome::new().with("before", Value::Null);
        Ok(told(outcome, &wanted, done))
    }

    /// Brings it to what is wanted.
    pub(super) fn update(&self, args: &GitArgs, git: &Git, host: &Host) -> Result<Outcome> {
        if self.get("modified").is_some() && !args.force {
            return Err(self.modified());
        }
        let wanted = Remote::ask(args, git)?.wanted(args)?;
        let wanted = self.resolved(wanted, git)?;
        let now = self.get("git_dir").unwrap_or_default().to_owned();
        let git_dir = match &args.separate_git_dir {
            Some(path) => path.to_string_lossy().into_owned(),
            None => now.clone(),
        };
        let mut after = state(&wanted, &args.repo, &git_dir);
        let mut before = self.state.clone();
        let same_url = self.get("url").is_some_and(|url| plain(url) == plain(&args.repo));
        if same_url {
            before.insert("url".to_owned(), args.repo.clone());
        }
        // Another branch at the same commit is no change that Ansible tells.
        let same_branch = before.remove("branch") == after.remove("branch");
        let stale = submodules::are_stale(args, git, self.dest)?;
        if stale {
            before.insert("submodules".to_owned(), "other commits".to_owned());
        }
        let mut done = None;
        let mut apply = || {
            self.relocate(args, git, &now)?;
            self.fetch(args, git, &wanted)?;
            done = Some(self.settle(args, git, &wanted)?);
            Ok(())
        };
        let target = self.target.clone();
        if before == after && (!same_branch || args.track_submodules) {
            host.refresh(&target, &mut apply)?;
            let mut now = after.clone();
            put_branch(&mut now, &wanted);
            host.remember(&target, Some(now))?;
        } else {
            host.ensure(target, Some(before), Some(after), apply)?;
        }
        archive::make(args, git, host, self.dest, "HEAD")?;
        let mut outcome = Outcome::new()
            .with("before", self.get("revision"))
            .with("remote_url_changed", !same_url);
        if self.get("modified").is_some() {
            let dest = self.dest.display();
            let msg = format!("Local modifications exist in the destination: {dest}");
            outcome = outcome.with("msg", msg);
        }
        if git_dir != now {
            outcome = outcome.with("git_dir_before", now).with("git_dir_now", git_dir);
        }
        if done.as_ref().is_some_and(|done| done.submodules_changed) {
            outcome = outcome.changed(true);
        }
        Ok(told(outcome, &wanted, done))
    }

    fn modified(&self) -> Failure {
        let dest = self.dest.display();
        Failure::new(format!("Local modifications exist in the destination: {dest} (force=no)."))
            .with("before", self.get("revision"))
            .help(format!("`git -C {dest} status` shows them; force: true throws them away"))
    }

    /// A version that the remote could not tell may be known here.
    fn resolved(&self, wanted: Wanted, git: &Git) -> Result<Wanted> {
        if wanted.commit.is_some() {
            return Ok(wanted);
        }
        let word = format!("{}^{{commit}}", wanted.kind.word());
        let commit = git.knows(self.dest, ["rev-parse", "--verify", "--quiet", &word])?;
        Ok(Wanted { commit, ..wanted })
    }

    fn relocate(&self, args: &GitArgs, git: &Git, now: &str) -> Result<()> {
        match &args.separate_git_dir {
            Some(path) if path.as_path() != Path::new(now) => {
                let option = format!("--separate-git-dir={}", path.display());
                git.does(Some(self.dest), ["init".to_owned(), "-q".to_owned(), option])
            }
            _ => Ok(()),
        }
    }

    fn fetch(&self, args: &GitArgs, git: &Git, wanted: &Wanted) -> Result<()> {
        let dest = Some(self.dest);
        match self.get("url") {
            Some(url) if url == args.repo => {}
            Some(_) => git.does(dest, ["remote", "set-url", &args.remote, &args.repo])?,
            None => git.does(dest, ["remote", "add", &args.remote, &args.repo])?,
        }
        if self.get("modified").is_some() {
            git.does(dest, ["reset", "-q", "--hard", "HEAD"])?;
        }
        git.does(dest, fetch_words(args, wanted, self.is_shallow(git)?))?;
        Ok(())
    }

    fn is_shallow(&self, git: &Git) -> Result<bool> {
        let answer = git.tries(Some(self.dest), ["rev-parse", "--is-shallow-repository"])?;
        Ok(answer.stdout().trim() == "true")
    }

    /// Checks out what has been fetched.
    fn settle(&self, args: &GitArgs, git: &Git, wanted: &Wanted) -> Result<Done> {
        let dest = Some(self.dest);
        verify::verify(args, git, self.dest, wanted)?;
        let word = wanted.kind.word();
        if args.bare {
            let after = git.asks(dest, ["rev-parse", &format!("{word}^{{commit}}")])?;
            return Ok(Done { after: Some(after), submodules_changed: false });
        }
        match &wanted.kind {
            Kind::Branch(branch) => {
                let from = format!("refs/remotes/{}/{branch}", args.remote);
                git.does(dest, ["checkout", "-q", "--force", "-B", branch, &from])?;
                let config = |key: &str| format!("branch.{branch}.{key}");
                let merge = format!("refs/heads/{branch}");
                git.does(dest, ["config", &config("remote"), &args.remote])?;
                git.does(dest, ["config", &config("merge"), &merge])?;
            }
            Kind::Tag(tag) => {
                let tag = format!("refs/tags/{tag}");
                git.does(dest, ["checkout", "-q", "--force", "--detach", &tag])?;
            }
            Kind::Revision(_) => {
                let word = wanted.commit.as_deref().unwrap_or(word);
                git.does(dest, ["checkout", "-q", "--force", "--detach", word])?;
            }
        }
        let submodules_changed = Submodules { args, git, dest: self.dest }.update()?;
        let after = git.asks(dest, ["rev-parse", "HEAD"])?;
        Ok(Done { after: Some(after), submodules_changed })
    }
}

/// A path as git takes it too, without the scheme.
fn plain(url: &str) -> &str {
    url.strip_prefix("file://").unwrap_or(url)
}

fn told(outcome: Outcome, wanted: &Wanted, done: Option<Done>) -> Outcome {
    let done = done.unwrap_or_default();
    let outcome = if done.submodules_changed {
        outcome.with("submodules_changed", true)
    } else {
        outcome
    };
    match done.after.or_else(|| wanted.commit.clone()) {
        Some(after) => outcome.with("after", after),
        None => outcome.unknown("after"),
    }
}

/// What is at `dest`: a repository, or nothing that is in the way of one.
fn probe(args: &GitArgs, git: &Git, host: &Host, dest: &Path) -> Result<Option<State>> {
    if !host.is_dir(dest)? {
        return match host.lstat(dest)? {
            Some(_) => Err(no_repository(dest)),
            None => Ok(None),
        };
    }
    let git_dir = if args.bare { dest.to_owned() } else { dest.join(".git") };
    let is_there = if args.bare { host.exists(&git_dir.join("HEAD"))? } else { host.exists(&git_dir)? };
    if !is_there {
        let is_empty = host.read_dir(dest)?.is_empty();
        return match is_empty || !args.clone {
            true => Ok(None),
            false => Err(no_repository(dest)),
        };
    }
    let mut state = State::new();
    let mut put = |key: &str, value: String| {
        if !value.is_empty() {
            state.insert(key.to_owned(), value);
        }
    };
    let ask = |words: &[&str]| -> Result<String> {
        Ok(git.knows(dest, words.iter().copied())?.unwrap_or_default())
    };
    // A folder of git that git itself does not take is no repository of ours to change.
    let own = git.asks(Some(dest), ["rev-parse", "--absolute-git-dir"])?;
    put("git_dir", own);
    put("url", ask(&["config", "--get", &format!("remote.{}.url", args.remote)])?);
    if args.bare {
        let word = format!("{}^{{commit}}", args.version);
        put("revision", ask(&["rev-parse", "--verify", "--quiet", &word])?);
        return Ok(Some(state));
    }
    put("revision", ask(&["rev-parse", "--verify", "--quiet", "HEAD"])?);
    put("branch", ask(&["symbolic-ref", "--short", "-q", "HEAD"])?);
    let status = git.asks(Some(dest), ["status", "--porcelain"])?;
    let touched = status.lines().filter(|line| !line.starts_with("??"));
    if touched.count() > 0 {
        put("modified", "yes".to_owned());
    }
    Ok(Some(state))
}

fn state(wanted: &Wanted, url: &str, git_dir: &str) -> State {
    let revision = wanted.commit.as_deref().unwrap_or(wanted.kind.word());
    let mut state = State::from([
        ("revision".to_owned(), revision.to_owned()),
        ("url".to_owned(), url.to_owned()),
        ("git_dir".to_owned(), git_dir.to_owned()),
    ]);
    put_branch(&mut state, wanted);
    state
}

fn put_branch(state: &mut State, wanted: &Wanted) {
    if let Kind::Branch(branch) = &wanted.kind {
        state.insert("branch".to_owned(), branch.clone());
    }
}

fn git_dir_of_new(args: &GitArgs, dest: &Path) -> String {
    let path: PathBuf = match &args.separate_git_dir {
        Some(path) => path.clone(),
        None if args.bare => dest.to_owned(),
        None => dest.join(".git"),
    };
    path.to_string_lossy().into_owned()
}

/// Makes the folder to clone into, so that a dry run knows it too; says whether it was not there.
fn make_folder(args: &GitArgs, host: &Host, dest: &Path) -> Result<bool> {
    if host.is_dir(dest)? {
        return Ok(false);
    }
    let parent = dest.parent().unwrap_or(Path::new("/"));
    host.make_dirs(parent, &FileArgs::default())?;
    let attrs = Attrs {
        mode: args.umask().map(|umask| 0o777 & !umask),
        ..Attrs::default()
    };
    host.make_dir(&path_info::follow(host, dest)?, &attrs)?;
    Ok(true)
}

fn clone(args: &GitArgs, git: &Git, dest: &Path, wanted: &Wanted) -> Result<()> {
    let mut words: Vec<String> = vec!["clone".into(), "-q".into(), "--origin".into(), args.remote.clone()];
    words.push(if args.bare { "--bare" } else { "--no-checkout" }.into());
    if let (Some(depth), Kind::Branch(_) | Kind::Tag(_)) = (args.depth(), &wanted.kind) {
        words.push(format!("--depth={depth}"));
    }
    if args.single_branch {
        words.push("--single-branch".into());
    }
    if let (Kind::Branch(name) | Kind::Tag(name), true) =
        (&wanted.kind, args.depth().is_some() || args.single_branch)
    {
        words.push(format!("--branch={name}"));
    }
    if let Some(reference) = &args.reference {
        words.push(format!("--reference={reference}"));
    }
    if let Some(path) = &args.separate_git_dir {
        words.push(format!("--separate-git-dir={}", path.display()));
    }
    words.extend([args.repo.clone(), dest.to_string_lossy().into_owned()]);
    git.does(None, words)?;
    if args.bare {
        // A bare clone has no refs of its own for a remote: it is fetched into its branches.
        let name = format!("remote.{}.url", args.remote);
        if git.tries(Some(dest), ["config", "--get", &name])?.rc != 0 {
            git.does(Some(dest), ["remote", "add", &args.remote, &args.repo])?;
        }
    }
    let unnamed = matches!(&wanted.kind, Kind::Revision(word) if word.starts_with("refs/"));
    if args.refspec.is_some() || unnamed {
        git.does(Some(dest), fetch_words(args, wanted, false))?;
    }
    Ok(())
}

/// The fetch that brings what is wanted.
fn fetch_words(args: &GitArgs, wanted: &Wanted, is_shallow: bool) -> Vec<String> {
    let mut words: Vec<String> = vec!["fetch".into(), "-q".into(), "--force".into()];
    let narrow = matches!(wanted.kind, Kind::Branch(_) | Kind::Tag(_))
        && (args.depth().is_some() || args.single_branch);
    match args.depth() {
        Some(depth) if narrow => words.push(format!("--depth={depth}")),
        None if is_shallow => words.push("--unshallow".into()),
        _ => {}
    }
    if !narrow {
        words.push("--tags".into());
    }
    words.push(args.remote.clone());
    let remote = &args.remote;
    match &wanted.kind {
        Kind::Branch(name) if narrow && args.bare => words.push(format!("+refs/heads/{name}:refs/heads/{name}")),
        Kind::Branch(name) if narrow => words.push(format!("+refs/heads/{name}:refs/remotes/{remote}/{name}")),
        Kind::Tag(name) if narrow => words.push(format!("+refs/tags/{name}:refs/tags/{name}")),
        _ if args.bare => words.push("+refs/heads/*:refs/heads/*".into()),
        _ => words.push(format!("+refs/heads/*:refs/remotes/{remote}/*")),
    }
    if let Kind::Revision(word) = &wanted.kind
        && word.starts_with("refs/")
    {
        words.push(format!("+{word}:{word}"));
    }
    words.extend(args.refspec.clone());
    words
}
