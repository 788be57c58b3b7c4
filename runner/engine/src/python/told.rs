//! What Ansible's library is told of a task: its words, its variables, and how its host is reached; and
//! of an inventory.

use std::sync::Arc;

use indexmap::IndexSet;
use rplay_diag::{Diagnostic, Span};
use rplay_inventory::{Inventory, Layer};
use rplay_playbook::{Keyword, is_template};
use rplay_template::{Templar, Var, Vars, is_omit, to_json, unknown};
use rplay_transport::{Become, Kind};
use rplay_vars::Scope;
use rplay_yaml::{Kind as Content, Node};
use serde_json::{Map, Value as Json, json};

use crate::connect::is_own;
use crate::host_run::HostRun;
use crate::library::PluginKind;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

/// The key of a text that is a template, so that nobody takes data for one.
const TEMPLATE: &str = "__rplay_template__";

/// What is made anew over there, or means nothing there.
const LEFT_OUT: [&str; 3] = ["hostvars", "vars", "omit"];

/// How the host of an action in Python is reached.
pub(crate) struct Way {
    /// The connection's name.
    pub connection: String,
    /// It is rplay's own, and not a plugin in Python.
    pub is_own: bool,
    /// The host: that of the task, or the one that it is delegated to.
    pub host: String,
    /// The variables that say how it is reached.
    pub vars: Arc<dyn Vars>,
    /// Whom it becomes there.
    pub become_: Option<Become>,
    /// What the task calls.
    pub action: String,
    /// The action in Python that runs it; none where it is a module that no action of its own runs.
    pub plugin: Option<String>,
}

impl Run {
    /// How a task's host is reached; none where nothing of it is in Python, its action neither.
    ///
    /// # Errors
    /// A keyword that cannot be rendered.
    pub(crate) fn way(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        name: &str,
        is_plugin: bool,
    ) -> Result<Option<Way>, Diagnostic> {
        let (frame, task) = (&context.frame, Some(&*context.task));
        let (host, vars) = self.where_it_runs(context, &host.name, vars)?;
        let connection = self.connection_name(&vars, task, frame)?;
        let is_own = is_own(&connection);
        let library = &self.options.library;
        let is_there = || {
            library
                .python_plugin(PluginKind::Connection, &connection)
                .is_some()
        };
        if !is_plugin && (is_own || !is_there()) {
            return Ok(None);
        }
        let connection = match connection
            .strip_prefix("ansible.builtin.")
            .unwrap_or(&connection)
        {
            "smart" | "paramiko" | "paramiko_ssh" => "ssh".to_owned(),
            named => named.to_owned(),
        };
        let kind = match connection.as_str() {
            "local" => Kind::Local,
            _ => Kind::Ssh,
        };
        let become_ = self.becomes(&kind, &vars, task, frame)?;
        let action = action_name(&context.task.action.written, name);
        Ok(Some(Way {
            plugin: library.action_of(action),
            action: action.to_owned(),
            is_own,
            connection,
            host,
            vars,
            become_,
        }))
    }

    /// The task as it is told.
    ///
    /// # Errors
    /// A keyword that cannot be rendered.
    pub(super) fn told_task(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        way: &Way,
        args: Map<String, Json>,
    ) -> Result<Json, Diagnostic> {
        let options = &self.options;
        let inventory = self.store.inventory();
        let hosts: Vec<&str> = inventory.hosts.keys().map(|name| &**name).collect();
        let is_delegated = way.host != host.name;
        let dir = std::path::Path::new(".").join(&context.frame.context.play.dir);
        Ok(json!({
            "task": self.words(context, host, vars, way, args)?,
            "play_context": self.play_context(context, way)?,
            "plugin": way.plugin,
            "connection": {"name": way.connection, "native": way.is_own},
            "vars": told_vars(&self.templar, vars),
            "reached": is_delegated.then(|| told_vars(&self.templar, &way.vars)),
            "hosts": hosts,
            "basedir": std::path::absolute(&dir).unwrap_or(dir),
            "collections": context.frame.collections(&context.task),
            "command_line": {
                "verbosity": options.verbosity,
                "check": options.check,
                "diff": options.diff,
                "forks": options.forks,
                "tags": [],
                "skip_tags": [],
            },
        }))
    }

