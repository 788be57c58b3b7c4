//! Accounts of the host, made, changed and removed with the shadow suite.
//!
//! What the suite would do behind the scenes is done here in steps: the user's own group, the
//! number, the home folder and what is copied into it. So a dry run announces each, and later
//! tasks see them. Password hashes go to `chpasswd` over its standard input, never on a command
//! line, and are in no change and no result.

mod absent;
mod create;
mod home;
mod modify;
mod shadow;
mod ssh_key;
mod state;

use std::path::PathBuf;

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return, State, WrittenPath};
use serde_json::Value;

use crate::accounts::{Limits, check_name};
use crate::group::Presence;

/// The `user` module.
pub struct This;

/// When a password is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum UpdatePassword {
    /// Whenever it differs.
    Always,
    /// Only where the account is made.
    OnCreate,
}

/// Arguments of `user`.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// The account's name.
    #[arg(alias = "user")]
    name: String,
    /// Its number.
    uid: Option<u32>,
    /// Its primary group, by name or number. Absent: a group of the user's own name where the host
    /// makes those, or else the host's default group.
    group: Option<String>,
    /// Other groups that it is in. An empty list takes it out of all of them.
    groups: Option<Vec<String>>,
    /// Add to the groups that it is in, rather than leave those not listed.
    #[arg(default = false)]
    append: bool,
    /// Its full name or what it is for.
    comment: Option<String>,
    /// Its home folder.
    home: Option<PathBuf>,
    /// Make the home folder where it is not there.
    #[arg(default = true, alias = "createhome")]
    create_home: bool,
    /// Move the home folder where `home` is another one.
    #[arg(default = false)]
    move_home: bool,
    /// What a new home folder is filled with.
    skeleton: Option<PathBuf>,
    /// Umask that a new home folder is made with.
    umask: Option<String>,
    /// Its shell.
    shell: Option<WrittenPath>,
    /// Take its number from the range of system accounts.
    #[arg(default = false)]
    system: bool,
    /// The hash of its password, as `password_hash` makes it; `!` or `*` for none.
    #[arg(secret)]
    password: Option<String>,
    /// Lock or unlock its password.
    password_lock: Option<bool>,
    /// When the password is set.
    #[arg(default = UpdatePassword::Always)]
    update_password: UpdatePassword,
    /// When the account expires, in seconds since 1970; a negative number: never.
    expires: Option<f64>,
    /// Days after which the password must be changed.
    password_expire_max: Option<i64>,
    /// Days before which the password cannot be changed.
    password_expire_min: Option<i64>,
    /// Days of warning before the password expires.
    password_expire_warn: Option<i64>,
    /// Days after which an account with an expired password is disabled.
    password_expire_account_disable: Option<i64>,
    /// Whether the account is there.
    #[arg(default = Presence::Present)]
    state: Presence,
    /// With state absent: remove its home folder and mail too.
    #[arg(default = false)]
    remove: bool,
    /// With state absent: remove it though it is logged in. With generate_ssh_key: make a new key
    /// though there is one.
    #[arg(default = false)]
    force: bool,
    /// Let it share its `uid` with another account.
    #[arg(default = false)]
    non_unique: bool,
    /// The lowest number that a new account may get.
    uid_min: Option<u32>,
    /// The highest number that a new account may get.
    uid_max: Option<u32>,
    /// SELinux user.
    seuser: Option<String>,
    /// Make an SSH key for it, unless there is one.
    #[arg(default = false)]
    generate_ssh_key: bool,
    /// Bits of the SSH key; absent: what ssh-keygen takes.
    #[arg(default = 0u32)]
    ssh_key_bits: u32,
    /// Type of the SSH key.
    #[arg(default = "rsa")]
    ssh_key_type: String,
    /// The SSH key's file, from the home folder; absent: `.ssh/id_TYPE`.
    ssh_key_file: Option<WrittenPath>,
    /// The SSH key's comment; absent: `generated on HOST`.
    ssh_key_comment: Option<String>,
    /// Passphrase of the SSH key; absent: none.
    #[arg(secret)]
    ssh_key_passphrase: Option<String>,
    /// The account is one of this host, which every account here is.
    #[arg(default = false)]
    local: bool,
    /// Of other systems than Linux: not heeded.
    #[arg(name = "authorization")]
    _authorization: Option<String>,
    /// Of other systems than Linux: not heeded.
    #[arg(name = "hidden")]
    _hidden: Option<bool>,
    /// Of other systems than Linux: not heeded.
    #[arg(name = "login_class")]
    _login_class: Option<String>,
    /// Of other systems than Linux: not heeded.
    #[arg(name = "profile")]
    _profile: Option<String>,
    /// Of other systems than Linux: not heeded.
    #[arg(name = "role")]
    _role: Option<String>,
}

