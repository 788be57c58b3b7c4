//! Lookups: what a template asks of the controller. Sources of data are here; lists made of lists
//! in `lists`, files of settings in `csv` and `ini`, passwords in `password`.

mod csv;
mod first_found;
mod ini;
mod lists;
mod password;
mod sequence;
mod template;
mod terms;

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use rplay_diag::{Diagnostic, did_you_mean};

use crate::call::{Args, items};
use crate::context::Context;
use crate::python::{named, text, type_name, wrong};
use crate::vars::LookupIo;
use crate::{encoding, missing, plugin, unknown, vault};

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
    if !takes_undefined(short(name)) && args.rest.iter().any(Value::is_undefined) {
        return Ok(Value::UNDEFINED);
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
        [] => Ok(found.into()),
        many if many.iter().all(|v| v.as_str().is_some()) => {
            let texts: Vec<_> = many.iter().filter_map(Value::as_str).collect();
            Ok(texts.join(",").into())
        }
        _ => Ok(found.into()),
    }
}

/// A lookup's name without the collections that mean the same: the two that left Ansible's own go
/// by their short names too.
fn short(name: &str) -> &str {
    let own = ["ansible.builtin.", "ansible.legacy."];
    let own = own.iter().find_map(|prefix| name.strip_prefix(prefix));
    let moved = || {
        let moved = name.strip_prefix("community.general.");
        moved.filter(|name| matches!(*name, "cartesian" | "flattened"))
    };
    own.or_else(moved).unwrap_or(name)
}

/// The lookup that passes over what is undefined.
const FIRST_FOUND: &str = "first_found";

/// Whether a lookup is one of ours.
pub(crate) fn is_ours(name: &str) -> bool {
    NAMES.contains(&short(name))
}

/// Whether a lookup may be given what is undefined; of one that is not ours only it knows.
fn takes_undefined(name: &str) -> bool {
    name == FIRST_FOUND || !NAMES.contains(&name)
}

