//! A value of an INI or properties file, as Python's `configparser` reads them.

use indexmap::IndexMap;
use minijinja::{Error, Value};

use super::terms::Term;
use super::{Found, decoded, spread};
use crate::call::Args;
use crate::filters::regex::pattern_of;
use crate::python::wrong;
use crate::vars::LookupIo;

const SETTINGS: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// The section whose values stand in for those of all others.
const DEFAULT: &str = "DEFAULT";

/// The keys of a section; of one without a value there is none.
type Section = IndexMap<String, Option<String>>;

/// How a file is read.
struct Reader<'a> {
    file: &'a str,
    case_sensitive: bool,
    allow_no_value: bool,
}

impl Reader<'_> {
    fn name(&self, key: &str) -> String {
        let key = key.trim();
        if self.case_sensitive {
            key.to_owned()
        } else {
            key.to_lowercase()
        }
    }

    /// All sections. `first` is the one of the lines before any header.
    fn sections(
        &self,
        content: &str,
        first: Option<&str>,
    ) -> Result<IndexMap<String, Section>, Error> {
        let mut sections: IndexMap<String, Section> = IndexMap::new();
        let mut at = first.map(str::to_owned);
        if let Some(name) = &at {
            sections.entry(name.clone()).or_default();
        }
        // The key that a line that is set in goes on with, and how far it is set in itself.
        let mut open: Option<(String, usize)> = None;
        for (number, line) in content.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            let depth = line.len() - line.trim_start().len();
            let bad = |words: String| {
                Err(wrong(format!(
                    "{words}: line {} of `{}`",
                    number + 1,
                    self.file
                )))
            };
            if let (Some((key, above)), Some(name)) = (&open, &at)
                && depth > *above
            {
                if let Some(Some(value)) = sections.get_mut(name).and_then(|s| s.get_mut(key)) {
                    value.push('\n');
                    value.push_str(trimmed);
                }
                continue;
            }
            if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
                open = None;
                at = Some(name.to_owned());
                if sections
                    .insert(name.to_owned(), Section::new())
                    .is_some_and(|s| !s.is_empty())
                {
                    return bad(format!("Duplicate section `{name}`"));
                }
                continue;
            }
            let Some(section) = at.as_ref().and_then(|name| sections.get_mut(name)) else {
                return bad("File contains no section headers".to_owned());
            };
            let (key, value) = match trimmed.split_once(['=', ':']) {
                Some((key, value)) => (self.name(key), Some(value.trim().to_owned())),
                None if self.allow_no_value => (self.name(trimmed), None),
                None => {
                    return bad("Source contains parsing errors (a key without a value)".to_owned());
                }
            };
            if section.contains_key(&key) {
                return bad(format!("Duplicate option in the file: `{key}`"));
            }
            open = Some((key.clone(), depth));
            section.insert(key, value);
        }
        Ok(sections)
    }
}

/// A value with `%(other)s` in it filled in.
fn filled(value: &str, section: &Section, defaults: &Section, depth: u8) -> Result<String, Error> {
    let bad = |why: &str| {
        wrong(format!(
            "`{value}`: {why}; interpolation=false takes it as it is"
        ))
    };
    if depth == 0 {
        return Err(bad("its values stand in one another too deep"));
    }
    let mut out = String::new();
    let mut rest = value;
    while let Some((head, tail)) = rest.split_once('%') {
        out.push_str(head);
        if let Some(tail) = tail.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let name = tail.strip_prefix('(').and_then(|t| t.split_once(")s"));
        let (name, tail) = name.ok_or_else(|| bad("'%' must be followed by '%' or '('"))?;
        let name = name.to_lowercase();
        let other = section.get(&name).or_else(|| defaults.get(&name));
        let other = other.ok_or_else(|| bad(&format!("there is no `{name}` to fill in")))?;
        let other = other.as_deref().unwrap_or_default();
        out.push_str(&filled(other, section, defaults, depth - 1)?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Terms, of which one without a key goes before the key that stands alone.
fn terms(args: &Args) -> Result<Vec<Term>, Error> {
    let terms = spread(&args.rest)?;
    let terms = terms.iter().map(|t| Term::new(t, args, "ini", SETTINGS));
    let terms = terms.collect::<Result<Vec<_>, _>>()?;
    if terms.iter().any(|term| term.key.is_empty()) {
        return Err(wrong(
            "No key to look up was provided as first term within string inline options: write the key first",
        ));
    }
    Ok(terms)
}

pub(super) fn found(io: &dyn LookupIo, args: &Args) -> Found {
    let mut out = vec![];
    for term in terms(args)? {
        let file = term.text("file", "ansible.ini")?;
        let content = decoded(io, &file, &term.text("encoding", "utf-8")?)?;
        let reader = Reader {
            file: &file,
            case_sensitive: term.flag("case_sensitive", false),
            allow_no_value: term.flag("allow_no_value", false) || term.flag("allow_none", false),
        };
        let properties = term.text("type", "ini")? == "properties";
        let name = match properties {
            true => "java_properties".to_owned(),
            false => term.text("section", "global")?,
        };
        let all = reader.sections(&content, properties.then_some(&name))?;
        let empty = Section::new();
        let defaults = all.get(DEFAULT).unwrap_or(&empty);
        let section = all
            .get(&name)
            .ok_or_else(|| wrong(format!("No section `{name}` in `{file}`")))?;
        let shown = |value: &Option<String>| -> Result<Option<Value>, Error> {
            match value {
                Some(value) if term.flag("interpolation", true) => {
                    filled(value, section, defaults, 10).map(|v| Some(v.into()))
                }
                other => Ok(other.as_deref().map(Value::from)),
            }
        };
        if term.flag("re", false) {
            let regex = pattern_of(&format!("^(?:{})", term.key), false, false)?;
            for (key, value) in section {
                if regex.is_match(key).unwrap_or(false) {
                    out.extend(shown(value)?);
                }
            }
            continue;
        }
        let key = reader.name(&term.key);
        match section.get(&key).or_else(|| defaults.get(&key)) {
            Some(value) => out.extend(shown(value)?),
            None => match term.get("default") {
                Some(default) => out.extend(spread(std::slice::from_ref(default))?),
                None => out.push("".into()),
            },
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<IndexMap<String, Section>, Error> {
        let reader = Reader {
            file: "x.ini",
            case_sensitive: false,
            allow_no_value: false,
        };
        reader.sections(content, None)
    }

    #[test]
    fn values_go_on_in_lines_that_are_set_in() {
        let all = read("[a]\nx = 1\n  2\ny: z\n").unwrap();
        assert_eq!(all["a"]["x"].as_deref(), Some("1\n2"));
        assert_eq!(all["a"]["y"].as_deref(), Some("z"));
    }

    #[test]
    fn what_stands_twice_or_nowhere_is_an_error() {
        let words = |content: &str| read(content).unwrap_err().to_string();
        assert!(words("[a]\nx=1\nX=2\n").contains("Duplicate option in"));
        assert!(words("x=1\n").contains("no section headers"));
        assert!(words("[a]\nx\n").contains("line 2 of `x.ini`"));
    }

    #[test]
    fn other_values_are_filled_in() {
        let all = read("[DEFAULT]\nhome=/h\n[a]\ndir=%(home)s/d\npath=%(dir)s/100%%\nbad=%u\n");
        let all = all.unwrap();
        let filled = |key: &str| {
            let value = all["a"][key].as_deref().unwrap();
            filled(value, &all["a"], &all["DEFAULT"], 10)
        };
        assert_eq!(filled("path").unwrap(), "/h/d/100%");
        assert!(filled("bad").is_err());
    }
}
