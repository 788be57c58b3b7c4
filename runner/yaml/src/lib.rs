//! YAML text to spanned nodes, with the scalars of YAML 1.1 as Ansible reads them.
//!
//! Owns scalar resolution, tags (`!vault`, `!unsafe`), anchors and merge keys, and what is said
//! about a text that is no YAML. Knows nothing of plays, and does no I/O.

mod load;
mod locate;
mod mapping;
mod mistake;
mod node;
mod pad;
pub mod plain;
mod scalar;
mod tag;

pub use load::{Loaded, load, load_all};
pub use locate::locate;
pub use node::{Key, Kind, Map, Node};
