//! Includes: files and roles that are read when the run gets to them, host by host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Span};
use rplay_event::Event;
use rplay_playbook::{
    Block, Context, Item, Keyword, Keywords, Origin, Place, Problems, RoleCall, Task, Unread,
    file_argument,
};
use rplay_template::{Value, Vars, is_omit, to_json};
use rplay_vars::{Level, Scope};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::result::TaskResult;
use crate::run::{Broken, Run};
use crate::tally;
use crate::task::TaskContext;
use crate::text;

/// One thing to include, with the loop's variables.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    name: String,
    vars: Map,
    /// The item's label, in a loop.
    label: Option<String>,
    /// Arguments of a role besides its name, rendered; none where one is left out after all.
    given: Vec<Argument>,
}

/// Arguments of `include_role` that name its files.
const FROM: [&str; 4] = ["tasks_from", "vars_from", "defaults_from", "handlers_from"];

/// Arguments of `include_role` that are true or false.
const SWITCHES: [&str; 3] = ["public", "allow_duplicates", "rolespec_validate"];

/// A rendered argument, or that it is omitted.
type Argument = (&'static str, Option<Kind>);

/// What is included, and a role's other arguments.
type Named = (String, Vec<Argument>);

impl Wanted {
    fn plain((name, given): Named) -> Self {
        Self {
            name,
            vars: Map::new(),
            label: None,
            given,
        }
    }
}

impl Run {
    /// Runs `include_tasks` or `include_role`: hosts that include the same go through it together.
    pub(crate) async fn include(
        self: &Arc<Self>,
        task: &Arc<Task>,
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
    ) {
        let mut active: Vec<Arc<HostRun>> =
            hosts.iter().filter(|h| h.is_active()).cloned().collect();
        let Some(first) = active.first().cloned() else {
            return;
        };
        let context = self.announce(task, frame, &active, handler);
        // What is included once is run by the first host alone.
        if self.keyword_is(Keyword::RunOnce, &first, &context, false) {
            active.truncate(1);
        }
        let mut groups: Vec<(Wanted, Vec<Arc<HostRun>>)> = vec![];
        for host in &active {
            for wanted in self.wanted(&context, host) {
                match groups.iter_mut().find(|(known, _)| {
                    known.name == wanted.name
                        && known.given == wanted.given
                        && same(&known.vars, &wanted.vars)
                }) {
                    Some((_, hosts)) => hosts.push(host.clone()),
                    None => groups.push((wanted, vec![host.clone()])),
                }
            }
        }
        let fallen: Vec<_> = active.iter().filter(|h| h.is_lost()).cloned().collect();
        self.judge(task, frame, &fallen);
        // All are read, and told of, before the first of them runs.
        let opened: Vec<(Item, Vec<Arc<HostRun>>)> = groups
            .into_iter()
            .filter_map(|(wanted, hosts)| {
                let block = self.opened(&context, &wanted, &hosts, handler)?;
                Some((Item::Block(block), hosts))
            })
            .collect();
        for (item, _) in &opened {
            frame.context.know_roles(std::slice::from_ref(item), frame);
        }
        for (item, hosts) in opened {
            self.items(std::slice::from_ref(&item), &hosts, frame, handler)
                .await;
        }
    }

    /// What a host includes; none where a condition says no or something is wrong (which is told).
    fn wanted(&self, context: &TaskContext, host: &Arc<HostRun>) -> Vec<Wanted> {
        let begun = Instant::now();
        let scope = self.scope(&host.name, Some(&context.task), &context.frame);
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let mut braces = vec![];
        let found: Result<Vec<Wanted>, TaskResult> = match &context.task.looped {
            None => self
                .one(context, &vars, &mut braces)
                .map(|name| name.into_iter().map(Wanted::plain).collect()),
            Some(over) => match self.loop_items(over, &scope) {
                Err(unusable) => Err(self.without_items(context, &scope, unusable)),
                Ok(items) => self.each_wanted(context, &scope, &items, &mut braces),
            },
        };
        self.tell_of_braces(context, &braces);
        let mut result = match &found {
            Ok(wanted) if wanted.is_empty() => TaskResult::skipped("Conditional result was False"),
            Ok(_) => {
                let done = TaskResult::done(false, serde_json::Map::new());
                self.keep(context, host, &TaskResult { braces, ..done });
                return found.unwrap_or_default();
            }
            Err(result) => result.clone(),
        };
        result.braces.splice(..0, braces);
        self.keep(context, host, &result);
        self.note_doubt(context, host, &result);
        self.tell(context, host, &result, begun);
        vec![]
    }

    fn tell(&self, context: &TaskContext, host: &HostRun, result: &TaskResult, begun: Instant) {
        let ignored =
            result.is_failed() && self.keyword_is(Keyword::IgnoreErrors, host, context, false);
        self.tell_as(ignored, context, host, result, begun);
    }

    fn tell_as(
        &self,
        ignored: bool,
        context: &TaskContext,
        host: &HostRun,
        result: &TaskResult,
        begun: Instant,
    ) {
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.emit(Event::HostEnded(
            self.ended(context, &host.name, None, result, ignored, took),
        ));
        tally::count(&mut host.state().recap, &result.status(), ignored);
        if result.is_failed() && !ignored {
            host.set_standing(Standing::Failed);
            self.remember_failure(context, host, result);
        }
    }

    /// What each item of a loop includes.
    fn each_wanted(
        &self,
        context: &TaskContext,
        scope: &Scope,
        items: &[Value],
        braces: &mut Vec<Span>,
    ) -> Result<Vec<Wanted>, TaskResult> {
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let control = self.control(context, &vars).map_err(|d| self.failure(&d))?;
        let mut all = vec![];
        for (index, item) in items.iter().enumerate() {
            let values = control.vars(items, index);
            let inner: Arc<dyn Vars> =
                Arc::new(scope.clone().with_values(Level::Loop, values.clone()));
            if let Some((name, given)) = self.one(context, &inner, braces)? {
                let label = self.label(&control, item, &inner);
                let label = label.map_err(|wrong| self.failure(&wrong))?;
                all.push(Wanted {
                    name,
                    given,
                    vars: as_nodes(&values, context),
                    label: Some(label),
                });
            }
        }
        Ok(all)
    }

    /// The name of what is included; none where a condition says no.
    fn one(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
        braces: &mut Vec<Span>,
    ) -> Result<Option<Named>, TaskResult> {
        let gate = self.condition(context, vars);
        let gate = gate.map_err(|diagnostic| self.failure(&diagnostic))?;
        braces.extend(gate.braces);
        if let Some(mut not_run) = gate.not_run {
            braces.append(&mut not_run.braces);
            return match not_run.is_skipped() {
                true => Ok(None),
                false => Err(not_run),
            };
        }
        let action = &context.task.action;
        let node = match action.name.as_str() {
            "include_role" => action.args.get("name").or_else(|| action.args.get("role")),
            _ => file_argument(&context.task),
        };
        let Some(node) = node else {
            let words = format!("`{}` does not say what to include", action.name);
            return Err(self.failure(&Diagnostic::error(words).at(&action.span)));
        };
        match text::string(&self.templar, node, vars) {
            Ok(name) => Ok(Some((name, self.role_arguments(context, vars)?))),
            Err(diagnostic) => Err(self.failure(&diagnostic)),
        }
    }

    /// Reads what hosts include; `None` where it cannot be read: where it is not there, the hosts
    /// fail, and where it is wrong, the run ends.
    fn opened(
        &self,
        context: &TaskContext,
        wanted: &Wanted,
        hosts: &[Arc<HostRun>],
        handler: bool,
    ) -> Option<Arc<Block>> {
        let read = match context.task.action.name.as_str() {
            "include_role" => self
                .read_role(context, wanted)
                .map(|block| (block, wanted.name.clone())),
            _ => self.read_tasks(context, wanted, handler),
        };
        let read = read.and_then(|(mut block, what)| {
            if let Some(host) = hosts.first() {
                let scope = self.scope(&host.name, Some(&context.task), &context.frame);
                self.render_tags_within(&mut block, &scope)
                    .map_err(|wrong| Unread::Absent(vec![wrong]))?;
            }
            context.frame.context.role_names.add(&block);
            Ok((block, what))
        });
        let (block, what) = match read {
            Ok((block, what)) => (Arc::new(block), what),
            Err(Unread::Wrong(wrong)) => {
                self.halt(Broken::Unreadable, wrong);
                return None;
            }
            Err(Unread::Absent(wrong)) => {
                let begun = Instant::now();
                let mut drawn = wrong.iter();
                let result = drawn.next().map_or_else(
                    || TaskResult::failed(format!("could not include `{}`", wanted.name)),
                    // As in Ansible, what cannot be read says so under a key of its own.
                    |first| self.failure(first).with("reason", first.message.clone()),
                );
                drawn.for_each(|d| self.warn(d));
                // `ignore_errors` is of what is included, and there is nothing.
                hosts
                    .iter()
                    .for_each(|host| self.tell_as(false, context, host, &result, begun));
                let fallen: Vec<_> = hosts.iter().filter(|h| h.is_lost()).cloned().collect();
                self.judge(&context.task, &context.frame, &fallen);
                return None;
            }
        };
        let names = hosts.iter().map(|h| h.name.clone()).collect();
        self.emit(Event::Included {
            task: context.id,
            what,
            hosts: names,
            item: wanted.label.clone(),
        });
        for host in hosts {
            host.state().recap.ok += 1;
        }
        Some(block)
    }

    /// The arguments of an include of a role that say which files and how, rendered.
    fn role_arguments(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Vec<Argument>, TaskResult> {
        let rendered = |name: &'static str, node: &Node| {
            if is_omit(&self.templar.render(node, vars)?) {
                return Ok((name, None));
            }
            let kind = match SWITCHES.contains(&name) {
                true => Kind::Bool(text::boolean(&self.templar, node, vars)?),
                false => Kind::Str(text::string(&self.templar, node, vars)?),
            };
            Ok((name, Some(kind)))
        };
        let args = &context.task.action.args;
        let names = FROM.into_iter().chain(SWITCHES);
        names
            .filter_map(|name| Some(rendered(name, args.get(name)?)))
            .map(|argument| argument.map_err(|wrong: Diagnostic| self.failure(&wrong)))
            .collect()
    }

    /// Keywords that the included tasks inherit: those of `apply`.
    fn inherited(context: &TaskContext) -> Keywords {
        let mut keywords = Keywords::default();
        let apply = context.task.action.args.get("apply").and_then(Node::as_map);
        for (key, value) in apply.into_iter().flatten() {
            if let Some(keyword) = Keyword::find(&key.text, Place::Block) {
                keywords.set(keyword, value.clone());
            }
        }
        keywords
    }

    /// The variables that an include is called with: its `vars`, and its loop's.
    fn params(context: &TaskContext, wanted: &Wanted) -> Map {
        let own = context.task.keywords.get(Keyword::Vars);
        let mut params = own.and_then(Node::as_map).cloned().unwrap_or_default();
        params.extend(wanted.vars.clone());
        params
    }

    /// The tasks of a file, and the file's whole path.
    fn read_tasks(
        &self,
        context: &TaskContext,
        wanted: &Wanted,
        handler: bool,
    ) -> Result<(Block, String), Unread> {
        let place = if handler { Place::Handler } else { Place::Task };
        let at = self.at(context);
        let span = &context.task.action.span;
        let Some(path) = self.loader.find_tasks(&wanted.name, &at) else {
            let wrong = self.loader.no_tasks(&wanted.name, &at);
            return Err(Unread::Absent(vec![wrong.at(span)]));
        };
        let play = &context.frame.context.play;
        let inside = Context::include(&play.dir, &path, at.role.as_deref())
            .with_collections(play.keywords.collections());
        let items = self.loader.tasks_file(&path, place, &inside)?;
        let block = Block {
            keywords: Self::inherited(context),
            origin: Origin::Include(Arc::new(Self::params(context, wanted))),
            items,
            rescue: vec![],
            always: vec![],
            span: context.task.span.clone(),
        };
        // The output names the file whole.
        let what = path.canonicalize().unwrap_or(path).display().to_string();
        Ok((block, what))
    }

    fn read_role(&self, context: &TaskContext, wanted: &Wanted) -> Result<Block, Unread> {
        let mut problems = Problems::default();
        let mut task = (*context.task).clone();
        for (name, kind) in &wanted.given {
            match (kind, task.action.args.get_mut(*name)) {
                (Some(kind), Some(node)) => node.kind = kind.clone(),
                _ => {
                    task.action.args.shift_remove(*name);
                }
            }
        }
        let Some(mut call) = RoleCall::of_task(&task, &mut problems) else {
            return Err(Unread::Absent(problems.into_vec()));
        };
        call.name.kind = Kind::Str(wanted.name.clone());
        call.keywords = Self::inherited(context);
        call.params.extend(Self::params(context, wanted));
        self.loader.include_role(&call, &self.at(context))
    }

    /// Where the include stands, for names relative to it.
    fn at(&self, context: &TaskContext) -> Context {
        let role: Option<PathBuf> = context.frame.roles().next().map(|r| r.path.clone());
        let play = &context.frame.context.play;
        Context::include(&play.dir, &context.task.file, role.as_deref())
            .with_collections(play.keywords.collections())
    }
}

/// The loop's variables as the included tasks see them: data, but for what the playbook wrote.
fn as_nodes(values: &IndexMap<String, Value>, context: &TaskContext) -> Map {
    let span = &context.task.span;
    let node = |value: &Value| Node {
        span: span.clone(),
        kind: match to_json(value) {
            Ok(_) => text::content(value, span),
            Err(_) => Kind::Str(value.to_string()),
        },
    };
    let pair = |(name, value): (&String, &Value)| {
        let key = Key {
            text: name.clone(),
            span: span.clone(),
        };
        (key, node(value))
    };
    values.iter().map(pair).collect()
}

/// Whether two sets of loop variables hold the same.
fn same(a: &Map, b: &Map) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|(k, v)| b.get(k.text.as_str()).is_some_and(|o| o.kind == v.kind))
}
