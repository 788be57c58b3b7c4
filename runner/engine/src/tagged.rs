//! Tags that are templates: rendered before a play begins, and when tasks are included, so that from
//! then on a task's tags are what is written.
//!
//! No host has been looked at then: variables of the play, of its blocks and roles, and `-e` are
//! there, those of hosts are not, as in Ansible.

use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_playbook::{Block, Item, Keyword, Keywords, Origin, Play, is_template};
use rplay_template::Vars;
use rplay_vars::{Layer, Level, Scope};
use rplay_yaml::{Kind, Node};

use crate::run::Run;
use crate::text;

impl Run {
    /// Renders the tags of a play whose variables are in `layers`.
    ///
    /// # Errors
    /// A tag whose template is wrong.
    pub(crate) fn render_tags(
        &self,
        play: &mut Play,
        layers: &[(Level, Layer)],
    ) -> Result<(), Diagnostic> {
        let mut scope = Scope::default();
        for (level, layer) in layers {
            scope.add(*level, layer.clone());
        }
        for extra in self.store.extra() {
            scope.add(Level::Extra, Layer::Nodes(extra.clone()));
        }
        let scope = &scope;
        self.render_own_tags(&mut play.keywords, scope)?;
        for keywords in &mut play.imports {
            self.render_own_tags(keywords, scope)?;
        }
        let sections = [
            &mut play.pre_tasks,
            &mut play.roles,
            &mut play.tasks,
            &mut play.post_tasks,
        ];
        for items in sections {
            self.render_tags_of(items, scope)?;
        }
        Ok(())
    }

    /// Renders the tags in a block.
    ///
    /// # Errors
    /// As [`Run::render_tags`].
    pub(crate) fn render_tags_within(
        &self,
        block: &mut Block,
        scope: &Scope,
    ) -> Result<(), Diagnostic> {
        let scope = within(block, scope);
        self.render_own_tags(&mut block.keywords, &scope)?;
        for items in [&mut block.items, &mut block.rescue, &mut block.always] {
            self.render_tags_of(items, &scope)?;
        }
        Ok(())
    }

    fn render_tags_of(&self, items: &mut [Item], scope: &Scope) -> Result<(), Diagnostic> {
        // Steps are shared between runs: only those that change become others.
        for item in items.iter_mut().filter(|item| has_templates(item)) {
            match item {
                Item::Task(task) => {
                    let task = Arc::make_mut(task);
                    let scope = with_vars(&task.keywords, Level::Task, scope.clone());
                    self.render_own_tags(&mut task.keywords, &scope)?;
                }
                Item::Block(block) => self.render_tags_within(Arc::make_mut(block), scope)?,
            }
        }
        Ok(())
    }

    fn render_own_tags(&self, keywords: &mut Keywords, scope: &Scope) -> Result<(), Diagnostic> {
        let Some(node) = keywords
            .get(Keyword::Tags)
            .filter(|_| is_templated(keywords))
        else {
            return Ok(());
        };
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let mut tags = vec![];
        for node in keywords.list(Keyword::Tags) {
            for word in text::words(&self.templar, node, &vars)? {
                tags.push(Node {
                    span: node.span.clone(),
                    kind: Kind::Str(word),
                });
            }
        }
        let node = Node {
            span: node.span.clone(),
            kind: Kind::Seq(tags),
        };
        keywords.set(Keyword::Tags, node);
        Ok(())
    }
}

/// What is known inside of a block.
fn within(block: &Block, scope: &Scope) -> Scope {
    let mut scope = scope.clone();
    match &block.origin {
        Origin::Role(role) => {
            scope.add(Level::RoleDefaults, Layer::Nodes(role.defaults.clone()));
            scope.add(Level::RoleVars, Layer::Nodes(role.vars.clone()));
            scope.add(Level::RoleParams, Layer::Nodes(role.params.clone()));
        }
        Origin::Include(params) => scope.add(Level::IncludeParams, Layer::Nodes(params.clone())),
        Origin::Plain | Origin::Import => {}
    }
    with_vars(&block.keywords, Level::Block, scope)
}

fn with_vars(keywords: &Keywords, level: Level, mut scope: Scope) -> Scope {
    if let Some(vars) = keywords.get(Keyword::Vars).and_then(Node::as_map) {
        scope.add(level, Layer::Nodes(Arc::new(vars.clone())));
    }
    scope
}

/// Whether a tag of a step, or of one within it, is a template.
fn has_templates(item: &Item) -> bool {
    match item {
        Item::Task(task) => is_templated(&task.keywords),
        Item::Block(block) => {
            let steps = [&block.items, &block.rescue, &block.always];
            is_templated(&block.keywords) || steps.into_iter().flatten().any(has_templates)
        }
    }
}

fn is_templated(keywords: &Keywords) -> bool {
    let tags = keywords.list(Keyword::Tags);
    tags.iter()
        .any(|node| matches!(&node.kind, Kind::Str(text) if is_template(text)))
}
