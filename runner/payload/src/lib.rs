//! The agent's binary, built static by `build.rs` and carried inside `rplay`.
//!
//! Owns how the agent is built and packed. Knows nothing of how it gets to a target.

/// The agent, packed with gzip.
pub static GZIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.gz"));

/// SHA-256 of the unpacked agent, in hex: its name on a target.
pub const SHA256: &str = env!("RPLAY_AGENT_SHA256");

/// The machine it runs on, as `uname -m` says it.
pub const ARCH: &str = env!("RPLAY_AGENT_ARCH");
