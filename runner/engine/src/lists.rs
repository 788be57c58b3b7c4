//! `--list-hosts`, `--list-tasks`, `--list-tags`: what a playbook would do, without doing it.

use std::collections::HashSet;

use rplay_inventory::{Inventory, select};
use rplay_playbook::{Block, Item, Origin, Play, Role};

use crate::tags::TagSelection;

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

/// The list as text.
pub fn list(
    playbook: &str,
    plays: &[Play],
    inventory: &Inventory,
    limit: Option<&[std::sync::Arc<str>]>,
    selection: &TagSelection,
    wanted: Listing,
) -> String {
    let mut out = format!("\nplaybook: {playbook}\n");
    for (index, play) in plays.iter().enumerate() {
        let pattern = pattern_of(play);
        let name = play.name();
        let tags = play.keywords.tags();
        out.push_str(&format!(
            "\n  play #{} ({pattern}): {name}\tTAGS: [{}]\n",
            index + 1,
            tags.join(", ")
        ));
        if wanted.hosts {
            let mut hosts = select(inventory, &pattern).unwrap_or_default();
            let limit: Option<HashSet<_>> = limit.map(|l| l.iter().collect());
            hosts.retain(|h| limit.as_ref().is_none_or(|l| l.contains(h)));
            out.push_str(&format!(
                "    pattern: [{}]\n    hosts ({}):\n",
                quoted(play),
                hosts.len()
            ));
            hosts
                .iter()
                .for_each(|h| out.push_str(&format!("      {h}\n")));
        }
        let mut rows = vec![];
        for items in [&play.pre_tasks, &play.roles, &play.tasks, &play.post_tasks] {
            collect(items, &tags, None, &mut rows);
        }
        rows.retain(|(_, tags)| selection.selects(tags));
        if wanted.tasks {
            out.push_str("    tasks:\n");
            for (name, tags) in &rows {
                out.push_str(&format!("      {name}\tTAGS: [{}]\n", tags.join(", ")));
            }
        }
        if wanted.tags {
            let mut all: Vec<&String> = rows.iter().flat_map(|(_, tags)| tags).collect();
            all.sort();
            all.dedup();
            let all: Vec<&str> = all.into_iter().map(String::as_str).collect();
            out.push_str(&format!("      TASK TAGS: [{}]\n", all.join(", ")));
        }
    }
    out
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
