//! A module's arguments: their specification and how a JSON object becomes them.

use std::fmt;

use serde_json::{Map, Value};

use crate::argtype::{ArgKind, ArgType};

/// The arguments of a task, as they come over the wire.
pub type ArgMap = Map<String, Value>;

/// One argument, as documentation, editors and the checker see it.
#[derive(Debug, Clone)]
pub struct ArgSpec {
    /// The name.
    pub name: &'static str,
    /// Other names for the same argument.
    pub aliases: &'static [&'static str],
    /// What it does, in Markdown.
    pub doc: &'static str,
    /// What it takes.
    pub kind: ArgKind,
    /// Whether it must be given.
    pub required: bool,
    /// Its default, as written in a playbook.
    pub default: Option<&'static str>,
    /// Whether its value is kept out of what results tell.
    pub secret: bool,
}

impl ArgSpec {
    /// Whether `word` is this argument's name or an alias.
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word || self.aliases.contains(&word)
    }
}

/// A struct of arguments. Derive it.
pub trait Args: Sized {
    /// The specification of every argument.
    fn spec() -> Vec<ArgSpec>;

    /// Reads the fields.
    ///
    /// # Errors
    /// The first argument that is missing or not of its type.
    fn read(reader: &ArgReader<'_>) -> std::result::Result<Self, ArgError>;

    /// Reads the fields and refuses what is none of them.
    ///
    /// # Errors
    /// An unknown argument, a missing one, or one not of its type.
    fn parse(map: &ArgMap) -> std::result::Result<Self, ArgError> {
        let spec = Self::spec();
        check_names(&spec, map.keys().map(String::as_str))?;
        Self::read(&ArgReader { spec: &spec, map })
    }
}

/// No arguments at all.
impl Args for () {
    fn spec() -> Vec<ArgSpec> {
        vec![]
    }

    fn read(_: &ArgReader<'_>) -> std::result::Result<Self, ArgError> {
        Ok(())
    }
}

/// Refuses the first name that no argument has.
pub(crate) fn check_names<'a>(
    spec: &[ArgSpec],
    names: impl IntoIterator<Item = &'a str>,
) -> std::result::Result<(), ArgError> {
    for name in names {
        if !spec.iter().any(|s| s.is_called(name)) {
            return Err(ArgError {
                arg: name.to_owned(),
                fault: Fault::Unknown,
            });
        }
    }
    Ok(())
}

/// What is wrong with an argument: the caret goes to its name or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgError {
    /// The argument's name as it was written.
    pub arg: String,
    /// The fault.
    pub fault: Fault,
}

/// The kinds of faults of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No argument is called that.
    Unknown,
    /// It must be given.
    Missing,
    /// Its value is not of its type: why.
    Invalid(String),
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arg = &self.arg;
        match &self.fault {
            Fault::Unknown => write!(f, "unknown argument `{arg}`"),
            Fault::Missing => write!(f, "missing required arguments: {arg}"),
            Fault::Invalid(why) => write!(f, "argument `{arg}`: {why}"),
        }
    }
}

impl std::error::Error for ArgError {}

/// Finds an argument under its name or an alias and parses it.
pub struct ArgReader<'a> {
    spec: &'a [ArgSpec],
    map: &'a ArgMap,
}

impl ArgReader<'_> {
    fn find(&self, name: &str) -> Option<(&str, &Value)> {
        let spec = self.spec.iter().find(|s| s.name == name)?;
        std::iter::once(spec.name)
            .chain(spec.aliases.iter().copied())
            .find_map(|n| self.map.get(n).filter(|v| !v.is_null()).map(|v| (n, v)))
    }

    /// An argument that may be absent; `null` is absent.
    ///
    /// # Errors
    /// [`Fault::Invalid`].
    pub fn optional<T: ArgType>(&self, name: &str) -> std::result::Result<Option<T>, ArgError> {
        let Some((written, value)) = self.find(name) else {
            return Ok(None);
        };
        T::parse_arg(value).map(Some).map_err(|why| ArgError {
            arg: written.to_owned(),
            fault: Fault::Invalid(why),
        })
    }

    /// An argument that must be there.
    ///
    /// # Errors
    /// [`Fault::Missing`], [`Fault::Invalid`].
    pub fn required<T: ArgType>(&self, name: &str) -> std::result::Result<T, ArgError> {
        self.optional(name)?.ok_or_else(|| ArgError {
            arg: name.to_owned(),
            fault: Fault::Missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Choice;
    use rplay_derive::Args;

    #[derive(Debug, PartialEq, Choice)]
    enum State {
        Present,
        #[arg(alias = "gone")]
        Absent,
    }

    #[derive(Debug, PartialEq, Args)]
    struct Sample {
        /// The path.
        #[arg(alias = "dest")]
        path: std::path::PathBuf,
        /// What should be there.
        #[arg(default = State::Present)]
        state: State,
        /// A number.
        uid: Option<u32>,
        /// A switch.
        #[arg(default = false)]
        force: bool,
    }

    fn parse(value: Value) -> std::result::Result<Sample, ArgError> {
        Sample::parse(value.as_object().unwrap())
    }

    #[test]
    fn text_is_coerced_as_ansible_does() {
        let got = parse(json!({"dest": "/x", "state": "gone", "uid": "7", "force": "yes"}));
        let want = Sample {
            path: "/x".into(),
            state: State::Absent,
            uid: Some(7),
            force: true,
        };
        assert_eq!(got, Ok(want));
    }

    #[test]
    fn defaults_stand_in_for_what_is_absent() {
        let got = parse(json!({"path": "/x", "uid": null})).unwrap();
        assert_eq!(
            (got.state, got.uid, got.force),
            (State::Present, None, false)
        );
    }

    #[test]
    fn an_unknown_argument_is_named() {
        let got = parse(json!({"path": "/x", "forec": true})).unwrap_err();
        assert_eq!(got.to_string(), "unknown argument `forec`");
    }

    #[test]
    fn a_wrong_choice_lists_the_right_ones() {
        let got = parse(json!({"path": "/x", "state": "there"})).unwrap_err();
        assert_eq!(
            got.to_string(),
            "argument `state`: `there` is not one of `present`, `absent`"
        );
    }

    #[test]
    fn the_spec_documents_defaults_and_needs() {
        let spec = Sample::spec();
        assert!(spec[0].required);
        assert_eq!(spec[1].default, Some("present"));
        assert_eq!(spec[2].doc, "A number.");
    }
}
