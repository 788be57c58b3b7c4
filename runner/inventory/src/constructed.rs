//! `plugin: constructed`: variables and groups made from the variables that hosts have already.

use std::sync::Arc;

use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Kind, Map, Node};

use crate::builder::{Builder, as_name};
use crate::model::{Layer, Lineage};
use crate::plugin::{Around, flag, layer, list, mapping, text, wrong};
use crate::vars_files::VarsFiles;

/// Adds what the configuration describes to the inventory.
pub(crate) fn read(
    config: &Map,
    builder: &mut Builder<'_>,
    around: &Around<'_>,
) -> Result<(), Diagnostic> {
    let files = match flag(config, "use_vars_plugins", false)? {
        true => (around.files)()?,
        false => vec![],
    };
    let none = Map::new();
    let make = Make {
        around,
        files,
        strict: flag(config, "strict", false)?,
        use_extra: flag(config, "use_extra_vars", around.use_extra)?,
        leading: flag(config, "leading_separator", true)?,
        compose: mapping(config, "compose")?.unwrap_or(&none),
        groups: mapping(config, "groups")?.unwrap_or(&none),
        keyed: list(config, "keyed_groups")?
            .iter()
            .map(Keyed::of)
            .collect::<Result<_, _>>()?,
    };
    let hosts: Vec<Arc<str>> = builder.inventory.hosts.keys().cloned().collect();
    // What is made for one host never changes what holds for another.
    let known: Vec<Vec<Layer>> = {
        let lineage = Lineage::of(builder.inventory);
        let layers = hosts
            .iter()
            .map(|host| make.layers(builder, &lineage, host));
        layers.collect()
    };
    for (host, mut layers) in hosts.iter().zip(known) {
        make.host(builder, host, &mut layers)?;
    }
    Ok(())
}

/// One entry of `keyed_groups`.
struct Keyed<'a> {
    span: &'a Span,
    key: &'a Node,
    prefix: String,
    separator: String,
    parent: Option<&'a Node>,
    default: Option<String>,
    trailing: bool,
}

impl<'a> Keyed<'a> {
    fn of(node: &'a Node) -> Result<Self, Diagnostic> {
        let config = node
            .as_map()
            .ok_or_else(|| wrong("keyed_groups", node, "a list of mappings"))?;
        let key = config.get("key").ok_or_else(|| {
            Diagnostic::error("an entry of `keyed_groups` has no `key`").at(&node.span)
        })?;
        let there = |name: &str| config.get(name).filter(|n| n.kind != Kind::Null);
        if there("default_value").is_some() && there("trailing_separator").is_some() {
            let words = "parameters are mutually exclusive for keyed groups: default_value|trailing_separator";
            return Err(Diagnostic::error(words).at(&node.span));
        }
        Ok(Self {
            span: &node.span,
            key,
            prefix: there("prefix").map(text).unwrap_or_default(),
            separator: there("separator").map_or_else(|| "_".to_owned(), text),
            parent: there("parent_group"),
            default: there("default_value").map(text),
            trailing: flag(config, "trailing_separator", true)?,
        })
    }

    /// The parts of names after the prefix.
    fn parts(&self, key: &Node, strict: bool, host: &str) -> Result<Vec<String>, Diagnostic> {
        if is_nothing(key) && self.default.is_none() {
            let empty = matches!(&key.kind, Kind::Seq(_) | Kind::Map(_));
            if strict && !empty {
                let words = format!(
                    "No key or key resulted empty for {} in host {host}, invalid entry",
                    text(self.key)
                );
                return Err(Diagnostic::error(words).at(&self.key.span));
            }
            return Ok(vec![]);
        }
        let or_default = |node: &Node| match &self.default {
            Some(default) if node.kind == Kind::Null || text(node).is_empty() => default.clone(),
            _ => text(node),
        };
        Ok(match &key.kind {
            Kind::Null | Kind::Str(_) | Kind::Unsafe(_) | Kind::Vault(_) => {
                vec![or_default(key)]
            }
            Kind::Seq(items) => items.iter().map(or_default).collect(),
            Kind::Map(map) => map
                .iter()
                .map(|(name, value)| self.pair(&name.text, value))
                .collect(),
            _ => {
                let words = format!(
                    "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                    key.describe()
                );
                return Err(Diagnostic::error(words).at(&self.key.span));
            }
        })
    }

    fn pair(&self, name: &str, value: &Node) -> String {
        let empty = value.kind == Kind::Null || text(value).is_empty();
        let separator = &self.separator;
        match &self.default {
            Some(default) if empty => format!("{name}{separator}{default}"),
            None if empty && !self.trailing => name.to_owned(),
            _ if value.kind == Kind::Null => format!("{name}{separator}None"),
            _ => format!("{name}{separator}{}", text(value)),
        }
    }
}

