//! Looks entries up in the name service: users, groups, hosts, services.
//!
//! Users and groups that an earlier task of a dry run would have made are found too.

use rplay_api::{Args, Command, Doc, Failure, Host, Module, Outcome, Result, Return, State};
use serde_json::{Map, Value};

/// The `getent` module.
pub struct This;

/// Arguments of `getent`.
#[derive(Debug, Args)]
pub struct GetentArgs {
    /// The database: `passwd`, `group`, `hosts`, `services`, ...
    database: String,
    /// The entry to look up; absent: all.
    key: Option<String>,
    /// What separates an entry's fields; absent: what the database uses.
    split: Option<String>,
    /// Whether a key that is not there is a failure.
    #[arg(default = true)]
    fail_key: bool,
    /// The service to ask, instead of those of /etc/nsswitch.conf.
    service: Option<String>,
}

impl Module for This {
    type Args = GetentArgs;

    const DOC: Doc = Doc {
        name: "getent",
        aliases: &[],
        summary: "Looks entries up in the name service",
        description: "The entries become the fact `getent_DATABASE`: by key, a list of the other \
            fields.",
        free_form: None,
        examples: r#"
- name: Look a user up
  getent:
    database: passwd
    key: etcd

- debug:
    msg: "its home is {{ getent_passwd.etcd[4] }}"
"#,
        returns: &[Return {
            name: "ansible_facts",
            doc: "`getent_DATABASE`: the entries by key.",
        }],
    };

    fn run(args: GetentArgs, host: &Host) -> Result<Outcome> {
        let entries = match args.account(host)? {
            Some(entry) => entry,
            None => args.ask(host)?,
        };
        let name = format!("getent_{}", args.database);
        let facts = Map::from_iter([(name, Value::Object(entries))]);
        Ok(Outcome::new().changed(false).with("ansible_facts", facts))
    }
}

impl GetentArgs {
    /// A user or group by its name, planned ones among them.
    fn account(&self, host: &Host) -> Result<Option<Map<String, Value>>> {
        let (Some(key), None, None) = (&self.key, &self.split, &self.service) else {
            return Ok(None);
        };
        let (state, fields): (Option<State>, &[&str]) = match self.database.as_str() {
            "passwd" => (host.user(key)?, &["uid", "gid", "comment", "home", "shell"]),
            "group" => (host.group(key)?, &["gid", "members"]),
            _ => return Ok(None),
        };
        let Some(state) = state else { return Ok(None) };
        let text = |field: &&str| Value::from(state.get(*field).map_or("", String::as_str));
        let values = std::iter::once(Value::from("x")).chain(fields.iter().map(text));
        Ok(Some(Map::from_iter([(key.clone(), values.collect())])))
    }

    fn ask(&self, host: &Host) -> Result<Map<String, Value>> {
        let mut words = vec!["getent"];
        if let Some(service) = &self.service {
            words.extend(["-s", service]);
        }
        words.push(&self.database);
        words.extend(self.key.as_deref());
        let command = Command::reads(words);
        let output = host.run(&command)?;
        match (output.rc, &self.key) {
            (0, _) => Ok(self.entries(&output.stdout())),
            (1, _) => Err(Failure::new(format!("there is no database `{}`", self.database)).arg("database")),
            (2, Some(key)) if self.fail_key => Err(host.missing(
                Failure::new(format!("there is no `{key}` in the database `{}`", self.database))
                    .arg("key")
                    .help("set fail_key: false where it may be absent"),
            )),
            (2, Some(key)) => Ok(Map::from_iter([(key.clone(), Value::Null)])),
            (3, _) => Err(Failure::new(format!("the database `{}` cannot be listed", self.database))
                .arg("key")
                .help("give a key")),
            _ => output.success(&command).map(|_| Map::new()),
        }
    }

    fn entries(&self, text: &str) -> Map<String, Value> {
        let colons = matches!(self.database.as_str(), "passwd" | "shadow" | "group" | "gshadow");
        let separator = self.split.as_deref().or(colons.then_some(":"));
        let mut entries = Map::new();
        for line in text.lines() {
            let mut fields: Vec<&str> = match separator {
                Some(separator) => line.split(separator).collect(),
                None => line.split_whitespace().collect(),
            };
            if fields.is_empty() {
                continue;
            }
            let key = fields.remove(0).to_owned();
            // A host may have several lines: its fields are joined then.
            let entry = entries.entry(key).or_insert_with(|| Value::Array(vec![]));
            if let Value::Array(values) = entry {
                values.extend(fields.into_iter().map(Value::from));
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, run};

    fn facts(args: Value) -> Value {
        run::<This>(&RealSystem, args).result.unwrap().data["ansible_facts"].clone()
    }

    #[test]
    fn a_user_is_found() {
        let got = facts(json!({"database": "passwd", "key": "root"}));
        assert_eq!(got["getent_passwd"]["root"][1], "0");
        assert_eq!(got["getent_passwd"]["root"][4], "/root");
    }

    #[test]
    fn a_whole_database_is_listed() {
        let got = facts(json!({"database": "group"}));
        assert_eq!(got["getent_group"]["root"][1], "0");
    }

    #[test]
    fn a_missing_key_fails_or_is_null() {
        let args = json!({"database": "passwd", "key": "nobody-here"});
        let failure = run::<This>(&RealSystem, args).result.unwrap_err();
        assert_eq!(failure.arg.as_deref(), Some("key"));
        let got = facts(json!({"database": "passwd", "key": "nobody-here", "fail_key": false}));
        assert_eq!(got["getent_passwd"], json!({"nobody-here": null}));
    }

    #[test]
    fn an_unknown_database_is_named() {
        let failure = run::<This>(&RealSystem, json!({"database": "cooks"})).result.unwrap_err();
        assert_eq!(failure.msg, "there is no database `cooks`");
    }

    #[test]
    fn an_account_of_a_dry_run_is_found() {
        let overlay = Overlay::empty();
        Fixture::new(&overlay).file("/usr/sbin/groupadd", "");
        run::<crate::group::This>(&overlay, json!({"name": "etcd", "gid": 1501})).result.unwrap();
        let got = run::<This>(&overlay, json!({"database": "group", "key": "etcd"}));
        let got = got.result.unwrap();
        assert_eq!(got.data["ansible_facts"]["getent_group"]["etcd"][1], "1501");
    }
}