    /// The task's name, arguments and keywords.
    fn words(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
        way: &Way,
        args: Map<String, Json>,
    ) -> Result<Json, Diagnostic> {
        let (task, frame) = (&context.task, &context.frame);
        let options = &self.options;
        let environment = self.environment(context, vars, &task.action.name)?;
        let environment: Map<String, Json> = environment
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let seconds = |keyword, default: f64| match task.keywords.get(keyword) {
            Some(node) => text::number(&self.templar, node, vars),
            None => Ok(default),
        };
        // Who waits for the end has it once the action is done.
        let (limit, poll) = (seconds(Keyword::Async, 0.0)?, seconds(Keyword::Poll, 15.0)?);
        let limit = if poll > 0.0 { 0.0 } else { limit };
        let name = task.name().map(|node| {
            let name = text::string(&self.templar, node, vars);
            name.unwrap_or_else(|_| node.as_str().unwrap_or_default().to_owned())
        });
        Ok(json!({
            "name": name,
            "action": way.action,
            "args": args,
            "check_mode": self.keyword_is(Keyword::CheckMode, host, context, options.check),
            "diff": self.keyword_is(Keyword::Diff, host, context, options.diff),
            "no_log": context.is_secret,
            "async_val": limit.round(),
            "poll": poll,
            "environment": [environment],
            "become": way.become_.is_some(),
            "become_user": way.become_.as_ref().map(|b| &b.user),
            "become_method": way.become_.as_ref().map(|b| b.method.word()),
            "become_flags": way.become_.as_ref().and_then(|b| b.flags.as_ref()).map(|f| f.join(" ")),
            "become_exe": way.become_.as_ref().and_then(|b| b.exe.as_ref()),
            "connection": way.connection,
            "remote_user": self.reached_as(context, way)?,
            "delegate_to": (way.host != host.name).then_some(&way.host),
            "run_once": frame.keyword(Some(task), Keyword::RunOnce).is_some(),
            "collections": context.frame.collections(&context.task),
        }))
    }

    /// What Ansible's plugins find in their `play_context`.
    fn play_context(&self, context: &TaskContext, way: &Way) -> Result<Json, Diagnostic> {
        let connect = &self.options.connect;
        let var = |names: &[&str]| {
            let mut found = names.iter();
            found.find_map(|name| text::variable(&self.templar, &way.vars, name))
        };
        let key = || {
            connect
                .private_key
                .as_ref()
                .map(|p| p.display().to_string())
        };
        let port = var(&["ansible_port", "ansible_ssh_port"]).and_then(|port| port.parse().ok());
        let password = || connect.password.as_ref().map(|p| p.expose().to_owned());
        let become_pass = way.become_.as_ref().and_then(|b| b.password.as_ref());
        Ok(json!({
            "remote_addr": var(&["ansible_host", "ansible_ssh_host"]).unwrap_or_else(|| way.host.clone()),
            "remote_user": self.reached_as(context, way)?,
            "port": port.or(connect.port),
            "password": var(&["ansible_password", "ansible_ssh_pass"]).or_else(password),
            "private_key_file": var(&["ansible_ssh_private_key_file", "ansible_private_key_file"]).or_else(key),
            "become_pass": become_pass.map(rplay_transport::Secret::expose),
            "timeout": connect.timeout.unwrap_or(10),
            "connection": way.connection,
            "shell": var(&["ansible_shell_type"]),
            "network_os": var(&["ansible_network_os"]),
            "executable": var(&["ansible_shell_executable"]).unwrap_or_else(|| "/bin/sh".to_owned()),
            "verbosity": self.options.verbosity,
        }))
    }

