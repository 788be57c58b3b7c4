//! The agent on a host: how it gets there, what it does at once, and how it ends.

// The steps that tests share are tests too.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod sshd;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rplay_transport::{
    AgentClient, Become, BecomeFault, Cause, Connection, Method, NoFiles, Ran, Target,
};
use rplay_wire::{End, Report, Run};
use sshd::{Setup, Sshd, connector};

macro_rules! sshd {
    ($($setup:tt)*) => {
        match Sshd::start(Setup { $($setup)* ..Setup::default() }) {
            Some(sshd) => sshd,
            None => return,
        }
    };
}

fn command(line: &str) -> Run {
    let args = format!(r#"{{"argv": ["/bin/sh", "-c", "{line}"]}}"#);
    Run::new("command", args)
}

async fn run(agent: &Arc<AgentClient>, line: &str) -> Report {
    agent.run(command(line), Arc::new(NoFiles)).await.unwrap()
}

async fn connect(sshd: &Sshd) -> Connection {
    connector().connect(&sshd.target()).await.unwrap()
}

async fn shell(connection: &Connection, line: &str) -> String {
    let Ran { stdout, stderr, .. } = connection.exec(line, None, false).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&stderr), "");
    String::from_utf8(stdout).unwrap().trim().to_owned()
}