impl Module for This {
    type Args = UserArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "user",
        aliases: &[],
        summary: "Makes, changes and removes accounts",
        description: "What is not given stays as it is. A new account without a password has none \
            that anyone could log in with.",
        free_form: None,
        examples: r#"
- name: The account of etcd
  user:
    name: etcd
    uid: 1501
    group: etcd
    comment: etcd user
    home: /var/lib/etcd
    shell: /bin/false

- name: An administrator
  user:
    name: alice
    groups: [sudo, adm]
    append: true
    password: "{{ alice_password | password_hash('sha512') }}"
    update_password: on_create

- name: No longer here
  user:
    name: bob
    state: absent
    remove: true
"#,
        returns: &[
            Return { name: "name", doc: "The account's name." },
            Return { name: "uid", doc: "Its number." },
            Return { name: "group", doc: "The number of its primary group." },
            Return { name: "groups", doc: "The groups that were asked for." },
            Return { name: "comment", doc: "Its comment." },
            Return { name: "home", doc: "Its home folder." },
            Return { name: "shell", doc: "Its shell." },
            Return { name: "state", doc: "`present` or `absent`." },
            Return { name: "ssh_fingerprint", doc: "The SSH key's fingerprint, where one was asked for." },
            Return { name: "ssh_key_file", doc: "The SSH key's file." },
            Return { name: "ssh_public_key", doc: "The public SSH key." },
        ],
    };

    fn run(args: UserArgs, host: &Host) -> Result<Outcome> {
        check(&args, host)?;
        let before = state::account(host, &args.name)?;
        let outcome = Outcome::new()
            .with("name", args.name.clone())
            .with("state", args.state.word());
        match (args.state, before) {
            (Presence::Absent, before) => {
                if let Some(before) = before {
                    absent::remove(&args, before, host)?;
                }
                return Ok(outcome.with("force", args.force).with("remove", args.remove));
            }
            (Presence::Present, None) => create::create(&args, host)?,
            (Presence::Present, Some(before)) => modify::modify(&args, before, host)?,
        }
        let state = state::account(host, &args.name)?.unwrap_or_default();
        home::ensure(&args, &state, host)?;
        let outcome = described(outcome, &args, &state);
        if args.generate_ssh_key {
            return ssh_key::ensure(&args, &state, host, outcome);
        }
        Ok(outcome)
    }
}

impl UserArgs {
    fn limits(&self) -> Limits {
        Limits { min: self.uid_min, max: self.uid_max }
    }
}

fn check(args: &UserArgs, host: &Host) -> Result<()> {
    check_name(&args.name)?;
    args.limits().check_local(["uid_min", "uid_max"], args.local)?;
    if args.non_unique && args.uid.is_none() {
        return Err(Failure::new("`non_unique` needs a `uid`").arg("non_unique"));
    }
    if args.append && args.groups.is_none() {
        // Scripts look for Ansible's words.
        host.warn("'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.");
    }
    if args.local && args.umask.is_some() {
        return Err(Failure::new("`umask` cannot be used with `local`").arg("umask"));
    }
    let shell = args.shell.as_ref().map(|shell| shell.0.to_string_lossy());
    for (arg, text) in [("comment", args.comment.as_deref()), ("shell", shell.as_deref())] {
        if text.is_some_and(|t| t.contains([':', '\n'])) {
            return Err(Failure::new(format!("`{arg}` cannot hold `:` or a line's end")).arg(arg));
        }
    }
    if let Some(password) = &args.password {
        shadow::check_password(password, host)?;
    }
    Ok(())
}

fn described(outcome: Outcome, args: &UserArgs, state: &State) -> Outcome {
    let text = |key: &str| state.get(key).cloned().unwrap_or_default();
    let number = |key: &str| state.get(key).and_then(|v| v.parse::<u32>().ok()).map_or(Value::Null, Value::from);
    let mut outcome = outcome
        .with("uid", number("uid"))
        .with("group", number("gid"))
        .with("comment", text("comment"))
        .with("home", text("home"))
        .with("shell", text("shell"))
        .with("append", args.append)
        .with("move_home", args.move_home)
        .with("create_home", args.create_home)
        .with("system", args.system);
    if let Some(groups) = &args.groups {
        outcome = outcome.with("groups", groups.join(","));
    }
    if args.password.is_some() {
        outcome = outcome.with("password", "[secret]");
    }
    outcome
}

#[cfg(test)]
mod tests;
