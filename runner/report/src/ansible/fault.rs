//! What went wrong, with its place: `[ERROR]` and `[WARNING]`.

use std::borrow::Cow;

use rplay_event::{Ended, Status};

use super::AnsibleLook;
use super::shown::{self, Task};

/// The block above a `fatal:` line.
pub(crate) fn failure(ended: &Ended, task: &Task, look: &AnsibleLook) -> String {
    let msg = match &ended.status {
        Status::Failed { msg } | Status::Unreachable { msg } => msg.as_str(),
        _ => "",
    };
    let (msg, raised) = match msg.strip_prefix("Task failed: Module failed: ") {
        Some(msg) => (msg, true),
        None => (msg, false),
    };
    let what = match (&ended.status, task.module.as_str()) {
        (Status::Unreachable { .. }, _) => "",
        (_, "fail" | "assert") => "Action failed: ",
        (_, "debug") if ended.result.contains_key("_rplay_show") => "Action failed: ",
        _ if raised || is_of_a_module(ended) => "Module failed: ",
        _ => "",
    };
    let drawn = ended.diagnostic.as_deref();
    if shown::is_unread(ended, task) {
        let at = drawn.and_then(place_drawn).unwrap_or(&task.at);
        let excerpt = excerpt(at, &ended.quoted);
        return format!(
            "[ERROR]: {msg}\nOrigin: {}\n{excerpt}{}",
            look.place(at),
            helps(drawn)
        );
    }
    let head = format!("[ERROR]: Task failed: {what}{msg}");
    // What is wrong with the task's own words is shown where they stand.
    if what.is_empty() && drawn.is_some() {
        return placed(head, drawn, Some(&task.at), look);
    }
    format!(
        "{head}\nOrigin: {}\n{}{}",
        look.place(&task.at),
        excerpt(&task.at, &task.lines),
        helps(drawn)
    )
}

/// What a drawn diagnostic says to help, a line each.
fn helps(drawn: Option<&str>) -> String {
    let lines = drawn.unwrap_or_default().lines();
    let help =
        lines.filter_map(|line| Some(format!("{}\n", line.trim_start().strip_prefix("= ")?)));
    help.collect()
}

/// `file:line:column` of a drawn diagnostic.
fn place_drawn(drawn: &str) -> Option<&str> {
    drawn
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> "))
}

/// The lines before a place and its own, numbered, with a mark under its column.
fn excerpt(at: &str, lines: &[String]) -> String {
    let mut numbers = at.rsplitn(3, ':').filter_map(|n| n.parse::<usize>().ok());
    let (Some(column), Some(line), false) = (numbers.next(), numbers.next(), lines.is_empty())
    else {
        return String::new();
    };
    let width = line.to_string().len();
    let first = (line + 1).saturating_sub(lines.len());
    let numbered = lines.iter().enumerate();
    let numbered = numbered.map(|(n, text)| {
        let line = format!("{:>width$} {text}", first + n);
        format!("{}\n", shortened(line.trim_end()))
    });
    let mark = " ".repeat(width + column);
    format!(
        "\n{}{mark}^ column {column}\n",
        numbered.collect::<String>()
    )
}

/// A line as it is quoted: a long one is cut.
fn shortened(line: &str) -> Cow<'_, str> {
    const MOST: usize = 120;
    match line.char_indices().nth(MOST) {
        None => line.into(),
        Some(_) => {
            let kept: String = line.chars().take(MOST - 3).collect();
            format!("{kept}...").into()
        }
    }
}

/// Whether a module said so, and not the task's own words.
fn is_of_a_module(ended: &Ended) -> bool {
    let own = ["changed", "failed", "msg", "attempts", "ansible_loop_var"];
    let item = ended
        .result
        .get("ansible_loop_var")
        .and_then(|v| v.as_str());
    let more = |key: &String| !own.contains(&key.as_str()) && Some(key.as_str()) != item;
    ended.diagnostic.is_none() || ended.result.keys().any(more)
}

/// A warning or error that belongs to no task.
pub fn notice(text: &str, drawn: Option<&str>, error: bool, look: &AnsibleLook) -> String {
    let word = if error { "ERROR" } else { "WARNING" };
    placed(format!("[{word}]: {text}"), drawn, None, look)
}

/// A head, its origin, and the lines of the source that were drawn.
pub(super) fn placed(
    head: String,
    drawn: Option<&str>,
    at: Option<&str>,
    look: &AnsibleLook,
) -> String {
    let mut lines = drawn.unwrap_or_default().lines().skip(1).peekable();
    // What the message says on more lines stands there already.
    while lines
        .next_if(|line| !line.trim_start().starts_with("--> "))
        .is_some()
    {}
    let drawn_at = lines
        .next()
        .and_then(|line| line.trim_start().strip_prefix("--> "));
    let Some(at) = drawn_at.or(at) else {
        return head;
    };
    let mut out = format!("{head}\nOrigin: {}\n", look.place(at));
    for line in lines {
        out.push('\n');
        out.push_str(line);
    }
    if drawn_at.is_some() {
        out.push('\n');
    }
    out
}
