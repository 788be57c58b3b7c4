//! What is read of a role.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_yaml::{Key, Kind, Map, Node};

use crate::context::{Context, RoleLink};
use crate::include::{check_switches, truth};
use crate::keyword::{Keyword, Keywords, Place, plain_text};
use crate::loader::{Loader, searched};
use crate::problems::Problems;
use crate::role_call::RoleCall;
use crate::role_path::{Found, clean};
use crate::steps::no_loop;
use crate::types::{Action, Block, Item, Origin, Role, Task};

/// Endings of a file of variables, tasks or handlers, in the order they are tried.
const ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

impl Loader {
    /// A static `import_role`.
    pub(crate) fn import_role(
        &self,
        task: &Task,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<Block> {
        no_loop(task, problems)?;
        let context = context.with_vars(task.vars());
        let mut task = task.clone();
        for (_, value) in &mut task.action.args {
            if value.as_str().is_some_and(crate::is_template) {
                let text = self.early_text(value, &context, problems)?;
                value.kind = Kind::Str(text);
            }
        }
        check_switches(&task.action, problems);
        let call = RoleCall::of_task(&task, problems)?;
        self.role(&call, &context, problems)
    }

    /// Reads a role and those it depends on.
    pub(crate) fn role(
        &self,
        call: &RoleCall,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<Block> {
        let context = &context.with_vars(call.keywords.get(Keyword::Vars).and_then(Node::as_map));
        let name = self.early_text(&call.name, context, problems)?;
        let Some(found) = self.find_role(&name, context) else {
            let words = format!(
                "the role '{name}' was not found in {}",
                self.searched(&name, context)
            );
            problems.push_absent(Diagnostic::error(words).at(&call.name.span));
            return None;
        };
        let link = RoleLink {
            name: name.clone(),
            path: found.path.clone(),
            tasks: call.from.tasks.clone(),
        };
        no_circle(&link, &call.name, context, problems)?;
        let mut reading = Reading {
            loader: self,
            call,
            found: &found,
            inside: context.clone(),
            problems,
        };
        let meta = reading.part("meta", "main");
        reading.enter(link, meta.as_ref());
        Some(reading.block(&name, meta.as_ref()))
    }
}

/// A dependency, after those that it has itself.
fn with_its_own(item: &Item) -> Vec<Arc<Role>> {
    match item {
        Item::Block(block) => match &block.origin {
            Origin::Role(role) => role.dependencies.iter().chain([role]).cloned().collect(),
            _ => vec![],
        },
        Item::Task(_) => vec![],
    }
}

/// A role on its way to a block.
struct Reading<'a> {
    loader: &'a Loader,
    call: &'a RoleCall,
    found: &'a Found,
    inside: Context,
    problems: &'a mut Problems,
}

impl Reading<'_> {
    fn enter(&mut self, link: RoleLink, meta: Option<&Node>) {
        self.loader.modules.enter(&self.found.path);
        self.inside.role = Some(self.found.path.clone());
        // What a role knows of itself, static imports in it may use.
        let span = &self.call.name.span;
        let path = self.found.path.display().to_string();
        let magic = [("role_path", path), ("role_name", link.name.clone())];
        let magic = magic.map(|(name, text)| {
            let key = Key {
                text: name.to_owned(),
                span: span.clone(),
            };
            let node = Node {
                span: span.clone(),
                kind: Kind::Str(text),
            };
            (key, node)
        });
        self.inside = self.inside.with_vars(Some(&magic.into_iter().collect()));
        self.inside.roles.push(link);
        let listed = meta
            .and_then(|m| m.get("collections"))
            .and_then(Node::as_seq);
        if let Some(listed) = listed {
            self.inside.collections = listed.iter().map(plain_text).collect();
        }
    }

