//! Argument specifications of roles: which variables a role takes, of what types and values.
//!
//! Pure: it is given the specification and the values, and says what is wrong with them, in the
//! words that playbooks look for.

use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

/// What is wrong with `values` by the options of a specification.
pub(crate) fn errors(options: &Node, values: &Map<String, Json>) -> Vec<String> {
    let mut errors = vec![];
    check(options, values, "", &mut errors);
    errors
}

fn check(options: &Node, values: &Map<String, Json>, within: &str, errors: &mut Vec<String>) {
    let Some(map) = options.as_map() else { return };
    let found = |suffix: &str| match within {
        "" => String::new(),
        path => format!(" found in {path}{suffix}"),
    };
    let mut missing: Vec<&str> = vec![];
    for (key, option) in map {
        let Some(value) = value_of(&key.text, option, values) else {
            if flag(option, "required") {
                missing.push(&key.text);
            }
            continue;
        };
        one(&key.text, option, value, within, errors);
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        errors.push(format!(
            "missing required arguments: {}{}",
            missing.join(", "),
            found("")
        ));
    }
}

/// An option's value under its name, or one of its aliases.
fn value_of<'a>(name: &str, option: &Node, values: &'a Map<String, Json>) -> Option<&'a Json> {
    let aliases = option
        .get("aliases")
        .and_then(Node::as_seq)
        .unwrap_or_default();
    let names = [name]
        .into_iter()
        .chain(aliases.iter().filter_map(Node::as_str));
    names.into_iter().find_map(|name| values.get(name))
}

fn one(name: &str, option: &Node, value: &Json, within: &str, errors: &mut Vec<String>) {
    let wanted = option.get("type").and_then(Node::as_str).unwrap_or("str");
    if value.is_null() && !flag(option, "required") {
        return;
    }
    if let Err(why) = fits(value, wanted) {
        let place = match within {
            "" => String::new(),
            path => format!(" found in '{path}'."),
        };
        errors.push(format!(
            "argument '{name}' is of type {}{place} and we were unable to convert to {wanted}: {why}",
            python_type(value)
        ));
        return;
    }
    choices(name, option, value, within, errors);
    elements(name, option, value, errors);
    if let Some(inner) = option.get("options") {
        let path = match within {
            "" => name.to_owned(),
            path => format!("{path} -> {name}"),
        };
        let nested = match value {
            Json::Array(items) => items.iter().collect(),
            other => vec![other],
        };
        for map in nested.into_iter().filter_map(Json::as_object) {
            check(inner, map, &path, errors);
            errors.extend(unsupported(inner, map, &path));
        }
    }
}

/// The suboptions that there are none of.
fn unsupported(options: &Node, values: &Map<String, Json>, within: &str) -> Option<String> {
    let options = options.as_map()?;
    let aliases = |option: &Node| -> Vec<String> {
        let all = option.get("aliases").and_then(Node::as_seq);
        let all = all.into_iter().flatten().filter_map(Node::as_str);
        all.map(str::to_owned).collect()
    };
    let is_known = |name: &String| {
        let of = |(key, option): (&rplay_yaml::Key, &Node)| {
            key.text == *name || aliases(option).contains(name)
        };
        options.iter().any(of)
    };
    let path = within.replace(" -> ", ".");
    let mut unknown: Vec<String> = values
        .keys()
        .filter(|name| !is_known(name))
        .cloned()
        .collect();
    if unknown.is_empty() {
        return None;
    }
    unknown.sort_unstable();
    let unknown: Vec<String> = unknown
        .iter()
        .map(|name| format!("{path}.{name}"))
        .collect();
    let mut known: Vec<&str> = options.keys().map(|key| key.text.as_str()).collect();
    known.sort_unstable();
    let (unknown, known) = (unknown.join(", "), known.join(", "));
    Some(format!("{unknown}. Supported parameters include: {known}."))
}

fn choices(name: &str, option: &Node, value: &Json, within: &str, errors: &mut Vec<String>) {
    let Some(choices) = option.get("choices").and_then(Node::as_seq) else {
        return;
    };
    let known: Vec<String> = choices.iter().map(written).collect();
    let given = match value {
        Json::Array(items) => items.iter().map(shown).collect(),
        other => vec![shown(other)],
    };
    let wrong: Vec<String> = given
        .into_iter()
        .filter(|one| !known.contains(one))
        .collect();
    if !wrong.is_empty() {
        let of = if value.is_array() {
            "one or more of"
        } else {
            "one of"
        };
        let place = match within {
            "" => String::new(),
            path => format!(" found in {path}"),
        };
        errors.push(format!(
            "value of {name} must be {of}: {}, got{}: {}{place}",
            known.join(", "),
            if value.is_array() {
                " no match for"
            } else {
                ""
            },
            wrong.join(", ")
        ));
    }
}

