//! The agent: runs modules on a target for the controller at the other end of its streams.
//!
//! Owns requests (several at once, cancel, files in both directions) and what becomes of them when
//! the controller goes away. Knows nothing of playbooks, nor of how it got here.

mod dispatch;
mod file;
mod job;
mod requests;
mod serve;
mod worker;
mod writer;

use std::io::{Read, Write};
use std::process::ExitCode;

use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (None, _) => serve::run(),
        (Some("--verify"), Some(hash)) => verify(&hash),
        (Some("--job"), Some(request)) => job::run(request.as_ref()),
        (Some("--version"), None) => {
            let version = env!("CARGO_PKG_VERSION");
            exit_after(writeln!(std::io::stdout(), "rplay-agent {version}").is_ok())
        }
        _ => {
            let usage = "usage: rplay-agent [--version | --verify SHA256]";
            let _ = writeln!(std::io::stderr(), "{usage}");
            ExitCode::from(2)
        }
    }
}

/// Whether this very program has arrived whole.
fn verify(hash: &str) -> ExitCode {
    exit_after(own_hash().is_ok_and(|own| own == hash))
}

fn own_hash() -> std::io::Result<String> {
    let mut program = rplay_api::open_own_program()?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 64 << 10];
    loop {
        match program.read(&mut part)? {
            0 => return Ok(rplay_api::hex(&hash.finalize())),
            n => hash.update(&part[..n]),
        }
    }
}

fn exit_after(success: bool) -> ExitCode {
    if success {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
