//! Gathers facts, as a play does at its start.

use futures::future::{BoxFuture, FutureExt};
use rplay_api::{ArgSpec, Args, Doc};

use super::{Action, Call};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "gather_facts",
        aliases: &[],
        summary: "Gathers facts, as a play does at its start",
        description: "Takes what `setup` takes.",
        free_form: None,
        examples: r#"
- gather_facts:
"#,
        returns: &[],
    },
    spec,
    run,
};

/// Arguments of `gather_facts`, beside those of `setup`.
#[derive(Args)]
#[allow(dead_code)]
struct GatherFactsArgs {
    /// Has no meaning here: there is one source of facts.
    parallel: Option<bool>,
}

fn spec() -> Vec<ArgSpec> {
    let setup = rplay_builtin::find("setup").map(rplay_api::Entry::spec);
    let mut spec = GatherFactsArgs::spec();
    spec.extend(setup.unwrap_or_default());
    spec
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    async move {
        let mut args = match call.map() {
            Ok(args) => args,
            Err(early) => return early,
        };
        args.shift_remove("parallel");
        call.run
            .module(call.context, call.host, call.vars, "setup", args)
            .await
    }
    .boxed()
}
