//! One limit of a user or group, as pam_limits hands them out at a login.
//!
//! A line is found by its domain, type and item; its own comment stays, and so does every other line. A
//! file whose last line has no end gets one: Ansible writes the new limit behind that line's last word.

use std::path::PathBuf;

use rplay_api::{Args, Choice, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return};

use crate::content::Content;
use crate::placement::Placement;
use crate::text_edit::{bare, lines};

/// The `pam_limits` module.
pub struct This;

/// Arguments of `pam_limits`.
#[derive(Debug, Args)]
pub struct PamLimitsArgs {
    /// A user, `@group`, `*` or a range of numbers.
    domain: String,
    /// Whether a program may go over it for a while.
    limit_type: LimitType,
    /// What is limited.
    limit_item: Item,
    /// The limit: a number from 0, or `unlimited`, `infinity` or `-1`; of `nice` and `priority` a number
    /// from -20 to 19.
    value: String,
    /// A larger limit that is there already stays.
    #[arg(default = false)]
    use_max: bool,
    /// A smaller limit that is there already stays.
    #[arg(default = false)]
    use_min: bool,
    /// The file.
    #[arg(default = "/etc/security/limits.conf")]
    dest: PathBuf,
    /// What is said of the limit, behind it.
    #[arg(default = "")]
    comment: String,
    /// Keep a copy of the old file, with the time in its name.
    #[arg(default = false)]
    backup: bool,
}

/// Whether a program may go over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum LimitType {
    /// It may not.
    Hard,
    /// It may, as far as the hard one.
    Soft,
    /// Both are the same.
    #[arg(name = "-")]
    Both,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum Item {
    /// The size of a core file.
    Core,
    /// The size of data.
    Data,
    /// The size of a file.
    Fsize,
    /// What is locked in memory.
    Memlock,
    /// Open files.
    Nofile,
    /// What is in memory.
    Rss,
    /// The size of the stack.
    Stack,
    /// Minutes of processor time.
    Cpu,
    /// Processes.
    Nproc,
    /// The size of the address space.
    As,
    /// Logins of the user.
    Maxlogins,
    /// Logins of all users.
    Maxsyslogins,
    /// The priority that processes begin with.
    Priority,
    /// Locks of files.
    Locks,
    /// Signals that wait.
    Sigpending,
    /// What is in message queues.
    Msgqueue,
    /// How nice a process may become.
    Nice,
    /// The priority in real time.
    Rtprio,
    /// The folder that / is.
    Chroot,
}

impl Module for This {
    type Args = PamLimitsArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "pam_limits",
        aliases: &["community.general.pam_limits"],
        summary: "Limits of users and groups (limits.conf)",
        description: "",
        free_form: None,
        examples: r#"
- name: Many open files for joe
  pam_limits:
    domain: joe
    limit_type: soft
    limit_item: nofile
    value: 64000

- name: Locked memory has no limit
  pam_limits:
    domain: "@audio"
    limit_type: "-"
    limit_item: memlock
    value: unlimited
    comment: for the sound server
"#,
        returns: &[
            Return { name: "msg", doc: "The limit's line as it is now." },
            Return { name: "backup_file", doc: "The copy of the old file." },
        ],
    };

    fn run(args: PamLimitsArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let old = if host.exists(&args.dest)? { host.read(&args.dest)? } else { vec![] };
        let mut all = lines(&old);
        let limits = all.iter().enumerate().filter_map(|(at, line)| Some((at, Limit::parse(bare(line))?)));
        let found = limits.filter(|(_, limit)| args.is_of(limit)).map(|(at, limit)| (at, limit.value.to_owned(), limit.comment.to_owned())).next_back();
        let line = match found {
            Some((at, value, comment)) if args.stays(&value) => {
                let line = all.get(at).cloned().unwrap_or_default();
                let same = args.comment.is_empty() || comment == args.marked();
                if same {
                    return Ok(Outcome::new().with("msg", String::from_utf8_lossy(bare(&line)).into_owned()));
                }
                let line = args.line(&value, &comment);
                all[at] = ended(&line);
                line
            }
            Some((at, _, comment)) => {
                let line = args.line(&args.value, &comment);
                all[at] = ended(&line);
                line
            }
            None => {
                let line = args.line(&args.value, "");
                if let Some(last) = all.last_mut().filter(|last| !last.ends_with(b"\n")) {
                    last.push(b'\n');
                }
                all.push(ended(&line));
                line
            }
        };
        let placement = Placement {
            dest: &args.dest,
            args: &FileArgs::default(),
            backup: args.backup,
            follow: true,
            validate: None,
        };
        let placed = placement.put(host, &Content::Bytes(all.concat()))?;
        let outcome = Outcome::new().with("msg", line);
        Ok(match placed.backup {
            Some(copy) => outcome.with("backup_file", copy.to_string_lossy()),
            None => outcome,
        })
    }
}

fn ended(line: &str) -> Vec<u8> {
    format!("{line}\n").into_bytes()
}

/// A line of the file.
struct Limit<'a> {
    words: [&'a str; 3],
    value: &'a str,
    /// With its `#`.
    comment: &'a str,
}

impl<'a> Limit<'a> {
    /// Nothing where the line is none.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let (limit, comment) = line.find('#').map_or((line, ""), |at| line.split_at(at));
        let words: Vec<&str> = limit.split_whitespace().collect();
        let [domain, kind, item, value] = words.as_slice() else {
            return None;
        };
        Some(Self { words: [domain, kind, item], value, comment: comment.trim() })
    }
}

/// Words for no limit.
const UNLIMITED: [&str; 3] = ["unlimited", "infinity", "-1"];