/// Waits until a process is gone from the host.
async fn gone(pid: u32) -> bool {
    for _ in 0..300 {
        if !std::path::Path::new(&format!("/proc/{pid}")).exists() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn the_agent_is_sent_once_and_kept_in_memory_only() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let agent = connection.agent(None).await.unwrap();
    assert_eq!(agent.hello().uid, 0);
    assert!(
        agent.hello().path.starts_with("/dev/shm/rplay-0/agent-"),
        "{:?}",
        agent.hello()
    );
    let before = shell(&connection, "stat -c '%i %A %U' /dev/shm/rplay-0/*").await;
    assert!(before.ends_with(" -rwxr-xr-x root"), "{before}");
    let second = connect(&sshd).await;
    second.agent(None).await.unwrap();
    assert_eq!(
        shell(&second, "stat -c '%i %A %U' /dev/shm/rplay-0/*").await,
        before
    );
    assert_eq!(
        shell(&second, "find /root /run -newer /dev/shm/rplay-0 -type f").await,
        ""
    );
}

#[tokio::test]
async fn agents_of_other_versions_are_removed() {
    let sshd = sshd!(before: "mkdir -m 711 /dev/shm/rplay-0; touch /dev/shm/rplay-0/agent-old;",);
    let connection = connect(&sshd).await;
    connection.agent(None).await.unwrap();
    assert_eq!(shell(&connection, "ls /dev/shm/rplay-0 | wc -l").await, "1");
}

#[tokio::test]
async fn what_a_login_shell_prints_is_skipped() {
    let sshd =
        sshd!(before: "echo 'echo welcome; seq 1 2000; echo -n no newline' >/root/.bashrc;",);
    let agent = connect(&sshd).await.agent(None).await.unwrap();
    assert_eq!(agent.hello().uid, 0);
}

#[tokio::test]
async fn a_login_shell_that_runs_nothing_is_told() {
    let sshd = sshd!(config: "ForceCommand echo go away; exit 1",);
    let error = connect(&sshd).await.agent(None).await.err().unwrap();
    let text = "the agent did not start: the shell ended with exit code 1 and said `go away`";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn a_host_without_gzip_takes_the_agent_as_it_is() {
    let sshd = sshd!(before: "mount --bind /dev/null $(readlink -f $(command -v gzip));",);
    connect(&sshd).await.agent(None).await.unwrap();
}

#[tokio::test]
async fn memory_that_is_noexec_is_passed_over() {
    let sshd = sshd!(before: "mount -o remount,noexec /dev/shm;",);
    let connection = connect(&sshd).await;
    let agent = connection.agent(None).await.unwrap();
    assert!(
        agent.hello().path.starts_with("/root/.cache/rplay/agent-"),
        "{:?}",
        agent.hello()
    );
    assert_eq!(
        shell(&connection, "ls -A /dev/shm/rplay-0").await,
        "",
        "nothing is left behind"
    );
    // The second start finds it at once.
    connect(&sshd).await.agent(None).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_another_user_made_is_not_used() {
    let list = "mkdir -p /root/trap; stat -c %A /root/trap; ls -lAnR /dev/shm /root/trap";
    for trap in [
        "mkdir -m 777 /root/trap; ln -s /root/trap /dev/shm/rplay-0;",
        "mkdir -m 755 /dev/shm/rplay-0; chown 65534 /dev/shm/rplay-0;",
        "mkdir -m 770 /dev/shm/rplay-0; chmod g+w /dev/shm/rplay-0;",
    ] {
        let sshd = sshd!(before: trap,);
        let connection = connect(&sshd).await;
        let before = shell(&connection, list).await;
        let agent = connection.agent(None).await.unwrap();
        assert!(
            agent.hello().path.starts_with("/root/.cache/rplay/"),
            "{trap} {:?}",
            agent.hello()
        );
        let after = shell(&connection, list).await;
        assert_eq!(before, after, "{trap}");
    }
}

#[tokio::test]
async fn a_host_with_no_place_for_it_is_told_each() {
    let sshd = sshd!(before: "for d in /dev/shm /root /tmp; do mount --bind $d $d; \
        mount -o remount,bind,noexec $d; done;",);
    let error = connect(&sshd).await.agent(None).await.err().unwrap();
    let text = error.to_string();
    for place in ["/dev/shm/rplay-0", "/root/.cache/rplay", "/tmp/rplay-0"] {
        let why = format!("`{place}` cannot run programs: it may be mounted noexec");
        assert!(text.contains(&why), "{text}");
    }
    let _ = std::fs::remove_dir("/tmp/rplay-0");
}

#[tokio::test]
async fn another_machine_is_refused_by_name() {
    let sshd = sshd!(
        before: "mkdir /run/bin; printf '#!/bin/sh\\necho Linux riscv64\\n' >/run/bin/uname; chmod +x /run/bin/uname;",
        config: "SetEnv PATH=/run/bin:/usr/bin:/bin",
    );
    let error = connect(&sshd).await.agent(None).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the agent does not run on `Linux` on `riscv64`"
    );
}

#[tokio::test]
async fn requests_run_at_once_and_a_dropped_one_is_killed() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let agent = connection.agent(None).await.unwrap();
    let start = Instant::now();
    let (one, two) = tokio::join!(run(&agent, "sleep 1"), run(&agent, "sleep 1"));
    assert!(matches!(
        (one.end, two.end),
        (End::Ok { .. }, End::Ok { .. })
    ));
    assert!(
        start.elapsed() < Duration::from_millis(1900),
        "{:?}",
        start.elapsed()
    );
    let long = agent.run(command("echo $$ >/run/pid; sleep 60"), Arc::new(NoFiles));
    assert!(
        tokio::time::timeout(Duration::from_millis(500), long)
            .await
            .is_err()
    );
    let pid = shell(&connection, "cat /run/pid").await.parse().unwrap();
    assert!(gone(pid).await);
    assert!(matches!(run(&agent, "true").await.end, End::Ok { .. }));
}

#[tokio::test]
async fn a_killed_agent_is_told_and_replaced() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let agent = connection.agent(None).await.unwrap();
    let kill = format!("sleep 0.3; kill -9 {}", agent.hello().pid);
    let running = agent.run(command("sleep 60"), Arc::new(NoFiles));
    let (lost, _) = tokio::join!(running, connection.exec(&kill, None, false));
    assert_eq!(
        lost.unwrap_err().to_string(),
        "lost the agent: it was killed by SIGKILL"
    );
    let next = connection.agent(None).await.unwrap();
    assert_ne!(next.hello().pid, agent.hello().pid);
    assert!(matches!(run(&next, "true").await.end, End::Ok { .. }));
}