/// A lookup's results.
pub(crate) fn found(context: &Arc<Context>, name: &str, args: &Args) -> Found {
    let name = short(name);
    for term in &args.rest {
        if term.is_undefined() && !takes_undefined(name) {
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
            if let Some(found) = plugin::lookup(&context.vars, other, args)? {
                return Ok(found);
            }
            let near = did_you_mean(other, NAMES.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(wrong(format!(
                "the lookup plugin '{other}' was not found{near}"
            )))
        }
    }
}

/// A lookup's results, in a loop: a file's name is looked for where the task's own files are.
pub(crate) fn looped(context: &Arc<Context>, name: &str, args: &Args) -> Found {
    match (short(name), context.vars.io()) {
        ("first_found", Some(io)) => first_found::found(&*io, args, io.kind()),
        _ => found(context, name, args),
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
    let why = |words: String| wrong(format!("the lookup plugin '{name}' failed: {words}"));
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
        "template" => each(&|n| template::found(context, io, n, args)),
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
        "first_found" => first_found::found(io, args, "").map_err(failed),
        "csvfile" => csv::found(io, args).map_err(failed),
        "ini" => ini::found(io, args).map_err(failed),
        "password" => password::found(context, io, args).map_err(failed),
        "inventory_hostnames" => {
            let patterns = spread(&args.rest)?
                .iter()
                .map(text)
                .collect::<Result<Vec<_>, _>>()?;
            let hosts = io.hosts(&patterns.join(",")).map_err(why)?;
            Ok(hosts.into_iter().map(Value::from).collect())
        }
        "config" => config(context, io, args).map_err(failed),
        "url" => {
            let split = args.named("split_lines").is_none_or(Value::is_true);
            let options = args.more.iter().map(|(name, value)| {
                let value =
                    crate::to_json(value).map_err(|trouble| wrong(format!("{trouble:?}")))?;
                Ok((name.clone(), value))
            });
            let mut options = options.collect::<Result<serde_json::Map<_, _>, Error>>()?;
            url_settings(context, io, &mut options).map_err(why)?;
            let mut out = vec![];
            for term in spread(&args.rest)? {
                let body = io.url(&text(&term)?, &options).map_err(why)?;
                match split {
                    true => out.extend(body.lines().map(Value::from)),
                    false => out.push(body.into()),
                }
            }
            Ok(out)
        }
        other => Err(wrong(format!("the lookup plugin '{other}' was not found"))),
    }
}

/// Options of `url` that may be set for all of its calls, with the ends of the variables' names.
const URL_SETTINGS: [(&str, &str); 11] = [
    ("force", "force"),
    ("timeout", "timeout"),
    ("http_agent", "agent"),
    ("force_basic_auth", "force_basic_auth"),
    ("follow_redirects", "follow_redirects"),
    ("use_gssapi", "use_gssapi"),
    ("use_netrc", "use_netrc"),
    ("unix_socket", "unix_socket"),
    ("ca_path", "ca_path"),
    ("unredirected_headers", "unredir_headers"),
    ("ciphers", "ciphers"),
];

/// Adds what `ansible_lookup_url_...` or the environment says where the call does not.
fn url_settings(
    context: &Arc<Context>,
    io: &dyn LookupIo,
    options: &mut serde_json::Map<String, serde_json::Value>,
) -> Result<(), String> {
    for (option, end) in URL_SETTINGS {
        if options.contains_key(option) {
            continue;
        }
        let name = format!("ansible_lookup_url_{end}");
        let said = context
            .vars
            .get(&name)
            .and_then(|_| context.variable(&name));
        if let Some(value) = said {
            let json =
                crate::to_json(&value).map_err(|trouble| format!("`{name}`: {trouble:?}"))?;
            options.insert(option.to_owned(), json);
        } else if let Some(text) = io.env(&name.to_uppercase()) {
            options.insert(option.to_owned(), text.into());
        }
    }
    Ok(())
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

/// A file's text in an encoding of its own.
fn decoded(io: &dyn LookupIo, name: &str, encoding: &str) -> Result<String, Error> {
    let content = io.read_bytes("files", name).map_err(wrong)?;
    encoding::decode(&content, encoding)
        .map_err(|why| wrong(format!("the file `{name}` could not be read: {why}")))
}

/// Values of settings.
fn config(context: &Arc<Context>, io: &dyn LookupIo, args: &Args) -> Found {
    let option = |name: &str| args.named(name).map(text).transpose();
    let missing = option("on_missing")?.unwrap_or_else(|| "error".to_owned());
    if !["error", "skip", "warn"].contains(&missing.as_str()) {
        return Err(wrong(format!(
            "Invalid value '{missing}' of `on_missing`: it is error, skip or warn"
        )));
    }
    let plugin = match (option("plugin_type")?, option("plugin_name")?) {
        (None, None) => None,
        (Some(kind), Some(name)) => Some((kind, name)),
        _ => {
            return Err(wrong(
                "Both plugin_type and plugin_name are required, cannot use one without the other",
            ));
        }
    };
    let mut out = vec![];
    for term in spread(&args.rest)? {
        let Some(name) = term.as_str() else {
            return Err(wrong(format!(
                "Invalid setting identifier: a name is a string, not {}",
                named(&term)
            )));
        };
        let plugin = plugin
            .as_ref()
            .map(|(kind, name)| (kind.as_str(), name.as_str()));
        let found = io
            .config(name, plugin, &|name| context.variable(name))
            .map_err(wrong)?;
        match found {
            Some((value, origin)) if args.named("show_origin").is_some_and(Value::is_true) => {
                out.push(Value::from(vec![value, Value::from(origin)]));
            }
            Some((value, _)) => out.push(value),
            None if missing == "error" => {
                return Err(wrong(format!("No config definition exists for '{name}'")));
            }
            None => {}
        }
    }
    Ok(out)
}

fn vars(context: &Arc<Context>, args: &Args) -> Found {
    let one = |term: &Value| -> Result<Value, Error> {
        let Some(name) = term.as_str() else {
            let kind = type_name(term);
            return Err(wrong(format!("Variable name must be 'str' not '{kind}'")));
        };
        let misses = missing::count();
        match (context.variable(name), args.named("default")) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => {
                if context.vars.get(name).is_none() && missing::count() > misses {
                    let words = format!("No variable named '{name}' was found.");
                    missing::note(missing::Miss::Nested {
                        name: name.to_owned(),
                        diagnostic: Diagnostic::error(words),
                    });
                }
                Ok(Value::UNDEFINED)
            }
        }
    };
    spread(&args.rest)?.iter().map(one).collect()
}

fn varnames(context: &Arc<Context>, args: &Args) -> Found {
    let mut out = vec![];
    for term in spread(&args.rest)? {
        let Some(pattern) = term.as_str() else {
            let words = "Invalid setting identifier: a pattern is a string";
            return Err(wrong(format!("{words}, not {}", named(&term))));
        };
        let regex = crate::filters::regex::pattern_of(pattern, false, false).map_err(|e| {
            let why = e.detail().unwrap_or_default().to_owned();
            wrong(format!(
                "Unable to use `{pattern}` as a search pattern: {why}"
            ))
        })?;
        let mut names = context.vars.names();
        names.retain(|n| regex.is_match(n).unwrap_or(false));
        out.extend(names.into_iter().map(Value::from));
    }
    Ok(out)
}
