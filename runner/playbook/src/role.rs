//! Roles: where they are found, what is read of them, and how they are called.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_yaml::{Kind, Map, Node};

use crate::keyword::{Keyword, Keywords, Place};
use crate::loader::{Context, Loader, searched};
use crate::problems::Problems;
use crate::types::{Block, Item, Origin, Role, Task};

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
    pub public: bool,
    /// Whether it runs again though it ran with the same parameters.
    pub duplicates: bool,
}

/// Entry points of a role.
#[derive(Debug, Clone)]
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
    /// An entry of `roles:` or of a role's dependencies.
    pub(crate) fn parse(node: &Node, problems: &mut Problems) -> Option<Self> {
        let mut call = Self {
            name: node.clone(),
            keywords: Keywords::default(),
            params: Map::new(),
            from: From::default(),
            public: true,
            duplicates: false,
        };
        let Some(map) = node.as_map() else {
            if node.as_str().is_none() {
                let words = format!("a role is a name or a mapping, not {}", node.describe());
                problems.push(Diagnostic::error(words).at(&node.span));
                return None;
            }
            return Some(call);
        };
        let Some(name) = map.get("role").or_else(|| map.get("name")) else {
            problems.push(
                Diagnostic::error("this role has no name")
                    .at(&node.span)
                    .help("write `- role: NAME`"),
            );
            return None;
        };
        call.name = name.clone();
        for (key, value) in map {
            match Keyword::find(&key.text, Place::Block) {
                _ if key.text == "role" || key.text == "name" => {}
                Some(keyword) => call.keywords.set(keyword, value.clone()),
                None => {
                    call.params.insert(key.clone(), value.clone());
                }
            }
        }
        Some(call)
    }

    /// An `import_role` or `include_role`.
    pub fn of_task(task: &Task, problems: &mut Problems) -> Option<Self> {
        let args = &task.action.args;
        let Some(name) = args.get("name").or_else(|| args.get("role")) else {
            let words = format!("`{}` needs the role's `name`", task.action.name);
            problems.push(Diagnostic::error(words).at(&task.action.span));
            return None;
        };
        let mut call = Self {
            name: name.clone(),
            keywords: task.keywords.clone(),
            params: Map::new(),
            from: From::default(),
            public: task.action.name == "import_role",
            duplicates: true,
        };
        let text = |key: &str| args.get(key).and_then(Node::as_str).map(stem);
        let from = &mut call.from;
        for (key, slot) in [
            ("tasks_from", &mut from.tasks),
            ("handlers_from", &mut from.handlers),
            ("vars_from", &mut from.vars),
            ("defaults_from", &mut from.defaults),
        ] {
            if let Some(value) = text(key) {
                *slot = value;
            }
        }
        if let Some(Kind::Bool(public)) = args.get("public").map(|n| &n.kind) {
            call.public = *public;
        }
        Some(call)
    }
}

fn stem(name: &str) -> String {
    name.strip_suffix(".yml")
        .or_else(|| name.strip_suffix(".yaml"))
        .unwrap_or(name)
        .to_owned()
}

