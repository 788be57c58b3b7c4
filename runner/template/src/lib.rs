//! Values, expressions and templates: Jinja2 as Ansible speaks it, and Handlebars.
//!
//! Owns evaluation, what is unknown in a dry run, and what is secret. Knows nothing of hosts, of
//! where variables come from, or of files but through what it is given.

mod context;
mod diagnose;
mod filters;
mod handlebars;
mod jinja;
mod json;
mod redact;
mod templar;
mod tests_of_values;
pub mod unknown;
mod vars;
pub mod vault;

pub use context::{is_omit, omit};
pub use json::{Trouble, to_json};
pub use minijinja::Value;
pub use minijinja::value::{Enumerator, Object};
pub use redact::Redactor;
pub use templar::{Decision, Language, Templar, TextOptions};
pub use unknown::Origin;
pub use vars::{LookupIo, Var, Vars};
