//! What a keyword's value must look like, as far as that can be told before templates are rendered.

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::arguments::is_template;
use crate::keyword::{Keyword, plain_text};
use crate::problems::Problems;
use crate::variable_name::check_name;

/// The form of a keyword's value. A template may stand for most of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Number,
    Percent,
    Text,
    Texts,
    Condition,
    Mapping,
    Mappings,
    Variables,
    VariableName,
    Hosts,
    Items,
    LoopControl,
    Batches,
    Files,
    Prompts,
    /// Tasks or roles: whoever reads them says what is wrong.
    Steps,
    Strategy,
    Order,
    Debugger,
}

const BOOLS: [&str; 14] = [
    "yes", "no", "true", "false", "on", "off", "y", "n", "t", "f", "1", "0", "1.0", "0.0",
];
const STRATEGIES: [&str; 4] = ["linear", "free", "host_pinned", "debug"];
const ORDERS: [&str; 5] = [
    "inventory",
    "reverse_inventory",
    "sorted",
    "reverse_sorted",
    "shuffle",
];
const DEBUGGERS: [&str; 5] = [
    "always",
    "never",
    "on_failed",
    "on_unreachable",
    "on_skipped",
];
const LOOP_CONTROL: [&str; 7] = [
    "loop_var",
    "index_var",
    "label",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
];
const PROMPT: [&str; 9] = [
    "name",
    "prompt",
    "default",
    "private",
    "confirm",
    "encrypt",
    "salt_size",
    "salt",
    "unsafe",
];

/// Says what is wrong with a keyword's value; whether it can be used.
pub(crate) fn check(keyword: Keyword, node: &Node, problems: &mut Problems) -> bool {
    let check = Check { keyword, problems };
    check.value(node)
}

struct Check<'a> {
    keyword: Keyword,
    problems: &'a mut Problems,
}

