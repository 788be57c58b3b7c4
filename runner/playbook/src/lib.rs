//! YAML to plays, roles, blocks, tasks and handlers.
//!
//! Owns the keywords, the static imports and the search for roles. Knows nothing of variables'
//! values, of hosts, or of how a module works; its only I/O is [`Sources`].

mod action;
mod arguments;
mod context;
mod elsewhere;
mod include;
mod keyword;
mod loader;
mod playbook;
mod problems;
mod role;
mod role_call;
mod role_path;
mod scoped;
mod shape;
mod sources;
mod steps;
mod task;
mod types;
mod variable_name;

pub use arguments::{is_template, key_values};
pub use context::Context;
pub use elsewhere::full_name;
pub use keyword::{Keyword, Keywords, Place};
pub use loader::{Duplicates, Early, Loader, file_argument};
pub use problems::{Problems, Unread};
pub use role_call::{From, RoleCall};
pub use role_path::{collections_path, roles_path};
pub use sources::{Disk, KnownModules, Sources};
pub use task::short;
pub use types::{Action, Block, Item, Loop, Origin, Play, Public, Role, Task};
pub use variable_name::reserved_name;
