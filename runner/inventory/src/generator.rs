//! `plugin: generator`: a host for each way to choose one value of every layer.

use rplay_diag::{Diagnostic, Span};
use rplay_yaml::{Kind, Map, Node};

use crate::builder::Builder;
use crate::model::Layer;
use crate::plugin::{Around, layer, list, mapping, text, wrong};

/// Adds the hosts that the configuration describes to the inventory.
pub(crate) fn read(
    config: &Map,
    builder: &mut Builder<'_>,
    around: &Around<'_>,
) -> Result<(), Diagnostic> {
    let missing = |name: &str| Diagnostic::error(format!("a generator needs `{name}`"));
    let hosts = mapping(config, "hosts")?.ok_or_else(|| missing("hosts"))?;
    let layers = mapping(config, "layers")?.ok_or_else(|| missing("layers"))?;
    let name = hosts.get("name").ok_or_else(|| missing("hosts.name"))?;
    let parents = list(hosts, "parents")?;
    for chosen in choices(layers)? {
        let vars = [layer(chosen)];
        let make = Make {
            around,
            vars: &vars,
        };
        let host = make.text(name)?;
        builder.host(&host, "all");
        for parent in parents {
            let group = make.parent(builder, &host, parent)?;
            builder.host(&host, &group);
        }
    }
    Ok(())
}

/// Every way to choose, the last layer's values changing first.
fn choices(layers: &Map) -> Result<Vec<Vec<(&str, Node)>>, Diagnostic> {
    let mut all: Vec<Vec<(&str, Node)>> = vec![vec![]];
    for (name, values) in layers {
        let values = values
            .as_seq()
            .ok_or_else(|| wrong(&name.text, values, "a list of values"))?;
        let mut longer = Vec::with_capacity(all.len() * values.len());
        for chosen in &all {
            for value in values {
                let mut chosen = chosen.clone();
                chosen.push((name.text.as_str(), value.clone()));
                longer.push(chosen);
            }
        }
        all = longer;
    }
    Ok(all)
}

struct Make<'a> {
    around: &'a Around<'a>,
    vars: &'a [Layer],
}

impl Make<'_> {
    fn text(&self, node: &Node) -> Result<String, Diagnostic> {
        Ok(text(&self.around.render.template(node, self.vars)?))
    }

    /// Makes a group with its variables and those above it; gives its name.
    fn parent(
        &self,
        builder: &mut Builder<'_>,
        child: &str,
        node: &Node,
    ) -> Result<String, Diagnostic> {
        let config = node
            .as_map()
            .ok_or_else(|| wrong("parents", node, "a list of mappings"))?;
        let name = config.get("name").ok_or_else(|| {
            Diagnostic::error(format!("Element {child} has a parent with no name."))
                .at(&node.span)
                .help("give each of the `parents` a `name`")
        })?;
        let group = self.text(name)?;
        let group = builder.group(&group);
        if let Some(vars) = mapping(config, "vars")? {
            for (key, value) in vars {
                // Only texts: templates in lists and mappings are rendered where they are used.
                let value = match &value.kind {
                    Kind::Str(_) => self.around.render.template(value, self.vars)?,
                    _ => value.clone(),
                };
                builder.set_group_var(&group, key.clone(), value);
            }
        }
        for above in list(config, "parents")? {
            let name = self.parent(builder, &group, above)?;
            builder.child(&name, &group, span_of(above))?;
        }
        Ok(group)
    }
}

fn span_of(node: &Node) -> &Span {
    node.get("name").map_or(&node.span, |name| &name.span)
}

#[cfg(test)]
mod tests {
    use rplay_diag::Source;

    use super::*;

    #[test]
    fn the_last_layer_changes_first() {
        let source = Source::new("g.yml", "{op: [build, launch], env: [dev, prod]}");
        let root = rplay_yaml::load(&source).unwrap().root(&source);
        let all = choices(root.as_map().unwrap()).unwrap();
        let names = all.iter().map(|chosen| {
            let texts = chosen.iter().map(|(_, node)| text(node));
            texts.collect::<Vec<_>>().join("_")
        });
        let names: Vec<String> = names.collect();
        assert_eq!(
            names,
            ["build_dev", "build_prod", "launch_dev", "launch_prod"]
        );
    }

    #[test]
    fn a_layer_is_a_list() {
        let source = Source::new("g.yml", "{op: build}");
        let root = rplay_yaml::load(&source).unwrap().root(&source);
        let error = choices(root.as_map().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "g.yml:1:6: `op` is a list of values, not a string"
        );
    }
}
