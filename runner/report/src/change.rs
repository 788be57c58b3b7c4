//! A change as a person reads it: a unified diff for content, before and after for the rest.

use console::Style;
use rplay_wire::{Change, Diff, State, Target};

use crate::terminal::Look;

/// The lines of a change.
pub(crate) fn change(change: &Change, look: &Look) -> String {
    let mut lines = vec![];
    match &change.target {
        Target::File(path) => file(change, path, look, &mut lines),
        other => thing(change, other, look, &mut lines),
    }
    lines.join("\n")
}

fn file(change: &Change, path: &str, look: &Look, lines: &mut Vec<String>) {
    let red = Style::new().red();
    let green = Style::new().green();
    lines.push(look.paint(
        &red,
        &format!("--- {path}{}", described(change.before.as_ref())),
    ));
    lines.push(look.paint(
        &green,
        &format!("+++ {path}{}", described(change.after.as_ref())),
    ));
    match &change.diff {
        Some(Diff::Text(text)) => lines.extend(text.lines().map(|line| diff_line(line, look))),
        Some(Diff::Binary { before, after }) => {
            let sides = [("-", before, &red), ("+", after, &green)];
            lines.extend(sides.into_iter().filter_map(|(sign, side, style)| {
                let (size, sha256) = side.as_ref()?;
                let text = format!("{sign}binary, {size} bytes, sha256 {sha256}");
                Some(look.paint(style, &text))
            }));
        }
        Some(Diff::Secret) => lines.push("@@ [secret] @@".to_owned()),
        None => {}
    }
}

fn diff_line(line: &str, look: &Look) -> String {
    let style = match line.as_bytes().first() {
        Some(b'+') => Style::new().green(),
        Some(b'-') => Style::new().red(),
        Some(b'@') => Style::new().cyan(),
        _ => return line.to_owned(),
    };
    look.paint(&style, line)
}

/// ` (file, mode 0644, owner etcd, group etcd)`, or that it is absent.
fn described(state: Option<&State>) -> String {
    let Some(state) = state else {
        return " (absent)".to_owned();
    };
    let mut words: Vec<String> = state.get("state").cloned().into_iter().collect();
    if let Some(to) = state.get("src") {
        words.push(format!("-> {to}"));
    }
    for key in ["mode", "owner", "group", "times"] {
        words.extend(state.get(key).map(|value| format!("{key} {value}")));
    }
    format!(" ({})", words.join(", "))
}

fn thing(change: &Change, target: &Target, look: &Look, lines: &mut Vec<String>) {
    lines.push(look.paint(&Style::new().cyan(), &format!("@@ {} @@", title(target))));
    if let Some(Diff::Text(text)) = &change.diff {
        lines.extend(text.lines().map(|line| diff_line(line, look)));
    }
    let empty = State::new();
    let before = change.before.as_ref().unwrap_or(&empty);
    let after = change.after.as_ref().unwrap_or(&empty);
    if change.before.is_some() && change.after.is_none() {
        lines.push(look.paint(&Style::new().red(), "-present"));
    }
    if change.before.is_none() && change.after.is_some() {
        lines.push(look.paint(&Style::new().green(), "+present"));
    }
    for (key, value) in before.iter().filter(|(k, v)| after.get(*k) != Some(v)) {
        lines.push(look.paint(&Style::new().red(), &format!("-{key}: {value}")));
    }
    for (key, value) in after.iter().filter(|(k, v)| before.get(*k) != Some(v)) {
        lines.push(look.paint(&Style::new().green(), &format!("+{key}: {value}")));
    }
}

/// What a target is, in words: `user etcd`.
fn title(target: &Target) -> String {
    match target {
        Target::File(path) => path.clone(),
        Target::User(name) => format!("user {name}"),
        Target::Group(name) => format!("group {name}"),
        Target::Unit(name) => format!("unit {name}"),
        Target::UnitFile(name) => format!("unit file {name}"),
        Target::Systemd => "systemd".to_owned(),
        Target::Package(name) => format!("package {name}"),
        Target::Repository(name) => format!("repository {name}"),
        Target::Mount(name) => format!("mount {name}"),
        Target::Host(name) => format!("host {name}"),
        Target::Command(name) => format!("command {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(pairs: &[(&str, &str)]) -> State {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_new_file_shows_what_it_will_be() {
        let new = Change {
            target: Target::File("/etc/motd".into()),
            before: None,
            after: Some(state(&[
                ("state", "file"),
                ("mode", "0644"),
                ("owner", "root"),
            ])),
            diff: Some(Diff::Text("@@ -0,0 +1 @@\n+hello\n".into())),
        };
        insta::assert_snapshot!(change(&new, &Look::plain()), @r"
        --- /etc/motd (absent)
        +++ /etc/motd (file, mode 0644, owner root)
        @@ -0,0 +1 @@
        +hello
        ");
    }

    #[test]
    fn a_user_shows_only_what_differs() {
        let moved = Change {
            target: Target::User("etcd".into()),
            before: Some(state(&[("uid", "1501"), ("shell", "/bin/sh")])),
            after: Some(state(&[("uid", "1501"), ("shell", "/bin/false")])),
            diff: None,
        };
        insta::assert_snapshot!(change(&moved, &Look::plain()), @r"
        @@ user etcd @@
        -shell: /bin/sh
        +shell: /bin/false
        ");
    }
}