impl Check<'_> {
    fn value(mut self, node: &Node) -> bool {
        let before = self.problems.count();
        if node.as_str().is_some_and(is_template) && self.takes_template() {
            if self.keyword.shape() == Shape::Condition {
                self.condition(node);
            }
            return true;
        }
        match self.keyword.shape() {
            Shape::Bool => self.bool(node),
            Shape::Number => self.number(node),
            Shape::Percent => self.percent(node),
            Shape::Text => self.text(node),
            Shape::Texts => self.each(node, Self::text),
            Shape::Condition => self.each(node, Self::condition),
            Shape::Mapping => self.mapping(node),
            Shape::Mappings => self.each(node, Self::mapping),
            Shape::Variables => self.variables(node),
            Shape::VariableName => self.variable_name(node),
            Shape::Hosts => self.hosts(node),
            Shape::Items => self.items(node),
            Shape::LoopControl => self.loop_control(node),
            Shape::Batches => self.each(node, Self::percent),
            Shape::Files => self.each(node, |check, file| check.each(file, Self::text)),
            Shape::Prompts => self.each(node, Self::prompt),
            Shape::Steps => {}
            Shape::Strategy => self.one_of(node, &STRATEGIES),
            Shape::Order => self.one_of(node, &ORDERS),
            Shape::Debugger => self.one_of(node, &DEBUGGERS),
        }
        self.problems.count() == before
    }

    /// Variables have names, so they cannot come out of a template as one.
    fn takes_template(&self) -> bool {
        !matches!(
            self.keyword.shape(),
            Shape::Variables | Shape::LoopControl | Shape::Prompts
        )
    }

    fn word(&self) -> &'static str {
        self.keyword.word()
    }

    fn wrong(&mut self, node: &Node, wanted: &str) {
        let words = format!("`{}` takes {wanted}, not {}", self.word(), node.describe());
        self.problems.push(Diagnostic::error(words).at(&node.span));
    }

    fn each(&mut self, node: &Node, one: impl Fn(&mut Self, &Node)) {
        match node.as_seq() {
            Some(items) => items.iter().for_each(|item| self.template_or(item, &one)),
            None => one(self, node),
        }
    }

    fn template_or(&mut self, node: &Node, one: &impl Fn(&mut Self, &Node)) {
        let template = node.as_str().is_some_and(is_template);
        if !template || self.keyword.shape() == Shape::Condition {
            one(self, node);
        }
    }

    fn bool(&mut self, node: &Node) {
        match &node.kind {
            Kind::Bool(_) | Kind::Int(0 | 1) | Kind::Vault(_) => {}
            Kind::Str(text) if BOOLS.contains(&text.trim().to_lowercase().as_str()) => {}
            Kind::Str(text) | Kind::Unsafe(text) => {
                let words = format!(
                    "The value '{text}' could not be converted to 'bool': `{}` takes true or false",
                    self.word()
                );
                let error = Diagnostic::error(words).at(&node.span);
                let near = did_you_mean(&text.to_lowercase(), ["yes", "no", "true", "false"]);
                self.problems.push(match near {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("a variable is written `\"{{{{ {text} }}}}\"`")),
                });
            }
            _ => self.wrong(node, "true or false"),
        }
    }

    fn number(&mut self, node: &Node) {
        let good = match &node.kind {
            Kind::Int(_) | Kind::Float(_) | Kind::Vault(_) => true,
            Kind::Str(text) | Kind::Unsafe(text) => {
                let good = text.trim().parse::<f64>().is_ok();
                if !good {
                    let words = format!("`{}` takes a number, not `{text}`", self.word());
                    self.problems.push(Diagnostic::error(words).at(&node.span));
                }
                return;
            }
            _ => false,
        };
        if !good {
            self.wrong(node, "a number");
        }
    }

    fn percent(&mut self, node: &Node) {
        let text = plain_text(node);
        let number = text.trim().trim_end_matches('%').trim();
        if number.parse::<f64>().is_ok_and(|n| n >= 0.0) && !matches!(node.kind, Kind::Bool(_)) {
            return;
        }
        match node.as_str() {
            Some(text) => {
                let words = format!(
                    "`{}` takes a number or percentage, not `{text}`",
                    self.word()
                );
                self.problems.push(Diagnostic::error(words).at(&node.span));
            }
            None => self.wrong(node, "a number or percentage"),
        }
    }

    fn text(&mut self, node: &Node) {
        if matches!(node.kind, Kind::Map(_) | Kind::Seq(_)) {
            self.wrong(node, "text");
        }
    }

    fn condition(&mut self, node: &Node) {
        match &node.kind {
            Kind::Map(map) => {
                let error = Diagnostic::error(format!(
                    "`{}` takes a condition, not a mapping",
                    self.word()
                ));
                let error = error.at(&node.span);
                self.problems.push(match map.get_index(0) {
                    Some((key, value)) if value.as_str().is_some() => {
                        error.help(format!("write `{} == {:?}`", key.text, plain_text(value)))
                    }
                    _ => error.help("a condition is text, such as `name == \"value\"`"),
                });
            }
            Kind::Seq(_) => self.wrong(node, "a condition"),
            Kind::Str(text)
                if text.trim_start().starts_with("{{") || text.trim_start().starts_with("{%") =>
            {
                let words = format!(
                    "`{}` is a condition already: it needs no `{{{{ }}}}`",
                    self.word()
                );
                let warning = Diagnostic::warning(words).at(&node.span);
                let inner = text
                    .trim()
                    .trim_start_matches("{{")
                    .trim_end_matches("}}")
                    .trim();
                self.problems.push(
                    if ["{{", "}}", "{%"].iter().any(|brace| inner.contains(brace)) {
                        warning.help("write the condition without braces")
                    } else {
                        warning.help(format!("write `{}: {inner}`", self.word()))
                    },
                );
            }
            _ => {}
        }
    }

    fn mapping(&mut self, node: &Node) {
        if !matches!(node.kind, Kind::Map(_)) {
            self.wrong(node, "a mapping");
        }
    }

    fn variables(&mut self, node: &Node) {
        let Kind::Map(map) = &node.kind else {
            let words = format!(
                "`{}` takes a mapping of variables, not {}",
                self.word(),
                node.describe()
            );
            let error = Diagnostic::error(words).at(&node.span);
            self.problems.push(match node.kind {
                Kind::Seq(_) => error.help("take the `- ` off: `name: value`"),
                _ => error,
            });
            return;
        };
        for key in map.keys() {
            check_name(&key.text, &key.span, self.problems);
        }
    }

    fn variable_name(&mut self, node: &Node) {
        match &node.kind {
            Kind::Str(text) => check_name(text, &node.span, self.problems),
            _ => {
                let words = format!(
                    "Invalid variable name in `{}`: {}",
                    self.word(),
                    node.describe()
                );
                self.problems.push(Diagnostic::error(words).at(&node.span));
            }
        }
    }

    fn hosts(&mut self, node: &Node) {
        let empty = |text: &str| text.trim().is_empty();
        match &node.kind {
            Kind::Str(text) if empty(text) => self.no_hosts(node),
            Kind::Seq(items) if items.is_empty() => self.no_hosts(node),
            Kind::Seq(items) => {
                for item in items {
                    match &item.kind {
                        Kind::Null => self.no_hosts(item),
                        Kind::Str(text) if empty(text) => self.no_hosts(item),
                        Kind::Map(_) | Kind::Seq(_) => self.wrong(item, "names or patterns"),
                        _ => {}
                    }
                }
            }
            Kind::Null => self.no_hosts(node),
            Kind::Map(_) => self.wrong(node, "a pattern or a list of them"),
            _ => {}
        }
    }

    fn no_hosts(&mut self, node: &Node) {
        let words = "Hosts list cannot be empty. Please check your playbook";
        let error = Diagnostic::error(words).at(&node.span);
        self.problems.push(error.help("say which: `hosts: all`"));
    }

    fn items(&mut self, node: &Node) {
        let error = match &node.kind {
            Kind::Seq(_) => return,
            Kind::Str(text) => Diagnostic::error(format!("`loop` takes a list, not `{text}`"))
                .help(format!("a variable is written `\"{{{{ {text} }}}}\"`")),
            Kind::Map(_) => Diagnostic::error("`loop` takes a list, not a mapping")
                .help("put the mapping into a variable and write `\"{{ name | dict2items }}\"`"),
            _ => Diagnostic::error(format!("`loop` takes a list, not {}", node.describe())),
        };
        self.problems.push(error.at(&node.span));
    }

    fn loop_control(&mut self, node: &Node) {
        let Kind::Map(map) = &node.kind else {
            return self.wrong(node, "a mapping");
        };
        self.known_keys(map, "`loop_control`", &LOOP_CONTROL);
        for name in ["loop_var", "index_var"] {
            let Some(value) = map.get(name) else { continue };
            match &value.kind {
                Kind::Str(text) => check_name(text, &value.span, self.problems),
                _ => self.problems.push(
                    Diagnostic::error(format!(
                        "Invalid variable name in `{name}`: {}",
                        value.describe()
                    ))
                    .at(&value.span),
                ),
            }
        }
    }

    fn prompt(&mut self, node: &Node) {
        let Kind::Map(map) = &node.kind else {
            return self.wrong(node, "a list of mappings");
        };
        self.known_keys(map, "an entry of `vars_prompt`", &PROMPT);
        match map.get("name").map(|name| (&name.kind, name)) {
            Some((Kind::Str(text), name)) => check_name(text, &name.span, self.problems),
            _ => self.problems.push(
                Diagnostic::error("Invalid vars_prompt data structure, missing 'name' key")
                    .at(&node.span)
                    .help("`name` is the variable that takes the answer"),
            ),
        }
    }

    fn known_keys(&mut self, map: &Map, what: &str, known: &[&'static str]) {
        for key in map.keys().filter(|key| !known.contains(&key.text.as_str())) {
            let words = format!("`{}` is no key of {what}", key.text);
            self.problems
                .push(suggest(Diagnostic::error(words).at(&key.span), key, known));
        }
    }

    fn one_of(&mut self, node: &Node, known: &[&'static str]) {
        let Some(text) = node.as_str() else {
            return self.wrong(node, "a word");
        };
        let word = crate::task::short(text);
        if !known.contains(&word) {
            let words = format!("`{}` cannot be `{text}`", self.word());
            let key = Key {
                text: word.to_owned(),
                span: node.span.clone(),
            };
            self.problems.push(suggest(
                Diagnostic::error(words).at(&node.span),
                &key,
                known,
            ));
        }
    }
}

/// "did you mean", or the whole choice.
pub(crate) fn suggest(error: Diagnostic, key: &Key, known: &[&'static str]) -> Diagnostic {
    match did_you_mean(&key.text, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => {
            let words: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
            error.help(format!("one of {}", words.join(", ")))
        }
    }
}
