//! The operators that expressions are rewritten to.

use minijinja::{State, Value};

use crate::call::{Args, Callable, Out, lenient};
use crate::context::context_of;
use crate::mutable::mutable;
use crate::operate;
use crate::python::wrong;
use crate::variadic::variadic;

pub(super) const FILTERS: &[Callable] = &[
    lenient(&["__attr"], &["base", "key", "at"], |_, a| key(a)),
    lenient(&["__item"], &["base", "key", "at"], |_, a| key(a)),
    lenient(&["__add"], &["a", "b"], |_, a| {
        operate::add(a.req(0)?, a.req(1)?)
    }),
    lenient(&["__sub"], &["a", "b"], |_, a| {
        operate::sub(a.req(0)?, a.req(1)?)
    }),
    lenient(&["__rem"], &["a", "b"], |_, a| {
        operate::rem(a.req(0)?, a.req(1)?)
    }),
    lenient(&["__concat"], &["a", "b"], |_, a| {
        operate::concat(a.req(0)?, a.req(1)?)
    }),
    lenient(&["__lt"], &["a", "b"], |_, a| {
        operate::compare("<", a.req(0)?, a.req(1)?)
    }),
    lenient(&["__le"], &["a", "b"], |_, a| {
        operate::compare("<=", a.req(0)?, a.req(1)?)
    }),
    lenient(&["__gt"], &["a", "b"], |_, a| {
        operate::compare(">", a.req(0)?, a.req(1)?)
    }),
    lenient(&["__ge"], &["a", "b"], |_, a| {
        operate::compare(">=", a.req(0)?, a.req(1)?)
    }),
    lenient(&["__mutable"], &["value"], |_, a| mutable(a.req(0)?)),
    // The evaluator takes nothing for an empty list.
    lenient(&["__items"], &["value"], |_, a| match a.req(0)? {
        value if value.is_none() => Err(wrong("'NoneType' object is not iterable")),
        value => Ok(value.clone()),
    }),
    lenient(&["__variadic"], &["macro", "params"], |_, a| {
        variadic(a.req(0)?, a.req(1)?)
    }),
    lenient(&["__template"], &["text"], template),
    lenient(&["__template_or_undefined"], &["text"], |state, args| {
        rendered(state, args, true)
    }),
    lenient(&["attr"], &["value", "name"], get_attr),
];

fn template(state: &mut State<'_, '_>, args: &Args) -> Out {
    rendered(state, args, false)
}

/// A literal that is a template; what is undefined in it may be the value.
fn rendered(state: &mut State<'_, '_>, args: &Args, or_undefined: bool) -> Out {
    let text = args.req(0)?.as_str().unwrap_or_default();
    let context = context_of(state)?;
    match context.templar.literal(text, &context) {
        Err(failure) if failure.undefined && or_undefined => Ok(Value::UNDEFINED),
        rendered => rendered.map_err(|failure| wrong(failure.diagnostic.message)),
    }
}

fn key(args: &Args) -> Out {
    let at = args.opt(2).and_then(Value::as_usize).unwrap_or(0);
    operate::key(args.req(0)?, args.req(1)?, at)
}

fn get_attr(_: &mut State<'_, '_>, args: &Args) -> Out {
    operate::key(args.req(0)?, args.req(1)?, 0)
}
