//! Walks the steps of a play: tasks in lockstep over a set of hosts, blocks with rescue and always.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, join_all};
use rplay_playbook::{Block, Item, Origin, Task};

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::operator::Answer;
use crate::run::Run;

impl Run {
    /// Runs steps on hosts, one step after the other.
    pub(crate) fn items<'a>(
        self: &'a Arc<Self>,
        items: &'a [Item],
        hosts: &'a [Arc<HostRun>],
        frame: &'a Frame,
        handler: bool,
    ) -> BoxFuture<'a, ()> {
        async move {
            for (number, item) in items.iter().enumerate() {
                if self.is_halted() || !hosts.iter().any(|h| h.is_active()) {
                    return;
                }
                match item {
                    Item::Task(task) => {
                        let behind = &items[number + 1..];
                        self.step(task, behind, hosts, frame, handler).await;
                    }
                    Item::Block(block) => self.block(block, hosts, frame, handler).await,
                }
            }
        }
        .boxed()
    }

    /// As [`Run::items`], each host at its own pace (`strategy: free`).
    pub(crate) async fn items_free(
        self: &Arc<Self>,
        items: &[Item],
        hosts: &[Arc<HostRun>],
        frame: &Frame,
    ) {
        let alone = hosts.iter().map(|host| async move {
            self.items(items, std::slice::from_ref(host), frame, false)
                .await;
        });
        join_all(alone).await;
    }

    async fn step(
        self: &Arc<Self>,
        task: &Arc<Task>,
        behind: &[Item],
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
    ) {
        // What was notified runs, whatever the tags say: a restart that is left out is lost.
        let selected = handler || self.options.tags.selects(&frame.tags(Some(task)));
        if !selected || !self.has_started(task) {
            return;
        }
        if !self.is_wanted(task) {
            return;
        }
        match task.action.name.as_str() {
            "meta" => self.meta(task, hosts, frame, handler).await,
            "include_tasks" | "include_role" => self.include(task, hosts, frame, handler).await,
            _ => {
                let upcoming = self.upcoming(task, behind, hosts, frame, handler);
                self.task(task, hosts, frame, handler, upcoming).await;
            }
        }
    }

    /// Whether the operator is asked before each task.
    pub(crate) fn is_stepping(&self) -> bool {
        self.stepping.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Whether `--step` lets a task run: the operator is asked, unless they said to go on.
    fn is_wanted(&self, task: &Task) -> bool {
        use std::sync::atomic::Ordering;
        if !self.stepping.load(Ordering::SeqCst) {
            return true;
        }
        let name = task
            .name()
            .and_then(|n| n.as_str())
            .unwrap_or(&task.action.name);
        match self.operator.step(name) {
            Answer::Yes => true,
            Answer::No => false,
            Answer::Continue => {
                self.stepping.store(false, Ordering::SeqCst);
                true
            }
        }
    }

    /// Whether `--start-at-task` is met: by this task, or before it.
    fn has_started(&self, task: &Task) -> bool {
        use std::sync::atomic::Ordering;
        if self.started.load(Ordering::SeqCst) {
            return true;
        }
        let name = task
            .name()
            .and_then(|n| n.as_str())
            .unwrap_or(&task.action.name);
        let met = self.options.start_at.as_deref().is_some_and(|wanted| {
            wanted == name || glob::Pattern::new(wanted).is_ok_and(|pattern| pattern.matches(name))
        });
        self.started.store(met, Ordering::SeqCst);
        met
    }

    async fn block(
        self: &Arc<Self>,
        block: &Arc<Block>,
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
    ) {
        let inner = frame.enter(block);
        if let Origin::Role(_) = &block.origin {
            frame
                .context
                .know_roles(&[Item::Block(block.clone())], frame);
        }
        let mut taking_part: Vec<Arc<HostRun>> =
            hosts.iter().filter(|h| h.is_active()).cloned().collect();
        if let Origin::Role(role) = &block.origin {
            taking_part = frame.context.role_hosts(role, taking_part);
        }
        let done_before: Vec<u64> = taking_part.iter().map(|h| h.done()).collect();
        self.items(&block.items, &taking_part, &inner, handler)
            .await;
        let mut failed = with_standing(&taking_part, Standing::Failed);
        if !block.rescue.is_empty() && !failed.is_empty() {
            failed.iter().for_each(|host| host.rescue());
            self.items(&block.rescue, &failed, &inner, handler).await;
            failed.retain(|h| h.standing() == Standing::Failed);
        }
        if !block.always.is_empty() {
            self.always(block, &taking_part, failed, &inner, handler)
                .await;
        }
        if let Origin::Role(role) = &block.origin {
            for host in with_standing(&taking_part, Standing::LeftRole) {
                host.set_standing(Standing::Active);
            }
            // One of which no task ran is not done: its conditions may hold the next time.
            let ran = taking_part.iter().zip(done_before);
            for (host, before) in ran.filter(|(host, _)| host.is_active()) {
                if host.done() > before {
                    frame.context.role_done(role, host);
                }
            }
        }
    }

    async fn always(
        self: &Arc<Self>,
        block: &Arc<Block>,
        taking_part: &[Arc<HostRun>],
        failed: Vec<Arc<HostRun>>,
        inner: &Frame,
        handler: bool,
    ) {
        // The failed hosts take part here too, and are as failed as before at its end.
        let around: Vec<bool> = failed
            .iter()
            .map(|host| {
                host.set_standing(Standing::Active);
                std::mem::replace(&mut host.state().fails_after, true)
            })
            .collect();
        self.items(&block.always, taking_part, inner, handler).await;
        for (host, around) in failed.iter().zip(around) {
            let fails = std::mem::replace(&mut host.state().fails_after, false);
            host.state().fails_after = fails && around;
            if fails && host.is_active() {
                host.set_standing(Standing::Failed);
            }
        }
    }
}

fn with_standing(hosts: &[Arc<HostRun>], standing: Standing) -> Vec<Arc<HostRun>> {
    hosts
        .iter()
        .filter(|h| h.standing() == standing)
        .cloned()
        .collect()
}
