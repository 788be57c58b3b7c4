//! Local facts: files of a folder that people keep on the host.

use std::path::Path;

use rplay_api::{Command, Host};
use serde_json::{Map, Value};

use super::Facts;

pub(super) fn gather(host: &Host, folder: &Path, facts: &mut Facts) {
    let mut local = Map::new();
    for name in host.read_dir(folder).unwrap_or_default() {
        let path = folder.join(&name);
        let Some(stem) = name.to_str().and_then(|n| n.strip_suffix(".fact")) else { continue };
        let executable = host.stat(&path).ok().flatten().is_some_and(|m| m.mode & 0o111 != 0);
        let content = if executable {
            host.run(&Command::reads([&path])).ok().filter(|o| o.rc == 0).map(|o| o.stdout())
        } else {
            host.read_text(&path).ok()
        };
        let Some(content) = content else {
            host.warn(format!("the local facts of `{}` could not be read", path.display()));
            continue;
        };
        let value = serde_json::from_str(&content).unwrap_or_else(|_| ini(&content));
        local.insert(stem.to_owned(), value);
    }
    facts.insert("local".to_owned(), local.into());
}

/// Sections of `name = value`.
fn ini(text: &str) -> Value {
    let mut sections = Map::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
            sections.insert(section.clone(), Value::Object(Map::new()));
        } else if let Some((name, value)) = line.split_once(['=', ':'])
            && !line.starts_with(['#', ';'])
            && let Some(Value::Object(map)) = sections.get_mut(&section)
        {
            map.insert(name.trim().to_lowercase(), value.trim().into());
        }
    }
    sections.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ini_facts_are_grouped_by_section() {
        assert_eq!(ini("[a]\n# no\nX = 1\n[b]\ny: 2\n"), json!({"a": {"x": "1"}, "b": {"y": "2"}}));
    }
}
