//! What may be said to the tasks that bring in other files: `include_*` and `import_*`.

use rplay_diag::Diagnostic;
use rplay_yaml::{Key, Kind, Node};

use crate::keyword::{Keyword, Keywords, Place, unknown_keyword};
use crate::shape::{check as check_shape, suggest};
use crate::task::{first_line, short};
use crate::types::Action;
use crate::{KnownModules, Problems, is_template};

/// Keywords of the include itself; all others are for what it brings in, under `apply`.
const OF_INCLUDES: [Keyword; 13] = [
    Keyword::Args,
    Keyword::Collections,
    Keyword::Debugger,
    Keyword::IgnoreErrors,
    Keyword::Listen,
    Keyword::Loop,
    Keyword::LoopControl,
    Keyword::Name,
    Keyword::NoLog,
    Keyword::Register,
    Keyword::RunOnce,
    Keyword::Tags,
    Keyword::Timeout,
];

/// The arguments of an include or import; `None` for other modules.
pub(crate) fn arguments(module: &str) -> Option<&'static [&'static str]> {
    const ROLE: [&str; 10] = [
        "name",
        "role",
        "tasks_from",
        "vars_from",
        "defaults_from",
        "handlers_from",
        "public",
        "allow_duplicates",
        "rolespec_validate",
        "apply",
    ];
    match module {
        "import_tasks" => Some(&["file"]),
        "include_tasks" => Some(&["file", "apply"]),
        "import_role" => Some(&ROLE[..9]),
        "include_role" => Some(&ROLE),
        _ => None,
    }
}

/// The name that a task's word calls: an include or import, or a module.
pub(crate) fn resolve(word: &str, modules: &dyn KnownModules) -> Option<String> {
    let word = short(word);
    if arguments(word).is_some() || word == "import_playbook" {
        return Some(word.to_owned());
    }
    modules.resolve(word)
}

/// Whether its plain text is a file's name.
pub(crate) fn takes_file(module: &str) -> bool {
    matches!(module, "import_tasks" | "include_tasks")
}

/// Says what is wrong with the arguments of an include or import.
pub(crate) fn check(action: &Action, problems: &mut Problems) {
    let known = arguments(&action.name).unwrap_or_default();
    for (key, value) in &action.args {
        if !known.contains(&key.text.as_str()) {
            // The words that scripts look for.
            let words = format!("Invalid options for {}: {}", action.name, key.text);
            problems.push(unknown_argument(
                Diagnostic::error(words).at(&key.span),
                key,
                &action.name,
            ));
        } else if !is_switch(key) && key.text != "apply" && !is_text(value) {
            // The words that scripts look for.
            let words = format!(
                "Expected a string for {} but got {}",
                key.text,
                value.describe()
            );
            problems.push(Diagnostic::error(words).at(&value.span));
        }
    }
    check_switches(action, problems);
    if let Some(node) = action.args.get("apply") {
        check_apply(node, problems);
    }
}

/// Says of the include or import of a task that it names nothing.
pub(crate) fn check_named(action: &Action, task: &Node, problems: &mut Problems) {
    let names: &[&str] = match action.name.as_str() {
        name if takes_file(name) => &["file"],
        "include_role" | "import_role" => &["name", "role"],
        _ => return,
    };
    let named = names.iter().any(|name| action.args.contains_key(*name));
    if named || action.text.is_some() || !action.templates.is_empty() {
        return;
    }
    // The words that scripts look for.
    let (words, example) = match names {
        ["file"] => (
            format!("No file specified for {}", action.written),
            format!("write `{}: other.yml`", action.name),
        ),
        _ => (
            format!("'name' is a required field for {}.", action.name),
            "say which role: `name: ROLE`".to_owned(),
        ),
    };
    let error = Diagnostic::error(words).at(&first_line(task)).help(example);
    problems.push(match action.span.start() == task.span.start() {
        true => error,
        false => error.at(&action.span),
    });
}

