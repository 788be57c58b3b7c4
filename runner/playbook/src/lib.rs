//! YAML to plays, roles, blocks, tasks and handlers.
//!
//! Owns the keywords, the static imports and the search for roles. Knows nothing of variables'
//! values, of hosts, or of how a module works; its only I/O is [`Sources`].

mod arguments;
mod keyword;
mod loader;
mod problems;
mod role;
mod sources;
mod task;
mod types;

pub use arguments::{is_template, key_values};
pub use keyword::{Keyword, Keywords, Place};
pub use loader::{Context, Early, Loader, file_argument};
pub use problems::Problems;
pub use role::{From, RoleCall};
pub use sources::{Disk, KnownModules, Sources};
pub use types::{Action, Block, Item, Loop, Origin, Play, Role, Task};
