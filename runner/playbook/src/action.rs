//! The module that a task calls, and its arguments in all their forms.

use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::arguments::{Open, Pair, Words, continued, is_template, split_node};
use crate::elsewhere::{full_name, is_of_a_known_collection};
use crate::keyword::{Keyword, Keywords};
use crate::task::{short, unknown_word};
use crate::types::Action;
use crate::{KnownModules, Problems, include};

/// Modules that take a command: only these options are taken out of it.
const COMMANDS: [&str; 4] = ["command", "raw", "script", "shell"];
const COMMAND_OPTIONS: [&str; 8] = [
    "chdir",
    "creates",
    "executable",
    "removes",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
    "warn",
];

/// Reads the call under `key`; `args` and `delegate_to` come from and go to the keywords.
pub(crate) fn parse(
    key: &Key,
    value: &Node,
    keywords: &mut Keywords,
    modules: &dyn KnownModules,
    problems: &mut Problems,
) -> Option<Action> {
    let Called {
        name,
        span,
        value,
        templates,
    } = match key.text.as_str() {
        "action" | "local_action" => named(value, problems)?,
        name => Called {
            name: name.to_owned(),
            span: key.span.clone(),
            value: value.clone(),
            templates: vec![],
        },
    };
    if short(&name) == "import_playbook" {
        let error = Diagnostic::error("`import_playbook` cannot stand among tasks").at(&span);
        problems.push(error.help("it stands beside plays, at the top of a playbook"));
        return None;
    }
    if key.text == "local_action" {
        let kind = Kind::Str("localhost".to_owned());
        keywords.set(
            Keyword::DelegateTo,
            Node {
                span: key.span.clone(),
                kind,
            },
        );
    }
    let written = name.clone();
    let name = if is_template(&name) {
        name
    } else {
        match include::resolve(&name, modules).or_else(|| moved(&name, modules)) {
            Some(known) => known,
            None if let Some(full) = full_name(&name) => {
                let waits = modules.faults_wait() && is_of_a_known_collection(&full);
                let mut action = missing_module(name, &full, span);
                if !waits {
                    problems.extend(std::mem::take(&mut action.faults));
                }
                return Some(action);
            }
            None => {
                let key = Key { text: name, span };
                problems.push(unknown_word(&key, crate::Place::Task, modules));
                return None;
            }
        }
    };
    let mut reader = Reader {
        action: Action {
            name,
            written,
            span,
            args: Map::new(),
            text: None,
            templates,
            faults: vec![],
        },
        modules,
    };
    reader.value(&value);
    if let Some(extra) = keywords.get(Keyword::Args) {
        reader.extra(extra);
    }
    reader.check(problems);
    if !modules.faults_wait() {
        let faults = std::mem::take(&mut reader.action.faults);
        faults.into_iter().for_each(|fault| problems.push(fault));
    }
    Some(reader.action)
}

/// The module that a name of old means, where its collection is there.
fn moved(name: &str, modules: &dyn KnownModules) -> Option<String> {
    modules.resolve(&full_name(name)?)
}

/// A call of a module that only Ansible has: the task fails of it where it runs.
fn missing_module(name: String, full: &str, span: Span) -> Action {
    let words = match is_of_a_known_collection(full) {
        true => format!("the module `{full}` is not part of rplay: it only exists in Python"),
        false => format!("the module `{full}` is not part of rplay, and no collection here has it"),
    };
    let fault = Diagnostic::error(words)
        .at(&span)
        .help("with its collection and ansible-core installed on this machine, it runs on hosts that have Python")
        .help("`rplay doc` lists the modules that need neither; a program of yours in `library/` can stand in for it");
    Action {
        written: name.clone(),
        name,
        span,
        args: Map::new(),
        text: None,
        templates: vec![],
        faults: vec![fault],
    }
}

