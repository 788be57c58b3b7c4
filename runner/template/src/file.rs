//! Jinja template files: Ansible's whitespace, the `#jinja2:` header, files that read others.

use std::collections::HashMap;
use std::error::Error as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};
use rplay_diag::{Diagnostic, Source, Span};

use crate::context::Context;
use crate::diagnose::{Place, failure};
use crate::missing;
use crate::program::{Program, environment};
use crate::rewrite::{self, Rewritten, Strings};

/// The language of a template file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `.j2` and whatever is not Handlebars.
    Jinja,
    /// `.hbs`.
    Handlebars,
}

/// Settings of a Jinja template file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextOptions {
    /// Drop the newline after a statement.
    pub trim_blocks: bool,
    /// Drop the blanks before a statement.
    pub lstrip_blocks: bool,
    /// Keep the newline at the end even where what is printed before it ends in one.
    pub keep_trailing_newline: bool,
    /// What ends a line of the result: `\n`, `\r` or `\r\n`.
    pub newline_sequence: &'static str,
    /// `{{` and `}}`.
    pub variable: (String, String),
    /// `{%` and `%}`.
    pub block: (String, String),
    /// `{#` and `#}`.
    pub comment: (String, String),
    /// What a line that is a statement begins with.
    pub line_statement: Option<String>,
    /// What a comment to the end of a line begins with.
    pub line_comment: Option<String>,
}

impl Default for TextOptions {
    fn default() -> Self {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: "\n",
            variable: pair("{{", "}}"),
            block: pair("{%", "%}"),
            comment: pair("{#", "#}"),
            line_statement: None,
            line_comment: None,
        }
    }
}

impl TextOptions {
    fn checked_syntax(&self) -> Result<SyntaxConfig, Error> {
        let mut builder = SyntaxConfig::builder();
        if let Some(prefix) = &self.line_statement {
            builder.line_statement_prefix(prefix.clone());
        }
        if let Some(prefix) = &self.line_comment {
            builder.line_comment_prefix(prefix.clone());
        }
        builder
            .keep_trailing_newline(self.keep_trailing_newline)
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            .variable_delimiters(self.variable.0.clone(), self.variable.1.clone())
            .block_delimiters(self.block.0.clone(), self.block.1.clone())
            .comment_delimiters(self.comment.0.clone(), self.comment.1.clone())
            .build()
    }

    /// For Jinja's own delimiters.
    pub(crate) fn syntax(&self) -> SyntaxConfig {
        self.checked_syntax()
            .expect("bug: Jinja's own delimiters are good")
    }

    /// Takes one setting of a header: `trim_blocks:False`.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let value = value.trim();
        let text = || value.trim_matches(['\'', '"']).to_owned();
        let flag = || match value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(format!("`{value}` is neither `True` nor `False`")),
        };
        match name.trim() {
            "trim_blocks" => self.trim_blocks = flag()?,
            "lstrip_blocks" => self.lstrip_blocks = flag()?,
            "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
            "variable_start_string" => self.variable.0 = text(),
            "variable_end_string" => self.variable.1 = text(),
            "block_start_string" => self.block.0 = text(),
            "block_end_string" => self.block.1 = text(),
            "comment_start_string" => self.comment.0 = text(),
            "comment_end_string" => self.comment.1 = text(),
            "line_statement_prefix" => self.line_statement = Some(text()),
            "line_comment_prefix" => self.line_comment = Some(text()),
            "newline_sequence" => {
                self.newline_sequence = match text().as_str() {
                    "\\n" | "\n" => "\n",
                    "\\r" | "\r" => "\r",
                    "\\r\\n" | "\r\n" => "\r\n",
                    other => return Err(format!("`{other}` ends no line")),
                };
            }
            other => return Err(format!("there is no setting `{other}` of a template")),
        }
        Ok(())
    }
}

/// Templates compiled once, by their settings and text.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<Key, Arc<Program>>>);

/// A file's settings and text.
type Key = (TextOptions, Arc<str>);

