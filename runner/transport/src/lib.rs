//! Bytes and processes on hosts: connections over SSH, to the controller itself and through programs
//! of it, the agent's bootstrap, and requests to it.
//!
//! Owns SSH (configuration, host keys, logging in, jump hosts), `become`, and how the agent gets to
//! a host. Knows nothing of modules, tasks or plays: a request's content is opaque here.

mod bootstrap;
mod client;
mod connection;
mod connector;
mod error;
mod exchange;
mod process;
mod secret;
#[cfg(feature = "simulate")]
mod simulated;
mod ssh;
mod ssh_args;
mod target;
mod through;

pub use client::{AgentClient, Request};
pub use connection::{Connection, Ran};
pub use connector::{Connector, Image};
pub use error::{AgentLost, BecomeFault, Cause, ConnectError, HostKey, Inside};
pub use exchange::{Exchange, NoFiles};
pub use secret::{NoSecrets, Secret, Secrets};
#[cfg(feature = "simulate")]
pub use simulated::Simulation;
pub use ssh_args::SshArgs;
pub use target::{BECOME_TIMEOUT, Become, CONNECT_TIMEOUT, HostKeys, Kind, Method, Target};
pub use through::{Help, Through, Word};