fn is_nothing(key: &Node) -> bool {
    match &key.kind {
        Kind::Null | Kind::Bool(false) | Kind::Int(0) => true,
        Kind::Str(text) | Kind::Unsafe(text) => text.is_empty(),
        Kind::Seq(items) => items.is_empty(),
        Kind::Map(map) => map.is_empty(),
        _ => false,
    }
}

struct Make<'a> {
    around: &'a Around<'a>,
    files: Vec<VarsFiles>,
    strict: bool,
    use_extra: bool,
    leading: bool,
    compose: &'a Map,
    groups: &'a Map,
    keyed: Vec<Keyed<'a>>,
}

impl Make<'_> {
    /// What is known of a host so far.
    fn layers(&self, builder: &Builder<'_>, lineage: &Lineage, host: &str) -> Vec<Layer> {
        let mut layers: Vec<Layer> = vec![];
        let names = lineage.groups_of(builder.inventory, host);
        for name in &names {
            if let Some(group) = builder.inventory.groups.get(name) {
                layers.extend(group.vars.iter().cloned());
            }
        }
        for name in &names {
            let files = self.files.iter().flat_map(|files| files.group(name));
            layers.extend(files.cloned());
        }
        if let Some(own) = builder.inventory.hosts.get(host) {
            layers.extend(own.vars.iter().cloned());
        }
        let files = self.files.iter().flat_map(|files| files.host(host));
        layers.extend(files.cloned());
        if self.use_extra {
            layers.extend(self.around.extra.iter().cloned());
        }
        layers.push(magic(builder, host, &names));
        layers
    }

    fn host(
        &self,
        builder: &mut Builder<'_>,
        host: &str,
        layers: &mut Vec<Layer>,
    ) -> Result<(), Diagnostic> {
        self.composed(builder, host, layers)?;
        for (name, condition) in self.groups {
            // As in `compose`: what is said of a variable that a host has not is passed over.
            let holds = self.or_nothing(self.around.render.condition(condition, layers))?;
            if holds == Some(true) {
                let group = builder.group(&as_name(&name.text));
                builder.host(host, &group);
            }
        }
        for keyed in &self.keyed {
            self.keyed(builder, host, keyed, layers)?;
        }
        Ok(())
    }

    fn composed(
        &self,
        builder: &mut Builder<'_>,
        host: &str,
        layers: &mut Vec<Layer>,
    ) -> Result<(), Diagnostic> {
        let mut made = Map::new();
        for (name, expression) in self.compose {
            let value = self.around.render.expression(expression, layers);
            if let Some(value) = self.or_nothing(value)? {
                made.insert(name.clone(), value);
            }
        }
        if !made.is_empty() {
            layers.push(Arc::new(made.clone()));
            builder.host_vars(host, made);
        }
        Ok(())
    }

    fn or_nothing<T>(&self, result: Result<T, Diagnostic>) -> Result<Option<T>, Diagnostic> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if self.strict => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn keyed(
        &self,
        builder: &mut Builder<'_>,
        host: &str,
        keyed: &Keyed<'_>,
        layers: &[Layer],
    ) -> Result<(), Diagnostic> {
        let render = self.around.render;
        let Some(key) = self.or_nothing(render.expression(keyed.key, layers))? else {
            return Ok(());
        };
        let parts = keyed.parts(&key, self.strict, host)?;
        let parent = match keyed.parent {
            Some(node) if !parts.is_empty() => {
                match self.or_nothing(render.template(node, layers))? {
                    Some(name) => Some(as_name(&text(&name))),
                    None => return Ok(()),
                }
            }
            _ => None,
        };
        for part in parts {
            let bare = keyed.prefix.is_empty() && !self.leading;
            let separator = if bare { "" } else { &keyed.separator };
            let name = as_name(&format!("{}{separator}{part}", keyed.prefix));
            let group = builder.group(&name);
            builder.host(host, &group);
            if let Some(parent) = &parent {
                let parent = builder.group(parent);
                builder.child(&parent, &group, keyed.span)?;
            }
        }
        Ok(())
    }
}