/// A template file as text.
pub(crate) fn render(
    source: &Arc<Source>,
    options: TextOptions,
    context: &Arc<Context>,
) -> Result<String, Diagnostic> {
    let (options, skipped) = header(source, options)?;
    let place = Place::File(source, skipped);
    let text = &source.text()[skipped..];
    let (rendered, misses) = missing::watch(|| {
        if rewrite::reads_others(text) && context.vars.io().is_some() {
            with_others(source, skipped, &options, context)
        } else {
            alone(text, &options, place, context)
        }
    });
    let text = rendered.map_err(|failed| match failed {
        Failed::Said(diagnostic) => diagnostic,
        Failed::At {
            error,
            source: at,
            skipped,
            rewritten,
        } => {
            let innermost = innermost(&error);
            let range = innermost.range().map(|range| rewritten(&range));
            let text = &at.text()[skipped..];
            failure(
                innermost,
                text,
                range,
                &Place::File(&at, skipped),
                misses,
                &*context.vars,
            )
            .diagnostic
        }
    })?;
    let text = ended_as(&source.text()[skipped..], text);
    Ok(if options.newline_sequence == "\n" {
        text
    } else {
        text.replace('\n', options.newline_sequence)
    })
}

/// A rendered text with at least the newlines at its end that its template has: Jinja drops one.
pub(crate) fn ended_as(template: &str, mut rendered: String) -> String {
    let newlines = |text: &str| text.len() - text.trim_end_matches('\n').len();
    let missing = newlines(template).saturating_sub(newlines(&rendered));
    rendered.extend(std::iter::repeat_n('\n', missing));
    rendered
}

type Back = Box<dyn Fn(&std::ops::Range<usize>) -> std::ops::Range<usize>>;

enum Failed {
    Said(Diagnostic),
    At {
        error: Error,
        source: Arc<Source>,
        skipped: usize,
        rewritten: Back,
    },
}

fn alone(
    text: &str,
    options: &TextOptions,
    place: Place<'_>,
    context: &Arc<Context>,
) -> Result<String, Failed> {
    let Place::File(source, skipped) = place else {
        return Err(Failed::Said(Diagnostic::error(
            "bug: a template file has a source",
        )));
    };
    let key = (options.clone(), Arc::from(text));
    let cache = &context.templar.files().0;
    let known = cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    let program = match known {
        Some(program) => program,
        None => {
            let (env, syntax) = of_options(options).map_err(|e| bad_options(&e, source))?;
            let program = Program::template(text, Strings::Escaped, env, syntax)
                .map_err(|broken| Failed::Said(broken.diagnostic(&place)))?;
            let program = Arc::new(program);
            cache
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, program.clone());
            program
        }
    };
    program.run_text(context).map_err(|error| Failed::At {
        error,
        source: source.clone(),
        skipped,
        rewritten: Box::new(move |range| program.original(range)),
    })
}

fn bad_options(error: &Error, source: &Arc<Source>) -> Failed {
    let words = format!("the delimiters of this template are not good: {error}");
    Failed::Said(Diagnostic::error(words).at(&Span::new(source.clone(), 0, 0)))
}

/// The environment of these settings, made once.
fn of_options(
    options: &TextOptions,
) -> Result<(&'static Environment<'static>, SyntaxConfig), Error> {
    static KNOWN: OnceLock<Mutex<HashMap<TextOptions, &'static Environment<'static>>>> =
        OnceLock::new();
    let syntax = options.checked_syntax()?;
    if *options == TextOptions::default() {
        return Ok((environment(), syntax));
    }
    let known = KNOWN.get_or_init(Mutex::default);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let env = *known.entry(options.clone()).or_insert_with(|| {
        let mut env = environment().clone();
        env.set_syntax(syntax.clone());
        Box::leak(Box::new(env))
    });
    Ok((env, syntax))
}

/// A file that was read by another: its source, and the way back to it.
type Others = Arc<Mutex<HashMap<String, (Arc<Source>, Arc<Rewritten>)>>>;

