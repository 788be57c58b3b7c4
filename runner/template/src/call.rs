//! How filters, tests and functions of ours take their arguments: by place or by name, as
//! Python's do, with one check for all of them of what is undefined, unknown or too much.

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use rplay_diag::did_you_mean;

use crate::python::{named, text, type_name, valid, wrong};
use crate::unknown;

/// What a filter comes to.
pub(crate) type Out = Result<Value, Error>;

/// A filter, test or function.
#[derive(Clone, Copy)]
pub(crate) struct Callable {
    /// Its names.
    pub names: &'static [&'static str],
    /// Its parameters; `*` takes all further ones, `**` all further ones by name.
    pub params: &'static [&'static str],
    /// What it does.
    pub body: fn(&mut State<'_, '_>, &Args) -> Out,
    /// It decides itself what to do with what is undefined.
    pub lenient: bool,
}

/// A callable that refuses what is undefined.
pub(crate) const fn strict(
    names: &'static [&'static str],
    params: &'static [&'static str],
    body: fn(&mut State<'_, '_>, &Args) -> Out,
) -> Callable {
    Callable {
        names,
        params,
        body,
        lenient: false,
    }
}

/// A callable that is asked about what is undefined as well.
pub(crate) const fn lenient(
    names: &'static [&'static str],
    params: &'static [&'static str],
    body: fn(&mut State<'_, '_>, &Args) -> Out,
) -> Callable {
    Callable {
        names,
        params,
        body,
        lenient: true,
    }
}

/// The arguments of one call.
#[derive(Debug, Default)]
pub(crate) struct Args {
    name: &'static str,
    params: &'static [&'static str],
    slots: Vec<Option<Value>>,
    /// What `*` took.
    pub rest: Vec<Value>,
    /// What `**` took.
    pub more: Vec<(String, Value)>,
}

impl Args {
    /// The arguments of a call that was made in the program, as of `lookup` by the engine.
    pub(crate) fn free(rest: Vec<Value>, more: Vec<(String, Value)>) -> Self {
        Self {
            rest,
            more,
            ..Self::default()
        }
    }

    /// What is called.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// An argument that may be left out.
    pub(crate) fn opt(&self, at: usize) -> Option<&Value> {
        self.slots.get(at)?.as_ref()
    }

    /// An argument that may be left out or `none`.
    pub(crate) fn some(&self, at: usize) -> Option<&Value> {
        self.opt(at).filter(|v| !v.is_none())
    }

    /// An argument that must be there.
    pub(crate) fn req(&self, at: usize) -> Result<&Value, Error> {
        self.opt(at).ok_or_else(|| {
            let param = self.params.get(at).copied().unwrap_or_default();
            wrong(format!("`{}` needs its argument `{param}`", self.name))
        })
    }

    /// A text that must be there.
    pub(crate) fn text(&self, at: usize) -> Result<String, Error> {
        text(self.req(at)?)
    }

    /// A text that may be left out.
    pub(crate) fn opt_text(&self, at: usize) -> Result<Option<String>, Error> {
        self.some(at).map(text).transpose()
    }

    /// A boolean that may be left out.
    pub(crate) fn flag(&self, at: usize, default: bool) -> bool {
        self.some(at).map_or(default, Value::is_true)
    }

    /// An integer that may be left out.
    pub(crate) fn int(&self, at: usize) -> Result<Option<i64>, Error> {
        let Some(value) = self.some(at) else {
            return Ok(None);
        };
        let number = value
            .as_i64()
            .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        match number {
            Some(number) => Ok(Some(number)),
            None => Err(self.wrong_kind(at, "an integer", value)),
        }
    }

    /// A number that must be there.
    pub(crate) fn number(&self, at: usize) -> Result<f64, Error> {
        let value = self.req(at)?;
        f64::try_from(value.clone()).map_err(|_| self.wrong_kind(at, "a number", value))
    }

    /// The items of a list (or keys of a mapping) that must be there.
    pub(crate) fn list(&self, at: usize) -> Result<Vec<Value>, Error> {
        let value = self.req(at)?;
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => items(value),
            _ => Err(self.wrong_kind(at, "a list", value)),
        }
    }

    /// What was given by a name that `**` took.
    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.more.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    fn wrong_kind(&self, at: usize, wanted: &str, got: &Value) -> Error {
        let param = self.params.get(at).copied().unwrap_or_default();
        let name = self.name;
        if at == 0 {
            return wrong(format!("`{name}` takes {wanted}, not {}", named(got)));
        }
        wrong(format!(
            "the argument `{param}` of `{name}` is {wanted}, not {}",
            named(got)
        ))
    }
}

/// The items of a list, the keys of a mapping, the characters of a text; none of them an error.
pub(crate) fn items(value: &Value) -> Result<Vec<Value>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.chars().map(|c| Value::from(c.to_string())).collect());
    }
    iterated(value)?.map(valid).collect()
}

