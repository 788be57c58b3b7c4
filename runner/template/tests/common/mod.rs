//! Variables and files for the tests of this crate.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source};
use rplay_template::vault::VaultKeys;
use rplay_template::{LookupIo, Redactor, Templar, Var, Vars, to_json};
use rplay_yaml::Node;

/// A few variables, and a folder that lookups read.
#[derive(Debug, Default, Clone)]
pub struct Few {
    pub vars: BTreeMap<String, Var>,
    pub dir: PathBuf,
}

impl Vars for Few {
    fn get(&self, name: &str) -> Option<Var> {
        self.vars.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.vars.keys().cloned().collect()
    }

    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        Some(Arc::new(Folder(self.dir.clone())))
    }
}

/// A folder of the controller.
#[derive(Debug)]
struct Folder(PathBuf);

impl LookupIo for Folder {
    fn read(&self, _: &str, name: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(name))
            .map_err(|e| format!("could not read `{name}`: {e}"))
    }

    fn read_bytes(&self, _: &str, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(name)).map_err(|e| format!("could not read `{name}`: {e}"))
    }

    fn find(&self, _: &str, name: &str) -> Option<PathBuf> {
        Some(self.0.join(name)).filter(|path| path.exists())
    }

    fn glob(&self, _: &str) -> Vec<PathBuf> {
        vec![]
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn pipe(&self, command: &str) -> Result<String, String> {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(command)
            .output();
        Ok(String::from_utf8_lossy(&output.map_err(|e| e.to_string())?.stdout).into_owned())
    }

    fn write_private(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.0.join(name), text).map_err(|e| e.to_string())
    }
}

pub fn yaml(text: &str) -> Node {
    let source = Source::new("vars.yml", text);
    rplay_yaml::load(&source).unwrap().root(&source)
}

pub fn vars(text: &str) -> Few {
    let root = yaml(text);
    let pairs = root.as_map().into_iter().flatten();
    let vars = pairs.map(|(k, v)| (k.text.clone(), Var::Raw(Arc::new(v.clone()))));
    Few {
        vars: vars.collect(),
        ..Few::default()
    }
}

pub fn templar() -> Templar {
    Templar::new(Redactor::default(), VaultKeys::default(), false)
}

pub fn value(names: &str, text: &str) -> Result<serde_json::Value, Diagnostic> {
    let vars: Arc<dyn Vars> = Arc::new(vars(names));
    let value = templar().render(&yaml(text), &vars)?;
    Ok(to_json(&value).unwrap())
}
