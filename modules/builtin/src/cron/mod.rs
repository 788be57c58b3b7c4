//! Jobs and variables of cron.
//!
//! A job is found again by the comment above it, `#Ansible: NAME`, as Ansible writes it: crontabs
//! of both can be managed by either. A user's crontab goes through `crontab`, which checks it and
//! tells cron; a file of /etc/cron.d is a file.

mod store;
mod table;

use std::path::Path;

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return, WrittenPath};

use store::Store;
use table::Table;

/// The `cron` module.
pub struct This;

/// Arguments of `cron`.
#[derive(Debug, Args)]
pub struct CronArgs {
    /// The name of the job, which stands in a comment above it; or that of the variable.
    name: String,
    /// The command, or the variable's value.
    #[arg(alias = "value")]
    job: Option<String>,
    /// Whether it should be there.
    #[arg(default = State::Present)]
    state: State,
    /// Whose crontab; with `cron_file`, as whom the job runs.
    user: Option<String>,
    /// A file of its own in place of a user's crontab; its name alone means one in /etc/cron.d.
    cron_file: Option<WrittenPath>,
    /// The minute: `0-59`, `*`, `*/5`, ...
    #[arg(default = "*")]
    minute: String,
    /// The hour: `0-23`, ...
    #[arg(default = "*")]
    hour: String,
    /// The day of the month: `1-31`, ...
    #[arg(default = "*", alias = "dom")]
    day: String,
    /// The month: `1-12`, `JAN-DEC`, ...
    #[arg(default = "*")]
    month: String,
    /// The day of the week: `0-6`, `SUN-SAT`, ...
    #[arg(default = "*", alias = "dow")]
    weekday: String,
    /// A word in place of the times.
    special_time: Option<Special>,
    /// Leave the job there, but commented out.
    #[arg(default = false)]
    disabled: bool,
    /// Manage a variable, not a job.
    #[arg(default = false)]
    env: bool,
    /// The variable after which a new one goes; absent: the top.
    insertafter: Option<String>,
    /// The variable before which a new one goes.
    insertbefore: Option<String>,
    /// Keep a copy of the old crontab in /tmp.
    #[arg(default = false)]
    backup: bool,
}

/// Whether it should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum State {
    /// It should.
    Present,
    /// It should not.
    Absent,
}

/// A time that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Special {
    /// At the start of the system.
    Reboot,
    /// Once a year.
    Yearly,
    /// Once a year.
    Annually,
    /// Once a month.
    Monthly,
    /// Once a week.
    Weekly,
    /// Once a day.
    Daily,
    /// Once an hour.
    Hourly,
}

impl Module for This {
    type Args = CronArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "cron",
        aliases: &[],
        summary: "Makes sure that a job of cron is there, or is not",
        description: "A job is found again by its name, in a comment above it. Names and comments \
            are those that Ansible writes.",
        free_form: None,
        examples: r#"
- name: A backup each night
  cron:
    name: backup
    hour: "2"
    minute: "30"
    job: /usr/local/bin/backup > /dev/null
    user: backup

- name: In a file of its own, with a variable
  cron:
    name: MAILTO
    env: true
    job: ops@example.com
    user: root
    cron_file: app

- name: After each start
  cron:
    name: warm up
    special_time: reboot
    job: /usr/local/bin/warm-up
    user: app
    cron_file: app
"#,
        returns: &[
            Return { name: "jobs", doc: "The names of all jobs that have one." },
            Return { name: "envs", doc: "The names of all variables." },
            Return { name: "cron_file", doc: "The file, as it was given." },
            Return { name: "backup_file", doc: "The copy of the old crontab." },
            Return { name: "state", doc: "`absent` where the file is gone with its last job." },
        ],
    };

    fn run(args: CronArgs, host: &Host) -> Result<Outcome> {
        args.check(host)?;
        let store = Store::new(args.cron_file.as_ref().map(|f| f.0.as_path()), args.user.as_deref(), host)?;
        let old = store.read()?;
        let mut table = Table::parse(&old);
        args.put(&mut table)?;
        let mut outcome = Outcome::new();
        let mut new = table.text();
        if args.cron_file.is_some() && args.state == State::Absent && new.trim().is_empty() {
            new.clear();
        }
        if new != old {
            if args.backup && !old.is_empty() {
                outcome = outcome.with("backup_file", store.backup(&old)?);
            }
            store.write(&old, &new)?;
        }
        if let Some(file) = &args.cron_file {
            outcome = outcome.with("cron_file", file.0.to_string_lossy());
            if new.is_empty() && new != old {
                return Ok(outcome.with("state", "absent"));
            }
        }
        Ok(outcome.with("jobs", table.jobs()).with("envs", table.variables()))
    }
}

