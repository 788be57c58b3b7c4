//! Requests that are sent before their turn, so that a host does not wait for the controller between
//! two of them: the items of a loop, and the tasks behind a task that do not use its result.
//!
//! The host runs them one after the other, whenever they came. What a request says is decided when
//! it is sent; whether its task ends well, only in its turn. See docs/decisions/0010.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rplay_diag::Span;
use rplay_playbook::{Item, Keyword, Task, is_template};
use rplay_template::Vars;

use crate::action;
use crate::attempt::Gate;
use crate::frame::Frame;
use crate::host_run::HostRun;
use crate::links::{Broken, Sent};
use crate::prepare::{Errand, Prepared};
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::{TaskContext, origin};
use crate::unsettled::Unsettled;

/// How many requests of a host may be ahead of their turn, and how large they may be together, in
/// bytes.
const MOST: usize = 1000;
const LARGEST: usize = 256 << 10;

/// How many tasks are looked at for what may be sent ahead.
const TASKS: usize = 32;

/// A request that was sent, or that could not be.
pub(crate) struct OnItsWay {
    /// Where the conditions that were decided for it stand in braces.
    pub braces: Vec<Span>,
    pub errand: Errand,
    pub sent: Result<Sent, Broken>,
}

/// What is decided of a task or an item before its turn.
pub(crate) enum Turn {
    /// Its condition says no.
    Skipped(Box<TaskResult>),
    /// Its request was sent; its size in bytes.
    Sent(Box<OnItsWay>, usize),
}

impl Turn {
    /// What another request may come after.
    fn before(&self) -> Option<Before<'_>> {
        match self {
            Self::Sent(early, _) => early.before(),
            Self::Skipped(_) => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Sent(_, size) => *size,
            Self::Skipped(_) => 0,
        }
    }
}

impl OnItsWay {
    /// It, where it was sent, as what another request may come after.
    pub(crate) fn before(&self) -> Option<Before<'_>> {
        let errand = &self.errand;
        let sent = self.sent.as_ref().ok()?;
        Some(Before { errand, sent })
    }
}

/// The request that another one comes after.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    pub errand: &'a Errand,
    pub sent: &'a Sent,
}

/// Why nothing is sent before its turn.
enum Held {
    /// This one cannot be.
    This,
    /// The same will hold for the next.
    All,
}

/// What is decided of the tasks that are next on a host.
#[derive(Default)]
pub(crate) struct Line(Mutex<VecDeque<(Arc<Task>, Turn)>>);

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ahead", self.lock().len())
    }
}

impl Line {
    /// What is decided of a task whose turn it is. Where it is another's, all is decided anew.
    pub(crate) fn take(&self, task: &Arc<Task>) -> Option<Turn> {
        let mut line = self.lock();
        match line.front() {
            Some((next, _)) if Arc::ptr_eq(next, task) => line.pop_front().map(|(_, turn)| turn),
            _ => {
                line.clear();
                None
            }
        }
    }

    /// Whether a task is the next one that something is decided of.
    fn is_next(&self, task: &Arc<Task>) -> bool {
        let line = self.lock();
        line.front()
            .is_some_and(|(next, _)| Arc::ptr_eq(next, task))
    }

    /// How many requests were sent before their turn.
    pub(crate) fn requests(&self) -> usize {
        let is_sent = |(_, turn): &&(Arc<Task>, Turn)| matches!(turn, Turn::Sent(..));
        self.lock().iter().filter(is_sent).count()
    }

    /// Nothing is decided any more; what was sent and not begun does not run.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn set(&self, turns: Vec<(Arc<Task>, Turn)>) {
        *self.lock() = turns.into();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Arc<Task>, Turn)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The items of a loop that are ahead of their turn.
pub(crate) struct Items {
    /// The next one to decide.
    next: usize,
    turns: VecDeque<Turn>,
    /// How large the requests of these are together, in bytes.
    size: usize,
    /// Whether any may be.
    is_open: bool,
    /// Whether the next one is to wait until it is its turn.
    waits: bool,
}

