//! Texts compiled once, and run against any variables.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, Expression, Template, UndefinedBehavior, Value};
use rplay_diag::Diagnostic;

use crate::context::Context;
use crate::diagnose::{Place, described};
use crate::file::{TextOptions, ended_as};
use crate::methods;
use crate::missing::Miss;
use crate::mutable;
use crate::python::{printed, valid};
use crate::rewrite::{self, Rewritten, Strings, Templates};

/// A compiled text.
pub(crate) struct Program {
    code: Code,
    rewritten: Rewritten,
    /// How many bytes of the text stand before what was compiled.
    shift: usize,
    /// It changes lists or mappings that variables hold.
    changes: bool,
    /// A newline stands behind the expression, and is kept where its value is text.
    newline: bool,
}

enum Code {
    /// One `{{ expression }}`: its value keeps its type.
    Expression(Expression<'static, 'static>),
    /// Text with templates in it.
    Text(Template<'static, 'static>),
}

/// A text that cannot be compiled, and the part of it that is wrong.
#[derive(Debug)]
pub(crate) struct Broken {
    error: Error,
    range: Option<Range<usize>>,
}

impl Broken {
    fn new(error: Error, shift: usize) -> Self {
        let range = error.range().map(|r| r.start + shift..r.end + shift);
        Self { error, range }
    }

    /// At its place.
    pub(crate) fn diagnostic(&self, place: &Place<'_>) -> Diagnostic {
        let span = match &self.range {
            Some(range) => place.range(range),
            None => place.whole(),
        };
        described(&self.error, &span)
    }
}

thread_local! {
    /// What the text being rendered prints: how many values, and the last of them.
    static PRINTED: RefCell<(usize, Option<Value>)> = const { RefCell::new((0, None)) };
}

impl Program {
    /// A text with templates in it; of one `{{ expression }}` alone the expression.
    pub(crate) fn text(text: &str) -> Result<Self, Broken> {
        // A newline at the end, as of a block scalar, makes no text of a value.
        let (body, newline) = match text.strip_suffix('\n') {
            Some(body) => (body, true),
            None => (text, false),
        };
        if let Some(inner) = whole_expression(body)
            && let Ok(program) = Self::bare(inner, Strings::Raw, Templates::InLookups)
        {
            let shift = inner.as_ptr().addr() - text.as_ptr().addr() + program.shift;
            return Ok(Self {
                shift,
                newline,
                ..program
            });
        }
        Self::template(
            text,
            Strings::Raw,
            environment(),
            TextOptions::default().syntax(),
        )
    }

    /// A bare expression.
    pub(crate) fn expression(text: &str) -> Result<Self, Broken> {
        Self::bare(text, Strings::Escaped, Templates::Anywhere)
    }

    fn bare(text: &str, strings: Strings, templates: Templates) -> Result<Self, Broken> {
        let inner = text.trim();
        let shift = inner.as_ptr().addr() - text.as_ptr().addr();
        let broken = |error| Broken::new(error, shift);
        let rewritten = rewrite::expression(inner, strings, templates).map_err(broken)?;
        let code = environment().compile_expression_owned(rewritten.text.clone());
        let code = code.map_err(|error| Broken::new(error, shift))?;
        Ok(Self {
            code: Code::Expression(code),
            changes: mutable::changes(inner),
            rewritten,
            shift,
            newline: false,
        })
    }

    /// A text of an environment that lives as long as the program, as what is compiled does.
    pub(crate) fn template(
        text: &str,
        strings: Strings,
        env: &'static Environment<'static>,
        syntax: SyntaxConfig,
    ) -> Result<Self, Broken> {
        let broken = |error| Broken::new(error, 0);
        let rewritten = rewrite::template(text, "<text>", strings, syntax).map_err(broken)?;
        let kept: &'static str = Box::leak(rewritten.text.clone().into_boxed_str());
        let code = env
            .template_from_named_str("<text>", kept)
            .map_err(broken)?;
        Ok(Self {
            code: Code::Text(code),
            changes: mutable::changes(text),
            rewritten,
            shift: 0,
            newline: false,
        })
    }

    /// A range of what was compiled as one of the text.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let range = self.rewritten.original(range);
        range.start + self.shift..range.end + self.shift
    }

    /// What was missed, at its place in the text.
    pub(crate) fn placed(&self, mut misses: Vec<Miss>) -> Vec<Miss> {
        for miss in &mut misses {
            if let Miss::Key { offset, .. } = miss {
                *offset += self.shift;
            }
        }
        misses
    }

    /// Its value for these variables.
    pub(crate) fn run(&self, context: &Arc<Context>) -> Result<Value, Error> {
        let names = mutable::names(self.changes, context);
        match &self.code {
            Code::Expression(code) => {
                let value = valid(code.eval(names)?)?;
                Ok(match value.as_str() {
                    Some(text) if self.newline => ended_as("\n", text.to_owned()).into(),
                    _ => value,
                })
            }
            Code::Text(code) => {
                let (text, last) = only_value(|| code.render(names));
                let text = text?;
                // A text that is one value and nothing else keeps its type.
                match last {
                    Some(value) if printed(&value)? == text => Ok(value),
                    _ => Ok(Value::from(ended_as(code.source(), text))),
                }
            }
        }
    }

    /// Its text for these variables.
    pub(crate) fn run_text(&self, context: &Arc<Context>) -> Result<String, Error> {
        match &self.code {
            Code::Text(code) => code.render(mutable::names(self.changes, context)),
            Code::Expression(_) => printed(&self.run(context)?),
        }
    }
}

/// Renders, and tells the value that was printed where it was but one.
pub(crate) fn only_value<T>(render: impl FnOnce() -> T) -> (T, Option<Value>) {
    let outer = PRINTED.take();
    let result = render();
    let (count, last) = PRINTED.replace(outer);
    (result, last.filter(|_| count == 1))
}

/// The inside of a text that is one `{{ expression }}` and nothing else.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    Some(inner.strip_suffix(['-', '+']).unwrap_or(inner))
}

/// The environment with every filter, test and function, and Ansible's whitespace.
pub(crate) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Environment::new();
        env.set_debug(true);
        env.set_syntax(TextOptions::default().syntax());
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        env.set_unknown_method_callback(methods::call);
        env.set_formatter(|out, _, value| {
            // What is undefined without being an error is a branch not taken: `x if false`.
            if value.is_undefined() || value.is_none() {
                return Ok(());
            }
            let text = printed(value)?;
            out.write_str(&text)?;
            PRINTED.with_borrow_mut(|(count, last)| {
                // The text of a macro is the value that it printed.
                let of_macro = |last: &Value| printed(last).is_ok_and(|printed| printed == text);
                if value.as_str().is_none() || !last.as_ref().is_some_and(of_macro) {
                    *count += 1;
                    *last = Some(value.clone());
                }
            });
            Ok(())
        });
        crate::filters::register(&mut env);
        crate::tests_of_values::register(&mut env);
        env
    })
}
