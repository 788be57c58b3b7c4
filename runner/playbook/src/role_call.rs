//! How a role is called: an entry of `roles:`, a dependency, `import_role`, `include_role`.

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::Problems;
use crate::include::{read_keyword, truth};
use crate::keyword::{Keyword, Keywords, Place};
use crate::task::first_line;
use crate::types::{Public, Task};

/// A role as a playbook calls it.
#[derive(Debug, Clone)]
pub struct RoleCall {
    /// Its name or path.
    pub name: Node,
    /// What it is given; its tasks inherit it.
    pub keywords: Keywords,
    /// What it is given besides keywords: variables of the role.
    pub params: Map,
    /// Entry points other than `main`.
    pub from: From,
    /// Whether its variables are seen outside of it.
    pub public: Public,
    /// Whether it runs again though it ran with the same parameters; where the call cannot say it,
    /// the role does.
    pub duplicates: Option<bool>,
    /// Whether its arguments are held against its specification.
    pub validate: bool,
    /// Keywords written among its variables.
    written: Vec<Key>,
}

/// Entry points of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct From {
    /// Of its tasks.
    pub tasks: String,
    /// Of its handlers.
    pub handlers: String,
    /// Of its variables.
    pub vars: String,
    /// Of its defaults.
    pub defaults: String,
}

impl Default for From {
    fn default() -> Self {
        let main = || "main".to_owned();
        Self {
            tasks: main(),
            handlers: main(),
            vars: main(),
            defaults: main(),
        }
    }
}

impl RoleCall {
    fn new(name: Node) -> Self {
        Self {
            name,
            keywords: Keywords::default(),
            params: Map::new(),
            from: From::default(),
            public: Public::Static,
            duplicates: None,
            validate: true,
            written: vec![],
        }
    }

    /// An entry of `roles:` or of a role's dependencies.
    pub(crate) fn parse(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Some(map) = node.as_map() else {
            if node.as_str().is_none() {
                let words = format!("a role is a name or a mapping, not {}", node.describe());
                problems.push(Diagnostic::error(words).at(&first_line(node)));
                return None;
            }
            if let Some(name) = node.as_str().filter(|name| name.contains(',')) {
                let words = format!("Invalid old style role requirement: {name}");
                problems.push(Diagnostic::error(words).at(&node.span));
                return None;
            }
            return Some(Self::new(node.clone()));
        };
        let name = ["role", "name", "src"]
            .iter()
            .find_map(|word| map.get(*word));
        let Some(name) = name.filter(|name| name.as_str().is_some()) else {
            problems.push(no_name(node));
            return None;
        };
        let mut call = Self::new(name.clone());
        for (key, value) in map {
            let text = key.text.as_str();
            // What ansible-galaxy installs a dependency from says nothing here.
            if matches!(text, "role" | "name" | "src" | "scm" | "version")
                && !(text == "version" && map.get("src").is_none())
            {
                continue;
            }
            match Keyword::find(text, Place::Block).filter(|k| *k != Keyword::Notify) {
                Some(keyword) => {
                    read_keyword(&mut call.keywords, keyword, value, problems);
                    call.written.push(key.clone());
                }
                None => {
                    call.params.insert(key.clone(), value.clone());
                }
            }
        }
        Some(call)
    }

    /// An `import_role` or `include_role` whose arguments are rendered.
    pub fn of_task(task: &Task, problems: &mut Problems) -> Option<Self> {
        let args = &task.action.args;
        let named = args
            .get("name")
            .or_else(|| args.get("role"))
            .or(task.action.text.as_ref());
        let Some(name) = named else {
            // An absent name is reported where arguments are checked; this one may come of a render.
            if !problems.covers(&task.span) {
                let words = format!("`{}` needs the role's `name`", task.action.name);
                problems.push(Diagnostic::error(words).at(&task.action.span));
            }
            return None;
        };
        let mut call = Self::new(name.clone());
        call.keywords = task.keywords.only(Place::Block);
        let from = &mut call.from;
        for (key, slot) in [
            ("tasks_from", &mut from.tasks),
            ("handlers_from", &mut from.handlers),
            ("vars_from", &mut from.vars),
            ("defaults_from", &mut from.defaults),
        ] {
            if let Some(value) = args.get(key).and_then(Node::as_str) {
                stem(value).clone_into(slot);
            }
        }
        let flag = |name: &str| args.get(name).and_then(truth);
        call.public = match (flag("public"), task.action.name.as_str()) {
            (Some(public), _) => Public::Said(public),
            (None, "import_role") => Public::Static,
            (None, _) => Public::Dynamic,
        };
        call.duplicates = Some(flag("allow_duplicates").unwrap_or(true));
        call.validate = flag("rolespec_validate").unwrap_or(true);
        Some(call)
    }

    /// What makes two calls the same call: the role runs once for them.
    pub(crate) fn identity(&self, path: &std::path::Path) -> String {
        let mut words = vec![path.display().to_string(), format!("{:?}", self.from)];
        words.push(format!("{:?}", plain(&self.params)));
        for keyword in [Keyword::Vars, Keyword::When, Keyword::Tags] {
            words.push(
                self.keywords
                    .get(keyword)
                    .map(plain_node)
                    .unwrap_or_default(),
            );
        }
        words.join("\n")
    }

    /// Variables of a role that knows none of that name but are nearly keywords, and keywords that
    /// the role knows as variables.
    pub(crate) fn doubts(&self, known: impl Fn(&str) -> bool) -> Vec<Diagnostic> {
        let slips = self
            .params
            .keys()
            .filter(|key| !known(&key.text))
            .filter_map(slip);
        let taken = self
            .written
            .iter()
            .filter(|key| known(&key.text))
            .map(taken);
        slips.chain(taken).collect()
    }
}

fn slip(key: &Key) -> Option<Diagnostic> {
    let near = did_you_mean(&key.text, Keyword::words(Place::Block))?;
    let words = format!(
        "`{}` is given to the role as a variable that it does not know",
        key.text
    );
    let warning = Diagnostic::warning(words).at(&key.span);
    Some(warning.help(format!("did you mean the keyword `{near}`?")))
}

fn taken(key: &Key) -> Diagnostic {
    let words = format!(
        "`{}` is a keyword here, and not given to the role's variable",
        key.text
    );
    let warning = Diagnostic::warning(words).at(&key.span);
    warning.help(format!(
        "for the variable write `vars: {{{}: ...}}`",
        key.text
    ))
}

fn no_name(node: &Node) -> Diagnostic {
    let error = Diagnostic::error("this role has no name").at(&first_line(node));
    // `- etcd: {port: 1}` and `- etcd:` are what people write who know tasks.
    match node.as_map().and_then(|map| map.get_index(0)) {
        Some((key, value))
            if matches!(value.kind, Kind::Null | Kind::Map(_))
                && Keyword::find(&key.text, Place::Block).is_none() =>
        {
            error.help(format!("write `- role: {}`", key.text))
        }
        _ => error.help("write `- role: NAME`"),
    }
}

fn stem(name: &str) -> &str {
    [".yml", ".yaml", ".json"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

fn plain(map: &Map) -> Vec<(String, String)> {
    map.iter()
        .map(|(k, v)| (k.text.clone(), plain_node(v)))
        .collect()
}

/// A value without its places, to compare calls.
fn plain_node(node: &Node) -> String {
    match &node.kind {
        Kind::Seq(items) => format!(
            "[{}]",
            items.iter().map(plain_node).collect::<Vec<_>>().join(",")
        ),
        Kind::Map(map) => format!("{:?}", plain(map)),
        other => format!("{other:?}"),
    }
}