fn unknown_argument(error: Diagnostic, key: &Key, action: &str) -> Diagnostic {
    match misplaced(&key.text, action) {
        Some(help) => error.help(help),
        None => suggest(error, key, arguments(action).unwrap_or_default()),
    }
}

/// The help for a keyword of the task written among the arguments: the most common slip of all.
pub(crate) fn misplaced(word: &str, action: &str) -> Option<String> {
    Keyword::find(word, Place::Handler)?;
    Some(format!(
        "`{word}` is a keyword of the task: indent it as far as `{action}`"
    ))
}

fn is_text(node: &Node) -> bool {
    !matches!(node.kind, Kind::Map(_) | Kind::Seq(_) | Kind::Null)
}

fn is_switch(key: &Key) -> bool {
    matches!(
        key.text.as_str(),
        "public" | "allow_duplicates" | "rolespec_validate"
    )
}

/// Says which arguments are to be true or false and are neither, nor a template.
pub(crate) fn check_switches(action: &Action, problems: &mut Problems) {
    for (key, value) in action.args.iter().filter(|(key, _)| is_switch(key)) {
        check_bool(key, value, problems);
    }
}

fn check_bool(key: &Key, value: &Node, problems: &mut Problems) {
    if truth(value).is_none() && !value.as_str().is_some_and(is_template) {
        let words = format!(
            "`{}` takes true or false, not {}",
            key.text,
            value.describe()
        );
        problems.push(Diagnostic::error(words).at(&value.span));
    }
}

/// A bool, also where it is written as text.
pub(crate) fn truth(node: &Node) -> Option<bool> {
    match &node.kind {
        Kind::Bool(value) => Some(*value),
        Kind::Str(text) => match text.trim().to_lowercase().as_str() {
            "yes" | "true" | "on" | "y" | "t" | "1" => Some(true),
            "no" | "false" | "off" | "n" | "f" | "0" => Some(false),
            _ => None,
        },
        Kind::Int(value) => Some(*value != 0),
        _ => None,
    }
}

/// Says which keywords of an include belong under `apply`.
pub(crate) fn check_keywords(action: &str, keys: &[(Keyword, &Key)], problems: &mut Problems) {
    if !matches!(action, "include_tasks" | "include_role") {
        return;
    }
    for (keyword, key) in keys {
        if OF_INCLUDES.contains(keyword) || matches!(keyword, Keyword::Vars | Keyword::When) {
            continue;
        }
        let error = Diagnostic::error(format!("`{}` does not belong to an include", key.text));
        let error = error.at(&key.span);
        problems.push(if keyword.stands_in(Place::Block) {
            error.help(format!(
                "write it under `apply:` of `{action}`, for each task that is brought in"
            ))
        } else {
            error.help("give it to the tasks that are brought in")
        });
    }
}

/// Checks the keywords that an include applies to what it brings in.
fn check_apply(node: &Node, problems: &mut Problems) {
    let mut keywords = Keywords::default();
    let Some(map) = node.as_map() else {
        if !node.as_str().is_some_and(is_template) && node.kind != Kind::Null {
            let words = format!(
                "`apply` takes a mapping of keywords, not {}",
                node.describe()
            );
            problems.push(Diagnostic::error(words).at(&node.span));
        }
        return;
    };
    for (key, value) in map {
        match Keyword::find(&key.text, Place::Block) {
            Some(keyword) => read_keyword(&mut keywords, keyword, value, problems),
            None => problems.push(unknown_keyword(key, Place::Block)),
        }
    }
}

/// Keeps a keyword whose value can be used; one without a value is as good as none.
pub(crate) fn read_keyword(
    keywords: &mut Keywords,
    keyword: Keyword,
    value: &Node,
    problems: &mut Problems,
) {
    if value.kind != Kind::Null && check_shape(keyword, value, problems) {
        keywords.set(keyword, value.clone());
    }
}
