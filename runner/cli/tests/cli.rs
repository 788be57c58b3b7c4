//! What people see: the real binary on the cases of tests/cases. A case runs in its `.in` folder;
//! all hosts are this machine, and nothing of it changes.
//!
//! `TRYCMD=overwrite cargo test -p rplay --test cli` writes down what is seen now: read the diff.

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn what_people_see() {
    trycmd::TestCases::new()
        .register_bin("rplay", Path::new(env!("CARGO_BIN_EXE_rplay")))
        .register_bin("ansible-playbook", link("ansible-playbook"))
        .register_bin("ansible", link("ansible"))
        .register_bin("ansible-vault", link("ansible-vault"))
        .register_bin("ansible-inventory", link("ansible-inventory"))
        .register_bin("ansible-config", link("ansible-config"))
        .env("HOME", "/nowhere")
        // What is installed on this machine is not part of a case.
        .env("RPLAY_ANSIBLE_LIBRARY", "")
        .case("tests/cases/*.trycmd");
}

/// The program under a name of Ansible's.
fn link(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rplay"), &path).expect("bug: no link");
    path
}

#[test]
fn every_json_line_is_one_event() {
    let output = Command::new(env!("CARGO_BIN_EXE_rplay"))
        .args(["-i", "localhost,", "-c", "local", "--json", "blocks.yml"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/flow.in"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(events.len() > 8, "{text}");
    assert!(events.iter().all(serde_json::Value::is_object));
    assert!(text.contains("Breaks said broken on purpose"), "{text}");
}

fn doc(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rplay"))
        .arg("doc")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("rplay did not start: {error}"));
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_page_of_modules_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/modules.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == doc(&["--markdown"]),
        "docs/modules.md is out of date: cargo run -p rplay -- doc --markdown > docs/modules.md"
    );
}

#[test]
fn the_page_of_connections_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/connections.md");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == doc(&["--connections"]),
        "docs/connections.md is out of date: cargo run -p rplay -- doc --connections > docs/connections.md"
    );
}

#[test]
fn a_connection_has_a_page_by_any_of_its_names() {
    let page = doc(&["docker"]);
    assert!(page.starts_with("# community.docker.docker\n"), "{page}");
    assert_eq!(doc(&["community.docker.docker_api"]), page);
}

#[test]
fn a_modules_page_is_its_part_of_all_pages() {
    let page = doc(&["copy"]);
    assert!(page.starts_with("# copy\n"), "{page}");
    assert!(page.contains("- `dest` (path, required"), "{page}");
    assert!(doc(&["--markdown"]).contains(page.trim_end()));
}
