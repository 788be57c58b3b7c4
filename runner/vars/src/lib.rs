//! Which variable wins: Ansible's precedence as one ordered table.
//!
//! Owns the levels, what is known of each host, and the magic variables. Knows nothing of how a
//! template is rendered or a task run.

mod extra;
mod fact_cache;
mod host_vars;
mod level;
mod merge;
mod scope;
mod store;

pub use extra::extra_vars;
pub use fact_cache::FactCache;
pub use host_vars::HostVars;
pub use level::Level;
pub use merge::merge;
pub use scope::{Layer, Mappings, Scope};
pub use store::{Addition, Store};
