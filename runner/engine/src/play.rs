//! A play: its hosts, its batches, its sections.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Source, Span};
use rplay_event::Event;
use rplay_playbook::{Item, Keyword, Play, Task};
use rplay_template::{Value, Vars};
use rplay_vars::{Layer, Level, Scope};
use rplay_yaml::{Kind, Map, Node};

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::options::Gathering;
use crate::play_context::PlayContext;
use crate::run::Run;
use crate::text;

impl Run {
    /// Runs a play on its hosts, batch after batch.
    ///
    /// # Errors
    /// A play that cannot begin: its `hosts` or variables are wrong.
    pub(crate) async fn play(self: &Arc<Self>, play: Play) -> Result<(), Diagnostic> {
        let play = Arc::new(play);
        let base = self.play_scope(&play, Scope::default())?;
        let answers = self.prompts(&play, &base)?;
        let hosts = self.hosts_of(&play, &base)?;
        let name = self.play_name(&play, &base);
        if hosts.is_empty() {
            self.emit(Event::PlayStarted {
                name,
                hosts: vec![],
                free: false,
                check: self.options.check,
            });
            self.emit(Event::NoHosts {
                why: "no hosts matched".to_owned(),
            });
            return Ok(());
        }
        for host in &hosts {
            if host.standing() == Standing::Ended {
                host.set_standing(Standing::Active);
            }
        }
        let started = |batch: &[Arc<HostRun>]| {
            self.emit(Event::PlayStarted {
                name: name.clone(),
                hosts: batch.iter().map(|h| h.name.clone()).collect(),
                free: self.is_free(&play),
                check: play
                    .keywords
                    .get(Keyword::CheckMode)
                    .map_or(self.options.check, |node| {
                        text::boolean(&self.templar, node, &base).unwrap_or(self.options.check)
                    }),
            });
        };
        let batches = self.batches(&play, &base, hosts.clone())?;
        batches.first().into_iter().for_each(|first| started(first));
        let layers = self.play_layers(&play, answers)?;
        let mut tagged = Play::clone(&play);
        self.render_tags(&mut tagged, &layers)?;
        let play = Arc::new(tagged);
        for (number, batch) in batches.into_iter().enumerate() {
            if number > 0 {
                started(&batch);
            }
            let lost_before = lost(&batch);
            let private = self.options.defaults.private_role_vars;
            let all = hosts.clone();
            let context = PlayContext::new(play.clone(), batch, all, layers.clone(), private);
            let context = Arc::new(context);
            self.batch(&context).await;
            let all_lost = lost(&context.batch) == context.batch.len();
            if self.is_halted()
                || context.is_stopped()
                || (all_lost && lost_before < context.batch.len())
            {
                break;
            }
        }
        Ok(())
    }

    /// The names that a play's own settings may use: `-e` and the play's `vars`.
    fn play_scope(&self, play: &Play, scope: Scope) -> Result<Arc<dyn Vars>, Diagnostic> {
        let mut scope = scope;
        for map in own_vars(play) {
            scope.add(Level::Play, Layer::Nodes(Arc::new(map.clone())));
        }
        for extra in self.store.extra() {
            scope.add(Level::Extra, Layer::Nodes(extra.clone()));
        }
        Ok(Arc::new(scope))
    }

    fn play_name(&self, play: &Play, vars: &Arc<dyn Vars>) -> String {
        let node = Node {
            span: play.span.clone(),
            kind: Kind::Str(play.name()),
        };
        text::string(&self.templar, &node, vars).unwrap_or_else(|_| play.name())
    }

    fn hosts_of(&self, play: &Play, vars: &Arc<dyn Vars>) -> Result<Vec<Arc<HostRun>>, Diagnostic> {
        let pattern = text::words(&self.templar, &play.hosts, vars)?.join(",");
        let inventory = self.store.inventory();
        let chosen = match rplay_inventory::select(&inventory, &pattern) {
            Ok(chosen) => chosen,
            Err((words, near)) => {
                // As in Ansible, a pattern of nothing is a warning; the play has no hosts.
                let mut warning = Diagnostic::warning(words).at(&play.hosts.span);
                if let Some(near) = near {
                    warning = warning.help(format!("did you mean `{near}`?"));
                }
                self.warn(&warning);
                vec![]
            }
        };
        let limit: Option<HashSet<_>> = self.limit.as_ref().map(|l| l.iter().collect());
        let limited: Vec<&Arc<str>> = chosen
            .iter()
            .filter(|name| limit.as_ref().is_none_or(|limit| limit.contains(name)))
            .collect();
        if let Some(fault) = limited.iter().find_map(|name| self.store.fault(name)) {
            return Err(fault);
        }
        let mut hosts: Vec<Arc<HostRun>> =
            limited.into_iter().map(|name| self.host(name)).collect();
        let order = play.keywords.get(Keyword::Order);
        let order = order.map(|node| text::string(&self.templar, node, vars));
        match order.transpose()?.as_deref().unwrap_or("inventory") {
            "sorted" => hosts.sort_by(|a, b| a.name.cmp(&b.name)),
            "reverse_sorted" => hosts.sort_by(|a, b| b.name.cmp(&a.name)),
            "reverse_inventory" => hosts.reverse(),
            "shuffle" => self.shuffle(&mut hosts, &play.hosts.span)?,
            _ => {}
        }
        hosts.retain(|h| !h.is_lost());
        Ok(hosts)
    }

