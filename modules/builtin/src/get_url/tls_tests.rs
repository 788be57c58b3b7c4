//! Certificates, on real TLS servers.

use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::json;

use super::This;
use crate::fixture::{Fixture, Ran};

/// A real TLS server with a certificate of its own; it ends with the test.
struct TlsServer {
    process: std::process::Child,
    url: String,
}

impl TlsServer {
    fn new(dir: &Path, name: &str, years: std::ops::Range<i32>) -> Self {
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        std::fs::write(dir.join("cert"), cert.pem()).unwrap();
        std::fs::write(dir.join("key"), key.serialize_pem()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = std::process::Command::new("openssl")
            .args([
                "s_server", "-quiet", "-www", "-cert", "cert", "-key", "key", "-accept",
            ])
            .arg(format!("127.0.0.1:{port}"))
            .current_dir(dir)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self {
            process,
            url: format!("https://localhost:{port}/f"),
        }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn get_tls(name: &str, years: std::ops::Range<i32>, trusted: bool, checked: bool) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let server = TlsServer::new(dir.path(), name, years);
    let mut host = Fixture::new(&rplay_api::RealSystem);
    if trusted {
        host = host.env("SSL_CERT_FILE", dir.path().join("cert").to_str().unwrap());
    }
    host.run::<This>(json!({"url": server.url, "dest": dir.path().join("f"),
        "validate_certs": checked, "retries": 0}))
}

#[test]
fn a_trusted_server_is_believed() {
    get_tls("localhost", 2020..2040, true, true).result.unwrap();
}

#[test]
fn a_bad_certificate_is_explained() {
    let why = |name, years, trusted| get_tls(name, years, trusted, true).result.unwrap_err();
    let error = why("localhost", 2020..2040, false);
    assert!(
        error
            .msg
            .contains("authority that the target does not trust"),
        "{error}"
    );
    assert!(error.help[0].contains("SSL_CERT_FILE"), "{:?}", error.help);
    let error = why("localhost", 2020..2021, true);
    assert!(error.msg.contains("has expired"), "{error}");
    let error = why("elsewhere", 2020..2040, true);
    assert!(error.msg.contains("is for another name"), "{error}");
}

#[test]
fn a_bad_certificate_is_taken_where_the_task_says_so() {
    get_tls("elsewhere", 2020..2021, false, false)
        .result
        .unwrap();
}
