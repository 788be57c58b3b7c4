//! Renders nodes, conditions and expressions.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::ValueKind;
use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Kind, Node};

use crate::context::{Context, is_omit};
use crate::diagnose::{Failure, Place};
use crate::file::{Language, TextOptions};
use crate::program::Program;
use crate::redact::Redactor;
use crate::unknown::{self, Origin};
use crate::vars::Vars;
use crate::vault::VaultKeys;
use crate::{missing, python};

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It holds.
    True,
    /// It does not.
    False,
    /// A dry run cannot know: what it depends on.
    Unknown(Vec<Origin>),
}

/// What a condition comes to, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it comes to.
    pub decision: Decision,
    /// Where it stands in braces though it is no text that names the condition.
    pub braces: Vec<Span>,
}

impl From<bool> for Decision {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// Renders. Cheap to clone; what was compiled once is kept.
#[derive(Clone)]
pub struct Templar(Arc<Inner>);

struct Inner {
    texts: RwLock<HashMap<Arc<str>, Arc<Program>>>,
    expressions: RwLock<HashMap<Arc<str>, Arc<Program>>>,
    files: crate::file::Cache,
    redactor: Redactor,
    keys: VaultKeys,
    allow_broken_conditionals: bool,
}

impl fmt::Debug for Templar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Templar")
    }
}

/// Whether a value that came of a template is made whole, so that no error waits in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Whole,
    AsUsed,
}

impl Templar {
    /// A renderer that registers secrets with `redactor` and opens vaults with `keys`.
    pub fn new(redactor: Redactor, keys: VaultKeys, allow_broken_conditionals: bool) -> Self {
        Self(Arc::new(Inner {
            texts: RwLock::default(),
            expressions: RwLock::default(),
            files: crate::file::Cache::default(),
            redactor,
            keys,
            allow_broken_conditionals,
        }))
    }

    /// The secrets known so far.
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// The passwords that open vaults.
    pub fn vault_keys(&self) -> &VaultKeys {
        &self.0.keys
    }

    pub(crate) fn files(&self) -> &crate::file::Cache {
        &self.0.files
    }

    /// A node with every template in it rendered; `"{{ xs }}"` gives a list. Keys whose value is
    /// `omit` are left out. A value that a dry run cannot know is an unknown one.
    ///
    /// # Errors
    /// The first error, at its place.
    pub fn render(&self, node: &Node, vars: &Arc<dyn Vars>) -> Result<Value, Diagnostic> {
        let context = Context::new(self.clone(), vars.clone());
        self.deep(node, &context)
            .map_err(|failure| failure.diagnostic)
    }

