//! A plan for the terminal.

use console::Style;
use rplay_plan::{End, Plan, Step};

use super::{Ended, Shared, ends, shared, summary};
use crate::change::change;
use crate::recap::recap;
use crate::result::known_lines;
use crate::terminal::Look;

/// The plan as text.
pub fn as_text(plan: &Plan, look: &Look) -> String {
    let mut text = String::new();
    let mut play = None;
    for step in &plan.steps {
        if play != Some(&step.play) {
            text.push_str(&format!(
                "{}\n",
                look.banner(&format!("PLAY [{}]", step.play))
            ));
            play = Some(&step.play);
        }
        text.push_str(&format!("{}\n", self::step(step, look)));
    }
    let table = recap(&plan.recap, plan.seconds, look);
    text.push_str(&format!("{}\n{table}\n\n", look.banner("PLAN")));
    let line = look.paint(&Style::new().bold(), &format!("plan: {}", summary(plan)));
    text.push_str(&format!("{line}\n"));
    text
}

fn step(step: &Step, look: &Look) -> String {
    let kind = if step.handler { "HANDLER" } else { "TASK" };
    let mut lines = vec![look.banner(&format!("{kind} [{}]", step.name))];
    lines.push(look.paint(&Style::new().dim(), &format!("at {}", step.at)));
    lines.extend(shared(step).iter().map(|one| self::one(one, look)));
    lines.extend(ends(step).iter().map(|one| ended(one, look)));
    lines.join("\n")
}

fn one(one: &Shared<'_>, look: &Look) -> String {
    let body = match &one.change.shown {
        Some(shown) => change(shown, look),
        None => "@@ [hidden by no_log] @@".to_owned(),
    };
    let verb = match one.counts {
        true => "would change",
        false => "would change, and not count as changed",
    };
    let hosts = one.hosts.join(", ");
    let head = format!("{verb}: [{hosts}]{}", item(one.item));
    format!("{body}\n{}", look.paint(&Style::new().yellow(), &head))
}

fn ended(one: &Ended<'_>, look: &Look) -> String {
    let (hosts, item) = (one.hosts.join(", "), item(one.item));
    let (style, text) = match one.end {
        End::Changed => (
            Style::new().yellow(),
            format!("would change: [{hosts}]{item}"),
        ),
        End::Uncounted => (Style::new().yellow(), format!("would run: [{hosts}]{item}")),
        End::Ran => {
            let why = "it says `check_mode: false`";
            (
                Style::new().yellow(),
                format!("was run: [{hosts}]{item}: {why}"),
            )
        }
        End::Undecided {
            because,
            hint,
            known,
        } => {
            let hint = hint.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
            let known = known_lines(known);
            let known: String = known.iter().map(|line| format!("\n{line}")).collect();
            let why = because.join(", ") + &hint + &known;
            (
                Style::new().magenta(),
                format!("not decided: [{hosts}]{item}: depends on {why}"),
            )
        }
        End::Failed { msg, ignored } => {
            let ignored = if *ignored { " (ignored)" } else { "" };
            (
                Style::new().red(),
                format!("failed: [{hosts}]{item}{ignored}: {msg}"),
            )
        }
        End::Unreachable { msg } => (
            Style::new().red().bold(),
            format!("unreachable: [{hosts}]: {msg}"),
        ),
    };
    look.paint(&style, &text)
}

fn item(item: Option<&str>) -> String {
    item.map(|item| format!(" => (item={item})"))
        .unwrap_or_default()
}
