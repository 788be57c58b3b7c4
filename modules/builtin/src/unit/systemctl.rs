//! The program `systemctl`: its words, and what it answers.

use std::path::Path;
use std::time::Duration;

use indexmap::IndexMap;
use rplay_api::{Choice, Command, Failure, Host, Result};

/// Whose units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Scope {
    /// The system's.
    System,
    /// Those of the user that the task runs as.
    User,
    /// Those of every user (only for enabled and masked).
    Global,
}

/// How systemctl is called.
pub struct Systemctl {
    /// Whose units.
    pub scope: Scope,
    /// Whether to return before a job is done.
    pub no_block: bool,
    /// Whether to overwrite links that are in the way.
    pub force: bool,
    /// How long a job may take.
    pub timeout: Option<Duration>,
}

impl Systemctl {
    /// For the system's units, waiting for each job.
    pub fn system() -> Self {
        Self {
            scope: Scope::System,
            no_block: false,
            force: false,
            timeout: None,
        }
    }

    /// What systemctl says of a unit. A host that has no systemctl is told of.
    pub(super) fn show(&self, host: &Host, unit: &str) -> Result<IndexMap<String, String>> {
        let command = self.finish(host, Command::reads(self.words(&["show", unit])));
        let output = host.run(&command).map_err(|failure| {
            if failure.unknown {
                return failure;
            }
            failure.help("this module is for hosts with systemd; `service` knows others too")
        })?;
        let stderr = output.stderr();
        if stderr.contains("not been booted") || stderr.contains("connect to bus") {
            return Err(Failure::new(format!(
                "systemd does not run on this host: {}",
                stderr.trim()
            ))
            .help("`service` knows hosts with another init"));
        }
        Ok(properties(&output.success(&command)?.stdout()))
    }

    /// Whether any link enables a unit, told by the list under `is-enabled`'s word.
    pub(super) fn is_linked(&self, host: &Host, unit: &str) -> Result<bool> {
        let words = self.words(&["is-enabled", "--full", unit]);
        let output = host.run(&self.finish(host, Command::reads(words)))?;
        Ok(output.stdout().lines().count() > 1)
    }

    /// Changes something.
    pub(super) fn run(&self, host: &Host, words: &[&str]) -> Result<()> {
        let mut command = self.finish(host, Command::changes(self.words(words)));
        command.timeout = self.timeout;
        host.run(&command)?.success(&command).map(drop)
    }

    /// Lets systemd read its files again.
    pub fn daemon_reload(&self, host: &Host) -> Result<()> {
        host.refresh(&rplay_api::Target::Systemd, || {
            self.run(host, &["daemon-reload"])
        })
    }

    /// Lets systemd start itself anew.
    pub fn daemon_reexec(&self, host: &Host) -> Result<()> {
        host.refresh(&rplay_api::Target::Systemd, || {
            self.run(host, &["daemon-reexec"])
        })
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let mut all = vec!["systemctl"];
        match self.scope {
            Scope::System => {}
            Scope::User => all.push("--user"),
            Scope::Global if words[0] == "show" => {}
            Scope::Global => all.push("--global"),
        }
        let is_job = matches!(words[0], "start" | "stop" | "restart" | "reload");
        all.extend((self.no_block && is_job).then_some("--no-block"));
        all.extend((self.force && !is_job && words[0] != "show").then_some("--force"));
        all.extend(words);
        all.into_iter().map(str::to_owned).collect()
    }

    /// A user's systemd is found through a folder that a plain ssh session may not name.
    fn finish(&self, host: &Host, command: Command) -> Command {
        if self.scope != Scope::User || host.env("XDG_RUNTIME_DIR").is_some() {
            return command;
        }
        let status = host
            .read_text(Path::new("/proc/self/status"))
            .unwrap_or_default();
        let uid = status.lines().find_map(|l| {
            l.strip_prefix("Uid:")?
                .split_whitespace()
                .nth(1)
                .map(str::to_owned)
        });
        command.env(
            "XDG_RUNTIME_DIR",
            format!("/run/user/{}", uid.unwrap_or_default()),
        )
    }
}

/// `A=b` lines.
pub(super) fn properties(text: &str) -> IndexMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Properties as a result's value.
pub fn json(properties: &IndexMap<String, String>) -> serde_json::Value {
    properties
        .iter()
        .map(|(k, v)| (k.clone(), serde_json::Value::from(v.as_str())))
        .collect()
}
