//! Ansible's INI dialect.

use std::net::Ipv6Addr;
use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::builder::Builder;
use crate::{python, words};

/// What a section holds, and the group that it is of.
enum Section {
    Hosts(String),
    Vars(String),
    Children(String),
}

/// Groups that are named before they are made: by whom, and where.
type Awaited = Vec<(String, Span, String)>;

/// Adds what an INI text says to the inventory.
pub(crate) fn read(source: &Arc<Source>, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let mut section = Section::Hosts("ungrouped".to_owned());
    let mut awaited = Awaited::new();
    let mut vars: IndexMap<String, Map> = IndexMap::new();
    let mut offset = 0;
    for raw in source.text().split_inclusive('\n') {
        let start = offset + (raw.len() - raw.trim_start().len());
        offset += raw.len();
        let line = raw.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let span = Span::new(source.clone(), start, start + line.len());
        if let Some(found) = heading(line, &span, builder, &mut awaited)? {
            section = found;
            continue;
        }
        match &section {
            Section::Hosts(group) => host_line(line, &span, group, builder)?,
            Section::Children(group) => child_line(line, &span, group, builder, &mut awaited)?,
            Section::Vars(group) => {
                let (key, value) = vars_line(line, &span)?;
                vars.entry(group.clone()).or_default().insert(key, value);
            }
        }
    }
    let missing = awaited
        .into_iter()
        .find(|(group, ..)| !builder.inventory.groups.contains_key(group.as_str()));
    if let Some((group, span, words)) = missing {
        return Err(Diagnostic::error(words)
            .at(&span)
            .help(format!("make the group with a section `[{group}]`")));
    }
    for (group, vars) in vars {
        builder.group_vars(&group, vars);
    }
    Ok(())
}

/// The section that a line begins; `None` for a host such as `[2001:db8::1]:22` or `[a:c].x`.
fn heading(
    line: &str,
    span: &Span,
    builder: &mut Builder<'_>,
    awaited: &mut Awaited,
) -> Result<Option<Section>, Diagnostic> {
    let Some(rest) = line.strip_prefix('[') else {
        return Ok(None);
    };
    let (inner, after) = rest
        .split_once(']')
        .ok_or_else(|| Diagnostic::error("the heading of a section has no `]`").at(span))?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with(['#', ';']) {
        return Ok(None);
    }
    let (name, kind) = inner.split_once(':').unwrap_or((inner, "hosts"));
    let group = builder.named(name);
    Ok(Some(match kind {
        "hosts" => Section::Hosts(builder.group(name)),
        "children" => Section::Children(builder.group(name)),
        "vars" => {
            let words = format!("section `[{inner}]` not valid for undefined group `{name}`");
            awaited.push((group.clone(), span.clone(), words));
            Section::Vars(group)
        }
        _ => {
            let words = format!("section `[{inner}]` has unknown type `{kind}`");
            let help = "a section is `[group]`, `[group:vars]` or `[group:children]`";
            return Err(Diagnostic::error(words).at(span).help(help));
        }
    }))
}

fn child_line(
    line: &str,
    span: &Span,
    group: &str,
    builder: &mut Builder<'_>,
    awaited: &mut Awaited,
) -> Result<(), Diagnostic> {
    let name = line.split('#').next().unwrap_or_default().trim_end();
    if name.contains(|c: char| c.is_whitespace() || matches!(c, ':' | ']')) {
        let words = format!("expected the name of a group, got `{name}`");
        return Err(Diagnostic::error(words).at(span));
    }
    let child = builder.named(name);
    if !builder.inventory.groups.contains_key(child.as_str()) {
        let words = format!("section `[{group}:children]` includes undefined group `{name}`");
        awaited.push((child.clone(), span.clone(), words));
    }
    builder.child(group, &child, &span.slice(0, name.len()))
}

fn vars_line(line: &str, span: &Span) -> Result<(Key, Node), Diagnostic> {
    let (name, text) = line.split_once('=').ok_or_else(|| {
        Diagnostic::error(format!("expected name=value, got `{line}`"))
            .at(span)
            .help("a variable is written `name=value`")
    })?;
    let value = text.trim_start();
    let place = span.slice(line.len() - value.len(), line.len());
    let key = Key {
        text: name.trim_end().to_owned(),
        span: span.slice(0, name.trim_end().len()),
    };
    let kind = python::value(value, &place);
    Ok((key, Node { span: place, kind }))
}

fn host_line(
    line: &str,
    span: &Span,
    group: &str,
    builder: &mut Builder<'_>,
) -> Result<(), Diagnostic> {
    let mut words = words::words(line)
        .map_err(|at| Diagnostic::error("no closing quotation").at(&span.slice(at, line.len())))?
        .into_iter();
    let Some(first) = words.next() else {
        return Ok(());
    };
    let place = span.slice(first.start, first.end);
    let (host, port) = address(&first.text, &place)?;
    let mut vars = Map::new();
    if let Some(port) = port {
        let text = "ansible_port".to_owned();
        let kind = Kind::Int(port);
        let (key, span) = (
            Key {
                text,
                span: place.clone(),
            },
            place.clone(),
        );
        vars.insert(key, Node { span, kind });
    }
    for word in words {
        let place = span.slice(word.start, word.end);
        let (name, value) = word.text.split_once('=').ok_or_else(|| {
            let words = format!("expected name=value, got `{}`", word.text);
            Diagnostic::error(words)
                .at(&place)
                .help("after a host's name come only variables; quote a value that has spaces")
        })?;
        let key = Key {
            text: name.to_owned(),
            span: place.slice(0, name.len()),
        };
        let span = place.slice(name.len() + 1, word.end - word.start);
        let kind = python::value(value, &span);
        vars.insert(key, Node { span, kind });
    }
    builder.hosts(&host, group, vars, &place)
}

