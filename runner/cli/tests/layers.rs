//! The arrows of ARCHITECTURE.md: which crate may depend on which.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Each crate, and the crates of ours that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("rplay-wire", &[]),
    ("rplay-derive", &[]),
    ("rplay-api", &["rplay-wire", "rplay-derive"]),
    ("rplay-builtin", &["rplay-api", "rplay-derive"]),
    ("rplay-agent", &["rplay-wire", "rplay-api", "rplay-builtin"]),
    ("rplay-diag", &[]),
    ("rplay-yaml", &["rplay-diag"]),
    ("rplay-playbook", &["rplay-diag", "rplay-yaml"]),
    ("rplay-template", &["rplay-diag", "rplay-yaml"]),
    ("rplay-inventory", &["rplay-diag", "rplay-yaml"]),
    (
        "rplay-vars",
        &[
            "rplay-diag",
            "rplay-yaml",
            "rplay-playbook",
            "rplay-template",
            "rplay-inventory",
        ],
    ),
    ("rplay-payload", &[]),
    (
        "rplay-transport",
        &["rplay-wire", "rplay-diag", "rplay-payload"],
    ),
    ("rplay-event", &["rplay-wire"]),
    ("rplay-plan", &["rplay-event", "rplay-wire", "rplay-diag"]),
    (
        "rplay-report",
        &[
            "rplay-event",
            "rplay-wire",
            "rplay-diag",
            "rplay-plan",
            "rplay-yaml",
        ],
    ),
    (
        "rplay-engine",
        &[
            "rplay-api",
            "rplay-builtin",
            "rplay-diag",
            "rplay-event",
            "rplay-inventory",
            "rplay-playbook",
            "rplay-template",
            "rplay-transport",
            "rplay-vars",
            "rplay-wire",
            "rplay-yaml",
        ],
    ),
];

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if matches!(name, "rplay" | "rplay-bench") {
            continue; // the top: it may depend on all
        }
        let allowed = ALLOWED.iter().find(|(n, _)| *n == name).map(|(_, a)| *a);
        let allowed = allowed.unwrap_or_else(|| panic!("`{name}` is in no layer: add it here"));
        seen += 1;
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            if on.starts_with("rplay") && !allowed.contains(&on) {
                wrong.insert(format!("{name} -> {on}"));
            }
        }
    }
    assert_eq!(seen, ALLOWED.len());
    assert!(
        wrong.is_empty(),
        "these arrows point the wrong way: {wrong:?}"
    );
}
