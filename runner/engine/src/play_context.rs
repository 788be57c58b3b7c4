//! What a play with one batch of its hosts shares: its roles, its handlers, who is there.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rplay_playbook::{Item, Origin, Play, Role};
use rplay_template::Value;
use rplay_vars::{Layer, Level};

use crate::frame::Frame;
use crate::handlers::{Handler, Handlers};
use crate::host_run::HostRun;
use crate::role_names::RoleNames;
use crate::vars_files;

/// A play with one batch of its hosts.
#[derive(Debug)]
pub(crate) struct PlayContext {
    pub play: Arc<Play>,
    /// The hosts of this batch.
    pub batch: Vec<Arc<HostRun>>,
    /// All the play's hosts.
    pub all: Vec<Arc<HostRun>>,
    /// Variables of the play: `vars`, `vars_files`.
    pub layers: Vec<(Level, Layer)>,
    /// Roles keep their variables to themselves (`private_role_vars`).
    private_roles: Option<bool>,
    /// The names of its roles.
    pub role_names: RoleNames,
    /// Roles whose variables the whole play sees.
    pub public_roles: Mutex<Vec<Arc<Role>>>,
    /// The roles that ran to their end, each with the host.
    roles_done: Mutex<HashSet<(String, String)>>,
    handlers: Mutex<Handlers>,
    /// Magic variables that hold for the whole batch.
    pub magic: OnceLock<Layer>,
    /// Files of variables that differ between hosts.
    pub vars_files: vars_files::Read,
    /// Magic variables outside of all blocks and roles.
    pub magic_of_place: OnceLock<Layer>,
    /// The hosts that are not lost, and the count of moves that the lists are of.
    present: Mutex<Option<(u64, Present)>>,
    stopped: AtomicBool,
}

/// The names of the hosts that are not lost.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    pub batch: Value,
    pub play: Value,
}

impl PlayContext {
    /// At its start; `private_roles` is what `private_role_vars` says.
    pub(crate) fn new(
        play: Arc<Play>,
        batch: Vec<Arc<HostRun>>,
        all: Vec<Arc<HostRun>>,
        layers: Vec<(Level, Layer)>,
        private_roles: Option<bool>,
    ) -> Self {
        Self {
            role_names: RoleNames::of(&play),
            play,
            batch,
            all,
            layers,
            private_roles,
            public_roles: Mutex::default(),
            roles_done: Mutex::default(),
            handlers: Mutex::default(),
            magic: OnceLock::new(),
            vars_files: vars_files::Read::default(),
            magic_of_place: OnceLock::new(),
            present: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// The names of the play's and of the batch's hosts that are not lost; listed anew only where
    /// a host's standing changed since `moves` were counted last.
    pub(crate) fn present(&self, moves: u64) -> Present {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((counted, names)) = present.as_ref()
            && *counted == moves
        {
            return names.clone();
        }
        let names = |hosts: &[Arc<HostRun>]| -> Value {
            let there = hosts.iter().filter(|h| !h.is_lost());
            let names: Vec<Value> = there.map(|h| Value::from(h.name.as_str())).collect();
            names.into()
        };
        let names = Present {
            batch: names(&self.batch),
            play: names(&self.all),
        };
        *present = Some((moves, names.clone()));
        names
    }

    /// The handlers known so far.
    pub(crate) fn handlers(&self) -> MutexGuard<'_, Handlers> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler of a number.
    pub(crate) fn handler(&self, number: usize) -> Option<Handler> {
        self.handlers().get(number).cloned()
    }

    /// No more tasks: an error was fatal.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// The hosts that a role has not run on yet, or that it runs on again.
    pub(crate) fn role_hosts(&self, role: &Role, hosts: Vec<Arc<HostRun>>) -> Vec<Arc<HostRun>> {
        if !role.once {
            return hosts;
        }
        let done = self
            .roles_done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = |host: &HostRun| (role.identity.clone(), host.name.clone());
        hosts
            .into_iter()
            .filter(|host| !done.contains(&key(host)))
            .collect()
    }

    /// A role has run to its end on a host.
    pub(crate) fn role_done(&self, role: &Role, host: &HostRun) {
        let mut done = self
            .roles_done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        done.insert((role.identity.clone(), host.name.clone()));
    }

    /// The handlers of roles that are imported can be notified from the play's start on, and their
    /// variables are the play's.
    pub(crate) fn know_roles(&self, items: &[Item], frame: &Frame) {
        for item in items {
            let Item::Block(block) = item else { continue };
            let inner = frame.enter(block);
            let below = match &block.origin {
                Origin::Role(role) => {
                    // What a role depends on comes before it, and what is in it behind.
                    let needed = block
                        .items
                        .iter()
                        .take_while(|item| role.depends_on(item))
                        .count();
                    let (needed, own) = block.items.split_at(needed);
                    self.know_roles(needed, &inner);
                    self.enter_role(role, &inner);
                    own
                }
                _ => &block.items,
            };
            for items in [below, &block.rescue, &block.always] {
                self.know_roles(items, &inner);
            }
        }
    }

    /// A role's handlers can be notified from now on.
    fn enter_role(&self, role: &Arc<Role>, frame: &Frame) {
        self.handlers().add(&role.handlers, frame);
        if role.public.is_so(self.private_roles) {
            let mut public = self
                .public_roles
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            for role in role.dependencies.iter().chain([role]) {
                if !public.iter().any(|known| Arc::ptr_eq(known, role)) {
                    public.push(role.clone());
                }
            }
        }
    }
}
