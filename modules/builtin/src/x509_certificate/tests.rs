//! The certificates are judged by openssl.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rplay_api::{RealSystem, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::This;
use crate::fixture::{Ran, run};
use crate::x509_ca;

struct Pki(TempDir);

impl Pki {
    fn new() -> Self {
        let pki = Self(tempfile::tempdir().unwrap());
        pki.ca(json!({})).result.unwrap();
        pki
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn ca(&self, more: Value) -> Ran {
        let args = json!({
            "path": self.path("ca.pem"), "privatekey_path": self.path("ca-key.pem"),
            "csr_path": self.path("ca.csr"), "common_name": "etcd CA",
            "subject": {"C": "CN", "L": "Shanghai", "ST": "cloud-atlas"},
        });
        run::<x509_ca::This>(&RealSystem, merged(args, more))
    }

    fn server(&self, more: Value) -> Ran {
        let args = json!({
            "path": self.path("server.pem"), "privatekey_path": self.path("server-key.pem"),
            "csr_path": self.path("server.csr"),
            "ca_path": self.path("ca.pem"), "ca_privatekey_path": self.path("ca-key.pem"),
            "common_name": "priv k8s etcd", "subject": {"C": "CN", "L": "Shanghai", "ST": "cloud-atlas"},
            "hosts": ["etcd.staging.huatai.me", "192.168.6.204", "127.0.0.1", "::1"],
            "usages": ["signing", "key encipherment", "server auth", "client auth"],
            "validity": "87600h",
        });
        run::<This>(&RealSystem, merged(args, more))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn openssl(&self, args: &str) -> (bool, String) {
        let output = Command::new("openssl").args(args.split(' ')).current_dir(self.0.path()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }
}

fn merged(mut args: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        args[key] = value.clone();
    }
    args
}

fn reason(ran: Ran) -> Option<String> {
    let data = ran.result.unwrap().data;
    data.get("reason").map(|why| why.as_str().unwrap().to_owned())
}

#[test]
fn openssl_accepts_a_server_certificate() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    for purpose in ["sslserver", "sslclient"] {
        let (ok, text) = pki.openssl(&format!("verify -x509_strict -purpose {purpose} -CAfile ca.pem server.pem"));
        assert!(ok, "{text}");
    }
    let (ok, text) = pki.openssl("verify -x509_strict -CAfile ca.pem ca.pem");
    assert!(ok, "{text}");
    let (_, text) = pki.openssl("x509 -in server.pem -noout -text");
    for part in [
        "DNS:etcd.staging.huatai.me, IP Address:192.168.6.204, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        "Digital Signature, Key Encipherment",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "C = CN, ST = cloud-atlas, L = Shanghai, CN = priv k8s etcd",
        "CA:FALSE",
        "prime256v1",
    ] {
        assert!(text.replace("C=", "C = ").contains(part) || text.contains(part), "{part} is not in {text}");
    }
    let (_, text) = pki.openssl("x509 -in ca.pem -noout -text");
    assert!(text.contains("Certificate Sign, CRL Sign") && text.contains("CA:TRUE"), "{text}");
}

#[test]
fn openssl_accepts_the_requests() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    for csr in ["ca.csr", "server.csr"] {
        let (ok, text) = pki.openssl(&format!("req -in {csr} -noout -verify -subject"));
        assert!(ok && text.contains("verify OK"), "{text}");
    }
    let (_, text) = pki.openssl("req -in server.csr -noout -text");
    assert!(text.contains("DNS:etcd.staging.huatai.me"), "{text}");
}

#[test]
fn a_client_certificate_is_for_clients_alone() {
    let pki = Pki::new();
    let usages = json!({"hosts": [], "usages": ["signing", "key encipherment", "client auth"]});
    pki.server(usages).result.unwrap();
    assert!(pki.openssl("verify -purpose sslclient -CAfile ca.pem server.pem").0);
    assert!(!pki.openssl("verify -purpose sslserver -CAfile ca.pem server.pem").0);
}

#[test]
fn a_second_run_changes_nothing() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    let files = ["ca.pem", "ca-key.pem", "ca.csr", "server.pem", "server-key.pem", "server.csr"];
    let before: Vec<_> = files.iter().map(|f| pki.bytes(f)).collect();
    let (ca, server) = (pki.ca(json!({})), pki.server(json!({})));
    assert_eq!((ca.changes.len(), server.changes.len()), (0, 0));
    assert_eq!((reason(ca), reason(server)), (None, None));
    let after: Vec<_> = files.iter().map(|f| pki.bytes(f)).collect();
    assert_eq!(before, after);
}

