//! How a task's result ended.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::call::{Args, Callable, Out, lenient, strict};
use crate::python::{named, valid, wrong};
use crate::unknown;

pub(super) const TESTS: &[Callable] = &[
    strict(
        &["success", "succeeded", "successful"],
        &["result"],
        |_, a| flag(a, "failed").map(not),
    ),
    strict(&["failed", "failure"], &["result"], |_, a| {
        flag(a, "failed")
    }),
    strict(&["changed", "change"], &["result"], |_, a| changed(a)),
    // A result whose other parts are unknown is known to have run.
    lenient(&["skipped", "skip"], &["result"], |_, a| flag(a, "skipped")),
    strict(&["unreachable"], &["result"], |_, a| flag(a, "unreachable")),
    strict(&["reachable"], &["result"], |_, a| {
        flag(a, "unreachable").map(not)
    }),
    strict(&["finished"], &["result"], |_, a| job(a, "finished")),
    strict(&["started"], &["result"], |_, a| job(a, "started")),
    strict(&["timedout"], &["result"], timedout),
];

fn not(value: Value) -> Value {
    (!value.is_true()).into()
}

fn result(args: &Args) -> Result<&Value, minijinja::Error> {
    let value = args.req(0)?;
    valid(value.clone())?;
    match value.kind() {
        ValueKind::Map => Ok(value),
        _ => Err(wrong(format!(
            "this test takes the result of a task, not {}",
            named(value)
        ))),
    }
}

fn flag(args: &Args, key: &str) -> Out {
    let result = result(args)?;
    if unknown::origins(result).is_some() {
        return Ok(false.into());
    }
    Ok(result.get_attr(key)?.is_true().into())
}

/// What is no job in the background is done when it is looked at.
fn job(args: &Args, key: &str) -> Out {
    if result(args)?.get_attr(key)?.is_undefined() {
        return Ok(true.into());
    }
    flag(args, key)
}

/// Of a loop's result: whether one of its items changed something.
fn changed(args: &Args) -> Out {
    let result = result(args)?;
    let found = result.get_attr("changed")?;
    if !found.is_undefined() {
        return Ok(found.is_true().into());
    }
    let results = result.get_attr("results")?;
    if !matches!(results.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(false.into());
    }
    let any = results
        .try_iter()?
        .any(|r| r.get_attr("changed").is_ok_and(|c| c.is_true()));
    Ok(any.into())
}

fn timedout(_: &mut minijinja::State<'_, '_>, args: &Args) -> Out {
    let found = result(args)?.get_attr("timedout")?;
    if found.kind() == ValueKind::Map {
        return Ok(found.get_attr("period")?.is_true().into());
    }
    Ok(found.is_true().into())
}
