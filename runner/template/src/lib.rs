//! Values, expressions and templates: Jinja2 as Ansible speaks it, and Handlebars.
//!
//! Owns evaluation, what is unknown in a dry run, and what is secret. Knows nothing of hosts, of
//! where variables come from, or of files but through what it is given.

mod call;
mod context;
mod date;
mod diagnose;
pub mod encoding;
mod file;
mod filters;
mod handlebars;
mod json;
mod lookup;
mod methods;
mod missing;
mod mutable;
mod operate;
mod percent;
mod plugin;
mod program;
mod python;
mod redact;
mod rewrite;
mod secret;
mod tags;
mod templar;
mod tests_of_values;
mod unary_plus;
pub mod unknown;
mod variadic;
mod vars;
pub mod vault;
mod vault_file;

pub use context::{is_omit, omit};
pub use file::{Language, TextOptions};
pub use filters::yaml::data as from_node;
pub use json::{Trouble, as_data, from_json, to_json};
pub use minijinja::Value;
pub use minijinja::value::ValueKind;
pub use minijinja::value::{Enumerator, Object};
pub use python::in_words;
pub use redact::Redactor;
pub use secret::Secret;
pub use tags::kept;
pub use templar::{Decision, Judged, Templar, is_in_braces};
pub use unknown::Origin;
pub use vars::{LookupIo, Plugin, Var, Vars};
