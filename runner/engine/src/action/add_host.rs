//! Adds a host to the inventory, for later plays.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::Doc;
use rplay_diag::Diagnostic;
use rplay_template::as_data;
use rplay_vars::Addition;
use rplay_yaml::Node;
use serde_json::{Map, Value as Json};

use super::{Action, Call, settled};
use crate::result::TaskResult;
use crate::text::key;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "add_host",
        aliases: &[],
        summary: "Adds a host to the inventory, for later plays",
        description: "Takes `name`, `groups`, and any variables of the host.",
        free_form: None,
        examples: r#"
- add_host:
    name: new.example.com
    groups: [web]
    ansible_port: 2222
"#,
        returns: &[],
    },
    // Any name is a variable of the host.
    spec: Vec::new,
    run,
};

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(add(call))).boxed()
}

fn add(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let mut args = call.map()?;
    let names = ["name", "hostname", "host"];
    let name = names.iter().find_map(|n| args.shift_remove(*n));
    let Some(Json::String(name)) = name else {
        let words =
            Diagnostic::error("`add_host` needs a `name`").at(&call.context.task.action.span);
        return Err(call.run.failure(&words));
    };
    let (name, port) = address(name);
    if let Some(port) = port {
        args.insert("ansible_ssh_port".to_owned(), port.into());
    }
    let groups = ["groups", "group", "groupname"]
        .iter()
        .find_map(|n| args.shift_remove(*n));
    let groups: Vec<String> = match groups {
        Some(Json::Array(items)) => items
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        Some(Json::String(text)) => text.split(',').map(|g| g.trim().to_owned()).collect(),
        _ => vec![],
    };
    let shown = Json::Object(args.clone());
    let span = &call.context.task.action.span;
    let vars = args.iter().map(|(name, value)| {
        let kind = as_data(value, span);
        let span = span.clone();
        (key(name, &span), Node { span, kind })
    });
    let changed = call.run.store.add_host(Addition {
        host: name.clone(),
        groups: groups.clone(),
        parents: vec![],
        vars: Some(vars.collect()),
    });
    let added = serde_json::json!({ "host_name": name, "groups": groups, "host_vars": shown });
    Ok(TaskResult::done(changed, Map::new()).with("add_host", added))
}

/// `name:22` as its parts; an address with more colons is one of IPv6.
fn address(name: String) -> (String, Option<u16>) {
    let split = name
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    match split.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
        Some((host, port)) => (host.trim_matches(['[', ']']).to_owned(), Some(port)),
        None => (name, None),
    }
}
