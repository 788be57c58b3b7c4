//! A checkout of a git repository, through the git of the target.
//!
//! What the remote has is asked with `ls-remote` in every run, dry or not: the commit is known
//! before anything is fetched, and a repository that is not there is found before anything is
//! changed. A dry run knows no file of a checkout that is only planned.

mod archive;
mod checkout;
mod program;
mod remote;
mod submodules;
mod verify;

use std::path::PathBuf;

use rplay_api::{Args, Doc, Failure, FileMode, Host, Module, Outcome, Result, Return};
use serde_json::Value;

use checkout::Checkout;
use program::Git;
use remote::Remote;

/// The `git` module.
pub struct This;

/// Arguments of `git`.
#[derive(Debug, Args)]
pub struct GitArgs {
    /// The repository: an address, or a path on the target.
    #[arg(alias = "name")]
    repo: String,
    /// The folder to check it out to. It may be absent only with clone: false, which then says
    /// which commit the repository has.
    dest: Option<PathBuf>,
    /// A branch, a tag, a commit, or `HEAD` for the repository's own branch.
    #[arg(default = "HEAD")]
    version: String,
    /// What the remote is called in the checkout.
    #[arg(default = "origin")]
    remote: String,
    /// One more refspec to fetch, for a commit that no branch or tag leads to.
    refspec: Option<String>,
    /// Fetch only so many commits.
    depth: Option<i64>,
    /// Clone the repository where it is not there.
    #[arg(default = true)]
    clone: bool,
    /// Fetch and check out anew where it is there.
    #[arg(default = true)]
    update: bool,
    /// Throw away what was changed in the folder since the last checkout.
    #[arg(default = false)]
    force: bool,
    /// Make a repository without a working folder.
    #[arg(default = false)]
    bare: bool,
    /// Fetch only the branch or tag that is wanted.
    #[arg(default = false)]
    single_branch: bool,
    /// Check submodules out too.
    #[arg(default = true)]
    recursive: bool,
    /// Have submodules follow their branches, not the commits that the repository names.
    #[arg(default = false)]
    track_submodules: bool,
    /// A local repository to take objects from.
    reference: Option<String>,
    /// Where the repository itself goes, apart from the working folder.
    separate_git_dir: Option<PathBuf>,
    /// A private key on the target for SSH.
    key_file: Option<PathBuf>,
    /// Take any host key.
    #[arg(default = false)]
    accept_hostkey: bool,
    /// Take the key of a host that is not known, but refuse one that has changed.
    #[arg(default = false)]
    accept_newhostkey: bool,
    /// More options for SSH.
    ssh_opts: Option<String>,
    /// Refuse a commit (or tag) whose signature is not good.
    #[arg(default = false)]
    verify_commit: bool,
    /// The fingerprints of keys that may have signed it; empty: any key that is known.
    #[arg(default = vec![], alias = "gpg_whitelist")]
    gpg_allowlist: Vec<String>,
    /// The umask of what is made.
    umask: Option<FileMode>,
    /// An archive to make of the tree: its name ends with .zip, .tar, .tar.gz or .tgz.
    archive: Option<PathBuf>,
    /// What is put before each path in the archive.
    archive_prefix: Option<String>,
    /// The git program.
    executable: Option<PathBuf>,
}

impl Module for This {
    type Args = GitArgs;

    const DOC: Doc = Doc {
        name: "git",
        aliases: &[],
        summary: "Checks out a git repository",
        description: "The target's own git does it. A dry run asks the remote for its commits, and \
            so knows whether and to which one the checkout would go.",
        free_form: None,
        examples: r#"
- name: A release of the application
  git:
    repo: https://git.example.com/app.git
    dest: /srv/app
    version: v1.4.2

- name: A private repository, only its last commit
  git:
    repo: git@git.example.com:team/app.git
    dest: /srv/app
    version: main
    depth: 1
    key_file: /home/deploy/.ssh/id_ed25519
    accept_newhostkey: true

- name: Which commit is there now?
  git:
    repo: https://git.example.com/app.git
    clone: false
  register: app
"#,
        returns: &[
            Return { name: "before", doc: "The commit that was checked out; null where none was." },
            Return { name: "after", doc: "The commit that is checked out now." },
            Return {
                name: "remote_url_changed",
                doc: "Whether the remote had another address before.",
            },
            Return {
                name: "submodules_changed",
                doc: "Whether submodules were brought to another commit.",
            },
            Return { name: "git_dir_before", doc: "Where the repository was before it moved." },
            Return { name: "git_dir_now", doc: "Where it moved to." },
        ],
    };

    fn run(args: GitArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let git = Git::find(&args, host)?;
        let Some(dest) = &args.dest else {
            return args.only_ask(&git);
        };
        let checkout = Checkout::find(&args, &git, host, dest)?;
        match checkout {
            None if !args.clone => args.only_ask(&git),
            None => Checkout::clone(&args, &git, host, dest),
            Some(checkout) if !args.update => checkout.keep(&args, &git, host),
            Some(checkout) => checkout.update(&args, &git, host),
        }
    }
}

impl GitArgs {
    fn check(&self) -> Result<()> {
        if self.dest.is_none() && self.clone {
            return Err(Failure::missing("dest")
                .help("it may be left out only with clone: false"));
        }
        if self.bare && self.separate_git_dir.is_some() {
            return Err(Failure::new("`bare` and `separate_git_dir` exclude each other")
                .arg("separate_git_dir")
                .help("leave one of them out"));
        }
        if self.accept_hostkey && self.accept_newhostkey {
            return Err(Failure::new("`accept_hostkey` and `accept_newhostkey` exclude each other")
                .arg("accept_hostkey")
                .help("keep accept_newhostkey: it refuses a key that has changed"));
        }
        if self.archive_prefix.is_some() && self.archive.is_none() {
            return Err(Failure::new("`archive_prefix` needs `archive`").arg("archive_prefix"));
        }
        // A word of git's command line that begins so would be one of its options.
        for (arg, word) in [("version", &self.version), ("repo", &self.repo), ("remote", &self.remote)] {
            if word.is_empty() || word.starts_with('-') {
                return Err(Failure::new(format!("`{word}` is no {arg}")).arg(arg));
            }
        }
        if let Some(archive) = &self.archive {
            archive::format(archive)?;
        }
        Ok(())
    }

    /// How many commits to fetch.
    fn depth(&self) -> Option<i64> {
        self.depth.filter(|depth| *depth >= 1)
    }

    fn umask(&self) -> Option<u32> {
        self.umask.as_ref().map(|mode| mode.resolve(0o777, false) & 0o777)
    }

    /// Nothing is there, and nothing is to be made: what the remote has is the answer.
    fn only_ask(&self, git: &Git) -> Result<Outcome> {
        let wanted = Remote::ask(self, git)?.wanted(self)?;
        Ok(Outcome::new()
            .changed(true)
            .with("before", Value::Null)
            .with("after", wanted.commit))
    }
}

#[cfg(test)]
mod tests;
