//! Asks an etcd cluster how it is, and fails where it is not well.
//!
//! It runs `etcdctl -w json`, so what it returns is typed, and the table is etcdctl's own. Its
//! settings go to etcdctl as variables: a flag beside a variable of the environment is an error
//! there.

mod answer;
mod check;

use std::path::PathBuf;
use std::time::Duration;

use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Output, Result, Return};
use serde_json::Value;

use answer::{Health, Member, Status};

/// The `etcdctl` module.
pub struct This;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Question {
    /// Who is in the cluster.
    #[arg(alias = "member list")]
    MemberList,
    /// Version, size and leader as each endpoint sees them.
    #[arg(alias = "endpoint status")]
    EndpointStatus,
    /// Whether each endpoint answers.
    #[arg(alias = "endpoint health")]
    EndpointHealth,
}

impl Question {
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::MemberList => ["member", "list"],
            Self::EndpointStatus => ["endpoint", "status"],
            Self::EndpointHealth => ["endpoint", "health"],
        }
    }
}

/// Arguments of `etcdctl`.
#[derive(Debug, Args)]
pub struct EtcdctlArgs {
    /// What is asked: `member_list`, `endpoint_status` or `endpoint_health`.
    command: Question,
    /// URLs of the members to ask. Absent: etcdctl's own default, or the environment's.
    endpoints: Option<Vec<String>>,
    /// Ask every member that the cluster knows of.
    #[arg(default = false)]
    cluster: bool,
    /// The CA that signed the members' certificates.
    cacert: Option<PathBuf>,
    /// The client's certificate.
    cert: Option<PathBuf>,
    /// The client's private key.
    key: Option<PathBuf>,
    /// The program.
    #[arg(default = "etcdctl")]
    executable: String,
    /// Seconds that a question may take.
    #[arg(default = 5u32)]
    command_timeout: u32,
    /// Names or URLs of the members that must be there, and no others.
    expect_members: Option<Vec<String>>,
    /// Whether members of different versions are a failure.
    #[arg(default = true)]
    require_same_version: bool,
    /// Ask again until all is well, `retries` times.
    #[arg(default = false)]
    until_healthy: bool,
    /// How often to ask again with `until_healthy`.
    #[arg(default = 30u32)]
    retries: u32,
    /// Seconds between the questions.
    #[arg(default = 2u32)]
    delay: u32,
}

impl Module for This {
    type Args = EtcdctlArgs;

    const DOC: Doc = Doc {
        name: "etcdctl",
        aliases: &[],
        summary: "Asks an etcd cluster for its members, status or health",
        description: "It changes nothing. It fails when a member is missing, not started or \
            unhealthy, when there is no leader or more than one, or when versions differ.",
        free_form: None,
        examples: r#"
- name: Every member is healthy
  etcdctl:
    command: endpoint_health
    endpoints: ["https://192.168.6.204:2379", "https://192.168.6.205:2379"]
    cacert: /etc/etcd/ca.pem
    cert: /etc/etcd/client.pem
    key: /etc/etcd/client-key.pem
    until_healthy: true
  register: health

- name: Show them
  debug:
    msg: "{{ health.table }}"
"#,
        returns: &[
            Return { name: "members", doc: "Of `member_list`: id, name, status, peer_urls, client_urls, is_learner of each." },
            Return { name: "statuses", doc: "Of `endpoint_status`: endpoint, id, version, db_size, is_leader, is_learner, raft_term, raft_index, raft_applied_index, errors of each." },
            Return { name: "healths", doc: "Of `endpoint_health`: endpoint, health, took, error of each." },
            Return { name: "leader", doc: "Of `endpoint_status`: the leader's endpoint." },
            Return { name: "leader_id", doc: "Of `endpoint_status`: the leader's id." },
            Return { name: "version", doc: "Of `endpoint_status`: the version, where all have the same." },
            Return { name: "table", doc: "The answer as `etcdctl -w table` prints it." },
            Return { name: "attempts", doc: "How often it was asked." },
        ],
    };

    fn run(args: EtcdctlArgs, host: &Host) -> Result<Outcome> {
        let last = if args.until_healthy { args.retries } else { 0 };
        for attempt in 0.. {
            let output = host.run(&args.question("json"))?;
            match args.judge(&output, host) {
                Ok(outcome) => return Ok(outcome.changed(false).with("attempts", attempt + 1)),
                Err(failure) if failure.unknown || attempt >= last => {
                    return Err(failure.with("attempts", attempt + 1));
                }
                Err(_) => host.wait(Duration::from_secs(args.delay.into()))?,
            }
        }
        unreachable!("bug: the last attempt returns")
    }
}

