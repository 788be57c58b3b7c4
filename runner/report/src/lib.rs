//! Draws a run: events in, lines out. The only crate that prints.
//!
//! Owns the look of the terminal and the JSON lines. Knows nothing of how a run is made.

mod ansible;
mod change;
mod json;
mod live;
mod plan;
mod recap;
mod result;
mod terminal;

pub use ansible::{
    Ansible, AnsibleLook, Callback, Order, Profile, ResultFormat, notice, result_line,
};
pub use json::JsonLines;
pub use plan::{as_html, as_text};
pub use terminal::{Look, Terminal};
