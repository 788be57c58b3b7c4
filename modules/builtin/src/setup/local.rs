//! Local facts: files of a folder that people keep on the host.
//!
//! A file that cannot be used is told in a warning and in its own fact, where playbooks look. What a program
//! prints that a dry run has only planned is unknown.

use std::path::Path;

use rplay_api::{Command, Host};
use serde_json::{Map, Value};

use super::Facts;
use super::ini::{self, Wrong};

/// Gives the names of those that cannot be known.
pub(super) fn gather(host: &Host, folder: &Path, facts: &mut Facts) -> Vec<String> {
    let mut local = Map::new();
    let mut unknown = vec![];
    for name in host.read_dir(folder).unwrap_or_default() {
        let path = folder.join(&name);
        let Some(stem) = name.to_str().and_then(|n| n.strip_suffix(".fact")) else { continue };
        let value = match read(host, &path) {
            Ok(value) => value,
            Err(Trouble::Unknown) => {
                unknown.push(stem.to_owned());
                continue;
            }
            Err(Trouble::Unusable(why)) => {
                host.warn(why.trim_end());
                why.into()
            }
        };
        local.insert(stem.to_owned(), value);
    }
    facts.insert("local".to_owned(), local.into());
    unknown
}

/// Why a file gives no fact.
enum Trouble {
    /// It is a program that is only planned.
    Unknown,
    /// In Ansible's words.
    Unusable(String),
}

fn read(host: &Host, path: &Path) -> Result<Value, Trouble> {
    let shown = path.display();
    let stat = host.stat(path).ok().flatten();
    let meta = stat.ok_or_else(|| {
        Trouble::Unusable(format!("Could not stat fact ({shown}): no such file or directory"))
    })?;
    let content = if meta.mode & 0o111 != 0 {
        printed(host, path)?
    } else {
        let unreadable = |e: rplay_api::Failure| Trouble::Unusable(format!("error loading facts: {}", e.msg));
        host.read_text(path).map_err(unreadable)?
    };
    if let Ok(json) = serde_json::from_str(&content) {
        return Ok(json);
    }
    let wrong = |why| {
        Trouble::Unusable(match why {
            Wrong::Layout(why) => format!("error loading facts as JSON or ini - please check content: {shown}: {why}"),
            Wrong::Value(why) => format!("error loading facts as ini - please check content: {shown}: {why}"),
        })
    };
    ini::read(&content).map(Value::Object).map_err(wrong)
}

/// What a program prints.
fn printed(host: &Host, path: &Path) -> Result<String, Trouble> {
    let failed =
        |why: String| Trouble::Unusable(format!("Failure executing fact script ({}), {why}", path.display()));
    let output = host.run(&Command::reads([path])).map_err(|e| match e.unknown {
        true => Trouble::Unknown,
        false => failed(format!("err: {}", e.msg)),
    })?;
    match output.rc {
        0 => Ok(output.stdout()),
        rc => Err(failed(format!("rc: {rc}, err: {}", output.stderr()))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rplay_api::RealSystem;
    use serde_json::json;

    use crate::fixture::run;

    #[test]
    fn what_a_planned_program_would_print_is_unknown() {
        let overlay = rplay_api::Overlay::empty();
        let fixture = crate::fixture::Fixture::new(&overlay);
        fixture.file("/nowhere/facts.d/planned.fact", "#!/bin/sh\necho 1\n");
        fixture.file("/nowhere/facts.d/plain.fact", "[a]\nx=1\n");
        fixture.on_host(|host| {
            let attrs = rplay_api::Attrs { mode: Some(0o755), ..rplay_api::Attrs::default() };
            host.set_attrs(std::path::Path::new("/nowhere/facts.d/planned.fact"), &attrs).unwrap();
        });
        let args = json!({"fact_path": "/nowhere/facts.d", "filter": "ansible_local"});
        let ran = fixture.run::<super::super::This>(args);
        let outcome = ran.result.unwrap();
        assert_eq!(outcome.data["ansible_facts"]["ansible_local"], json!({"plain": {"a": {"x": "1"}}}));
        assert_eq!(outcome.unknown, ["ansible_facts.ansible_local.planned"]);
        assert_eq!(ran.warnings, [""; 0]);
    }

    #[test]
    fn what_cannot_be_used_is_told_in_its_fact() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str, mode: u32| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        put("good.fact", "[a]\nX = 1\n", 0o644);
        put("script.fact", "#!/bin/sh\necho '{\"ran\": true}'\n", 0o755);
        put("failing.fact", "#!/bin/sh\necho no >&2; exit 3\n", 0o755);
        put("bad.fact", "nothing\n", 0o644);
        put("percent.fact", "[a]\nx = 5 % 3\n", 0o644);
        put("other.txt", "[a]\n", 0o644);
        symlink("/nowhere/at/all", dir.path().join("dead.fact")).unwrap();
        let args = json!({"fact_path": dir.path(), "filter": "ansible_local"});
        let ran = run::<super::super::This>(&RealSystem, args);
        let local = ran.result.unwrap().data["ansible_facts"]["ansible_local"].clone();
        assert_eq!(local["good"], json!({"a": {"x": "1"}}));
        assert_eq!(local["script"], json!({"ran": true}));
        let begins = |name: &str, with: &str| {
            let text = local[name].as_str().unwrap();
            assert!(text.starts_with(with), "{text}");
        };
        begins("failing", "Failure executing fact script");
        assert!(local["failing"].as_str().unwrap().contains("rc: 3, err: no"));
        begins("bad", "error loading facts as JSON or ini");
        begins("percent", "error loading facts as ini");
        begins("dead", "Could not stat fact");
        assert_eq!(ran.warnings.len(), 4);
        assert!(local.get("other").is_none());
    }
}
