//! Playbooks: plays, and the playbooks that they import.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_yaml::{Kind, Map, Node};

use crate::context::Context;
use crate::include::{read_keyword, resolve};
use crate::keyword::{Keyword, Keywords, Place, plain_text, unknown_keyword};
use crate::loader::{Loader, searched};
use crate::problems::Problems;
use crate::role_call::RoleCall;
use crate::role_path::clean;
use crate::task::{first_line, short};
use crate::types::{Item, Play};

/// A playbook on its way to plays.
struct Reading<'a> {
    loader: &'a Loader,
    path: PathBuf,
    /// Keywords of the imports around, outermost first.
    imports: Vec<Keywords>,
    /// The playbooks that import each other, outermost first.
    chain: Vec<PathBuf>,
}

impl Loader {
    pub(crate) fn read_playbook(&self, path: &Path, problems: &mut Problems) -> Vec<Play> {
        let reading = Reading {
            loader: self,
            path: path.to_owned(),
            imports: vec![],
            chain: vec![path.to_owned()],
        };
        reading.plays(problems)
    }
}

impl Reading<'_> {
    fn plays(&self, problems: &mut Problems) -> Vec<Play> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        self.loader.modules.enter(folder);
        let Some(root) = self.loader.yaml(&self.path, problems) else {
            return vec![];
        };
        let Some(entries) = root.as_seq() else {
            problems.push(no_list(&root));
            return vec![];
        };
        if entries.is_empty() {
            let error = Diagnostic::error("A playbook must contain at least one play");
            let error = error.at(&root.span);
            problems.push(error.help("begin a play with `- hosts: ...`"));
        }
        let mut plays = vec![];
        for entry in entries {
            let Some(map) = entry.as_map() else {
                problems.push(no_play(entry));
                continue;
            };
            match map
                .iter()
                .find(|(key, _)| short(&key.text) == "import_playbook")
            {
                Some((_, name)) => plays.extend(self.import(map, name, problems)),
                None => plays.extend(self.play(entry, map, problems)),
            }
        }
        plays
    }

    fn import(&self, map: &Map, name: &Node, problems: &mut Problems) -> Vec<Play> {
        let mut keywords = Keywords::default();
        for (key, value) in map {
            match Keyword::find(&key.text, Place::Block) {
                Some(keyword) => read_keyword(&mut keywords, keyword, value, problems),
                None if short(&key.text) == "import_playbook" => {}
                None => {
                    let words = format!("`{}` cannot stand beside `import_playbook`", key.text);
                    let error = Diagnostic::error(words).at(&key.span);
                    problems.push(error.help("it takes `name`, `tags`, `vars` and `when`"));
                }
            }
        }
        let mut context = Context::playbook(&self.path);
        let imports: Vec<_> = self.imports.iter().cloned().chain([keywords]).collect();
        for keywords in &imports {
            context = context.with_vars(keywords.get(Keyword::Vars).and_then(Node::as_map));
        }
        let Some(file) = self.imported_file(name, &context, problems) else {
            return vec![];
        };
        let mut chain = self.chain.clone();
        chain.push(file.clone());
        Reading {
            loader: self.loader,
            path: file,
            imports,
            chain,
        }
        .plays(problems)
    }

    fn imported_file(
        &self,
        name: &Node,
        context: &Context,
        problems: &mut Problems,
    ) -> Option<PathBuf> {
        if name.as_str().is_none() {
            let words = format!(
                "`import_playbook` takes a file's name, not {}",
                name.describe()
            );
            problems.push(Diagnostic::error(words).at(&name.span));
            return None;
        }
        let text = self.loader.early_text(name, context, problems)?;
        let mut places = vec![context.playbook_dir.join(&text)];
        places.extend(
            self.loader
                .collection_places(&text, "playbooks", context)
                .into_iter()
                .flat_map(|place| {
                    ["yml", "yaml"]
                        .map(|ending| PathBuf::from(format!("{}.{ending}", place.display())))
                }),
        );
        let Some(file) = places
            .iter()
            .find(|place| self.loader.sources.is_file(place))
        else {
            let error = Diagnostic::error(format!("the playbook `{text}` is not there"));
            problems.push(error.at(&name.span).help(searched(&places)));
            return None;
        };
        if self.chain.iter().any(|other| clean(other) == clean(file)) {
            let chain: Vec<_> = self
                .chain
                .iter()
                .chain([file])
                .map(|p| format!("`{}`", p.display()))
                .collect();
            let error = Diagnostic::error(format!("the playbook `{text}` imports itself"));
            problems.push(error.at(&name.span).help(chain.join(" -> ")));
            return None;
        }
        Some(file.clone())
    }

    fn play(&self, entry: &Node, map: &Map, problems: &mut Problems) -> Option<Play> {
        if let Some(stray) = self.stray_task(map) {
            problems.push(stray);
            return None;
        }
        let mut keywords = Keywords::default();
        let before = problems.count();
        for (key, value) in map {
            match Keyword::find(&key.text, Place::Play) {
                Some(keyword) => read_keyword(&mut keywords, keyword, value, problems),
                None if key.text == "user" => keywords.set(Keyword::RemoteUser, value.clone()),
                None => problems.push(unknown_keyword(key, Place::Play)),
            }
        }
        if let (Some((user, _)), Some(_)) = (map.get_key_value("user"), map.get("remote_user")) {
            let words = "both 'user' and 'remote_user' are set for this play.";
            let error = Diagnostic::error(words).at(&user.span);
            problems.push(error.help("`user` is the old name of `remote_user`"));
        }
        let hosts = keywords.get(Keyword::Hosts).cloned();
        if hosts.is_none() && (problems.count() == before || !map.contains_key("hosts")) {
            let at = map
                .get_key_value("hosts")
                .map_or_else(|| first_line(entry), |(k, _)| k.span.clone());
            let error = Diagnostic::error("a play needs `hosts`").at(&at);
            problems.push(error.help("say which: `hosts: all`"));
        }
        let context = self.context(&keywords);
        let mut section = |keyword: Keyword, place| match keywords.get(keyword) {
            Some(node) if node.as_seq().is_none() => {
                problems.push(no_section(keyword, node));
                vec![]
            }
            Some(node) => self.loader.items(node, place, &context, problems),
            None => vec![],
        };
        let pre_tasks = section(Keyword::PreTasks, Place::Task);
        let tasks = section(Keyword::Tasks, Place::Task);
        let post_tasks = section(Keyword::PostTasks, Place::Task);
        let handlers = section(Keyword::Handlers, Place::Handler);
        let roles = self.roles(&keywords, &context, problems);
        Some(Play {
            keywords,
            hosts: hosts?,
            pre_tasks,
            roles,
            tasks,
            post_tasks,
            handlers,
            dir: context.playbook_dir,
            file: self.path.clone(),
            imports: self.imports.clone(),
            span: entry.span.clone(),
        })
    }

    /// A task where a play should be: a file of tasks given as a playbook.
    fn stray_task(&self, map: &Map) -> Option<Diagnostic> {
        let play = ["hosts", "tasks", "roles", "pre_tasks", "post_tasks"];
        if play.iter().any(|word| map.contains_key(*word)) {
            return None;
        }
        let key = map.keys().find(|key| {
            key.text == "block" || resolve(&key.text, &*self.loader.modules).is_some()
        })?;
        let words = format!(
            "'{}' is not a valid attribute for a Play: it is a task",
            key.text
        );
        let error = Diagnostic::error(words).at(&key.span);
        Some(error.help("a playbook holds plays: put it under `tasks:` of a `- hosts: ...`"))
    }

    /// What is known before the run inside of a play.
    fn context(&self, keywords: &Keywords) -> Context {
        let mut context = Context::playbook(&self.path);
        context.collections = keywords.collections();
        context = context.with_vars(keywords.get(Keyword::Vars).and_then(Node::as_map));
        for file in keywords.list(Keyword::VarsFiles) {
            let first_found = file
                .as_seq()
                .map_or_else(|| vec![file], |files| files.iter().collect());
            let found = first_found
                .into_iter()
                .find_map(|file| self.vars_file(file, &context));
            context = context.with_vars(found.as_ref());
        }
        for keywords in &self.imports {
            context = context.with_vars(keywords.get(Keyword::Vars).and_then(Node::as_map));
        }
        context
    }

    /// A file of variables that is there already. What is wrong with one is said when it is used.
    fn vars_file(&self, file: &Node, context: &Context) -> Option<Map> {
        let text = file.as_str().filter(|text| !crate::is_template(text))?;
        let path = context.playbook_dir.join(text);
        let mut ignored = Problems::default();
        let there = self.loader.sources.is_file(&path);
        match there.then(|| self.loader.yaml(&path, &mut ignored))??.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    fn roles(&self, keywords: &Keywords, context: &Context, problems: &mut Problems) -> Vec<Item> {
        let Some(node) = keywords.get(Keyword::Roles) else {
            return vec![];
        };
        let Some(entries) = node.as_seq() else {
            let words = format!(
                "A malformed role declaration was encountered. `roles` is a list of roles, not {}",
                node.describe()
            );
            problems.push(
                Diagnostic::error(words)
                    .at(&first_line(node))
                    .help("begin each with `- `"),
            );
            return vec![];
        };
        let calls: Vec<_> = entries
            .iter()
            .filter_map(|entry| RoleCall::parse(entry, problems))
            .collect();
        let blocks = calls
            .iter()
            .filter_map(|call| self.loader.role(call, context, problems));
        blocks.map(|block| Item::Block(Arc::new(block))).collect()
    }
}

