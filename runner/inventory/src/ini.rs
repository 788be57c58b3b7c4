//! Ansible's INI dialect.

use std::net::Ipv6Addr;
use std::path::Path;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::model::Inventory;
use crate::range;

/// What a section holds.
enum Section {
    Hosts(String),
    Vars(String),
    Children(String),
}

/// Adds what an INI text says to the inventory.
pub(crate) fn read(
    source: &Arc<Source>,
    path: &Path,
    inventory: &mut Inventory,
) -> Result<(), Diagnostic> {
    let mut section = Section::Hosts("ungrouped".to_owned());
    let mut offset = 0;
    for raw in source.text().split_inclusive('\n') {
        let start = offset + (raw.len() - raw.trim_start().len());
        offset += raw.len();
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let span = Span::new(source.clone(), start, start + line.len());
        if let Some(rest) = line.strip_prefix('[') {
            let (name, after) = rest.split_once(']').ok_or_else(|| {
                Diagnostic::error("the heading of a section has no `]`").at(&span)
            })?;
            let after = after.trim_start();
            // Else a host: `[2001:db8::1]:22`, `[a:c].example.com`.
            if after.is_empty() || after.starts_with(['#', ';']) {
                section = heading(name, &span, inventory)?;
                continue;
            }
        }
        match &section {
            Section::Hosts(group) => host_line(line, &span, group, path, inventory)?,
            Section::Children(group) => {
                let child = line.split([' ', '#']).next().unwrap_or(line);
                if inventory.is_below(group, child) {
                    let words = format!("group `{child}` holds group `{group}` already: a cycle");
                    return Err(Diagnostic::error(words).at(&span));
                }
                inventory.group_mut(child);
                inventory.group_mut(group).children.insert(child.into());
            }
            Section::Vars(group) => {
                let (name, value) = line.split_once('=').ok_or_else(|| {
                    Diagnostic::error("a variable is written `name=value`").at(&span)
                })?;
                let node = Node {
                    span: span.clone(),
                    kind: literal(strip_comment(value.trim())),
                };
                let key = Key {
                    text: name.trim().to_owned(),
                    span: span.clone(),
                };
                let layer = Arc::new(Map::from_iter([(key, node)]));
                inventory.group_mut(group).vars.push(layer);
            }
        }
    }
    Ok(())
}

fn heading(name: &str, span: &Span, inventory: &mut Inventory) -> Result<Section, Diagnostic> {
    Ok(match name.split_once(':') {
        Some((group, "vars")) => {
            inventory.group_mut(group);
            Section::Vars(group.to_owned())
        }
        Some((group, "children")) => {
            inventory.group_mut(group);
            Section::Children(group.to_owned())
        }
        Some((group, "hosts")) => {
            inventory.group_mut(group);
            Section::Hosts(group.to_owned())
        }
        Some((_, kind)) => {
            let words = format!("`{kind}` is no kind of section");
            let help = "a section is `[group]`, `[group:vars]` or `[group:children]`";
            return Err(Diagnostic::error(words).at(span).help(help));
        }
        None => {
            inventory.group_mut(name);
            Section::Hosts(name.to_owned())
        }
    })
}

fn host_line(
    line: &str,
    span: &Span,
    group: &str,
    path: &Path,
    inventory: &mut Inventory,
) -> Result<(), Diagnostic> {
    let words =
        shlex::split(line).ok_or_else(|| Diagnostic::error("a quote is not closed").at(span))?;
    let mut words = words.into_iter().take_while(|w| !w.starts_with('#'));
    let Some(name) = words.next() else {
        return Ok(());
    };
    let mut vars = Map::new();
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains('[') || host.ends_with(']') => {
            match port.parse::<i64>() {
                Ok(port) if !host.contains(':') => (host.to_owned(), Some(port)),
                Ok(port) if bracketed_address(host).is_some() => (
                    bracketed_address(host).unwrap_or(host).to_owned(),
                    Some(port),
                ),
                _ => (name, None),
            }
        }
        _ => (name, None),
    };
    let mut set = |name: &str, kind: Kind| {
        let key = Key {
            text: name.to_owned(),
            span: span.clone(),
        };
        vars.insert(
            key,
            Node {
                span: span.clone(),
                kind,
            },
        );
    };
    if let Some(port) = port {
        set("ansible_port", Kind::Int(port));
    }
    for word in words {
        let (key, value) = word.split_once('=').ok_or_else(|| {
            Diagnostic::error(format!("`{word}` is no variable of a host"))
                .at(span)
                .help("after a host's name come only `name=value` pairs")
        })?;
        set(key, literal(value));
    }
    let layer = Arc::new(vars);
    for host in range::expand(&name).map_err(|why| Diagnostic::error(why).at(span))? {
        let entry = inventory.host_mut(&host, group);
        entry.source.get_or_insert_with(|| path.to_owned());
        if !layer.is_empty() {
            entry.vars.push(layer.clone());
        }
    }
    Ok(())
}

