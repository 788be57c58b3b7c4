//! Handlers: notified by changes, run once at the next flush, in the order they are defined.
//!
//! Owns which handler answers to a name. Knows nothing of how a handler's task is run.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_playbook::{Item, Keyword, Keywords, Origin as From, Task, is_template};
use rplay_template::{Origin, Vars};
use rplay_yaml::Node;

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::play_context::PlayContext;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

/// A handler of a play, with where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Handler {
    item: Item,
    frame: Frame,
    /// The list that it was defined in: a role's, or the play's own.
    list: usize,
}

/// The handlers known so far, each list in its order. They are named by their number.
#[derive(Debug, Default)]
pub(crate) struct Handlers {
    /// Shared with who looks for the one that answers.
    all: Arc<Vec<Handler>>,
    lists: usize,
}

impl Handlers {
    /// Takes a list of handlers; those that are known already stay as they are. A role that is
    /// called again has handlers of its own: their names and what they do may depend on the call.
    pub(crate) fn add(&mut self, items: &[Item], frame: &Frame) {
        self.lists += 1;
        items.iter().for_each(|item| self.take(item, frame));
    }

    /// The handler of a number.
    pub(crate) fn get(&self, number: usize) -> Option<&Handler> {
        self.all.get(number)
    }

    fn take(&mut self, item: &Item, frame: &Frame) {
        match item {
            // What is imported is a list of handlers, and not one handler.
            Item::Block(block) if !matches!(block.origin, From::Plain) => {
                let inner = frame.enter(block);
                block.items.iter().for_each(|item| self.take(item, &inner));
            }
            _ if self.all.iter().any(|known| known.is_same(item, frame)) => {}
            _ => Arc::make_mut(&mut self.all).push(Handler {
                item: item.clone(),
                frame: frame.clone(),
                list: self.lists,
            }),
        }
    }
}

fn span(item: &Item) -> &rplay_diag::Span {
    match item {
        Item::Task(task) => &task.span,
        Item::Block(block) => &block.span,
    }
}

impl Handler {
    /// Whether it is that one, of the same call of its role.
    fn is_same(&self, item: &Item, frame: &Frame) -> bool {
        let one_call = match (self.frame.roles().next(), frame.roles().next()) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        one_call && span(&self.item) == span(item)
    }

    fn keywords(&self) -> &Keywords {
        match &self.item {
            Item::Task(task) => &task.keywords,
            Item::Block(block) => &block.keywords,
        }
    }

    /// Whether `asked` is `title`, alone or behind the role that the handler is of.
    fn is_called(&self, title: &str, asked: &str) -> bool {
        let Some(role) = self.frame.roles().next() else {
            return title == asked;
        };
        let within = |role: &str| {
            let rest = asked.strip_prefix(role).and_then(|r| r.strip_prefix(" : "));
            rest == Some(title)
        };
        title == asked || within(role.short_name()) || within(&role.full_name())
    }
}

impl Run {
    /// A task changed something: what it notifies is to run on this host. Gives what is wrong where
    /// no handler answers, which ends the run: a restart that never comes must not look like a success.
    pub(crate) fn notify(&self, context: &TaskContext, host: &HostRun) -> Option<Diagnostic> {
        let mut wrong = None;
        for (name, node) in self.notifies(context, host) {
            let answering = self.answering(&context.frame.context, &name);
            if answering.is_empty() {
                let missing = missing(&name).at(&node.span);
                if self.options.defaults.missing_handlers {
                    self.warn(&missing);
                } else {
                    wrong.get_or_insert(missing);
                }
            }
            let mut state = host.state();
            state.notified.extend(answering.iter().copied());
            state.called.push((name, answering));
        }
        wrong
    }

