//! A new account: its own group first, then the account, with every property given to useradd.

use rplay_api::{Command, Failure, Host, Result, State, Target};

use super::state::{gid, put, run, wanted};
use super::{UserArgs, shadow};
use crate::accounts::{Defaults, Kind, Limits, next_id, program};

pub(super) fn create(args: &UserArgs, host: &Host) -> Result<()> {
    let useradd = program(host, "useradd")?;
    let uid = match args.uid {
        Some(uid) => uid,
        None => next_id(host, Kind::User, args.system, args.limits(), None)?,
    };
    refuse_taken(args, uid, host)?;
    for group in args.groups.iter().flatten().filter(|g| !g.is_empty()) {
        gid(host, group, "groups")?;
    }
    let mut fresh = host_defaults(args, uid, host)?;
    let after = wanted(args, &mut fresh, host, true)?;
    let words = words(useradd, args, &after);
    let none = State::new();
    host.ensure(Target::User(args.name.clone()), None, Some(after.clone()), || {
        run(host, &Command::changes(words.iter()))?;
        shadow::apply(args, &none, &after, host)
    })?;
    shadow::remember(args, Some(&after), true, host)
}

fn refuse_taken(args: &UserArgs, uid: u32, host: &Host) -> Result<()> {
    let owner = host.user_name(uid);
    if args.non_unique || owner == uid.to_string() || owner == args.name {
        return Ok(());
    }
    Err(Failure::new(format!("the user `{owner}` has the number {uid} already"))
        .arg("uid")
        .help("choose another number, or set non_unique: true"))
}

/// What the host gives an account of which nothing is said; its own group is made.
fn host_defaults(args: &UserArgs, uid: u32, host: &Host) -> Result<State> {
    let defaults = Defaults::useradd(host);
    let mut state = State::new();
    put(&mut state, "uid", &uid.to_string());
    let base = defaults.get("HOME").unwrap_or("/home");
    put(&mut state, "home", &format!("{}/{}", base.trim_end_matches('/'), args.name));
    put(&mut state, "shell", defaults.get("SHELL").unwrap_or("/bin/sh"));
    let gid = match &args.group {
        Some(group) => gid(host, group, "group")?,
        None => default_group(args, uid, &defaults, host)?,
    };
    put(&mut state, "gid", &gid.to_string());
    Ok(state)
}

fn default_group(args: &UserArgs, uid: u32, defaults: &Defaults, host: &Host) -> Result<u32> {
    let own = Defaults::login(host).is_on("USERGROUPS_ENAB");
    if !own || host.group(&args.name)?.is_some() {
        return gid(host, defaults.get("GROUP").unwrap_or("100"), "group");
    }
    let groupadd = program(host, "groupadd")?;
    let gid = next_id(host, Kind::Group, args.system, Limits::default(), Some(uid))?;
    let gid = gid.to_string();
    let mut words = vec![groupadd, "-g", &gid];
    words.extend(args.system.then_some("-r"));
    words.push(&args.name);
    let command = Command::changes(words);
    let after = State::from([("gid".to_owned(), gid.clone())]);
    host.ensure(Target::Group(args.name.clone()), None, Some(after), || run(host, &command))?;
    Ok(gid.parse().expect("bug: a number was written as text"))
}

fn words(useradd: &str, args: &UserArgs, after: &State) -> Vec<String> {
    // The home folder is made by us, through the host, so that it is seen.
    let mut words = vec![useradd.to_owned(), "-M".to_owned()];
    let flags = [
        ("uid", "-u"),
        ("gid", "-g"),
        ("comment", "-c"),
        ("home", "-d"),
        ("shell", "-s"),
        ("groups", "-G"),
    ];
    for (key, flag) in flags {
        if let Some(value) = after.get(key) {
            words.extend([flag.to_owned(), value.clone()]);
        }
    }
    words.extend(shadow::expiry_words(&State::new(), after).into_iter().flatten());
    words.extend(args.system.then(|| "-r".to_owned()));
    words.extend(args.non_unique.then(|| "-o".to_owned()));
    if let Some(user) = &args.seuser {
        words.extend(["-Z".to_owned(), user.clone()]);
    }
    words.push(args.name.clone());
    words
}
