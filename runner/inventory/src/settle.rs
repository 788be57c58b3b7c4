//! What is done when all sources are read: files of variables, and who is in no group.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::model::Inventory;
use crate::vars_files::VarsFiles;

/// Puts `group_vars` and `host_vars` over what the inventory itself says.
pub(crate) fn add_vars(files: &VarsFiles, inventory: &mut Inventory) {
    inventory.faults.extend_from_slice(&files.faults);
    for (name, group) in &mut inventory.groups {
        group.files.extend_from_slice(files.group(name));
    }
    for (name, host) in &mut inventory.hosts {
        host.files.extend_from_slice(files.host(name));
    }
}

/// Hosts that a group names are not ungrouped, and groups that no other holds are `all`'s.
pub(crate) fn settle(inventory: &mut Inventory) {
    let is_named = |group: &Arc<str>| !matches!(&**group, "all" | "ungrouped");
    let mut loose = vec![];
    let mut grouped = vec![];
    for (name, host) in &inventory.hosts {
        match host.groups.iter().any(is_named) {
            true if host.groups.contains("ungrouped") => grouped.push(name.clone()),
            true => {}
            false => loose.push(name.clone()),
        }
    }
    if !grouped.is_empty() {
        for host in &grouped {
            inventory.hosts[host].groups.shift_remove("ungrouped");
        }
        let grouped: IndexSet<Arc<str>> = grouped.into_iter().collect();
        let hosts = &mut inventory.group_mut("ungrouped").hosts;
        hosts.retain(|host| !grouped.contains(host));
    }
    for host in loose {
        inventory.host_mut(&host, "ungrouped");
    }
    let held: IndexSet<Arc<str>> = inventory
        .groups
        .values()
        .flat_map(|group| group.children.iter().cloned())
        .collect();
    let free: Vec<Arc<str>> = inventory
        .groups
        .keys()
        .filter(|name| &***name != "all" && !held.contains(*name))
        .cloned()
        .collect();
    inventory.group_mut("all").children.extend(free);
}
