use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rplay_api::System;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::This;
use crate::fixture::{Fixture, Ran, on_each_system};

/// What the server does with one request.
#[derive(Clone)]
enum Act {
    /// A status without a body.
    Status(u16),
    /// The body whole, with these headers; ranges are heeded.
    Whole(&'static str),
    /// Headers for the whole body, then as many bytes of it and no more.
    Cut(usize),
    /// The whole body whatever range is asked for.
    NoRange,
    /// It is elsewhere: at this path.
    Moved(&'static str),
    /// A part where it was not asked for: another version of the file.
    Other,
}

/// Serves one body, each request by the next act.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(body: Vec<u8>, acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(vec![]));
        let mut acts: VecDeque<Act> = acts.into_iter().collect();
        let log = seen.clone();
        std::thread::spawn(move || {
            while let Some(act) = acts.pop_front() {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                answer(stream, &body, &act, &log);
            }
        });
        Self { url, seen }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The requests' lines, in lowercase.
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, body: &[u8], act: &Act, log: &Mutex<Vec<String>>) {
    let mut request = String::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap();
        if line.is_empty() {
            break;
        }
        request.push_str(&line.to_lowercase());
        request.push('\n');
    }
    let from = request.lines().find_map(|l| {
        l.strip_prefix("range: bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    log.lock().unwrap().push(request);
    let (from, sent, headers, etag) = match act {
        Act::Status(code) => {
            let _ = write!(
                stream,
                "HTTP/1.1 {code} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            return;
        }
        Act::Moved(to) => {
            let _ = write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            return;
        }
        Act::Whole(headers) => (from, body.len(), *headers, "one"),
        Act::Cut(n) => (from, *n, "", "one"),
        Act::NoRange => (None, body.len(), "", "one"),
        Act::Other => (None, body.len(), "", "two"),
    };
    let status = match from {
        Some(at) => format!(
            "206 Partial\r\ncontent-range: bytes {at}-{}/{}",
            body.len() - 1,
            body.len()
        ),
        None => "200 OK".to_owned(),
    };
    let part = &body[from.unwrap_or(0)..];
    let length = part.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\netag: \"{etag}\"\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
    );
    let _ = stream.write_all(&part[..sent.min(length)]);
}

fn big() -> Vec<u8> {
    (0..400_000_u32).flat_map(|n| n.to_le_bytes()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    rplay_api::hex(&Sha256::digest(bytes))
}

fn get(system: &dyn System, args: Value) -> Ran {
    Fixture::new(system).run::<This>(args)
}

fn bytes(system: &dyn System, path: &Path) -> Vec<u8> {
    Fixture::new(system).on_host(|host| host.read(path).unwrap())
}

#[test]
fn a_file_is_downloaded_once_where_its_checksum_is_known() {
    on_each_system(|system, root| {
        let server = Server::new(big(), [Act::Whole("")]);
        let args = json!({"url": server.at("/a/big.bin"), "dest": root.join("big"),
            "checksum": format!("sha256:{}", sha256(&big())), "mode": "0600"});
        let data = get(system, args.clone()).result.unwrap().data;
        assert_eq!(data["status_code"], 200);
        assert_eq!(data["msg"], "OK (1600000 bytes)");
        assert_eq!(
            (&data["mode"], &data["size"]),
            (&json!("0600"), &json!(1_600_000))
        );
        assert_eq!(bytes(system, &root.join("big")), big());
        let again = get(system, args);
        assert_eq!(again.changes, []);
        assert_eq!(again.result.unwrap().data["msg"], "file already exists");
        assert_eq!(server.seen().len(), 1);
    });
}

#[test]
fn a_wrong_checksum_leaves_nothing_behind() {
    on_each_system(|system, root| {
        let server = Server::new(b"evil".to_vec(), [Act::Whole(""), Act::Whole("")]);
        let good = sha256(b"good");
        let args = json!({"url": server.at("/f"), "dest": root.join("f"),
            "checksum": format!("sha256:{good}"), "backup": true});
        let ran = get(system, args.clone());
        let error = ran.result.unwrap_err();
        let evil = sha256(b"evil");
        let url = server.at("/f");
        assert_eq!(
            error.msg,
            format!("the checksum of `{url}` did not match: its sha256 digest is `{evil}`, not `{good}`")
        );
        assert_eq!(ran.changes, []);
        assert!(system.read_dir(root).unwrap().is_empty());

        Fixture::new(system).file(root.join("f").to_str().unwrap(), "old");
        let ran = get(system, args);
        assert!(ran.result.is_err());
        assert_eq!(bytes(system, &root.join("f")), b"old");
        assert_eq!(system.read_dir(root).unwrap().len(), 1);
    });
}

#[test]
fn the_rest_of_a_broken_download_is_asked_for() {
    on_each_system(|system, root| {
        let server = Server::new(
            big(),
            [Act::Cut(900_000), Act::Cut(100_000), Act::Whole("")],
        );
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        get(system, args).result.unwrap();
        assert_eq!(bytes(system, &root.join("f")), big());
        let seen = server.seen();
        assert!(
            seen[1].contains("range: bytes=900000-\nif-range: \"one\""),
            "{}",
            seen[1]
        );
        assert!(seen[2].contains("range: bytes=1000000-"), "{}", seen[2]);
    });
}

#[test]
fn a_server_without_ranges_sends_it_all_again() {
    on_each_system(|system, root| {
        let server = Server::new(big(), [Act::Cut(900_000), Act::NoRange]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        get(system, args).result.unwrap();
        assert_eq!(bytes(system, &root.join("f")), big());
    });
}

#[test]
fn two_halves_of_different_files_are_not_put_together() {
    on_each_system(|system, root| {
        let server = Server::new(big(), [Act::Cut(900_000), Act::Other]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        let error = get(system, args).result.unwrap_err();
        assert!(
            error.msg.ends_with("changed while it was downloaded"),
            "{error}"
        );
        assert!(system.read_dir(root).unwrap().is_empty());
    });
}

#[test]
fn a_download_that_never_ends_is_given_up() {
    on_each_system(|system, root| {
        let server = Server::new(big(), [Act::Cut(10), Act::Cut(0), Act::Cut(0)]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f"), "retries": 1});
        let error = get(system, args).result.unwrap_err();
        assert!(
            error.msg.contains("broke off after 10 of 1600000 bytes"),
            "{error}"
        );
        assert!(system.read_dir(root).unwrap().is_empty());
    });
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    on_each_system(|system, root| {
        let server = Server::new(b"x".to_vec(), [Act::Status(503), Act::Whole("")]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        get(system, args).result.unwrap();
        assert_eq!(server.seen().len(), 2);
    });
}

#[test]
fn a_missing_file_is_not_asked_for_again() {
    on_each_system(|system, root| {
        let server = Server::new(vec![], [Act::Status(404)]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        let error = get(system, args).result.unwrap_err();
        assert_eq!(
            error.msg,
            format!("`{}` answered 404 Not Found", server.at("/f"))
        );
        assert_eq!(error.data["status_code"], 404);
    });
}

#[test]
fn a_file_that_has_not_changed_since_stays() {
    on_each_system(|system, root| {
        let server = Server::new(
            b"x".to_vec(),
            [Act::Whole(""), Act::Status(304), Act::Whole("")],
        );
        let mut args = json!({"url": server.at("/f"), "dest": root.join("f")});
        get(system, args.clone()).result.unwrap();
        let second = get(system, args.clone());
        assert_eq!(
            (
                second.result.unwrap().data["status_code"].clone(),
                second.changes
            ),
            (json!(304), vec![])
        );
        args["force"] = true.into();
        assert_eq!(get(system, args).changes, []);
        let seen = server.seen();
        assert!(seen[1].contains("if-modified-since: "), "{}", seen[1]);
        assert!(!seen[2].contains("if-modified-since: "), "{}", seen[2]);
    });
}

#[test]
fn in_a_folder_the_server_names_the_file() {
    on_each_system(|system, root| {
        let named = "content-disposition: attachment; filename=\"real.tgz\"\r\n";
        let server = Server::new(b"x".to_vec(), [Act::Whole(named), Act::Whole("")]);
        let args = json!({"url": server.at("/a/name.tgz?v=1"), "dest": root});
        let data = get(system, args.clone()).result.unwrap().data;
        assert_eq!(
            data["dest"],
            root.join("real.tgz").to_string_lossy().as_ref()
        );
        let data = get(system, args).result.unwrap().data;
        assert_eq!(
            data["dest"],
            root.join("name.tgz").to_string_lossy().as_ref()
        );
    });
}

#[test]
fn the_digest_is_looked_up_in_a_list() {
    on_each_system(|system, root| {
        let list = format!("{}  other\n{} *f.tgz\n", sha256(b"y"), sha256(b"x"));
        let lists = Server::new(list.into(), [Act::Whole(""), Act::Whole("")]);
        let server = Server::new(b"x".to_vec(), [Act::Whole("")]);
        let args = json!({"url": server.at("/f.tgz"), "dest": root.join("f"),
            "checksum": format!("sha256:{}", lists.at("/SUMS"))});
        get(system, args.clone()).result.unwrap();
        assert_eq!(get(system, args).changes, []);
    });
}

#[test]
fn headers_and_login_are_sent() {
    on_each_system(|system, root| {
        let server = Server::new(b"x".to_vec(), [Act::Whole("")]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f"),
            "headers": {"X-Key": "k"}, "url_username": "me", "url_password": "pass"});
        get(system, args).result.unwrap();
        let seen = &server.seen()[0];
        assert!(seen.contains("x-key: k\n"), "{seen}");
        assert!(
            seen.contains("authorization: basic bwu6cgfzcw==\n"),
            "{seen}"
        );
    });
}

#[test]
fn headers_are_held_back_from_where_a_redirect_leads() {
    on_each_system(|system, root| {
        let acts = [Act::Moved("/there"), Act::Whole("")];
        let server = Server::new(b"x".to_vec(), acts);
        let args = json!({"url": server.at("/f"), "dest": root.join("f"),
            "headers": {"X-Key": "k", "X-Other": "o"}, "unredirected_headers": ["x-key"]});
        let ran = get(system, args).result.unwrap();
        assert_eq!(ran.data["url"], server.at("/there"));
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(seen[0].contains("x-key: k\n") && seen[0].contains("x-other: o\n"));
        assert!(!seen[1].contains("x-key") && seen[1].contains("x-other: o\n"));
    });
}

#[test]
fn the_login_of_netrc_is_for_its_own_server() {
    on_each_system(|system, root| {
        let netrc = root.join("netrc").to_string_lossy().into_owned();
        let ask = |machine: &str, use_netrc: bool| {
            let server = Server::new(b"x".to_vec(), [Act::Whole("")]);
            let host = Fixture::new(system).env("NETRC", &netrc).env("HOME", "/none");
            host.file(&netrc, &format!("machine {machine} login me password pass\n"));
            let args = json!({"url": server.at("/f"), "dest": root.join("f"), "force": true,
                "use_netrc": use_netrc});
            host.run::<This>(args).result.unwrap();
            server.seen()[0].contains("authorization: basic bwu6cgfzcw==\n")
        };
        assert!(ask("127.0.0.1", true));
        assert!(!ask("127.0.0.1", false));
        assert!(!ask("other.example", true));
    });
}

/// A proxy for one connection: it opens the way, and then is the server itself.
fn proxy() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        write!(stream, "HTTP/1.1 200 Connected\r\n\r\n").unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx").unwrap();
        first
    });
    (url, asked)
}

#[test]
fn the_proxy_of_the_environment_is_asked() {
    on_each_system(|system, root| {
        let (url, asked) = proxy();
        let args = json!({"url": "http://example.invalid/f", "dest": root.join("f")});
        let host = Fixture::new(system).env("http_proxy", &url);
        host.run::<This>(args.clone()).result.unwrap();
        assert_eq!(asked.join().unwrap(), "CONNECT example.invalid:80 HTTP/1.1");

        let own = Server::new(b"x".to_vec(), [Act::Whole("")]);
        let host = Fixture::new(system)
            .env("http_proxy", "http://127.0.0.1:1")
            .env("no_proxy", "127.0.0.1");
        let args = json!({"url": own.at("/f"), "dest": root.join("g")});
        host.run::<This>(args).result.unwrap();
    });
}

#[test]
fn a_packed_body_is_unpacked() {
    on_each_system(|system, root| {
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(b"hello").unwrap();
        let packed = gzip.finish().unwrap();
        let head = "content-encoding: gzip\r\n";
        let server = Server::new(packed, [Act::Whole(head), Act::Whole(head)]);
        let args = json!({"url": server.at("/f"), "dest": root.join("f")});
        get(system, args).result.unwrap();
        assert_eq!(bytes(system, &root.join("f")), b"hello");
        let args = json!({"url": server.at("/f"), "dest": root.join("g"), "decompress": false});
        get(system, args).result.unwrap();
        assert_eq!(bytes(system, &root.join("g"))[..2], [0x1f, 0x8b]);
    });
}

#[test]
fn a_file_of_the_target_is_taken_too() {
    on_each_system(|system, root| {
        Fixture::new(system).file(root.join("a b").to_str().unwrap(), "x");
        let url = format!("file://{}/a%20b", root.display());
        get(system, json!({"url": url, "dest": root.join("f")}))
            .result
            .unwrap();
        assert_eq!(bytes(system, &root.join("f")), b"x");
    });
}

#[test]
fn ftp_is_refused_in_words() {
    on_each_system(|system, root| {
        let args = json!({"url": "ftp://h/f", "dest": root.join("f")});
        let error = get(system, args).result.unwrap_err();
        assert_eq!(error.msg, "`ftp://h/f`: FTP is not spoken here");
    });
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    on_each_system(|system, root| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/f", silent.local_addr().unwrap());
        let args = json!({"url": url, "dest": root.join("f"), "timeout": 0.2, "retries": 0});
        let error = get(system, args).result.unwrap_err();
        assert_eq!(
            error.msg,
            format!("could not get `{url}`: no answer in time")
        );
    });
}
