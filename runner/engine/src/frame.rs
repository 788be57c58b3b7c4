//! Where in a play a task stands: the blocks, imports and roles around it.
//!
//! Keywords are looked up from the task outwards; conditions and tags add up.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rplay_playbook::{Block, Keyword, Origin, Play, Role, Task};
use rplay_vars::Layer;
use rplay_yaml::{Map, Node};

use crate::play_context::PlayContext;

/// The surroundings of a task. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The play and its batch of hosts.
    pub context: Arc<PlayContext>,
    inner: Option<Arc<Level>>,
}

#[derive(Debug)]
struct Level {
    parent: Option<Arc<Level>>,
    block: Arc<Block>,
    /// Magic variables of the place, made once.
    magic: OnceLock<Layer>,
}

impl Frame {
    pub(crate) fn of_play(context: &Arc<PlayContext>) -> Self {
        Self {
            context: context.clone(),
            inner: None,
        }
    }

    fn play(&self) -> &Play {
        &self.context.play
    }

    /// Inside a block.
    pub(crate) fn enter(&self, block: &Arc<Block>) -> Self {
        let level = Level {
            parent: self.inner.clone(),
            block: block.clone(),
            magic: OnceLock::new(),
        };
        Self {
            context: self.context.clone(),
            inner: Some(Arc::new(level)),
        }
    }

    /// The magic variables of this place, made with `make` where they are asked for first.
    pub(crate) fn magic(&self, make: fn(&Self) -> Layer) -> Layer {
        let place = match &self.inner {
            Some(level) => &level.magic,
            None => &self.context.magic_of_place,
        };
        place.get_or_init(|| make(self)).clone()
    }

    /// The blocks around, innermost first.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        let mut level = self.inner.as_ref();
        std::iter::from_fn(move || {
            let here = level?;
            level = here.parent.as_ref();
            Some(&here.block)
        })
    }

    /// The roles around, innermost first.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.blocks().filter_map(|block| match &block.origin {
            Origin::Role(role) => Some(role),
            _ => None,
        })
    }

    /// The innermost value of a keyword: the task's own, a block's, the play's.
    pub(crate) fn keyword<'a>(
        &'a self,
        task: Option<&'a Task>,
        keyword: Keyword,
    ) -> Option<&'a Node> {
        self.said(task, keyword).next()
    }

    /// Every value of a keyword, innermost first.
    pub(crate) fn said<'a>(
        &'a self,
        task: Option<&'a Task>,
        keyword: Keyword,
    ) -> impl Iterator<Item = &'a Node> {
        let own = task.map(|t| &t.keywords);
        let blocks = self.blocks().map(|b| &b.keywords);
        let imports = self.play().imports.iter().rev();
        let all = own.into_iter().chain(blocks);
        all.chain([&self.play().keywords])
            .chain(imports)
            .filter_map(move |keywords| keywords.get(keyword))
    }

    /// Every value of a keyword that adds up, outermost first.
    pub(crate) fn all<'a>(&'a self, task: Option<&'a Task>, keyword: Keyword) -> Vec<&'a Node> {
        let mut levels: Vec<Vec<&Node>> = vec![];
        levels.extend(task.map(|t| t.keywords.list(keyword)));
        levels.extend(self.blocks().map(|b| b.keywords.list(keyword)));
        levels.push(self.play().keywords.list(keyword));
        levels.extend(self.play().imports.iter().rev().map(|k| k.list(keyword)));
        levels.into_iter().rev().flatten().collect()
    }

    /// The tags of a task and of all around it.
    pub(crate) fn tags(&self, task: Option<&Task>) -> Vec<String> {
        let mut tags: Vec<String> = self.play().imports.iter().flat_map(|k| k.tags()).collect();
        tags.extend(self.play().keywords.tags());
        tags.extend(self.blocks().flat_map(|b| b.keywords.tags()));
        tags.extend(task.into_iter().flat_map(|t| t.keywords.tags()));
        tags.sort();
        tags.dedup();
        tags
    }

    /// What the includes around were called with, outermost first.
    pub(crate) fn include_params(&self) -> Vec<&Arc<Map>> {
        let mut all: Vec<&Arc<Map>> = self
            .blocks()
            .filter_map(|block| match &block.origin {
                Origin::Include(params) => Some(params),
                _ => None,
            })
            .collect();
        all.reverse();
        all
    }

    /// The `vars` of the blocks around, outermost first.
    pub(crate) fn block_vars(&self) -> Vec<&Map> {
        let mut all: Vec<&Map> = self
            .blocks()
            .filter_map(|b| b.keywords.get(Keyword::Vars)?.as_map())
            .collect();
        all.reverse();
        all
    }

    /// The collections that short names are looked for in.
    pub(crate) fn collections(&self, task: &Task) -> Vec<String> {
        let said = self.all(Some(task), Keyword::Collections);
        let own = self.roles().filter_map(|role| role.collection.clone());
        let named = said.into_iter().flat_map(|node| {
            let items = node.as_seq().into_iter().flatten();
            items.chain([node]).filter_map(Node::as_str)
        });
        own.chain(named.map(str::to_owned)).collect()
    }

    /// Folders that a file's name is looked for in, for `kind` `files`, `templates`, `vars` or
    /// `tasks`: the roles around, the task's own folder, the playbook's.
    pub(crate) fn search(&self, kind: &str, file: &Path) -> Vec<std::path::PathBuf> {
        let mut dirs = vec![];
        for role in self.roles() {
            dirs.push(role.path.join(kind));
            dirs.push(role.path.clone());
        }
        if let Some(beside) = file.parent() {
            dirs.push(beside.join(kind));
            dirs.push(beside.to_owned());
        }
        dirs.push(self.play().dir.join(kind));
        dirs.push(self.play().dir.clone());
        dirs
    }
}
