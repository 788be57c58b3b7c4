use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use rplay_api::{Failure, Outcome, Overlay, RealSystem, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, on_each_system};

/// Answers one request after the other, and keeps what was asked.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

fn read_request(reader: &mut impl BufRead) -> String {
    let mut request = String::new();
    while reader.read_line(&mut request).unwrap() > 2 {}
    let length = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    request + &String::from_utf8_lossy(&body)
}

fn write_answer(stream: &mut impl Write, answer: &str) {
    let (head, text) = answer.split_once("\n\n").unwrap_or((answer, ""));
    let head = head.replace('\n', "\r\n");
    let length = text.len();
    let whole = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}");
    stream.write_all(whole.as_bytes()).unwrap();
}

impl Server {
    fn new<const N: usize>(answers: [&'static str; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(vec![]));
        let log = seen.clone();
        let mut answers = VecDeque::from(answers);
        std::thread::spawn(move || {
            while let Some(answer) = answers.pop_front() {
                let Ok((mut stream, _)) = listener.accept() else { return };
                // Kept before it is answered: who has the answer looks for it at once.
                let request = read_request(&mut BufReader::new(&mut stream));
                log.lock().unwrap().push(request);
                write_answer(&mut stream, answer);
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn ask(system: &dyn System, args: Value) -> rplay_api::Result<Outcome> {
    Fixture::new(system).env("HOME", "/none").run::<This>(args).result
}

fn real(args: Value) -> rplay_api::Result<Outcome> {
    ask(&RealSystem, args)
}

fn failed(args: Value) -> Failure {
    real(args).unwrap_err()
}

#[test]
fn the_headers_become_keys_and_the_body_json() {
    let server = Server::new(["200 OK\nContent-Type: application/json\nX-Two: 1\nX-Two: 2\nSet-Cookie: a=1; Path=/\nSet-Cookie: b=two\n\n{\"x\": [1]}"]);
    let got = real(json!({"url": server.url})).unwrap().data;
    assert_eq!(got["json"], json!({"x": [1]}));
    assert_eq!(got["x_two"], "1, 2");
    assert_eq!(got["content_type"], "application/json");
    assert_eq!((&got["status"], &got["msg"]), (&json!(200), &json!("OK (10 bytes)")));
    assert_eq!(got["cookies"], json!({"a": "1", "b": "two"}));
    assert_eq!(got["cookies_string"], "a=1; b=two");
    assert_eq!((&got["redirected"], got.get("content")), (&json!(false), None));
}

#[test]
fn the_content_is_given_where_it_is_asked_for_and_in_its_letters() {
    let server = Server::new(["200 OK\nContent-Type: text/plain\n\nhä", "200 OK\n\n"]);
    let got = real(json!({"url": server.url, "return_content": true})).unwrap().data;
    assert_eq!(got["content"], "hä");
    let got = real(json!({"url": server.url, "method": "HEAD", "return_content": true})).unwrap();
    assert_eq!(got.data["content"], "");
}

#[test]
fn a_body_is_sent_in_its_format() {
    let server = Server::new(["200 OK", "200 OK", "200 OK", "200 OK"]);
    let post = |mut args: Value| {
        args["url"] = server.url.clone().into();
        args["method"] = "post".into();
        real(args).unwrap();
        server.seen().pop().unwrap()
    };
    let seen = post(json!({"body": {"a": 1}, "body_format": "json"}));
    assert!(seen.starts_with("POST / HTTP/1.1\r\n") && seen.ends_with("\r\n\r\n{\"a\":1}"), "{seen}");
    assert!(seen.contains("content-type: application/json\r\n"));
    let seen = post(json!({"body": {"a": "b c"}, "body_format": "form-urlencoded", "headers": {"X-N": 3}}));
    assert!(seen.ends_with("\r\n\r\na=b+c") && seen.contains("x-n: 3\r\n"), "{seen}");
    let seen = post(json!({"body": "raw", "headers": {"Content-Type": "text/x"}}));
    assert!(seen.contains("content-type: text/x\r\n") && !seen.contains("urlencoded"), "{seen}");
    let parts = json!({"t": "v", "f": {"content": "abc", "filename": "/x/a.txt"}});
    let seen = post(json!({"body": parts, "body_format": "form-multipart"}));
    assert!(seen.contains("name=\"t\"\r\n\r\nv\r\n"), "{seen}");
    assert!(seen.contains("Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nabc\r\n"), "{seen}");
}

#[test]
fn a_status_that_is_not_wanted_is_a_failure_with_the_answer_in_it() {
    let answer = "404 Not Found\nContent-Type: application/json\n\n{\"e\": 1}";
    let server = Server::new([answer, answer]);
    let got = failed(json!({"url": server.url, "return_content": true}));
    assert_eq!(got.msg, "Status code was 404 and not [200]: HTTP Error 404: Not Found");
    assert_eq!((&got.data["status"], &got.data["json"]), (&json!(404), &json!({"e": 1})));
    assert_eq!(got.data["content"], "{\"e\": 1}");
    let got = real(json!({"url": server.url, "status_code": [200, 404]})).unwrap();
    assert_eq!(got.data["status"], 404);
}

#[test]
fn no_answer_is_the_status_minus_one() {
    let url = "http://127.0.0.1:1/x";
    let got = failed(json!({"url": url}));
    assert_eq!((&got.data["status"], &got.data["url"]), (&json!(-1), &json!(url)));
    let got = real(json!({"url": url, "status_code": -1})).unwrap();
    assert_eq!(got.data["status"], -1);
}

#[test]
fn redirects_are_followed_as_the_policy_says() {
    let away = "302 Found\nLocation: /to\nSet-Cookie: s=1\n\n";
    let cases: [(&str, &str, &str); 5] = [
        ("GET", "safe", "GET /to"),
        ("POST", "safe", ""),
        ("POST", "all", "GET /to"),
        ("PUT", "urllib2", ""),
        ("GET", "none", ""),
    ];
    for (method, policy, then) in cases {
        let server = Server::new([away, "200 OK"]);
        let args = json!({"url": server.url, "method": method, "body": "x", "follow_redirects": policy, "status_code": [200, 302]});
        let got = real(args).unwrap().data;
        assert_eq!(got["redirected"], json!(!then.is_empty()), "{method} {policy}");
        let last = server.seen().pop().unwrap();
        assert!(last.starts_with(then), "{method} {policy}: {last}");
        if then.is_empty() {
            assert_eq!(got["location"], format!("{}/to", server.url));
        } else {
            assert!(last.contains("cookie: s=1\r\n"), "{last}");
        }
    }
}

#[test]
fn a_login_is_sent_once_the_server_asks_or_at_once() {
    let server = Server::new(["401 No\nWWW-Authenticate: Basic realm=\"x\"\n\n", "200 OK", "200 OK"]);
    real(json!({"url": server.url, "user": "me", "password": "pw"})).unwrap();
    real(json!({"url": server.url, "user": "me", "password": "pw", "force_basic_auth": true})).unwrap();
    let with = |s: &String| s.contains("authorization: Basic bWU6cHc=\r\n");
    assert_eq!(server.seen().iter().map(with).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn a_login_does_not_go_to_another_server() {
    let other = Server::new(["200 OK"]);
    let to = Box::leak(format!("302 Found\nLocation: {}/x\n\n", other.url).into_boxed_str());
    let server = Server::new([&*to]);
    real(json!({"url": server.url, "user": "me", "password": "pw", "force_basic_auth": true})).unwrap();
    assert!(!other.seen()[0].contains("authorization"), "{}", other.seen()[0]);
}

#[test]
fn the_body_is_written_where_it_differs() {
    on_each_system(|system, dir| {
        let text = "200 OK\nContent-Disposition: attachment; filename=\"n.txt\"\n\nhello";
        let server = Server::new([text, text, text]);
        let get = |dest: &std::path::Path| {
            let args = json!({"url": server.url, "dest": dest, "mode": "0600"});
            Fixture::new(system).env("HOME", "/none").run::<This>(args)
        };
        let got = get(dir);
        assert_eq!(got.changes.len(), 1);
        let data = got.result.unwrap().data;
        assert_eq!((&data["path"], &data["mode"]), (&json!(dir.join("n.txt")), &json!("0600")));
        assert_eq!(get(&dir.join("n.txt")).changes, []);
        assert_eq!(get(&dir.join("none/x")).result.unwrap_err().arg.as_deref(), Some("dest"));
    });
}

#[test]
fn a_socket_of_the_target_is_spoken_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut BufReader::new(&mut stream));
        write_answer(&mut stream, "200 OK\n\nhi");
    });
    let got = real(json!({"url": "http://no-such-name/", "unix_socket": path, "return_content": true}));
    assert_eq!(got.unwrap().data["content"], "hi");
}

#[test]
fn a_dry_run_reads_and_does_not_know_the_rest() {
    let server = Server::new(["200 OK\n\nx", "503 Wait"]);
    let overlay = Overlay::new(Arc::new(RealSystem));
    let got = ask(&overlay, json!({"url": server.url, "return_content": true})).unwrap();
    assert_eq!(got.data["content"], "x");
    assert!(ask(&overlay, json!({"url": server.url})).unwrap_err().unknown);
    assert!(ask(&overlay, json!({"url": server.url, "method": "POST"})).unwrap_err().unknown);
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn creates_and_removes_hold() {
    for args in [json!({"creates": "/etc/passwd"}), json!({"removes": "/none/such"})] {
        let mut args = args;
        args["url"] = "http://127.0.0.1:1/".into();
        assert!(real(args).unwrap().data["stdout"].as_str().unwrap().starts_with("skipped"));
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    assert_eq!(failed(json!({"url": "ftp://x/"})).arg.as_deref(), Some("url"));
    let url = "http://127.0.0.1:1/";
    assert_eq!(failed(json!({"url": url, "method": "B AD"})).arg.as_deref(), Some("method"));
    assert_eq!(failed(json!({"url": url, "body": {"a": 1}})).arg.as_deref(), Some("body"));
    assert_eq!(failed(json!({"url": url, "body": "a", "src": "/b"})).arg.as_deref(), Some("src"));
}

#[test]
fn a_digest_login_answers_what_the_server_asked_and_sends_no_password() {
    let server = Server::new([
        "401 NO\nWWW-Authenticate: Basic realm=\"r\"\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", opaque=\"o\"",
        "200 OK",
        "401 NO\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5",
        "401 NO\nWWW-Authenticate: Digest realm=\"r\", nonce=\"m\", algorithm=MD5",
    ]);
    let args = json!({"url": format!("{}/p?q=1", server.url), "user": "me", "password": "hidden"});
    real(args.clone()).unwrap();
    let seen = server.seen().pop().unwrap();
    let header = seen.lines().find(|line| line.starts_with("authorization: ")).unwrap().to_owned();
    for part in ["Digest username=\"me\"", "uri=\"/p?q=1\"", "qop=auth, nc=00000001", "opaque=\"o\""] {
        assert!(header.contains(part), "{header}");
    }
    assert!(!seen.contains("hidden"));
    // A login that is wrong is tried once.
    let got = failed(args);
    assert_eq!(got.data["status"], 401);
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn an_error_has_the_servers_own_words() {
    let server = Server::new(["503 GONE FISHING\n\n"]);
    assert_eq!(failed(json!({"url": server.url})).msg, "Status code was 503 and not [200]: HTTP Error 503: GONE FISHING");
}

#[test]
fn a_file_that_is_there_is_asked_for_again_only_where_it_changed() {
    on_each_system(|system, root| {
        let server = Server::new(["304 NOT MODIFIED", "200 OK\n\nnew"]);
        let dest = root.join("f");
        Fixture::new(system).file(dest.to_str().unwrap(), "old");
        let args = json!({"url": server.url, "dest": dest, "status_code": [200, 304]});
        ask(system, args.clone()).unwrap();
        assert!(server.seen()[0].contains("if-modified-since: "));
        assert_eq!(std::io::read_to_string(system.read(&dest).unwrap()).unwrap(), "old");
        let mut forced = args;
        forced["force"] = true.into();
        ask(system, forced).unwrap();
        assert!(!server.seen()[1].contains("if-modified-since: "));
        assert_eq!(std::io::read_to_string(system.read(&dest).unwrap()).unwrap(), "new");
    });
}

#[test]
fn the_old_way_of_redirects_makes_every_request_one_that_reads() {
    let server = Server::new(["302 FOUND\nLocation: /next", "200 OK\n\nhere"]);
    let args = json!({"url": server.url, "method": "HEAD", "follow_redirects": "urllib2", "return_content": true});
    assert_eq!(real(args).unwrap().data["content"], "here");
    assert!(server.seen()[1].starts_with("GET /next "));
}

#[test]
fn a_form_that_is_none_says_so_in_ansibles_words() {
    let form = |format: &str, body: Value| {
        failed(json!({"url": "http://127.0.0.1:9", "method": "POST", "body_format": format, "body": body})).msg
    };
    let words = form("form-urlencoded", json!(["foo"]));
    assert!(words.starts_with("failed to parse body as form_urlencoded: too many values to unpack"), "{words}");
    assert_eq!(
        form("form-multipart", json!({"n": 1})),
        "failed to parse body as form-multipart: value must be a string, or mapping, cannot be type int"
    );
}
