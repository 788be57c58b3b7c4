//! A template file rendered; a file that is one value and nothing else keeps its type.

use std::sync::Arc;

use minijinja::{Error, Value};
use rplay_diag::Source;

use crate::call::Args;
use crate::context::Context;
use crate::file::{Language, TextOptions};
use crate::python::{text, wrong};
use crate::unknown;
use crate::vars::LookupIo;

/// The options of the language among a lookup's arguments.
fn options(args: &Args) -> Result<TextOptions, Error> {
    let mut options = TextOptions::default();
    for (name, option) in [
        ("trim_blocks", &mut options.trim_blocks),
        ("lstrip_blocks", &mut options.lstrip_blocks),
    ] {
        if let Some(value) = args.named(name) {
            *option = value.is_true();
        }
    }
    for (name, mark) in [
        ("block_start_string", &mut options.block.0),
        ("block_end_string", &mut options.block.1),
        ("variable_start_string", &mut options.variable.0),
        ("variable_end_string", &mut options.variable.1),
        ("comment_start_string", &mut options.comment.0),
        ("comment_end_string", &mut options.comment.1),
    ] {
        if let Some(value) = args.named(name) {
            *mark = text(value)?;
        }
    }
    Ok(options)
}

pub(super) fn found(
    context: &Arc<Context>,
    io: &dyn LookupIo,
    name: &str,
    args: &Args,
) -> Result<Value, Error> {
    let why = |words: String| wrong(format!("the lookup plugin 'template' failed: {words}"));
    let content = super::opened(context, io.read("templates", name).map_err(why)?).map_err(why)?;
    let language = match name.ends_with(".hbs") {
        true => Language::Handlebars,
        false => Language::Jinja,
    };
    let options = options(args)?;
    let vars: Arc<dyn crate::Vars> = match args.named("template_vars") {
        Some(more) => Arc::new(More {
            more: more.clone(),
            rest: context.vars.clone(),
        }),
        None => context.vars.clone(),
    };
    let path = io
        .find("templates", name)
        .map_or_else(|| name.to_owned(), |p| p.display().to_string());
    let vars = io.of_template(&vars, name, std::path::Path::new(&path));
    let rendered = context.templar.file_value(
        &Source::of_file(std::path::Path::new(&path), content),
        language,
        options,
        &vars,
    );
    let (value, touched) = rendered.map_err(crate::context::carried)?;
    if touched.is_empty() {
        return Ok(value);
    }
    unknown::touch(&touched);
    Ok(unknown::value(&touched))
}

/// Variables over others.
#[derive(Debug)]
struct More {
    more: Value,
    rest: Arc<dyn crate::Vars>,
}

impl crate::Vars for More {
    fn get(&self, name: &str) -> Option<crate::Var> {
        let own = self.more.get_attr(name).ok().filter(|v| !v.is_undefined());
        own.map(crate::Var::Value).or_else(|| self.rest.get(name))
    }

    fn names(&self) -> Vec<String> {
        let own = self
            .more
            .try_iter()
            .into_iter()
            .flatten()
            .map(|k| k.to_string());
        own.chain(self.rest.names()).collect()
    }

    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        self.rest.io()
    }
}