#[test]
fn what_is_asked_for_anew_is_issued_anew_with_the_same_key() {
    for (more, why) in [
        (json!({"hosts": ["127.0.0.1"]}), "its names differ"),
        (json!({"common_name": "other"}), "its subject differs"),
        (json!({"usages": ["signing", "server auth", "client auth"]}), "its key usages differ"),
        (json!({"usages": ["signing", "key encipherment"]}), "its extended usages differ"),
        (json!({"renew_before": "87599h"}), "it is about to expire"),
    ] {
        let pki = Pki::new();
        pki.server(json!({})).result.unwrap();
        let (key, serial) = (pki.bytes("server-key.pem"), pki.openssl("x509 -in server.pem -noout -serial").1);
        let again = more.get("renew_before").is_some();
        let validity = if again { json!({"validity": "87600h"}) } else { json!({}) };
        if again {
            // A certificate with two hours left, of those that were asked for.
            pki.server(json!({"validity": "2h", "force": true})).result.unwrap();
            assert_eq!(reason(pki.server(json!({"renew_before": "3h"}))), Some(why.to_owned()));
            continue;
        }
        assert_eq!(reason(pki.server(merged(more, validity))), Some(why.to_owned()));
        assert_eq!(pki.bytes("server-key.pem"), key);
        assert_ne!(pki.openssl("x509 -in server.pem -noout -serial").1, serial);
        assert!(pki.openssl("verify -CAfile ca.pem server.pem").0);
    }
}

#[test]
fn the_order_of_names_does_not_matter() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    let hosts = json!({"hosts": ["::1", "127.0.0.1", "192.168.6.204", "etcd.staging.huatai.me"]});
    assert_eq!(reason(pki.server(hosts)), None);
}

#[test]
fn another_type_of_key_is_a_new_key() {
    for (word, text) in [("ecdsa-p384", "secp384r1"), ("ed25519", "ED25519")] {
        let pki = Pki::new();
        pki.server(json!({})).result.unwrap();
        assert_eq!(reason(pki.server(json!({"key_type": word}))), Some("its key is new".into()));
        assert!(pki.openssl("x509 -in server.pem -noout -text").1.contains(text));
        assert!(pki.openssl("verify -CAfile ca.pem server.pem").0);
    }
}

#[test]
fn a_key_of_openssl_is_used() {
    let pki = Pki::new();
    assert!(pki.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out server-key.pem").0);
    let key = pki.bytes("server-key.pem");
    pki.server(json!({})).result.unwrap();
    assert_eq!(pki.bytes("server-key.pem"), key);
    assert!(pki.openssl("verify -CAfile ca.pem server.pem").0);
}

#[test]
fn a_key_that_is_not_the_certificates_gets_a_new_certificate() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    assert!(pki.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out server-key.pem").0);
    assert_eq!(reason(pki.server(json!({}))), Some("its key is another".into()));
    assert!(pki.openssl("verify -CAfile ca.pem server.pem").0);
}

#[test]
fn a_new_ca_signs_anew() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    pki.ca(json!({"force": true})).result.unwrap();
    assert_eq!(reason(pki.server(json!({}))), Some("its CA did not sign it".into()));
    assert!(pki.openssl("verify -CAfile ca.pem server.pem").0);
}

#[test]
fn a_renewed_ca_keeps_its_key_and_what_it_signed_stays_good() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    let key = pki.bytes("ca-key.pem");
    assert_eq!(reason(pki.ca(json!({"path_length": 1}))), Some("its constraints as a CA differ".into()));
    assert_eq!(pki.bytes("ca-key.pem"), key);
    assert!(pki.openssl("verify -x509_strict -CAfile ca.pem server.pem").0);
    assert_eq!(reason(pki.server(json!({}))), None);
}

#[test]
fn the_ca_of_openssl_signs_too() {
    let pki = Pki(tempfile::tempdir().unwrap());
    let (ok, text) = pki.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca-key.pem -out ca.pem -days 3650 -subj /C=CN/O=Old/CN=old-ca",
    );
    assert!(ok, "{text}");
    pki.server(json!({})).result.unwrap();
    let (ok, text) = pki.openssl("verify -purpose sslserver -CAfile ca.pem server.pem");
    assert!(ok, "{text}");
    assert_eq!(reason(pki.server(json!({}))), None);
}

