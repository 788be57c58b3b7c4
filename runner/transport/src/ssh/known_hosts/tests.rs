//! Keys are fixed texts; files are written into a folder of each test's own.

use super::*;

const ONE: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB94ameOcZxSj68oL94wYMzk05fkPumPYYBDMW2+BNA+";
const TWO: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOhb1Ddtz04bLgBxacBRpeghhAZVkDnZZlXb19w57he3";

fn key(text: &str) -> PublicKeyOrCertificate {
    let key = PublicKey::from_openssh(text).unwrap();
    PublicKeyOrCertificate::PublicKey {
        key,
        hash_alg: None,
    }
}

/// The verdict on key `ONE` of `web.lab`, where the file holds `text`.
fn verdict(text: &str, port: u16, policy: HostKeys) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, text).unwrap();
    Known::read("web.lab", port, &[file], &[]).judge(&key(ONE), policy)
}

#[test]
fn a_known_key_is_good() {
    for text in [
        format!("web.lab {ONE}\n"),
        format!("other,WEB.lab {ONE} a comment\n"),
        format!("*.lab {ONE}\n"),
        format!("# a remark\n\nweb.lab {TWO}\nweb.lab {ONE}\n"),
    ] {
        let verdict = verdict(&text, 22, HostKeys::Strict);
        assert!(matches!(verdict, Verdict::Good), "{text}: {verdict:?}");
    }
}

#[test]
fn another_port_is_another_name() {
    let text = format!("[web.lab]:2222 {ONE}\n");
    assert!(matches!(
        verdict(&text, 2222, HostKeys::Strict),
        Verdict::Good
    ));
    assert!(matches!(
        verdict(&text, 22, HostKeys::Strict),
        Verdict::Refused(Cause::HostKeyUnknown { .. })
    ));
}

#[test]
fn a_hashed_name_is_found() {
    let text = format!("{} {ONE}\n", hashed_name("[web.lab]:2222").unwrap());
    assert!(matches!(
        verdict(&text, 2222, HostKeys::Strict),
        Verdict::Good
    ));
    assert!(matches!(
        verdict(&text, 22, HostKeys::AcceptNew),
        Verdict::New
    ));
}

#[test]
fn a_changed_key_is_refused_with_its_line() {
    for policy in [HostKeys::Strict, HostKeys::AcceptNew] {
        match verdict(&format!("# one\nweb.lab {TWO}\n"), 22, policy) {
            Verdict::Refused(Cause::HostKeyChanged { line: 2, name, .. }) => {
                assert_eq!(name, "web.lab")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_revoked_key_is_refused_though_it_is_known() {
    let text = format!("web.lab {ONE}\n@revoked * {ONE}\n");
    assert!(matches!(
        verdict(&text, 22, HostKeys::Strict),
        Verdict::Refused(Cause::HostKeyRefused { .. })
    ));
}

#[test]
fn a_new_key_is_written_and_then_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/known_hosts");
    for hashed in [false, true] {
        let known = Known::read("web.lab", 22, std::slice::from_ref(&file), &[]);
        known.learn(&key(ONE).public_key(), hashed).unwrap();
        let known = Known::read("web.lab", 22, std::slice::from_ref(&file), &[]);
        assert!(matches!(
            known.judge(&key(ONE), HostKeys::Strict),
            Verdict::Good
        ));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
}

#[test]
fn known_key_types_are_asked_for_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, format!("web.lab {ONE}\n")).unwrap();
    let known = Known::read("web.lab", 22, &[file], &[]);
    let rsa = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    assert_eq!(
        known.prefer(&[rsa.clone(), Algorithm::Ed25519]),
        [Algorithm::Ed25519, rsa]
    );
}