impl Run {
    /// The tasks behind one that could be sent before its end: those that come next for the same
    /// hosts, up to one that is in any way out of the ordinary.
    pub(crate) fn upcoming(
        &self,
        task: &Arc<Task>,
        behind: &[Item],
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
    ) -> Vec<Arc<Task>> {
        let many = hosts.iter().filter(|h| h.is_active()).nth(1).is_some();
        let mut upcoming = vec![];
        let decided = |host: &Arc<HostRun>| !host.is_active() || host.line.is_next(task);
        if self.is_stepping()
            || (many && self.failures_are_shared(frame))
            || !self.is_plain(task, frame, many)
            || hosts.iter().all(decided)
        {
            return upcoming;
        }
        let mut last = task;
        for item in behind {
            let Item::Task(next) = item else { break };
            if !leaves_the_next_alone(last, frame)
                || !self.finds_its_handlers(last, frame)
                || upcoming.len() == TASKS
            {
                break;
            }
            if !handler && !self.options.tags.selects(&frame.tags(Some(next))) {
                continue;
            }
            if !self.is_plain(next, frame, many) {
                break;
            }
            upcoming.push(next.clone());
            last = next;
        }
        upcoming
    }

    /// Whether one host's failure may end the play for the others.
    fn failures_are_shared(&self, frame: &Frame) -> bool {
        let keywords = [Keyword::AnyErrorsFatal, Keyword::MaxFailPercentage];
        let said = |keyword| frame.keyword(None, keyword).is_some();
        self.options.defaults.any_errors_fatal || keywords.into_iter().any(said)
    }

    /// Whether a task is one module's call, once, on its own host. With `many` hosts in step it is
    /// also to be the same for the others when it runs.
    fn is_plain(&self, task: &Task, frame: &Frame, many: bool) -> bool {
        let name = task.action.name.as_str();
        if task.looped.is_some() || is_template(name) || action::find(name).is_some() {
            return false;
        }
        let Some(module) = rplay_builtin::find(name) else {
            return false;
        };
        if self.options.library.replaces(&task.action.written) {
            return false;
        }
        let said = |keyword: &Keyword| frame.keyword(Some(task), *keyword).is_some();
        let is_confined = module.is_confined || !many;
        is_confined
            && name != "fetch"
            && task.action.faults.is_empty()
            && !self.times_out()
            && !TRIED_OR_WATCHED.iter().chain(&ELSEWHERE).any(said)
    }

    /// Whether every task has a time in which it is to end.
    fn times_out(&self) -> bool {
        self.options.defaults.task_timeout.is_some_and(|s| s > 0)
    }

    /// Sends what may be sent of the tasks behind the one whose request was sent just now.
    pub(crate) async fn send_ahead(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        first: Before<'_>,
    ) {
        if context.upcoming.is_empty() || first.sent.is_own_machine() {
            return;
        }
        let mut names: Vec<String> = self.register_name(context).into_iter().collect();
        let mut turns: Vec<(Arc<Task>, Turn)> = vec![];
        for task in &context.upcoming {
            let own = TaskContext {
                id: context.id,
                task: task.clone(),
                frame: context.frame.clone(),
                is_secret: context.is_secret,
                origin: origin(task),
                upcoming: vec![],
            };
            let vars: Arc<dyn Vars> = Arc::new(self.scope(&host.name, Some(task), &context.frame));
            let last = turns.iter().rev().find_map(|(_, turn)| turn.before());
            let before = Some(last.unwrap_or(first));
            let turn = self.turn(&own, host, vars, names.clone(), before, true);
            let Ok(turn) = turn.await else { break };
            names.extend(self.register_name(&own));
            turns.push((task.clone(), turn));
        }
        host.line.set(turns);
    }

    /// The items of a loop, none of them decided.
    pub(crate) fn ahead_of_loop(&self, context: &TaskContext) -> Items {
        let (task, frame) = (&context.task, &context.frame);
        let said = |keyword: &Keyword| frame.keyword(Some(task), *keyword).is_some();
        let control = task.keywords.get(Keyword::LoopControl);
        let waits = ["pause", "break_when"]
            .iter()
            .any(|key| control.is_some_and(|c| c.get(key).is_some()));
        let name = task.action.name.as_str();
        Items {
            next: 0,
            turns: VecDeque::new(),
            size: 0,
            waits: false,
            is_open: !waits
                && !self.times_out()
                && !is_template(name)
                && action::find(name).is_none()
                && !self.options.library.replaces(&task.action.written)
                && !TRIED_OR_WATCHED.iter().any(said),
        }
    }

