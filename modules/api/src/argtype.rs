//! The types an argument may have, with the leniency of Ansible: `"yes"` is a bool, `"7"` a number.

use std::path::{Component, PathBuf};

use indexmap::IndexMap;
use serde_json::Value;

/// An argument's value on the wire.
pub type ArgValue = Value;

/// What an argument takes, for documentation and editors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// Text.
    Str,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false` (also yes, no, on, off, 1, 0).
    Bool,
    /// A path on the target.
    Path,
    /// Permissions: `"0644"` or `u=rw,go=r`.
    Mode,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of the inner kind; text is split at commas.
    List(&'static ArgKind),
    /// A mapping.
    Dict,
    /// Anything.
    Raw,
    /// A file or folder of the controller, which the engine finds and sends along. It is a path on
    /// the target where `remote_src` is true.
    ControllerFile,
    /// As [`ArgKind::ControllerFile`], with words behind it.
    ControllerScript,
    /// Anything; where another argument has this value it is a form, whose parts may be files of
    /// the controller: a mapping with `filename` and no `content`.
    ControllerForm(&'static str, &'static str),
    /// As [`ArgKind::ControllerFile`], and rendered as a template first.
    ControllerTemplate,
}

/// A type that an argument may have.
pub trait ArgType: Sized {
    /// What it takes.
    const KIND: ArgKind;

    /// Reads a value.
    ///
    /// # Errors
    /// Why it is not one, in words that follow "argument `x`: ".
    fn parse_arg(value: &Value) -> std::result::Result<Self, String>;
}

/// A value as a word for a choice: a bool is `true`/`false` (`yes`/`no` in YAML).
pub fn choice_word(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// The message for a word that is none of a choice's.
pub fn not_a_choice(word: &str, words: &[&str]) -> String {
    let list: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    format!("`{word}` is not one of {}", list.join(", "))
}

/// As Ansible says that a value cannot be made what its argument takes; playbooks look for it.
fn unconvertible(to: &str, value: &Value) -> String {
    let of = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    let why = expected(
        &format!("{} {to}", if to == "int" { "an" } else { "a" }),
        value,
    );
    format!("is of type {of} and we were unable to convert to {to}: {why}")
}

fn expected(what: &str, value: &Value) -> String {
    let shown = value.to_string();
    let shown: String = shown.chars().take(60).collect();
    format!("`{shown}` is not {what}")
}

impl ArgType for String {
    const KIND: ArgKind = ArgKind::Str;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        match value {
            Value::String(s) => Ok(s.clone()),
            Value::Bool(true) => Ok("True".to_owned()),
            Value::Bool(false) => Ok("False".to_owned()),
            other => Ok(other.to_string()),
        }
    }
}

impl ArgType for PathBuf {
    const KIND: ArgKind = ArgKind::Path;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        let text = match value {
            Value::String(s) if s.contains('\0') => return Err("a path holds a zero byte".into()),
            Value::String(s) if !s.is_empty() => s.clone(),
            Value::Number(n) => n.to_string(),
            // As in Ansible, to which a mapping is a text at last: no file has such a name.
            Value::Object(_) => value.to_string(),
            other => return Err(expected("a path", other)),
        };
        Ok(target_path(&text))
    }
}

/// The path on the target that a text means: `~` and relative paths made whole.
pub fn target_path(text: &str) -> PathBuf {
    let text = expand_variables(text, |name| std::env::var(name).ok());
    anchored(expand_home(&text))
}

/// `$NAME` and `${NAME}` are variables of the environment; one that is not set stays as it is.
fn expand_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_str(before);
        let in_braces = after.strip_prefix('{').and_then(|t| t.split_once('}'));
        let (name, behind) = in_braces.unwrap_or_else(|| {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            after.split_at(end.unwrap_or(after.len()))
        });
        match value(name) {
            Some(value) => {
                whole.push_str(&value);
                rest = behind;
            }
            None => {
                whole.push('$');
                rest = after;
            }
        }
    }
    whole + rest
}

/// `~` is the home folder of the user that the module runs as, `~NAME` that of another one; it
/// stays as it is written where nobody is called so.
fn expand_home(text: &str) -> PathBuf {
    let Some(rest) = text.strip_prefix('~') else {
        return text.into();
    };
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match name {
        "" => Some(std::env::var("HOME").unwrap_or_else(|_| "/root".to_owned())),
        name => home_of(name),
    };
    match home {
        Some(home) if rest.is_empty() && !text.ends_with('/') => home.into(),
        Some(home) => PathBuf::from(home).join(rest),
        None => text.into(),
    }
}

/// The home folder of a user: of /etc/passwd, or of what else the host asks for its users.
fn home_of(user: &str) -> Option<String> {
    let of = |table: &str| {
        let mut rows = table.lines().map(|line| line.split(':'));
        rows.find_map(|mut row| (row.next()? == user).then(|| row.nth(4).map(str::to_owned))?)
    };
    if user.contains([':', '\0']) || user.starts_with('-') {
        return None;
    }
    let local = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    of(&local).or_else(|| {
        let asked = std::process::Command::new("getent")
            .args(["passwd", user])
            .output();
        of(&String::from_utf8_lossy(&asked.ok()?.stdout))
    })
}

/// A relative path is seen from where the agent runs: the user's home folder over SSH, the
/// playbook's folder on the controller.
fn anchored(path: PathBuf) -> PathBuf {
    if path.is_absolute() {
        return path;
    }
    let ends = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    let mut whole = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    whole.extend(path.components().filter(|c| *c != Component::CurDir));
    if ends {
        whole.as_mut_os_string().push("/");
    }
    whole
}

/// A path that stays as it is written, but for `~`: where a link leads, a program's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPath(pub PathBuf);

impl WrittenPath {
    /// As the module sees it from where it runs.
    pub fn whole(&self) -> PathBuf {
        anchored(self.0.clone())
    }
}

impl From<&str> for WrittenPath {
    fn from(text: &str) -> Self {
        Self(expand_home(text))
    }
}

impl ArgType for WrittenPath {
    const KIND: ArgKind = ArgKind::Path;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        match value {
            Value::String(s) if s.contains('\0') => Err("a path holds a zero byte".into()),
            Value::String(s) if !s.is_empty() => Ok(Self(expand_home(s))),
            other => Err(expected("a path", other)),
        }
    }
}

impl ArgType for bool {
    const KIND: ArgKind = ArgKind::Bool;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        let word = match value {
            Value::Bool(b) => return Ok(*b),
            Value::String(s) => s.to_lowercase(),
            Value::Number(n) if n.as_f64() == Some(1.0) => return Ok(true),
            Value::Number(n) if n.as_f64() == Some(0.0) => return Ok(false),
            other => return Err(unconvertible("bool", other)),
        };
        match word.trim() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false),
            _ => Err(format!(
                "is of type str and we were unable to convert to bool: The value '{word}' is not a valid boolean"
            )),
        }
    }
}

fn integer(value: &Value) -> std::result::Result<i64, String> {
    let number = match value {
        Value::Number(n) => n.as_i64().or_else(|| whole(n.as_f64()?)),
        Value::String(s) => s.trim().parse().ok(),
        Value::Bool(b) => Some(i64::from(*b)),
        _ => None,
    };
    number.ok_or_else(|| unconvertible("int", value))
}

fn whole(number: f64) -> Option<i64> {
    // Within 2^53 the conversion is exact.
    #[allow(clippy::cast_possible_truncation)]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl ArgType for $ty {
            const KIND: ArgKind = ArgKind::Int;

            fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
                <$ty>::try_from(integer(value)?)
                    .map_err(|_| expected(concat!("in the range of ", stringify!($ty)), value))
            }
        }
    )*};
}

integers!(i32, i64, u8, u16, u32, u64, usize);

impl ArgType for f64 {
    const KIND: ArgKind = ArgKind::Float;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        let number = match value {
            Value::Number(n) => n.as_f64(),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| unconvertible("float", value))
    }
}

impl ArgType for Value {
    const KIND: ArgKind = ArgKind::Raw;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        Ok(value.clone())
    }
}

impl<T: ArgType> ArgType for Vec<T> {
    const KIND: ArgKind = ArgKind::List(&T::KIND);

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        match value {
            Value::Array(items) => items.iter().map(T::parse_arg).collect(),
            Value::String(s) if s.is_empty() => Ok(vec![]),
            Value::String(s) => s
                .split(',')
                .map(|part| T::parse_arg(&Value::from(part.trim())))
                .collect(),
            Value::Object(_) => Err(expected("a list", value)),
            other => Ok(vec![T::parse_arg(other)?]),
        }
    }
}

impl<T: ArgType> ArgType for IndexMap<String, T> {
    const KIND: ArgKind = ArgKind::Dict;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(k, v)| Ok((k.clone(), T::parse_arg(v)?)))
                .collect(),
            Value::String(s) => key_values(s)
                .ok_or_else(|| expected("a mapping", value))?
                .into_iter()
                .map(|(k, v)| Ok((k, T::parse_arg(&Value::from(v))?)))
                .collect(),
            other => Err(expected("a mapping", other)),
        }
    }
}

/// `a=1, b=2` as pairs.
fn key_values(text: &str) -> Option<Vec<(String, String)>> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.split_once('=')
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::expand_variables;

    #[test]
    fn variables_in_a_path_are_those_of_the_environment() {
        let value = |name: &str| (name == "HOME").then(|| "/root".to_owned());
        assert_eq!(expand_variables("$HOME/.ssh", value), "/root/.ssh");
        assert_eq!(expand_variables("${HOME}x/$NOT", value), "/rootx/$NOT");
        assert_eq!(expand_variables("/a$", value), "/a$");
    }
}
