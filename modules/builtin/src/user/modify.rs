//! An account that is there: what differs is given to usermod.

use std::path::Path;

use rplay_api::{Attrs, Command, Failure, Host, Result, State, Target};

use super::state::{run, wanted};
use super::{UserArgs, shadow};
use crate::accounts::program;

pub(super) fn modify(args: &UserArgs, mut before: State, host: &Host) -> Result<()> {
    let after = wanted(args, &mut before, host, false)?;
    if before == after {
        return Ok(());
    }
    program(host, "usermod")?;
    refuse_taken(args, &before, &after, host)?;
    let target = Target::User(args.name.clone());
    let words = words(args, &before, &after);
    host.ensure(target, Some(before.clone()), Some(after.clone()), || {
        if words.len() > 2 {
            run(host, &Command::changes(words.iter()))?;
        }
        shadow::apply(args, &before, &after, host)
    })?;
    shadow::remember(args, Some(&after), false, host)?;
    move_home(args, &before, &after, host)?;
    renumber_home(&before, &after, host)
}

fn refuse_taken(args: &UserArgs, before: &State, after: &State, host: &Host) -> Result<()> {
    let Some(uid) = args.uid.filter(|_| before.get("uid") != after.get("uid")) else {
        return Ok(());
    };
    let owner = host.user_name(uid);
    if args.non_unique || owner == uid.to_string() {
        return Ok(());
    }
    Err(Failure::new(format!("the user `{owner}` has the number {uid} already"))
        .arg("uid")
        .help("choose another number, or set non_unique: true"))
}

fn words(args: &UserArgs, before: &State, after: &State) -> Vec<String> {
    let mut words = vec!["usermod".to_owned()];
    let flags = [
        ("uid", "-u"),
        ("gid", "-g"),
        ("comment", "-c"),
        ("home", "-d"),
        ("shell", "-s"),
        ("groups", "-G"),
    ];
    for (key, flag) in flags {
        if before.get(key) != after.get(key) {
            words.extend([flag.to_owned(), after.get(key).cloned().unwrap_or_default()]);
        }
    }
    words.extend(shadow::expiry_words(before, after).into_iter().flatten());
    let renumbers = before.get("uid") != after.get("uid");
    words.extend((args.non_unique && renumbers).then(|| "-o".to_owned()));
    words.push(args.name.clone());
    words
}

/// Moves the home folder, as `usermod -m` would.
fn move_home(args: &UserArgs, before: &State, after: &State, host: &Host) -> Result<()> {
    let (Some(old), Some(new)) = (before.get("home"), after.get("home")) else {
        return Ok(());
    };
    if !args.move_home || old == new {
        return Ok(());
    }
    let (old, new) = (Path::new(old), Path::new(new));
    if !host.is_dir(old)? || host.exists(new)? {
        return Ok(());
    }
    host.rename(old, new)
}

/// Gives what the account owned in its home folder to its new number. (usermod does that by itself
/// for the folder it knows of; then there is nothing left to do.)
fn renumber_home(before: &State, after: &State, host: &Host) -> Result<()> {
    let Some(home) = after.get("home").map(Path::new) else {
        return Ok(());
    };
    let number = |state: &State, key: &str| state.get(key).and_then(|v| v.parse::<u32>().ok());
    let change = |key: &str| {
        let (old, new) = (number(before, key)?, number(after, key)?);
        (old != new).then_some((old, new))
    };
    let (uid, gid) = (change("uid"), change("gid"));
    if (uid.is_none() && gid.is_none()) || !host.is_dir(home)? {
        return Ok(());
    }
    let owner = number(before, "uid");
    let owns = host.lstat(home)?.is_some_and(|m| Some(m.uid) == owner || Some(m.uid) == number(after, "uid"));
    if owns { renumber(home, uid, gid, host) } else { Ok(()) }
}

fn renumber(path: &Path, uid: Option<(u32, u32)>, gid: Option<(u32, u32)>, host: &Host) -> Result<()> {
    let Some(meta) = host.lstat(path)? else {
        return Ok(());
    };
    let attrs = Attrs {
        uid: uid.filter(|(old, _)| *old == meta.uid).map(|(_, new)| new),
        gid: gid.filter(|(old, _)| *old == meta.gid).map(|(_, new)| new),
        ..Attrs::default()
    };
    if attrs != Attrs::default() {
        host.set_attrs(path, &attrs)?;
    }
    if meta.is_dir() {
        for name in host.read_dir(path)? {
            renumber(&path.join(name), uid, gid, host)?;
        }
    }
    Ok(())
}
