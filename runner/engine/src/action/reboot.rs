//! Reboots a host, and waits until it is back.
//!
//! That a host answers again does not tell that it went down in between: what tells is its boot id,
//! which is another one after each boot. The connection and the agent are lost on the way, and made
//! anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt};
use rplay_api::{Args, Doc, Return};
use rplay_playbook::Keyword;
use rplay_transport::{Kind, NoFiles};
use rplay_wire::{End, Run as Request};
use serde_json::{Map, Value as Json, json};

use super::{Action, Call, settled};
use crate::links::Broken;
use crate::prepare::Place;
use crate::result::TaskResult;

/// How long one command may take that only asks.
const QUESTION: Duration = Duration::from_secs(30);
/// The first pause between two tries, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "reboot",
        aliases: &[],
        summary: "Reboots a host, and waits until it is back",
        description: "It is back when it has another boot id and `test_command` succeeds. A host that is \
            the controller itself is refused.",
        free_form: None,
        examples: r#"
- name: A new kernel wants a reboot
  reboot:
    reboot_timeout: 900
  become: true

- reboot:
    reboot_command: systemctl reboot
    test_command: systemctl is-active etcd
"#,
        returns: &[
            Return {
                name: "rebooted",
                doc: "whether it was rebooted",
            },
            Return {
                name: "elapsed",
                doc: "how many seconds it took",
            },
        ],
    },
    spec: RebootArgs::spec,
    run,
};

/// Arguments of `reboot`.
#[derive(Args)]
struct RebootArgs {
    /// A command that prints something else after each boot.
    #[arg(default = "cat /proc/sys/kernel/random/boot_id")]
    boot_time_command: String,
    /// Seconds that one try to connect may take.
    #[arg(alias = "connect_timeout_sec")]
    connect_timeout: Option<u64>,
    /// What logged-in users are told.
    #[arg(default = "Reboot initiated by rplay")]
    msg: String,
    /// Seconds to wait between the command and the first look.
    #[arg(default = 0_u64, alias = "post_reboot_delay_sec")]
    post_reboot_delay: u64,
    /// Seconds that the host waits before it goes down, in whole minutes.
    #[arg(default = 0_u64, alias = "pre_reboot_delay_sec")]
    pre_reboot_delay: u64,
    /// The command that reboots; absent: `shutdown -r`. A name without `/` is looked for in
    /// `search_paths`.
    reboot_command: Option<String>,
    /// Seconds to wait for the host to be back, and again for `test_command`.
    #[arg(default = 600_u64, alias = "reboot_timeout_sec")]
    reboot_timeout: u64,
    /// The folders on the host in which the program is looked for.
    #[arg(default = search_paths())]
    search_paths: Vec<String>,
    /// A command that succeeds when the host is ready.
    #[arg(default = "whoami")]
    test_command: String,
}

fn search_paths() -> Vec<String> {
    let paths = ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"];
    paths.map(str::to_owned).to_vec()
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move { settled(reboot(call).await) }.boxed()
}

async fn reboot(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: RebootArgs = call.args()?;
    let run = call.run;
    let place = run
        .place(call.context, call.host, call.vars)
        .map_err(|d| run.failure(&d))?;
    if place.target.kind == Kind::Local {
        let words = "Running reboot with local connection would reboot the control node.";
        return Err(told(TaskResult::failed(words), false, 0));
    }
    if run.keyword_is(
        Keyword::CheckMode,
        call.host,
        call.context,
        run.options.check,
    ) {
        return Ok(told(TaskResult::done(true, Map::new()), true, 0));
    }
    let host = Host { call, place, args };
    let before = host.boot_id(&host.place).await.map_err(|lost| match lost {
        Missed::Lost(result) => *result,
        Missed::Failed(why) => {
            let words = format!("failed to get host boot time info: {why}");
            told(TaskResult::failed(words), false, 0)
        }
    })?;
    let command = host.command().await?;
    let begun = Instant::now();
    host.go_down(&command).await.map_err(|why| {
        let words = format!("Reboot command failed, error was: {why}");
        told(TaskResult::failed(words), false, begun.elapsed().as_secs())
    })?;
    tokio::time::sleep(Duration::from_secs(host.args.post_reboot_delay)).await;
    let result = host.come_back(&before).await;
    let elapsed = begun.elapsed().as_secs();
    // What was connected to before is gone, whatever a socket still says.
    run.links.forget(&host.place.target);
    match result {
        Ok(()) => Ok(told(TaskResult::done(true, Map::new()), true, elapsed)),
        // It went down, or may have: that is a change.
        Err(words) => Err(told(TaskResult::failed(words), true, elapsed).with("changed", true)),
    }
}

fn told(result: TaskResult, rebooted: bool, elapsed: u64) -> TaskResult {
    result.with("rebooted", rebooted).with("elapsed", elapsed)
}

/// Why a command gave nothing.
enum Missed {
    /// The host was not reached.
    Lost(Box<TaskResult>),
    /// The command failed.
    Failed(String),
}

struct Host<'a> {
    call: Call<'a>,
    place: Place,
    args: RebootArgs,
}

