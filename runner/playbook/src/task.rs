//! A mapping becomes a task.

use std::path::Path;

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Node};

use crate::elsewhere::full_name;
use crate::include::{self, read_keyword};
use crate::keyword::{Keyword, Keywords, Place, unknown_keyword};
use crate::shape::Shape;
use crate::types::{Loop, Task};
use crate::{KnownModules, Problems, action};

/// Reads one task; what is wrong goes to `problems`.
pub(crate) fn parse(
    node: &Node,
    place: Place,
    file: &Path,
    modules: &dyn KnownModules,
    problems: &mut Problems,
) -> Option<Task> {
    let before = problems.count();
    let words = Words::sort(node, place, modules, problems)?;
    let Words {
        faults,
        mut keywords,
        keys,
        looped,
        actions,
    } = words;
    let (key, value) = match actions.as_slice() {
        [one] => *one,
        [] => {
            // An unknown word was most likely the module, and is reported already.
            if problems.count() == before || !problems.covers(&node.span) {
                problems.push(
                    Diagnostic::error("this task calls no module")
                        .at(&first_line(node))
                        .help("name one, such as `command:` or `copy:`"),
                );
            }
            return None;
        }
        [first, second, ..] => {
            problems.push(two_modules(first.0, second.0));
            return None;
        }
    };
    let mut action = action::parse(key, value, &mut keywords, modules, problems)?;
    action.faults.extend(faults);
    include::check_named(&action, node, problems);
    include::check_keywords(&action.name, &keys, problems);
    Some(Task {
        keywords,
        action,
        looped,
        file: file.to_owned(),
        span: node.span.clone(),
    })
}

/// The keys of a task by what they are.
struct Words<'a> {
    /// What is wrong with keywords, where that is said when the task runs.
    faults: Vec<Diagnostic>,
    keywords: Keywords,
    keys: Vec<(Keyword, &'a Key)>,
    looped: Option<Loop>,
    actions: Vec<(&'a Key, &'a Node)>,
}

impl<'a> Words<'a> {
    fn sort(
        node: &'a Node,
        place: Place,
        modules: &dyn KnownModules,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(map) = node.as_map() else {
            problems.push(no_mapping(node));
            return None;
        };
        if let Some((key, _)) = map.get_key_value("hosts") {
            let error = Diagnostic::error("this is a play, and plays cannot stand among tasks");
            problems.push(
                error
                    .at(&key.span)
                    .help("`import_playbook`, beside the plays, brings in plays"),
            );
            return None;
        }
        let mut words = Self {
            faults: vec![],
            keywords: Keywords::default(),
            keys: vec![],
            looped: None,
            actions: vec![],
        };
        let mut loop_key: Option<&Key> = None;
        for (key, value) in map {
            let keyword = Keyword::find(&key.text, place);
            let lookup = key.text.strip_prefix("with_");
            if let Some(keyword) = keyword {
                let mut found = Problems::default();
                read_keyword(&mut words.keywords, keyword, value, &mut found);
                match modules.faults_wait() && keyword.shape() == Shape::Bool {
                    true => words.faults.extend(found.into_vec()),
                    false => problems.extend(found.into_vec()),
                }
                words.keys.push((keyword, key));
            } else if is_action(&key.text, modules) {
                words.actions.push((key, value));
            } else if lookup.is_none() {
                problems.push(unknown_word(key, place, modules));
            }
            if keyword != Some(Keyword::Loop) && lookup.is_none() || value.kind == Kind::Null {
                continue;
            }
            match loop_key {
                Some(first) => problems.push(two_loops(first, key)),
                None => loop_key = Some(key),
            }
            if lookup.is_some_and(|name| modules.lookup(name) == Some(false)) {
                let words = format!("there is no lookup for `{}`", key.text);
                problems.push(Diagnostic::error(words).at(&key.span).help("use `loop`"));
            }
            let lookup = lookup.map(str::to_owned);
            words.looped = Some(Loop {
                lookup,
                items: value.clone(),
            });
        }
        Some(words)
    }
}

fn is_action(word: &str, modules: &dyn KnownModules) -> bool {
    matches!(word, "action" | "local_action")
        || include::resolve(word, modules).is_some()
        || !word.starts_with("with_") && full_name(word).is_some()
}

fn no_mapping(node: &Node) -> Diagnostic {
    let error = Diagnostic::error(format!("a task is a mapping, not {}", node.describe()));
    let error = error.at(&first_line(node));
    match node.as_str().and_then(|text| text.split_once(':')) {
        Some((word, rest)) if !word.contains(' ') && !rest.is_empty() => error.help(format!(
            "a space is missing after the colon: `{word}: {}`",
            rest.trim()
        )),
        _ => error.help("write it as `- name: ...` with the module below"),
    }
}

fn two_modules(first: &Key, second: &Key) -> Diagnostic {
    let words = format!(
        "this task calls two modules: `{}` and `{}`",
        first.text, second.text
    );
    Diagnostic::error(words)
        .at(&second.span)
        .label(&first.span, "the first one")
        .help("make two tasks of it")
}

fn two_loops(first: &Key, second: &Key) -> Diagnostic {
    let words = format!(
        "this task loops twice: `{}` and `{}`",
        first.text, second.text
    );
    Diagnostic::error(words)
        .at(&second.span)
        .label(&first.span, "the first one")
        .help("loop over both at once with `{{ one | product(other) | list }}`")
}

/// A module's name without the collections that mean the same.
pub fn short(name: &str) -> &str {
    ["ansible.builtin.", "ansible.legacy."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

/// The error for a key of a task that is neither keyword nor module.
pub(crate) fn unknown_word(key: &Key, place: Place, modules: &dyn KnownModules) -> Diagnostic {
    let error = |words: String| Diagnostic::error(words).at(&key.span);
    match key.text.as_str() {
        "include" => {
            return error("`include` is gone".to_owned())
                .help("use `include_tasks`, `import_tasks` or `import_playbook`");
        }
        "rescue" | "always" => {
            return error(format!("`{}` needs a `block` beside it", key.text));
        }
        _ => {}
    }
    let elsewhere = [Place::Play, Place::Handler];
    if elsewhere
        .iter()
        .any(|other| Keyword::words(*other).any(|word| word == key.text))
    {
        return unknown_keyword(key, place);
    }
    let names = modules.names();
    let mut words: Vec<&str> = Keyword::words(place).collect();
    words.extend(names.iter().map(String::as_str));
    words.push("block");
    let near = did_you_mean(short(&key.text), words);
    let error = if key.text.contains('.') {
        error(format!("there is no module `{}`", key.text))
    } else {
        error(format!("there is no module or keyword `{}`", key.text))
    };
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`rplay doc` lists the modules"),
    }
}

/// The first line of what is written: an error about all of it needs no more.
pub(crate) fn first_line(node: &Node) -> rplay_diag::Span {
    let text = node
        .span
        .source()
        .text()
        .get(node.span.start()..node.span.end());
    let len = text
        .and_then(|text| text.lines().next())
        .map_or(0, |line| line.trim_end().len());
    node.span.slice(0, len.max(1))
}