    fn shuffle(&self, hosts: &mut [Arc<HostRun>], span: &Span) -> Result<(), Diagnostic> {
        let numbers: Vec<Value> = (0..hosts.len()).map(Value::from).collect();
        let given = IndexMap::from([("numbers".to_owned(), Value::from(numbers))]);
        let vars: Arc<dyn Vars> = Arc::new(Scope::default().with_values(Level::Task, given));
        let order = self.templar.expression("numbers | shuffle", span, &vars)?;
        let order: Vec<usize> = order
            .try_iter()
            .into_iter()
            .flatten()
            .filter_map(|n| usize::try_from(n).ok())
            .collect();
        let before = hosts.to_vec();
        for (place, from) in hosts.iter_mut().zip(order) {
            *place = before[from].clone();
        }
        Ok(())
    }

    /// The play's own variables and those of its files.
    pub(crate) fn play_layers(
        &self,
        play: &Play,
        answers: IndexMap<String, Value>,
    ) -> Result<Vec<(Level, Layer)>, Diagnostic> {
        let mut layers: Vec<(Level, Layer)> = vec![];
        for map in own_vars(play) {
            layers.push((Level::Play, Layer::Nodes(Arc::new(map.clone()))));
        }
        if !answers.is_empty() {
            let layer = Layer::Values(Arc::new(answers));
            layers.push((Level::Prompt, layer));
        }
        let files = self.fixed_vars_files(play)?;
        layers.extend(files.into_iter().map(|layer| (Level::PlayFiles, layer)));
        Ok(layers)
    }

    /// A file of variables, opened where it is a vault.
    pub(crate) fn read_vars(&self, path: &std::path::Path) -> Result<Map, Diagnostic> {
        mapping(self.read_yaml(path)?)
    }

