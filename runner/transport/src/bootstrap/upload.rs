//! Sends the agent to the first folder on a host that can hold and run it.

use std::io::Read;

use crate::connection::{Link, collect};
use crate::connector::Image;
use crate::error::Cause;

use super::greeting::Uname;
use super::launch::Place;
use super::{Launch, OWN, sh};

/// Sends the agent; afterwards it is in one of the launch's places.
pub(super) async fn send(
    link: &Link,
    image: &Image,
    launch: &Launch,
    system: &Uname,
) -> Result<(), Cause> {
    check(system, image)?;
    let mut tried = vec![];
    for place in launch.places() {
        match place_at(link, image, place, system.has_gzip).await? {
            None => return Ok(()),
            Some(why) => tried.push(why),
        }
    }
    Err(Cause::NoPlace { tried })
}

/// Whether the agent runs there.
pub(super) fn check(system: &Uname, image: &Image) -> Result<(), Cause> {
    if system.os == "Linux" && system.arch == image.arch {
        return Ok(());
    }
    let (os, arch) = (system.os.clone(), system.arch.clone());
    Err(Cause::Unsupported { os, arch })
}

/// Sends the agent to one place; gives why it cannot be there.
async fn place_at(
    link: &Link,
    image: &Image,
    place: &Place,
    has_gzip: bool,
) -> Result<Option<String>, Cause> {
    let command = sh(&script(place, image.sha256, has_gzip), &[]);
    let process = link.spawn(&command, false).await?;
    let ran = if has_gzip {
        collect(process, image.gzip).await?
    } else {
        collect(process, &unpacked(image)).await?
    };
    let stdout = String::from_utf8_lossy(&ran.stdout);
    if stdout.contains("rplay-placed") {
        return Ok(None);
    }
    let why = stdout
        .lines()
        .find_map(|line| line.split_once("rplay-unplaced ").map(|(_, w)| w));
    match why {
        Some(why) => Ok(Some(format!(
            "`{}` {}",
            why.split(' ').next().unwrap_or_default(),
            rest(why)
        ))),
        None => Err(Cause::NoAgent {
            ended: format!("ended with exit code {} while the agent was sent", ran.rc),
            output: String::from_utf8_lossy(&ran.stderr).trim().to_owned(),
        }),
    }
}

fn rest(why: &str) -> &str {
    why.split_once(' ').map_or("", |(_, rest)| rest)
}

/// Takes the agent from its input, tries it out, and only then gives it its name. A folder is made,
/// never changed: another user may have put a link in its place.
fn script(place: &Place, sha256: &str, has_gzip: bool) -> String {
    let Place { path, prepare } = place;
    let unpack = if has_gzip { "gzip -dc" } else { "cat" };
    format!(
        "umask 022; u=$(id -u); {OWN}{prepare}d=\"{path}\"; t=$d/.agent-$$; f=$d/agent-{sha256}; \
         no() {{ rm -f \"$t\"; cat >/dev/null; echo \"rplay-unplaced $d $*\"; exit 0; }}; \
         [ -e \"$d\" ] || mkdir -m 0711 \"$d\" || no \"cannot be made\"; \
         own $(ls -ldn \"$d\") || no \"is not a folder that only its user can write to\"; \
         {unpack} >\"$t\" && chmod 0755 \"$t\" || no \"has no room\"; \
         \"$t\" --verify {sha256} || no \"cannot run programs: it may be mounted noexec\"; \
         mv -f \"$t\" \"$f\" || no \"cannot be written to\"; \
         for o in \"$d\"/agent-*; do [ \"$o\" = \"$f\" ] || rm -f \"$o\"; done; echo rplay-placed"
    )
}

/// The agent as it runs.
pub(super) fn unpacked(image: &Image) -> Vec<u8> {
    let mut agent = vec![];
    flate2::read::GzDecoder::new(image.gzip)
        .read_to_end(&mut agent)
        .expect("bug: the agent is packed with gzip");
    agent
}
