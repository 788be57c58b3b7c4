//! A setting as it was written, and what it can be read as.

use std::path::{Path, PathBuf};

/// A setting's text, and the folder that its relative paths are relative to.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// As written.
    pub text: String,
    /// The folder of the file; of the process for the environment.
    pub base: PathBuf,
}

impl Given {
    /// The text without the quotes around it.
    pub(crate) fn text(&self) -> Result<String, String> {
        let text = self.text.trim();
        let quoted = ['"', '\''].iter().find_map(|q| {
            let inner = text.strip_prefix(*q)?.strip_suffix(*q)?;
            Some(inner.to_owned())
        });
        Ok(quoted.unwrap_or_else(|| text.to_owned()))
    }

    /// As Ansible reads truth: anything else is an error.
    pub(crate) fn truth(&self) -> Result<bool, String> {
        let text = self.text()?;
        match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => Ok(true),
            "false" | "no" | "off" | "0" | "n" | "f" | "" | "none" => Ok(false),
            _ => Err(format!("`{text}` is no boolean: write `true` or `false`")),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self) -> Result<u64, String> {
        let text = self.text()?;
        let number = text.parse();
        number.map_err(|_| format!("`{text}` is no whole number"))
    }

    /// Words between commas.
    pub(crate) fn list(&self) -> Result<Vec<String>, String> {
        let text = self.text()?;
        let words = text.split(',').map(|word| word.trim().to_owned());
        Ok(words.filter(|word| !word.is_empty()).collect())
    }

    /// Regular expressions between commas.
    pub(crate) fn patterns(&self) -> Result<Vec<regex::Regex>, String> {
        let pattern = |text: &String| {
            // Names are matched from their beginning.
            regex::Regex::new(&format!("^(?:{text})"))
                .map_err(|_| format!("`{text}` is no regular expression"))
        };
        self.list()?.iter().map(pattern).collect()
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, String> {
        let text = self.text()?;
        let found = choices.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<String> = choices
                .iter()
                .map(|(word, _)| format!("`{word}`"))
                .collect();
            format!("`{text}` is not one of {}", words.join(", "))
        })
    }

    /// A path; `~`, `$NAME` and `{{CWD}}` mean what they say.
    pub(crate) fn path(&self) -> Result<PathBuf, String> {
        Ok(self.one_path(&self.text()?))
    }

    /// Paths between colons.
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>, String> {
        let text = self.text()?;
        let words = text.split(':').filter(|word| !word.is_empty());
        Ok(words.map(|word| self.one_path(word)).collect())
    }

    /// Inventories between commas: paths, or lists of hosts where there is a comma at the end.
    pub(crate) fn inventories(&self) -> Result<Vec<String>, String> {
        let text = self.text()?;
        let paths = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let paths = paths.map(|word| self.one_path(word));
        let all: Vec<PathBuf> = paths.collect();
        if text.contains(',') && !all.iter().any(|path| path.exists()) {
            return Ok(vec![text]);
        }
        Ok(all
            .into_iter()
            .map(|path| path.display().to_string())
            .collect())
    }

    fn one_path(&self, text: &str) -> PathBuf {
        let cwd = std::env::current_dir().unwrap_or_default();
        let text = text.replace("{{CWD}}", &cwd.display().to_string());
        let text = text.replace("{{ CWD }}", &cwd.display().to_string());
        absolute(&expanded(&text), &self.base)
    }
}

fn absolute(path: &str, base: &Path) -> PathBuf {
    let joined = base.join(path);
    // `./` in the middle says nothing.
    joined.components().collect()
}

/// `~`, `$NAME` and `${NAME}`, for those that are set.
pub(crate) fn expanded(text: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    let text = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => text.to_owned(),
    };
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, whole) = match after.strip_prefix('{').and_then(|a| a.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &after[..end.unwrap_or(after.len())];
                (name, name.len())
            }
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[at..=at + whole]),
        }
        rest = &after[whole..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Given {
        Given {
            text: text.to_owned(),
            base: "/cfg".into(),
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let paths = given("roles:/usr/roles:./more").paths().unwrap();
        let want = ["/cfg/roles", "/usr/roles", "/cfg/more"].map(PathBuf::from);
        assert_eq!(paths, want);
        let home = std::env::var("HOME").unwrap();
        assert_eq!(given("~/k").path().unwrap(), PathBuf::from(&home).join("k"));
        assert_eq!(
            given("$HOME/k").path().unwrap(),
            PathBuf::from(&home).join("k")
        );
        assert_eq!(
            given("${HOME}/k").path().unwrap(),
            PathBuf::from(&home).join("k")
        );
        assert_eq!(
            given("/a$NOT_SET_x/k").path().unwrap(),
            PathBuf::from("/a$NOT_SET_x/k")
        );
        let cwd = std::env::current_dir().unwrap();
        assert_eq!(given("{{CWD}}/k").path().unwrap(), cwd.join("k"));
    }

    #[test]
    fn a_list_of_hosts_is_no_path() {
        assert_eq!(given("a,b,").inventories().unwrap(), ["a,b,"]);
        assert_eq!(
            given("hosts.ini").inventories().unwrap(),
            ["/cfg/hosts.ini"]
        );
    }

    #[test]
    fn what_is_no_boolean_is_said() {
        assert_eq!(
            given("maybe").truth().unwrap_err(),
            "`maybe` is no boolean: write `true` or `false`"
        );
        assert_eq!(given("On").truth(), Ok(true));
    }
}