#[test]
fn keys_are_for_their_owner_and_in_no_result() {
    let pki = Pki::new();
    let ran = pki.server(json!({}));
    for key in ["ca-key.pem", "server-key.pem"] {
        let mode = fs::metadata(pki.path(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{key}");
    }
    let key = String::from_utf8(pki.bytes("server-key.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    assert!(!format!("{:?} {:?}", ran.result, ran.changes).contains(secret));
    fs::set_permissions(pki.path("server-key.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let again = pki.server(json!({}));
    assert_eq!(again.changes.len(), 1);
    assert_eq!(again.changes[0].after.as_ref().unwrap()["mode"], "0600");
}

fn refused(result: Result<rplay_api::Outcome>) -> (String, String) {
    let failure = result.unwrap_err();
    (failure.msg, failure.arg.unwrap_or_default())
}

#[test]
fn what_cannot_sign_is_refused_with_the_reason() {
    let pki = Pki::new();
    pki.server(json!({})).result.unwrap();
    let has = |more: Value, words: &str, arg: &str| {
        let (msg, at) = refused(pki.server(more).result);
        assert!(msg.contains(words) && at == arg, "{msg} at {at}");
    };
    has(json!({"ca_path": pki.path("none.pem")}), "there is no CA certificate", "ca_path");
    has(json!({"ca_path": pki.path("server.pem"), "ca_privatekey_path": pki.path("server-key.pem")}), "of no CA", "ca_path");
    has(json!({"ca_privatekey_path": pki.path("server-key.pem")}), "is not that of the CA", "ca_path");
    has(json!({"ca_privatekey_path": pki.path("none.pem")}), "there is no private key", "ca_privatekey_path");
    has(json!({"hosts": ["1.2.3.400"]}), "no IP address", "hosts");
    has(json!({"usages": ["cooking"]}), "no usage", "usages");
    has(json!({"validity": "ten years"}), "no length of time", "validity");
    has(json!({"validity": "1h", "renew_before": "2h"}), "every run", "renew_before");
    has(json!({"common_name": "", "subject": {}}), "needs a subject", "common_name");
    has(json!({"subject": {"C": "China"}}), "not two letters", "country");
    fs::write(pki.path("server.pem"), "rubbish").unwrap();
    has(json!({}), "no certificate in PEM", "path");
    fs::write(pki.path("server-key.pem"), "rubbish").unwrap();
    fs::remove_file(pki.path("server.pem")).unwrap();
    has(json!({}), "no private key in PEM", "privatekey_path");
}

#[test]
fn an_expired_ca_is_refused() {
    let pki = Pki::new();
    pki.ca(json!({"force": true, "validity": "0s"})).result.unwrap();
    let (msg, _) = refused(pki.server(json!({})).result);
    assert!(msg.contains("expired on"), "{msg}");
    assert_eq!(reason(pki.ca(json!({}))), Some("it is about to expire".into()));
    pki.server(json!({})).result.unwrap();
}

#[test]
fn a_ca_without_its_key_is_not_made_anew() {
    let pki = Pki::new();
    fs::remove_file(pki.path("ca-key.pem")).unwrap();
    let (msg, arg) = refused(pki.ca(json!({})).result);
    assert!(msg.contains("there is no private key") && arg == "privatekey_path", "{msg}");
    assert!(Path::new(&pki.path("ca.pem")).exists());
    assert!(!Path::new(&pki.path("ca-key.pem")).exists());
}

#[test]
fn a_key_in_an_old_format_says_how_to_convert_it() {
    let pki = Pki::new();
    assert!(pki.openssl("ecparam -name prime256v1 -genkey -noout -out server-key.pem").0);
    let failure = pki.server(json!({})).result.unwrap_err();
    assert!(failure.help[0].contains("openssl pkcs8 -topk8"), "{failure:?}");
}

#[test]
fn a_certificate_that_outlives_its_ca_is_warned_of() {
    let pki = Pki::new();
    let ran = pki.server(json!({"validity": "20y"}));
    assert!(ran.warnings[0].contains("outlive"), "{:?}", ran.warnings);
}
