//! `-e`: pairs, YAML, JSON, files.

use std::io;
use std::path::Path;

use rplay_diag::{Diagnostic, Source};
use rplay_yaml::{Kind, Map};

/// The variables of one `-e`.
///
/// # Errors
/// Where it is none of its forms.
pub fn extra_vars(
    text: &str,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Map, Diagnostic> {
    if let Some(path) = text.strip_prefix('@') {
        let content = read(Path::new(path))
            .map_err(|e| Diagnostic::error(format!("could not read `{path}`: {e}")))?;
        return mapping(&Source::of_file(Path::new(path), content));
    }
    let source = Source::new("<-e>", text);
    if text.trim_start().starts_with(['{', '[']) {
        return mapping(&source);
    }
    let span = rplay_diag::Span::new(source.clone(), 0, text.len());
    match rplay_playbook::key_values(text, &span) {
        Ok((map, rest)) if rest.is_empty() && !map.is_empty() => Ok(map),
        _ if text.contains(": ") => mapping(&source),
        _ => Err(Diagnostic::error("`-e` takes name=value, YAML, JSON or @FILE").at(&span)),
    }
}

fn mapping(source: &std::sync::Arc<Source>) -> Result<Map, Diagnostic> {
    let root = rplay_yaml::load(source)?.root(source);
    match root.kind {
        Kind::Map(map) => Ok(map),
        Kind::Null => Ok(Map::new()),
        _ => Err(
            Diagnostic::error(format!("variables are a mapping, not {}", root.describe()))
                .at(&root.span),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Map, Diagnostic> {
        extra_vars(text, &|_| Err(io::ErrorKind::NotFound.into()))
    }

    #[test]
    fn pairs_are_text_and_json_is_typed() {
        assert_eq!(
            read("a=1 b='x y'").unwrap().get("a").unwrap().as_str(),
            Some("1")
        );
        assert_eq!(
            read("{\"a\": 1}").unwrap().get("a").unwrap().kind,
            Kind::Int(1)
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        assert!(read("@x.yml").unwrap_err().message.contains("`x.yml`"));
    }
}
