//! The git program and the surroundings that it runs in.

use std::ffi::OsString;
use std::path::Path;

use rplay_api::{Command, Failure, Host, Output, Result};

use super::GitArgs;

/// Runs git.
pub(super) struct Git<'a> {
    host: &'a Host<'a>,
    program: OsString,
    ssh: String,
    umask: Option<u32>,
}

impl<'a> Git<'a> {
    /// The git of the target.
    pub(super) fn find(args: &GitArgs, host: &'a Host<'a>) -> Result<Self> {
        let program = match &args.executable {
            Some(path) => path.clone().into_os_string(),
            None => "git".into(),
        };
        let git = Self {
            host,
            program,
            ssh: ssh(args, host),
            umask: args.umask(),
        };
        match git.asks(None, ["--version"]) {
            Ok(_) => Ok(git),
            Err(failure) if failure.unknown => Err(failure),
            Err(failure) => Err(host.missing(
                failure
                    .arg("executable")
                    .help("install git on the target first, with the task's `package` module"),
            )),
        }
    }

    fn surrounded(&self, mut command: Command, folder: Option<&Path>) -> Command {
        command.cwd = folder.map(Path::to_owned);
        command.umask = self.umask;
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A question must not even refresh the index.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_SSH_COMMAND", &self.ssh)
    }

    fn words<S: Into<OsString>>(&self, words: impl IntoIterator<Item = S>) -> Vec<OsString> {
        std::iter::once(self.program.clone())
            .chain(words.into_iter().map(Into::into))
            .collect()
    }

    /// A question, whatever its exit code.
    pub(super) fn tries<S: Into<OsString>>(
        &self,
        folder: Option<&Path>,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Output> {
        let command = self.surrounded(Command::reads(self.words(words)), folder);
        self.host.run(&command)
    }

    /// A question to a checkout, where it is no failure that nothing can be answered: exit code
    /// not zero, or a checkout that is only planned.
    pub(super) fn knows<S: Into<OsString>>(
        &self,
        folder: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Option<String>> {
        match self.tries(Some(folder), words) {
            Ok(output) if output.rc == 0 => Ok(Some(output.stdout().trim_end().to_owned())),
            Ok(_) => Ok(None),
            Err(failure) if failure.unknown => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A question, and the answer without the newline at its end.
    pub(super) fn asks<S: Into<OsString>>(
        &self,
        folder: Option<&Path>,
        words: impl IntoIterator<Item = S>,
    ) -> Result<String> {
        let command = self.surrounded(Command::reads(self.words(words)), folder);
        let output = judged(self.host.run(&command)?, &command)?;
        Ok(output.stdout().trim_end_matches('\n').to_owned())
    }

    /// A question whose answer is bytes.
    pub(super) fn gives<S: Into<OsString>>(
        &self,
        folder: &Path,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>> {
        let command = self.surrounded(Command::reads(self.words(words)), Some(folder));
        Ok(judged(self.host.run(&command)?, &command)?.stdout)
    }

    /// Something that changes a repository.
    pub(super) fn does<S: Into<OsString>>(
        &self,
        folder: Option<&Path>,
        words: impl IntoIterator<Item = S>,
    ) -> Result<()> {
        let command = self.surrounded(Command::changes(self.words(words)), folder);
        judged(self.host.run(&command)?, &command).map(drop)
    }
}

/// git's own words where it fails, with what to do where that is certain.
fn judged(output: Output, command: &Command) -> Result<Output> {
    if output.rc == 0 {
        return Ok(output);
    }
    let said = output.stderr();
    let fatal = said
        .lines()
        .find(|l| l.starts_with("fatal:") || l.starts_with("error:"))
        .map(str::to_owned);
    let mut failure = match output.success(command) {
        Ok(output) => return Ok(output),
        Err(failure) => failure,
    };
    if let Some(fatal) = fatal {
        let rc = failure.data.get("rc").cloned().unwrap_or_default();
        failure.msg = format!("`{}` failed with exit code {rc}: {fatal}", command.display());
    }
    failure = failure.with("cmd", command.display());
    let help = if said.contains("Host key verification failed") {
        "make the host's key known with the `known_hosts` module, or set accept_newhostkey: true"
    } else if said.contains("Permission denied (publickey") {
        "give the key that may read the repository with `key_file`"
    } else if said.contains("could not read Username") || said.contains("terminal prompts disabled") {
        "the server asks for a login: use SSH with `key_file`, or a credential helper of git"
    } else if said.contains("dubious ownership") {
        "the folder belongs to another user: run the task as that one, with `become_user`"
    } else {
        return Err(failure);
    };
    Err(failure.help(help))
}

/// The command that git reaches a server with over SSH. It never asks.
fn ssh(args: &GitArgs, host: &Host) -> String {
    let own = ["GIT_SSH_COMMAND", "GIT_SSH"];
    let own = own
        .iter()
        .find_map(|name| host.env(name).filter(|v| !v.is_empty()));
    let mut ssh = own.unwrap_or_else(|| "ssh".to_owned());
    let mut add = |words: &str| {
        ssh.push(' ');
        ssh.push_str(words);
    };
    if let Some(opts) = &args.ssh_opts {
        add(opts);
    }
    add("-o BatchMode=yes");
    if args.accept_hostkey {
        add("-o StrictHostKeyChecking=no");
    }
    if args.accept_newhostkey {
        add("-o StrictHostKeyChecking=accept-new");
    }
    if let Some(key) = &args.key_file {
        let quoted = key.to_string_lossy().replace('\'', r"'\''");
        add(&format!("-i '{quoted}' -o IdentitiesOnly=yes"));
    }
    ssh
}

/// The failure of a folder that git does not take as one of its own.
pub(super) fn no_repository(folder: &Path) -> Failure {
    Failure::new(format!(
        "`{}` is there and is no git repository",
        folder.display()
    ))
    .arg("dest")
    .help("move it away, or give another folder")
}