#[tokio::test]
async fn a_cut_connection_ends_the_agent_and_what_it_runs() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let agent = connection.agent(None).await.unwrap();
    let pid = agent.hello().pid;
    // The parent of the agent is the server's process for this connection.
    let cut = format!("sleep 0.3; kill -9 $(ps -o ppid= -p {pid})");
    let running = agent.run(
        command("echo $$ >/run/pid; exec sleep 60"),
        Arc::new(NoFiles),
    );
    let other = connect(&sshd).await;
    let (lost, _) = tokio::join!(running, other.exec(&cut, None, false));
    let lost = lost.unwrap_err();
    assert_eq!(
        lost.to_string(),
        "lost the agent: it lost its connection: the server closed it"
    );
    assert!(gone(pid).await, "the agent is still there");
    let child = shell(&other, "cat /run/pid").await.parse().unwrap();
    assert!(gone(child).await, "its command is still there");
    assert!(connection.is_closed());
}

#[tokio::test]
async fn a_host_that_stops_answering_is_lost() {
    let sshd = sshd!();
    let lines = "ServerAliveInterval 1\nServerAliveCountMax 2";
    let connection = connector().connect(&sshd.target_with(lines)).await.unwrap();
    let agent = connection.agent(None).await.unwrap();
    let other = connect(&sshd).await;
    let server = format!("ps -o ppid= -p {}", agent.hello().pid);
    let server = shell(&other, &server).await;
    shell(&other, &format!("kill -STOP {server}")).await;
    let lost = agent
        .run(command("true"), Arc::new(NoFiles))
        .await
        .unwrap_err();
    assert_eq!(
        lost.to_string(),
        "lost the agent: it lost its connection: the host stopped answering"
    );
    shell(&other, &format!("kill -KILL {server}")).await;
}

#[tokio::test]
async fn many_hosts_at_once() {
    let sshd = sshd!(config: "MaxStartups 200:30:300\nMaxSessions 200",);
    let target = sshd.target();
    connect(&sshd).await.agent(None).await.unwrap();
    let connector = Arc::new(connector());
    let start = Instant::now();
    let hosts = (0..40).map(|_| {
        let (connector, target) = (connector.clone(), target.clone());
        tokio::spawn(async move {
            let connection = connector.connect(&target).await.unwrap();
            let agent = connection.agent(None).await.unwrap();
            let report = agent.run(command("true"), Arc::new(NoFiles)).await.unwrap();
            assert!(matches!(report.end, End::Ok { .. }), "{report:?}");
            (connection, agent)
        })
    });
    let mut kept = vec![];
    for host in hosts.collect::<Vec<_>>() {
        kept.push(host.await.unwrap());
    }
    assert_eq!(sshd.connections(), 40);
    println!("40 hosts in {:?}", start.elapsed());
}

#[tokio::test]
async fn a_dropped_agent_ends() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let pid = connection.agent(None).await.unwrap().hello().pid;
    drop(connection);
    assert!(gone(pid).await);
}

#[tokio::test]
async fn another_user_has_an_agent_of_its_own() {
    let sshd = sshd!();
    let connection = connect(&sshd).await;
    let nobody = Become {
        method: Method::Su,
        user: "nobody".to_owned(),
        ..Become::root()
    };
    let agent = connection.agent(Some(&nobody)).await.unwrap();
    assert_eq!(agent.hello().uid, 65534);
    let again = connection.agent(Some(&nobody)).await.unwrap();
    assert!(Arc::ptr_eq(&agent, &again));
    assert_eq!(connection.agent(None).await.unwrap().hello().uid, 0);
}

#[tokio::test]
async fn a_missing_become_program_is_told() {
    let sshd = sshd!();
    let doas = Become {
        method: Method::Doas,
        ..Become::root()
    };
    let error = connect(&sshd).await.agent(Some(&doas)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "could not become `root`: there is no `doas`"
    );
    assert!(!error.is_unreachable());
    let why = Cause::Become {
        method: Method::Doas,
        user: "root".to_owned(),
        why: BecomeFault::NoProgram("doas".to_owned()),
    };
    assert_eq!(error.cause, why);
}

#[tokio::test]
async fn the_controller_itself_runs_the_same_agent() {
    let connection = connector().connect(&Target::local()).await.unwrap();
    let agent = connection.agent(None).await.unwrap();
    assert!(matches!(run(&agent, "true").await.end, End::Ok { .. }));
    let pid = agent.hello().pid;
    drop((agent, connection));
    assert!(gone(pid).await);
}
