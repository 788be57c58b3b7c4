//! A YAML value that remembers where it was written.

use indexmap::IndexMap;
use rplay_diag::Span;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value is written.
    pub span: Span,
    /// The value.
    pub kind: Kind,
}

/// What a node holds: YAML 1.1 as Ansible reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Bool(bool),
    /// An integer; `0644` is octal.
    Int(i64),
    /// A float.
    Float(f64),
    /// Text, which may be a template.
    Str(String),
    /// Text tagged `!unsafe`: never a template.
    Unsafe(String),
    /// The ciphertext of a `!vault` scalar.
    Vault(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order written.
    Map(Map),
}

/// A mapping with spanned keys, in the order written.
pub type Map = IndexMap<Key, Node>;

/// A mapping's key. Two keys are equal where their text is: the place does not count.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key's text (a key that is a number or bool keeps the text as Ansible would print it).
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // As `str` hashes, so that `map.get("name")` works through `Equivalent`/`Borrow`.
        self.text.hash(state);
    }
}

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl Node {
    /// The text of a plain or `!unsafe` string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(s) | Kind::Unsafe(s) => Some(s),
            _ => None,
        }
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(s) => Some(s),
            _ => None,
        }
    }

    /// The value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    /// This node and all that is in it.
    pub fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::Seq(items) => items.iter().map(Self::count).sum(),
            Kind::Map(map) => map.values().map(Self::count).sum(),
            _ => 0,
        }
    }

    /// What the value is, in words for errors: `a string`, `a list`.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a bool",
            Kind::Int(_) => "an integer",
            Kind::Float(_) => "a float",
            Kind::Str(_) | Kind::Unsafe(_) => "a string",
            Kind::Vault(_) => "a vault secret",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }
}
