//! A working copy of a Subversion repository, through the svn of the target.
//!
//! The repository is asked for its revision in every run, dry or not: where the working copy would go
//! is known before anything is fetched. A dry run knows no file of one that is only planned.

mod program;
mod working_copy;

use std::path::{Path, PathBuf};

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result, Return, State, Target};
use serde_json::Value;

use program::{Info, Svn};
use working_copy::WorkingCopy;

/// The `subversion` module.
pub struct This;

/// Arguments of `subversion`.
#[derive(Debug, Args)]
pub struct SubversionArgs {
    /// The repository's address: `https://`, `svn://`, `svn+ssh://` or `file://`.
    #[arg(alias = "name", alias = "repository")]
    repo: String,
    /// The folder of the working copy. It may be absent only where nothing is to be made.
    dest: Option<PathBuf>,
    /// A number, `HEAD`, or a date in braces.
    #[arg(default = "HEAD", alias = "rev", alias = "version")]
    revision: String,
    /// Throw away what was changed in the working copy; with `export`, replace what is there.
    #[arg(default = false)]
    force: bool,
    /// Make a working copy of a folder that is there: what is in it stays, and what differs counts
    /// as changed.
    #[arg(default = false)]
    in_place: bool,
    /// The name to log in with.
    username: Option<String>,
    /// The password: goes to svn by its standard input.
    #[arg(secret)]
    password: Option<String>,
    /// The svn program.
    executable: Option<PathBuf>,
    /// Check the repository out where it is not there.
    #[arg(default = true)]
    checkout: bool,
    /// Bring it to the revision where it is there.
    #[arg(default = true)]
    update: bool,
    /// Write the files alone, without a working copy's records.
    #[arg(default = false)]
    export: bool,
    /// Let it follow where `repo` is another address than the working copy's.
    #[arg(default = true)]
    switch: bool,
    /// Refuse a server whose certificate is not trusted.
    #[arg(default = false)]
    validate_certs: bool,
}

impl Module for This {
    type Args = SubversionArgs;

    const DOC: Doc = Doc {
        name: "subversion",
        aliases: &[],
        summary: "Checks out a Subversion repository",
        description: "The target's own svn does it. A dry run asks the repository for its revision, \
            and so knows whether the working copy would change. Externals are left alone.",
        free_form: None,
        examples: r#"
- name: The trunk
  subversion:
    repo: https://svn.example.com/app/trunk
    dest: /srv/app

- name: A release, without the records of a working copy
  subversion:
    repo: https://svn.example.com/app/tags/1.4
    dest: /srv/app-1.4
    export: true
    username: deploy
    password: "{{ vault_svn_password }}"
    validate_certs: true

- name: Which revision is there now?
  subversion:
    repo: https://svn.example.com/app/trunk
    checkout: false
    update: false
  register: app
"#,
        returns: &[
            Return {
                name: "before",
                doc: "Revision and address of the working copy, as svn says them; null where there \
                    was none.",
            },
            Return {
                name: "after",
                doc: "The same after it; of a question alone, the repository's revision.",
            },
        ],
    };

    fn run(args: SubversionArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let svn = Svn::find(&args, host)?;
        let makes = args.export || args.checkout || args.update;
        let Some(dest) = args.dest.as_deref().filter(|_| makes) else {
            let there = svn.info_of(&args.repo, &args.revision)?;
            return Ok(Outcome::new().with("after", there.revision_line()));
        };
        if args.export {
            return export(&args, &svn, host, dest);
        }
        match WorkingCopy::find(&svn, host, dest)? {
            Some(_) if !args.update => Ok(Outcome::new().changed(false)),
            Some(own) => own.update(&args, &svn, host),
            None if host.lstat(dest)?.is_none() || args.in_place => match args.checkout {
                true => check_out(&args, &svn, host, dest),
                false => Ok(Outcome::new().changed(false)),
            },
            None => Err(Failure::new(format!(
                "ERROR: {} folder already exists, but its not a subversion repository.",
                dest.display()
            ))
            .arg("dest")
            .help("move it away, give another folder, or set in_place: true")),
        }
    }
}

impl SubversionArgs {
    fn check(&self) -> Result<()> {
        if self.dest.is_none() && (self.checkout || self.update || self.export) {
            let words = "the destination directory must be specified unless checkout=no, update=no, \
                and export=no";
            return Err(Failure::new(words).arg("dest"));
        }
        // A word of svn's command line that begins so would be one of its options.
        for (arg, word) in [("repo", &self.repo), ("revision", &self.revision)] {
            if word.is_empty() || word.starts_with('-') {
                return Err(Failure::new(format!("`{word}` is no {arg}")).arg(arg));
            }
        }
        Ok(())
    }
}

fn target(dest: &Path) -> Target {
    Target::Repository(dest.to_string_lossy().into_owned())
}

/// What a working copy is known by.
fn state(info: &Info) -> State {
    State::from([
        ("revision".to_owned(), info.revision.to_string()),
        ("url".to_owned(), info.url.clone()),
    ])
}

fn export(args: &SubversionArgs, svn: &Svn, host: &Host, dest: &Path) -> Result<Outcome> {
    let there = svn.info_of(&args.repo, &args.revision)?;
    if !args.force && host.lstat(dest)?.is_some() {
        let dest = dest.display();
        return Err(Failure::new(format!("`{dest}` is there already"))
            .arg("dest")
            .help("force: true writes over it"));
    }
    let mut words = vec!["export", "-r", &args.revision];
    words.extend(args.force.then_some("--force"));
    host.act(target(dest), state(&there), "exported", || {
        svn.does(&words, Some(&args.repo), dest)
    })?;
    Ok(Outcome::new())
}

fn check_out(args: &SubversionArgs, svn: &Svn, host: &Host, dest: &Path) -> Result<Outcome> {
    let there = svn.info_of(&args.repo, &args.revision)?;
    let mut words = vec!["checkout", "-r", &args.revision];
    words.extend(args.in_place.then_some("--force"));
    let mut after = None;
    host.ensure(target(dest), None, Some(state(&there)), || {
        svn.does(&words, Some(&args.repo), dest)?;
        if args.in_place && args.force {
            svn.does(&["revert", "-R"], None, dest)?;
        }
        after = Some(svn.info(dest)?);
        Ok(())
    })?;
    let after = after.unwrap_or(there);
    Ok(Outcome::new()
        .with("before", Value::Null)
        .with("after", after.lines()))
}

#[cfg(test)]
mod tests;
