//! Puts hosts into groups by a value.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_vars::Addition;
use serde_json::Map;

use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "group_by",
        aliases: &[],
        summary: "Puts hosts into groups by a value",
        description: "Later plays may name the group in `hosts`.",
        free_form: None,
        examples: r#"
- group_by:
    key: "os_{{ ansible_facts.distribution }}"
"#,
        returns: &[],
    },
    spec: GroupByArgs::spec,
    run,
};

/// Arguments of `group_by`.
#[derive(Args)]
struct GroupByArgs {
    /// The group's name; blanks become `-`.
    key: String,
    /// Groups that it is put below.
    #[arg(default = Vec::new())]
    parents: Vec<String>,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(group(call))).boxed()
}

fn group(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: GroupByArgs = call.args()?;
    let name = args.key.replace(' ', "-");
    let changed = call.run.store.add_host(Addition {
        host: call.host.name.clone(),
        groups: vec![name.clone()],
        parents: args.parents.clone(),
        vars: None,
    });
    // As in Ansible, what is put below nothing is below `all`.
    let parents = match args.parents.as_slice() {
        [] => vec!["all".to_owned()],
        parents => parents.iter().map(|name| name.replace(' ', "-")).collect(),
    };
    Ok(TaskResult::done(changed, Map::new())
        .with("add_group", name)
        .with("parent_groups", parents))
}
