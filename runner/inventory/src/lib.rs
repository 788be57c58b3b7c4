//! Hosts and groups: from files, folders, scripts and lists to one inventory; and patterns over it.
//!
//! Owns Ansible's inventory formats and `group_vars`/`host_vars`. Knows nothing of plays or of how
//! variables are rendered.

mod ini;
mod load;
mod model;
mod pattern;
mod range;
mod vars_files;
mod yaml;

pub use load::load;
pub use model::{Group, Host, Inventory, Layer};
pub use pattern::select;
pub use vars_files::{Reader, VarsFiles};
