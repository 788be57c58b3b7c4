//! A mapping becomes a task.

use std::path::Path;

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::arguments::{is_template, key_values};
use crate::keyword::{Keyword, Keywords, Place, unknown_keyword};
use crate::types::{Action, Loop, Task};
use crate::{KnownModules, Problems};

/// Reads one task; what is wrong goes to `problems`.
pub(crate) fn parse(
    node: &Node,
    place: Place,
    file: &Path,
    modules: &dyn KnownModules,
    problems: &mut Problems,
) -> Option<Task> {
    let Some(map) = node.as_map() else {
        problems.push(
            Diagnostic::error(format!("a task is a mapping, not {}", node.describe()))
                .at(&node.span)
                .help("write it as `- name: ...` with the module below"),
        );
        return None;
    };
    let mut keywords = Keywords::default();
    let mut looped = None;
    let mut actions: Vec<(&Key, &Node)> = vec![];
    for (key, value) in map {
        if let Some(keyword) = Keyword::find(&key.text, place) {
            keywords.set(keyword, value.clone());
        } else if let Some(lookup) = key.text.strip_prefix("with_") {
            looped = Some(Loop {
                lookup: Some(lookup.to_owned()),
                items: value.clone(),
            });
        } else if key.text == "action"
            || key.text == "local_action"
            || modules.known(short(&key.text))
        {
            actions.push((key, value));
        } else {
            problems.push(unknown_word(key, place, modules));
        }
    }
    if let Some(items) = keywords.get(Keyword::Loop) {
        looped = Some(Loop {
            lookup: None,
            items: items.clone(),
        });
    }
    check_register(&keywords, problems);
    let (key, value) = match actions.as_slice() {
        [one] => *one,
        [] => {
            // An unknown word was most likely the module, and is reported already.
            if !problems.covers(&node.span) {
                problems.push(
                    Diagnostic::error("this task calls no module")
                        .at(&node.span)
                        .help("name one, such as `command:` or `copy:`"),
                );
            }
            return None;
        }
        [first, second, ..] => {
            let words = format!(
                "this task calls two modules: `{}` and `{}`",
                first.0.text, second.0.text
            );
            problems.push(
                Diagnostic::error(words)
                    .at(&second.0.span)
                    .label(&first.0.span, "the first one")
                    .help("make two tasks of it"),
            );
            return None;
        }
    };
    let action = action(key, value, &mut keywords, modules, problems)?;
    Some(Task {
        keywords,
        action,
        looped,
        file: file.to_owned(),
        span: node.span.clone(),
    })
}

/// A module's name without the collections that mean the same.
pub(crate) fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

fn unknown_word(key: &Key, place: Place, modules: &dyn KnownModules) -> Diagnostic {
    let names = modules.names();
    let own: Vec<String> = Keyword::words(place).map(str::to_owned).collect();
    let words = own.iter().chain(&names).map(String::as_str);
    if Keyword::words(Place::Play).any(|w| w == key.text) {
        return unknown_keyword(key, place);
    }
    let error =
        Diagnostic::error(format!("there is no module or keyword `{}`", key.text)).at(&key.span);
    match did_you_mean(&key.text, words) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`rplay doc` lists the modules"),
    }
}

fn check_register(keywords: &Keywords, problems: &mut Problems) {
    let Some(node) = keywords.get(Keyword::Register) else {
        return;
    };
    let good = node.as_str().is_some_and(|name| {
        is_template(name)
            || (name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty())
    });
    if !good {
        problems.push(
            Diagnostic::error("`register` takes a variable's name")
                .at(&node.span)
                .help("letters, digits and underscores, not beginning with a digit"),
        );
    }
}

