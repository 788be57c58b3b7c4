//! What a module is written against: its arguments, the host, and its result.
//!
//! Owns the [`Module`] trait, the argument schema that documentation is made from, and [`System`]:
//! the one way to a host, real or as a dry run sees it. Knows nothing of any one module, nor of
//! playbooks, templates or connections.

// The derives name this crate by its name, here too.
extern crate self as rplay_api;

mod act;
mod args;
mod argtype;
mod control;
mod controller_file;
mod exact;
mod failure;
mod file_args;
mod host;
mod mode;
mod module;
mod nothing;
mod outcome;
mod overlay;
mod own_program;
mod real;
mod system;

pub use args::{ArgError, ArgMap, ArgReader, ArgSpec, Args, Fault};
pub use argtype::{
    ArgKind, ArgType, ArgValue, WrittenPath, choice_word, not_a_choice, target_path,
};
pub use control::Control;
pub use controller_file::{
    ControllerFile, ControllerForm, ControllerScript, ControllerTemplate, Entry as ControllerEntry,
    EntryKind, FORM_FILE,
};
pub use exact::exact_integers;
pub use failure::{Failure, Result};
pub use file_args::FileArgs;
pub use host::{Blobs, Host, Settings, Told};
pub use mode::FileMode;
pub use module::{Doc, Entry, Module, Return};
pub use nothing::nothing;
pub use outcome::Outcome;
pub use overlay::Overlay;
pub use own_program::{open_own_program, own_program, own_program_path};
pub use real::RealSystem;
pub use rplay_derive::{Args, Choice};
pub use rplay_wire::{Change, Diff, State, Target};
pub use system::{Answer, Attrs, Command, Dialogue, Effect, FileKind, Meta, Output, Stdin, System};

/// Bytes in lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}
