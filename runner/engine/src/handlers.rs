//! Handlers: notified by changes, run once at the next flush, in the order they are defined.

use std::sync::{Arc, PoisonError};

use rplay_diag::Diagnostic;
use rplay_playbook::{Item, Keyword};
use rplay_template::Vars;

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::play::PlayContext;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

impl Run {
    /// A task changed something: what it notifies is to run on this host. Gives what is wrong where
    /// no handler answers: a restart that never comes must not look like a success.
    pub(crate) fn notify(&self, context: &TaskContext, host: &HostRun) -> Option<Diagnostic> {
        let nodes = context.frame.all(Some(&context.task), Keyword::Notify);
        if nodes.is_empty() {
            return None;
        }
        let vars: Arc<dyn Vars> =
            Arc::new(self.scope(&host.name, Some(&context.task), &context.frame));
        let mut wrong = None;
        for node in nodes {
            let names = text::words_uncut(&self.templar, node, &vars);
            for name in names.unwrap_or_default() {
                if self.is_handler(&context.frame.context, &name) {
                    host.notify(&name);
                } else {
                    let words = format!("no handler is called `{name}`, or listens to it");
                    wrong.get_or_insert(Diagnostic::error(words).at(&node.span));
                }
            }
        }
        wrong
    }

    fn is_handler(&self, context: &PlayContext, name: &str) -> bool {
        let handlers = context
            .handlers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        handlers
            .iter()
            .any(|(item, frame)| self.answers(item, frame, name, context))
    }

    /// Whether a handler answers to a name: its own, with or without its role's, or a topic.
    fn answers(&self, item: &Item, frame: &Frame, name: &str, context: &PlayContext) -> bool {
        let keywords = match item {
            Item::Task(task) => &task.keywords,
            Item::Block(block) => &block.keywords,
        };
        if let Item::Block(block) = item
            && block
                .items
                .iter()
                .any(|inner| self.answers(inner, frame, name, context))
        {
            return true;
        }
        let topics = keywords.list(Keyword::Listen);
        if topics.iter().any(|topic| topic.as_str() == Some(name)) {
            return true;
        }
        let (Some(node), Some(first)) = (keywords.get(Keyword::Name), context.batch.first()) else {
            return false;
        };
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&first.name, None, frame));
        let own = text::string(&self.templar, node, &vars).unwrap_or_default();
        let role = frame.roles().next().map(|r| r.name.clone());
        own == name || role.is_some_and(|role| format!("{role} : {own}") == name)
    }

    /// Runs the notified handlers.
    pub(crate) async fn flush_handlers(self: &Arc<Self>, context: &Arc<PlayContext>) {
        let force = self.options.force_handlers
            || context
                .play
                .keywords
                .get(Keyword::ForceHandlers)
                .is_some_and(|node| node.kind == rplay_yaml::Kind::Bool(true));
        let failed: Vec<Arc<HostRun>> = context
            .batch
            .iter()
            .filter(|h| h.standing() == Standing::Failed)
            .cloned()
            .collect();
        if force {
            failed.iter().for_each(|h| h.set_standing(Standing::Active));
        }
        let handlers = context
            .handlers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (item, frame) in &handlers {
            let told = self.told(item, frame, context);
            if !told.is_empty() {
                self.items(std::slice::from_ref(item), &told, frame, true)
                    .await;
            }
        }
        for host in &context.batch {
            host.state().notified.clear();
        }
        if force {
            for host in failed.iter().filter(|h| h.is_active()) {
                host.set_standing(Standing::Failed);
            }
        }
    }

    /// The hosts that a handler is to run on; it is no longer to run on them after that.
    fn told(&self, item: &Item, frame: &Frame, context: &PlayContext) -> Vec<Arc<HostRun>> {
        let mut told = vec![];
        for host in context.batch.iter().filter(|h| h.is_active()) {
            let notified = host.state().notified.clone();
            let hit = |name: &String| self.answers(item, frame, name, context);
            if notified.iter().any(hit) {
                told.push(host.clone());
            }
        }
        told
    }
}
