//! Ansible's and Jinja's filters and functions, by theme.

pub(crate) mod choose;
pub(crate) mod crypt;
mod dates;
mod each;
pub(crate) mod encode;
mod functions;
mod ip;
pub(crate) mod items;
mod json_query;
mod mappings;
mod md5_crypt;
mod numbers;
mod operators;
pub(crate) mod paths;
pub(crate) mod random;
pub(crate) mod regex;
mod sets;
mod texts;
mod urlize;
mod urls;
mod words;
pub(crate) mod yaml;
mod yaml_emitter;

use minijinja::Environment;

use crate::call::{Callable, add_filters, add_functions};

static FILTERS: [&[Callable]; 21] = [
    choose::FILTERS,
    crypt::FILTERS,
    dates::FILTERS,
    each::FILTERS,
    encode::FILTERS,
    ip::FILTERS,
    items::FILTERS,
    json_query::FILTERS,
    mappings::FILTERS,
    numbers::FILTERS,
    operators::FILTERS,
    paths::FILTERS,
    random::FILTERS,
    regex::FILTERS,
    sets::FILTERS,
    texts::FILTERS,
    urlize::FILTERS,
    urls::FILTERS,
    words::FILTERS,
    yaml::FILTERS,
    crate::tags::FILTERS,
];

/// Jinja's own, which the evaluator brings with it.
const BUILT_IN: &[&str] = &["batch", "slice", "items", "lines"];

/// Adds them all.
pub(crate) fn register(env: &mut Environment<'static>) {
    for theme in FILTERS {
        add_filters(env, theme);
    }
    add_filters(env, crate::plugin::FILTERS);
    add_functions(env, functions::FUNCTIONS);
    env.add_global("omit", crate::context::omit());
}

/// The names of all filters.
pub(crate) fn names() -> Vec<&'static str> {
    let own = FILTERS
        .iter()
        .flat_map(|theme| theme.iter())
        .flat_map(|c| c.names);
    own.chain(BUILT_IN)
        .copied()
        .filter(|n| !n.starts_with("__"))
        .collect()
}

/// The names of all functions.
pub(crate) fn functions() -> Vec<&'static str> {
    let own = functions::FUNCTIONS.iter().flat_map(|c| c.names).copied();
    own.chain(["range", "namespace", "debug", "omit"]).collect()
}
