//! What went wrong, with its place: `[ERROR]` and `[WARNING]`.

use rplay_event::{Ended, Status};

use super::AnsibleLook;
use super::shown::Task;

/// The block above a `fatal:` line.
pub(crate) fn failure(ended: &Ended, task: &Task, look: &AnsibleLook) -> String {
    let msg = match &ended.status {
        Status::Failed { msg } | Status::Unreachable { msg } => msg.as_str(),
        _ => "",
    };
    let what = match (&ended.status, task.module.as_str()) {
        (Status::Unreachable { .. }, _) => "",
        (_, "fail" | "assert") => "Action failed: ",
        _ if is_of_a_module(ended) => "Module failed: ",
        _ => "",
    };
    let head = format!("[ERROR]: Task failed: {what}{msg}");
    let drawn = ended.diagnostic.as_deref();
    placed(head, drawn, Some(&task.at), look)
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
fn placed(head: String, drawn: Option<&str>, at: Option<&str>, look: &AnsibleLook) -> String {
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
