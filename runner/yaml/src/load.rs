//! From text to nodes.

use std::collections::HashMap;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};
use saphyr_parser::{Event, Parser, StrInput};

use crate::pad::Padded;
use crate::{Kind, Map, Node, mistake, tag};

/// As many nodes as aliases may expand to: a bound against a "billion laughs".
const MAX_ALIASED: usize = 100_000;

/// As deep as lists and mappings may nest: a bound against a text that would exhaust the stack.
const MAX_DEPTH: usize = 128;

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
            return Node {
                span: Span::new(source.clone(), 0, 0),
                kind: Kind::Null,
            };
        }
        self.documents.swap_remove(0)
    }
}

/// Reads a text of one document, or of none.
///
/// # Errors
/// The first mistake, with its place and what is likely meant; a second document.
pub fn load(source: &Arc<Source>) -> Result<Loaded, Diagnostic> {
    let loaded = load_all(source)?;
    match loaded.documents.as_slice() {
        [first, second, ..] => Err(Diagnostic::error("this file holds more than one document")
            .label(&second.span, "the second one begins here")
            .label(&first.span.slice(0, 1), "the first one")
            .help("take out the `---` between them, or make two files of it")),
        _ => Ok(loaded),
    }
}

/// Reads a text of any number of documents.
///
/// # Errors
/// The first mistake, with its place and what is likely meant.
pub fn load_all(source: &Arc<Source>) -> Result<Loaded, Diagnostic> {
    let mut padded = Padded::new(source.text());
    loop {
        match read(source, &padded) {
            Ok(loaded) => return Ok(loaded),
            Err(Fault::Diagnostic(diagnostic)) => return Err(*diagnostic),
            Err(Fault::Scan { at, words }) => {
                if !padded.fix(at, &words) {
                    return Err(mistake::explain(source, padded.original(at), &words));
                }
            }
        }
    }
}

/// Why a text could not be read.
pub(crate) enum Fault {
    /// The scanner's words, at its place in the padded text.
    Scan { at: usize, words: String },
    /// Our own.
    Diagnostic(Box<Diagnostic>),
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Diagnostic(Box::new(diagnostic))
    }
}

fn read(source: &Arc<Source>, padded: &Padded) -> Result<Loaded, Fault> {
    let mut loader = Loader::new(source, padded);
    let mut documents = vec![];
    loop {
        match loader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd, _) => {}
            (event, span) => documents.push(loader.node(event, span)?),
        }
    }
    // `---` and nothing, or a comment, is no document of its own.
    if documents.len() > 1 {
        documents
            .retain(|node: &Node| node.kind != Kind::Null || node.span.start() < node.span.end());
    }
    Ok(Loaded {
        documents,
        warnings: loader.warnings,
    })
}

pub(crate) struct Loader<'a> {
    source: &'a Arc<Source>,
    padded: &'a Padded,
    events: Parser<'a, StrInput<'a>>,
    /// Byte offset of each character, where the text is not ASCII.
    offsets: Option<Vec<usize>>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    depth: usize,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl<'a> Loader<'a> {
    fn new(source: &'a Arc<Source>, padded: &'a Padded) -> Self {
        let text = padded.text.as_str();
        Self {
            source,
            padded,
            events: Parser::new_from_str(text),
            offsets: (!text.is_ascii()).then(|| text.char_indices().map(|(i, _)| i).collect()),
            anchors: HashMap::new(),
            aliased: 0,
            depth: 0,
            warnings: vec![],
        }
    }

    /// The byte of the padded text at which a character begins.
    fn byte(&self, character: usize) -> usize {
        let len = self.padded.text.len();
        match &self.offsets {
            Some(offsets) => offsets.get(character).copied().unwrap_or(len),
            None => character.min(len),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
        let (start, end) = (self.padded.original(start), self.padded.original(end));
        // The scanner counts the blanks after a text as its own.
        let written = self.source.text().get(start..end).unwrap_or_default();
        Span::new(self.source.clone(), start, start + written.trim_end().len())
    }

    pub(crate) fn next(&mut self) -> Result<(Event<'a>, Span), Fault> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, self.span(span))),
            Some(Err(error)) => {
                let at = self.byte(error.marker().index());
                Err(Fault::Scan {
                    at,
                    words: error.info().to_owned(),
                })
            }
            None => Ok((Event::StreamEnd, Span::new(self.source.clone(), 0, 0))),
        }
    }

    pub(crate) fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Fault> {
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let kind = tag::scalar(&text, style, tag.as_deref(), &span)?;
                (anchor, Node { span, kind })
            }
            Event::SequenceStart(anchor, tag) => {
                let node = self.nested(&span, Self::sequence)?;
                (anchor, tag::collection(node, tag.as_deref())?)
            }
            Event::MappingStart(anchor, tag) => {
                let node = self.nested(&span, Self::mapping)?;
                (anchor, tag::collection(node, tag.as_deref())?)
            }
            Event::Alias(id) => return self.alias(id, &span),
            _ => {
                return Err(Diagnostic::error("this YAML could not be read")
                    .at(&span)
                    .into());
            }
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn nested(
        &mut self,
        start: &Span,
        read: impl FnOnce(&mut Self) -> Result<(Kind, Span), Fault>,
    ) -> Result<Node, Fault> {
        if self.depth == MAX_DEPTH {
            let words = format!("lists and mappings nest deeper than {MAX_DEPTH} here");
            return Err(Diagnostic::error(words).at(start).into());
        }
        self.depth += 1;
        let (kind, end) = read(self)?;
        self.depth -= 1;
        let end = end_of(&kind, &end).max(start.end());
        Ok(Node {
            span: Span::new(self.source.clone(), start.start(), end),
            kind,
        })
    }

    fn sequence(&mut self) -> Result<(Kind, Span), Fault> {
        let mut items = vec![];
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => return Ok((Kind::Seq(items), end)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<(Kind, Span), Fault> {
        let (map, end) = crate::mapping::read(self)?;
        Ok((Kind::Map(map), end))
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Node, Fault> {
        let node = self.anchors.get(&id).cloned();
        let node = node.ok_or_else(|| {
            Diagnostic::error("this alias stands inside of what it repeats").at(span)
        })?;
        self.aliased += node.count();
        if self.aliased > MAX_ALIASED {
            let words = "the aliases of this file expand to too much";
            return Err(Diagnostic::error(words).at(span).into());
        }
        Ok(node)
    }
}

/// Where a collection ends: at its bracket, or at the end of the last thing in it. (The end of one
/// without brackets is only noticed at whatever comes next.)
fn end_of(kind: &Kind, end: &Span) -> usize {
    let bracket = end.source().text().get(end.start()..end.end());
    if matches!(bracket, Some("]" | "}")) {
        return end.end();
    }
    let inside = |span: &Span| {
        if span.source() == end.source() {
            span.end()
        } else {
            0
        }
    };
    match kind {
        Kind::Seq(items) => items.last().map_or(0, |node| inside(&node.span)),
        Kind::Map(map) => last_in(map, inside),
        _ => end.start(),
    }
}

/// The end of the last key or value: an alias's value stands elsewhere, before its key.
fn last_in(map: &Map, inside: impl Fn(&Span) -> usize) -> usize {
    map.iter()
        .map(|(key, node)| inside(&key.span).max(inside(&node.span)))
        .max()
        .unwrap_or(0)
}
