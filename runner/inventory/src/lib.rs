//! Hosts and groups: from files, folders, scripts and lists to one inventory; and patterns over it.
//!
//! Owns Ansible's inventory formats and `group_vars`/`host_vars`. Knows nothing of plays or of how
//! variables are rendered.

mod builder;
mod constructed;
mod generator;
mod ini;
mod json;
mod load;
mod model;
mod pattern;
mod plugin;
mod python;
mod range;
mod script;
mod settings;
mod settle;
mod toml;
mod vars_files;
mod words;
mod yaml;

pub use builder::Naming;
pub use load::{InPython, Loaded, Unparsed, With, load};
pub use model::{Group, Host, Inventory, Layer, Lineage};
pub use pattern::select;
pub use plugin::Render;
pub use settings::Settings;
pub use vars_files::{Fault, Reader, VarsFiles};