    /// As [`Self::read_vars`]; a list of mappings counts as one.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn read_vars_file(&self, path: &std::path::Path) -> Result<Map, Diagnostic> {
        let root = self.read_yaml(path)?;
        let Kind::Seq(items) = root.kind else {
            return mapping(root);
        };
        let maps: Result<Vec<Map>, Diagnostic> = items.into_iter().map(mapping).collect();
        Ok(maps?.into_iter().flatten().collect())
    }

    fn read_yaml(&self, path: &std::path::Path) -> Result<Node, Diagnostic> {
        let text = self
            .templar
            .read_file(path)
            .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
        let source = Source::of_file(path, text);
        Ok(rplay_yaml::load(&source)?.root(&source))
    }

    /// `serial`: numbers, shares, and lists of them.
    fn batches(
        &self,
        play: &Play,
        vars: &Arc<dyn Vars>,
        hosts: Vec<Arc<HostRun>>,
    ) -> Result<Vec<Vec<Arc<HostRun>>>, Diagnostic> {
        let sizes: Vec<String> = match play.keywords.get(Keyword::Serial) {
            None => return Ok(vec![hosts]),
            Some(node)
                if self
                    .templar
                    .render(node, vars)
                    .is_ok_and(|v| rplay_template::is_omit(&v)) =>
            {
                return Ok(vec![hosts]);
            }
            Some(node) => text::words(&self.templar, node, vars)?,
        };
        let total = hosts.len();
        let size = |word: &str| -> Option<usize> {
            match word.strip_suffix('%') {
                Some(share) => Some((total * share.trim().parse::<usize>().ok()? / 100).max(1)),
                None => word
                    .parse()
                    .ok()
                    .map(|n: usize| if n == 0 { total } else { n }),
            }
        };
        let mut rest = hosts.into_iter().peekable();
        let mut batches = vec![];
        let mut next = sizes.iter();
        let mut last = sizes.last().cloned().unwrap_or_default();
        while rest.peek().is_some() {
            let word = next.next().cloned().unwrap_or_else(|| last.clone());
            let Some(n) = size(&word) else {
                let words = format!("`{word}` is no number or share of hosts");
                let span = play
                    .keywords
                    .get(Keyword::Serial)
                    .map_or(&play.span, |n| &n.span);
                return Err(Diagnostic::error(words).at(span));
            };
            last = word;
            batches.push(rest.by_ref().take(n).collect());
        }
        Ok(batches)
    }

    async fn batch(self: &Arc<Self>, context: &Arc<PlayContext>) {
        let frame = Frame::of_play(context);
        let play = &context.play;
        let hosts = &context.batch;
        for host in hosts {
            host.state().notified.clear();
            host.state().called.clear();
            host.state().in_doubt.clear();
        }
        for items in [&play.roles, &play.pre_tasks, &play.tasks, &play.post_tasks] {
            context.know_roles(items, &frame);
        }
        context.handlers().add(&play.handlers, &frame);
        self.doubt_vars_files(context, &frame);
        self.gather(context, &frame).await;
        let free = self.is_free(play);
        let sections = [
            play.pre_tasks.iter().collect::<Vec<_>>(),
            play.roles.iter().chain(&play.tasks).collect(),
            play.post_tasks.iter().collect(),
        ];
        for section in sections {
            let items: Vec<Item> = section.into_iter().cloned().collect();
            if free {
                self.items_free(&items, hosts, &frame).await;
            } else {
                self.items(&items, hosts, &frame, false).await;
            }
            self.flush_handlers(context).await;
        }
    }

    /// Tells once what is wrong with the files of variables of the batch's hosts.
    fn doubt_vars_files(&self, context: &PlayContext, frame: &Frame) {
        let mut told: Vec<Diagnostic> = vec![];
        for host in &context.batch {
            let scope = self.scope(&host.name, None, frame);
            let (_, wrong) = self.add_vars_files(&context.play, &context.vars_files, scope);
            for mut diagnostic in wrong {
                diagnostic.severity = rplay_diag::Severity::Warning;
                if !told.contains(&diagnostic) {
                    self.warn(&diagnostic);
                    told.push(diagnostic);
                }
            }
        }
    }

    /// Whether each host goes at its own pace.
    fn is_free(&self, play: &Play) -> bool {
        let strategy = play.keywords.get(Keyword::Strategy).and_then(Node::as_str);
        let strategy = strategy.or(self.options.defaults.strategy.as_deref());
        let strategy = strategy.unwrap_or("linear");
        matches!(strategy.rsplit('.').next(), Some("free" | "host_pinned"))
    }

    /// Gathers facts, unless the play says no or they are known.
    async fn gather(self: &Arc<Self>, context: &Arc<PlayContext>, frame: &Frame) {
        let play = &context.play;
        let Some(hosts) = self.to_gather(context, frame) else {
            return;
        };
        if !self.options.tags.selects(&["always".to_owned()]) {
            return;
        }
        let mut args = Map::new();
        for (keyword, name) in [
            (Keyword::GatherSubset, "gather_subset"),
            (Keyword::GatherTimeout, "gather_timeout"),
            (Keyword::FactPath, "fact_path"),
        ] {
            if let Some(node) = play.keywords.get(keyword) {
                let key = rplay_yaml::Key {
                    text: name.to_owned(),
                    span: node.span.clone(),
                };
                args.insert(key, node.clone());
            }
        }
        let mut keywords = rplay_playbook::Keywords::default();
        let name = Node {
            span: play.span.clone(),
            kind: Kind::Str("Gathering Facts".to_owned()),
        };
        keywords.set(Keyword::Name, name);
        // Each host has facts of its own, whatever the play's tasks do once.
        let each = Node {
            span: play.span.clone(),
            kind: Kind::Bool(false),
        };
        keywords.set(Keyword::RunOnce, each);
        let task = Arc::new(Task {
            keywords,
            action: rplay_playbook::Action {
                name: "setup".to_owned(),
                written: "setup".to_owned(),
                span: play.hosts.span.clone(),
                args,
                text: None,
                templates: vec![],
                faults: vec![],
            },
            looped: None,
            file: play.file.clone(),
            span: play.span.clone(),
        });
        self.task(&task, &hosts, frame, false, vec![]).await;
    }

    /// The hosts that facts are gathered of; `None` where the play or the settings say no.
    fn to_gather(&self, context: &PlayContext, frame: &Frame) -> Option<Vec<Arc<HostRun>>> {
        let first = context.batch.first()?;
        let said = context.play.keywords.get(Keyword::GatherFacts);
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&first.name, None, frame));
        let said = said.map(|node| text::boolean(&self.templar, node, &vars).unwrap_or(true));
        let all = context.batch.iter();
        match (said, self.options.defaults.gathering) {
            (Some(false), _) | (None, Gathering::Explicit) => None,
            (Some(true), _) | (None, Gathering::Implicit) => Some(all.cloned().collect()),
            (None, Gathering::Smart) => Some(
                all.filter(|host| !self.store.has_facts(&host.name))
                    .cloned()
                    .collect(),
            ),
        }
    }
}

fn lost(hosts: &[Arc<HostRun>]) -> usize {
    hosts.iter().filter(|h| h.is_lost()).count()
}

/// `vars` of the play and of the imports that brought it in.
fn own_vars(play: &Play) -> impl Iterator<Item = &Map> {
    let imports = play
        .imports
        .iter()
        .filter_map(|k| k.get(Keyword::Vars)?.as_map());
    let own = play.keywords.get(Keyword::Vars).and_then(Node::as_map);
    imports.chain(own)
}

fn mapping(node: Node) -> Result<Map, Diagnostic> {
    match node.kind {
        Kind::Map(map) => Ok(map),
        Kind::Null => Ok(Map::new()),
        _ => Err(Diagnostic::error("a file of variables is a mapping").at(&node.span)),
    }
}