/// The address in `[2001:db8::1]`.
fn bracketed_address(host: &str) -> Option<&str> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().is_ok().then_some(inner)
}

fn strip_comment(value: &str) -> &str {
    value.split(" #").next().unwrap_or(value).trim()
}

/// A value as Python would read it; else text.
fn literal(text: &str) -> Kind {
    match text {
        "True" => return Kind::Bool(true),
        "False" => return Kind::Bool(false),
        "None" => return Kind::Null,
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>()
        && (text == "0" || !text.trim_start_matches('-').starts_with('0'))
        && !text.starts_with('+')
    {
        return Kind::Int(number);
    }
    if text.contains('.')
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == '-')
        && let Ok(number) = text.parse::<f64>()
    {
        return Kind::Float(number);
    }
    let bracketed = (text.starts_with('[') && text.ends_with(']'))
        || (text.starts_with('{') && text.ends_with('}') && !text.starts_with("{{"));
    if bracketed {
        let source = Source::new("<inventory>", text);
        if let Ok(loaded) = rplay_yaml::load(&source) {
            return loaded.root(&source).kind;
        }
    }
    for quote in ['\'', '"'] {
        if text.len() > 1 && text.starts_with(quote) && text.ends_with(quote) {
            return Kind::Str(text[1..text.len() - 1].to_owned());
        }
    }
    Kind::Str(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(text: &str) -> Inventory {
        let mut inventory = Inventory::default();
        read(
            &Source::new("hosts", text),
            Path::new("hosts"),
            &mut inventory,
        )
        .unwrap();
        inventory
    }

    #[test]
    fn groups_children_and_vars_are_read() {
        let text = "a ansible_host=10.0.0.1\n[web]\nw[1:2] x=3 y='a b'\n[web:vars]\nz=yes\n[site:children]\nweb\n";
        let inventory = inventory(text);
        assert_eq!(inventory.hosts.len(), 3);
        assert_eq!(
            inventory.hosts["w1"].vars[0].get("x").unwrap().kind,
            Kind::Int(3)
        );
        assert_eq!(
            inventory.hosts["w1"].vars[0].get("y").unwrap().as_str(),
            Some("a b")
        );
        assert_eq!(
            inventory.groups["web"].vars[0].get("z").unwrap().as_str(),
            Some("yes")
        );
        assert_eq!(inventory.hosts_of("site").len(), 2);
    }

    #[test]
    fn a_port_is_a_variable() {
        let inventory = inventory("h:2222\n");
        assert_eq!(
            inventory.hosts["h"].vars[0]
                .get("ansible_port")
                .unwrap()
                .kind,
            Kind::Int(2222)
        );
    }

    #[test]
    fn an_ipv6_address_with_a_port_is_a_host() {
        let inventory = inventory("[g]\n[2001:db8::1]:22\n[a:b].x\n");
        let port = inventory.hosts["2001:db8::1"].vars[0].get("ansible_port");
        assert_eq!(port.unwrap().kind, Kind::Int(22));
        assert_eq!(inventory.hosts.len(), 3);
    }

    #[test]
    fn bad_headings_and_cycles_are_pointed_at() {
        let error = |text: &str| {
            let source = Source::new("hosts", text);
            let result = read(&source, Path::new("hosts"), &mut Inventory::default());
            result.unwrap_err().to_string()
        };
        assert_eq!(
            error("[g:nope]\nh\n"),
            "hosts:1:1: `nope` is no kind of section"
        );
        assert_eq!(
            error("[g\nh\n"),
            "hosts:1:1: the heading of a section has no `]`"
        );
        assert_eq!(
            error("[a:children]\nb\n[b:children]\na\n"),
            "hosts:4:1: group `a` holds group `b` already: a cycle"
        );
    }

    #[test]
    fn a_stray_word_is_pointed_at() {
        let source = Source::new("hosts", "[g]\nh oops\n");
        let error = read(&source, Path::new("hosts"), &mut Inventory::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "hosts:2:1: `oops` is no variable of a host"
        );
    }
}
