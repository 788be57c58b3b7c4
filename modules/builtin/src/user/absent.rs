//! An account that should not be there: removed, with its own group, and its files where asked.

use std::path::Path;

use rplay_api::{Command, Host, Result, State, Target};

use super::{UserArgs, shadow};
use super::state::run;
use crate::accounts::{Defaults, entries, program};
use crate::group::primary_of;

pub(super) fn remove(args: &UserArgs, before: State, host: &Host) -> Result<()> {
    let userdel = program(host, "userdel")?;
    let mut words = vec![userdel];
    words.extend(args.force.then_some("-f"));
    words.push(&args.name);
    let command = Command::changes(words);
    let target = Target::User(args.name.clone());
    let group = own_group(args, &before, host)?;
    host.ensure(target, Some(before.clone()), None, || run(host, &command))?;
    shadow::remember(args, None, false, host)?;
    if let Some(group) = group {
        remove_own_group(args, group, host)?;
    }
    if args.remove {
        remove_files(args, &before, host)?;
    }
    Ok(())
}

/// userdel does that by itself on most hosts; it is said here so that it is announced.
fn remove_own_group(args: &UserArgs, group: State, host: &Host) -> Result<()> {
    host.ensure(Target::Group(args.name.clone()), Some(group), None, || {
        let left = entries(host, "/etc/group").iter().any(|f| f.first() == Some(&args.name));
        if left {
            run(host, &Command::changes([program(host, "groupdel")?, &args.name]))?;
        }
        Ok(())
    })
}

/// The group of the user's own name, which goes with it where nobody else is in it.
fn own_group(args: &UserArgs, before: &State, host: &Host) -> Result<Option<State>> {
    if !Defaults::login(host).is_on("USERGROUPS_ENAB") {
        return Ok(None);
    }
    let (Some(gid), Some(group)) = (before.get("gid"), host.group(&args.name)?) else {
        return Ok(None);
    };
    let is_own = group.get("gid") == Some(gid);
    let members = group.get("members").map_or("", String::as_str);
    let shared = members.split(',').any(|m| !m.is_empty() && m != args.name);
    if !is_own || shared || primary_of(gid, Some(&args.name), host)?.is_some() {
        return Ok(None);
    }
    Ok(Some(group))
}

fn remove_files(args: &UserArgs, before: &State, host: &Host) -> Result<()> {
    let uid = before.get("uid").map_or("", String::as_str);
    if let Some(home) = before.get("home") {
        let path = Path::new(home);
        let meta = host.lstat(path)?;
        let shared = entries(host, "/etc/passwd").iter().any(|f| f.get(5) == Some(home) && f[0] != args.name);
        match meta {
            Some(meta) if shared || meta.uid.to_string() != uid => {
                host.warn(format!("`{home}` is kept: it is not owned by `{}` alone", args.name));
            }
            Some(_) => host.remove(path)?,
            None => {}
        }
    }
    for dir in ["/var/mail", "/var/spool/mail"] {
        let spool = Path::new(dir).join(&args.name);
        if host.lstat(&spool)?.is_some() {
            host.remove(&spool)?;
        }
    }
    Ok(())
}
