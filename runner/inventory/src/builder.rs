//! Takes what one source says into the inventory: names are checked here, and so are circles.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexSet;
use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Key, Map, Node};

use crate::model::{Host, Inventory};
use crate::range;

/// What is done with a group's name that is no name of a variable, such as `web-servers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// It stays, with a warning.
    #[default]
    Warn,
    /// It stays.
    Ignore,
    /// Its odd characters become `_`, with a warning.
    Replace,
    /// Its odd characters become `_`.
    ReplaceSilently,
}

/// What is odd about the sources, beside their mistakes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub warnings: Vec<Diagnostic>,
    /// Groups whose names are no names of variables.
    pub odd_groups: IndexSet<String>,
}

/// An inventory that one source is read into.
pub(crate) struct Builder<'a> {
    pub inventory: &'a mut Inventory,
    pub path: &'a Path,
    pub naming: Naming,
    pub notes: &'a mut Notes,
}

impl Builder<'_> {
    /// Makes a group where it is new; gives the name that it has.
    pub(crate) fn group(&mut self, name: &str) -> String {
        let name = self.named(name);
        self.inventory.group_mut(&name);
        name
    }

    /// The name that a group gets.
    pub(crate) fn named(&mut self, name: &str) -> String {
        if is_name(name) {
            return name.to_owned();
        }
        if matches!(self.naming, Naming::Warn | Naming::Replace) {
            self.notes.odd_groups.insert(name.to_owned());
        }
        match self.naming {
            Naming::Warn | Naming::Ignore => name.to_owned(),
            Naming::Replace | Naming::ReplaceSilently => as_name(name),
        }
    }

    /// Puts a group below another.
    ///
    /// # Errors
    /// The circle that this would close.
    pub(crate) fn child(
        &mut self,
        parent: &str,
        child: &str,
        span: &Span,
    ) -> Result<(), Diagnostic> {
        if let Some(circle) = self.inventory.circle(parent, child) {
            let words = format!(
                "adding group `{child}` as child to `{parent}` creates a recursive dependency loop: {}",
                circle.join(" > ")
            );
            return Err(Diagnostic::error(words)
                .at(span)
                .help("a group cannot be below itself: take one of these children away"));
        }
        self.inventory
            .group_mut(parent)
            .children
            .insert(child.into());
        Ok(())
    }

    /// Puts a host into a group.
    pub(crate) fn host(&mut self, name: &str, group: &str) -> &mut Host {
        let entry = self.inventory.host_mut(name, group);
        entry.source.get_or_insert_with(|| self.path.to_owned());
        entry
    }

    /// Puts the hosts that a pattern names into a group, with the variables that they share.
    ///
    /// # Errors
    /// A range that is none.
    pub(crate) fn hosts(
        &mut self,
        pattern: &str,
        group: &str,
        vars: Map,
        span: &Span,
    ) -> Result<(), Diagnostic> {
        self.check(&vars);
        let vars = (!vars.is_empty()).then(|| Arc::new(vars));
        let names = range::expand(pattern).map_err(|why| Diagnostic::error(why).at(span))?;
        for name in names {
            self.host(&name, group).vars.extend(vars.clone());
        }
        Ok(())
    }

    /// Gives a host variables.
    pub(crate) fn host_vars(&mut self, host: &str, vars: Map) {
        self.check(&vars);
        if let Some(entry) = self.inventory.hosts.get_mut(host) {
            entry.vars.push(Arc::new(vars));
        }
    }

    /// Gives a group variables.
    pub(crate) fn group_vars(&mut self, group: &str, vars: Map) {
        self.check(&vars);
        self.inventory.group_mut(group).vars.push(Arc::new(vars));
    }

    /// Gives a group one variable more, over what it has.
    pub(crate) fn set_group_var(&mut self, group: &str, name: Key, value: Node) {
        match self.inventory.group_mut(group).vars.last_mut() {
            Some(layer) => drop(Arc::make_mut(layer).insert(name, value)),
            None => self.group_vars(group, Map::from_iter([(name, value)])),
        }
    }

    /// Warns of variables that no expression can name.
    fn check(&mut self, vars: &Map) {
        let odd = vars.keys().filter(|key| !is_identifier(&key.text));
        self.notes.warnings.extend(odd.map(|key| {
            Diagnostic::warning(format!("variable with invalid name `{}`", key.text))
                .at(&key.span)
                .help("a name has letters, digits and underscores, and begins with no digit")
        }));
    }
}

/// Whether a group of that name can be told from arithmetic in a pattern.
fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_numeric()) && name.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether an expression can name the variable.
fn is_identifier(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(plain)
}

/// A name with `_` for each character that is odd in it.
pub(crate) fn as_name(name: &str) -> String {
    let odd = |(at, c): (usize, char)| match (at == 0 && c.is_numeric()) || !is_word(c) {
        true => '_',
        false => c,
    };
    name.chars().enumerate().map(odd).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_characters_of_a_name_become_underscores() {
        assert_eq!(as_name("web-servers.eu"), "web_servers_eu");
        assert_eq!(as_name("1st"), "_st");
        assert!(is_name("caf\u{e9}") && !is_name("a-b") && !is_name("1a"));
        assert!(is_identifier("_a1") && !is_identifier("caf\u{e9}") && !is_identifier(""));
    }
}
