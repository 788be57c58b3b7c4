//! What a number is divided by.

use minijinja::Value;

use crate::call::{Args, Callable, Out, strict};
use crate::operate;

pub(super) const TESTS: &[Callable] = &[
    strict(&["even"], &["value"], |_, a| leaves(a, &2.into(), 0)),
    strict(&["odd"], &["value"], |_, a| leaves(a, &2.into(), 1)),
    strict(&["divisibleby"], &["value", "num"], |_, a| {
        leaves(a, a.req(1)?, 0)
    }),
];

/// Whether a division leaves just that. What has no `%` is an error, and so is text that is no format.
fn leaves(args: &Args, by: &Value, rest: i64) -> Out {
    let left = operate::rem(args.req(0)?, by)?;
    Ok((left == Value::from(rest)).into())
}
