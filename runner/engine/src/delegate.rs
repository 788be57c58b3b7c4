//! The host that a task is delegated to: whether it can be told, and what the task knows of it.

use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_playbook::Keyword;
use rplay_template::{Enumerator, Object, Value, Var, Vars, unknown};
use rplay_vars::{Level, Scope};
use rplay_yaml::Node;

use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

const DELEGATED: &str = "ansible_delegated_vars";

impl Run {
    /// The host that a task is delegated to.
    pub(crate) fn delegated_to(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Option<String> {
        let frame = &context.frame;
        let node = self.said(frame, Some(&context.task), Keyword::DelegateTo, vars)?;
        let name = self.delegate_of(node, vars).ok()?;
        (!name.is_empty()).then_some(name)
    }

    /// The host that a `delegate_to` names; what was chosen for a task stays, for it may have been
    /// chosen by chance.
    ///
    /// # Errors
    /// Its template is wrong.
    pub(crate) fn delegate_of(
        &self,
        node: &Node,
        vars: &Arc<dyn Vars>,
    ) -> Result<String, Diagnostic> {
        match chosen(vars) {
            Some(name) => Ok(name),
            None => text::string(&self.templar, node, vars),
        }
    }

    /// Whether the host that a task is delegated to can be told, which is asked before its
    /// conditions, as in Ansible.
    ///
    /// # Errors
    /// Its name is empty, or its template wrong.
    pub(crate) fn delegation(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<(), Diagnostic> {
        let task = Some(&*context.task);
        let Some(node) = self.said(&context.frame, task, Keyword::DelegateTo, vars) else {
            return Ok(());
        };
        let name = self.templar.render(node, vars)?;
        if unknown::origins(&name).is_some() || !text::plain(&name).is_empty() {
            return Ok(());
        }
        let written = node.as_str().unwrap_or_default();
        let words = format!("Empty hostname produced from delegate_to: {written:?}");
        Err(Diagnostic::error(words).at(&node.span))
    }

    /// With `ansible_delegated_vars`, and with how the other host is reached where the task's own
    /// does not say how it is.
    pub(crate) fn with_delegate(&self, context: &TaskContext, host: &str, scope: Scope) -> Scope {
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let Some(name) = self.delegated_to(context, &vars) else {
            return scope;
        };
        let all = self.templar.view(&vars).get_attr("hostvars");
        let its = all.and_then(|all| all.get_attr(&name)).unwrap_or_default();
        let delegate = Arc::new(Delegate {
            its,
            name: name.clone(),
            host: host.to_owned(),
        });
        let reached = ["ansible_host", "ansible_user", "ansible_port"].into_iter();
        let reached = reached.filter_map(|key| {
            let value = delegate.get_value(&Value::from(key))?;
            Some((key.to_owned(), value))
        });
        let reached: IndexMap<String, Value> = reached.collect();
        let delegated = Value::from_pairs([(name, Value::from_dyn_object(delegate))]);
        let delegated = IndexMap::from([(DELEGATED.to_owned(), delegated)]);
        scope
            .with_values(Level::Least, reached)
            .with_values(Level::Magic, delegated)
    }

    /// The host that a task runs on, and the variables that say how that is reached: where it is
    /// delegated those of the other host, which knows the task's as `inventory_hostname`, and the item of
    /// a loop.
    ///
    /// # Errors
    /// The name of the other host cannot be told.
    pub(crate) fn where_it_runs(
        &self,
        context: &TaskContext,
        host: &str,
        vars: &Arc<dyn Vars>,
    ) -> Result<(String, Arc<dyn Vars>), Diagnostic> {
        let (frame, task) = (&context.frame, Some(&*context.task));
        let Some(node) = self.said(frame, task, Keyword::DelegateTo, vars) else {
            return Ok((host.to_owned(), vars.clone()));
        };
        let name = self.delegate_of(node, vars)?;
        let own = IndexMap::from([("inventory_hostname".to_owned(), Value::from(host))]);
        let names = ["item".to_owned()].into_iter();
        let named = text::variable(&self.templar, vars, "ansible_loop_var");
        let item = names
            .chain(named)
            .filter_map(|name| match vars.get(&name)? {
                Var::Value(value) => Some((name, value)),
                Var::Raw(_) => None,
            });
        let scope = self
            .scope(&name, task, frame)
            .with_values(Level::Loop, item.collect())
            .with_values(Level::Magic, own);
        Ok((name, Arc::new(scope)))
    }
}

/// The host whose variables a task has been given.
fn chosen(vars: &Arc<dyn Vars>) -> Option<String> {
    let Var::Value(delegated) = vars.get(DELEGATED)? else {
        return None;
    };
    let name = delegated.try_iter().ok()?.next()?;
    name.as_str().map(str::to_owned)
}

/// What `ansible_delegated_vars` has of a host.
#[derive(Debug)]
struct Delegate {
    /// Its variables; undefined where the inventory does not have it.
    its: Value,
    name: String,
    /// The task's own.
    host: String,
}

impl Object for Delegate {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        if key == "inventory_hostname" {
            return Some(self.host.as_str().into());
        }
        let value = self
            .its
            .get_attr(key)
            .ok()
            .filter(|value| !value.is_undefined());
        value.or_else(|| (key == "ansible_host").then(|| self.name.as_str().into()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let its = self.its.try_iter().into_iter().flatten();
        let mut names: Vec<Value> = its.collect();
        for own in ["inventory_hostname", "ansible_host"] {
            let own = Value::from(own);
            if !names.contains(&own) {
                names.push(own);
            }
        }
        Enumerator::Values(names)
    }
}