    /// A dry run cannot know whether a task changes something: whether what it notifies would run is
    /// not decided either, and is told so.
    pub(crate) fn notify_in_doubt(
        &self,
        context: &TaskContext,
        host: &HostRun,
        because: &[Origin],
    ) {
        for (name, _) in self.notifies(context, host) {
            for handler in self.answering(&context.frame.context, &name) {
                let mut state = host.state();
                let known = state.in_doubt.entry(handler).or_default();
                let new = because.iter().filter(|o| !known.contains(o));
                let new: Vec<Origin> = new.cloned().collect();
                known.extend(new);
            }
        }
    }

    /// Whether it is known that handlers answer to all that a task notifies.
    pub(crate) fn finds_its_handlers(&self, task: &Task, frame: &Frame) -> bool {
        let mut nodes = frame.all(Some(task), Keyword::Notify).into_iter();
        nodes.all(|node| {
            let name = node.as_str().filter(|name| !is_template(name));
            name.is_some_and(|name| !self.answering(&frame.context, name).is_empty())
        })
    }

    /// The names that a task notifies.
    fn notifies<'a>(&self, context: &'a TaskContext, host: &HostRun) -> Vec<(String, &'a Node)> {
        let nodes = context.frame.all(Some(&context.task), Keyword::Notify);
        if nodes.is_empty() {
            return vec![];
        }
        let vars: Arc<dyn Vars> =
            Arc::new(self.scope(&host.name, Some(&context.task), &context.frame));
        let mut all = vec![];
        for node in nodes {
            let names = text::words_uncut(&self.templar, node, &vars);
            all.extend(
                names
                    .unwrap_or_default()
                    .into_iter()
                    .map(|name| (name, node)),
            );
        }
        all
    }

    /// The handlers that answer to a name: the one that is called so, and all that listen to it.
    /// Of several with one name, the first of the last list counts, as in Ansible.
    fn answering(&self, context: &PlayContext, asked: &str) -> Vec<usize> {
        let handlers = context.handlers().all.clone();
        let mut order: Vec<usize> = (0..handlers.len()).collect();
        order.sort_by_key(|&n| (usize::MAX - handlers[n].list, n));
        let names: Vec<Option<String>> = handlers
            .iter()
            .map(|h| self.title(h, h.keywords().get(Keyword::Name)?, context))
            .collect();
        let called = |n: &usize| {
            let name = names[*n].as_deref();
            name.is_some_and(|name| handlers[*n].is_called(name, asked))
        };
        let mut answering: Vec<usize> = order.iter().copied().find(called).into_iter().collect();
        let mut heard: HashSet<&str> = HashSet::new();
        for n in order {
            let handler = &handlers[n];
            // Topics are no templates, as in Ansible.
            let topics = handler.keywords().list(Keyword::Listen);
            let mut topics = topics.into_iter().filter_map(Node::as_str);
            let hears = topics.any(|topic| handler.is_called(topic, asked));
            if hears && names[n].as_deref().is_none_or(|name| heard.insert(name)) {
                answering.push(n);
            }
        }
        answering
    }

    /// A handler's name, rendered.
    fn title(&self, handler: &Handler, node: &Node, context: &PlayContext) -> Option<String> {
        let text = node.as_str()?;
        if !is_template(text) {
            return Some(text.to_owned());
        }
        let first = context.batch.first()?;
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&first.name, None, &handler.frame));
        let title = text::string(&self.templar, node, &vars);
        if let Err(wrong) = &title
            && handler.keywords().list(Keyword::Listen).is_empty()
        {
            let words = format!(
                "Handler '{text}' is unusable: its name cannot be rendered, and it listens to nothing"
            );
            let warning = Diagnostic::warning(words).at(&node.span);
            self.warn(&warning.help(wrong.message.clone()));
        }
        title.ok()
    }

    /// Who answers to a name is decided when the handlers run: of a role that came in again since,
    /// it is the last call's.
    fn answer_again(&self, context: &PlayContext) {
        let mut known: HashMap<String, Vec<usize>> = HashMap::new();
        for host in context.batch.iter().filter(|h| h.is_active()) {
            let called = std::mem::take(&mut host.state().called);
            let mut answering = vec![];
            for (name, _) in &called {
                let found = known
                    .entry(name.clone())
                    .or_insert_with(|| self.answering(context, name));
                answering.extend(found.iter().copied());
            }
            let mut state = host.state();
            for handler in called.iter().flat_map(|(_, answered)| answered) {
                state.notified.remove(handler);
            }
            state.notified.extend(answering);
        }
    }

    /// Runs the notified handlers.
    pub(crate) async fn flush_handlers(self: &Arc<Self>, context: &Arc<PlayContext>) {
        if self.is_halted() {
            return;
        }
        let failed: Vec<Arc<HostRun>> = context
            .batch
            .iter()
            .filter(|h| h.standing() == Standing::Failed && self.forces_handlers(context))
            .cloned()
            .collect();
        failed.iter().for_each(|h| h.set_standing(Standing::Active));
        for host in context.batch.iter().filter(|h| h.is_active()) {
            if !host.state().notified.is_empty() {
                self.note(format!("triggered running handlers for {}", host.name));
            }
        }
        self.answer_again(context);
        let mut next = 0;
        // One that runs may bring in more.
        while let Some(handler) = context.handler(next) {
            let told = told(next, context);
            self.tell_in_doubt(next, context, &handler, &told);
            if !told.is_empty() {
                let item = std::slice::from_ref(&handler.item);
                self.items(item, &told, &handler.frame, true).await;
            }
            next += 1;
        }
        for host in context.batch.iter().filter(|h| h.is_active()) {
            host.state().called.clear();
        }
        for host in failed.iter().filter(|h| h.is_active()) {
            host.set_standing(Standing::Failed);
        }
    }

    /// Tells of a handler that it is not decided, on the hosts where it is not known to run.
    fn tell_in_doubt(
        &self,
        number: usize,
        context: &PlayContext,
        handler: &Handler,
        told: &[Arc<HostRun>],
    ) {
        let doubts = |host: &Arc<HostRun>| {
            let because = host.state().in_doubt.remove(&number)?;
            let is_told = told.iter().any(|other| Arc::ptr_eq(other, host));
            (!is_told).then(|| (host.clone(), because))
        };
        let active = context.batch.iter().filter(|h| h.is_active());
        let hosts: Vec<_> = active.filter_map(doubts).collect();
        if !hosts.is_empty() {
            self.undecided(&handler.item, &handler.frame, &hosts);
        }
    }

    fn undecided(&self, item: &Item, frame: &Frame, hosts: &[(Arc<HostRun>, Vec<Origin>)]) {
        match item {
            Item::Task(task) => self.undecided_handler(task, frame, hosts),
            Item::Block(block) => {
                let inner = frame.enter(block);
                block
                    .items
                    .iter()
                    .for_each(|item| self.undecided(item, &inner, hosts));
            }
        }
    }

    /// Whether handlers run on failed hosts too.
    fn forces_handlers(&self, context: &Arc<PlayContext>) -> bool {
        let said = context.play.keywords.get(Keyword::ForceHandlers);
        said.map_or(self.options.force_handlers, |node| {
            let first = context.batch.first().map_or("localhost", |h| &h.name);
            let vars: Arc<dyn Vars> = Arc::new(self.scope(first, None, &Frame::of_play(context)));
            text::boolean(&self.templar, node, &vars).unwrap_or(false)
        })
    }
}

/// No handler answers to a name: in Ansible's words, which scripts look for.
fn missing(name: &str) -> Diagnostic {
    let words = format!(
        "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
    );
    Diagnostic::error(words).help(format!("no handler is called `{name}`, or listens to it"))
}

/// The hosts that a handler is to run on now; it is no longer to run on them after that.
fn told(handler: usize, context: &PlayContext) -> Vec<Arc<HostRun>> {
    let active = context.batch.iter().filter(|h| h.is_active());
    let told = active.filter(|h| h.state().notified.remove(&handler));
    told.cloned().collect()
}