/// Says of an argument that its name is Ansible's own.
fn own_to_ansible(key: &Key, action: &str, problems: &mut Problems) {
    if key.text.starts_with("_ansible_") {
        let words = format!(
            "Invalid parameter specified beginning with keyword '_ansible_' for action '{action}': '{}'. The prefix '_ansible_' is reserved for internal use only.",
            key.text
        );
        problems.push(Diagnostic::error(words).at(&key.span));
    }
}

/// What a task calls, as it says.
struct Called {
    name: String,
    span: Span,
    value: Node,
    /// Templates that give more arguments, the later ones over the earlier ones.
    templates: Vec<Node>,
}

/// `action: copy src=a dest=b`, or `action: {module: copy, src: a}`.
fn named(value: &Node, problems: &mut Problems) -> Option<Called> {
    match &value.kind {
        Kind::Str(text) => {
            let start = text.len() - text.trim_start().len();
            // The name may be a template, with blanks of its own.
            let braces = text[start..].starts_with("{{");
            let within = braces.then(|| text[start..].find("}}")).flatten();
            let after = start + within.unwrap_or(0);
            let end = text[after..]
                .find(char::is_whitespace)
                .map_or(text.len(), |i| after + i);
            let name = text[start..end].to_owned();
            let rest = text[end..].trim();
            let at = text.len() - text[end..].trim_start().len();
            let kind = if rest.is_empty() {
                Kind::Null
            } else {
                Kind::Str(rest.to_owned())
            };
            let node = Node {
                span: value.locate_range(at, at + rest.len().max(1)),
                kind,
            };
            Some(Called {
                name,
                span: value.locate_range(start, end),
                value: node,
                templates: vec![],
            })
        }
        Kind::Map(map) if map.contains_key("module") => Some(named_in(value, map.clone())?),
        _ => {
            let error = Diagnostic::error("`action` names a module").at(&value.span);
            problems
                .push(error.help("write `action: copy src=a dest=b`, or the module as the key"));
            None
        }
    }
}

/// `{module: copy, src: a}`: its `args` come first, then what stands behind the module's name, then the
/// keys beside it.
fn named_in(value: &Node, mut beside: Map) -> Option<Called> {
    let module = beside.shift_remove("module")?;
    let name = module.as_str().unwrap_or_default();
    let (mut args, mut templates) = (Map::new(), vec![]);
    match beside.shift_remove("args") {
        Some(Node {
            kind: Kind::Map(given),
            ..
        }) => args = given,
        Some(node) if node.as_str().is_some_and(is_template) => templates.push(node),
        _ => {}
    }
    // `module: copy src=a` is a call of its own.
    let (name, inline) = match name.split_once(char::is_whitespace) {
        Some(split) if !is_whole_template(name) => split,
        _ => (name, ""),
    };
    let text = Node {
        span: module.span.clone(),
        kind: Kind::Str(inline.to_owned()),
    };
    if let Ok(words) = split_node(&text) {
        for pair in words.pairs {
            args.entry(pair.key).or_insert(pair.value);
        }
        let rest = words.rest.into_iter().map(|(_, word)| word);
        let rest = rest.filter(|word| is_template(word));
        templates.extend(rest.map(|word| Node {
            span: module.span.clone(),
            kind: Kind::Str(word),
        }));
    }
    for (key, node) in beside {
        args.entry(key).or_insert(node);
    }
    Some(Called {
        name: name.to_owned(),
        span: module.span,
        value: Node {
            span: value.span.clone(),
            kind: Kind::Map(args),
        },
        templates,
    })
}

struct Reader<'a> {
    action: Action,
    modules: &'a dyn KnownModules,
}