/// A part of a play that holds no list of tasks.
fn no_section(keyword: Keyword, node: &Node) -> Diagnostic {
    let what = match &node.kind {
        Kind::Map(_) => node.describe().to_owned(),
        _ => plain_text(node),
    };
    let words = format!(
        "A malformed block was encountered while loading {}: {what} should be a list or None",
        keyword.word(),
    );
    let error = Diagnostic::error(words).at(&first_line(node));
    error.help("begin each task with `- `")
}

fn no_list(root: &Node) -> Diagnostic {
    let words = format!("a playbook is a list of plays, not {}", root.describe());
    let error = Diagnostic::error(words).at(&first_line(root));
    if root.get("hosts").is_some() {
        return error.help("begin the play with `- `: `- hosts: ...`");
    }
    error.help("begin a play with `- hosts: ...`")
}

fn no_play(entry: &Node) -> Diagnostic {
    let error = Diagnostic::error(format!("a play is a mapping, not {}", entry.describe()));
    let error = error.at(&first_line(entry));
    match entry.as_str().and_then(|text| text.split_once(':')) {
        Some((word, rest)) if !rest.is_empty() => error.help(format!(
            "a space is missing after the colon: `{word}: {}`",
            rest.trim()
        )),
        _ => error.help("begin a play with `- hosts: ...`"),
    }
}
