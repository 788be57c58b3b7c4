//! The variables of a task on a host.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indexmap::IndexMap;
use rplay_playbook::{Keyword, Task};
use rplay_template::Value;
use rplay_vars::{Layer, Level, Scope};
use rplay_yaml::{Key, Kind};

use crate::frame::Frame;
use crate::lookup_io::TaskIo;
use crate::options::{Connect, Escalate};
use crate::run::Run;

/// The release of ansible-core that playbooks are read as.
pub(crate) const CORE_VERSION: &str = "2.19.14";

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
        for (above, role) in roles.iter().enumerate() {
            let is_innermost = above + 1 == roles.len();
            for role in role.dependencies.iter().filter(|_| is_innermost) {
                scope.add(Level::RoleDefaults, Layer::Nodes(role.defaults.clone()));
                scope.add(Level::RoleVars, Layer::Nodes(role.vars.clone()));
            }
            scope.add(Level::RoleDefaults, Layer::Nodes(role.defaults.clone()));
            scope.add(Level::RoleVars, Layer::Nodes(role.vars.clone()));
            scope.add(Level::RoleParams, Layer::Nodes(role.params.clone()));
        }
        for params in frame.include_params() {
            scope.add(Level::IncludeParams, Layer::Nodes(params.clone()));
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
        scope.add(Level::Connection, self.reached.clone());
        scope.add(Level::Connection, connection_keywords(task, frame));
        let magic = frame.context.magic.get_or_init(|| self.play_magic(frame));
        scope.add(Level::Magic, magic.clone());
        scope.add(Level::Magic, frame.magic(magic_of_place));
        scope.add(Level::Magic, frame.context.role_names.layer());
        scope.add(Level::Magic, self.magic_now(frame));
        let file = task.map_or_else(|| frame.context.play.file.clone(), |t| t.file.clone());
        let scope = scope.with_io(Arc::new(TaskIo {
            frame: frame.clone(),
            file,
            kind: task.map_or("files", kind_of_files),
            store: self.store.clone(),
            options: self.options.clone(),
            templar: self.templar.clone(),
        }));
        let context = &frame.context;
        self.add_vars_files(&context.play, &context.vars_files, scope)
            .0
    }

    /// Magic variables that hold for a play's whole batch.
    fn play_magic(&self, frame: &Frame) -> Layer {
        let context = &frame.context;
        let options = &self.options;
        let dir = Value::from(absolute(&context.play.dir));
        let version = Value::from_pairs([
            ("full", Value::from(CORE_VERSION)),
            ("major", Value::from(2)),
            ("minor", Value::from(19)),
            ("revision", Value::from(14)),
            ("string", Value::from(CORE_VERSION)),
        ]);
        let run_tags = match options.tags.run.as_slice() {
            [] => list(["all"]),
            tags => list(tags.iter().map(String::as_str)),
        };
        let skip_tags = list(options.tags.skip.iter().map(String::as_str));
        let pairs = [
            (
                "ansible_play_hosts_all",
                list(context.all.iter().map(|h| h.name.as_str())),
            ),
            ("ansible_play_name", Value::from(context.play.name())),
            ("playbook_dir", dir.clone()),
            ("ansible_playbook_dir", dir),
            ("ansible_check_mode", Value::from(options.check)),
            ("ansible_diff_mode", Value::from(options.diff)),
            ("ansible_forks", Value::from(options.forks)),
            ("ansible_verbosity", Value::from(options.verbosity)),
            ("ansible_version", version),
            ("ansible_run_tags", run_tags),
            ("ansible_skip_tags", skip_tags),
            ("ansible_playbook_python", Value::from("/usr/bin/python3")),
            ("ansible_config_file", Value::from(())),
            ("ansible_inventory_sources", self.sources()),
        ];
        let magic: IndexMap<String, Value> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Layer::Values(Arc::new(magic))
    }

    /// Where the inventory was read from.
    fn sources(&self) -> Value {
        let inventory = self.store.inventory();
        let sources = inventory
            .sources
            .iter()
            .map(|path| Value::from(absolute(path)));
        sources.collect::<Vec<_>>().into()
    }

    /// Magic variables of this moment.
    fn magic_now(&self, frame: &Frame) -> Layer {
        let present = frame.context.present(self.moves.load(Ordering::SeqCst));
        Layer::Values(Arc::new(IndexMap::from([
            ("play_hosts".to_owned(), present.batch.clone()),
            ("ansible_play_batch".to_owned(), present.batch),
            ("ansible_play_hosts".to_owned(), present.play),
        ])))
    }
}

