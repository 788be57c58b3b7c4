//! Runs plays: which task on which host, when, and what comes of it.
//!
//! Owns scheduling, strategies, loops, conditions, blocks, handlers, and the actions that run on
//! the controller. Knows nothing of screens (it emits events), nor of how a module works.

mod action;
mod ahead;
mod arg_spec;
mod arguments;
mod attach;
mod attempt;
mod background;
mod braces;
mod catalog;
mod connect;
mod controller_files;
mod delegate;
mod doubts;
mod emit;
mod exchange;
mod fetch;
mod frame;
mod handlers;
mod hidden;
mod host_run;
mod include;
mod invocation;
mod known_part;
mod library;
mod links;
mod lists;
mod lookup_io;
mod lookup_url;
mod looping;
mod module;
mod operator;
mod options;
mod pipes;
mod play;
mod play_context;
mod prepare;
mod prints;
mod prompt;
mod python;
mod resolved;
mod result;
mod role_names;
mod routing;
mod run;
mod scope;
mod tagged;
mod tags;
mod tally;
mod task;
mod template_options;
mod template_vars;
mod text;
mod unsettled;
mod vars_files;
mod walk;

pub use catalog::Catalog;
pub use connect::{connection_page, connection_pages};
pub use library::{Library, PluginKind};
pub use lists::Listing;
pub use operator::{Answer, Operator};
pub use options::{Connect, Defaults, Escalate, Fingerprint, Gathering, Known, Options};
pub use run::{Broken, Run, Setup, Summary};
pub use tags::TagSelection;
