//! Hosts behind a program: here `env` and `sh`, which run a command where they are.

// The steps that tests share are tests too.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rplay_transport::{
    Cause, ConnectError, Connection, Connector, Help, Image, Inside, Kind, NoFiles, NoSecrets,
    Secret, Target, Through, Word,
};
use rplay_wire::{End, Run};

fn program(program: &str, args: &[&str]) -> Through {
    Through {
        connection: "env".to_owned(),
        inside: "in the box `b`".to_owned(),
        program: program.to_owned(),
        args: args.iter().map(|a| Word::Plain((*a).to_owned())).collect(),
        environment: vec![],
        shell: "/bin/sh".to_owned(),
        timeout: None,
        help: Help {
            missing: "install it".to_owned(),
            refused: "look at it".to_owned(),
        },
    }
}

async fn connect(through: Through) -> Connection {
    let image = Image {
        gzip: rplay_payload::GZIP,
        sha256: rplay_payload::SHA256,
        arch: rplay_payload::ARCH,
    };
    let target = Target {
        name: "b".to_owned(),
        kind: Kind::Through(Arc::new(through)),
        ..Target::default()
    };
    let connector = Connector::new(image, Arc::new(NoSecrets));
    connector.connect(&target).await.unwrap()
}

/// Why a command cannot be run there: in words, what to do, and whether the host is lost.
async fn refusal(through: Through) -> (String, Vec<String>, bool) {
    let error = failure(through).await;
    (error.to_string(), error.help(), error.is_unreachable())
}

async fn failure(through: Through) -> ConnectError {
    let connection = connect(through).await;
    connection.exec("true", None, false).await.unwrap_err()
}

#[tokio::test]
async fn the_agent_comes_along_and_leaves_nothing_behind() {
    let connection = connect(program("env", &["COLOUR=blue"])).await;
    let agent = connection.agent(None).await.unwrap();
    let path = agent.hello().path.clone();
    let folder = Path::new(&path).parent().unwrap().to_owned();
    assert!(folder.exists(), "{path}");
    let args = r#"{"argv": ["/bin/sh", "-c", "echo $COLOUR"]}"#;
    let report = agent.run(Run::new("command", args.to_owned()), Arc::new(NoFiles));
    match report.await.unwrap().end {
        End::Ok { data, .. } => assert!(data.contains(r#""stdout":"blue""#), "{data}"),
        end => panic!("{end:?}"),
    }
    drop(agent);
    connection.close().await;
    assert!(!folder.exists(), "{path}");
}

#[tokio::test]
async fn what_the_program_says_first_is_no_part_of_the_output() {
    let noisy = [
        "-c",
        "echo Defaulted; echo to one >&2; exec \"$@\"",
        "kubectl",
    ];
    let connection = connect(program("sh", &noisy)).await;
    let line = "cat; echo err >&2; exit 3";
    let ran = connection.exec(line, Some(b"in\n"), false).await.unwrap();
    assert_eq!((ran.rc, &*ran.stdout), (3, &b"in\n"[..]));
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "err\n");
}

#[tokio::test]
async fn the_program_has_an_environment_of_its_own() {
    let mut through = program("env", &[]);
    let token = Secret::new("hush");
    through.environment = vec![("TOKEN".to_owned(), token)];
    let connection = connect(through).await;
    let ran = connection.exec("echo $TOKEN", None, false).await.unwrap();
    assert_eq!(ran.stdout, b"hush\n");
}

#[tokio::test]
async fn a_program_that_is_not_here_is_no_fault_of_the_host() {
    let (words, help, lost) = refusal(program("/nope/podman", &[])).await;
    assert_eq!(
        words,
        "the connection `env` needs the program `/nope/podman`, which is not here"
    );
    assert_eq!(help, ["install it"]);
    assert!(!lost);
}

#[tokio::test]
async fn a_container_that_does_not_run_is_an_unreachable_host() {
    let no = ["-c", "echo Error: no such container >&2; exit 125"];
    let (words, help, lost) = refusal(program("sh", &no)).await;
    assert_eq!(
        words,
        "could not run a shell in the box `b`: sh said: Error: no such container"
    );
    assert_eq!(help, ["look at it"]);
    assert!(lost);
}

#[tokio::test]
async fn a_program_that_says_nothing_is_told_of_by_its_end() {
    let (words, ..) = refusal(program("false", &[])).await;
    assert!(
        words.ends_with("false said: nothing, and ended with exit code 1"),
        "{words}"
    );
}

#[tokio::test]
async fn a_box_without_a_shell_is_told_apart() {
    let mut through = program("env", &[]);
    through.shell = "/nope/sh".to_owned();
    let (words, help, lost) = refusal(through).await;
    assert_eq!(words, "there is no `/nope/sh` in the box `b`");
    assert_eq!(help, ["rplay needs a shell there, and nothing else"]);
    assert!(lost);
}

#[tokio::test]
async fn a_program_that_never_begins_is_not_waited_for() {
    let mut through = program("sh", &["-c", "sleep 60"]);
    through.timeout = Some(Duration::from_millis(300));
    match failure(through).await.cause {
        Cause::Timeout { act, .. } => assert_eq!(act, "starting a shell in the box `b`"),
        cause => panic!("{cause:?}"),
    }
}

#[tokio::test]
async fn a_word_that_may_not_be_seen_shows_nowhere() {
    let mut through = program("sh", &["-c", "exit 1"]);
    through.args.push(Word::Secret(Secret::new("hush")));
    let error = failure(through).await;
    assert!(matches!(
        &error.cause,
        Cause::Through {
            why: Inside::Refused(_),
            ..
        }
    ));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn what_a_program_prints_of_a_missing_shell_may_be_its_output() {
    let no = "exec: \"/bin/sh\": stat /bin/sh: no such file or directory";
    let docker = ["-c", "echo \"$0\"; exit 126", no];
    let (words, ..) = refusal(program("sh", &docker)).await;
    assert_eq!(words, "there is no `/bin/sh` in the box `b`");
}
