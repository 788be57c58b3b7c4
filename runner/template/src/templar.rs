//! Renders nodes, conditions and template files.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::{Environment, Error, ErrorKind, Expression, Template, Value};
use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Kind, Node};

use crate::context::{Context, is_omit, lazy};
use crate::diagnose::diagnose;
use crate::jinja;
use crate::redact::Redactor;
use crate::unknown::{self, Origin};
use crate::vars::Vars;
use crate::vault::VaultKeys;

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

/// The language of a template file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `.j2` and whatever is not Handlebars.
    Jinja,
    /// `.hbs`.
    Handlebars,
}

/// Settings of a Jinja template file.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions {
    /// Drop the newline after a statement.
    pub trim_blocks: bool,
    /// Drop the blanks before a statement.
    pub lstrip_blocks: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
        }
    }
}

/// Renders. Cheap to clone; what was compiled once is kept.
#[derive(Clone)]
pub struct Templar(Arc<Inner>);

struct Inner {
    /// Names must be defined.
    strict: &'static Environment<'static>,
    /// Keys of what is undefined are undefined too, for `a.b | default(c)`.
    chaining: &'static Environment<'static>,
    compiled: Mutex<HashMap<String, Arc<Compiled>>>,
    redactor: Redactor,
    keys: VaultKeys,
    allow_broken_conditionals: bool,
}

/// A text, compiled once for each of the two environments.
struct Compiled {
    strict: Program,
    chaining: Program,
}

enum Program {
    /// One `{{ expression }}`: its value keeps its type.
    Expression(Expression<'static, 'static>),
    /// Text with templates in it.
    Text(Template<'static, 'static>),
}

impl fmt::Debug for Templar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Templar")
    }
}

impl Templar {
    /// A renderer that registers secrets with `redactor` and opens vaults with `keys`.
    pub fn new(redactor: Redactor, keys: VaultKeys, allow_broken_conditionals: bool) -> Self {
        // The environments live as long as the program: what they compile may then be kept.
        Self(Arc::new(Inner {
            strict: Box::leak(Box::new(jinja::environment(false))),
            chaining: Box::leak(Box::new(jinja::environment(true))),
            compiled: Mutex::default(),
            redactor,
            keys,
            allow_broken_conditionals,
        }))
    }

    /// The secrets known so far.
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// A text file of the controller, opened where it is a vault.
    ///
    /// # Errors
    /// I/O errors, and a vault that no password opens.
    pub fn read_file(&self, path: &std::path::Path) -> std::io::Result<String> {
        let text = std::fs::read_to_string(path)?;
        if !crate::vault::is_vault(&text) {
            return Ok(text);
        }
        self.0.keys.decrypt(&text).map_err(std::io::Error::other)
    }

    /// A node with every template in it rendered; `"{{ xs }}"` gives a list. Keys whose value is
    /// `omit` are left out. A value that a dry run cannot know is an unknown one.
    ///
    /// # Errors
    /// The first error, at its place.
    pub fn render(&self, node: &Node, vars: &Arc<dyn Vars>) -> Result<Value, Diagnostic> {
        let context = self.context(vars);
        self.deep(node, &context)
    }

    fn context(&self, vars: &Arc<dyn Vars>) -> Arc<Context> {
        Arc::new(Context {
            templar: self.clone(),
            vars: vars.clone(),
        })
    }