fn action(
    key: &Key,
    value: &Node,
    keywords: &mut Keywords,
    modules: &dyn KnownModules,
    problems: &mut Problems,
) -> Option<Action> {
    let (name, span, value) = if key.text == "action" || key.text == "local_action" {
        if key.text == "local_action" {
            let localhost = Node {
                span: key.span.clone(),
                kind: Kind::Str("localhost".to_owned()),
            };
            keywords.set(Keyword::DelegateTo, localhost);
        }
        named_action(value, problems)?
    } else {
        (short(&key.text).to_owned(), key.span.clone(), value.clone())
    };
    if !modules.known(&name) && !is_template(&name) {
        problems.push(unknown_word(
            &Key { text: name, span },
            Place::Task,
            modules,
        ));
        return None;
    }
    let mut action = Action {
        name,
        span,
        args: Map::new(),
        text: None,
        template: None,
    };
    match &value.kind {
        Kind::Map(map) => action.args = map.clone(),
        Kind::Null => {}
        Kind::Str(text) if modules.free_form(&action.name) => {
            free_text(&mut action, text, &value, modules);
        }
        Kind::Str(text) if is_whole_template(text) => action.template = Some(value.clone()),
        Kind::Str(text) => match key_values(text, &value.span) {
            Ok((args, rest)) if rest.is_empty() => action.args = args,
            _ => {
                let words = format!("`{}` takes arguments, not text", action.name);
                problems.push(
                    Diagnostic::error(words)
                        .at(&value.span)
                        .help("write them below it, as `name: value`"),
                );
                return None;
            }
        },
        _ if modules.free_form(&action.name) => action.text = Some(value.clone()),
        _ => {
            let words = format!(
                "`{}` takes a mapping of arguments, not {}",
                action.name,
                value.describe()
            );
            problems.push(Diagnostic::error(words).at(&value.span));
            return None;
        }
    }
    if let Some(extra) = keywords.get(Keyword::Args) {
        match &extra.kind {
            Kind::Map(map) => {
                for (key, value) in map {
                    action
                        .args
                        .entry(key.clone())
                        .or_insert_with(|| value.clone());
                }
            }
            Kind::Str(text) if is_template(text) => action.template = Some(extra.clone()),
            _ => problems.push(Diagnostic::error("`args` is a mapping").at(&extra.span)),
        }
    }
    check_arguments(&action, modules, problems);
    Some(action)
}

/// `action: copy src=a dest=b`, or `action: {module: copy, src: a}`.
fn named_action(value: &Node, problems: &mut Problems) -> Option<(String, rplay_diag::Span, Node)> {
    match &value.kind {
        Kind::Str(text) => {
            let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let kind = if rest.trim().is_empty() {
                Kind::Null
            } else {
                Kind::Str(rest.trim().to_owned())
            };
            let node = Node {
                span: value.span.clone(),
                kind,
            };
            Some((short(name).to_owned(), value.span.clone(), node))
        }
        Kind::Map(map) if map.contains_key("module") => {
            let mut rest = map.clone();
            let module = rest.shift_remove("module")?;
            let name = short(module.as_str().unwrap_or_default()).to_owned();
            Some((
                name,
                module.span,
                Node {
                    span: value.span.clone(),
                    kind: Kind::Map(rest),
                },
            ))
        }
        _ => {
            problems.push(Diagnostic::error("`action` names a module").at(&value.span));
            None
        }
    }
}

/// The text of `command: uptime chdir=/tmp`: its known options are taken out of it.
fn free_text(action: &mut Action, text: &str, value: &Node, modules: &dyn KnownModules) {
    let Ok((args, _)) = key_values(text, &value.span) else {
        action.text = Some(value.clone());
        return;
    };
    let mut rest = text.to_owned();
    for (key, node) in args {
        let known = modules.check_arg(&action.name, &key.text).is_ok() && key.text != "cmd";
        if !known {
            continue;
        }
        if let Some(cut) = crate::arguments::without(&rest, &key.text) {
            rest = cut;
            action.args.insert(key, node);
        }
    }
    if !rest.trim().is_empty() {
        let kind = Kind::Str(rest.trim().to_owned());
        action.text = Some(Node {
            span: value.span.clone(),
            kind,
        });
    }
}

/// Whether the text is one template and nothing else.
fn is_whole_template(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}")
}

fn check_arguments(action: &Action, modules: &dyn KnownModules, problems: &mut Problems) {
    for key in action.args.keys() {
        let Err(near) = modules.check_arg(&action.name, &key.text) else {
            continue;
        };
        let words = format!("`{}` has no argument `{}`", action.name, key.text);
        let error = Diagnostic::error(words).at(&key.span);
        problems.push(match near {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("`rplay doc {}` lists them", action.name)),
        });
    }
}