impl CronArgs {
    fn check(&self, host: &Host) -> Result<()> {
        let wrong = |arg: &str, why: &str| Err(Failure::new(why).arg(arg));
        if self.name.trim().is_empty() || self.name.contains('\n') {
            return wrong("name", "a job has a name of one line");
        }
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return wrong("insertbefore", "`insertafter` and `insertbefore` exclude each other");
        }
        if !self.env && (self.insertafter.is_some() || self.insertbefore.is_some()) {
            let arg = if self.insertafter.is_some() { "insertafter" } else { "insertbefore" };
            return wrong(arg, "only variables have an order: this needs env: true");
        }
        if self.cron_file.as_ref().is_some_and(|f| f.0.as_path() == Path::new("/etc/crontab")) {
            return Err(Failure::new("Will not manage /etc/crontab via cron_file, see documentation.")
                .arg("cron_file")
                .help("give the job a file of its own: its name alone means one in /etc/cron.d"));
        }
        if self.state == State::Absent {
            return Ok(());
        }
        if self.cron_file.is_some() && self.user.is_none() {
            return wrong("user", "a job in a file of its own needs the `user` that it runs as");
        }
        self.check_file_name(host);
        match &self.job {
            None => return Err(Failure::missing("job")),
            Some(job) if job.trim_matches(['\r', '\n']).contains('\n') => {
                return Err(Failure::new("the job has more than one line")
                    .arg("job")
                    .help("a crontab has one line a job: put a script on the host and run that"));
            }
            Some(_) => {}
        }
        self.check_times()
    }

    fn check_times(&self) -> Result<()> {
        for (arg, text) in self.times() {
            if self.special_time.is_some() && text != "*" {
                return Err(Failure::new(format!("`special_time` and `{arg}` exclude each other"))
                    .arg(arg)
                    .help("leave one of them out"));
            }
            let of_cron = |c: char| c.is_ascii_alphanumeric() || "*/,-~?#".contains(c);
            if text.is_empty() || !text.chars().all(of_cron) {
                return Err(Failure::new(format!("`{text}` is no time of cron"))
                    .arg(arg)
                    .help("such as `5`, `*/10`, `1-5` or `0,30`, without spaces"));
            }
        }
        Ok(())
    }

    fn times(&self) -> [(&'static str, &str); 5] {
        [
            ("minute", &self.minute),
            ("hour", &self.hour),
            ("day", &self.day),
            ("month", &self.month),
            ("weekday", &self.weekday),
        ]
    }

    /// Debian's cron passes over files whose name has a dot in it, and says nothing.
    fn check_file_name(&self, host: &Host) {
        let Some(name) = self.cron_file.as_ref().and_then(|f| f.0.file_name()) else {
            return;
        };
        let name = name.to_string_lossy();
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
            host.warn(format!(
                "cron may pass over the file `{name}`: its name has other signs than letters, \
                 digits, `-` and `_`"
            ));
        }
    }

    fn put(&self, table: &mut Table) -> Result<()> {
        let job = self.job.as_deref().unwrap_or_default().trim_matches(['\r', '\n']);
        match (self.env, self.state) {
            (true, State::Absent) => table.remove_variable(&self.name),
            (false, State::Absent) => table.remove_job(&self.name),
            (false, State::Present) => table.put_job(&self.name, &self.line(job)),
            (true, State::Present) => {
                let (after, name) = match (&self.insertafter, &self.insertbefore) {
                    (Some(name), _) => (true, Some(name)),
                    (None, before) => (false, before.as_ref()),
                };
                let at = match name {
                    None => 0,
                    Some(name) => {
                        let found = table.variable(name).ok_or_else(|| {
                            let arg = if after { "insertafter" } else { "insertbefore" };
                            Failure::new(format!("there is no variable `{name}`")).arg(arg)
                        })?;
                        found + usize::from(after)
                    }
                };
                table.put_variable(&self.name, job, at);
            }
        }
        Ok(())
    }

    /// The job's line.
    fn line(&self, job: &str) -> String {
        let times = match self.special_time {
            Some(special) => format!("@{}", special.word()),
            None => self.times().map(|(_, text)| text).join(" "),
        };
        let user = match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!("{user} "),
            _ => String::new(),
        };
        let comment = if self.disabled { "#" } else { "" };
        format!("{comment}{times} {user}{job}")
    }
}

#[cfg(test)]
mod tests;
