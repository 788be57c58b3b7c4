//! A task's results: hosts with the same outcome share a line, hosts with the same diff share it.

use console::Style;
use rplay_event::{Ended, Status};
use rplay_wire::Change;
use serde_json::{Map, Value};

use crate::change::change;
use crate::terminal::Look;

/// The lines for everything that ended in one task, in the order of the first host of each group.
pub(crate) fn results(ended: &[Ended], look: &Look) -> String {
    let mut groups: Vec<(Vec<String>, &Ended)> = vec![];
    for one in ended {
        match groups
            .iter_mut()
            .find(|(_, first)| look.groups && alike(first, one, look))
        {
            Some((hosts, _)) => hosts.push(shown_host(one)),
            None => groups.push((vec![shown_host(one)], one)),
        }
    }
    let lines = groups.iter().map(|(hosts, one)| group(hosts, one, look));
    lines
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether two ends would be drawn alike but for their hosts.
fn alike(a: &Ended, b: &Ended, look: &Look) -> bool {
    a.status == b.status
        && a.item == b.item
        && a.ignored == b.ignored
        && a.changes == b.changes
        && a.diagnostic == b.diagnostic
        && details(a, look) == details(b, look)
}

fn shown_host(ended: &Ended) -> String {
    match &ended.delegated_to {
        Some(to) => format!("{} -> {to}", ended.host),
        None => ended.host.clone(),
    }
}

fn group(hosts: &[String], ended: &Ended, look: &Look) -> String {
    let hosts = hosts.join(", ");
    let item = ended
        .item
        .as_ref()
        .map(|i| format!(" => (item={i})"))
        .unwrap_or_default();
    let mut lines = vec![];
    if look.diff {
        lines.extend(ended.changes.iter().map(|c: &Change| change(c, look)));
    }
    let (style, head) = match &ended.status {
        Status::Ok => (Style::new().green(), format!("ok: [{hosts}]{item}")),
        Status::Changed => (Style::new().yellow(), format!("changed: [{hosts}]{item}")),
        Status::Skipped { .. } if !look.skipped => return lines.join("\n"),
        Status::Skipped { .. } => (Style::new().cyan(), format!("skipping: [{hosts}]{item}")),
        Status::Failed { msg } => (
            Style::new().red(),
            format!("fatal: [{hosts}]: FAILED!{item} => {msg}"),
        ),
        Status::Unreachable { msg } => (
            Style::new().red().bold(),
            format!("fatal: [{hosts}]: UNREACHABLE!{item} => {msg}"),
        ),
        Status::Undecided { because } => {
            let why = because.join(", ");
            (
                Style::new().magenta(),
                format!("not decided: [{hosts}]{item}: depends on {why}"),
            )
        }
    };
    lines.push(look.paint(&style, &head));
    if let Some(drawn) = &ended.diagnostic {
        lines.push(drawn.clone());
    }
    lines.extend(details(ended, look));
    if ended.ignored {
        lines.push(look.paint(&Style::new().cyan(), "...ignoring"));
    }
    lines.join("\n")
}

/// Keys of a failure that say what its message does not.
const TELLING: [&str; 4] = ["rc", "stdout", "stderr", "module_stderr"];

/// The part of a result that is shown at the present verbosity.
fn shown_result(ended: &Ended) -> Map<String, Value> {
    let failed = matches!(ended.status, Status::Failed { .. });
    let keep = |key: &str| failed && TELLING.contains(&key);
    ended
        .result
        .iter()
        .filter(|(key, value)| keep(key) && !matches!(value, Value::String(s) if s.is_empty()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// The texts of a task that is not decided, as far as they are known.
pub(crate) fn known_lines(known: &Map<String, Value>) -> Vec<String> {
    let lines = known.iter().filter_map(|(key, value)| {
        let text = value.as_str()?.trim_end();
        Some(match text.contains('\n') {
            true => format!("    {key}:\n{}", indent(&indent(text))),
            false => format!("    {key}: {text}"),
        })
    });
    lines.collect()
}

fn details(ended: &Ended, look: &Look) -> Vec<String> {
    if let (Status::Undecided { .. }, Some(Value::Object(known))) =
        (&ended.status, ended.result.get("known"))
    {
        return known_lines(known);
    }
    // debug's own keys are its whole point.
    let always = ended
        .result
        .get("_rplay_show")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    if always || look.verbosity > 0 {
        // The item stands in the line above already.
        let named = |key| ended.result.get(key).and_then(Value::as_str);
        let of_loop = ["ansible_loop_var", "ansible_index_var"].map(named);
        let own = ["changed", "failed", "ansible_loop"];
        let framing = |key: &str| {
            let names = key == "ansible_loop_var" || key == "ansible_index_var";
            always && (names || own.contains(&key) || of_loop.contains(&Some(key)))
        };
        let shown: Map<_, _> = ended
            .result
            .iter()
            .filter(|(key, _)| !key.starts_with("_rplay_") && !framing(key))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        return serde_json::to_string_pretty(&shown)
            .map(|text| vec![indent(&text)])
            .unwrap_or_default();
    }
    shown_result(ended)
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => format!("    {key}:\n{}", indent(&indent(text.trim_end()))),
            other => format!("    {key}: {other}"),
        })
        .collect()
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
