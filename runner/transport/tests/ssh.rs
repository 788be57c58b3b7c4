//! Connections to a real sshd: logging in, host keys, ways through others, and what goes wrong.

mod sshd;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rplay_transport::{Cause, ConnectError, Connector, HostKeys, SshArgs, Target};
use sshd::{Asked, Setup, Sshd, connector, image};

macro_rules! sshd {
    ($($setup:tt)*) => {
        match Sshd::start(Setup { $($setup)* ..Setup::default() }) {
            Some(sshd) => sshd,
            None => return,
        }
    };
}

async fn refused(target: &Target) -> ConnectError {
    match connector().connect(target).await {
        Ok(_) => panic!("it connected"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_command_runs_and_tells_its_end() {
    let sshd = sshd!();
    let connection = connector().connect(&sshd.target()).await.unwrap();
    let ran = connection
        .exec("cat; echo oops >&2; exit 3", Some(b"text"), false)
        .await
        .unwrap();
    assert_eq!(ran.rc, 3);
    assert_eq!(ran.stdout, b"text");
    assert_eq!(ran.stderr, b"oops\n");
    let ran = connection.exec("tty", None, true).await.unwrap();
    assert!(ran.stdout.starts_with(b"/dev/pts/"), "{ran:?}");
}

#[tokio::test]
async fn much_output_comes_whole() {
    let sshd = sshd!();
    let connection = connector().connect(&sshd.target()).await.unwrap();
    let ran = connection
        .exec("head -c 20000000 /dev/zero", None, false)
        .await
        .unwrap();
    assert_eq!(ran.stdout.len(), 20_000_000);
}

#[tokio::test]
async fn a_server_that_is_not_known_is_refused() {
    let sshd = sshd!();
    std::fs::write(sshd.file("known_hosts"), "").unwrap();
    let error = refused(&sshd.target()).await;
    assert!(
        matches!(error.cause, Cause::HostKeyUnknown { .. }),
        "{error:?}"
    );
    let name = format!("the host key of `[127.0.0.1]:{}` is not known", sshd.port);
    assert!(error.to_string().starts_with(&name), "{error}");
}

#[tokio::test]
async fn a_new_server_is_learnt_and_then_known() {
    let sshd = sshd!();
    std::fs::write(sshd.file("known_hosts"), "").unwrap();
    let learning = Target {
        host_keys: Some(HostKeys::AcceptNew),
        ..sshd.target()
    };
    connector().connect(&learning).await.unwrap();
    connector().connect(&sshd.target()).await.unwrap();
    let known = std::fs::read_to_string(sshd.file("known_hosts")).unwrap();
    assert_eq!(known.lines().count(), 1, "{known}");
}

#[tokio::test]
async fn a_changed_key_is_refused_with_what_to_do() {
    let sshd = sshd!();
    let other = std::fs::read_to_string(sshd.file("stranger.pub")).unwrap();
    let known = format!("# remark\n[127.0.0.1]:{} {other}", sshd.port);
    std::fs::write(sshd.file("known_hosts"), known).unwrap();
    let target = Target {
        host_keys: Some(HostKeys::AcceptNew),
        ..sshd.target()
    };
    let error = refused(&target).await;
    let file = sshd.file("known_hosts");
    assert!(
        error
            .to_string()
            .contains(&format!("`{}:2` has another", file.display())),
        "{error}"
    );
    let command = format!(
        "ssh-keygen -f {} -R '[127.0.0.1]:{}'",
        file.display(),
        sshd.port
    );
    assert!(
        error.help().iter().any(|line| line.ends_with(&command)),
        "{:?}",
        error.help()
    );
    // The command that the help names does what it says.
    let ran = Command::new("sh")
        .args(["-c", &command])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(ran.success());
    connector().connect(&target).await.unwrap();
}

#[tokio::test]
async fn a_host_certificate_of_a_known_authority_is_good() {
    let sshd = sshd!(certificate_for: Some("127.0.0.1"),);
    let authority = std::fs::read_to_string(sshd.file("authority.pub")).unwrap();
    std::fs::write(
        sshd.file("known_hosts"),
        format!("@cert-authority * {authority}"),
    )
    .unwrap();
    connector().connect(&sshd.target()).await.unwrap();
}

#[tokio::test]
async fn a_host_certificate_for_another_host_is_refused() {
    let sshd = sshd!(certificate_for: Some("web.lab"),);
    let authority = std::fs::read_to_string(sshd.file("authority.pub")).unwrap();
    std::fs::write(
        sshd.file("known_hosts"),
        format!("@cert-authority * {authority}"),
    )
    .unwrap();
    let error = refused(&sshd.target()).await;
    assert!(
        error
            .to_string()
            .ends_with("its certificate is for web.lab"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_is_not_accepted_is_named() {
    let sshd = sshd!();
    let stranger = sshd.file("stranger");
    let target = Target {
        private_key: Some(stranger.clone()),
        ..sshd.target_with("IdentityFile none")
    };
    std::fs::remove_file(sshd.file("key")).unwrap();
    let error = refused(&target).await;
    let text = error.to_string();
    assert!(matches!(error.cause, Cause::Auth { .. }), "{error:?}");
    assert!(
        text.contains(&format!(
            "the key `{}` was not accepted",
            stranger.display()
        )),
        "{text}"
    );
    assert!(text.contains("(the server accepts: publickey"), "{text}");
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once() {
    let sshd = sshd!();
    let asked = Arc::new(Asked("open sesame", AtomicUsize::new(0)));
    let connector = Connector::new(image(), asked.clone());
    let target = Target {
        private_key: Some(sshd.file("encrypted")),
        ..sshd.target()
    };
    let (one, two) = tokio::join!(connector.connect(&target), connector.connect(&target));
    one.unwrap();
    two.unwrap();
    assert_eq!(asked.1.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_wrong_passphrase_and_none_are_told() {
    let sshd = sshd!();
    let target = Target {
        private_key: Some(sshd.file("encrypted")),
        ..sshd.target()
    };
    std::fs::remove_file(sshd.file("key")).unwrap();
    let wrong = Connector::new(image(), Arc::new(Asked("sesame", AtomicUsize::new(0))));
    let error = wrong.connect(&target).await.err().unwrap().to_string();
    assert!(
        error.contains("the passphrase of") && error.contains("is wrong"),
        "{error}"
    );
    let error = refused(&target).await.to_string();
    assert!(
        error.contains("needs a passphrase, and none was given"),
        "{error}"
    );
}

#[tokio::test]
async fn a_key_that_others_can_read_is_not_used() {
    let sshd = sshd!();
    let chmod = Command::new("chmod")
        .arg("644")
        .arg(sshd.file("key"))
        .status()
        .unwrap();
    assert!(chmod.success());
    let error = refused(&sshd.target()).await.to_string();
    assert!(
        error.contains("is open to others (mode 0644): chmod 600"),
        "{error}"
    );
}

#[tokio::test]
async fn the_agents_keys_are_used() {
    let sshd = sshd!();
    let socket = sshd.file("agent.sock");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !socket.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let add = |key: &str| {
        let add = Command::new("ssh-add")
            .arg(sshd.file(key))
            .env("SSH_AUTH_SOCK", &socket)
            .stderr(Stdio::null())
            .status();
        assert!(add.unwrap().success());
    };
    add("stranger");
    add("key");
    std::fs::rename(sshd.file("key"), sshd.file("gone")).unwrap();
    let lines = format!("IdentityAgent {}\nIdentityFile none", socket.display());
    let connected = connector().connect(&sshd.target_with(&lines)).await;
    // Only named keys, where that is what is asked for: none is.
    std::fs::remove_file(sshd.file("key.pub")).unwrap();
    let only = format!("{lines}\nIdentitiesOnly yes");
    let only = connector().connect(&sshd.target_with(&only)).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    connected.unwrap();
    assert!(matches!(only.err().unwrap().cause, Cause::Auth { .. }));
}

#[tokio::test]
async fn hosts_behind_a_jump_host_share_it() {
    let sshd = sshd!();
    let lines = format!(
        "Host behind-*\n  HostName 127.0.0.1\n  ProxyJump root@127.0.0.1:{}",
        sshd.port
    );
    let target = |name: &str| Target {
        host: name.to_owned(),
        ..sshd.target_with(&lines)
    };
    let (one, mut two) = (target("behind-1"), target("behind-2"));
    two.ssh_args = one.ssh_args.clone();
    let connector = connector();
    let one = connector.connect(&one).await.unwrap();
    let two = connector.connect(&two).await.unwrap();
    for connection in [&one, &two] {
        assert_eq!(connection.exec("true", None, false).await.unwrap().rc, 0);
    }
    assert_eq!(sshd.connections(), 3, "the jump host, and two through it");
}

#[tokio::test]
async fn a_jump_host_that_fails_is_named() {
    let sshd = sshd!();
    let mut target = sshd.target();
    let args = SshArgs::parse("-J nobody-there.invalid").unwrap();
    target.ssh_args.options = args.options;
    let error = refused(&target).await;
    assert!(
        error
            .to_string()
            .starts_with("by way of the jump host `nobody-there.invalid`: could not resolve"),
        "{error}"
    );
}

#[tokio::test]
async fn a_proxy_command_carries_the_connection() {
    let sshd = sshd!();
    let at = sshd.folder.path().display();
    let command = format!(
        "ProxyCommand ssh -F none -o UserKnownHostsFile={at}/known_hosts -i {at}/key -p %p -W %h:%p root@%h"
    );
    let connection = connector()
        .connect(&sshd.target_with(&command))
        .await
        .unwrap();
    assert_eq!(connection.exec("true", None, false).await.unwrap().rc, 0);
    let error = refused(&sshd.target_with("ProxyCommand echo no such way >&2; exit 1")).await;
    assert!(error.to_string().ends_with("no such way"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told_apart() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let none = || SshArgs {
        config: Some("none".into()),
        ..SshArgs::default()
    };
    let target = Target {
        port: Some(port),
        ssh_args: none(),
        ..Target::ssh("127.0.0.1")
    };
    let error = refused(&target).await;
    assert_eq!(
        error.to_string(),
        format!("could not connect to `127.0.0.1:{port}`: connection refused")
    );
    let error = refused(&Target {
        ssh_args: none(),
        ..Target::ssh("no-such-host.invalid")
    })
    .await;
    assert!(matches!(error.cause, Cause::Resolve { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target {
        port: Some(listener.local_addr().unwrap().port()),
        timeout: Some(Duration::from_millis(300)),
        ssh_args: SshArgs {
            config: Some("none".into()),
            ..SshArgs::default()
        },
        ..Target::ssh("127.0.0.1")
    };
    let error = refused(&target).await;
    assert!(matches!(error.cause, Cause::Timeout { .. }), "{error:?}");
}
