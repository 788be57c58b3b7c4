//! From arguments and settings to what the engine is asked to do: arguments go first.

use std::io;
use std::path::PathBuf;

use rplay_engine::{Connect, Defaults, Escalate, Options, TagSelection};
use rplay_transport::{Method, Secret};

use crate::args::RunArgs;
use crate::ask;
use crate::config::Settings;

/// Hosts at a time, where nothing is said.
pub(crate) const FORKS: u64 = 100;

/// The engine's options; what only playbooks have is left as it is by default.
///
/// # Errors
/// A password that cannot be read, or a method that is not known.
pub(crate) fn options(
    args: &RunArgs,
    settings: &Settings,
    tags: TagSelection,
) -> io::Result<Options> {
    let login = password(
        args.connection_password_file
            .as_ref()
            .or(settings.connection_password_file.as_ref()),
        args.ask_pass || settings.ask_pass == Some(true),
        "SSH password",
    )?;
    let forks = args
        .forks
        .unwrap_or_else(|| small(settings.forks.unwrap_or(FORKS)));
    Ok(Options {
        check: args.check,
        diff: diff(args, settings),
        forks,
        tags,
        start_at: None,
        step: false,
        force_handlers: settings.force_handlers == Some(true),
        escalate: escalate(args, settings, login.as_ref())?,
        connect: connect(args, settings, login),
        verbosity: verbosity(args, settings),
        library: rplay_engine::Library::default(),
        fingerprint: None,
        shows_results: true,
        settings: crate::config::shown(settings).into_iter().collect(),
        defaults: Defaults {
            gathering: settings.gathering.unwrap_or_default(),
            strategy: settings.strategy.clone(),
            private_role_vars: settings.private_role_vars,
            missing_handlers: settings.error_on_missing_handler == Some(false),
            any_errors_fatal: settings.any_errors_fatal == Some(true),
            no_log: settings.no_log == Some(true),
            task_timeout: settings.task_timeout.filter(|seconds| *seconds > 0),
        },
    })
}

/// Whether diffs are shown.
pub(crate) fn diff(args: &RunArgs, settings: &Settings) -> bool {
    args.diff || settings.diff_always == Some(true)
}

/// The number of `-v`.
pub(crate) fn verbosity(args: &RunArgs, settings: &Settings) -> u8 {
    let set = settings.verbosity.unwrap_or(0).min(6);
    args.verbose.max(u8::try_from(set).unwrap_or(6))
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn password(file: Option<&PathBuf>, ask: bool, words: &str) -> io::Result<Option<String>> {
    match file {
        Some(path) => ask::password_file(path).map(Some),
        None if ask => ask::password(words).map(Some),
        None => Ok(None),
    }
}

fn escalate(args: &RunArgs, settings: &Settings, login: Option<&String>) -> io::Result<Escalate> {
    let own = password(
        args.become_password_file
            .as_ref()
            .or(settings.become_password_file.as_ref()),
        args.ask_become_pass || settings.become_ask_pass == Some(true),
        "BECOME password[defaults to SSH password]",
    )?;
    let own = own.filter(|p| !p.is_empty());
    let password = own
        .or_else(|| settings.become_pass.clone())
        .or_else(|| login.cloned());
    let method = match args
        .become_method
        .as_ref()
        .or(settings.become_method.as_ref())
    {
        None => Method::Sudo,
        Some(word) => Method::of_word(word).ok_or_else(|| {
            let words = format!("there is no become method `{word}`: there are sudo, su and doas");
            io::Error::new(io::ErrorKind::InvalidInput, words)
        })?,
    };
    let user = args.become_user.clone().or(settings.become_user.clone());
    Ok(Escalate {
        enabled: args.become_ || settings.escalate == Some(true),
        user: user.unwrap_or_else(|| "root".to_owned()),
        method,
        password: password.map(Secret::new),
        exe: settings.become_exe.clone(),
        flags: settings.become_flags.clone(),
        su_prompts: settings.su_prompts.clone().unwrap_or_default(),
    })
}

fn connect(args: &RunArgs, settings: &Settings, login: Option<String>) -> Connect {
    let common = args
        .ssh_common_args
        .as_ref()
        .or(settings.ssh_common_args.as_ref());
    let extra = args
        .ssh_extra_args
        .as_ref()
        .or(settings.ssh_extra_args.as_ref());
    let ssh_args = settings.ssh_args.iter().chain(common).chain(extra);
    Connect {
        user: args.user.clone().or(settings.remote_user.clone()),
        private_key: args
            .private_key
            .clone()
            .or(settings.private_key_file.clone()),
        password: login.map(Secret::new),
        port: settings
            .remote_port
            .and_then(|port| u16::try_from(port).ok()),
        kind: args.connection.clone().or(settings.transport.clone()),
        timeout: args.timeout.or(settings.timeout),
        ssh_args: ssh_args.cloned().collect(),
        host_key_checking: settings.host_key_checking,
    }
}
