//! A plan as one page: the hosts with their tasks at the side, each diff once with its hosts.
//!
//! The page loads nothing, and says so to the browser. All that comes from a plan is text in it.

use rplay_plan::{End, Entry, Plan, Step};

use super::{Ended, Shared, ends, shared, summary};
use crate::change::change;
use crate::result::known_lines;
use crate::terminal::Look;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The plan as an HTML page.
pub fn as_html(plan: &Plan) -> String {
    let title = format!("Plan: {}", plan.request.playbooks.join(", "));
    let steps: String = plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, s)| step(at, s))
        .collect();
    let nothing = "<p>Nothing to do.</p>".to_owned();
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{summary}. Made {made} by {by}.</p>
<form id="filters">
<input type="search" name="words" placeholder="task, path or text" aria-label="task, path or text">
<label><input type="checkbox" name="changed" checked> changes</label>
<label><input type="checkbox" name="undecided" checked> not decided</label>
<label><input type="checkbox" name="failed" checked> failed</label>
<button type="button" name="fold">fold all</button>
<button type="button" name="unfold">unfold all</button>
<output id="count"></output>
</form>
</header>
<nav aria-label="hosts">
{hosts}</nav>
<main>
{steps}</main>
<script>
{SCRIPT}</script>
</body>
</html>
"#,
        title = escaped(&title),
        summary = escaped(&summary(plan)),
        made = escaped(&plan.made),
        by = escaped(&plan.by),
        hosts = tree(plan),
        steps = if steps.is_empty() { nothing } else { steps },
    )
}

/// The hosts, their tasks, and what each changes.
fn tree(plan: &Plan) -> String {
    let mut text = String::new();
    for host in plan.hosts() {
        let mut inner = String::new();
        let mut counts = Counts::default();
        for (at, step) in plan.steps.iter().enumerate() {
            let mut own = step
                .entries
                .iter()
                .filter(|entry| entry.host == host)
                .peekable();
            if own.peek().is_none() {
                continue;
            }
            let changes = own
                .inspect(|entry| counts.add(entry))
                .flat_map(|entry| &entry.changes);
            let line =
                |planned: &rplay_plan::Planned| format!("<li>{}</li>", escaped(&planned.target()));
            let changes: String = changes.map(line).collect();
            inner.push_str(&format!(
                "<li><a href=\"#step-{at}\">{}</a><ul>{changes}</ul></li>\n",
                escaped(&step.name)
            ));
        }
        let name = escaped(host);
        text.push_str(&format!(
            "<details class=\"host\" data-host=\"{name}\"><summary>{name} {}</summary>\n<ul>\n{inner}</ul></details>\n",
            counts.badges(),
        ));
    }
    text
}

/// What there is of a host, by kind.
#[derive(Default)]
struct Counts {
    changed: usize,
    undecided: usize,
    failed: usize,
}

impl Counts {
    fn add(&mut self, entry: &Entry) {
        self.changed += entry.changes.len();
        match entry.end {
            End::Undecided { .. } => self.undecided += 1,
            End::Failed { .. } | End::Unreachable { .. } => self.failed += 1,
            End::Changed | End::Uncounted | End::Ran => {}
        }
    }

    fn badges(&self) -> String {
        let all = [
            ("changed", "changes", self.changed),
            ("undecided", "not decided", self.undecided),
            ("failed", "failed", self.failed),
        ];
        let some = all.into_iter().filter(|(_, _, count)| *count > 0);
        let badge = |(class, words, count): (&str, &str, usize)| {
            format!("<span class=\"count {class}\" title=\"{words}\">{count}</span>")
        };
        some.map(badge).collect::<Vec<_>>().join(" ")
    }
}

fn step(at: usize, step: &Step) -> String {
    let changes: String = shared(step).iter().map(|one| self::one(one)).collect();
    let ends: String = ends(step).iter().map(ended).collect();
    let kind = if step.handler { "handler" } else { "task" };
    format!(
        "<section id=\"step-{at}\" class=\"step\">\n<h2><small>{kind}</small> {}</h2>\n<p class=\"at\">{} in play {}, {}</p>\n{changes}{ends}</section>\n",
        escaped(&step.name),
        escaped(&step.module),
        escaped(&step.play),
        escaped(&step.at),
    )
}

fn one(one: &Shared<'_>) -> String {
    let body = match &one.change.shown {
        Some(shown) => lines(&change(shown, &Look::plain())),
        None => "<span class=\"mark\">[hidden by no_log]</span>".to_owned(),
    };
    let count = if one.counts {
        ""
    } else {
        " (not counted as changed)"
    };
    article(
        "changed",
        &format!("{}{count}", one.change.target()),
        one.item,
        &one.hosts,
        &format!("<pre>{body}</pre>"),
    )
}

fn ended(one: &Ended<'_>) -> String {
    let (class, title, words) = match one.end {
        End::Changed => ("changed", "would change", String::new()),
        End::Uncounted => ("changed", "would run", String::new()),
        End::Ran => (
            "changed",
            "was run",
            "it says `check_mode: false`".to_owned(),
        ),
        End::Undecided {
            because,
            hint,
            known,
        } => {
            let words = format!("depends on {}", because.join(", "));
            let known = known_lines(known).join("\n");
            let words = format!("{words}\n{}\n{known}", hint.as_deref().unwrap_or_default());
            ("undecided", "not decided", words)
        }
        End::Failed { msg, ignored: true } => ("failed", "failed (ignored)", msg.clone()),
        End::Failed { msg, .. } => ("failed", "failed", msg.clone()),
        End::Unreachable { msg } => ("failed", "unreachable", msg.clone()),
    };
    article(
        class,
        title,
        one.item,
        &one.hosts,
        &format!("<p>{}</p>", escaped(words.trim_end())),
    )
}

fn article(class: &str, title: &str, item: Option<&str>, hosts: &[String], body: &str) -> String {
    let item = item.map(|item| format!(" <i>item {}</i>", escaped(item)));
    let badges: String = hosts
        .iter()
        .map(|h| format!("<b>{}</b> ", escaped(h)))
        .collect();
    format!(
        "<details open class=\"entry {class}\" data-hosts=\"{}\">\n<summary>{}{} <span class=\"hosts\">{}</span></summary>\n{body}</details>\n",
        escaped(&hosts.join("\n")),
        escaped(title),
        item.unwrap_or_default(),
        badges.trim_end(),
    )
}

/// The lines of a change, each in the colour of its sign. The two at the head, which name the path
/// with its state, have one where the state changes.
fn lines(text: &str) -> String {
    let mut all = text.lines();
    let (before, after) = (all.next().unwrap_or_default(), all.next());
    let is_same = after.is_some_and(|after| after.get(4..) == before.get(4..));
    let head = [Some(before), after].into_iter().flatten().map(|line| {
        let is_nothing = line.ends_with(" (absent)");
        let class = if is_same || is_nothing {
            "mark"
        } else {
            class(line)
        };
        (class, line)
    });
    let span =
        |(class, line): (&str, &str)| format!("<span class=\"{class}\">{}</span>", escaped(line));
    head.chain(all.map(|line| (class(line), line)))
        .map(span)
        .collect()
}

/// The class of a line of a diff.
fn class(line: &str) -> &'static str {
    match line.as_bytes().first() {
        Some(b'+') => "add",
        Some(b'-') => "del",
        Some(b'@') => "mark",
        _ => "same",
    }
}

/// Text that is only text, in an element as in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