impl PamLimitsArgs {
    fn check(&self) -> Result<()> {
        if self.use_max && self.use_min {
            return Err(Failure::new("Cannot use use_min and use_max at the same time.").arg("use_min"));
        }
        let value = &self.value;
        let number = value.parse::<i64>().ok();
        let is_nice = matches!(self.limit_item, Item::Nice | Item::Priority);
        let may = match is_nice {
            true => "Value must be a number in the range -20 to 19 inclusive.",
            false => "Value must either be 'unlimited', 'infinity' or -1, all of which indicate no limit, or a limit of 0 or larger.",
        };
        let fits = match is_nice {
            true => number.is_some_and(|number| (-20..=19).contains(&number)),
            false => UNLIMITED.contains(&value.as_str()) || number.is_some_and(|number| number >= 0) || self.limit_item == Item::Chroot,
        };
        if fits {
            return Ok(());
        }
        let item = self.limit_item.word();
        Err(Failure::new(format!("Value of '{value}' for item '{item}' is invalid. {may} Refer to the limits.conf(5) manual pages for more details.")).arg("value"))
    }

    fn is_of(&self, limit: &Limit) -> bool {
        limit.words == [self.domain.as_str(), self.limit_type.word(), self.limit_item.word()]
    }

    /// Whether a limit that is there stays.
    fn stays(&self, there: &str) -> bool {
        let amount = |value: &str| match UNLIMITED.contains(&value) && !matches!(self.limit_item, Item::Nice | Item::Priority) {
            true => Some(i64::MAX),
            false => value.parse::<i64>().ok(),
        };
        match (amount(there), amount(&self.value)) {
            (Some(there), Some(wanted)) if self.use_max => there >= wanted,
            (Some(there), Some(wanted)) if self.use_min => there <= wanted,
            _ => there == self.value,
        }
    }

    fn marked(&self) -> String {
        format!("#{}", self.comment)
    }

    fn line(&self, value: &str, comment: &str) -> String {
        let limit = [&self.domain, self.limit_type.word(), self.limit_item.word(), value].join("\t");
        let comment = if self.comment.is_empty() { comment.to_owned() } else { self.marked() };
        if comment.is_empty() { limit } else { format!("{limit}\t{comment}") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::{on_each_system, run};

    const OLD: &str = "# c\n*\tsoft\tnofile\t1024\n*  hard nofile 2048   # keep\njoe - nproc 100\n#joe soft core 0\n@grp\thard\tcore\tunlimited\nbad line\n# End";

    /// What a call leaves of the file, and its message; nothing where it changes nothing.
    fn after(args: Value) -> Option<(String, String)> {
        let result = std::cell::RefCell::new(None);
        on_each_system(|system, dir| {
            let path = dir.join("limits.conf");
            crate::fixture::Fixture::new(system).file(path.to_str().unwrap(), OLD);
            let mut all = json!({"dest": path, "domain": "*", "limit_type": "soft", "limit_item": "nofile"});
            all.as_object_mut().unwrap().extend(args.as_object().unwrap().clone());
            let ran = run::<This>(system, all);
            let msg = ran.result.unwrap().data["msg"].as_str().unwrap().to_owned();
            let text = crate::fixture::Fixture::new(system).on_host(|host| host.read_text(&path).unwrap());
            *result.borrow_mut() = (!ran.changes.is_empty()).then_some((text, msg));
        });
        result.into_inner()
    }

    #[test]
    fn a_limit_takes_the_place_of_the_one_that_is_there() {
        let (text, msg) = after(json!({"limit_type": "hard", "value": "4096"})).unwrap();
        assert_eq!(text, OLD.replace("*  hard nofile 2048   # keep", "*\thard\tnofile\t4096\t# keep"));
        assert_eq!(msg, "*\thard\tnofile\t4096\t# keep");
        let args = json!({"domain": "joe", "limit_type": "-", "limit_item": "nproc", "value": "unlimited", "comment": "no limit"});
        assert!(after(args).unwrap().0.contains("joe\t-\tnproc\tunlimited\t#no limit\n"));
    }

    #[test]
    fn a_limit_that_is_not_there_is_the_last_line() {
        let (text, _) = after(json!({"domain": "joe", "limit_item": "core", "value": "0"})).unwrap();
        assert_eq!(text, format!("{OLD}\njoe\tsoft\tcore\t0\n"));
    }

    #[test]
    fn what_is_there_already_changes_nothing() {
        assert_eq!(after(json!({"value": "1024"})), None);
        assert_eq!(after(json!({"value": "10", "use_max": true})), None);
        assert!(after(json!({"value": "10", "use_min": true})).unwrap().0.contains("*\tsoft\tnofile\t10\n"));
        let grp = |more: Value| {
            let mut args = json!({"domain": "@grp", "limit_type": "hard", "limit_item": "core"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            after(args)
        };
        assert_eq!(grp(json!({"value": "5", "use_max": true})), None);
        assert!(grp(json!({"value": "5", "use_min": true})).is_some());
    }

    #[test]
    fn a_value_that_is_no_limit_is_told() {
        for (item, value, words) in [
            ("core", "abc", "Value must either be 'unlimited'"),
            ("nice", "50", "in the range -20 to 19"),
            ("nice", "unlimited", "in the range -20 to 19"),
        ] {
            let args = json!({"domain": "z", "limit_type": "hard", "limit_item": item, "value": value, "dest": "/nowhere"});
            let failure = run::<This>(&rplay_api::RealSystem, args).result.unwrap_err();
            assert!(failure.msg.contains(words), "{}", failure.msg);
            assert_eq!(failure.arg.as_deref(), Some("value"));
        }
    }
}
