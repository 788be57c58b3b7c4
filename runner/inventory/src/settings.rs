//! How sources are read.

use regex::Regex;

use crate::builder::Naming;
use crate::plugin::short;

/// How sources are read; what is `None` is as Ansible has it by default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The kinds of sources that are read, in the order that they are tried.
    enabled: Vec<String>,
    /// Endings of files in a folder that are no sources.
    pub ignored_endings: Vec<String>,
    /// Names of files in a folder that are no sources.
    pub ignored: Vec<Regex>,
    /// What is done with odd names of groups.
    pub naming: Naming,
    /// Whether what a program says on standard error is shown where it ends well.
    pub show_stderr: bool,
    /// Endings of YAML files.
    pub yaml_endings: Vec<String>,
    /// Whether plugins see `-e` without saying so.
    pub use_extra: bool,
}

/// The kinds of sources that there are.
const KINDS: [&str; 9] = [
    "host_list",
    "advanced_host_list",
    "script",
    "auto",
    "yaml",
    "ini",
    "toml",
    "constructed",
    "generator",
];

impl Default for Settings {
    fn default() -> Self {
        let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
        Self {
            enabled: texts(&["host_list", "script", "auto", "yaml", "ini", "toml"]),
            ignored_endings: texts(&[
                ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig",
                ".cfg", ".retry",
            ]),
            ignored: vec![],
            naming: Naming::Warn,
            show_stderr: true,
            yaml_endings: texts(&[".yaml", ".yml", ".json"]),
            use_extra: false,
        }
    }
}

impl Settings {
    /// Reads only these kinds of sources.
    pub fn enable(&mut self, names: &[String]) {
        self.enabled = names.iter().map(|name| short(name).to_owned()).collect();
    }

    /// How far in front a kind of source is; `None` where it is not read.
    pub(crate) fn rank(&self, name: &str) -> Option<usize> {
        self.enabled.iter().position(|known| known == name)
    }

    /// Kinds that are asked for and are not ours, plugins in Python: those in front of all that read
    /// files, and the others.
    pub(crate) fn foreign(&self) -> (Vec<&str>, Vec<&str>) {
        let all = self.enabled.iter().map(String::as_str);
        let is_list = |name: &&str| name.ends_with("host_list");
        let mut first = vec![];
        let mut rest = all.filter(|name| !is_list(name)).peekable();
        while let Some(name) = rest.next_if(|name| !KINDS.contains(name)) {
            first.push(name);
        }
        (first, rest.filter(|name| !KINDS.contains(name)).collect())
    }

    /// Whether a file or folder of a folder of sources is passed over.
    pub(crate) fn passes_over(&self, name: &str) -> bool {
        name.starts_with('.')
            || matches!(name, "group_vars" | "host_vars" | "vars_plugins")
            || self
                .ignored_endings
                .iter()
                .any(|end| name.ends_with(end.as_str()))
            || self.ignored.iter().any(|pattern| pattern.is_match(name))
    }

    pub(crate) fn is_yaml(&self, name: &str) -> bool {
        self.yaml_endings
            .iter()
            .any(|end| name.ends_with(end.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_may_have_their_collections_name() {
        let mut settings = Settings::default();
        let names = ["ansible.builtin.ini", "amazon.aws.aws_ec2", "constructed"];
        settings.enable(&names.map(str::to_owned));
        assert_eq!(settings.rank("ini"), Some(0));
        assert_eq!(settings.rank("yaml"), None);
        assert_eq!(settings.foreign(), (vec![], vec!["amazon.aws.aws_ec2"]));
    }

    #[test]
    fn a_folders_other_files_are_passed_over() {
        let settings = Settings {
            ignored: vec![Regex::new("^sub").unwrap()],
            ..Settings::default()
        };
        for name in [".git", "a.cfg", "b~", "group_vars", "sub1"] {
            assert!(settings.passes_over(name), "{name}");
        }
        assert!(!settings.passes_over("hosts") && !settings.passes_over("a.ini"));
    }
}
