//! The table at the end.

use console::{Style, pad_str};
use rplay_event::Recap;

use crate::terminal::Look;

/// A row a host, in Ansible's words, and the time taken.
pub(crate) fn recap(rows: &[Recap], seconds: f64, look: &Look) -> String {
    let width = rows.iter().map(|r| r.host.len()).max().unwrap_or(0).max(25);
    let mut lines: Vec<String> = rows.iter().map(|row| line(row, width, look)).collect();
    lines.push(String::new());
    lines.push(look.paint(&Style::new().dim(), &format!("took {}", time(seconds))));
    lines.join("\n")
}

fn line(row: &Recap, width: usize, look: &Look) -> String {
    let host_style = match row {
        r if r.failed > 0 || r.unreachable > 0 => Style::new().red(),
        r if r.changed > 0 => Style::new().yellow(),
        _ => Style::new().green(),
    };
    let host = pad_str(&row.host, width, console::Alignment::Left, None);
    let cell = |name: &str, count: u64, style: Style| {
        let text = pad_str(
            &format!("{name}={count}"),
            name.len() + 5,
            console::Alignment::Left,
            None,
        )
        .into_owned();
        if count > 0 {
            look.paint(&style, &text)
        } else {
            text
        }
    };
    let mut cells = vec![
        cell("ok", row.ok, Style::new().green()),
        cell("changed", row.changed, Style::new().yellow()),
        cell("unreachable", row.unreachable, Style::new().red().bold()),
        cell("failed", row.failed, Style::new().red()),
        cell("skipped", row.skipped, Style::new().cyan()),
        cell("rescued", row.rescued, Style::new().yellow()),
        cell("ignored", row.ignored, Style::new().blue()),
    ];
    if row.undecided > 0 {
        cells.push(cell("undecided", row.undecided, Style::new().magenta()));
    }
    let line = format!("{} : {}", look.paint(&host_style, &host), cells.join(""));
    line.trim_end().to_owned()
}

fn time(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.2} s");
    }
    let whole = std::time::Duration::from_secs_f64(seconds).as_secs();
    format!("{} min {} s", whole / 60, whole % 60)
}