    /// The user that a host is reached as, where anything says it.
    fn reached_as(&self, context: &TaskContext, way: &Way) -> Result<Option<String>, Diagnostic> {
        let task = Some(&*context.task);
        let by_variable = ["ansible_user", "ansible_ssh_user"];
        let mut by_variable = by_variable.iter();
        if let Some(user) =
            by_variable.find_map(|name| text::variable(&self.templar, &way.vars, name))
        {
            return Ok(Some(user));
        }
        match self.said(&context.frame, task, Keyword::RemoteUser, &way.vars) {
            Some(node) => text::string(&self.templar, node, &way.vars).map(Some),
            None => Ok(self.options.connect.user.clone()),
        }
    }
}

/// All variables; what was written in a playbook is told as the template that it is.
pub(crate) fn told_vars(templar: &Templar, vars: &Arc<dyn Vars>) -> Json {
    let names = vars.names().into_iter();
    let names = names.filter(|name| !LEFT_OUT.contains(&name.as_str()));
    let told = names.filter_map(|name| {
        let value = match vars.get(&name)? {
            Var::Raw(node) => told_node(templar, &node, vars)?,
            Var::Value(value) if is_omit(&value) || unknown::origins(&value).is_some() => {
                return None;
            }
            Var::Value(value) => {
                let span = Span::synthetic(&name);
                let kind = text::content(&value, &span);
                told_node(templar, &Node { span, kind }, vars)?
            }
        };
        Some((name, value))
    });
    Json::Object(told.collect())
}

/// A value as it is written; a vault's text as what it says.
fn told_node(templar: &Templar, node: &Node, vars: &Arc<dyn Vars>) -> Option<Json> {
    let told = |node: &Node| told_node(templar, node, vars);
    Some(match &node.kind {
        Content::Str(words) if is_template(words) => json!({ TEMPLATE: words }),
        Content::Vault(_) => to_json(&templar.render(node, vars).ok()?).ok()?,
        Content::Seq(items) => items.iter().filter_map(told).collect(),
        Content::Map(map) => {
            let pairs = map.iter();
            let pairs = pairs.filter_map(|(k, v)| Some((k.text.clone(), told(v)?)));
            Json::Object(pairs.collect())
        }
        _ => text::plain_json(node),
    })
}

/// Hosts and groups with their own variables, as a plugin that adds to them is told.
pub(crate) fn told_inventory(templar: &Templar, inventory: &Inventory) -> Json {
    let nothing: Arc<dyn Vars> = Arc::new(Scope::default());
    let told_layers = |layers: &[Layer]| {
        let pairs = layers.iter().flat_map(|layer| layer.iter());
        let pairs = pairs.filter_map(|(name, node)| {
            Some((name.text.clone(), told_node(templar, node, &nothing)?))
        });
        Json::Object(pairs.collect())
    };
    let groups = inventory.groups.iter().map(|(name, group)| {
        let names = |names: &IndexSet<Arc<str>>| -> Json {
            names.iter().map(|name| Json::from(&**name)).collect()
        };
        let told = json!({
            "hosts": names(&group.hosts),
            "children": names(&group.children),
            "vars": told_layers(&group.vars),
        });
        (name.to_string(), told)
    });
    let hosts = inventory.hosts.iter();
    let hosts = hosts.map(|(name, host)| (name.to_string(), told_layers(&host.vars)));
    json!({
        "groups": Json::Object(groups.collect()),
        "hosts": Json::Object(hosts.collect()),
    })
}

/// The name that Ansible's loader is asked for: as it is written, unless a collection was found for
/// it.
pub(crate) fn action_name<'a>(written: &'a str, name: &'a str) -> &'a str {
    match name.contains('.') || is_template(written) {
        true => name,
        false => written,
    }
}
