//! What a plan was asked for with, to and from the command line.

use std::path::{Path, PathBuf};

use rplay_plan::{Key, KeyError, Request};

use crate::args::{ApplyArgs, PlaybookArgs, RunArgs};

/// What of a command line a plan keeps. Values of `-e` may be secret, and are encrypted.
pub(super) fn of(args: &PlaybookArgs, key: &Key) -> Request {
    let run = &args.run;
    Request {
        playbooks: args.playbooks.iter().map(text).collect(),
        inventory: run.inventory.clone(),
        limit: run.limit.clone(),
        tags: args.tags.clone(),
        skip_tags: args.skip_tags.clone(),
        start_at_task: args.start_at_task.clone(),
        force_handlers: args.force_handlers,
        extra_vars: run.extra_vars.iter().map(|v| key.encrypt(v)).collect(),
        answers: vec![],
        become_: run.become_,
        become_method: run.become_method.clone(),
        become_user: run.become_user.clone(),
        user: run.user.clone(),
        private_key: run.private_key.as_ref().map(text),
        connection: run.connection.clone(),
        ssh_common_args: run.ssh_common_args.clone(),
        ssh_extra_args: run.ssh_extra_args.clone(),
    }
}

/// Answers, encrypted.
pub(super) fn locked(answers: &[(String, String)], key: &Key) -> Vec<String> {
    let locked = |asked: &(String, String)| {
        let text = serde_json::to_string(asked).expect("bug: an answer is no JSON");
        key.encrypt(&text)
    };
    answers.iter().map(locked).collect()
}

/// The answers of a plan.
///
/// # Errors
/// What is encrypted cannot be read.
pub(super) fn opened(request: &Request, key: &Key) -> Result<Vec<(String, String)>, KeyError> {
    let opened = |locked: &String| {
        let text = key.decrypt(locked)?;
        Ok(serde_json::from_str(&text).expect("bug: a sealed plan holds another's answer"))
    };
    request.answers.iter().map(opened).collect()
}

fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

/// The command line of a plan, with what is given anew to apply it.
///
/// # Errors
/// What is encrypted cannot be read.
pub(super) fn again(
    request: &Request,
    key: &Key,
    given: &ApplyArgs,
) -> Result<PlaybookArgs, KeyError> {
    let request = request.clone();
    let extra_vars = request.extra_vars.iter().map(|locked| key.decrypt(locked));
    let own_key = request.private_key.map(PathBuf::from);
    let run = RunArgs {
        inventory: request.inventory,
        limit: request.limit,
        extra_vars: extra_vars.collect::<Result<_, _>>()?,
        become_: request.become_,
        become_method: request.become_method,
        become_user: request.become_user,
        user: request.user,
        private_key: given.private_key.clone().or(own_key),
        connection: request.connection,
        ssh_common_args: request.ssh_common_args,
        ssh_extra_args: request.ssh_extra_args,
        ..fresh(given)
    };
    Ok(PlaybookArgs {
        playbooks: request.playbooks.into_iter().map(PathBuf::from).collect(),
        tags: request.tags,
        skip_tags: request.skip_tags,
        start_at_task: request.start_at_task,
        force_handlers: request.force_handlers,
        run,
        ..PlaybookArgs::default()
    })
}

/// What is given anew: passwords, and how it is shown.
pub(super) fn fresh(given: &ApplyArgs) -> RunArgs {
    RunArgs {
        diff: given.diff,
        forks: given.forks,
        verbose: given.verbose,
        ask_become_pass: given.ask_become_pass,
        become_password_file: given.become_password_file.clone(),
        ask_pass: given.ask_pass,
        connection_password_file: given.connection_password_file.clone(),
        vault: given.vault.clone(),
        json: given.json,
        ..RunArgs::default()
    }
}
