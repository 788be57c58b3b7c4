//! Programs that print an inventory as JSON.

use std::path::Path;
use std::process::{Command, Stdio};

use indexmap::IndexSet;
use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Kind, Map, Node};
use serde_json::Value as Json;

use crate::builder::Builder;

/// Runs an inventory program, and adds what it prints to the inventory.
pub(crate) fn read(builder: &mut Builder<'_>, show_stderr: bool) -> Result<(), Diagnostic> {
    let program = Program {
        path: builder.path.to_owned(),
        show_stderr,
    };
    let text = program.run(&["--list"])?;
    add(&text, &program, builder)
}

/// Adds what a plugin in Python found, told as a program prints it.
pub(crate) fn told(text: &str, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let nobody = Program {
        path: builder.path.to_owned(),
        show_stderr: true,
    };
    add(text, &nobody, builder)
}

const CANNOT: &str = "Unable to get JSON decoder for inventory script result.";

/// Adds a list of all groups; the program is asked for the variables of hosts where that has none.
fn add(text: &str, program: &Program, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let cannot = CANNOT;
    let json: Json = serde_json::from_str(text).map_err(|e| {
        Diagnostic::error(format!("{cannot} Value could not be parsed as JSON: {e}")).help(format!(
            "`{} --list` is to print one JSON object",
            program.path.display()
        ))
    })?;
    profile(&json).map_err(|why| Diagnostic::error(format!("{cannot} {why}")))?;
    if let Some(odd) = odd_marker(&json) {
        let words = format!("Inventory script result could not be parsed as JSON: {odd}");
        return Err(Diagnostic::error(words));
    }
    let root = program.node(text, &json)?;
    let groups = root.as_map().ok_or_else(|| {
        let kind = type_name(&root);
        Diagnostic::error(format!("{cannot} Value is '{kind}' instead of 'dict'."))
    })?;
    let mut hosts = IndexSet::new();
    for (key, node) in groups {
        if key.text != "_meta" {
            group(&key.text, node, builder, &mut hosts)?;
        }
    }
    let of_hosts = match root.get("_meta") {
        None => None,
        Some(meta) => Some(match meta.get("hostvars") {
            None => None,
            Some(all) => Some(
                all.as_map()
                    .ok_or_else(|| instead("_meta.hostvars", all, "dict"))?,
            ),
        }),
    };
    for host in hosts {
        let vars = match of_hosts {
            None => program.host(&host)?,
            Some(all) => all.and_then(|all| all.get(host.as_str())).cloned(),
        };
        let Some(vars) = vars else { continue };
        let Kind::Map(vars) = vars.kind else {
            let words = format!(
                "Invalid data from file, expected dictionary and got {} for host '{host}'",
                vars.describe()
            );
            return Err(Diagnostic::error(words).at(&vars.span));
        };
        builder.host_vars(&host, vars);
    }
    Ok(())
}

/// The program, and whether what it says on standard error is shown where it ends well.
struct Program {
    path: std::path::PathBuf,
    show_stderr: bool,
}

impl Program {
    /// What it prints.
    fn run(&self, args: &[&str]) -> Result<String, Diagnostic> {
        let line = format!("{} {}", self.path.display(), args.join(" "));
        let failed = |e: std::io::Error| {
            Diagnostic::error(format!(
                "Failed to execute inventory script command `{line}`: {e}"
            ))
        };
        let program = self.path.canonicalize().map_err(failed)?;
        let stderr = if self.show_stderr {
            Stdio::inherit()
        } else {
            Stdio::piped()
        };
        let command = Command::new(program).args(args).stderr(stderr).output();
        let output = command.map_err(failed)?;
        if !output.status.success() {
            let code = output.status.code();
            let code = code.map_or("of a signal".to_owned(), |code| code.to_string());
            let words = format!("Inventory script returned non-zero exit code {code}: `{line}`");
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let error = Diagnostic::error(words);
            return Err(if said.is_empty() {
                error
            } else {
                error.help(said)
            });
        }
        String::from_utf8(output.stdout).map_err(|_| {
            let words =
                "Inventory script result contained characters that cannot be interpreted as UTF-8";
            Diagnostic::error(format!("{words}: `{line}`"))
        })
    }

    /// A host's variables: nothing printed is none.
    fn host(&self, host: &str) -> Result<Option<Node>, Diagnostic> {
        let text = self.run(&["--host", host])?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let json = serde_json::from_str(&text).map_err(|e| {
            let words = "Inventory script result for host";
            Diagnostic::error(format!("{words} '{host}' could not be parsed as JSON: {e}"))
        })?;
        self.node(&text, &json).map(Some)
    }

    /// JSON with its places in the text.
    fn node(&self, text: &str, json: &Json) -> Result<Node, Diagnostic> {
        let name = format!("<inventory script output from '{}'>", self.path.display());
        Ok(crate::json::node(&Source::new(name, text), json))
    }
}

