//! What a module was called with, as its result tells it: the arguments given, and the defaults of
//! the others.
//!
//! Knows nothing of files that are sent along: an argument is what the task says.

use rplay_api::{ArgKind, ArgSpec};
use serde_json::{Map, Value as Json};

/// Ansible's word for the value of a secret argument.
const HIDDEN: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// `invocation` of a result.
pub(crate) fn of(spec: &[ArgSpec], args: &Map<String, Json>) -> Json {
    let given = |arg: &ArgSpec| {
        let mut names = [arg.name].into_iter().chain(arg.aliases.iter().copied());
        names.find_map(|name| args.get(name))
    };
    let shown = spec.iter().map(|arg| {
        let value = match given(arg) {
            Some(value) if !value.is_null() && arg.secret => HIDDEN.into(),
            Some(value) => value.clone(),
            None => arg
                .default
                .map_or(Json::Null, |text| written(arg.kind, text)),
        };
        (arg.name.to_owned(), value)
    });
    let shown: Map<String, Json> = shown.collect();
    Json::Object(Map::from_iter([("module_args".to_owned(), shown.into())]))
}

/// A default as a value of its argument's kind.
fn written(kind: ArgKind, text: &str) -> Json {
    match kind {
        ArgKind::Str | ArgKind::Path | ArgKind::Mode | ArgKind::Choice(_) => text.into(),
        _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arg(name: &'static str, kind: ArgKind, default: Option<&'static str>) -> ArgSpec {
        ArgSpec {
            name,
            aliases: &["other"],
            doc: "",
            kind,
            required: false,
            default,
            secret: false,
        }
    }

    #[test]
    fn defaults_stand_beside_what_was_given() {
        let spec = [
            arg("a", ArgKind::Int, None),
            arg("b", ArgKind::Bool, Some("false")),
            arg("c", ArgKind::Str, None),
        ];
        let args = Map::from_iter([("a".to_owned(), Json::from(3))]);
        let told = of(&spec, &args).to_string();
        assert_eq!(told, r#"{"module_args":{"a":3,"b":false,"c":null}}"#);
    }

    #[test]
    fn an_alias_is_told_under_the_arguments_own_name() {
        let args = Map::from_iter([("other".to_owned(), Json::from("x"))]);
        let told = of(&[arg("a", ArgKind::Str, None)], &args);
        assert_eq!(told["module_args"]["a"], "x");
    }

    #[test]
    fn a_password_is_not_told() {
        let args = Map::from_iter([("url_password".to_owned(), Json::from("hush"))]);
        let spec = ArgSpec {
            secret: true,
            ..arg("url_password", ArgKind::Str, None)
        };
        let told = of(&[spec], &args);
        assert_eq!(told["module_args"]["url_password"], HIDDEN);
    }
}
