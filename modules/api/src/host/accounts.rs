//! Users and groups: names to numbers and back, with those that a dry run has planned.

use std::path::Path;

use rplay_wire::{State, Target};

use super::Host;
use crate::system::System;
use crate::{Command, Failure, FileArgs, Result};

impl Host<'_> {
    /// A user's account as `passwd` holds it: the keys uid, gid, comment, home, shell. `None`
    /// where there is no such user.
    ///
    /// # Errors
    /// Where the account database cannot be read.
    pub fn user(&self, name: &str) -> Result<Option<State>> {
        self.state(&Target::User(name.to_owned()), || {
            let line = match account_line(self.system, "/etc/passwd", |f| f.first() == Some(&name))
            {
                Some(line) => Some(line),
                None => self.getent("passwd", name)?,
            };
            Ok(line.map(|fields| user_state(&fields)))
        })
    }

    /// A group: the keys gid and members (separated by commas). `None` where there is no such
    /// group.
    ///
    /// # Errors
    /// Where the account database cannot be read.
    pub fn group(&self, name: &str) -> Result<Option<State>> {
        self.state(&Target::Group(name.to_owned()), || {
            let line = match account_line(self.system, "/etc/group", |f| f.first() == Some(&name)) {
                Some(line) => Some(line),
                None => self.getent("group", name)?,
            };
            Ok(line.map(|fields| group_state(&fields)))
        })
    }

    /// The number of a user given by name or number.
    ///
    /// # Errors
    /// Where there is no such user.
    pub fn uid(&self, owner: &str) -> Result<u32> {
        let planned = self
            .user(owner)?
            .and_then(|state| state.get("uid")?.parse().ok());
        planned.or_else(|| owner.parse().ok()).ok_or_else(|| {
            let failure = Failure::new(format!("there is no user `{owner}`"))
                .arg("owner")
                .help("create it first with the `user` module, or give its number");
            self.missing(failure)
        })
    }

    /// The number of a group given by name or number.
    ///
    /// # Errors
    /// Where there is no such group.
    pub fn gid(&self, group: &str) -> Result<u32> {
        let planned = self
            .group(group)?
            .and_then(|state| state.get("gid")?.parse().ok());
        planned.or_else(|| group.parse().ok()).ok_or_else(|| {
            let failure = Failure::new(format!("there is no group `{group}`"))
                .arg("group")
                .help("create it first with the `group` module, or give its number");
            self.missing(failure)
        })
    }

    /// In a dry run, warns of an owner and a group who are not there, and whom nothing has planned: by
    /// the real run they may be.
    pub fn warn_of_missing_owners(&self, args: &FileArgs) {
        if !self.system.is_planning() {
            return;
        }
        let owner = args.owner.as_deref().filter(|owner| !self.has_user(owner));
        let group = args.group.as_deref().filter(|group| !self.has_group(group));
        let missing = [("user", "uid", owner), ("group", "gid", group)];
        for (kind, number, name) in missing {
            let Some(name) = name else { continue };
            let which = match name.parse::<u32>() {
                Ok(_) => format!("{kind} with {number} {name}"),
                Err(_) => format!("{kind} {name}"),
            };
            self.warn(format!(
                "failed to look up {which}. Create {kind} up to this point in real play"
            ));
        }
    }

    fn has_user(&self, name: &str) -> bool {
        match name.parse() {
            Ok(uid) => self.user_name(uid) != name || self.planned_account(true, uid).is_some(),
            Err(_) => !matches!(self.user(name), Ok(None)),
        }
    }

    fn has_group(&self, name: &str) -> bool {
        match name.parse() {
            Ok(gid) => self.group_name(gid) != name || self.planned_account(false, gid).is_some(),
            Err(_) => !matches!(self.group(name), Ok(None)),
        }
    }

    /// The name of a user's number; the number itself where none has it.
    pub fn user_name(&self, uid: u32) -> String {
        name_of(self.system, "/etc/passwd", uid)
    }

    /// The name of a group's number; the number itself where none has it.
    pub fn group_name(&self, gid: u32) -> String {
        name_of(self.system, "/etc/group", gid)
    }

    /// The name of a user (or else group) that is only planned and would have that number.
    pub fn planned_account(&self, user: bool, id: u32) -> Option<String> {
        self.system.planned_name(user, &id.to_string())
    }

    /// Accounts that are not in the files (LDAP, sssd), where `getent` is there to ask.
    fn getent(&self, database: &str, name: &str) -> Result<Option<Vec<String>>> {
        let nss = self
            .read_text(Path::new("/etc/nsswitch.conf"))
            .unwrap_or_default();
        let elsewhere = nss
            .lines()
            .filter_map(|l| l.strip_prefix(database)?.trim_start().strip_prefix(':'))
            .any(|services| {
                services
                    .split_whitespace()
                    .any(|s| !FILE_SERVICES.contains(&s))
            });
        if !elsewhere {
            return Ok(None);
        }
        let output = self.run(&Command::reads(["getent", database, name]))?;
        let line = output.stdout();
        Ok(line
            .lines()
            .next()
            .map(|l| l.split(':').map(str::to_owned).collect()))
    }
}

/// Name services that hold no accounts besides those of the files.
const FILE_SERVICES: [&str; 3] = ["files", "compat", "systemd"];

/// The name of a number in /etc/passwd or /etc/group, planned accounts among them.
pub(super) fn name_of(system: &dyn System, file: &str, id: u32) -> String {
    let id = id.to_string();
    account_line(system, file, |fields| fields.get(2) == Some(&id.as_str()))
        .and_then(|fields| fields.into_iter().next())
        .or_else(|| system.planned_name(file == "/etc/passwd", &id))
        .unwrap_or(id)
}

fn account_line(
    system: &dyn System,
    file: &str,
    wanted: impl Fn(&[&str]) -> bool,
) -> Option<Vec<String>> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut system.read(Path::new(file)).ok()?, &mut text).ok()?;
    text.lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| wanted(fields))
        .map(|fields| fields.into_iter().map(str::to_owned).collect())
}

fn user_state(fields: &[String]) -> State {
    let keys = [
        (2, "uid"),
        (3, "gid"),
        (4, "comment"),
        (5, "home"),
        (6, "shell"),
    ];
    pick(fields, &keys)
}

fn group_state(fields: &[String]) -> State {
    pick(fields, &[(2, "gid"), (3, "members")])
}

fn pick(fields: &[String], keys: &[(usize, &str)]) -> State {
    keys.iter()
        .filter_map(|(i, key)| Some(((*key).to_owned(), fields.get(*i)?.clone())))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
