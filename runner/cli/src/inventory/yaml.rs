//! YAML as PyYAML writes it over libyaml: block style, sorted keys, lines folded at 80 columns, a
//! list or mapping that several hosts share written once and pointed at afterwards.

mod scalar;

use std::collections::{HashMap, HashSet};

use rplay_yaml::{Key, Kind, Node};

use super::python;
use super::view::{Part, is_date};
use scalar::Writer;

pub(crate) use scalar::is_timestamp;

/// The text of it.
pub(crate) fn written(part: &Part<'_>) -> String {
    let item = Item::of(part);
    let mut shared = Shared::default();
    shared.look(&item, &mut 0);
    let mut document = Document {
        writer: Writer::default(),
        shared,
    };
    if document.is_empty(&item) {
        document.writer.put("{}");
    } else {
        document.mapping(&item, 0);
    }
    document.writer.line_break();
    document.writer.out
}

/// A list or mapping of a variable: the variable's place and value, and the way into it.
type Ident = (usize, usize, usize, usize, usize, Vec<usize>);

/// A part, or a value of a variable and where in it this is.
struct Item<'a> {
    kind: What<'a>,
    ident: Option<Ident>,
}

enum What<'a> {
    Part(&'a Part<'a>),
    Node(&'a Node),
    Name(&'a str),
}

impl<'a> Item<'a> {
    fn of(part: &'a Part<'a>) -> Self {
        match part {
            Part::Value(key, node) => Self {
                kind: What::Node(node),
                ident: key.and_then(|key| ident(key, node)),
            },
            part => Self {
                kind: What::Part(part),
                ident: None,
            },
        }
    }

    fn below(&self, node: &'a Node, at: usize) -> Self {
        let ident = self.ident.clone().map(|mut ident| {
            ident.5.push(at);
            ident
        });
        Self {
            kind: What::Node(node),
            ident,
        }
    }

    /// The entries of a mapping, sorted; their places are those before.
    fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        let mut entries: Vec<(&str, Self)> = match self.kind {
            What::Part(Part::Table(table)) => {
                let pairs = table.iter();
                pairs
                    .map(|(name, part)| (name.as_str(), Item::of(part)))
                    .collect()
            }
            What::Node(Node {
                kind: Kind::Map(map),
                ..
            }) => {
                let pairs = map.iter().enumerate();
                pairs
                    .map(|(at, (key, node))| (key.text.as_str(), self.below(node, at)))
                    .collect()
            }
            _ => return None,
        };
        entries.sort_by_key(|(name, _)| *name);
        Some(entries)
    }

    fn items(&self) -> Option<Vec<Self>> {
        match self.kind {
            What::Part(Part::Names(names)) => {
                let name = |name: &'a String| Self {
                    kind: What::Name(name),
                    ident: None,
                };
                Some(names.iter().map(name).collect())
            }
            What::Node(Node {
                kind: Kind::Seq(items),
                ..
            }) => {
                let items = items.iter().enumerate();
                Some(items.map(|(at, node)| self.below(node, at)).collect())
            }
            _ => None,
        }
    }
}

fn ident(key: &Key, node: &Node) -> Option<Ident> {
    let place = |span: &rplay_diag::Span| std::sync::Arc::as_ptr(span.source()) as usize;
    (!key.span.source().text().is_empty()).then(|| {
        let (start, end) = (node.span.start(), node.span.end());
        let own = key.span.start();
        (place(&key.span), own, place(&node.span), start, end, vec![])
    })
}

/// What is met more than once, numbered; `None` while it was met once only.
#[derive(Default)]
struct Shared {
    known: HashMap<Ident, Option<usize>>,
    written: HashSet<Ident>,
}

impl Shared {
    fn look(&mut self, item: &Item<'_>, count: &mut usize) {
        let (entries, items) = (item.entries(), item.items());
        if entries.is_none() && items.is_none() {
            return;
        }
        if let Some(ident) = &item.ident {
            match self.known.get_mut(ident) {
                Some(Some(_)) => return,
                Some(number) => {
                    *count += 1;
                    *number = Some(*count);
                    return;
                }
                None => drop(self.known.insert(ident.clone(), None)),
            }
        }
        for (_, inner) in entries.into_iter().flatten() {
            self.look(&inner, count);
        }
        for inner in items.into_iter().flatten() {
            self.look(&inner, count);
        }
    }
}

/// How a shared value is written at this place.
enum Mark {
    None,
    Anchor(usize),
    Alias(usize),
}

struct Document {
    writer: Writer,
    shared: Shared,
}

impl Document {
    fn is_empty(&self, item: &Item<'_>) -> bool {
        item.entries().is_some_and(|all| all.is_empty())
    }

    fn mark(&mut self, item: &Item<'_>) -> Mark {
        let Some(ident) = &item.ident else {
            return Mark::None;
        };
        let Some(Some(number)) = self.shared.known.get(ident) else {
            return Mark::None;
        };
        match self.shared.written.insert(ident.clone()) {
            true => Mark::Anchor(*number),
            false => Mark::Alias(*number),
        }
    }

    fn mapping(&mut self, item: &Item<'_>, indent: usize) {
        for (name, value) in item.entries().unwrap_or_default() {
            self.writer.indent(indent);
            self.writer.key(name);
            self.writer.put(":");
            self.value(&value, indent, true);
        }
    }

    fn sequence(&mut self, items: Vec<Item<'_>>, indent: usize) {
        for item in items {
            self.writer.indent(indent);
            self.writer.dash();
            self.value(&item, indent, false);
        }
    }

    /// A value behind a key or a dash.
    fn value(&mut self, item: &Item<'_>, indent: usize, in_mapping: bool) {
        let (entries, items) = (item.entries(), item.items());
        if entries.is_none() && items.is_none() {
            return self.scalar(item, indent + 2);
        }
        match self.mark(item) {
            Mark::None => {}
            Mark::Anchor(number) => self.writer.word(&format!("&id{number:03}")),
            Mark::Alias(number) => return self.writer.word(&format!("*id{number:03}")),
        }
        match (entries, items) {
            (Some(entries), _) if entries.is_empty() => self.writer.word("{}"),
            (Some(_), _) => self.mapping(item, indent + 2),
            (_, Some(items)) if items.is_empty() => self.writer.word("[]"),
            // A list stands below its key and not beside it.
            (_, items) => {
                let indent = if in_mapping { indent } else { indent + 2 };
                self.sequence(items.unwrap_or_default(), indent);
            }
        }
    }

    fn scalar(&mut self, item: &Item<'_>, indent: usize) {
        let node = match item.kind {
            What::Name(name) => return self.writer.text(name, indent),
            What::Part(Part::Text(text)) => return self.writer.text(text, indent),
            What::Part(_) => return,
            What::Node(node) => node,
        };
        match &node.kind {
            Kind::Null => self.writer.word("null"),
            Kind::Bool(b) => self.writer.word(if *b { "true" } else { "false" }),
            Kind::Int(n) => self.writer.word(&n.to_string()),
            Kind::Float(n) => self.writer.word(&float(*n)),
            Kind::Str(text) if is_date(node) => self.writer.word(&text.replacen('T', " ", 1)),
            Kind::Str(text) | Kind::Unsafe(text) => self.writer.text(text, indent),
            Kind::Vault(text) => self.writer.literal("!vault", text, indent),
            Kind::Seq(_) | Kind::Map(_) => {}
        }
    }
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = python::float(number);
    // YAML 1.1 knows no exponent without a point.
    match text.contains('.') {
        true => text,
        false => text.replacen('e', ".0e", 1),
    }
}
