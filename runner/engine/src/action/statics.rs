//! Imports and includes: the loader and the walk carry them out; here is what is said of them.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use serde_json::Value as Json;

use super::{Action, Call};
use crate::result::TaskResult;

/// Arguments of `include_tasks` and `import_tasks`.
#[derive(Args)]
#[allow(dead_code)]
struct TasksArgs {
    /// The file of tasks.
    #[arg(alias = "_raw_params")]
    file: String,
    /// Keywords for the included tasks.
    apply: Option<Json>,
}

/// Arguments of `include_role` and `import_role`.
#[derive(Args)]
#[allow(dead_code)]
struct RoleArgs {
    /// The role.
    #[arg(alias = "role")]
    name: String,
    /// The file of its tasks, instead of `main`.
    tasks_from: Option<String>,
    /// The file of its handlers, instead of `main`.
    handlers_from: Option<String>,
    /// The file of its variables, instead of `main`.
    vars_from: Option<String>,
    /// The file of its defaults, instead of `main`.
    defaults_from: Option<String>,
    /// Keywords for its tasks.
    apply: Option<Json>,
    /// Whether its variables are seen outside of it.
    public: Option<bool>,
    /// Whether it may run again.
    allow_duplicates: Option<bool>,
    /// Whether its argument specification is checked.
    rolespec_validate: Option<bool>,
}

macro_rules! action {
    ($name:ident, $word:literal, $args:ty, $free:expr, $summary:literal, $example:literal) => {
        pub(super) const $name: Action = Action {
            doc: Doc {
                name: $word,
                aliases: &[],
                summary: $summary,
                description: "",
                free_form: $free,
                examples: $example,
                returns: &[],
            },
            spec: <$args>::spec,
            run,
        };
    };
}

action!(
    IMPORT_TASKS,
    "import_tasks",
    TasksArgs,
    Some("file"),
    "Reads tasks of a file before the run",
    "\n- import_tasks: install.yml\n"
);
action!(
    INCLUDE_TASKS,
    "include_tasks",
    TasksArgs,
    Some("file"),
    "Reads tasks of a file when the run gets there",
    "\n- include_tasks: \"{{ ansible_facts.os_family }}.yml\"\n"
);
action!(
    IMPORT_ROLE,
    "import_role",
    RoleArgs,
    None,
    "Reads a role before the run",
    "\n- import_role:\n    name: etcd-tls\n"
);
action!(
    INCLUDE_ROLE,
    "include_role",
    RoleArgs,
    None,
    "Reads a role when the run gets there",
    "\n- include_role:\n    name: etcd-tls\n    tasks_from: verify\n"
);

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    let name = &call.context.task.action.name;
    let words = format!("`{name}` reached a host, which is a bug in rplay");
    ready(
        call.run
            .failure(&Diagnostic::error(words).at(&call.context.task.action.span)),
    )
    .boxed()
}
