//! A change as Ansible shows it: content as a unified diff, properties as a diff of their JSON.

use rplay_wire::{Change, Diff, State, Target};
use serde_json::{Map, Value};
use similar::TextDiff;

use super::dump;
use super::paint::Ink;

/// The lines of a change, each with its line end; none where nothing of it can be shown.
pub(crate) fn change(change: &Change, colour: bool) -> String {
    let (mut before, mut after) = properties(change);
    let mut lines = vec![];
    match (&change.diff, &change.target) {
        (Some(diff), Target::File(path)) => {
            content(change, diff, path, &mut lines);
            // The content tells that a file came or went.
            if change.before.is_none() || change.after.is_none() {
                before.clear();
                after.clear();
            }
        }
        (Some(diff), other) => content(change, diff, other.parts().1, &mut lines),
        (None, _) => {}
    }
    if before != after {
        named(&mut before, &change.target);
        named(&mut after, &change.target);
        let (before, after) = (block(&before), block(&after));
        let diff = TextDiff::from_lines(&before, &after);
        lines.extend(["--- before".to_owned(), "+++ after".to_owned()]);
        let hunks = diff.unified_diff().context_radius(3).to_string();
        lines.extend(hunks.lines().map(str::to_owned));
        lines.push(String::new());
    }
    painted(&lines, colour)
}

fn content(change: &Change, diff: &Diff, path: &str, lines: &mut Vec<String>) {
    let side = |word: &str, there: bool| match there {
        true => format!("{word}: {path}"),
        false => word.to_owned(),
    };
    // What a program prepared has its own head, and its own end.
    if let Diff::Text(text) = diff
        && text.starts_with("--- ")
    {
        return lines.extend(text.lines().map(str::to_owned));
    }
    lines.push(format!("--- {}", side("before", change.before.is_some())));
    lines.push(format!("+++ {}", side("after", change.after.is_some())));
    match diff {
        Diff::Text(text) => lines.extend(text.lines().map(str::to_owned)),
        Diff::Binary { before, after } => {
            for (sign, side) in [('-', before), ('+', after)] {
                if let Some((size, sha256)) = side {
                    lines.push(format!("{sign}binary, {size} bytes, sha256 {sha256}"));
                }
            }
        }
        Diff::Secret => lines.push("@@ [secret] @@".to_owned()),
    }
    lines.push(String::new());
}

/// What differs in the properties, before and after.
fn properties(change: &Change) -> (State, State) {
    let absent = || State::from([("state".to_owned(), "absent".to_owned())]);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let differs = |key: &String| before.get(key) != after.get(key);
            let pick = |state: &State| {
                let pairs = state.iter().filter(|(key, _)| differs(key));
                pairs.map(|(k, v)| (k.clone(), v.clone())).collect()
            };
            (pick(before), pick(after))
        }
        (None, Some(after)) => {
            let mut after = after.clone();
            after
                .entry("state".to_owned())
                .or_insert_with(|| "present".to_owned());
            (absent(), after)
        }
        (Some(before), None) => {
            let there = before.get("state").map_or("present", String::as_str);
            (
                State::from([("state".to_owned(), there.to_owned())]),
                absent(),
            )
        }
        (None, None) => (State::new(), State::new()),
    }
}

fn named(state: &mut State, target: &Target) {
    let (kind, name) = target.parts();
    let key = if kind == "file" { "path" } else { kind };
    state.insert(key.to_owned(), name.to_owned());
}

fn block(state: &State) -> String {
    let pairs = state
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())));
    let map: Map<String, Value> = pairs.collect();
    format!("{}\n", dump::indented(&map))
}

fn painted(lines: &[String], colour: bool) -> String {
    let lines = lines.iter().map(|line| {
        let ink = match line.as_bytes().first() {
            Some(b'+') => Ink::Added,
            Some(b'-') => Ink::Removed,
            Some(b'@') => Ink::Hunk,
            _ => Ink::Plain,
        };
        ink.paint(line, colour) + "\n"
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pairs: &[(&str, &str)]) -> State {
        let pairs = pairs.iter();
        pairs
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn file(before: Option<State>, after: Option<State>, diff: Option<&str>) -> Change {
        Change {
            target: Target::File("/etc/motd".into()),
            before,
            after,
            diff: diff.map(|text| Diff::Text(text.to_owned())),
        }
    }

    #[test]
    fn a_new_file_has_no_name_before() {
        let there = state(&[("state", "file"), ("mode", "0644")]);
        let new = file(None, Some(there), Some("@@ -0,0 +1 @@\n+hello\n"));
        insta::assert_snapshot!(change(&new, false), @r"
        --- before
        +++ after: /etc/motd
        @@ -0,0 +1 @@
        +hello
        ");
    }

    #[test]
    fn a_mode_is_a_diff_of_properties() {
        let before = state(&[("state", "file"), ("mode", "0644")]);
        let after = state(&[("state", "file"), ("mode", "0600")]);
        insta::assert_snapshot!(change(&file(Some(before), Some(after), None), false), @r#"
        --- before
        +++ after
        @@ -1,4 +1,4 @@
         {
        -    "mode": "0644",
        +    "mode": "0600",
             "path": "/etc/motd"
         }
        "#);
    }

    #[test]
    fn a_removed_file_is_absent() {
        let before = state(&[("state", "file"), ("mode", "0644")]);
        insta::assert_snapshot!(change(&file(Some(before), None, None), false), @r#"
        --- before
        +++ after
        @@ -1,4 +1,4 @@
         {
             "path": "/etc/motd",
        -    "state": "file"
        +    "state": "absent"
         }
        "#);
    }
}
