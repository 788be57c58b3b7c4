//! Builds the agent for the target as a static binary, in a target directory of its own, and packs
//! it. `RPLAY_AGENT` names a ready binary to carry instead.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// What the outer cargo sets for its own build and the inner one must not see.
const LEAKS: &[&str] = &[
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
];

/// `CARGO_*` that are the user's settings and not the outer build's.
const KEPT: &[&str] = &[
    "CARGO_HOME",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_HTTP_",
    "CARGO_REGISTR",
    "CARGO_BUILD_JOBS",
];

fn main() -> Result<(), String> {
    // Where this tree is now, and not where the script was compiled: target directories are moved.
    let root = Path::new(&set("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(set("OUT_DIR"));
    for path in ["modules", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rerun-if-env-changed=RPLAY_AGENT");
    let binary = match env::var_os("RPLAY_AGENT") {
        Some(ready) => {
            println!("cargo::rerun-if-changed={}", ready.display());
            PathBuf::from(ready)
        }
        None => build(&root, &out)?,
    };
    let agent = fs::read(&binary)
        .map_err(|e| format!("could not read the agent `{}`: {e}", binary.display()))?;
    let hash: String = Sha256::digest(&agent)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    println!("cargo::rustc-env=RPLAY_AGENT_SHA256={hash}");
    println!(
        "cargo::rustc-env=RPLAY_AGENT_ARCH={}",
        set("CARGO_CFG_TARGET_ARCH")
    );
    let mut gzip = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    gzip.write_all(&agent).expect("a Vec takes all");
    let packed = gzip.finish().expect("a Vec takes all");
    fs::write(out.join("agent.gz"), packed)
        .map_err(|e| format!("could not write the packed agent: {e}"))
}

/// Builds the agent and gives its path.
fn build(root: &Path, out: &Path) -> Result<PathBuf, String> {
    let release = set("PROFILE") == "release";
    let profile = if release { "agent" } else { "agent-dev" };
    let target = format!("{}-unknown-linux-gnu", set("CARGO_CFG_TARGET_ARCH"));
    // OUT_DIR is TARGET/PROFILE/build/NAME-HASH/out. The agent's directory is beside PROFILE, so
    // that changing the outer build's features does not build it anew.
    let target_dir = out
        .ancestors()
        .nth(4)
        .expect("OUT_DIR is deep in the target directory")
        .join("agent");
    let mut cargo = Command::new(set("CARGO"));
    for (name, _) in env::vars_os() {
        if is_leak(&name) {
            cargo.env_remove(name);
        }
    }
    cargo
        .current_dir(root)
        .args(["build", "--package", "rplay-agent", "--profile", profile])
        .args(["--target", &target, "--target-dir"])
        .arg(&target_dir)
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    let status = cargo
        .status()
        .map_err(|e| format!("could not run cargo: {e}"))?;
    if !status.success() {
        return Err("could not build the agent: see cargo's words above".to_owned());
    }
    Ok(target_dir.join(target).join(profile).join("rplay-agent"))
}

fn is_leak(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let is_cargos = name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    is_cargos || LEAKS.contains(&name.as_ref())
}

fn set(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets `{name}`"))
}
