//! Brings the agent along with the command that runs it, and takes it away when it has ended.
//!
//! What is behind a program is often on its way to be an image, its folders in memory run no
//! programs, and each command may see folders of its own (`buildah run`): nothing is kept there.

use bytes::Bytes;

use crate::connection::{Link, feed};
use crate::connector::Image;
use crate::error::Cause;
use crate::process::{Ended, Process, Unsaid};

use super::greeting::Uname;
use super::launch::nonce;
use super::{Launch, sh, upload};

/// What says that the agent is wanted, that it is there, and that it cannot be.
const MISSING: &str = "rplay-missing ";
const PLACED: &str = "rplay-placed";
const UNPLACED: &str = "rplay-unplaced ";

/// A process in which the agent starts, as `launch` says.
pub(super) async fn bring(link: &Link, image: &Image, launch: &Launch) -> Result<Process, Cause> {
    let unpacked = upload::unpacked(image);
    let script = script(launch, image, unpacked.len());
    let mut process = link.spawn(&sh(&script, launch.words()), false).await?;
    let system = process.until(MISSING).await.map_err(no_place)?;
    let system = Uname::of(&system).ok_or_else(|| Cause::NoAgent {
        ended: "does not say what the system is".to_owned(),
        output: system,
    })?;
    upload::check(&system, image)?;
    let content = if system.has_gzip {
        Bytes::from_static(image.gzip)
    } else {
        Bytes::from(unpacked)
    };
    // Nothing follows until it is said to be there: what reads it may read ahead.
    // Why it was not read is told by what reads it.
    let _ = feed(&mut process.input, &content).await;
    process.until(PLACED).await.map_err(no_place)?;
    Ok(process)
}

/// Why the agent is not there.
fn no_place(unsaid: Unsaid) -> Cause {
    if let Some((_, tried)) = unsaid.out.split_once(UNPLACED) {
        let shown = |place: &str| match place.split_once(' ') {
            Some((path, why)) => format!("`{path}` {why}"),
            None => place.to_owned(),
        };
        let tried = tried.trim().split(", ").map(shown).collect();
        return Cause::NoPlace { tried };
    }
    let output = unsaid.words();
    match unsaid.ended {
        Ended::Lost(error) => Cause::Closed {
            act: "sending the agent".to_owned(),
            error,
        },
        ended => Cause::NoAgent {
            ended: format!("{ended} while the agent was sent"),
            output,
        },
    }
}

/// Finds a folder that can be written to and runs programs, takes the agent from its input and runs
/// it. The shell stays for as long as the agent does, and leaves nothing behind.
///
/// An empty file is a program too, to a shell: that it runs shows that programs do. What is said
/// goes to standard error and is dropped: there may be no /dev/null, and a redirection would make it.
fn script(launch: &Launch, image: &Image, size: usize) -> String {
    let places = launch.roots();
    let nonce = nonce();
    let (packed, sha256) = (image.gzip.len(), image.sha256);
    let language = launch.language();
    // Where that user may put programs; only root can give it away.
    let own = launch.owner().map_or_else(String::new, |user| {
        format!("mkdir -m 0711 \"$d/own\" && chown {user} \"$d/own\"; ")
    });
    format!(
        "umask 022; n=; ok=; gone() {{ rm -rf \"$d\"; }}; {language}\
         for p in {places}; do [ -d \"$p\" ] || continue; d=$p/.rplay-{nonce}; t=$d/agent; \
         mkdir -m 0711 \"$d\" || {{ n=\"$n, $p cannot be written to\"; continue; }}; \
         : >\"$t\" && chmod 0755 \"$t\" && \"$t\" && ok=1 && break; \
         gone; n=\"$n, $p cannot run programs: it may be mounted noexec\"; done; \
         [ $ok ] || {{ echo \"{UNPLACED}${{n#, }}\"; exit 1; }}; \
         {own}trap gone 0; trap \"exit 1\" 1 2 15; \
         if [ \"$(command -v gzip)\" ]; then echo \"{MISSING}$(uname -sm) gzip\"; \
         head -c {packed} | gzip -dc >\"$t\"; \
         else echo \"{MISSING}$(uname -sm) -\"; head -c {size} >\"$t\"; fi; \
         \"$t\" --verify {sha256} || {{ echo \"{UNPLACED}$p did not get it whole: it may be full\"; exit 1; }}; \
         echo {PLACED}; \"$@\" \"$t\"; exit $?"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(out: &str, err: &str) -> String {
        let (out, err) = (out.to_owned(), err.to_owned());
        let ended = Ended::Code(1);
        no_place(Unsaid { ended, out, err }).to_string()
    }

    fn script_as(user: &str) -> String {
        let other = crate::Become {
            user: user.to_owned(),
            ..crate::Become::root()
        };
        let image = Image {
            gzip: b"",
            sha256: "HASH",
            arch: "x86_64",
        };
        script(&Launch::new(Some(&other)).unwrap(), &image, 0)
    }

    #[test]
    fn another_user_has_a_folder_there_if_its_name_is_plain() {
        let script = script_as("web-1");
        assert!(script.contains("chown web-1 \"$d/own\""), "{script}");
        assert!(!script.contains("HOME"), "{script}");
        for user in ["root", "a b", "$(x)"] {
            assert!(!script_as(user).contains("chown"), "{user}");
        }
    }

    #[test]
    fn each_folder_that_cannot_hold_it_is_told() {
        let out = "rplay-unplaced /dev/shm cannot run programs, /tmp cannot be written to\n";
        let err = "mkdir: cannot create directory: Read-only file system\n";
        assert_eq!(
            cause(out, err),
            "found no folder for the agent: `/dev/shm` cannot run programs; `/tmp` cannot be written to"
        );
    }

    #[test]
    fn a_shell_that_does_something_else_is_told_by_its_words() {
        assert_eq!(
            cause("", "sh: syntax error\n"),
            "the agent did not start: the shell ended with exit code 1 while the agent was sent \
             and said `sh: syntax error`"
        );
    }
}
