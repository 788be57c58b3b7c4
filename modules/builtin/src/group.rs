//! Groups of the host, made and removed with the shadow suite.
//!
//! A group without a `gid` gets the number that groupadd would choose; it is chosen here, so that
//! a dry run announces it and a later task can use it.

use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return, State, Target};

use crate::accounts::{Kind, Limits, check_name, entries, next_id, program};

/// The `group` module.
pub struct This;

/// Whether the group is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// Arguments of `group`.
#[derive(Debug, Args)]
pub struct GroupArgs {
    /// The group's name.
    name: String,
    /// Its number.
    gid: Option<u32>,
    /// Whether it is there.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// Take its number from the range of system groups.
    #[arg(default = false)]
    system: bool,
    /// Use libuser's programs, which touch local accounts only.
    #[arg(default = false)]
    local: bool,
    /// Let it share its `gid` with another group.
    #[arg(default = false)]
    non_unique: bool,
    /// Remove it though it is the primary group of a user.
    #[arg(default = false)]
    force: bool,
    /// The lowest number that a new group may get.
    gid_min: Option<u32>,
    /// The highest number that a new group may get.
    gid_max: Option<u32>,
}

impl Module for This {
    type Args = GroupArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "group",
        aliases: &[],
        summary: "Makes, changes and removes groups",
        description: "",
        free_form: None,
        examples: r#"
- name: The group of etcd
  group:
    name: etcd
    gid: 1501
    state: present
"#,
        returns: &[
            Return { name: "name", doc: "The group's name." },
            Return { name: "gid", doc: "Its number, where it is there." },
            Return { name: "state", doc: "`present` or `absent`." },
            Return { name: "system", doc: "Whether it was asked to be a system group." },
        ],
    };

    fn run(args: GroupArgs, host: &Host) -> Result<Outcome> {
        check_name(&args.name)?;
        if args.non_unique && args.gid.is_none() {
            return Err(Failure::new("`non_unique` needs a `gid`").arg("non_unique"));
        }
        args.limits().check_local(["gid_min", "gid_max"], args.local)?;
        let before = host.group(&args.name)?;
        match (args.state, before) {
            (Presence::Absent, None) => {}
            (Presence::Absent, Some(before)) => remove(&args, before, host)?,
            (Presence::Present, None) => create(&args, host)?,
            (Presence::Present, Some(before)) => change(&args, before, host)?,
        }
        let outcome = Outcome::new()
            .with("name", args.name.clone())
            .with("state", args.state.word())
            .with("system", args.system);
        let gid = host.group(&args.name)?.and_then(|g| g.get("gid")?.parse::<u32>().ok());
        Ok(match gid {
            Some(gid) => outcome.with("gid", gid),
            None => outcome,
        })
    }
}

impl GroupArgs {
    fn limits(&self) -> Limits {
        Limits { min: self.gid_min, max: self.gid_max }
    }

    fn program(&self, host: &Host, shadow: &'static str, libuser: &'static str) -> Result<&'static str> {
        program(host, if self.local { libuser } else { shadow })
    }
}

fn create(args: &GroupArgs, host: &Host) -> Result<()> {
    let groupadd = args.program(host, "groupadd", "lgroupadd")?;
    let gid = match args.gid {
        Some(gid) => gid,
        None => next_id(host, Kind::Group, args.system, args.limits(), None)?,
    };
    refuse_taken(args, gid, host)?;
    let mut words = vec![groupadd.to_owned(), "-g".to_owned(), gid.to_string()];
    words.extend(args.non_unique.then(|| "-o".to_owned()));
    words.extend(args.system.then(|| "-r".to_owned()));
    words.push(args.name.clone());
    let after = State::from([("gid".to_owned(), gid.to_string())]);
    host.ensure(Target::Group(args.name.clone()), None, Some(after), || run(host, &words))
}

fn change(args: &GroupArgs, before: State, host: &Host) -> Result<()> {
    let Some(gid) = args.gid else { return Ok(()) };
    let mut after = before.clone();
    after.insert("gid".to_owned(), gid.to_string());
    if after == before {
        return Ok(());
    }
    let groupmod = args.program(host, "groupmod", "lgroupmod")?;
    refuse_taken(args, gid, host)?;
    let mut words = vec![groupmod.to_owned(), "-g".to_owned(), gid.to_string()];
    words.extend(args.non_unique.then(|| "-o".to_owned()));
    words.push(args.name.clone());
    host.ensure(Target::Group(args.name.clone()), Some(before), Some(after), || run(host, &words))
}

fn remove(args: &GroupArgs, before: State, host: &Host) -> Result<()> {
    let groupdel = args.program(host, "groupdel", "lgroupdel")?;
    if !args.force
        && let Some(gid) = before.get("gid")
        && let Some(user) = primary_of(gid, None, host)?
    {
        return Err(Failure::new(format!(
            "the group `{}` is the primary group of the user `{user}`",
            args.name
        ))
        .help("remove the user or give it another group first, or set force: true"));
    }
    let mut words = vec![groupdel.to_owned()];
    words.extend((args.force && !args.local).then(|| "-f".to_owned()));
    words.push(args.name.clone());
    host.ensure(Target::Group(args.name.clone()), Some(before), None, || run(host, &words))
}