    fn deep(&self, node: &Node, context: &Arc<Context>) -> Result<Value, Box<Failure>> {
        match &node.kind {
            Kind::Seq(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.deep(item, context)?;
                    if !is_omit(&value) {
                        values.push(value);
                    }
                }
                Ok(unknown::list(values))
            }
            Kind::Map(map) => {
                let mut values = IndexMap::with_capacity(map.len());
                for (key, item) in map {
                    let value = self.deep(item, context)?;
                    if !is_omit(&value) {
                        // A key is as it is written, as in Ansible.
                        values.insert(key.text.clone(), value);
                    }
                }
                Ok(unknown::map(values))
            }
            Kind::Str(text) if is_template(text) => {
                self.text(text, &Place::Node(node), context, Depth::Whole)
            }
            _ => self.scalar(node, context),
        }
    }

    /// A scalar node as a value.
    pub(crate) fn scalar(
        &self,
        node: &Node,
        context: &Arc<Context>,
    ) -> Result<Value, Box<Failure>> {
        Ok(match &node.kind {
            Kind::Null => Value::from(()),
            Kind::Bool(b) => Value::from(*b),
            Kind::Int(n) => Value::from(*n),
            Kind::Float(n) => Value::from(*n),
            Kind::Unsafe(text) => Value::from(text.as_str()),
            // Text of a playbook is marked, for as long as nothing is made of it: it alone may be
            // an expression where it is used as one.
            Kind::Str(text) if !is_template(text) => Value::from_safe_string(text.clone()),
            Kind::Str(text) => self.text(text, &Place::Node(node), context, Depth::AsUsed)?,
            Kind::Vault(cipher) => Value::from(self.open_vault(cipher, &node.span)?),
            Kind::Seq(_) | Kind::Map(_) => self.deep(node, context)?,
        })
    }

    fn open_vault(&self, cipher: &str, span: &Span) -> Result<String, Diagnostic> {
        let plain = self.0.keys.decrypt(cipher).map_err(|why| {
            Diagnostic::error(format!("this vault secret could not be opened: {why}"))
                .at(span)
                .help("give its password with --vault-password-file or --vault-id")
        })?;
        self.0.redactor.register(&plain);
        Ok(plain)
    }

    /// A text with templates as a value.
    fn text(
        &self,
        text: &str,
        place: &Place<'_>,
        context: &Arc<Context>,
        depth: Depth,
    ) -> Result<Value, Box<Failure>> {
        let program = self.compiled(&self.0.texts, text, place, Program::text)?;
        self.evaluate(&program, text, place, context, depth)
    }

    /// A string literal of an expression, which is a template itself.
    pub(crate) fn literal(
        &self,
        text: &str,
        context: &Arc<Context>,
    ) -> Result<Value, Box<Failure>> {
        let span = Span::synthetic("a text of an expression");
        let place = Place::Text(text, &span);
        self.text(text, &place, context, Depth::AsUsed)
    }

    fn compiled(
        &self,
        cache: &RwLock<HashMap<Arc<str>, Arc<Program>>>,
        text: &str,
        place: &Place<'_>,
        compile: impl FnOnce(&str) -> Result<Program, crate::program::Broken>,
    ) -> Result<Arc<Program>, Diagnostic> {
        if let Some(known) = cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(text)
        {
            return Ok(known.clone());
        }
        let program = Arc::new(compile(text).map_err(|broken| broken.diagnostic(place))?);
        let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.insert(text.into(), program.clone());
        Ok(program)
    }

    fn evaluate(
        &self,
        program: &Program,
        text: &str,
        place: &Place<'_>,
        context: &Arc<Context>,
        depth: Depth,
    ) -> Result<Value, Box<Failure>> {
        let ((result, misses), touched) =
            unknown::watch(|| missing::watch(|| program.run(context)));
        if !touched.is_empty() {
            // Whoever hands the value out notes that.
            return Ok(unknown::value(&touched));
        }
        let (result, misses) = match (result, depth) {
            (Ok(value), Depth::Whole) => {
                // What is known of a list or mapping stays known.
                let ((value, more), touched) = unknown::watch(|| missing::watch(|| whole(value)));
                match value {
                    Err(_) if !touched.is_empty() => return Ok(unknown::value(&touched)),
                    value => (value, if more.is_empty() { misses } else { more }),
                }
            }
            (result, _) => (result, misses),
        };
        result.map_err(|error| {
            let range = error.range().map(|range| program.original(&range));
            let misses = program.placed(misses);
            crate::diagnose::failure(&error, text, range, place, misses, &*context.vars)
        })
    }

    /// A bare expression (`when`, `until`, `that`) as a value.
    ///
    /// # Errors
    /// Where it cannot be evaluated.
    pub fn expression(
        &self,
        text: &str,
        span: &Span,
        vars: &Arc<dyn Vars>,
    ) -> Result<Value, Diagnostic> {
        self.bare(text, &Place::Text(text, span), vars, Depth::Whole)
    }

    fn bare(
        &self,
        text: &str,
        place: &Place<'_>,
        vars: &Arc<dyn Vars>,
        depth: Depth,
    ) -> Result<Value, Diagnostic> {
        let context = Context::new(self.clone(), vars.clone());
        let program = self.compiled(&self.0.expressions, text, place, Program::expression)?;
        self.evaluate(&program, text, place, &context, depth)
            .map_err(|f| f.diagnostic)
    }

    /// A condition: an expression, a bool, or a list of which all must hold.
    ///
    /// # Errors
    /// Where it cannot be evaluated, or is no bool.
    pub fn condition(&self, node: &Node, vars: &Arc<dyn Vars>) -> Result<Decision, Diagnostic> {
        Ok(self.judge(node, vars)?.decision)
    }

    /// As [`Self::condition`]; says where it stands in braces too.
    ///
    /// # Errors
    /// As there.
    pub fn judge(&self, node: &Node, vars: &Arc<dyn Vars>) -> Result<Judged, Diagnostic> {
        let mut braces = vec![];
        let decision = self.weigh(node, vars, &mut braces)?;
        Ok(Judged { decision, braces })
    }

    fn weigh(
        &self,
        node: &Node,
        vars: &Arc<dyn Vars>,
        braces: &mut Vec<Span>,
    ) -> Result<Decision, Diagnostic> {
        let value = match &node.kind {
            Kind::Seq(items) => return self.all(items, vars, braces),
            Kind::Bool(holds) => return Ok((*holds).into()),
            Kind::Null => return Ok(Decision::True),
            Kind::Str(text) if text.trim().is_empty() => {
                if self.0.allow_broken_conditionals {
                    return Ok(Decision::True);
                }
                return Err(
                    Diagnostic::error("Empty conditional expressions are not allowed")
                        .at(&node.span)
                        .help("write an expression, or take the condition away"),
                );
            }
            Kind::Str(text) if is_in_braces(text) => self.indirect(node, vars, braces)?,
            Kind::Str(text) => {
                let value = self.bare(text, &Place::Node(node), vars, Depth::AsUsed);
                value.map_err(|wrong| match Self::is_expression(text) {
                    false if is_template(text) => wrong.help(
                        "a condition is an expression: variables stand in it without `{{ }}`",
                    ),
                    _ => wrong,
                })?
            }
            Kind::Unsafe(text) if !self.0.allow_broken_conditionals => {
                return Err(untrusted(text, &node.span));
            }
            _ => self.render(node, vars)?,
        };
        if let Some(origins) = unknown::origins(&value) {
            return Ok(Decision::Unknown(origins));
        }
        self.decide(&value, node)
    }

    fn is_expression(text: &str) -> bool {
        Program::expression(text).is_ok()
    }

    /// A condition in braces: text that it gives is the condition, where the playbook wrote it.
    fn indirect(
        &self,
        node: &Node,
        vars: &Arc<dyn Vars>,
        braces: &mut Vec<Span>,
    ) -> Result<Value, Diagnostic> {
        let value = self.render(node, vars)?;
        let Some(text) = value.as_str() else {
            braces.push(node.span.clone());
            return Ok(value);
        };
        if value.is_safe() {
            return self.bare(text, &Place::Node(node), vars, Depth::AsUsed);
        }
        if self.0.allow_broken_conditionals {
            return Ok(value);
        }
        Err(untrusted(text, &node.span))
    }

    fn all(
        &self,
        items: &[Node],
        vars: &Arc<dyn Vars>,
        braces: &mut Vec<Span>,
    ) -> Result<Decision, Diagnostic> {
        let mut undecided = vec![];
        for item in items {
            match self.weigh(item, vars, braces)? {
                Decision::True => {}
                Decision::False => return Ok(Decision::False),
                Decision::Unknown(origins) => undecided.extend(origins),
            }
        }
        Ok(if undecided.is_empty() {
            Decision::True
        } else {
            Decision::Unknown(undecided)
        })
    }

    fn decide(&self, value: &Value, node: &Node) -> Result<Decision, Diagnostic> {
        if value.kind() == ValueKind::Bool {
            return Ok(value.is_true().into());
        }
        if self.0.allow_broken_conditionals {
            return Ok(value.is_true().into());
        }
        let shown = python::repr(value).unwrap_or_default();
        let shown: String = self.0.redactor.redact(&shown).chars().take(60).collect();
        let kind = python::type_name(value);
        let words = format!("the condition is `{shown}`, of type {kind}, and not a boolean");
        let instead = match kind {
            "str" => "compare it, or turn it into a boolean with `| bool`",
            "list" | "dict" => "ask for its length: `x | length > 0`",
            "NoneType" => "compare it: `x is not none`",
            _ => "compare it: `x != 0`",
        };
        Err(Diagnostic::error(words).at(&node.span).help(format!(
            "{instead}; ANSIBLE_ALLOW_BROKEN_CONDITIONALS=1 takes any value as true or false"
        )))
    }

    /// A template file as text, with a placeholder for what a dry run cannot know, and the
    /// origins of that.
    ///
    /// # Errors
    /// The first error, at its place in the template.
    pub fn file(
        &self,
        source: &Arc<Source>,
        language: Language,
        options: TextOptions,
        vars: &Arc<dyn Vars>,
    ) -> Result<(String, Vec<Origin>), Diagnostic> {
        let context = Context::new(self.clone(), vars.clone());
        let (text, touched) = unknown::watch(|| match language {
            Language::Handlebars => crate::handlebars::render(source, &context),
            Language::Jinja => crate::file::render(source, options, &context),
        });
        match text {
            Ok(text) => Ok((text, touched)),
            Err(_) if !touched.is_empty() => Ok((unknown::PLACEHOLDER.to_owned(), touched)),
            Err(diagnostic) => Err(diagnostic),
        }
    }

    /// As [`Self::file`]; a file that is one value and nothing else is that value, and one that
    /// prints nothing is none.
    pub(crate) fn file_value(
        &self,
        source: &Arc<Source>,
        language: Language,
        options: TextOptions,
        vars: &Arc<dyn Vars>,
    ) -> Result<(Value, Vec<Origin>), Diagnostic> {
        let (rendered, only) =
            crate::program::only_value(|| self.file(source, language, options, vars));
        let (text, touched) = rendered?;
        let bare = text.strip_suffix('\n').unwrap_or(&text);
        let value = match only {
            // A text is the file's whole text, the end of its last line included.
            Some(value)
                if value.as_str().is_none()
                    && python::printed(&value).is_ok_and(|p| p == bare || p == text) =>
            {
                value
            }
            _ if bare.is_empty() => Value::from(()),
            _ => Value::from(text),
        };
        Ok((value, touched))
    }

    /// As [`Self::render`]; nothing where the node rests on what is undefined.
    ///
    /// # Errors
    /// Any other error, at its place.
    pub fn render_defined(
        &self,
        node: &Node,
        vars: &Arc<dyn Vars>,
    ) -> Result<Option<Value>, Diagnostic> {
        let context = Context::new(self.clone(), vars.clone());
        match self.deep(node, &context) {
            Ok(value) => Ok(Some(value)),
            Err(failure) if failure.undefined => Ok(None),
            Err(failure) => Err(failure.diagnostic),
        }
    }

    /// A lookup's results, as `with_X` has them.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub fn lookup(
        &self,
        name: &str,
        terms: &[Value],
        vars: &Arc<dyn Vars>,
    ) -> Result<Vec<Value>, String> {
        let context = Context::new(self.clone(), vars.clone());
        let args = crate::call::Args::free(terms.to_vec(), vec![]);
        let (found, misses) = missing::watch(|| {
            let found = crate::lookup::looped(&context, name, &args)?;
            found.into_iter().map(whole).collect::<Result<Vec<_>, _>>()
        });
        found.map_err(|error| {
            let span = Span::synthetic(format!("the lookup `{name}`"));
            let place = Place::Text("", &span);
            crate::diagnose::failure(&error, "", None, &place, misses, &**vars)
                .diagnostic
                .message
        })
    }
}