impl EtcdctlArgs {
    fn judge(&self, output: &Output, host: &Host) -> Result<Outcome> {
        let table = || -> Result<String> {
            Ok(host.run(&self.question("table"))?.stdout().trim_end().to_owned())
        };
        match self.command {
            Question::MemberList => {
                let members = answer::members(&self.json(output)?)?;
                check::members(&members, self.expect_members.as_deref()).map_err(|f| told(f, output))?;
                let members: Vec<Value> = members.iter().map(Member::json).collect();
                Ok(Outcome::new().with("members", members).with("table", table()?))
            }
            Question::EndpointStatus => {
                let statuses = answer::statuses(&self.json(output)?)?;
                check::statuses(&statuses, self.asked(), self.require_same_version)
                    .map_err(|f| told(f, output))?;
                Ok(described(&statuses).with("table", table()?))
            }
            Question::EndpointHealth => {
                let healths = answer::healths(&self.json(output)?)?;
                check::healths(&healths, self.asked()).map_err(|f| told(f, output))?;
                let healths: Vec<Value> = healths.iter().map(Health::json).collect();
                Ok(Outcome::new().with("healths", healths).with("table", table()?))
            }
        }
    }

    /// The endpoints that must have answered.
    fn asked(&self) -> &[String] {
        self.endpoints.as_deref().filter(|_| !self.cluster).unwrap_or_default()
    }

    fn question(&self, format: &str) -> Command {
        let [noun, verb] = self.command.words();
        let mut words = vec![self.executable.as_str(), noun, verb, "-w", format];
        if self.cluster && self.command != Question::MemberList {
            words.push("--cluster");
        }
        let timeout = format!("--command-timeout={}s", self.command_timeout);
        words.push(&timeout);
        let mut command = Command::reads(words).env("ETCDCTL_API", "3");
        if let Some(endpoints) = &self.endpoints {
            command = command.env("ETCDCTL_ENDPOINTS", endpoints.join(","));
        }
        for (name, path) in [("CACERT", &self.cacert), ("CERT", &self.cert), ("KEY", &self.key)] {
            if let Some(path) = path {
                command = command.env(format!("ETCDCTL_{name}"), path);
            }
        }
        command
    }

    /// The answer; etcdctl prints what it has even where it fails.
    fn json(&self, output: &Output) -> Result<Value> {
        let text = output.stdout();
        let answer = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(answer) = answer.filter(|a| a.is_object() || a.is_array()) {
            return Ok(answer);
        }
        let [noun, verb] = self.command.words();
        let asked = self.endpoints.as_deref().unwrap_or_default().join(", ");
        let failure = Failure::new(format!("`etcdctl {noun} {verb}` got no answer: {}", reason(output)));
        Err(told(failure, output).help(format!("asked were: {asked}")))
    }
}

fn described(statuses: &[Status]) -> Outcome {
    let leader = statuses.iter().find(|s| s.is_leader());
    let versions: std::collections::BTreeSet<&str> = statuses.iter().map(|s| s.version.as_str()).collect();
    let version = versions.first().filter(|_| versions.len() == 1).copied();
    Outcome::new()
        .with("statuses", statuses.iter().map(Status::json).collect::<Vec<_>>())
        .with("leader", leader.map(|s| s.endpoint.clone()))
        .with("leader_id", statuses.first().map(|s| answer::hex(s.leader)))
        .with("version", version)
}

/// Adds what etcdctl said to a failure.
fn told(failure: Failure, output: &Output) -> Failure {
    let failure = match (output.rc, reason(output)) {
        (0, _) => failure,
        (_, words) if words.is_empty() || failure.msg.contains(&words) => failure,
        (_, words) => failure.help(format!("etcdctl says: {words}")),
    };
    failure.with("rc", output.rc).with("stderr", output.stderr())
}

/// The last plain words on standard error, which is mostly a log in JSON.
fn reason(output: &Output) -> String {
    let stderr = output.stderr();
    let plain = stderr.lines().rev().find(|l| !l.trim().is_empty() && !l.starts_with('{'));
    let logged = || {
        let line = stderr.lines().rev().find_map(|l| serde_json::from_str::<Value>(l).ok())?;
        Some(line.get("error")?.as_str()?.to_owned())
    };
    let cause = logged();
    match (plain, cause) {
        (Some(plain), Some(cause)) => format!("{} ({cause})", plain.trim_start_matches("Error: ")),
        (Some(plain), None) => plain.trim_start_matches("Error: ").to_owned(),
        (None, cause) => cause.unwrap_or_default(),
    }
}
