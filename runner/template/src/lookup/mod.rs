//! Lookups: what a template asks of the controller. Sources of data are here; lists made of lists
//! in `lists`, files of settings in `tables`, passwords in `password`.

mod first_found;
mod lists;
mod password;
mod sequence;
mod tables;

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use rplay_diag::{Source, did_you_mean};

use crate::call::{Args, items};
use crate::context::Context;
use crate::file::{Language, TextOptions};
use crate::python::{text, wrong};
use crate::vars::LookupIo;
use crate::{missing, unknown, vault};

type Found = Result<Vec<Value>, Error>;

const NAMES: &[&str] = &[
    "cartesian",
    "config",
    "csvfile",
    "dict",
    "env",
    "file",
    "fileglob",
    "first_found",
    "flattened",
    "indexed_items",
    "ini",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "password",
    "pipe",
    "random_choice",
    "sequence",
    "subelements",
    "template",
    "together",
    "unvault",
    "url",
    "varnames",
    "vars",
];

/// A call of `lookup` or, with `list`, of `query`.
pub(crate) fn called(
    context: &Arc<Context>,
    name: &str,
    args: &Args,
    list: bool,
) -> Result<Value, Error> {
    let given = args.rest.iter().chain(args.more.iter().map(|(_, v)| v));
    let origins: Vec<_> = given.filter_map(unknown::origins).flatten().collect();
    if !origins.is_empty() {
        unknown::touch(&origins);
        return Ok(unknown::value(&origins));
    }
    let list = args.named("wantlist").map_or(list, Value::is_true);
    let errors = args.named("errors").map(text).transpose()?;
    let found = match (found(context, name, args), errors.as_deref()) {
        (Err(_), Some("ignore" | "warn")) => {
            return Ok(if list {
                Value::from(Vec::<Value>::new())
            } else {
                Value::from(())
            });
        }
        (found, None | Some("strict" | "ignore" | "warn")) => found?,
        (_, Some(other)) => {
            return Err(wrong(format!(
                "`errors` of a lookup is strict, warn or ignore, not `{other}`"
            )));
        }
    };
    let origins: Vec<_> = found
        .iter()
        .filter_map(unknown::origins)
        .flatten()
        .collect();
    unknown::touch(&origins);
    if list {
        return Ok(found.into());
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        many if many.iter().all(|v| v.as_str().is_some()) => {
            let texts: Vec<_> = many.iter().filter_map(Value::as_str).collect();
            Ok(texts.join(",").into())
        }
        _ => Ok(found.into()),
    }
}

/// A lookup's results.
pub(crate) fn found(context: &Arc<Context>, name: &str, args: &Args) -> Found {
    let name = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name);
    for term in &args.rest {
        if term.is_undefined() && name != "first_found" {
            return Err(minijinja::ErrorKind::UndefinedError.into());
        }
    }
    let terms = &args.rest;
    match name {
        "items" => lists::items(terms),
        "flattened" => lists::flattened(terms),
        "list" => Ok(terms.clone()),
        "dict" => lists::dict(terms),
        "indexed_items" => lists::indexed(terms),
        "together" => lists::together(terms),
        "nested" | "cartesian" => lists::nested(terms),
        "subelements" => lists::subelements(terms),
        "random_choice" => lists::random_choice(terms),
        "sequence" => sequence::found(args),
        "vars" => vars(context, args),
        "varnames" => varnames(context, args),
        other if NAMES.contains(&other) => {
            let io = context.vars.io();
            touching(
                context,
                &*io.ok_or_else(|| wrong("lookups work in a playbook only"))?,
                other,
                args,
            )
        }
        other => {
            let near = did_you_mean(other, NAMES.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(wrong(format!("there is no lookup `{other}`{near}")))
        }
    }
}

