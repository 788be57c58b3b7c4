//! Lists of tasks: tasks, blocks, and what static imports bring in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_yaml::{Kind, Node};

use crate::context::Context;
use crate::include::read_keyword;
use crate::keyword::{Keyword, Keywords, Place, unknown_keyword};
use crate::loader::{Loader, file_argument, searched};
use crate::problems::Problems;
use crate::role_path::clean;
use crate::scoped::Scoped;
use crate::task::first_line;
use crate::types::{Block, Item, Origin, Task};

impl Loader {
    /// Reads a list of tasks and blocks.
    pub(crate) fn items(
        &self,
        node: &Node,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Vec<Item> {
        let entries = match &node.kind {
            Kind::Seq(entries) => entries,
            Kind::Null => return vec![],
            _ => {
                let words = format!("this is a list of tasks, not {}", node.describe());
                let error = Diagnostic::error(words).at(&first_line(node));
                problems.push(error.help("begin each task with `- `"));
                return vec![];
            }
        };
        // A dash with nothing behind it is no task, and no mistake.
        let entries = entries.iter().filter(|entry| entry.kind != Kind::Null);
        entries
            .filter_map(|entry| self.item(entry, place, context, problems))
            .collect()
    }

    fn item(
        &self,
        node: &Node,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<Item> {
        if let Some(wrong) = no_handler(node, place) {
            problems.push(wrong);
            return None;
        }
        let inner;
        let context = match own_collections(node) {
            own if own.is_empty() => context,
            mut own => {
                own.extend(context.collections.iter().cloned());
                inner = context.clone().with_collections(own);
                &inner
            }
        };
        if node.get("block").is_some() {
            return Some(Item::Block(Arc::new(
                self.block(node, place, context, problems),
            )));
        }
        let modules = Scoped::new(&*self.modules, context);
        let task = crate::task::parse(node, place, &context.file, &modules, problems)?;
        let wrong = no_handler_task(&task, place);
        if let Some(wrong) = wrong.or_else(|| no_role_to_end(&task, context)) {
            problems.push(wrong);
            return None;
        }
        let block = match task.action.name.as_str() {
            "import_tasks" => self.import_tasks(task, place, context, problems)?,
            "import_role" => self.import_role(&task, context, problems)?,
            _ => return Some(Item::Task(Arc::new(task))),
        };
        Some(Item::Block(Arc::new(block)))
    }

    fn block(
        &self,
        node: &Node,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Block {
        let mut keywords = Keywords::default();
        for (key, value) in node.as_map().into_iter().flatten() {
            match Keyword::find(&key.text, Place::Block) {
                _ if matches!(key.text.as_str(), "block" | "rescue" | "always") => {}
                Some(keyword) => read_keyword(&mut keywords, keyword, value, problems),
                None if place == Place::Handler && key.text == "listen" => {
                    read_keyword(&mut keywords, Keyword::Listen, value, problems);
                }
                None if key.text == "loop" || key.text.starts_with("with_") => problems.push(
                    Diagnostic::error("a block cannot loop")
                        .at(&key.span)
                        .help("put its tasks into a file and loop over `include_tasks`"),
                ),
                None => problems.push(unknown_keyword(key, Place::Block)),
            }
        }
        let context = context.with_vars(keywords.get(Keyword::Vars).and_then(Node::as_map));
        let mut section = |name: &str| match node.get(name) {
            Some(value) => self.items(value, place, &context, problems),
            None => vec![],
        };
        Block {
            items: section("block"),
            rescue: section("rescue"),
            always: section("always"),
            keywords,
            origin: Origin::Plain,
            span: node.span.clone(),
        }
    }

    fn import_tasks(
        &self,
        task: Task,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<Block> {
        no_loop(&task, problems)?;
        let context = context.with_vars(task.vars());
        let path = self.static_file(&task, &context, problems)?;
        let reading = context.files.iter().chain([&context.file]);
        if reading.into_iter().any(|file| clean(file) == clean(&path)) {
            let chain: Vec<_> = context
                .files
                .iter()
                .chain([&path])
                .map(|p| format!("`{}`", p.display()))
                .collect();
            let error = Diagnostic::error(format!("`{}` imports itself", path.display()));
            problems.push(error.at(&task.action.span).help(format!(
                "{}: `include_tasks` with a condition may go in circles",
                chain.join(" -> ")
            )));
            return None;
        }
        let items = self.read_tasks(&path, place, &context.inside_file(&path), problems);
        Some(Block {
            keywords: task.keywords.only(Place::Block),
            origin: Origin::Import,
            items,
            rescue: vec![],
            always: vec![],
            span: task.span,
        })
    }

    /// The file that an import or include of tasks means.
    pub(crate) fn static_file(
        &self,
        task: &Task,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<PathBuf> {
        let name = file_argument(task)?;
        let text = self.early_text(name, context, problems)?;
        let found = self.find_tasks(&text, context);
        if found.is_none() {
            problems.push_absent(self.no_tasks(&text, context).at(&name.span));
        }
        found
    }

    pub(crate) fn read_tasks(
        &self,
        path: &Path,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Vec<Item> {
        let Some(root) = self.yaml(path, problems) else {
            return vec![];
        };
        self.items(&root, place, context, problems)
    }

    /// The file that an include or import of tasks means.
    pub fn find_tasks(&self, name: &str, context: &Context) -> Option<PathBuf> {
        self.tasks_places(name, context)
            .into_iter()
            .find(|path| self.sources.is_file(path))
    }

    /// Such a file is not there: in the words that scripts look for.
    pub fn no_tasks(&self, name: &str, context: &Context) -> Diagnostic {
        let places = self.tasks_places(name, context);
        let first = places.first().map(|path| path.display().to_string());
        let words = format!(
            "Could not find or access '{}' on the Ansible Controller",
            first.as_deref().unwrap_or(name)
        );
        let words = match self.modules.faults_wait() {
            // Ansible says it twice, and scripts count that.
            true => format!("{words}: Unable to retrieve file contents.\n{words}."),
            false => format!("{words}."),
        };
        Diagnostic::error(words).help(searched(&places))
    }

    /// Where such a file is looked for.
    fn tasks_places(&self, name: &str, context: &Context) -> Vec<PathBuf> {
        let beside = context.file.parent().unwrap_or(Path::new("")).join(name);
        let mut places: Vec<PathBuf> = vec![beside];
        if let Some(role) = &context.role {
            let part = if context.file.starts_with(role.join("handlers")) {
                "handlers"
            } else {
                "tasks"
            };
            places.extend([
                role.join(part).join(name),
                role.join("tasks").join(name),
                role.join(name),
            ]);
        }
        places.extend([
            context.playbook_dir.join(name),
            context.playbook_dir.join("tasks").join(name),
        ]);
        let mut unique = vec![];
        for place in places.iter().map(|place| without_dots(place)) {
            if !unique.contains(&place) {
                unique.push(place);
            }
        }
        unique
    }
}

/// A static import is read once, so it cannot loop.
pub(crate) fn no_loop(task: &Task, problems: &mut Problems) -> Option<()> {
    if task.looped.is_none() {
        return Some(());
    }
    let include = task.action.name.replace("import_", "include_");
    let error = Diagnostic::error(format!("`{}` cannot loop", task.action.name));
    problems.push(error.at(&task.action.span).help(format!("use `{include}`")));
    None
}

/// The path without its `.`.
fn without_dots(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != std::path::Component::CurDir)
        .collect()
}

/// What is wrong with a step among handlers that no name can stand for.
fn no_handler(node: &Node, place: Place) -> Option<Diagnostic> {
    let map = node.as_map().filter(|_| place == Place::Handler)?;
    let (key, _) = map.get_key_value("block")?;
    let words = "Using a block as a handler is not supported.";
    let help = "make a handler of each of its tasks, and let them listen to one topic";
    Some(Diagnostic::error(words).at(&key.span).help(help))
}

/// As [`no_handler`], of a task.
fn no_handler_task(task: &Task, place: Place) -> Option<Diagnostic> {
    if place != Place::Handler {
        return None;
    }
    let action = &task.action;
    let wrong = |words: String| Some(Diagnostic::error(words).at(&action.span));
    match action.name.as_str() {
        name @ ("include_role" | "import_role") => {
            let wrong = wrong(format!("Using '{name}' as a handler is not supported."))?;
            Some(wrong.help("`include_tasks` can be a handler"))
        }
        "meta" if is_order(task, "flush_handlers") => {
            wrong("flush_handlers cannot be used as a handler".to_owned())
        }
        "meta" if is_order(task, "end_role") => {
            wrong("Cannot execute 'end_role' from a handler".to_owned())
        }
        _ => None,
    }
}

/// What is wrong with an order to leave a role where there is none.
fn no_role_to_end(task: &Task, context: &Context) -> Option<Diagnostic> {
    let wrong = task.action.name == "meta" && is_order(task, "end_role") && context.role.is_none();
    let words = "Cannot execute 'end_role' from outside of a role";
    wrong.then(|| Diagnostic::error(words).at(&task.action.span))
}

fn is_order(task: &Task, order: &str) -> bool {
    task.action.text.as_ref().and_then(Node::as_str) == Some(order)
}

/// The collections that a task or block names itself.
fn own_collections(node: &Node) -> Vec<String> {
    let Some(said) = node.get("collections") else {
        return vec![];
    };
    let items = said
        .as_seq()
        .map_or_else(|| vec![said], |all| all.iter().collect());
    let names = items.into_iter().filter_map(Node::as_str);
    names.map(str::to_owned).collect()
}
