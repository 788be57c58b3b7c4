//! Asks how a job (`async`) is.

use rplay_api::{Args, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};
use serde_json::{Map, Value, json};

use crate::jobs;

/// The `async_status` module.
pub struct This;

/// Arguments of `async_status`.
#[derive(Debug, Args)]
pub struct AsyncStatusArgs {
    /// The job: `ansible_job_id` of the task that began it.
    jid: String,
    /// Ask for the job, or take its report away.
    #[arg(default = Mode::Status)]
    mode: Mode,
    /// Where its report is kept.
    _async_dir: Option<String>,
}

/// What to do with a job's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Mode {
    /// Read it.
    Status,
    /// Take it away.
    Cleanup,
}

impl Module for This {
    type Args = AsyncStatusArgs;

    const DOC: Doc = Doc {
        name: "async_status",
        aliases: &[],
        summary: "Asks how a job is that was begun with async",
        description: "Once the job has ended, its result is this task's result.",
        free_form: None,
        examples: r#"
- name: Take the backup in the background
  command: /usr/local/bin/backup
  async: 3600
  poll: 0
  register: backup

- name: Wait for it
  async_status:
    jid: "{{ backup.ansible_job_id }}"
  register: ended
  until: ended is finished
  retries: 100
  delay: 10
"#,
        returns: &[
            Return { name: "ansible_job_id", doc: "The job." },
            Return { name: "finished", doc: "Whether it has ended." },
            Return { name: "started", doc: "Whether it has begun." },
            Return { name: "results_file", doc: "Its report on the host." },
        ],
    };

    fn run(args: AsyncStatusArgs, host: &Host) -> Result<Outcome> {
        let path = jobs::folder(args._async_dir.as_deref()).join(&args.jid);
        if args.jid.contains('/') || !host.exists(&path)? {
            return Err(Failure::new("could not find job")
                .arg("jid")
                .with("ansible_job_id", args.jid)
                .with("started", true)
                .with("finished", true));
        }
        if args.mode == Mode::Cleanup {
            host.remove(&path)?;
            return Ok(Outcome::new().with("ansible_job_id", args.jid).with("erased", path.to_string_lossy()));
        }
        let report: Map<String, Value> = serde_json::from_slice(&host.read(&path)?)
            .map_err(|e| Failure::new(format!("the report of the job cannot be read: {e}")))?;
        result(report, &path.to_string_lossy())
    }
}

/// The job's result as this task's own.
fn result(mut report: Map<String, Value>, path: &str) -> Result<Outcome> {
    report.insert("results_file".to_owned(), path.into());
    for name in ["stdout", "stderr"] {
        report.entry(name).or_insert_with(|| json!(""));
    }
    let changed = report.shift_remove("changed") == Some(Value::Bool(true));
    if report.shift_remove("failed") == Some(Value::Bool(true)) {
        let msg = report.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut failure = Failure::new(msg);
        failure.data = report;
        return Err(failure);
    }
    let outcome = Outcome::new().changed(changed);
    Ok(report.into_iter().fold(outcome, |outcome, (name, value)| outcome.with(&name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_job_fails_the_question_with_its_words() {
        let report = json!({"failed": true, "msg": "no", "rc": 3, "finished": true});
        let Value::Object(report) = report else { unreachable!() };
        let failure = result(report, "/r").unwrap_err();
        assert_eq!((failure.msg.as_str(), &failure.data["rc"]), ("no", &json!(3)));
    }

    #[test]
    fn a_running_job_is_not_finished() {
        let report = jobs::Written::Begun.map("j1");
        let outcome = result(report, "/r").unwrap();
        assert_eq!((&outcome.data["finished"], &outcome.data["ansible_job_id"]), (&json!(false), &json!("j1")));
    }
}
