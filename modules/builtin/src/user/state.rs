//! An account as a set of properties, and what a task wants them to be.

use std::collections::BTreeSet;

use rplay_api::{Command, Failure, Host, Result, State, Target};

use super::{UserArgs, shadow};
use crate::accounts::entries;

/// An account with the keys of [`Host::user`] and `groups`; `None` where it is not there.
pub(super) fn account(host: &Host, name: &str) -> Result<Option<State>> {
    let state = host.state(&Target::User(name.to_owned()), || {
        let Some(mut state) = host.user(name)? else {
            return Ok(None);
        };
        put(&mut state, "groups", &supplementary(host, name));
        Ok(Some(state))
    })?;
    Ok(state.map(|state| state.into_iter().filter(|(key, _)| !shadow::is_key(key)).collect()))
}

/// Sets a property; an empty one is not kept.
pub(super) fn put(state: &mut State, key: &str, value: &str) {
    if value.is_empty() {
        state.remove(key);
    } else {
        state.insert(key.to_owned(), value.to_owned());
    }
}

fn supplementary(host: &Host, name: &str) -> String {
    let groups = entries(host, "/etc/group");
    let mine = groups.iter().filter(|fields| {
        fields.get(3).is_some_and(|members| members.split(',').any(|m| m == name))
    });
    let names: BTreeSet<&str> = mine.filter_map(|fields| Some(fields.first()?.as_str())).collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}

/// What the account would be with all that the task gives: for a new one `before` has what the
/// host chooses. The keys of the second half of /etc/shadow are only there where the task speaks of
/// them, in both states.
pub(super) fn wanted(args: &UserArgs, before: &mut State, host: &Host, is_new: bool) -> Result<State> {
    if !is_new {
        shadow::complete(args, before, host)?;
    }
    let mut after = before.clone();
    if let Some(uid) = args.uid {
        put(&mut after, "uid", &uid.to_string());
    }
    if let Some(group) = &args.group {
        put(&mut after, "gid", &gid(host, group, "group")?.to_string());
    }
    if let Some(comment) = &args.comment {
        put(&mut after, "comment", comment);
    }
    if let Some(home) = &args.home {
        put(&mut after, "home", &home.to_string_lossy());
    }
    if let Some(shell) = &args.shell {
        put(&mut after, "shell", &shell.0.to_string_lossy());
    }
    if let Some(groups) = &args.groups {
        let names = wanted_groups(groups, args.append, &after, host)?;
        put(&mut after, "groups", &names);
    }
    shadow::want(args, before, &mut after, is_new);
    Ok(after)
}

/// The number of a group that must be there, given by name or number.
pub(super) fn gid(host: &Host, group: &str, arg: &str) -> Result<u32> {
    let missing = || {
        let failure = Failure::new(format!("there is no group `{group}`"))
            .arg(arg)
            .help("create it first with the `group` module");
        host.missing(failure)
    };
    if let Some(state) = host.group(group)? {
        return state.get("gid").and_then(|g| g.parse().ok()).ok_or_else(missing);
    }
    let gid = group.parse::<u32>().map_err(|_| missing())?;
    if host.group_name(gid) == group {
        return Err(missing());
    }
    Ok(gid)
}

fn wanted_groups(groups: &[String], append: bool, state: &State, host: &Host) -> Result<String> {
    let mut names = BTreeSet::new();
    for group in groups.iter().filter(|g| !g.is_empty()) {
        let id = gid(host, group, "groups")?;
        let name = host.group(group)?.map_or_else(|| host.group_name(id), |_| group.clone());
        // The primary group needs no entry of its own.
        if state.get("gid").is_none_or(|primary| *primary != id.to_string()) {
            names.insert(name);
        }
    }
    if append && let Some(present) = state.get("groups") {
        names.extend(present.split(',').map(str::to_owned));
    }
    Ok(names.into_iter().collect::<Vec<_>>().join(","))
}

/// Runs a program that changes accounts.
pub(super) fn run(host: &Host, command: &Command) -> Result<()> {
    host.run(command)?.success(command).map(drop)
}