    fn deep(&self, node: &Node, context: &Arc<Context>) -> Result<Value, Diagnostic> {
        match &node.kind {
            Kind::Seq(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.deep(item, context)?;
                    if !is_omit(&value) {
                        values.push(value);
                    }
                }
                Ok(Value::from(values))
            }
            Kind::Map(map) => {
                let mut values = IndexMap::with_capacity(map.len());
                for (key, item) in map {
                    let name = if is_template(&key.text) {
                        self.text(&key.text, &key.span, context)?.to_string()
                    } else {
                        key.text.clone()
                    };
                    let value = self.deep(item, context)?;
                    if !is_omit(&value) {
                        values.insert(name, value);
                    }
                }
                Ok(Value::from_pairs(values))
            }
            _ => self.scalar(node, context),
        }
    }

    /// A scalar node as a value.
    pub(crate) fn scalar(&self, node: &Node, context: &Arc<Context>) -> Result<Value, Diagnostic> {
        Ok(match &node.kind {
            Kind::Null => Value::from(()),
            Kind::Bool(b) => Value::from(*b),
            Kind::Int(n) => Value::from(*n),
            Kind::Float(n) => Value::from(*n),
            Kind::Unsafe(text) => Value::from(text.as_str()),
            Kind::Str(text) if !is_template(text) => Value::from(text.as_str()),
            Kind::Str(text) => self.text(text, &node.span, context)?,
            Kind::Vault(cipher) => {
                let plain = self.0.keys.decrypt(cipher).map_err(|why| {
                    Diagnostic::error(format!("this vault secret could not be opened: {why}"))
                        .at(&node.span)
                        .help("give its password with --vault-password-file or --vault-id")
                })?;
                self.0.redactor.register(&plain);
                Value::from(plain)
            }
            Kind::Seq(_) | Kind::Map(_) => lazy(context, node),
        })
    }

    /// A text with templates as a value.
    fn text(&self, text: &str, span: &Span, context: &Arc<Context>) -> Result<Value, Diagnostic> {
        let compiled = self.compile(text, span, &*context.vars, whole_expression(text))?;
        self.evaluate(&compiled, text, span, context)
    }

    fn evaluate(
        &self,
        compiled: &Compiled,
        text: &str,
        span: &Span,
        context: &Arc<Context>,
    ) -> Result<Value, Diagnostic> {
        let ((result, missing), touched) =
            unknown::watch(|| crate::context::missing(|| run(compiled, context)));
        if !touched.is_empty() {
            // Whatever came of it rests on something unknown.
            unknown::touch(&touched);
            return Ok(unknown::value(&touched));
        }
        let value = result.map_err(|error| match missing.first() {
            Some(name)
                if error.kind() == ErrorKind::UndefinedError && text.contains(name.as_str()) =>
            {
                crate::diagnose::missing(name, text, span, &*context.vars)
            }
            _ => diagnose(&error, text, span, &*context.vars),
        })?;
        match missing
            .iter()
            .find(|name| !may_be_missing(text) && !self.is_global(name))
        {
            Some(name) => Err(crate::diagnose::missing(name, text, span, &*context.vars)),
            None => Ok(value),
        }
    }

    fn is_global(&self, name: &str) -> bool {
        self.0.strict.globals().any(|(global, _)| global == name)
    }

    fn compile(
        &self,
        text: &str,
        span: &Span,
        vars: &dyn Vars,
        expression: Option<&str>,
    ) -> Result<Arc<Compiled>, Diagnostic> {
        let key = format!("{}{text}", if expression == Some(text) { "\0" } else { "" });
        let mut known = self
            .0
            .compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(&key) {
            return Ok(compiled.clone());
        }
        let environments = [self.0.strict, self.0.chaining];
        let [strict, chaining] = environments.map(|env| program(env, text, expression));
        let compiled = strict.and_then(|strict| {
            Ok(Compiled {
                strict,
                chaining: chaining?,
            })
        });
        let compiled = Arc::new(compiled.map_err(|error| diagnose(&error, text, span, vars))?);
        known.insert(key, compiled.clone());
        Ok(compiled)
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
        let context = self.context(vars);
        let compiled = self.compile(text, span, &**vars, Some(text))?;
        self.evaluate(&compiled, text, span, &context)
    }

    /// A condition: an expression, a bool, or a list of which all must hold.
    ///
    /// # Errors
    /// Where it cannot be evaluated, or is no bool.
    pub fn condition(&self, node: &Node, vars: &Arc<dyn Vars>) -> Result<Decision, Diagnostic> {
        let value = match &node.kind {
            Kind::Seq(items) => return self.all(items, vars),
            Kind::Str(text) if !is_template(text) => self.expression(text, &node.span, vars)?,
            Kind::Null => return Ok(Decision::True),
            _ => self.render(node, vars)?,
        };
        if let Some(origins) = unknown::origins(&value) {
            return Ok(Decision::Unknown(origins));
        }
        self.decide(&value, node)
    }

    fn all(&self, items: &[Node], vars: &Arc<dyn Vars>) -> Result<Decision, Diagnostic> {
        let mut undecided = vec![];
        for item in items {
            match self.condition(item, vars)? {
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
        let decision = |holds| {
            if holds {
                Decision::True
            } else {
                Decision::False
            }
        };
        if let Ok(holds) = bool::try_from(value.clone()) {
            return Ok(decision(holds));
        }
        if self.0.allow_broken_conditionals {
            return Ok(decision(value.is_true()));
        }
        let shown: String = jinja::text_of(value).chars().take(60).collect();
        let kind = jinja::type_name(value);
        Err(Diagnostic::error(format!("the condition is `{shown}`, of type {kind}, and not a boolean"))
            .at(&node.span)
            .help("compare it (`x is truthy`, `x | length > 0`, `x | bool`), or set ANSIBLE_ALLOW_BROKEN_CONDITIONALS"))
    }

    /// A template file as text; `Err(Ok(..))` where a dry run cannot know it: its known part, with
    /// a placeholder for the rest, and the origins.
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
        let context = self.context(vars);
        let (text, touched) = unknown::watch(|| match language {
            Language::Handlebars => crate::handlebars::render(source, &context),
            Language::Jinja => jinja::render_file(source, options, &context),
        });
        Ok((text?, touched))
    }
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Whether a text says what it does with names that are not there.
fn may_be_missing(text: &str) -> bool {
    ["default", "defined", "| d(", "|d(", "{%"]
        .iter()
        .any(|word| text.contains(word))
}

/// The inside of a text that is one `{{ expression }}` and nothing else.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    Some(inner.strip_suffix('-').unwrap_or(inner))
}

fn program(
    env: &'static Environment<'static>,
    text: &str,
    expression: Option<&str>,
) -> Result<Program, Error> {
    if let Some(inner) = expression {
        let compiled = env.compile_expression_owned(inner.trim().to_owned());
        match compiled {
            Ok(compiled) => return Ok(Program::Expression(compiled)),
            // `{{ a }} and {{ b }}` begins and ends like one expression.
            Err(error) if inner == text || !inner.contains("}}") => return Err(error),
            Err(_) => {}
        }
    }
    // As many texts are kept as the playbooks hold.
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    Ok(Program::Text(env.template_from_str(kept)?))
}

fn run(compiled: &Compiled, context: &Arc<Context>) -> Result<Value, Error> {
    let names = || Value::from_dyn_object(context.clone());
    let once = |program: &Program| match program {
        Program::Expression(expression) => {
            let value = expression.eval(names())?;
            if value.is_undefined() {
                let error = minijinja::ErrorKind::UndefinedError;
                return Err(Error::new(error, "the value is undefined"));
            }
            jinja::valid(value)
        }
        Program::Text(template) => template.render(names()).map(Value::from),
    };
    match once(&compiled.strict) {
        Err(error) if error.kind() == minijinja::ErrorKind::UndefinedError => {
            // `a.b | default(c)` is allowed to go through what is undefined.
            once(&compiled.chaining).map_err(|_| error)
        }
        other => other,
    }
}
