//! Files become plays: static imports and roles are read here, includes when the engine gets there.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Source};
use rplay_yaml::{Kind, Map, Node};

use crate::keyword::{Keyword, Keywords, Place, unknown_keyword};
use crate::problems::Problems;
use crate::role::RoleCall;
use crate::sources::{KnownModules, Sources};
use crate::types::{Block, Item, Origin, Play, Task};

/// As deep as imports may nest: more is a file that imports itself.
const MAX_DEPTH: usize = 50;

/// Renders a template that a static import's name holds, with what is known before the run: the
/// map holds the variables of the play and of the roles, blocks and imports around, as written.
pub type Early = dyn Fn(&Node, &Map) -> Result<String, Diagnostic> + Send + Sync;

/// Reads playbooks, task files and roles.
pub struct Loader {
    pub(crate) sources: Arc<dyn Sources>,
    pub(crate) modules: Arc<dyn KnownModules>,
    pub(crate) roles_path: Vec<PathBuf>,
    early: Box<Early>,
    files: Mutex<IndexMap<PathBuf, Node>>,
}

/// Where the loader is: the files that a relative name is looked for beside.
#[derive(Debug, Clone)]
pub struct Context {
    /// Folder of the playbook.
    pub playbook_dir: PathBuf,
    /// The file being read.
    pub file: PathBuf,
    /// Folder of the role being read.
    pub role: Option<PathBuf>,
    /// How deep imports are nested.
    pub depth: usize,
    /// Roles being read, outermost first.
    pub roles: Vec<String>,
    /// Variables known before the run, as written: the play's, and of what is around.
    pub vars: Arc<Map>,
}

impl Context {
    /// At the top of a playbook.
    pub fn playbook(file: &Path) -> Self {
        let dir = file.parent().unwrap_or(Path::new("")).to_owned();
        Self {
            playbook_dir: dir,
            file: file.to_owned(),
            role: None,
            depth: 0,
            roles: vec![],
            vars: Arc::default(),
        }
    }

    /// Where an include is: in `file`, which may belong to the role in the folder `role`.
    pub fn include(playbook_dir: &Path, file: &Path, role: Option<&Path>) -> Self {
        let role = role.map(Path::to_owned);
        Self {
            playbook_dir: playbook_dir.to_owned(),
            role,
            ..Self::playbook(file)
        }
    }

    pub(crate) fn at(&self, file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            depth: self.depth + 1,
            ..self.clone()
        }
    }
}

impl Loader {
    /// A loader that looks for roles beside the playbook and then in `roles_path`.
    pub fn new(
        sources: Arc<dyn Sources>,
        modules: Arc<dyn KnownModules>,
        roles_path: Vec<PathBuf>,
        early: Box<Early>,
    ) -> Self {
        Self {
            sources,
            modules,
            roles_path,
            early,
            files: Mutex::default(),
        }
    }

    /// Reads a playbook with all it imports.
    ///
    /// # Errors
    /// Everything wrong in it; warnings come with the plays.
    pub fn playbook(&self, path: &Path) -> Result<(Vec<Play>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let mut plays = vec![];
        self.read_plays(path, &[], 0, &mut plays, &mut problems);
        if problems.has_errors() {
            return Err(problems.into_vec());
        }
        Ok((plays, problems.into_vec()))
    }

