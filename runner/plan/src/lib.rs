//! Saved plans: what a dry run announced, with the state that it was computed from.
//!
//! Owns the plan, its file (version, digest, seal), the key that keeps secrets out of it, and the
//! comparison of two plans. Knows nothing of how a run is made, nor of how a plan is drawn.

mod compare;
mod file;
mod key;
mod plan;
mod recorder;

pub use compare::{Difference, Kind, differences, without_chance};
pub use file::{FORMAT, Locked, read, write};
pub use key::{Key, KeyError, Material, Origin};
pub use plan::{End, Entry, Plan, Planned, Request, Step};
pub use recorder::Recorder;