/// A template that includes, imports or extends others, which are looked for as its own task's.
fn with_others(
    source: &Arc<Source>,
    skipped: usize,
    options: &TextOptions,
    context: &Arc<Context>,
) -> Result<String, Failed> {
    let text = &source.text()[skipped..];
    let (env, syntax) = of_options(options).map_err(|e| bad_options(&e, source))?;
    let mut env = env.clone();
    let others = Others::default();
    load_from(&mut env, source, options, &syntax, context, others.clone());
    let rewritten =
        rewrite::template(text, source.name(), Strings::Escaped, syntax).map_err(|error| {
            Failed::At {
                error,
                source: source.clone(),
                skipped,
                rewritten: Box::new(std::clone::Clone::clone),
            }
        })?;
    let rewritten = Arc::new(rewritten);
    env.template_from_named_str(source.name(), &rewritten.text)
        .and_then(|template| template.render(crate::mutable::names(true, context)))
        .map_err(|error| {
            let name = innermost(&error).name().unwrap_or_default().to_owned();
            let others = others.lock().unwrap_or_else(PoisonError::into_inner);
            let (source, skipped, rewritten) = match others.get(&name) {
                Some((source, rewritten)) => (source.clone(), 0, rewritten.clone()),
                None => (source.clone(), skipped, rewritten.clone()),
            };
            let rewritten: Back = Box::new(move |range| rewritten.original(range));
            Failed::At {
                error,
                source,
                skipped,
                rewritten,
            }
        })
}

fn load_from(
    env: &mut Environment<'_>,
    source: &Arc<Source>,
    options: &TextOptions,
    syntax: &SyntaxConfig,
    context: &Arc<Context>,
    others: Others,
) {
    let Some(io) = context.vars.io() else { return };
    let dir = Path::new(source.name())
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    let (syntax, options) = (syntax.clone(), options.clone());
    env.set_loader(move |name| {
        let beside = dir.join(name);
        let read = io.read("templates", name);
        let Ok(text) = read.or_else(|_| io.read("templates", &beside.to_string_lossy())) else {
            return Ok(None);
        };
        let source = Source::new(name, text);
        // A header of its own is not part of its text; its settings are those of the first file.
        let skipped = header(&source, options.clone()).map_or(0, |(_, skipped)| skipped);
        let source = match skipped {
            0 => source,
            _ => Source::new(name, &source.text()[skipped..]),
        };
        let rewritten = Arc::new(rewrite::template(
            source.text(),
            name,
            Strings::Escaped,
            syntax.clone(),
        )?);
        let text = rewritten.text.clone();
        let mut others = others.lock().unwrap_or_else(PoisonError::into_inner);
        others.insert(name.to_owned(), (source, rewritten));
        Ok(Some(text))
    });
}

/// The error that the others are about.
fn innermost(error: &Error) -> &Error {
    let inner = error
        .source()
        .and_then(|source| source.downcast_ref::<Error>());
    match inner {
        Some(inner) if error.kind() != ErrorKind::InvalidOperation => innermost(inner),
        _ => error,
    }
}

/// The settings of a first line `#jinja2: trim_blocks:False`, and where the text after it begins.
fn header(
    source: &Arc<Source>,
    mut options: TextOptions,
) -> Result<(TextOptions, usize), Diagnostic> {
    const MARK: &str = "#jinja2:";
    let text = source.text();
    let Some(rest) = text.strip_prefix(MARK) else {
        return Ok((options, 0));
    };
    let line = rest.lines().next().unwrap_or_default();
    let mut at = MARK.len();
    for setting in line.split(',') {
        let span = Span::new(source.clone(), at, at + setting.len());
        at += setting.len() + 1;
        let Some((name, value)) = setting.split_once(':') else {
            let words = format!("Missing key-value separator `:` in `{}`", setting.trim());
            return Err(Diagnostic::error(words)
                .at(&span)
                .help("write `#jinja2: trim_blocks: False`"));
        };
        options
            .set(name, value)
            .map_err(|why| Diagnostic::error(why).at(&span))?;
    }
    let skipped = text.find('\n').map_or(text.len(), |at| at + 1);
    Ok((options, skipped))
}