/// What a host is called and where it was read, as variables.
fn magic(builder: &Builder<'_>, host: &str, groups: &[Arc<str>]) -> Layer {
    let span = Span::synthetic("a magic variable");
    let value = |text: &str| Node {
        span: span.clone(),
        kind: Kind::Unsafe(text.to_owned()),
    };
    let mut names: Vec<&str> = groups
        .iter()
        .map(|g| &**g)
        .filter(|g| *g != "all")
        .collect();
    names.sort_unstable();
    let names = Node {
        span: span.clone(),
        kind: Kind::Seq(names.into_iter().map(value).collect()),
    };
    let short = host.split('.').next().unwrap_or(host);
    let source = builder
        .inventory
        .hosts
        .get(host)
        .and_then(|h| h.source.clone());
    let mut pairs = vec![
        ("inventory_hostname", value(host)),
        ("inventory_hostname_short", value(short)),
        ("group_names", names),
    ];
    if let Some(path) = source.and_then(|path| path.canonicalize().ok()) {
        let folder = path.parent().unwrap_or(&path);
        pairs.push(("inventory_dir", value(&folder.display().to_string())));
        pairs.push(("inventory_file", value(&path.display().to_string())));
    }
    layer(pairs)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rplay_diag::Source;

    use super::*;
    use crate::builder::{Naming, Notes};
    use crate::model::Inventory;
    use crate::plugin::Render;

    /// Finds variables by their names, and nothing else.
    struct Names;

    impl Names {
        fn find(node: &Node, vars: &[Layer]) -> Result<Node, Diagnostic> {
            let name = node.as_str().unwrap_or_default();
            let found = vars.iter().rev().find_map(|layer| layer.get(name));
            let missing = || Diagnostic::error(format!("`{name}` is undefined"));
            found.cloned().ok_or_else(missing)
        }
    }

    impl Render for Names {
        fn template(&self, node: &Node, _: &[Layer]) -> Result<Node, Diagnostic> {
            Ok(node.clone())
        }

        fn expression(&self, node: &Node, vars: &[Layer]) -> Result<Node, Diagnostic> {
            Self::find(node, vars)
        }

        fn condition(&self, node: &Node, vars: &[Layer]) -> Result<bool, Diagnostic> {
            Ok(Self::find(node, vars)?.kind == Kind::Bool(true))
        }
    }

    fn mapping_of(text: &str) -> Map {
        let source = Source::new("c.yml", text);
        let root = rplay_yaml::load(&source).unwrap().root(&source);
        root.as_map().unwrap().clone()
    }

    /// The groups (but for `all`) that one host with some variables is put into.
    fn groups(vars: &str, config: &str) -> Result<Vec<String>, String> {
        let mut inventory = Inventory::default();
        inventory
            .host_mut("h", "all")
            .vars
            .push(Arc::new(mapping_of(vars)));
        let mut builder = Builder {
            inventory: &mut inventory,
            path: Path::new("c.yml"),
            naming: Naming::Ignore,
            notes: &mut Notes::default(),
        };
        let around = Around {
            render: &Names,
            use_extra: false,
            extra: &[],
            files: &|| Ok(vec![]),
        };
        read(&mapping_of(config), &mut builder, &around).map_err(|e| e.to_string())?;
        let names = inventory.groups.keys().filter(|n| &***n != "all");
        Ok(names.map(ToString::to_string).collect())
    }

    #[test]
    fn keys_are_texts_lists_and_mappings() {
        for (config, wanted) in [
            ("{key: t}", vec!["_x_y"]),
            ("{key: t, prefix: p}", vec!["p_x_y"]),
            ("{key: t, separator: ''}", vec!["x_y"]),
            ("{key: l, prefix: p}", vec!["p_a", "p_", "p_None"]),
            ("{key: l, prefix: p, default_value: d}", vec!["p_a", "p_d"]),
            ("{key: m, prefix: p}", vec!["p_k_v", "p_e_"]),
            (
                "{key: m, prefix: p, trailing_separator: false}",
                vec!["p_k_v", "p_e"],
            ),
            ("{key: e, prefix: p, default_value: d}", vec!["p_d"]),
            ("{key: e, prefix: p}", vec![]),
            ("{key: missing, default_value: d}", vec![]),
            (
                "{key: t, prefix: p, parent_group: above}",
                vec!["p_x_y", "above"],
            ),
        ] {
            let vars = "{t: x-y, l: [a, '', null], m: {k: v, e: ''}, e: ''}";
            let found = groups(vars, &format!("keyed_groups: [{config}]")).unwrap();
            assert_eq!(found, wanted, "{config}");
        }
    }

    #[test]
    fn strict_makes_an_error_of_what_is_passed_over() {
        let keyed = "keyed_groups: [{key: missing}]\n";
        assert_eq!(groups("{}", keyed), Ok(vec![]));
        let error = groups("{}", &format!("{keyed}strict: true")).unwrap_err();
        assert!(error.ends_with("`missing` is undefined"), "{error}");
        let both = "keyed_groups: [{key: a, default_value: b, trailing_separator: true}]";
        assert!(
            groups("{}", both)
                .unwrap_err()
                .contains("mutually exclusive")
        );
        let number = groups("{n: 3}", "keyed_groups: [{key: n}]").unwrap_err();
        assert!(number.contains("Invalid group name format"), "{number}");
    }

    #[test]
    fn groups_see_what_was_composed() {
        let config = "{compose: {bright: yes_}, groups: {lit: bright, dark: off_}}";
        let vars = "{yes_: true, off_: false}";
        assert_eq!(groups(vars, config).unwrap(), ["lit"]);
    }
}