/// A value all of whose parts are rendered, without those that are `omit`.
pub(crate) fn whole(value: Value) -> Result<Value, minijinja::Error> {
    if let Some(all) = value.downcast_object::<Context>() {
        let id = (Arc::as_ptr(&all).addr(), 0);
        let shown = missing::once(id, "vars", || all.shown());
        // What holds itself is shown once.
        return Ok(match shown {
            Ok(shown) => unknown::map(shown.into_iter().collect()),
            Err(words) => Value::from(format!("<< {words} >>")),
        });
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => python::valid(value),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = vec![];
            for item in value.try_iter()? {
                if !is_omit(&item) {
                    items.push(whole(item)?);
                }
            }
            Ok(unknown::list(items))
        }
        ValueKind::Map if unknown::origins(&value).is_none() => {
            let mut pairs = IndexMap::new();
            for key in value.try_iter()? {
                let item = value.get_item(&key)?;
                if !is_omit(&item) {
                    pairs.insert(python::text(&key)?, whole(item)?);
                }
            }
            Ok(unknown::map(pairs))
        }
        _ => Ok(value),
    }
}

/// Whether a text may be a template.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Whether a condition is a template, and not an expression with templates in its literals.
pub fn is_in_braces(text: &str) -> bool {
    let text = text.trim();
    ["{{", "{%", "{#"].iter().any(|open| text.starts_with(open))
        && ["}}", "%}", "#}"].iter().any(|close| text.ends_with(close))
}

/// Data must not be run as code.
fn untrusted(text: &str, span: &Span) -> Diagnostic {
    let words = format!("`{text}` is an untrusted template or expression: it is data");
    Diagnostic::error(words).at(span).help(
        "write the expression itself, compare the text, or turn it into a boolean with `| bool`",
    )
}