impl Reader<'_> {
    fn value(&mut self, value: &Node) {
        let free =
            self.modules.free_form(&self.action.name) || include::takes_file(&self.action.name);
        match &value.kind {
            Kind::Null => {}
            Kind::Map(map) => self.action.args = map.clone(),
            Kind::Str(_) if free && self.is_command() => self.command(value),
            Kind::Str(_) if free => self.free_text(value),
            Kind::Str(text) if is_whole_template(text) => {
                self.action.templates.push(value.clone());
            }
            Kind::Str(_) => self.pairs(value),
            _ if free => self.action.text = Some(value.clone()),
            _ => {
                let words = format!(
                    "`{}` takes a mapping of arguments, not {}",
                    self.action.name,
                    value.describe()
                );
                self.fault(Diagnostic::error(words).at(&value.span));
            }
        }
        // A text of its own may be written as an argument, as the old long form does.
        if let Some(text) = self.action.args.shift_remove("_raw_params") {
            self.action.text = Some(text);
        }
    }

    /// Whether its text is a command, or may be one for all that is known of it.
    fn is_command(&self) -> bool {
        let name = self.action.name.as_str();
        COMMANDS.contains(&name) || self.modules.is_foreign(name)
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        self.action.faults.push(diagnostic);
    }

    /// `copy: src=a dest=b`; what is left may be a template that gives more of them.
    fn pairs(&mut self, value: &Node) {
        let Words { mut pairs, rest } = match split_node(value) {
            Ok(words) => words,
            Err(open) => return self.fault(never_closed(value, &open)),
        };
        let (odd, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, w)| w.contains('='));
        pairs.extend(
            odd.iter()
                .filter_map(|(from, word)| torn(value, *from, word)),
        );
        self.action
            .args
            .extend(pairs.into_iter().map(|pair| (pair.key, pair.value)));
        let (Some((from, first)), Some((last, end))) = (rest.first(), rest.last()) else {
            return;
        };
        let words: Vec<&str> = rest.iter().map(|(_, word)| word.as_str()).collect();
        let words = words.join(" ");
        if is_whole_template(&words) {
            self.action.templates.push(Node {
                span: value.locate_range(*from, last + end.len()),
                kind: Kind::Str(words),
            });
            return;
        }
        let words = match self.modules.faults_wait() {
            // It becomes a task's result, where playbooks look for Ansible's words.
            true => format!(
                "Action '{}' does not support raw params.",
                self.modules.full_name(&self.action.name)
            ),
            false => format!("`{}` takes arguments, not text", self.action.name),
        };
        self.fault(
            Diagnostic::error(words)
                .at(&value.locate_range(*from, from + first.len()))
                .help("write them below it, as `name: value`"),
        );
    }

    /// `command: uptime chdir=/tmp`: its known options are taken out of it.
    fn command(&mut self, value: &Node) {
        self.take_out(value, |_, key| COMMAND_OPTIONS.contains(&key));
    }

    /// `include_vars: a.yml name=b`: what the module knows is taken out of it.
    fn free_text(&mut self, value: &Node) {
        self.take_out(value, |reader, key| {
            let name = reader.action.name.as_str();
            match include::arguments(name) {
                Some(known) => known.contains(&key),
                None => reader.modules.check_arg(name, key).is_ok(),
            }
        });
    }

    /// The text without the pairs that `takes` says are arguments.
    fn take_out(&mut self, value: &Node, takes: impl Fn(&Self, &str) -> bool) {
        let text = value.as_str().unwrap_or_default();
        // A quote that stays open is for the shell to judge: heredocs and awk are full of them.
        let pairs = split_node(value)
            .map(|words| words.pairs)
            .unwrap_or_default();
        let (mut kept, mut at) = (vec![], 0);
        for pair in pairs {
            if takes(self, &pair.key.text) {
                kept.push(at..pair.from);
                at = pair.to;
                self.action.args.insert(pair.key, pair.value);
            }
        }
        kept.push(at..text.len());
        kept.retain(|range| !text[range.clone()].trim().is_empty());
        self.action.text = match kept.as_slice() {
            [] => None,
            [range] if *range == (0..text.len()) => Some(value.clone()),
            [range] => {
                // The end of the last line stays, as in Ansible: it is part of what a shell reads.
                let words = text[range.clone()]
                    .trim_start()
                    .trim_end_matches([' ', '\t']);
                let from = range.end - text[range.clone()].trim_start().len();
                let span = value.locate_range(from, from + words.len());
                Some(Node {
                    span,
                    kind: Kind::Str(words.to_owned()),
                })
            }
            _ => {
                let words: Vec<_> = kept
                    .iter()
                    .map(|range| text[range.clone()].trim())
                    .collect();
                Some(Node {
                    span: value.span.clone(),
                    kind: Kind::Str(words.join(" ")),
                })
            }
        };
        self.join_lines();
    }

    /// Lines of a command that go on in the next are joined, as the result tells it.
    fn join_lines(&mut self) {
        if let Some(node) = &mut self.action.text
            && let Some(joined) = node.as_str().and_then(continued)
        {
            node.kind = Kind::Str(joined);
        }
    }

    /// The keyword `args`; what the call itself says comes first.
    fn extra(&mut self, extra: &Node) {
        match &extra.kind {
            Kind::Map(map) => {
                for (key, value) in map {
                    self.action
                        .args
                        .entry(key.clone())
                        .or_insert_with(|| value.clone());
                }
            }
            Kind::Str(text) if is_template(text) => self.action.templates.insert(0, extra.clone()),
            // What is wrong with it is said where keywords are read.
            _ => {}
        }
    }

    fn check(&mut self, problems: &mut Problems) {
        self.action
            .args
            .keys()
            .for_each(|key| own_to_ansible(key, &self.action.name, problems));
        if include::arguments(&self.action.name).is_some() {
            include::check(&self.action, problems);
            return;
        }
        let keys = self.action.args.keys();
        let wrong = keys
            .filter(|key| !is_template(&key.text))
            .filter_map(|key| self.unknown(key));
        let wrong: Vec<Diagnostic> = wrong.collect();
        self.action.faults.extend(wrong);
    }

    /// What is wrong with an argument's name.
    fn unknown(&self, key: &Key) -> Option<Diagnostic> {
        let near = self.modules.check_arg(&self.action.name, &key.text).err()?;
        let name = &self.action.name;
        let words = match self.modules.faults_wait() {
            // It becomes a task's result, where playbooks look for Ansible's words.
            true => format!("Unsupported parameters for ({name}) module: {}", key.text),
            false => format!("`{name}` has no argument `{}`", key.text),
        };
        let error = Diagnostic::error(words).at(&key.span);
        Some(
            match (include::misplaced(&key.text, &self.action.name), near) {
                (Some(help), _) => error.help(help),
                (None, Some(near)) => error.help(format!("did you mean `{near}`?")),
                (None, None) => error.help(format!("`rplay doc {}` lists them", self.action.name)),
            },
        )
    }
}

/// Whether the text is one template and nothing else.
fn is_whole_template(text: &str) -> bool {
    let inner = text
        .trim()
        .strip_prefix("{{")
        .and_then(|t| t.strip_suffix("}}"));
    inner.is_some_and(|inner| !inner.contains("}}"))
}

/// A word with a sign inside of braces, torn apart there, as Ansible does it.
fn torn(value: &Node, from: usize, word: &str) -> Option<Pair> {
    let (name, rest) = word.split_once('=')?;
    let to = from + word.len();
    let at = from + name.len();
    Some(Pair {
        key: Key {
            text: name.to_owned(),
            span: value.locate_range(from, at.max(from + 1)),
        },
        value: Node {
            span: value.locate_range(at, to),
            kind: Kind::Str(rest.to_owned()),
        },
        from,
        to,
    })
}

fn never_closed(node: &Node, open: &Open) -> Diagnostic {
    Diagnostic::error(format!("this `{}` is never closed", open.sign))
        .at(&node.locate_range(open.at, open.at + open.sign.len()))
        .help("write the arguments below the module, as `name: value`, where quotes are plain text")
}
