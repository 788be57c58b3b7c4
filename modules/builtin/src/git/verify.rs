//! The signature of what is checked out.

use std::path::Path;

use rplay_api::{Failure, Result};

use super::GitArgs;
use super::program::Git;
use super::remote::{Kind, Wanted};

/// Refuses what has been fetched where its signature is not good.
pub(super) fn verify(args: &GitArgs, git: &Git, dest: &Path, wanted: &Wanted) -> Result<()> {
    if !args.verify_commit {
        return Ok(());
    }
    let (act, word) = match &wanted.kind {
        Kind::Branch(name) if args.bare => ("verify-commit", format!("refs/heads/{name}")),
        Kind::Branch(name) => ("verify-commit", format!("refs/remotes/{}/{name}", args.remote)),
        Kind::Tag(name) => {
            let word = format!("refs/tags/{name}");
            let kind = git.asks(Some(dest), ["cat-file", "-t", &word])?;
            let act = if kind == "tag" { "verify-tag" } else { "verify-commit" };
            (act, word)
        }
        Kind::Revision(word) => ("verify-commit", word.clone()),
    };
    let output = git.tries(Some(dest), [act, "--raw", &word])?;
    let said = output.stderr();
    let failure = |why: &str| {
        Failure::new(format!("Failed to verify GPG signature of commit/tag \"{}\"{why}", args.version))
            .arg("verify_commit")
            .with("rc", output.rc)
            .with("stdout", output.stdout())
            .with("stderr", said.as_str())
            .help("it was fetched but not checked out; the signer's public key must be in the user's keyring")
    };
    if output.rc != 0 {
        return Err(failure(""));
    }
    if args.gpg_allowlist.is_empty() {
        return Ok(());
    }
    let plain = |key: &str| key.replace(' ', "").to_uppercase();
    let signers: Vec<String> = said
        .lines()
        .filter_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "))
        .flat_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let first = words.first().map(|w| plain(w));
            let primary = words.get(9).map(|w| plain(w));
            first.into_iter().chain(primary)
        })
        .collect();
    if args.gpg_allowlist.iter().any(|key| signers.contains(&plain(key))) {
        return Ok(());
    }
    Err(failure(": it was signed with a key that is not in `gpg_allowlist`"))
}
