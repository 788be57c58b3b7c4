//! YAML text to spanned nodes, with the scalars of YAML 1.1 as Ansible reads them.
//!
//! Owns scalar resolution, tags (`!vault`, `!unsafe`), anchors and merge keys. Knows nothing of
//! plays, and does no I/O.

mod load;
mod node;
mod scalar;

pub use load::{Loaded, load};
pub use node::{Key, Kind, Map, Node};
