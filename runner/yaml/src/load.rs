//! From text to nodes.

use std::collections::HashMap;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::scalar::resolve;
use crate::{Key, Kind, Map, Node};

/// As many nodes as aliases may expand to: a bound against a "billion laughs".
const MAX_ALIASED: usize = 100_000;

/// A loaded text.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The documents; an empty text has none.
    pub documents: Vec<Node>,
    /// Duplicate keys and the like.
    pub warnings: Vec<Diagnostic>,
}

impl Loaded {
    /// The first document; null where there is none.
    pub fn root(mut self, source: &Arc<Source>) -> Node {
        if self.documents.is_empty() {
            return Node { span: Span::new(source.clone(), 0, 0), kind: Kind::Null };
        }
        self.documents.swap_remove(0)
    }
}

/// Reads YAML.
///
/// # Errors
/// The first mistake, with its place and what is likely meant.
pub fn load(source: &Arc<Source>) -> Result<Loaded, Diagnostic> {
    let mut loader = Loader::new(source);
    let mut parser = Parser::new_from_str(source.text());
    let mut documents = vec![];
    loop {
        match loader.next(&mut parser)? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
            (event, span) => documents.push(loader.node(&mut parser, event, span)?),
        }
    }
    Ok(Loaded { documents, warnings: loader.warnings })
}

struct Loader<'a> {
    source: &'a Arc<Source>,
    /// Byte offset of each character, where the text is not ASCII.
    offsets: Option<Vec<usize>>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    warnings: Vec<Diagnostic>,
}

type Events<'a> = Parser<'a, saphyr_parser::StrInput<'a>>;

impl<'a> Loader<'a> {
    fn new(source: &'a Arc<Source>) -> Self {
        let text = source.text();
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i).collect());
        Self { source, offsets, anchors: HashMap::new(), aliased: 0, warnings: vec![] }
    }

    fn byte(&self, character: usize) -> usize {
        let len = self.source.text().len();
        match &self.offsets {
            Some(offsets) => offsets.get(character).copied().unwrap_or(len),
            None => character.min(len),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span::new(self.source.clone(), self.byte(span.start.index()), self.byte(span.end.index()))
    }

    fn next(&self, events: &mut Events<'a>) -> Result<(Event<'a>, Span), Diagnostic> {
        match events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(span))),
            Some(Err(error)) => Err(self.explain(&error)),
            None => Ok((Event::StreamEnd, Span::new(self.source.clone(), 0, 0))),
        }
    }

    fn node(
        &mut self,
        events: &mut Events<'a>,
        event: Event<'a>,
        span: Span,
    ) -> Result<Node, Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = scalar(&text, style, tag.as_deref(), &span)?;
                Ok(self.anchored(anchor, Node { span, kind }))
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = vec![];
                let end = loop {
                    match self.next(events)? {
                        (Event::SequenceEnd, end) => break end,
                        (event, span) => items.push(self.node(events, event, span)?),
                    }
                };
                let span = Span::new(self.source.clone(), span.start(), end.end());
                Ok(self.anchored(anchor, Node { span, kind: Kind::Seq(items) }))
            }
            Event::MappingStart(anchor, _) => {
                let (map, end) = self.mapping(events)?;
                let span = Span::new(self.source.clone(), span.start(), end.end());
                Ok(self.anchored(anchor, Node { span, kind: Kind::Map(map) }))
            }
            Event::Alias(id) => self.alias(id, &span),
            _ => Err(Diagnostic::error("this YAML could not be read").at(&span)),
        }
    }

    fn anchored(&mut self, anchor: usize, node: Node) -> Node {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        node
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Node, Diagnostic> {
        let node = self.anchors.get(&id).cloned();
        let node = node.ok_or_else(|| Diagnostic::error("no anchor has this name").at(span))?;
        self.aliased += node.count();
        if self.aliased > MAX_ALIASED {
            return Err(Diagnostic::error("the aliases of this file expand to too much").at(span));
        }
        Ok(node)
    }

    fn mapping(&mut self, events: &mut Events<'a>) -> Result<(Map, Span), Diagnostic> {
        let mut map = Map::new();
        let mut merged: Vec<Map> = vec![];
        loop {
            let (event, span) = match self.next(events)? {
                (Event::MappingEnd, end) => {
                    for (key, value) in merged.into_iter().flatten() {
                        map.entry(key).or_insert(value);
                    }
                    return Ok((map, end));
                }
                other => other,
            };
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, _) if text == "<<");
            let key = self.key(events, event, span)?;
            let (event, span) = self.next(events)?;
            let value = self.node(events, event, span)?;
            if is_merge {
                merged.extend(merge_sources(value)?);
                continue;
            }
            if let Some((first, _)) = map.get_key_value(key.text.as_str()) {
                let words = format!("the key `{}` is given twice; the last one counts", key.text);
                let warning = Diagnostic::warning(words).at(&key.span).label(&first.span, "first here");
                self.warnings.push(warning);
                map.shift_remove(key.text.as_str());
            }
            map.insert(key, value);
        }
    }

    fn key(
        &mut self,
        events: &mut Events<'a>,
        event: Event<'a>,
        span: Span,
    ) -> Result<Key, Diagnostic> {
        let node = self.node(events, event, span)?;
        let text = match &node.kind {
            Kind::Str(text) | Kind::Unsafe(text) => text.clone(),
            Kind::Bool(true) => "True".to_owned(),
            Kind::Bool(false) => "False".to_owned(),
            Kind::Int(number) => number.to_string(),
            Kind::Float(number) => number.to_string(),
            Kind::Null => "None".to_owned(),
            Kind::Map(_) => {
                return Err(Diagnostic::error("a mapping cannot be a key")
                    .at(&node.span)
                    .help("text that starts with {{ must be quoted: \"{{ name }}\""));
            }
            _ => return Err(Diagnostic::error("this cannot be a key").at(&node.span)),
        };
        Ok(Key { text, span: node.span })
    }

    /// The scanner's words, at its place, with what people most often mean by such a text.
    fn explain(&self, error: &ScanError) -> Diagnostic {
        let start = self.byte(error.marker().index());
        let span = Span::new(self.source.clone(), start, (start + 1).min(self.source.text().len()));
        let line_start = self.source.text()[..start].rfind('\n').map_or(0, |i| i + 1);
        let line = self.source.text()[line_start..].lines().next().unwrap_or("");
        let diagnostic = Diagnostic::error(format!("invalid YAML: {}", error.info())).at(&span);
        if line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t') {
            return diagnostic.help("YAML is indented with spaces; a tab is not allowed");
        }
        if line.contains(": {{") || line.contains("- {{") {
            return diagnostic.help("text that starts with {{ must be quoted: \"{{ name }}\"");
        }
        if line.matches(": ").count() > 1 {
            return diagnostic.help("text that holds `: ` must be quoted");
        }
        diagnostic
    }
}