/// The folder of a role that has what a task takes: as in Ansible, by a part of the action's name.
fn kind_of_files(task: &Task) -> &'static str {
    match task.action.name.as_str() {
        name if name.contains("template") => "templates",
        name if name.contains("var") => "vars",
        _ => "files",
    }
}

/// How hosts are reached where nothing else is said, by the variables that would say it.
pub(crate) fn connection_options(options: &Connect, escalate: &Escalate) -> Layer {
    let kind = match options.kind.as_deref() {
        None | Some("smart") => "ssh",
        Some(kind) => kind,
    };
    let mut said = IndexMap::from([("ansible_connection".to_owned(), Value::from(kind))]);
    for name in ["ansible_user", "ansible_ssh_user"] {
        let user = options.user.as_deref().map(Value::from);
        said.extend(user.map(|user| (name.to_owned(), user)));
    }
    // What was asked for with `-k` and `-K`, under every name that playbooks know it by.
    let passwords = [
        ("ansible_password", &options.password),
        ("ansible_ssh_pass", &options.password),
        ("ansible_ssh_password", &options.password),
        ("ansible_become_password", &escalate.password),
        ("ansible_become_pass", &escalate.password),
    ];
    for (name, password) in passwords {
        let password = password.as_ref().map(|secret| Value::from(secret.expose()));
        said.extend(password.map(|password| (name.to_owned(), password)));
    }
    Layer::Values(Arc::new(said))
}

/// How a host is reached by the keywords of a task, by the variables that would say it.
fn connection_keywords(task: Option<&Task>, frame: &Frame) -> Layer {
    const NAMES: [(&str, Keyword); 3] = [
        ("ansible_connection", Keyword::Connection),
        ("ansible_user", Keyword::RemoteUser),
        ("ansible_ssh_user", Keyword::RemoteUser),
    ];
    let said = NAMES.iter().filter_map(|(name, keyword)| {
        let node = frame.said(task, *keyword).next()?;
        let text = (*name).to_owned();
        let span = node.span.clone();
        Some((Key { text, span }, node.clone()))
    });
    Layer::Nodes(Arc::new(said.collect()))
}

/// Magic variables of the place in a play: of the roles around.
fn magic_of_place(frame: &Frame) -> Layer {
    let names: Vec<Cow<'_, str>> = frame.roles().map(|role| role.full_name()).collect();
    let paths: Vec<String> = frame.roles().map(|r| absolute(&r.path)).collect();
    let dir = absolute(&frame.context.play.dir);
    let search = paths.iter().chain([&dir]);
    let mut magic = IndexMap::from([("ansible_search_path".to_owned(), list(search))]);
    if let (Some((name, parents)), Some((path, above))) = (names.split_first(), paths.split_first())
    {
        let role = frame.roles().next();
        let short = role.map(|role| Value::from(role.short_name()));
        magic.extend(short.map(|short| ("role_name".to_owned(), short)));
        let collection = role.and_then(|role| role.collection.as_deref());
        let collection = collection.map(Value::from);
        magic.extend(collection.map(|name| ("ansible_collection_name".to_owned(), name)));
        magic.insert("ansible_role_name".to_owned(), Value::from(&**name));
        magic.insert("role_path".to_owned(), Value::from(path.as_str()));
        // A role that another depends on is not called by it.
        let called = std::iter::zip(frame.roles(), frame.roles().skip(1))
            .take_while(|(role, outer)| {
                !outer
                    .dependencies
                    .iter()
                    .any(|needed| Arc::ptr_eq(needed, role))
            })
            .count();
        if called > 0 {
            let parents = list(&parents[..called]);
            magic.insert("ansible_parent_role_names".to_owned(), parents);
            let above = list(&above[..called]);
            magic.insert("ansible_parent_role_paths".to_owned(), above);
        }
    }
    Layer::Values(Arc::new(magic))
}

/// A list of texts as templates see it.
fn list<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Value {
    words
        .into_iter()
        .map(|word| Value::from(word.as_ref()))
        .collect::<Vec<_>>()
        .into()
}

/// A folder's whole path, where it is there; an empty one is the folder that we are in.
fn absolute(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}
