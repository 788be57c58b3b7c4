//! Each test writes files in a folder of its own and looks a host up in them.

use super::*;

fn look_up(files: &[(&str, &str)], host: &str) -> (Found, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let folders = Folders {
        home: folder.path(),
        base: folder.path(),
    };
    let config = Config::read(&folder.path().join(files[0].0), folders).unwrap();
    let mut found = Found::default();
    found.look_up(
        &config,
        Subject {
            host,
            local_user: "me",
        },
    );
    (found, config.warnings)
}

fn value(text: &str, host: &str, keyword: &str) -> Option<String> {
    look_up(&[("config", text)], host)
        .0
        .get(keyword)
        .map(|s| s.words.join(" "))
}

#[test]
fn the_first_value_counts() {
    let text = "Host web*\n  Port 2201\nHost *\n  Port 2202\n  User ops\n";
    assert_eq!(value(text, "web-1", "port").as_deref(), Some("2201"));
    assert_eq!(value(text, "web-1", "user").as_deref(), Some("ops"));
    assert_eq!(value(text, "db-1", "port").as_deref(), Some("2202"));
}

#[test]
fn a_negated_pattern_leaves_a_host_out() {
    let text = "Host *.lab !db.lab\n  User ops\n";
    assert_eq!(value(text, "web.lab", "user").as_deref(), Some("ops"));
    assert_eq!(value(text, "db.lab", "user"), None);
}

#[test]
fn equals_signs_quotes_and_remarks_are_read() {
    let text = "User=ops # the operators\nIdentityFile \"/keys/my key\"\n# Port 1\n\tPort = 22\n";
    assert_eq!(value(text, "x", "user").as_deref(), Some("ops"));
    assert_eq!(
        value(text, "x", "identityfile").as_deref(),
        Some("/keys/my key")
    );
    assert_eq!(value(text, "x", "port").as_deref(), Some("22"));
}

#[test]
fn match_sees_what_was_set_before() {
    let text = "Host a\n  HostName a.lab\nMatch host *.lab user me\n  Port 7\nMatch !host *.lab\n  Port 8\n";
    assert_eq!(value(text, "a", "port").as_deref(), Some("7"));
    assert_eq!(value(text, "b", "port").as_deref(), Some("8"));
}

#[test]
fn match_that_is_not_supported_is_told_and_not_met() {
    let (found, warnings) = look_up(&[("config", "Match exec \"true\"\n  Port 7\n")], "a");
    assert!(found.get("port").is_none());
    assert!(
        warnings[0].ends_with("config:1: `Match exec` is not supported and taken as not met"),
        "{warnings:?}"
    );
}

#[test]
fn an_include_applies_where_its_block_does() {
    let files = [
        (
            "config",
            "Host a\n  Include more-*\n  User ops\nHost *\n  Port 9\n",
        ),
        ("more-1", "Port 1\nHost b\n  Port 2\n"),
    ];
    let port = |host| {
        look_up(&files, host)
            .0
            .get("port")
            .map(|s| s.words[0].clone())
    };
    assert_eq!(port("a").as_deref(), Some("1"));
    assert_eq!(port("b").as_deref(), Some("9"));
    let user = look_up(&files, "a")
        .0
        .get("user")
        .map(|s| s.words[0].clone());
    assert_eq!(user.as_deref(), Some("ops"));
}

#[test]
fn key_files_add_up() {
    let text = "Host a\n  IdentityFile one\nHost *\n  IdentityFile two\n";
    let (found, _) = look_up(&[("config", text)], "a");
    let files: Vec<_> = found
        .all("identityfile")
        .iter()
        .map(|s| s.words[0].as_str())
        .collect();
    assert_eq!(files, ["one", "two"]);
}

#[test]
fn a_keyword_without_a_value_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, "Host a\n  Port\n").unwrap();
    let error = Config::read(
        &file,
        Folders {
            home: folder.path(),
            base: folder.path(),
        },
    );
    let error = error.unwrap_err().to_string();
    assert!(error.ends_with("config:2: `Port` has no value"), "{error}");
}
