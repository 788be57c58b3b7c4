//! `--list-hosts`, `--list-tasks`, `--list-tags`: what a playbook would do, without doing it.

use std::collections::HashSet;

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_inventory::select;
use rplay_playbook::{Block, Item, Origin, Play, Role};

use crate::run::Run;

/// What to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing {
    /// The hosts.
    pub hosts: bool,
    /// The tasks.
    pub tasks: bool,
    /// The tags.
    pub tags: bool,
}

impl Run {
    /// The list of a playbook's plays as text.
    ///
    /// # Errors
    /// A play's variables or tags are wrong.
    pub fn list(
        &self,
        playbook: &str,
        plays: Vec<Play>,
        wanted: Listing,
    ) -> Result<String, Diagnostic> {
        let mut out = format!("\nplaybook: {playbook}\n");
        for (index, mut play) in plays.into_iter().enumerate() {
            let layers = self.play_layers(&play, IndexMap::new())?;
            self.render_tags(&mut play, &layers)?;
            self.list_play(&play, index + 1, wanted, &mut out);
        }
        Ok(out)
    }

    fn list_play(&self, play: &Play, number: usize, wanted: Listing, out: &mut String) {
        let pattern = pattern_of(play);
        let name = play.name();
        let tags = play.keywords.tags();
        let shown = tags.join(", ");
        out.push_str(&format!(
            "\n  play #{number} ({pattern}): {name}\tTAGS: [{shown}]\n"
        ));
        if wanted.hosts {
            let inventory = self.store.inventory();
            let mut hosts = select(&inventory, &pattern).unwrap_or_default();
            let limit: Option<HashSet<_>> = self.limit.as_ref().map(|l| l.iter().collect());
            hosts.retain(|h| limit.as_ref().is_none_or(|l| l.contains(h)));
            let (quoted, count) = (quoted(play), hosts.len());
            out.push_str(&format!("    pattern: [{quoted}]\n    hosts ({count}):\n"));
            hosts
                .iter()
                .for_each(|h| out.push_str(&format!("      {h}\n")));
        }
        let mut rows = vec![];
        for items in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
            collect(items, &tags, None, &mut rows);
        }
        rows.retain(|(_, tags)| self.options.tags.selects(tags));
        if wanted.tasks {
            out.push_str("    tasks:\n");
            for (name, tags) in &rows {
                out.push_str(&format!("      {name}\tTAGS: [{}]\n", tags.join(", ")));
            }
        }
        if wanted.tags {
            let mut all: Vec<&str> = rows
                .iter()
                .flat_map(|(_, t)| t)
                .map(String::as_str)
                .collect();
            all.sort_unstable();
            all.dedup();
            out.push_str(&format!("      TASK TAGS: [{}]\n", all.join(", ")));
        }
    }
}

/// Each task's name and tags.
fn collect(
    items: &[Item],
    above: &[String],
    role: Option<&Role>,
    rows: &mut Vec<(String, Vec<String>)>,
) {
    let joined = |own: Vec<String>| {
        let mut tags = [above.to_vec(), own].concat();
        tags.sort();
        tags.dedup();
        tags
    };
    for item in items {
        match item {
            Item::Task(task) => {
                let name = task.name().and_then(|n| n.as_str());
                let shown = match (name, role) {
                    (Some(name), Some(role)) if task.action.name != "include_role" => {
                        format!("{} : {name}", role.full_name())
                    }
                    (name, _) => name.unwrap_or(&task.action.written).to_owned(),
                };
                rows.push((shown, joined(task.keywords.tags())));
            }
            Item::Block(block) => {
                let tags = joined(block.keywords.tags());
                // As Ansible lists them: what a block does where nothing goes wrong.
                collect(&block.items, &tags, role_of(block).or(role), rows);
            }
        }
    }
}

fn role_of(block: &Block) -> Option<&Role> {
    match &block.origin {
        Origin::Role(role) => Some(role),
        _ => None,
    }
}

/// A play's pattern of hosts as a list of texts.
fn quoted(play: &Play) -> String {
    let items = match play.hosts.as_seq() {
        Some(items) => items.iter().filter_map(|n| n.as_str()).collect(),
        None => vec![play.hosts.as_str().unwrap_or_default()],
    };
    let items: Vec<String> = items.iter().map(|text| format!("'{text}'")).collect();
    items.join(", ")
}

/// A play's pattern of hosts, as written.
fn pattern_of(play: &Play) -> String {
    match play.hosts.as_seq() {
        Some(items) => items
            .iter()
            .filter_map(|n| n.as_str())
            .collect::<Vec<_>>()
            .join(","),
        None => play.hosts.as_str().unwrap_or_default().to_owned(),
    }
}