/// A host and its port: `host:22`, `[2001:db8::1]:22`, `w[1:3]:22`; an address with bare colons has
/// none.
fn address(name: &str, span: &Span) -> Result<(String, Option<i64>), Diagnostic> {
    if name == "---" {
        let words = "`---` is no host: it is normally the sign of a YAML file";
        return Err(Diagnostic::error(words)
            .at(span)
            .help("give the file the ending `.yml`"));
    }
    let mut depth = 0_usize;
    let mut colons = vec![];
    for (at, c) in name.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => colons.push(at),
            _ => {}
        }
    }
    let [colon] = colons.as_slice() else {
        return Ok((name.to_owned(), None));
    };
    let (host, port) = (&name[..*colon], &name[colon + 1..]);
    let Ok(port) = port.parse::<u16>() else {
        let words = format!("invalid host pattern `{name}`: after `:` comes a port");
        return Err(Diagnostic::error(words).at(span).help(
            "is this a YAML file? then it needs the ending `.yml`, or `---` in its first line",
        ));
    };
    let host = bracketed_address(host).unwrap_or(host);
    Ok((host.to_owned(), Some(port.into())))
}

/// The address in `[2001:db8::1]`.
fn bracketed_address(host: &str) -> Option<&str> {
    let inner = host.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse::<Ipv6Addr>().is_ok().then_some(inner)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::builder::{Naming, Notes};
    use crate::model::Inventory;

    fn taken(text: &str) -> Result<(Inventory, Notes), Diagnostic> {
        let mut inventory = Inventory::default();
        let mut notes = Notes::default();
        let mut builder = Builder {
            inventory: &mut inventory,
            path: Path::new("hosts"),
            naming: Naming::Warn,
            notes: &mut notes,
        };
        read(&Source::new("hosts", text), &mut builder)?;
        Ok((inventory, notes))
    }

    fn inventory(text: &str) -> Inventory {
        taken(text).unwrap().0
    }

    fn error(text: &str) -> String {
        taken(text).unwrap_err().to_string()
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
    fn a_range_may_have_a_port_and_more_ranges() {
        let inventory = inventory("w[1:2].[a:b]:22\n");
        let names: Vec<&str> = inventory.hosts.keys().map(|n| &**n).collect();
        assert_eq!(names, ["w1.a", "w1.b", "w2.a", "w2.b"]);
        assert_eq!(
            inventory.hosts["w2.b"].vars[0]
                .get("ansible_port")
                .unwrap()
                .kind,
            Kind::Int(22)
        );
    }

    #[test]
    fn bad_headings_and_circles_are_pointed_at() {
        for (text, wanted) in [
            (
                "[g:nope]\nh\n",
                "hosts:1:1: section `[g:nope]` has unknown type `nope`",
            ),
            ("[g\nh\n", "hosts:1:1: the heading of a section has no `]`"),
            (
                "[a:children]\nb\n[b:children]\na\n",
                "hosts:4:1: adding group `a` as child to `b` creates a recursive dependency loop: b > a > b",
            ),
            (
                "[g:vars]\nx=1\n",
                "hosts:1:1: section `[g:vars]` not valid for undefined group `g`",
            ),
            (
                "[g:children]\n  und # x\n",
                "hosts:2:3: section `[g:children]` includes undefined group `und`",
            ),
        ] {
            assert_eq!(error(text), wanted);
        }
    }

    #[test]
    fn a_bad_line_is_pointed_at() {
        for (text, wanted) in [
            (
                "[g]\nh oops\n",
                "hosts:2:3: expected name=value, got `oops`",
            ),
            ("[g]\nh a='x\n", "hosts:2:5: no closing quotation"),
            (
                "[g]\n[g:vars]\nnovalue\n",
                "hosts:3:1: expected name=value, got `novalue`",
            ),
            (
                "plugin: x\n",
                "hosts:1:1: invalid host pattern `plugin:`: after `:` comes a port",
            ),
            (
                "---\n",
                "hosts:1:1: `---` is no host: it is normally the sign of a YAML file",
            ),
        ] {
            assert_eq!(error(text), wanted);
        }
    }

    #[test]
    fn a_groups_variables_may_come_before_it() {
        let inventory = inventory("[g:vars]\nx=0x1f # c\n[a]\n[g]\nh\n");
        let names: Vec<&str> = inventory.groups.keys().map(|n| &**n).collect();
        assert_eq!(names, ["a", "g"]);
        let vars = &inventory.groups["g"].vars[0];
        assert_eq!(vars.get("x").unwrap().kind, Kind::Int(31));
    }

    #[test]
    fn a_hash_begins_a_comment_on_a_hosts_line_but_not_in_a_groups_value() {
        let inventory = inventory("[g]\nh a=a#b b=1\n[g:vars]\nc=a#b\nd=a # b\n");
        let host = &inventory.hosts["h"].vars[0];
        assert_eq!(host.get("a").unwrap().as_str(), Some("a"));
        assert!(host.get("b").is_none());
        let group = &inventory.groups["g"].vars[0];
        assert_eq!(group.get("c").unwrap().as_str(), Some("a#b"));
        assert_eq!(group.get("d").unwrap().as_str(), Some("a # b"));
    }

    #[test]
    fn an_odd_variable_is_a_warning_where_it_stands() {
        let (_, notes) = taken("h x=1 a-b=2\n").unwrap();
        assert_eq!(
            notes.warnings[0].to_string(),
            "hosts:1:7: variable with invalid name `a-b`"
        );
    }
}
