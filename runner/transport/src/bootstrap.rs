//! Starts the agent on a host: one command where it is there already, and a few more where it must
//! be sent first.
//!
//! Everything a host is asked for here is POSIX sh without single quotes, backslashes, newlines and
//! exclamation marks, so that it survives the quoting of any login shell (sh, csh, fish).

mod carried;
mod greeting;
mod launch;
mod prompt;
mod run_as;
mod upload;

use crate::AgentClient;
use crate::connection::Link;
use crate::connector::Image;
use crate::error::Cause;
use greeting::{Greeted, Greeting};
pub(crate) use launch::Launch;
pub(crate) use run_as::run_as;

/// A shell function: whether `ls -ldn` shows a folder (and no link) that its user owns and nobody
/// else can write to.
const OWN: &str = "own() { case $1 in d????-??-*) [ \"$3\" = \"$u\" ];; *) false;; esac; }; ";

/// Starts the agent that `launch` describes.
pub(crate) async fn start(
    link: &Link,
    image: &Image,
    launch: &Launch,
    host: &str,
) -> Result<AgentClient, Cause> {
    if let Link::Through(_) = link {
        let process = carried::bring(link, image, launch).await?;
        return match greeting::await_agent(process, launch).await? {
            Greeting::Agent(agent) => greeted(*agent, host),
            Greeting::Missing(_) => unreachable!("bug: the agent is looked for nowhere"),
        };
    }
    let command = launch.command(image.sha256);
    for attempt in 0.. {
        let process = link.spawn(&command, false).await?;
        match greeting::await_agent(process, launch).await? {
            Greeting::Agent(agent) => return greeted(*agent, host),
            Greeting::Missing(_) if attempt > 0 => {
                let tried = vec!["the agent was gone right after it was sent".to_owned()];
                return Err(Cause::NoPlace { tried });
            }
            Greeting::Missing(system) => upload::send(link, image, launch, &system).await?,
        }
    }
    unreachable!("bug: the second attempt returns")
}

/// The agent that said hello, where it is one of this version.
fn greeted(agent: Greeted, host: &str) -> Result<AgentClient, Cause> {
    let Greeted {
        hello,
        process,
        rest,
        stderr,
    } = agent;
    if hello.version != rplay_wire::VERSION {
        return Err(Cause::Version {
            theirs: hello.version,
        });
    }
    Ok(AgentClient::new(host, hello, process, rest, stderr))
}

/// A word for any shell.
fn quoted(word: &str) -> Result<String, Cause> {
    if word.contains(['\'', '\\', '!', '\n', '\0']) {
        let message = format!("`{word}` cannot be passed to a shell");
        let help = "leave out quotes, backslashes and exclamation marks".to_owned();
        return Err(Cause::Settings(message, Some(help)));
    }
    Ok(format!("'{word}'"))
}

/// A script as a command line for any login shell.
fn sh(script: &str, words: &[String]) -> String {
    debug_assert!(!script.contains(['\'', '\\', '!', '\n']), "bug: {script}");
    let mut line = format!("exec /bin/sh -c '{script}' rplay");
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    line
}