    /// Reads a file of tasks (or handlers), for an include.
    ///
    /// # Errors
    /// Everything wrong in it.
    pub fn tasks_file(
        &self,
        path: &Path,
        place: Place,
        context: &Context,
    ) -> Result<Vec<Item>, Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let items = self.read_tasks(path, place, context, &mut problems);
        if problems.has_errors() {
            Err(problems.into_vec())
        } else {
            Ok(items)
        }
    }

    /// A file's YAML, read once.
    pub(crate) fn yaml(&self, path: &Path, problems: &mut Problems) -> Option<Node> {
        let cached = self
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .cloned();
        if cached.is_some() {
            return cached;
        }
        let text = match self.sources.read(path) {
            Ok(text) => text,
            Err(error) => {
                let words = format!("could not read `{}`: {error}", path.display());
                problems.push(Diagnostic::error(words));
                return None;
            }
        };
        let source = Source::new(path.display().to_string(), text);
        let loaded = match rplay_yaml::load(&source) {
            Ok(loaded) => loaded,
            Err(error) => {
                problems.push(error);
                return None;
            }
        };
        problems.extend(loaded.warnings.clone());
        let node = loaded.root(&source);
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), node.clone());
        Some(node)
    }

    fn read_plays(
        &self,
        path: &Path,
        imports: &[Keywords],
        depth: usize,
        plays: &mut Vec<Play>,
        problems: &mut Problems,
    ) {
        let Some(root) = self.yaml(path, problems) else {
            return;
        };
        let Some(entries) = root.as_seq() else {
            let words = format!("a playbook is a list of plays, not {}", root.describe());
            problems.push(
                Diagnostic::error(words)
                    .at(&root.span)
                    .help("begin a play with `- hosts: ...`"),
            );
            return;
        };
        for entry in entries {
            let Some(map) = entry.as_map() else {
                let words = format!("a play is a mapping, not {}", entry.describe());
                problems.push(Diagnostic::error(words).at(&entry.span));
                continue;
            };
            let import = ["import_playbook", "ansible.builtin.import_playbook"]
                .iter()
                .find_map(|word| map.get(*word));
            match import {
                Some(name) => {
                    self.import_playbook(path, map, name, imports, depth, plays, problems);
                }
                None => plays.extend(self.play(path, entry, map, imports, problems)),
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn import_playbook(
        &self,
        path: &Path,
        map: &Map,
        name: &Node,
        imports: &[Keywords],
        depth: usize,
        plays: &mut Vec<Play>,
        problems: &mut Problems,
    ) {
        let Some(text) = self.early_text(name, &Context::playbook(path), problems) else {
            return;
        };
        let file = path.parent().unwrap_or(Path::new("")).join(text);
        if depth > MAX_DEPTH || !self.sources.is_file(&file) {
            let words = if depth > MAX_DEPTH {
                "imports itself"
            } else {
                "is not there"
            };
            let words = format!("the playbook `{}` {words}", file.display());
            problems.push(Diagnostic::error(words).at(&name.span));
            return;
        }
        let mut keywords = Keywords::default();
        for (key, value) in map {
            match Keyword::find(&key.text, Place::Block) {
                Some(keyword) => keywords.set(keyword, value.clone()),
                None if key.text.ends_with("import_playbook") => {}
                None => problems.push(unknown_keyword(key, Place::Block)),
            }
        }
        let chain: Vec<_> = imports.iter().cloned().chain([keywords]).collect();
        self.read_plays(&file, &chain, depth + 1, plays, problems);
    }

    fn play(
        &self,
        path: &Path,
        entry: &Node,
        map: &Map,
        imports: &[Keywords],
        problems: &mut Problems,
    ) -> Option<Play> {
        let mut keywords = Keywords::default();
        for (key, value) in map {
            match Keyword::find(&key.text, Place::Play) {
                Some(keyword) => keywords.set(keyword, value.clone()),
                None if key.text == "user" => keywords.set(Keyword::RemoteUser, value.clone()),
                None => problems.push(unknown_keyword(key, Place::Play)),
            }
        }
        let Some(hosts) = keywords.get(Keyword::Hosts).cloned() else {
            problems.push(
                Diagnostic::error("a play needs `hosts`")
                    .at(&entry.span.slice(0, 1))
                    .help("say which: `hosts: all`"),
            );
            return None;
        };
        let context = Context::playbook(path);
        let mut section = |keyword, place| match keywords.get(keyword) {
            Some(node) => self.items(node, place, &context, problems),
            None => vec![],
        };
        let pre_tasks = section(Keyword::PreTasks, Place::Task);
        let tasks = section(Keyword::Tasks, Place::Task);
        let post_tasks = section(Keyword::PostTasks, Place::Task);
        let handlers = section(Keyword::Handlers, Place::Handler);
        let roles = self.play_roles(&keywords, &context, problems);
        Some(Play {
            keywords,
            hosts,
            pre_tasks,
            roles,
            tasks,
            post_tasks,
            handlers,
            dir: context.playbook_dir,
            file: path.to_owned(),
            imports: imports.to_vec(),
            span: entry.span.clone(),
        })
    }

    fn play_roles(
        &self,
        keywords: &Keywords,
        context: &Context,
        problems: &mut Problems,
    ) -> Vec<Item> {
        let Some(node) = keywords.get(Keyword::Roles) else {
            return vec![];
        };
        let mut seen = HashSet::new();
        let entries = node
            .as_seq()
            .map_or_else(|| vec![node], |items| items.iter().collect());
        let calls = entries
            .into_iter()
            .filter_map(|entry| RoleCall::parse(entry, problems));
        let calls: Vec<_> = calls.collect();
        let blocks = calls
            .iter()
            .filter_map(|call| self.role(call, context, &mut seen, problems));
        blocks.map(|block| Item::Block(Arc::new(block))).collect()
    }

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
                problems.push(
                    Diagnostic::error(words)
                        .at(&node.span)
                        .help("begin each task with `- `"),
                );
                return vec![];
            }
        };
        entries
            .iter()
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
        if node.get("block").is_some() {
            return Some(Item::Block(Arc::new(
                self.block(node, place, context, problems),
            )));
        }
        let task = crate::task::parse(node, place, &context.file, &*self.modules, problems)?;
        match task.action.name.as_str() {
            "import_tasks" => self.import_tasks(task, place, context, problems),
            "import_role" => {
                let call = RoleCall::of_task(&task, problems)?;
                let mut seen = HashSet::new();
                self.role(&call, context, &mut seen, problems)
                    .map(|b| Item::Block(Arc::new(b)))
            }
            _ => Some(Item::Task(Arc::new(task))),
        }
    }

    fn block(
        &self,
        node: &Node,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Block {
        let mut block = Block {
            keywords: Keywords::default(),
            origin: Origin::Plain,
            items: vec![],
            rescue: vec![],
            always: vec![],
            span: node.span.clone(),
        };
        for (key, value) in node.as_map().into_iter().flatten() {
            match key.text.as_str() {
                "block" => block.items = self.items(value, place, context, problems),
                "rescue" => block.rescue = self.items(value, place, context, problems),
                "always" => block.always = self.items(value, place, context, problems),
                word => match Keyword::find(word, Place::Block) {
                    Some(keyword) => block.keywords.set(keyword, value.clone()),
                    None if place == Place::Handler && word == "listen" => {
                        block.keywords.set(Keyword::Listen, value.clone());
                    }
                    None => problems.push(unknown_keyword(key, Place::Block)),
                },
            }
        }
        block
    }

    fn import_tasks(
        &self,
        task: Task,
        place: Place,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<Item> {
        let name = file_argument(&task)?;
        if task.looped.is_some() {
            let words = "a static import cannot loop";
            problems.push(
                Diagnostic::error(words)
                    .at(&task.action.span)
                    .help("use include_tasks"),
            );
            return None;
        }
        let text = self.early_text(name, context, problems)?;
        let Some(path) = self.find_tasks(&text, context) else {
            let words = format!("the file of tasks `{text}` is not there");
            let places = self.tasks_places(&text, context);
            problems.push(
                Diagnostic::error(words)
                    .at(&name.span)
                    .help(searched(&places)),
            );
            return None;
        };
        if context.depth > MAX_DEPTH {
            problems.push(Diagnostic::error(format!("`{text}` imports itself")).at(&name.span));
            return None;
        }
        let items = self.read_tasks(&path, place, &context.at(&path), problems);
        Some(Item::Block(Arc::new(Block {
            keywords: task.keywords,
            origin: Origin::Import,
            items,
            rescue: vec![],
            always: vec![],
            span: task.span,
        })))
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

    /// Where such a file is looked for.
    pub fn tasks_places(&self, name: &str, context: &Context) -> Vec<PathBuf> {
        let beside = context.file.parent().unwrap_or(Path::new("")).join(name);
        let role = context
            .role
            .iter()
            .flat_map(|r| [r.join("tasks").join(name), r.join(name)]);
        let mut places: Vec<PathBuf> = vec![beside];
        places.extend(role);
        places.push(context.playbook_dir.join(name));
        places.dedup();
        places
    }

    pub(crate) fn early_text(
        &self,
        node: &Node,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<String> {
        match (self.early)(node, &context.vars) {
            Ok(text) => Some(text),
            Err(error) => {
                problems.push(error.help("a static import is read before the run: use an include for what only the run knows"));
                None
            }
        }
    }
}

/// The help that names every place looked at.
pub(crate) fn searched(places: &[PathBuf]) -> String {
    let list: Vec<_> = places
        .iter()
        .map(|p| format!("`{}`", p.display()))
        .collect();
    format!("looked at {}", list.join(", "))
}

/// The file that an import or include of tasks names.
pub fn file_argument(task: &Task) -> Option<&Node> {
    task.action
        .text
        .as_ref()
        .or_else(|| task.action.args.get("file"))
        .or_else(|| task.action.args.get("_raw_params"))
}
