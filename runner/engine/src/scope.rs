//! The variables of a task on a host.

use std::sync::Arc;

use indexmap::IndexMap;
use rplay_playbook::{Keyword, Task};
use rplay_template::Value;
use rplay_vars::{Layer, Level, Scope};
use rplay_yaml::Kind;

use crate::frame::Frame;
use crate::lookup_io::TaskIo;
use crate::run::Run;

impl Run {
    /// All variables that a task of this frame sees on `host`.
    pub(crate) fn scope(&self, host: &str, task: Option<&Task>, frame: &Frame) -> Scope {
        let mut scope = self.store.scope(host);
        for (level, layer) in &frame.context.layers {
            scope.add(*level, layer.clone());
        }
        let public = frame
            .context
            .public_roles
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for role in public.iter() {
            scope.add(Level::RoleDefaults, Layer::Nodes(role.defaults.clone()));
            scope.add(Level::RoleVars, Layer::Nodes(role.vars.clone()));
        }
        drop(public);
        let mut roles: Vec<_> = frame.roles().collect();
        roles.reverse();
        for role in &roles {
            scope.add(Level::RoleDefaults, Layer::Nodes(role.defaults.clone()));
            scope.add(Level::RoleVars, Layer::Nodes(role.vars.clone()));
            scope.add(Level::RoleParams, Layer::Nodes(role.params.clone()));
        }
        for vars in frame.block_vars() {
            scope.add(Level::Block, Layer::Nodes(Arc::new(vars.clone())));
        }
        if let Some(Kind::Map(vars)) = task
            .and_then(|t| t.keywords.get(Keyword::Vars))
            .map(|n| &n.kind)
        {
            scope.add(Level::Task, Layer::Nodes(Arc::new(vars.clone())));
        }
        scope.add(
            Level::Magic,
            Layer::Values(Arc::new(self.play_magic(frame))),
        );
        let file = task.map_or_else(|| frame.context.play.file.clone(), |t| t.file.clone());
        scope.with_io(Arc::new(TaskIo {
            frame: frame.clone(),
            file,
            store: self.store.clone(),
        }))
    }

    fn play_magic(&self, frame: &Frame) -> IndexMap<String, Value> {
        let context = &frame.context;
        let text = |s: String| Value::from(s);
        let absolute = |p: &std::path::Path| {
            let path = if p.as_os_str().is_empty() {
                std::path::Path::new(".")
            } else {
                p
            };
            path.canonicalize()
                .unwrap_or_else(|_| path.to_owned())
                .display()
                .to_string()
        };
        let active: Vec<Value> = context
            .batch
            .iter()
            .filter(|h| h.is_active())
            .map(|h| Value::from(h.name.as_str()))
            .collect();
        let all: Vec<Value> = context
            .all
            .iter()
            .map(|n| Value::from(n.as_str()))
            .collect();
        let batch: Vec<Value> = context
            .batch
            .iter()
            .map(|h| Value::from(h.name.as_str()))
            .collect();
        let list = |words: &[String]| {
            Value::from(
                words
                    .iter()
                    .map(|w| Value::from(w.as_str()))
                    .collect::<Vec<_>>(),
            )
        };
        let version = Value::from_pairs([
            ("full", Value::from("2.19.14")),
            ("major", Value::from(2)),
            ("minor", Value::from(19)),
            ("revision", Value::from(14)),
            ("string", Value::from("2.19.14")),
        ]);
        let run_tags = match self.options.tags.run.as_slice() {
            [] => list(&["all".to_owned()]),
            tags => list(tags),
        };
        let mut magic = IndexMap::from([
            ("play_hosts".to_owned(), Value::from(active.clone())),
            ("ansible_play_hosts".to_owned(), Value::from(active)),
            ("ansible_play_hosts_all".to_owned(), Value::from(all)),
            ("ansible_play_batch".to_owned(), Value::from(batch)),
            ("ansible_play_name".to_owned(), text(context.play.name())),
            ("playbook_dir".to_owned(), text(absolute(&context.play.dir))),
            (
                "ansible_playbook_dir".to_owned(),
                text(absolute(&context.play.dir)),
            ),
            (
                "ansible_check_mode".to_owned(),
                Value::from(self.options.check),
            ),
            (
                "ansible_diff_mode".to_owned(),
                Value::from(self.options.diff),
            ),
            ("ansible_forks".to_owned(), Value::from(self.options.forks)),
            (
                "ansible_verbosity".to_owned(),
                Value::from(self.options.verbosity),
            ),
            ("ansible_version".to_owned(), version),
            ("ansible_run_tags".to_owned(), run_tags),
            (
                "ansible_skip_tags".to_owned(),
                list(&self.options.tags.skip),
            ),
        ]);
        let names: Vec<Value> = frame
            .roles()
            .map(|r| Value::from(r.name.as_str()))
            .collect();
        if let Some(role) = frame.roles().next() {
            magic.insert("role_name".to_owned(), Value::from(role.name.as_str()));
            magic.insert(
                "ansible_role_name".to_owned(),
                Value::from(role.name.as_str()),
            );
            magic.insert("role_path".to_owned(), text(absolute(&role.path)));
            magic.insert(
                "ansible_parent_role_names".to_owned(),
                Value::from(names[1..].to_vec()),
            );
        }
        magic
    }
}
