//! `--graph`: groups, hosts and variables as a tree of lines.

use super::python;
use super::view::{Vars, View};

/// The tree below a group.
pub(crate) fn drawn(view: &View<'_>, group: &str, vars: bool) -> String {
    let mut graph = Graph {
        view,
        vars,
        out: String::new(),
    };
    graph.group(group, 0);
    graph.out
}

struct Graph<'a> {
    view: &'a View<'a>,
    vars: bool,
    out: String,
}

impl Graph<'_> {
    fn line(&mut self, text: &str, depth: usize) {
        if depth > 0 {
            self.out.push_str(&"  |".repeat(depth));
            self.out.push_str("--");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn group(&mut self, name: &str, depth: usize) {
        self.line(&format!("@{name}:"), depth);
        let view = self.view;
        let Some(group) = view.inventory.groups.get(name) else {
            return;
        };
        for child in &group.children {
            self.group(child, depth + 1);
        }
        if name != "all" {
            for host in &group.hosts {
                self.line(host, depth + 1);
                if self.vars {
                    self.vars(&view.vars_of(host), depth + 2);
                }
            }
        }
        if self.vars {
            self.vars(&view.group_vars(name, group), depth + 1);
        }
    }

    fn vars(&mut self, vars: &Vars<'_>, depth: usize) {
        let mut sorted: Vec<_> = vars.iter().collect();
        sorted.sort_by_key(|(name, _)| **name);
        for (name, (_, node)) in sorted {
            self.line(&format!("{{{name} = {}}}", python::text(node)), depth);
        }
    }
}