    /// What is decided of an item whose turn it is, once those behind it were sent too.
    pub(crate) async fn next_item(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        items: &mut Items,
        (index, count): (usize, usize),
        vars_of: &(dyn Fn(usize) -> Arc<dyn Vars> + Sync),
    ) -> Option<Turn> {
        if items.turns.is_empty() {
            items.next = index;
            items.waits = false;
        }
        while items.next < count && items.may_send() {
            let before = items.turns.iter().rev().find_map(Turn::before);
            if before.is_some_and(|before| before.sent.is_own_machine()) {
                break;
            }
            let vars = vars_of(items.next);
            let turn = self.turn(context, host, vars, vec![], before, false).await;
            match turn {
                Ok(turn) => items.push(turn),
                Err(Held::This) => items.waits = true,
                Err(Held::All) => items.is_open = false,
            }
        }
        items.pop()
    }

    /// Decides on a task before its turn, and sends its request.
    async fn turn(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: Arc<dyn Vars>,
        unsettled: Vec<String>,
        before: Option<Before<'_>>,
        needs: bool,
    ) -> Result<Turn, Held> {
        let (vars, touched) = Unsettled::over(vars, unsettled);
        let held = || match touched.is_set() {
            true => Held::All,
            false => Held::This,
        };
        let Gate { not_run, braces } = self.condition(context, &vars).map_err(|_| held())?;
        if touched.is_set() {
            return Err(Held::All);
        }
        match not_run {
            Some(result) if result.is_skipped() => return Ok(Turn::Skipped(Box::new(result))),
            Some(_) => return Err(Held::This),
            None => {}
        }
        let name = &context.task.action.name;
        let args = self.arguments(context, &vars).map_err(|_| held())?;
        let prepared = self.prepare(context, host, &vars, name, args).await;
        let Prepared {
            request,
            job,
            errand,
        } = prepared.map_err(|_| held())?;
        if touched.is_set() || job.is_some() {
            return Err(Held::All);
        }
        let size = request.args.len() + request.blobs.iter().map(inline).sum::<usize>();
        let sent = match before {
            None => self.begin(&errand.place, request).await,
            Some(before) if before.errand.place == errand.place => {
                let sent = before.sent.follow(request, needs).await;
                Ok(sent.ok_or(Held::This)?)
            }
            Some(_) => return Err(Held::This),
        };
        let early = OnItsWay {
            braces,
            errand,
            sent,
        };
        Ok(Turn::Sent(Box::new(early), size))
    }
}

/// The bytes of a file that go with the request.
fn inline(blob: &rplay_wire::Blob) -> usize {
    blob.inline.as_ref().map_or(0, Vec::len)
}

impl Items {
    fn may_send(&self) -> bool {
        self.is_open && !self.waits && self.turns.len() < MOST && self.size < LARGEST
    }

    fn push(&mut self, turn: Turn) {
        self.size += turn.size();
        self.next += 1;
        self.turns.push_back(turn);
    }

    fn pop(&mut self) -> Option<Turn> {
        let turn = self.turns.pop_front()?;
        self.size -= turn.size();
        Some(turn)
    }
}

/// Whether nothing that a task brings can matter to the next one, but for what it registers and
/// whether it ended well.
fn leaves_the_next_alone(task: &Task, frame: &Frame) -> bool {
    let judges = frame.keyword(Some(task), Keyword::FailedWhen).is_some();
    let module = rplay_builtin::find(&task.action.name);
    !judges && !module.is_some_and(rplay_api::Entry::brings_facts)
}

/// With one of these, a task or item is tried more than once, watched while it runs, or runs by
/// itself.
const TRIED_OR_WATCHED: [Keyword; 6] = [
    Keyword::Async,
    Keyword::Debugger,
    Keyword::Delay,
    Keyword::Retries,
    Keyword::Timeout,
    Keyword::Until,
];

/// With one of these, a task is not the same on every host, or somewhere else.
const ELSEWHERE: [Keyword; 5] = [
    Keyword::CheckMode,
    Keyword::DelegateTo,
    Keyword::Diff,
    Keyword::RunOnce,
    Keyword::Throttle,
];