impl Host<'_> {
    /// Runs a command line; what it prints.
    async fn ask(&self, place: &Place, line: &str) -> Result<String, Missed> {
        let request = Request::new("shell", json!({ "cmd": line }).to_string());
        let lost = |result: TaskResult| Missed::Lost(Box::new(result));
        let run = self.call.run;
        let asked = run.ask(place, request, Arc::new(NoFiles));
        let report = match tokio::time::timeout(QUESTION, asked).await {
            Ok(Ok(report)) => report,
            Ok(Err(Broken::Connect(error))) => {
                return Err(lost(run.no_agent(self.call.context, &error)));
            }
            Ok(Err(Broken::Lost(why, _))) => {
                return Err(lost(TaskResult::unreachable(why.to_string())));
            }
            Err(_) => {
                let words = format!("no answer within {} seconds", QUESTION.as_secs());
                return Err(lost(TaskResult::unreachable(words)));
            }
        };
        let text = |data: &str, key: &str| {
            let data: Map<String, Json> = serde_json::from_str(data).unwrap_or_default();
            data.get(key)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match report.end {
            End::Ok { data, .. } => Ok(text(&data, "stdout")),
            End::Failed { msg, data, .. } => {
                let said = [text(&data, "stdout"), text(&data, "stderr")].join(" ");
                let said = if said.trim().is_empty() { msg } else { said };
                Err(Missed::Failed(said.trim().to_owned()))
            }
            End::Unknown { why } => Err(Missed::Failed(why)),
            End::Cancelled | End::NotRun => Err(Missed::Failed("it was interrupted".to_owned())),
        }
    }

    async fn boot_id(&self, place: &Place) -> Result<String, Missed> {
        let id = self.ask(place, &self.args.boot_time_command).await?;
        match id.trim() {
            "" => Err(Missed::Failed("the command printed nothing".to_owned())),
            id => Ok(id.to_owned()),
        }
    }

    /// The command line that reboots the host.
    async fn command(&self) -> Result<String, TaskResult> {
        let Some(own) = &self.args.reboot_command else {
            // Minutes are all that it takes.
            let delay = self.args.pre_reboot_delay / 60;
            let message = quoted(&self.args.msg);
            if let Some(program) = self.found("shutdown").await? {
                return Ok(format!("{program} -r {delay} {message}"));
            }
            return match self.found("systemctl").await? {
                Some(program) => Ok(format!("{program} reboot")),
                None => Err(self.not_found("shutdown")),
            };
        };
        let (program, rest) = own.trim().split_once(' ').unwrap_or((own.trim(), ""));
        if program.contains('/') {
            return Ok(own.clone());
        }
        match self.found(program).await? {
            Some(path) => Ok(format!("{path} {rest}")),
            None => Err(self.not_found(program)),
        }
    }

    /// Where a program is on the host.
    async fn found(&self, program: &str) -> Result<Option<String>, TaskResult> {
        let folders: Vec<String> = self
            .args
            .search_paths
            .iter()
            .map(|path| quoted(path))
            .collect();
        let (folders, program) = (folders.join(" "), quoted(program));
        let line = format!(
            "for d in {folders}; do [ -x \"$d\"/{program} ] && echo \"$d\"/{program} && break; done; true"
        );
        match self.ask(&self.place, &line).await {
            Ok(path) if path.trim().is_empty() => Ok(None),
            Ok(path) => Ok(Some(quoted(path.trim()))),
            Err(Missed::Lost(result)) => Err(*result),
            Err(Missed::Failed(why)) => Err(told(TaskResult::failed(why), false, 0)),
        }
    }

    fn not_found(&self, program: &str) -> TaskResult {
        let paths = self.args.search_paths.join(", ");
        let words = format!("Unable to find command \"{program}\" in search paths: {paths}");
        told(TaskResult::failed(words), false, 0)
    }

    /// Gives the command. That the host is lost over it is what is wanted.
    async fn go_down(&self, command: &str) -> Result<(), String> {
        match self.ask(&self.place, command).await {
            Ok(_) | Err(Missed::Lost(_)) => Ok(()),
            Err(Missed::Failed(why)) if is_of_the_end(&why) => Ok(()),
            Err(Missed::Failed(why)) => Err(why),
        }
    }

    /// Waits until the host has booted, and then until it is ready.
    async fn come_back(&self, before: &str) -> Result<(), String> {
        let limit = self.args.reboot_timeout;
        let booted = self.until(|place| async move {
            match self.boot_id(&place).await {
                Ok(now) if now != before => Ok(()),
                _ => Err(()),
            }
        });
        if !booted.await {
            return Err(format!(
                "Timed out waiting for last boot time check (timeout={limit})"
            ));
        }
        let ready = self.until(|place| async move {
            let tested = self.ask(&place, &self.args.test_command).await;
            tested.map(drop).map_err(drop)
        });
        if !ready.await {
            return Err(format!(
                "Timed out waiting for post-reboot test command (timeout={limit})"
            ));
        }
        Ok(())
    }

    /// Tries over a new connection each time, until it is good or the time is up.
    async fn until<F: Future<Output = Result<(), ()>>>(&self, good: impl Fn(Place) -> F) -> bool {
        let limit = Duration::from_secs(self.args.reboot_timeout);
        let begun = Instant::now();
        let (mut pause, longest) = PAUSES;
        loop {
            let mut target = self.place.target.clone();
            if let Some(seconds) = self.args.connect_timeout {
                target.timeout = Some(Duration::from_secs(seconds));
            }
            self.call.run.links.forget(&target);
            let become_ = self.place.become_.clone();
            let left = limit.saturating_sub(begun.elapsed());
            let tried = good(Place { target, become_ });
            if let Ok(Ok(())) = tokio::time::timeout(left, tried).await {
                return true;
            }
            if begun.elapsed() + pause >= limit {
                return false;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }
}

/// A command that was killed by the shutdown it began.
fn is_of_the_end(why: &str) -> bool {
    ["signal", "SIGTERM", "Terminated"]
        .iter()
        .any(|word| why.contains(word))
}

/// A word for sh.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