fn merge_sources(value: Node) -> Result<Vec<Map>, Diagnostic> {
    match value.kind {
        Kind::Map(map) => Ok(vec![map]),
        Kind::Seq(items) => {
            let maps = items.into_iter().map(merge_sources).collect::<Result<Vec<_>, _>>()?;
            Ok(maps.into_iter().flatten().collect())
        }
        _ => Err(Diagnostic::error("`<<` merges mappings only").at(&value.span)),
    }
}

fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: &Span,
) -> Result<Kind, Diagnostic> {
    let own = || text.to_owned();
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { resolve(text) } else { Kind::Str(own()) });
    };
    if tag.is_yaml_core_schema() {
        return Ok(match tag.suffix.as_str() {
            "str" => Kind::Str(own()),
            _ => resolve(text),
        });
    }
    match tag.suffix.as_str() {
        "vault" | "vault-encrypted" => Ok(Kind::Vault(own())),
        "unsafe" => Ok(Kind::Unsafe(own())),
        other => Err(Diagnostic::error(format!("unknown tag `!{other}`"))
            .at(span)
            .help("the tags of playbooks are !vault and !unsafe")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        let source = Source::new("t.yml", text);
        load(&source).unwrap().root(&source)
    }

    #[test]
    fn spans_point_at_values() {
        let node = read("a: 1\nbé: [x, \"y\"]\n");
        let items = node.get("bé").unwrap().as_seq().unwrap();
        assert_eq!(items[1].span.to_string(), "t.yml:2:9");
    }

    #[test]
    fn quoted_words_stay_text() {
        assert_eq!(read("\"yes\"").kind, Kind::Str("yes".into()));
        assert_eq!(read("yes").kind, Kind::Bool(true));
    }

    #[test]
    fn merge_keys_do_not_override() {
        let node = read("base: &b {x: 1, y: 2}\nown: {<<: *b, x: 3}\n");
        let own = node.get("own").unwrap();
        assert_eq!(own.get("x").unwrap().kind, Kind::Int(3));
        assert_eq!(own.get("y").unwrap().kind, Kind::Int(2));
    }

    #[test]
    fn a_duplicate_key_warns_with_both_places() {
        let source = Source::new("t.yml", "a: 1\na: 2\n");
        let loaded = load(&source).unwrap();
        assert_eq!(loaded.warnings[0].to_string(), "t.yml:2:1: the key `a` is given twice; the last one counts");
        assert_eq!(loaded.root(&source).get("a").unwrap().kind, Kind::Int(2));
    }

    #[test]
    fn a_template_without_quotes_is_explained() {
        let source = Source::new("t.yml", "a: {{ x }}\n");
        let error = load(&source).unwrap_err();
        assert!(error.help[0].contains("must be quoted"), "{error:?}");
    }

    #[test]
    fn a_tag_of_ansible_is_kept() {
        assert_eq!(read("!unsafe '{{ x }}'").kind, Kind::Unsafe("{{ x }}".into()));
        assert_eq!(read("!vault |\n  $ANSIBLE_VAULT\n").kind, Kind::Vault("$ANSIBLE_VAULT\n".into()));
    }
}