    fn block(&mut self, name: &str, meta: Option<&Node>) -> Block {
        let (call, path) = (self.call, &self.found.path);
        let allowed = meta.and_then(|m| m.get("allow_duplicates")).and_then(truth);
        let defaults = self.variables("defaults", &call.from.defaults);
        let vars = self.variables("vars", &call.from.vars);
        let known = self.inside.with_defaults(&defaults);
        self.inside = known.with_vars(Some(&vars)).with_vars(Some(&call.params));
        let argument_spec = self.argument_spec(meta).filter(|_| call.validate);
        let options = argument_spec.as_ref().and_then(|spec| spec.get("options"));
        let spec_names = |word: &str| options.is_some_and(|options| options.get(word).is_some());
        let doubts = call.doubts(|word| {
            defaults.contains_key(word) || vars.contains_key(word) || spec_names(word)
        });
        self.problems.extend(doubts);
        let mut items = self.dependencies(meta);
        let dependencies = items.iter().flat_map(with_its_own).collect();
        items.extend(
            argument_spec
                .as_ref()
                .and_then(|spec| self.validation(name, spec)),
        );
        items.extend(self.items("tasks", &call.from.tasks, Place::Task));
        let handlers = self.items("handlers", &call.from.handlers, Place::Handler);
        let role = Role {
            name: short_name(name, self.found),
            collection: self.found.collection.clone(),
            path: path.clone(),
            defaults: Arc::new(defaults),
            vars: Arc::new(vars),
            params: Arc::new(call.params.clone()),
            dependencies,
            handlers,
            argument_spec,
            public: call.public,
            identity: call.identity(path),
            once: !call.duplicates.or(allowed).unwrap_or(false),
        };
        Block {
            keywords: call.keywords.clone(),
            origin: Origin::Role(Arc::new(role)),
            items,
            rescue: vec![],
            always: vec![],
            span: call.name.span.clone(),
        }
    }

    fn dependencies(&mut self, meta: Option<&Node>) -> Vec<Item> {
        let Some(node) = meta.and_then(|m| m.get("dependencies")) else {
            return vec![];
        };
        let Some(entries) = node.as_seq() else {
            if node.kind != Kind::Null {
                let words = format!("`dependencies` is a list of roles, not {}", node.describe());
                self.problems.push(Diagnostic::error(words).at(&node.span));
            }
            return vec![];
        };
        let calls: Vec<_> = entries
            .iter()
            .filter_map(|e| RoleCall::parse(e, self.problems))
            .collect();
        calls
            .iter()
            .filter_map(|call| self.loader.role(call, &self.inside, self.problems))
            .map(|block| Item::Block(Arc::new(block)))
            .collect()
    }

    /// `PART/NAME.yml` (or .yaml, .json, or no ending).
    fn file(&self, part: &str, name: &str) -> Option<PathBuf> {
        let dir = self.found.path.join(part);
        if self.is_outside(part, name) {
            return None;
        }
        ENDINGS
            .iter()
            .map(|ending| dir.join(format!("{name}.{ending}")))
            .chain([dir.join(name)])
            .find(|path| self.loader.sources.is_file(path))
    }

    fn part(&mut self, part: &str, name: &str) -> Option<Node> {
        let file = self.file(part, name)?;
        let node = self.loader.yaml(&file, self.problems)?;
        if !matches!(node.kind, Kind::Map(_) | Kind::Null) {
            let words = format!("`{}` is a mapping, not {}", file.display(), node.describe());
            self.problems
                .push(Diagnostic::error(words).at(&crate::task::first_line(&node)));
            return None;
        }
        Some(node)
    }

    fn items(&mut self, part: &str, name: &str, place: Place) -> Vec<Item> {
        let Some(file) = self.file(part, name) else {
            self.absent(part, name);
            return vec![];
        };
        self.loader
            .read_tasks(&file, place, &self.inside.inside_file(&file), self.problems)
    }

    /// Whether a name leads out of the role's own folder.
    fn is_outside(&self, part: &str, name: &str) -> bool {
        let dir = clean(&self.found.path.join(part));
        !clean(&dir.join(name)).starts_with(dir)
    }

    /// Only what is asked for by name must be there.
    fn absent(&mut self, part: &str, name: &str) {
        if name == "main" {
            return;
        }
        if self.is_outside(part, name) {
            let dir = self.found.path.join(part);
            let words = format!(
                "could not find `{name}`, as it is not inside the expected role path: '{}'",
                dir.display()
            );
            self.problems
                .push(Diagnostic::error(words).at(&self.call.name.span));
            return;
        }
        let dir = self.found.path.join(part);
        let role = plain_text(&self.call.name);
        let words = format!("the role `{role}` has no {part} `{name}`");
        let places: Vec<_> = ENDINGS
            .iter()
            .map(|e| dir.join(format!("{name}.{e}")))
            .collect();
        self.problems.push_absent(
            Diagnostic::error(words)
                .at(&self.call.name.span)
                .help(searched(&places)),
        );
    }