/// A user, other than `except`, whose primary group has that number.
pub fn primary_of(gid: &str, except: Option<&str>, host: &Host) -> Result<Option<String>> {
    for fields in entries(host, "/etc/passwd") {
        let Some(name) = fields.first().filter(|n| Some(n.as_str()) != except) else {
            continue;
        };
        // The file may be older than what is planned.
        let state = host.user(name)?;
        if state.is_some_and(|s| s.get("gid").is_some_and(|g| g == gid)) {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

fn refuse_taken(args: &GroupArgs, gid: u32, host: &Host) -> Result<()> {
    let owner = host.group_name(gid);
    if args.non_unique || owner == gid.to_string() || owner == args.name {
        return Ok(());
    }
    Err(Failure::new(format!("the group `{owner}` has the number {gid} already"))
        .arg("gid")
        .help("choose another number, or set non_unique: true"))
}

fn run(host: &Host, words: &[String]) -> Result<()> {
    let command = Command::changes(words.iter());
    host.run(&command)?.success(&command).map(drop)
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    fn host() -> Overlay {
        let overlay = Overlay::empty();
        Fixture::new(&overlay)
            .file("/etc/group", "root:x:0:\nadm:x:1000:\n")
            .file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n")
            .file("/usr/sbin/groupadd", "")
            .file("/usr/sbin/groupmod", "")
            .file("/usr/sbin/groupdel", "");
        overlay
    }

    #[test]
    fn a_new_group_gets_the_next_number_and_is_there_for_the_next_task() {
        let host = host();
        let got = run::<This>(&host, json!({"name": "etcd"}));
        assert_eq!(got.result.unwrap().data["gid"], 1001);
        assert_eq!(got.changes[0].target, Target::Group("etcd".into()));
        let again = run::<This>(&host, json!({"name": "etcd"}));
        assert_eq!(again.changes, []);
        let next = run::<This>(&host, json!({"name": "other"}));
        assert_eq!(next.result.unwrap().data["gid"], 1002);
    }

    #[test]
    fn a_task_may_say_what_numbers_a_new_group_gets() {
        let host = host();
        let gid = |name: &str, limits: serde_json::Value| {
            let mut args = limits;
            args["name"] = name.into();
            run::<This>(&host, args).result.map(|got| got.data["gid"].clone())
        };
        assert_eq!(gid("high", json!({"gid": 8000})).unwrap(), 8000);
        assert_eq!(gid("next", json!({})).unwrap(), 8001);
        // The other end stays the host's.
        assert_eq!(gid("low", json!({"gid_max": 1999})).unwrap(), 1001);
        assert_eq!(gid("only", json!({"gid_min": 1500, "gid_max": 1500})).unwrap(), 1500);
        let none = gid("more", json!({"gid_min": 1500, "gid_max": 1500})).unwrap_err();
        assert_eq!(none.msg, "every number from 1500 to 1500 is taken");
        let local = gid("local", json!({"gid_min": 1500, "local": true})).unwrap_err();
        assert_eq!(local.msg, "`gid_min` cannot be used with `local`");
    }

    #[test]
    fn a_taken_number_is_refused() {
        let got = run::<This>(&host(), json!({"name": "etcd", "gid": 1000})).result.unwrap_err();
        assert_eq!(got.msg, "the group `adm` has the number 1000 already");
        let shared = json!({"name": "etcd", "gid": 1000, "non_unique": true});
        assert!(run::<This>(&host(), shared).result.is_ok());
    }

    #[test]
    fn the_group_of_a_user_is_kept() {
        let got = run::<This>(&host(), json!({"name": "adm", "state": "absent"})).result.unwrap_err();
        assert_eq!(got.msg, "the group `adm` is the primary group of the user `bob`");
    }

    #[test]
    fn a_removed_group_is_gone() {
        let host = host();
        run::<This>(&host, json!({"name": "etcd", "gid": 1501})).result.unwrap();
        run::<This>(&host, json!({"name": "etcd", "gid": 1502})).result.unwrap();
        let got = run::<This>(&host, json!({"name": "etcd", "state": "absent"}));
        assert_eq!(got.changes[0].before.as_ref().unwrap()["gid"], "1502");
        assert_eq!(run::<This>(&host, json!({"name": "etcd", "state": "absent"})).changes, []);
    }

    #[test]
    fn a_host_without_the_shadow_suite_is_told_of() {
        let got = run::<This>(&Overlay::empty(), json!({"name": "etcd"})).result.unwrap_err();
        assert!(got.help[0].contains("apk add shadow"), "{got:?}");
    }
}