fn elements(name: &str, option: &Node, value: &Json, errors: &mut Vec<String>) {
    let (Some(wanted), Json::Array(items)) = (option.get("elements").and_then(Node::as_str), value)
    else {
        return;
    };
    for item in items {
        if let Err(why) = fits(item, wanted) {
            errors.push(format!(
                "Elements value for option '{name}' is of type {} and we were unable to convert to {wanted}: {why}",
                python_type(item)
            ));
        }
    }
}

/// Whether a value is of a type, or can be made one of it.
fn fits(value: &Json, wanted: &str) -> Result<(), String> {
    let cannot = |what: &str| Err(format!("{} cannot be converted to {what}", class(value)));
    let text = value.as_str();
    match wanted {
        "int" => match value {
            Json::Null => Err("\"None\" cannot be converted to an int".to_owned()),
            Json::Number(n) if n.is_i64() || n.is_u64() => Ok(()),
            Json::Number(n) if n.as_f64().is_some_and(|f| f.fract() == 0.0) => Ok(()),
            _ if text.is_some_and(|t| t.trim().parse::<i64>().is_ok()) => Ok(()),
            _ => cannot("an int"),
        },
        "float" => match value {
            Json::Number(_) => Ok(()),
            _ if text.is_some_and(|t| t.trim().parse::<f64>().is_ok()) => Ok(()),
            _ => cannot("a float"),
        },
        "bool" => {
            let word = shown(value).to_lowercase();
            let known = [
                "y", "yes", "on", "1", "true", "t", "1.0", "n", "no", "off", "0", "false", "f",
                "0.0",
            ];
            if known.contains(&word.as_str()) {
                return Ok(());
            }
            Err(format!(
                "The value '{}' is not a valid boolean.",
                shown(value)
            ))
        }
        "list" => match value {
            Json::Array(_) | Json::String(_) | Json::Number(_) => Ok(()),
            _ => cannot("a list"),
        },
        "dict" => match value {
            Json::Object(_) => Ok(()),
            Json::String(text) if text.contains('=') || text.trim_start().starts_with('{') => {
                Ok(())
            }
            Json::String(_) => {
                Err("dictionary requested, could not parse JSON or key=value".to_owned())
            }
            _ => cannot("a dict"),
        },
        // Any value can be written as text.
        _ => Ok(()),
    }
}

fn flag(option: &Node, name: &str) -> bool {
    option
        .get(name)
        .is_some_and(|node| node.kind == Kind::Bool(true))
}

fn written(node: &Node) -> String {
    match &node.kind {
        Kind::Str(text) | Kind::Unsafe(text) => text.clone(),
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => n.to_string(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        _ => String::new(),
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// What Python calls the type of a value.
pub(crate) fn python_type(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

fn class(value: &Json) -> String {
    format!("<class '{}'>", python_type(value))
}

#[cfg(test)]
mod tests {
    use rplay_diag::Source;
    use serde_json::json;

    use super::*;

    fn errors_of(spec: &str, values: Json) -> Vec<String> {
        let source = Source::new("spec.yml", spec);
        let spec = rplay_yaml::load(&source).unwrap().root(&source);
        errors(&spec, values.as_object().unwrap())
    }

    #[test]
    fn what_is_required_must_be_there() {
        let spec =
            "a: {type: int, required: true}\nb: {type: str, required: true}\nc: {type: str}\n";
        assert_eq!(
            errors_of(spec, json!({})),
            ["missing required arguments: a, b"]
        );
        assert!(errors_of(spec, json!({"a": "7", "b": 1})).is_empty());
    }

    #[test]
    fn a_value_of_another_type_is_told_with_its_place() {
        let spec = "a: {type: dict, options: {n: {type: int}}}\n";
        assert_eq!(
            errors_of(spec, json!({"a": {"n": "x"}})),
            [
                "argument 'n' is of type str found in 'a'. and we were unable to convert to int: \
              <class 'str'> cannot be converted to an int"
            ]
        );
    }

    #[test]
    fn only_the_choices_will_do() {
        let spec = "a: {type: str, choices: [x, y]}\n";
        assert_eq!(
            errors_of(spec, json!({"a": "z"})),
            ["value of a must be one of: x, y, got: z"]
        );
    }

    #[test]
    fn a_suboption_that_there_is_none_of_is_told() {
        let spec = "a: {type: dict, options: {n: {type: dict, options: {m: {type: int, required: true}}}}}\n";
        assert_eq!(
            errors_of(spec, json!({"a": {"n": {"x": 1}}})),
            [
                "missing required arguments: m found in a -> n",
                "a.n.x. Supported parameters include: m."
            ]
        );
    }

    #[test]
    fn an_alias_is_the_option() {
        let spec = "a: {type: str, required: true, aliases: [b]}\n";
        assert!(errors_of(spec, json!({"b": "z"})).is_empty());
    }
}
