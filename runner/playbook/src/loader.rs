//! Files become plays: static imports and roles are read here, includes when the engine gets there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Severity, Source};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::context::Context;
use crate::keyword::{Keyword, Place};
use crate::problems::{Problems, Unread};
use crate::role_call::RoleCall;
use crate::sources::{KnownModules, Sources};
use crate::types::{Block, Item, Play, Task};

/// Renders a template that a static import's name holds, with what is known before the run: the
/// map holds the variables of the play and of the roles, blocks and imports around, as written.
pub type Early = dyn Fn(&Node, &Map) -> Result<String, Diagnostic> + Send + Sync;

/// Reads playbooks, task files and roles.
pub struct Loader {
    pub(crate) sources: Arc<dyn Sources>,
    pub(crate) modules: Arc<dyn KnownModules>,
    pub(crate) roles_path: Vec<PathBuf>,
    pub(crate) collections_path: Vec<PathBuf>,
    early: Box<Early>,
    duplicates: Duplicates,
    files: Mutex<IndexMap<PathBuf, Node>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

/// What is done about a key that a mapping has twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Nothing: the last one counts.
    Passed,
    /// A warning.
    #[default]
    Warned,
    /// An error.
    Refused,
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
            collections_path: vec![],
            early,
            duplicates: Duplicates::default(),
            files: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Also looks for `namespace.collection.role` in these folders of collections.
    #[must_use]
    pub fn with_collections(mut self, paths: Vec<PathBuf>) -> Self {
        self.collections_path = paths;
        self
    }

    /// What is done about keys that are given twice.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// Reads a playbook with all it imports.
    ///
    /// # Errors
    /// Everything wrong in it; warnings come with the plays.
    pub fn playbook(&self, path: &Path) -> Result<(Vec<Play>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut problems = Problems::default();
        let plays = self.read_playbook(path, &mut problems);
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
    ) -> Result<Vec<Item>, Unread> {
        let mut problems = Problems::default();
        let items = self.read_tasks(path, place, &context.inside_file(path), &mut problems);
        self.finish(problems)?;
        Ok(items)
    }

    /// Reads a role for an include.
    ///
    /// # Errors
    /// Everything wrong in it.
    pub fn include_role(&self, call: &RoleCall, context: &Context) -> Result<Block, Unread> {
        let mut problems = Problems::default();
        let block = self.role(call, context, &mut problems);
        self.finish(problems)?;
        block.ok_or(Unread::Wrong(vec![]))
    }

    /// The warnings of the includes read since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, problems: Problems) -> Result<(), Unread> {
        let warnings = problems.into_unread()?;
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(warnings);
        Ok(())
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
        let source = Source::of_file(path, text);
        let loaded = match rplay_yaml::load(&source) {
            Ok(loaded) => loaded,
            Err(error) => {
                problems.push(error);
                return None;
            }
        };
        let mut doubts = loaded.warnings.clone();
        match self.duplicates {
            Duplicates::Passed => {}
            Duplicates::Warned => problems.extend(doubts),
            Duplicates::Refused => {
                doubts.iter_mut().for_each(|d| d.severity = Severity::Error);
                problems.extend(doubts);
            }
        }
        let node = loaded.root(&source);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), node.clone());
        Some(node)
    }

    /// The text of a name that is needed before the run.
    pub(crate) fn early_text(
        &self,
        node: &Node,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<String> {
        let text = node.as_str().filter(|text| !crate::is_template(text));
        if let Some(text) = text {
            return Some(text.to_owned());
        }
        match (self.early)(node, &early_vars(context, node)) {
            Ok(text) => Some(text),
            Err(error) => {
                let help = "an import is read before the run: \
                            use an include for what only the run knows";
                problems.push(error.help(help));
                None
            }
        }
    }
}

/// What a name may use before the run: variables as written, and where it stands.
fn early_vars(context: &Context, node: &Node) -> Map {
    let mut vars = (*context.vars).clone();
    let mut tell = |name: &str, value: String| {
        let key = Key {
            text: name.to_owned(),
            span: node.span.clone(),
        };
        let kind = Kind::Unsafe(value);
        let span = node.span.clone();
        vars.insert(key, Node { span, kind });
    };
    let whole = |path: &Path| {
        let path = match path.as_os_str().is_empty() {
            true => Path::new("."),
            false => path,
        };
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        whole.display().to_string()
    };
    tell("playbook_dir", whole(&context.playbook_dir));
    if let Some(role) = &context.role {
        tell("role_path", whole(role));
    }
    if let Some(link) = context.roles.last() {
        tell("role_name", link.name.clone());
    }
    vars
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
}

impl Task {
    /// The variables given to it.
    pub(crate) fn vars(&self) -> Option<&Map> {
        self.keywords.get(Keyword::Vars).and_then(Node::as_map)
    }
}