/// What is wrong with `_meta`.
fn profile(json: &Json) -> Result<(), String> {
    let Some(meta) = json.get("_meta") else {
        return Ok(());
    };
    if !meta.is_object() {
        let kind = crate::json::type_name(meta);
        return Err(format!(
            "Value contains '_meta' which is '{kind}' instead of 'dict'."
        ));
    }
    match meta.get("profile") {
        None => Ok(()),
        Some(Json::String(name)) if name == "inventory_legacy" => Ok(()),
        Some(Json::String(name)) if name.starts_with("inventory_") => {
            Err(format!("Unknown profile name '{name}'."))
        }
        Some(Json::String(name)) => Err(format!("Non-inventory profile '{name}' is not allowed.")),
        Some(other) => Err(format!(
            "Value contains '_meta.profile' which is '{}' instead of 'str'.",
            crate::json::type_name(other)
        )),
    }
}

/// A vault or unsafe text that is none.
fn odd_marker(json: &Json) -> Option<String> {
    match json {
        Json::Object(map) => {
            let marked = ["__ansible_vault", "__ansible_unsafe"];
            let odd = marked
                .iter()
                .find(|mark| map.get(**mark).is_some_and(|v| !v.is_string()));
            let here = odd.map(|mark| format!("`{mark}` is no text"));
            here.or_else(|| map.values().find_map(odd_marker))
        }
        Json::Array(items) => items.iter().find_map(odd_marker),
        _ => None,
    }
}

/// A group as a script prints it: a list of hosts, or hosts, vars and children.
fn group(
    name: &str,
    node: &Node,
    builder: &mut Builder<'_>,
    found: &mut IndexSet<String>,
) -> Result<(), Diagnostic> {
    let parts = ["hosts", "vars", "children"];
    let group = builder.group(name);
    let map = match &node.kind {
        Kind::Map(map) if parts.iter().any(|part| map.contains_key(*part)) => map.clone(),
        Kind::Map(map) => return alone(name, &group, map, builder),
        _ => {
            let words = format!(
                "Group '{name}' was converted to 'dict' from '{}'.",
                type_name(node)
            );
            let warning = Diagnostic::warning(words).at(&node.span);
            builder.notes.warnings.push(warning);
            let span = node.span.clone();
            let text = "hosts".to_owned();
            Map::from_iter([(rplay_yaml::Key { text, span }, node.clone())])
        }
    };
    if let Some(hosts) = map.get("hosts") {
        for (host, _) in names(hosts, name, "hosts")? {
            builder.host(&host, &group);
            found.insert(host);
        }
    }
    if let Some(vars) = map.get("vars") {
        let vars = vars
            .as_map()
            .ok_or_else(|| instead(&format!("{name}.vars"), vars, "dict"))?;
        builder.group_vars(&group, vars.clone());
    }
    // Groups of JSON name their children whole, `all` its own and all others' included.
    if let Some(children) = map.get("children") {
        for (child, span) in names(children, name, "children")? {
            let child = builder.group(&child);
            builder.child(&group, &child, &span)?;
        }
    }
    Ok(())
}

/// What has none of a group's parts is the variables of a host of the group's name.
fn alone(name: &str, group: &str, vars: &Map, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    if vars.is_empty() {
        return Ok(());
    }
    let words = format!("Treating malformed group '{name}' as the sole host of that group.");
    builder.notes.warnings.push(
        Diagnostic::warning(words)
            .help("variables given so are no templates: use `hosts` and `vars`"),
    );
    builder.host(name, group);
    let vars = vars.clone();
    let vars: Map = vars
        .into_iter()
        .map(|(key, node)| (key, untrusted(node)))
        .collect();
    builder.group_vars(group, vars);
    Ok(())
}

/// A value of which no text is a template.
fn untrusted(node: Node) -> Node {
    let kind = match node.kind {
        Kind::Str(text) => Kind::Unsafe(text),
        Kind::Seq(items) => Kind::Seq(items.into_iter().map(untrusted).collect()),
        Kind::Map(map) => Kind::Map(map.into_iter().map(|(k, v)| (k, untrusted(v))).collect()),
        kind => kind,
    };
    Node { kind, ..node }
}

fn names(node: &Node, group: &str, part: &str) -> Result<Vec<(String, Span)>, Diagnostic> {
    let wrong = |node: &Node| instead(&format!("{group}.{part}"), node, "list");
    let items = node.as_seq().ok_or_else(|| wrong(node))?;
    let name = |item: &Node| match &item.kind {
        Kind::Str(text) | Kind::Unsafe(text) => Ok((text.clone(), item.span.clone())),
        _ => Err(instead(&format!("{group}.{part}[]"), item, "str")),
    };
    items.iter().map(name).collect()
}

