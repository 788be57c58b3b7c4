//! A task's results: hosts with the same outcome share a line, hosts with the same diff share it.

use console::Style;
use indexmap::IndexMap;
use rplay_event::{Ended, Status};
use rplay_wire::Change;
use serde_json::{Map, Value};

use crate::change::change;
use crate::terminal::Look;

/// The lines for everything that ended in one task, in the order of the first host of each group.
pub(crate) fn results(ended: &[Ended], look: &Look) -> String {
    let mut groups: IndexMap<Outline<'_>, (Vec<String>, &Ended)> = IndexMap::new();
    for (place, one) in ended.iter().enumerate() {
        let outline = Outline::of(one, look, place);
        let (hosts, _) = groups.entry(outline).or_insert_with(|| (vec![], one));
        hosts.push(shown_host(one));
    }
    let lines = groups.values().map(|(hosts, one)| group(hosts, one, look));
    lines
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is drawn of an end but for its host: ends with equal ones share a line. Hashed, since ten
/// thousand hosts may each have an end of their own.
#[derive(PartialEq, Eq, Hash)]
struct Outline<'a> {
    status: &'a Status,
    item: Option<&'a str>,
    ignored: bool,
    changes: &'a [Change],
    diagnostic: Option<&'a str>,
    details: Vec<String>,
    /// Its place among all, where no two share a line.
    alone: Option<usize>,
}

impl<'a> Outline<'a> {
    fn of(ended: &'a Ended, look: &Look, place: usize) -> Self {
        Self {
            status: &ended.status,
            item: ended.item.as_deref(),
            ignored: ended.ignored,
            changes: &ended.changes,
            diagnostic: ended.diagnostic.as_deref(),
            details: details(ended, look),
            alone: (!look.groups).then_some(place),
        }
    }
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