/// As [`items`], what is undefined among them.
pub(crate) fn iterated(value: &Value) -> Result<impl Iterator<Item = Value>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::Plain => {
            value.try_iter()
        }
        ValueKind::Undefined | ValueKind::Invalid => valid(value.clone())?.try_iter(),
        _ => Err(wrong(format!(
            "'{}' object is not iterable",
            type_name(value)
        ))),
    }
}

fn bind(callable: &Callable, given: Vec<Value>, named: &Kwargs) -> Result<Args, Error> {
    let name = callable.names.first().copied().unwrap_or_default();
    let params = callable.params;
    let takes_rest = params.contains(&"*");
    let takes_more = params.contains(&"**");
    let places = params.iter().take_while(|p| !p.starts_with('*')).count();
    let mut args = Args {
        name,
        params,
        slots: vec![None; params.len()],
        ..Args::default()
    };
    for (at, value) in given.into_iter().enumerate() {
        if at < places {
            args.slots[at] = Some(value);
        } else if takes_rest {
            args.rest.push(value);
        } else {
            let most = places.saturating_sub(1);
            return Err(wrong(format!("`{name}` takes at most {most} arguments")));
        }
    }
    for key in named.args() {
        let value = named.get::<Value>(key)?;
        match params.iter().position(|p| *p == key && !p.starts_with('*')) {
            Some(slot) => args.slots[slot] = Some(value),
            None if takes_more => args.more.push((key.to_owned(), value)),
            None => return Err(surplus(name, params, key)),
        }
    }
    Ok(args)
}

fn surplus(name: &str, params: &[&str], key: &str) -> Error {
    let known = params.iter().skip(1).copied();
    let near =
        did_you_mean(key, known).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    wrong(format!("`{name}` takes no argument `{key}`{near}"))
}

/// Calls, unless an argument is unknown or undefined: then the result is.
fn invoke(
    callable: &Callable,
    state: &mut State<'_, '_>,
    given: Vec<Value>,
    named: &Kwargs,
) -> Result<Result<Value, Value>, Error> {
    let args = bind(callable, given, named)?;
    let all = || {
        let more = args.more.iter().map(|(_, v)| v);
        args.slots.iter().flatten().chain(&args.rest).chain(more)
    };
    for value in all() {
        match value.kind() {
            ValueKind::Invalid => drop(valid(value.clone())?),
            ValueKind::Undefined if !callable.lenient => return Ok(Err(Value::UNDEFINED)),
            _ => {}
        }
    }
    if !callable.lenient {
        let origins: Vec<_> = all().filter_map(unknown::origins).flatten().collect();
        if !origins.is_empty() {
            unknown::touch(&origins);
            return Ok(Err(unknown::value(&origins)));
        }
    }
    (callable.body)(state, &args).map(Ok)
}

fn names(callable: &Callable) -> impl Iterator<Item = String> {
    let own = callable.names.iter().map(|n| (*n).to_owned());
    let is_short = |n: &&&str| !n.starts_with("__") && !n.contains('.');
    let full = callable.names.iter().filter(is_short);
    own.chain(full.flat_map(|n| {
        [
            format!("ansible.builtin.{n}"),
            format!("ansible.legacy.{n}"),
        ]
    }))
}

/// Adds filters under their short and full names. What one makes of what is undefined is undefined.
pub(crate) fn add_filters(env: &mut Environment<'static>, all: &'static [Callable]) {
    for callable in all {
        for name in names(callable) {
            env.add_filter(
                name,
                move |state: &mut State<'_, '_>, given: Rest<Value>, named: Kwargs| {
                    invoke(callable, state, given.0, &named)
                        .map(|out| out.unwrap_or_else(|unknown| unknown))
                },
            );
        }
    }
}

/// Adds tests under their short and full names. A test of what is unknown is false, and noted.
pub(crate) fn add_tests(env: &mut Environment<'static>, all: &'static [Callable]) {
    for callable in all {
        for name in names(callable) {
            env.add_test(
                name,
                move |state: &mut State<'_, '_>, given: Rest<Value>, named: Kwargs| match invoke(
                    callable, state, given.0, &named,
                )? {
                    Ok(value) => Ok(value.is_true()),
                    Err(value) if value.is_undefined() => {
                        Err(Error::from(ErrorKind::UndefinedError))
                    }
                    Err(_) => Ok(false),
                },
            );
        }
    }
}

/// Adds functions.
pub(crate) fn add_functions(env: &mut Environment<'static>, all: &'static [Callable]) {
    for callable in all {
        for name in callable.names {
            env.add_function(
                *name,
                move |state: &mut State<'_, '_>, given: Rest<Value>, named: Kwargs| {
                    invoke(callable, state, given.0, &named)
                        .map(|out| out.unwrap_or_else(|unknown| unknown))
                },
            );
        }
    }
}