fn instead(place: &str, node: &Node, wanted: &str) -> Diagnostic {
    let kind = type_name(node);
    Diagnostic::error(format!(
        "Value contains '{place}' which is '{kind}' instead of '{wanted}'."
    ))
    .at(&node.span)
}

fn type_name(node: &Node) -> &'static str {
    match node.kind {
        Kind::Null => "NoneType",
        Kind::Bool(_) => "bool",
        Kind::Int(_) => "int",
        Kind::Float(_) => "float",
        Kind::Str(_) | Kind::Unsafe(_) | Kind::Vault(_) => "str",
        Kind::Seq(_) => "list",
        Kind::Map(_) => "dict",
    }
}

/// Whether the system would run a file: it has a `#!`, or is no text at all.
pub(crate) fn is_program(path: &Path) -> bool {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let executable =
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let mut head = [0_u8; 4];
    executable
        && std::fs::File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok_and(|()| head.starts_with(b"#!") || head == *b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{Naming, Notes};
    use crate::model::Inventory;

    /// What a script that prints the JSON (and for a host who was asked for) makes. A shell writes it:
    /// a file that this process had open could be held open by what another test has just begun, and
    /// such a file cannot be run.
    fn taken(json: &str) -> Result<(Inventory, Notes), Diagnostic> {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("rplay-script-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = --host ]; then echo \"{{\\\"asked\\\": \\\"$2\\\"}}\"; exit; fi\ncat <<'X'\n{json}\nX\n"
        );
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
            .args([path.as_os_str(), text.as_ref()])
            .status();
        assert!(written.unwrap().success());
        let mut inventory = Inventory::default();
        let mut notes = Notes::default();
        let mut builder = Builder {
            inventory: &mut inventory,
            path: &path,
            naming: Naming::Warn,
            notes: &mut notes,
        };
        assert!(is_program(&path));
        let result = read(&mut builder, true);
        std::fs::remove_file(&path).unwrap();
        result.map(|()| (inventory, notes))
    }

    #[test]
    fn groups_are_lists_or_mappings() {
        let json = r#"{"a": {"hosts": ["h1"], "vars": {"v": 1e3, "e": "\ud83d\ude00"}, "children": ["b"]},
            "b": ["h2"], "c": {}, "_meta": {"hostvars": {"h1": {"x": {"__ansible_unsafe": "{{ y }}"}}}}}"#;
        let (inventory, notes) = taken(json).unwrap();
        assert_eq!(inventory.hosts_of("a").len(), 2);
        let vars = &inventory.groups["a"].vars[0];
        assert_eq!(vars.get("v").unwrap().kind, Kind::Float(1000.0));
        assert_eq!(vars.get("e").unwrap().as_str(), Some("\u{1f600}"));
        let x = inventory.hosts["h1"].vars[0].get("x").unwrap();
        assert_eq!(x.kind, Kind::Unsafe("{{ y }}".to_owned()));
        assert!(
            notes.warnings[0]
                .to_string()
                .ends_with("Group 'b' was converted to 'dict' from 'list'.")
        );
        assert!(inventory.groups.contains_key("c"));
    }

    #[test]
    fn without_meta_each_host_is_asked_for() {
        let (inventory, _) = taken(r#"{"a": {"hosts": ["h1", "h2"]}}"#).unwrap();
        let asked = inventory.hosts["h2"].vars[0].get("asked").unwrap();
        assert_eq!(asked.as_str(), Some("h2"));
    }

    #[test]
    fn bad_output_is_named() {
        for (json, wanted) in [
            ("i am not JSON", "Value could not be parsed as JSON"),
            ("\"text\"", "Value is 'str' instead of 'dict'"),
            (
                r#"{"_meta": "x"}"#,
                "contains '_meta' which is 'str' instead of 'dict'",
            ),
            (
                r#"{"_meta": {"hostvars": []}}"#,
                "'_meta.hostvars' which is 'list' instead of 'dict'",
            ),
            (
                r#"{"g": null, "_meta": {}}"#,
                "'g.hosts' which is 'NoneType' instead of 'list'",
            ),
            (
                r#"{"g": {"vars": []}, "_meta": {}}"#,
                "'g.vars' which is 'list' instead of 'dict'",
            ),
            (
                r#"{"g": ["h"], "_meta": {"hostvars": {"h": []}}}"#,
                "Invalid data from file, expected dictionary and got a list for host 'h'",
            ),
            (
                r#"{"a": {"children": ["b"]}, "b": {"children": ["a"]}, "_meta": {}}"#,
                "adding group `a` as child to `b` creates a recursive dependency loop: b > a > b",
            ),
            (
                r#"{"__ansible_vault": 1}"#,
                "Inventory script result could not be parsed as JSON",
            ),
        ] {
            let error = taken(json).unwrap_err().to_string();
            assert!(error.contains(wanted), "{json}: {error}");
        }
    }
}