    /// Variables: every file of the folder `PART/NAME`, else the one file of that name.
    fn variables(&mut self, part: &str, name: &str) -> Map {
        let folder = self.found.path.join(part).join(name);
        let files = if self.loader.sources.is_dir(&folder) {
            self.files_in(&folder, 0)
        } else {
            let file = self.file(part, name);
            if file.is_none() {
                self.absent(part, name);
            }
            file.into_iter().collect()
        };
        let mut all = Map::new();
        for file in files {
            let Some(node) = self.loader.yaml(&file, self.problems) else {
                continue;
            };
            match node.kind {
                Kind::Map(map) => all.extend(map),
                Kind::Null => {}
                _ => {
                    let words =
                        format!("a file of variables is a mapping, not {}", node.describe());
                    let at = crate::task::first_line(&node);
                    self.problems.push(Diagnostic::error(words).at(&at));
                }
            }
        }
        all
    }

    /// The files of variables in a folder and those in it, by name; hidden ones and backups not.
    fn files_in(&self, folder: &Path, depth: usize) -> Vec<PathBuf> {
        let mut files = vec![];
        for path in self.loader.sources.list(folder) {
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            let ending = path.extension().map(|e| e.to_string_lossy().into_owned());
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            if self.loader.sources.is_dir(&path) {
                // A link back up would go round for ever.
                if depth < 8 {
                    files.extend(self.files_in(&path, depth + 1));
                }
            } else if ending.is_none_or(|e| ENDINGS.contains(&e.as_str())) {
                files.push(path);
            }
        }
        files
    }

    /// The task that holds the role's variables against its specification.
    fn validation(&self, name: &str, spec: &Node) -> Option<Item> {
        let options = spec.get("options")?;
        let span = &spec.span;
        let node = |kind: Kind| Node {
            span: span.clone(),
            kind,
        };
        let text = |text: &str| node(Kind::Str(text.to_owned()));
        let key = |text: &str| Key {
            text: text.to_owned(),
            span: span.clone(),
        };
        let entry = &self.call.from.tasks;
        let about = spec.get("short_description").and_then(Node::as_str);
        let about = about.map(|words| format!(" - {words}")).unwrap_or_default();
        let title = format!("Validating arguments against arg spec '{entry}'{about}");
        let path = &self.found.path;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let path = path.display().to_string();
        let context = [
            ("argument_spec_name", entry.as_str()),
            ("name", &short_name(name, self.found)),
            ("path", &path),
            ("type", "role"),
        ];
        let context = context
            .into_iter()
            .map(|(k, v)| (key(k), text(v)))
            .collect();
        let mut keywords = Keywords::default();
        keywords.set(Keyword::Name, node(Kind::Unsafe(title)));
        keywords.set(Keyword::Tags, node(Kind::Seq(vec![text("always")])));
        Some(Item::Task(Arc::new(Task {
            keywords,
            action: Action {
                name: "validate_argument_spec".to_owned(),
                written: "validate_argument_spec".to_owned(),
                span: span.clone(),
                args: Map::from_iter([
                    (key("argument_spec"), options.clone()),
                    (key("validate_args_context"), node(Kind::Map(context))),
                ]),
                text: None,
                templates: vec![],
                faults: vec![],
            },
            looped: None,
            file: self.found.path.join("meta/argument_specs.yml"),
            span: span.clone(),
        })))
    }

    fn argument_spec(&mut self, meta: Option<&Node>) -> Option<Node> {
        let file = self.part("meta", "argument_specs");
        let specs = file.as_ref().or(meta)?.get("argument_specs")?;
        if specs.kind == Kind::Null {
            return None;
        }
        if specs.as_map().is_none() {
            let words = format!(
                "`argument_specs` is a mapping of entry points, not {}",
                specs.describe()
            );
            self.problems.push(Diagnostic::error(words).at(&specs.span));
        }
        specs.get(&self.call.from.tasks).cloned()
    }
}

/// A role that is read inside of itself would go on for ever.
fn no_circle(link: &RoleLink, at: &Node, context: &Context, problems: &mut Problems) -> Option<()> {
    let same = |other: &&RoleLink| other.path == link.path && other.tasks == link.tasks;
    if !context.roles.iter().any(|other| same(&other)) {
        return Some(());
    }
    let chain: Vec<_> = context
        .roles
        .iter()
        .chain([link])
        .map(|role| format!("`{}`", role.name))
        .collect();
    let error = Diagnostic::error(format!("the role `{}` depends on itself", link.name));
    problems.push(error.at(&at.span).help(chain.join(" -> ")));
    None
}

/// The last part of a path; what follows the collection in a full name.
fn short_name(name: &str, found: &Found) -> String {
    let prefix = found
        .collection
        .as_ref()
        .map(|collection| format!("{collection}."));
    let name = prefix
        .and_then(|prefix| name.strip_prefix(prefix.as_str()))
        .unwrap_or(name);
    name.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(name)
        .to_owned()
}
