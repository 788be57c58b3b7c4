//! Ansible's filters and functions, by theme.

mod collections;
mod encode;
pub(crate) mod lookup;
mod paths;
pub(crate) mod regex;
mod scalars;

use minijinja::{Environment, Value};

/// Adds them all.
pub(crate) fn register(env: &mut Environment<'static>) {
    collections::register(env);
    encode::register(env);
    lookup::register(env);
    paths::register(env);
    regex::register(env);
    scalars::register(env);
    env.add_global("omit", crate::context::omit());
}

/// The items of a list, or the keys of a mapping.
fn items(value: &Value) -> Result<Vec<Value>, minijinja::Error> {
    Ok(value.try_iter()?.collect())
}