/// Lookups that leave the program.
fn touching(context: &Arc<Context>, io: &dyn LookupIo, name: &str, args: &Args) -> Found {
    let each = |f: &dyn Fn(&str) -> Result<Value, Error>| -> Found {
        spread(&args.rest)?
            .iter()
            .map(|term| f(&text(term)?))
            .collect()
    };
    let why = |words: String| wrong(format!("the lookup `{name}` failed: {words}"));
    let failed = |error: Error| why(error.detail().unwrap_or_default().to_owned());
    match name {
        "env" => each(&|n| {
            let found = io
                .env(n)
                .map(Value::from)
                .or_else(|| args.named("default").cloned());
            match found {
                Some(value) if value.is_undefined() => {
                    missing::note(missing::Miss::Name(n.to_owned()));
                    Ok(value)
                }
                found => Ok(found.unwrap_or_else(|| "".into())),
            }
        }),
        "file" => each(&|n| {
            let content = io.read("files", n).map_err(why)?;
            let content = opened(context, content).map_err(why)?;
            let right = args.named("rstrip").is_none_or(Value::is_true);
            let left = args.named("lstrip").is_some_and(Value::is_true);
            let content = if right { content.trim_end() } else { &content };
            Ok(if left { content.trim_start() } else { content }.into())
        }),
        "unvault" => each(&|n| {
            let content = io.read("files", n).map_err(why)?;
            opened(context, content).map(Value::from).map_err(why)
        }),
        "template" => each(&|n| template(context, io, n, args)),
        "pipe" => each(&|n| Ok(io.pipe(n).map_err(why)?.trim_end().into())),
        "lines" => {
            let mut out = vec![];
            for term in spread(&args.rest)? {
                let printed = io.pipe(&text(&term)?).map_err(why)?;
                out.extend(printed.lines().map(|line| Value::from(line.trim_end())));
            }
            Ok(out)
        }
        "fileglob" => {
            let mut out = vec![];
            for term in spread(&args.rest)? {
                let paths = io.glob(&text(&term)?);
                out.extend(paths.iter().map(|p| Value::from(p.display().to_string())));
            }
            Ok(out)
        }
        "first_found" => first_found::found(io, args).map_err(failed),
        "csvfile" => tables::csv(io, args).map_err(failed),
        "ini" => tables::ini(io, args).map_err(failed),
        "password" => password::found(context, io, args).map_err(failed),
        "inventory_hostnames" => {
            let patterns = spread(&args.rest)?
                .iter()
                .map(text)
                .collect::<Result<Vec<_>, _>>()?;
            let hosts = io.hosts(&patterns.join(",")).map_err(why)?;
            Ok(hosts.into_iter().map(Value::from).collect())
        }
        "config" => each(&|n| {
            let default = || args.named("default").cloned();
            io.config(n)
                .or_else(default)
                .ok_or_else(|| why(format!("there is no setting `{n}`")))
        }),
        "url" => {
            let split = args.named("split_lines").is_none_or(Value::is_true);
            let mut out = vec![];
            for term in spread(&args.rest)? {
                let body = io.url(&text(&term)?).map_err(why)?;
                match split {
                    true => out.extend(body.lines().map(Value::from)),
                    false => out.push(body.into()),
                }
            }
            Ok(out)
        }
        other => Err(wrong(format!("there is no lookup `{other}`"))),
    }
}

/// The terms, with lists among them spread out.
fn spread(terms: &[Value]) -> Found {
    let mut out = vec![];
    for term in terms {
        match term.kind() {
            ValueKind::Seq | ValueKind::Iterable => out.extend(items(term)?),
            _ => out.push(term.clone()),
        }
    }
    Ok(out)
}

/// A file's text, decrypted where it is a vault.
fn opened(context: &Arc<Context>, content: String) -> Result<String, String> {
    if !vault::is_vault(&content) {
        return Ok(content);
    }
    let plain = context.templar.vault_keys().decrypt(&content)?;
    context.templar.redactor().register(&plain);
    Ok(plain)
}

fn template(
    context: &Arc<Context>,
    io: &dyn LookupIo,
    name: &str,
    args: &Args,
) -> Result<Value, Error> {
    let why = |words: String| wrong(format!("the lookup `template` failed: {words}"));
    let content = opened(context, io.read("templates", name).map_err(why)?).map_err(why)?;
    let language = match name.ends_with(".hbs") {
        true => Language::Handlebars,
        false => Language::Jinja,
    };
    let flag = |name: &str, default: bool| args.named(name).map_or(default, Value::is_true);
    let options = TextOptions {
        trim_blocks: flag("trim_blocks", true),
        lstrip_blocks: flag("lstrip_blocks", false),
        ..TextOptions::default()
    };
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
    let rendered = context
        .templar
        .file(&Source::new(path, content), language, options, &vars);
    let (text, touched) = rendered.map_err(crate::context::carried)?;
    if touched.is_empty() {
        return Ok(text.into());
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

fn vars(context: &Arc<Context>, args: &Args) -> Found {
    let one = |term: &Value| -> Result<Value, Error> {
        let name = text(term)?;
        match (context.variable(&name), args.named("default")) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(minijinja::ErrorKind::UndefinedError.into()),
        }
    };
    spread(&args.rest)?.iter().map(one).collect()
}

fn varnames(context: &Arc<Context>, args: &Args) -> Found {
    let mut out = vec![];
    for term in spread(&args.rest)? {
        let regex = crate::filters::regex::pattern_of(&text(&term)?, false, false)?;
        let mut names = context.vars.names();
        names.retain(|n| regex.is_match(n).unwrap_or(false));
        out.extend(names.into_iter().map(Value::from));
    }
    Ok(out)
}
