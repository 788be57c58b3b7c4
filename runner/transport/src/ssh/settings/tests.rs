//! Each case is one configuration file and what comes of it for the host `web`.

use super::*;
use crate::ssh::config::{Config, Folders, Subject};
use crate::{Secret, SshArgs};

fn local() -> Local {
    Local {
        home: "/home/me".into(),
        user: "me".to_owned(),
        host: "desk.office".to_owned(),
        agent: Some("/run/agent".into()),
    }
}

fn settings(text: &str, target: &Target) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    let folders = Folders {
        home: folder.path(),
        base: folder.path(),
    };
    let config = Config::read(&file, folders).unwrap();
    let mut found = Found::default();
    found.look_up(
        &config,
        Subject {
            host: &target.host,
            local_user: "me",
        },
    );
    Settings::new(target, &found, &local()).map_err(|e| e.to_string())
}

fn web(text: &str) -> Settings {
    settings(text, &Target::ssh("web")).unwrap()
}

#[test]
fn nothing_said_is_what_ssh_does() {
    let web = web("");
    assert_eq!(
        (web.host.as_str(), web.port, web.user.as_str()),
        ("web", 22, "me")
    );
    assert_eq!(web.host_keys, HostKeys::Strict);
    assert_eq!(web.route, Route::Direct);
    assert_eq!(web.timeout, Duration::from_secs(10));
    assert!(
        web.identity
            .files
            .contains(&PathBuf::from("/home/me/.ssh/id_ed25519"))
    );
    assert_eq!(
        web.known_hosts[0],
        PathBuf::from("/home/me/.ssh/known_hosts")
    );
}

#[test]
fn tokens_stand_for_what_is_known() {
    let text = "HostName %h.lab\nUser ops\nPort 2222\nIdentityFile ~/.ssh/%r@%h\nIdentityFile %d/%n-%p-%u-%L%%\n";
    let web = web(text);
    assert_eq!(web.host, "web.lab");
    let files: Vec<_> = web
        .identity
        .files
        .iter()
        .map(|f| f.to_str().unwrap())
        .collect();
    assert_eq!(
        files,
        ["/home/me/.ssh/ops@web.lab", "/home/me/web-2222-me-desk%"]
    );
}

#[test]
fn the_target_comes_before_the_file() {
    let target = Target {
        port: Some(7),
        user: Some("root".to_owned()),
        private_key: Some("~/key".into()),
        timeout: Some(Duration::from_secs(3)),
        host_keys: Some(HostKeys::AcceptNew),
        password: Some(Secret::new("x")),
        ssh_args: SshArgs::default(),
        ..Target::ssh("web")
    };
    let text = "User ops\nPort 22\nConnectTimeout 60\nStrictHostKeyChecking no\nIdentityFile /k\n";
    let web = settings(text, &target).unwrap();
    assert_eq!(
        (web.port, web.user.as_str(), web.timeout.as_secs()),
        (7, "root", 3)
    );
    assert_eq!(web.host_keys, HostKeys::AcceptNew);
    assert_eq!(
        web.identity.files,
        [PathBuf::from("/home/me/key"), PathBuf::from("/k")]
    );
}

#[test]
fn jumps_come_before_commands() {
    let jump = |text| web(text).route;
    assert_eq!(
        jump("ProxyJump a,me@b:22\n"),
        Route::Jump(vec!["a".to_owned(), "me@b:22".to_owned()])
    );
    assert_eq!(
        jump("ProxyJump none\nProxyCommand nc %h %p\n"),
        Route::Direct
    );
    assert_eq!(
        jump("ProxyCommand nc '%h' %p\n"),
        Route::Command("nc 'web' 22".to_owned())
    );
    assert_eq!(jump("ProxyCommand none\n"), Route::Direct);
}

#[test]
fn times_have_units() {
    for (text, secs) in [
        ("5", 5),
        ("5s", 5),
        ("1m30s", 90),
        ("1m30", 90),
        ("2h", 7200),
    ] {
        assert_eq!(
            web(&format!("ConnectTimeout {text}\n")).timeout.as_secs(),
            secs,
            "{text}"
        );
    }
}

#[test]
fn mistakes_name_their_line() {
    for (text, words) in [
        ("User x\nPort many\n", ":2: `many` is no number for `port`"),
        (
            "StrictHostKeyChecking maybe\n",
            ":1: `StrictHostKeyChecking` is yes, accept-new, ask or no, not `maybe`",
        ),
        ("IdentityFile %x\n", ":1: `%x` stands for nothing here"),
        (
            "ConnectTimeout soon\n",
            ":1: `soon` is no time for `connecttimeout`",
        ),
    ] {
        let error = settings(text, &Target::ssh("web")).unwrap_err();
        assert!(error.ends_with(words), "{error}");
    }
}
