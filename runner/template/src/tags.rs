//! What a value is marked with: Ansible's `ansible._protomatter`, as far as such marks are kept here.
//!
//! Text of a playbook is marked as trusted, for as long as nothing is made of it, and what a vault was
//! opened to is known by what it says. Where a value comes from is not kept with it: who asks for that
//! is told so, and not that there is no such mark.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::context::context_of;
use crate::json::from_json;
use crate::python::{type_name, wrong};
use crate::templar::whole;
use crate::{Trouble, to_json, unknown};

pub(crate) const FILTERS: &[Callable] = &[
    strict(&["ansible._protomatter.apply_trust"], &["value"], |_, a| {
        Ok(trusted(a.req(0)?))
    }),
    strict(&["ansible._protomatter.finalize"], &["value"], finalize),
    strict(&["ansible._protomatter.tag_names"], &["value"], tag_names),
    strict(&["ansible._protomatter.true_type"], &["value"], |_, a| {
        Ok(type_name(a.req(0)?).into())
    }),
    strict(&["ansible._protomatter.origin"], &["value"], |_, _| {
        Err(not_kept("Origin"))
    }),
];

pub(crate) const TESTS: &[Callable] = &[
    strict(&["ansible._protomatter.tagged"], &["value"], |s, a| {
        let value = a.req(0)?;
        Ok(KEPT
            .iter()
            .any(|tag| tag.is_on(s, value).unwrap_or(false))
            .into())
    }),
    strict(
        &["ansible._protomatter.tagged_with"],
        &["value", "tag_name"],
        |s, a| Ok(Tag::named(&a.text(1)?)?.is_on(s, a.req(0)?)?.into()),
    ),
];

/// A mark that is kept.
#[derive(Debug, Clone, Copy)]
enum Tag {
    /// Text of a playbook, which may be an expression.
    Trusted,
    /// What a vault was opened to.
    Vaulted,
}

const KEPT: [Tag; 2] = [Tag::Trusted, Tag::Vaulted];

/// Marks of Ansible's that values do not have here.
const NOT_KEPT: [&str; 3] = ["Deprecated", "Origin", "SourceWasEncrypted"];

impl Tag {
    fn named(name: &str) -> Result<Self, Error> {
        if NOT_KEPT.contains(&name) {
            return Err(not_kept(name));
        }
        let mut kept = KEPT.into_iter();
        kept.find(|tag| tag.name() == name)
            .ok_or_else(|| wrong(format!("Unknown tag name '{name}'.")))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Trusted => "TrustedAsTemplate",
            Self::Vaulted => "VaultedValue",
        }
    }

    fn is_on(self, state: &State<'_, '_>, value: &Value) -> Result<bool, Error> {
        let Some(text) = value.as_str() else {
            return Ok(false);
        };
        Ok(match self {
            Self::Trusted => value.is_safe(),
            Self::Vaulted => context_of(state)?.templar.vault_keys().has_opened(text),
        })
    }
}

fn not_kept(name: &str) -> Error {
    wrong(format!("rplay does not keep the tag `{name}` with values"))
}

fn tag_names(state: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let mut names = vec![];
    for tag in KEPT {
        if tag.is_on(state, value)? {
            names.push(Value::from(tag.name()));
        }
    }
    Ok(names.into())
}

/// Text as if a playbook had it.
fn trusted(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => Value::from_safe_string(text.to_owned()),
        None => value.clone(),
    }
}

/// A value as a variable keeps it: tuples and their like are lists, and nothing is left to render.
fn finalize(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = whole(args.req(0)?.clone())?;
    match to_json(&value) {
        Ok(json) => Ok(kept(&json, &value)),
        Err(Trouble::Unknown(origins)) => Ok(unknown::value(&origins)),
        Err(Trouble::Error(words)) => Err(wrong(words)),
    }
}

/// Data as a value in which all text is trusted that is so in the value that the data was made of.
pub fn kept(json: &serde_json::Value, like: &Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::String(_) if like.is_safe() => trusted(&from_json(json)),
        Json::Array(items) if matches!(like.kind(), ValueKind::Seq | ValueKind::Iterable) => {
            let Ok(likes) = like.try_iter() else {
                return from_json(json);
            };
            // What is left out of the data has no place in it.
            let likes = likes.filter(|like| !crate::is_omit(like));
            let likes = likes.chain(std::iter::repeat(Value::UNDEFINED));
            items
                .iter()
                .zip(likes)
                .map(|(json, like)| kept(json, &like))
                .collect()
        }
        Json::Object(pairs) => Value::from_pairs(pairs.iter().map(|(key, json)| {
            let like = like.get_item(&Value::from(key.as_str()));
            (key.as_str(), kept(json, &like.unwrap_or_default()))
        })),
        _ => from_json(json),
    }
}
