//! What the controller and the agent say to each other: length-prefixed frames of postcard.
//!
//! Owns the messages, their limits and the version handshake. Knows nothing of what a module does,
//! nor of how the bytes travel.

mod change;
mod frame;
mod machine;
mod message;
mod pack;

pub use change::{Change, Diff, State, Target};
pub use frame::{FrameError, MAX_FRAME, decode, encode, read_frame, write_frame};
pub use machine::machine;
pub use message::{
    After, Blob, CHUNK, End, FromAgent, Hello, Job, Json, MAGIC, Mode, Report, Run, ToAgent,
    VERSION,
};
pub use pack::{pack, unpack};