impl Loader {
    /// Reads a role for an include.
    ///
    /// # Errors
    /// Everything wrong in it.
    pub fn include_role(
        &self,
        call: &RoleCall,
        context: &Context,
    ) -> Result<Block, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let block = self.role(call, context, &mut HashSet::new(), &mut problems);
        match block {
            Some(block) if !problems.has_errors() => Ok(block),
            _ => Err(problems.into_vec()),
        }
    }

    /// Reads a role and those it depends on; `None` where it ran already with the same parameters.
    pub(crate) fn role(
        &self,
        call: &RoleCall,
        context: &Context,
        seen: &mut HashSet<String>,
        problems: &mut Problems,
    ) -> Option<Block> {
        let name = self.early_text(&call.name, context, problems)?;
        let Some(path) = self.find_role(&name, context) else {
            let words = format!("the role `{name}` is not there");
            let places = self.role_places(&name, context);
            problems.push(
                Diagnostic::error(words)
                    .at(&call.name.span)
                    .help(searched(&places)),
            );
            return None;
        };
        if context.roles.contains(&name) && context.roles.len() > 20 {
            let chain = context.roles.join(" -> ");
            let words = format!("the role `{name}` depends on itself: {chain}");
            problems.push(Diagnostic::error(words).at(&call.name.span));
            return None;
        }
        let mut inside = context.clone();
        inside.role = Some(path.clone());
        inside.roles.push(name.clone());
        inside.depth += 1;
        let meta = self.part(&path, "meta", "main", problems);
        let allowed = meta
            .as_ref()
            .and_then(|m| m.get("allow_duplicates"))
            .is_some_and(|n| n.kind == Kind::Bool(true));
        let identity = format!(
            "{name} {:?} {:?}",
            plain(&call.params),
            call.keywords.get(Keyword::Vars).map(plain_node)
        );
        if !call.duplicates && !allowed && !seen.insert(identity) {
            return None;
        }
        let mut items = self.dependencies(meta.as_ref(), &inside, seen, problems);
        items.extend(self.part_items(
            &path,
            "tasks",
            &call.from.tasks,
            Place::Task,
            &inside,
            &call.name,
            problems,
        ));
        let handlers = self.part_items(
            &path,
            "handlers",
            &call.from.handlers,
            Place::Handler,
            &inside,
            &call.name,
            problems,
        );
        let role = Role {
            name: short_name(&name),
            defaults: self.variables(&path, "defaults", &call.from.defaults, &call.name, problems),
            vars: self.variables(&path, "vars", &call.from.vars, &call.name, problems),
            params: Arc::new(call.params.clone()),
            handlers,
            argument_spec: self.argument_spec(&path, &call.from.tasks, meta.as_ref(), problems),
            public: call.public,
            path,
        };
        Some(Block {
            keywords: call.keywords.clone(),
            origin: Origin::Role(Arc::new(role)),
            items,
            rescue: vec![],
            always: vec![],
            span: call.name.span.clone(),
        })
    }

    fn dependencies(
        &self,
        meta: Option<&Node>,
        inside: &Context,
        seen: &mut HashSet<String>,
        problems: &mut Problems,
    ) -> Vec<Item> {
        let entries = meta
            .and_then(|m| m.get("dependencies"))
            .and_then(Node::as_seq)
            .unwrap_or_default();
        let calls: Vec<_> = entries
            .iter()
            .filter_map(|e| RoleCall::parse(e, problems))
            .collect();
        calls
            .iter()
            .filter_map(|call| self.role(call, inside, seen, problems))
            .map(|block| Item::Block(Arc::new(block)))
            .collect()
    }

    /// `PART/NAME.yml` (or .yaml, .json, or no ending) of a role.
    fn part_file(&self, role: &Path, part: &str, name: &str) -> Option<PathBuf> {
        let dir = role.join(part);
        ["yml", "yaml", "json"]
            .iter()
            .map(|ending| dir.join(format!("{name}.{ending}")))
            .chain([dir.join(name)])
            .find(|path| self.sources.is_file(path))
    }

    fn part(&self, role: &Path, part: &str, name: &str, problems: &mut Problems) -> Option<Node> {
        self.yaml(&self.part_file(role, part, name)?, problems)
    }

    #[allow(clippy::too_many_arguments)]
    fn part_items(
        &self,
        role: &Path,
        part: &str,
        name: &str,
        place: Place,
        inside: &Context,
        called: &Node,
        problems: &mut Problems,
    ) -> Vec<Item> {
        let Some(file) = self.part_file(role, part, name) else {
            if name != "main" {
                let words = format!("the role has no {part} `{name}`");
                problems.push(
                    Diagnostic::error(words)
                        .at(&called.span)
                        .help(searched(&[role.join(part)])),
                );
            }
            return vec![];
        };
        self.read_tasks(&file, place, &inside.at(&file), problems)
    }

    /// Variables of a role: one file, or every file of a folder of that name.
    fn variables(
        &self,
        role: &Path,
        part: &str,
        name: &str,
        called: &Node,
        problems: &mut Problems,
    ) -> Arc<Map> {
        let folder = role.join(part).join(name);
        let files = match self.part_file(role, part, name) {
            Some(file) => vec![file],
            None if self.sources.is_dir(&folder) => self.sources.list(&folder),
            None => {
                if name != "main" {
                    let words = format!("the role has no {part} `{name}`");
                    problems.push(Diagnostic::error(words).at(&called.span));
                }
                vec![]
            }
        };
        let mut all = Map::new();
        for file in files {
            let Some(node) = self.yaml(&file, problems) else {
                continue;
            };
            match node.kind {
                Kind::Map(map) => all.extend(map),
                Kind::Null => {}
                _ => problems
                    .push(Diagnostic::error("a file of variables is a mapping").at(&node.span)),
            }
        }
        Arc::new(all)
    }

    fn argument_spec(
        &self,
        role: &Path,
        entry: &str,
        meta: Option<&Node>,
        problems: &mut Problems,
    ) -> Option<Node> {
        let file = self.part(role, "meta", "argument_specs", problems);
        let specs = file.as_ref().or(meta)?.get("argument_specs")?;
        specs.get(entry).cloned()
    }

    fn find_role(&self, name: &str, context: &Context) -> Option<PathBuf> {
        self.role_places(name, context)
            .into_iter()
            .find(|path| self.sources.is_dir(path))
    }

    fn role_places(&self, name: &str, context: &Context) -> Vec<PathBuf> {
        let name = name.rsplit_once('.').map_or(name, |(collection, role)| {
            // `namespace.collection.role`
            if collection.contains('.') && !name.contains('/') {
                role
            } else {
                name
            }
        });
        let beside = context.playbook_dir.join("roles").join(name);
        let parent = context
            .role
            .as_ref()
            .and_then(|r| r.parent())
            .map(|dir| dir.join(name));
        let up = context.playbook_dir.join("..").join("roles").join(name);
        let mut places: Vec<PathBuf> = parent.into_iter().chain([beside]).collect();
        places.extend(self.roles_path.iter().map(|dir| dir.join(name)));
        places.extend([up, context.playbook_dir.join(name)]);
        let mut unique = vec![];
        for place in places {
            if !unique.contains(&place) {
                unique.push(place);
            }
        }
        unique
    }
}

fn short_name(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
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
