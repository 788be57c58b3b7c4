use std::io::Write;
use std::net::TcpListener;

use rplay_api::{Overlay, RealSystem};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, run};

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn a_listening_port_is_started() {
    let (listener, port) = listener();
    let got = run::<This>(&RealSystem, json!({"port": port, "timeout": 2})).result.unwrap();
    assert_eq!((&got.data["elapsed"], got.changed), (&json!(0), Some(false)));
    let stopped = json!({"port": port, "timeout": 1, "state": "stopped", "msg": "taken"});
    assert_eq!(run::<This>(&RealSystem, stopped).result.unwrap_err().msg, "taken");
    drop(listener);
    let stopped = json!({"port": port, "timeout": 2, "state": "stopped"});
    assert!(run::<This>(&RealSystem, stopped).result.is_ok());
}

#[test]
fn the_delay_is_added_to_a_plain_wait() {
    let got = run::<This>(&RealSystem, json!({"timeout": 1, "delay": 1})).result.unwrap();
    assert!(got.data["elapsed"].as_u64().unwrap() >= 2, "{:?}", got.data);
}

#[test]
fn a_port_that_opens_later_is_waited_for() {
    let (first, port) = listener();
    drop(first);
    let late = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(300));
        TcpListener::bind(("127.0.0.1", port)).unwrap()
    });
    let got = run::<This>(&RealSystem, json!({"port": port, "timeout": 20}));
    assert!(got.result.is_ok(), "{:?}", got.result);
    drop(late.join().unwrap());
}

#[test]
fn a_greeting_is_searched() {
    let (listener, port) = listener();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail\r\nSSH-2.0-thing\r\n").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
    });
    let args = json!({"port": port, "search_regex": r"^SSH-(?P<version>[\d.]+)-(\w+)"});
    let got = run::<This>(&RealSystem, args).result.unwrap();
    assert_eq!(got.data["match_groups"], json!(["2.0", "thing"]));
    assert_eq!(got.data["match_groupdict"], json!({"version": "2.0"}));
    server.join().unwrap();
}

#[test]
fn connections_to_a_port_are_drained() {
    let (listener, port) = listener();
    let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let drains = |more: Value| {
        let mut args = json!({"port": port, "state": "drained", "timeout": 1});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        run::<This>(&RealSystem, args).result.is_ok()
    };
    assert!(!drains(json!({})));
    assert!(drains(json!({"exclude_hosts": ["127.0.0.1"]})));
    assert!(drains(json!({"active_connection_states": ["TIME_WAIT"]})));
    assert!(drains(json!({"host": "127.0.0.2"})));
    drop((client, listener));
}

#[test]
fn a_file_and_its_text_are_seen_in_a_dry_run_too() {
    let overlay = Overlay::empty();
    Fixture::new(&overlay).file("/run/app.log", "starting\nready for 3\n");
    for args in [
        json!({"path": "/run/app.log", "delay": 5}),
        json!({"path": "/run/app.log", "search_regex": r"^ready for \d$"}),
        json!({"path": "/run/app.log", "search_regex": "^never", "state": "absent"}),
        json!({"path": "/run/other", "state": "absent"}),
        json!({"timeout": 300}),
    ] {
        assert!(run::<This>(&overlay, args.clone()).result.is_ok(), "{args}");
    }
}

#[test]
fn a_dry_run_does_not_wait() {
    let got = run::<This>(&Overlay::empty(), json!({"path": "/run/app.log"}));
    assert!(got.result.unwrap_err().unknown);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (args, arg) in [
        (json!({"port": 1, "path": "/x"}), "path"),
        (json!({"path": "/x", "state": "drained"}), "state"),
        (json!({"search_regex": "x"}), "search_regex"),
        (json!({"path": "/x", "search_regex": "("}), "search_regex"),
        (json!({"port": 1, "state": "drained", "active_connection_states": "IDLE"}), "active_connection_states"),
    ] {
        let got = run::<This>(&RealSystem, args).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some(arg));
    }
}
