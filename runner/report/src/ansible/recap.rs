//! The table at the end.

use rplay_event::Recap;

use super::paint::Ink;

/// A host's row.
pub(crate) fn row(row: &Recap, colour: bool) -> String {
    let ink = match row {
        r if r.failed > 0 || r.unreachable > 0 => Ink::Failed,
        r if r.changed > 0 => Ink::Changed,
        _ => Ink::Ok,
    };
    // The colour is no part of the width.
    let name = ink.paint(&row.host, colour);
    let pad = " ".repeat(26_usize.saturating_sub(console::measure_text_width(&row.host)));
    let cells = [
        ("ok", row.ok, Ink::Ok),
        ("changed", row.changed, Ink::Changed),
        ("unreachable", row.unreachable, Ink::Unreachable),
        ("failed", row.failed, Ink::Failed),
        // What a dry run cannot decide is not run, either.
        ("skipped", row.skipped + row.undecided, Ink::Skipped),
        ("rescued", row.rescued, Ink::Changed),
        ("ignored", row.ignored, Ink::Warning),
    ];
    let cells = cells.map(|(word, count, ink)| {
        let text = format!("{word}={count:<4}");
        if count > 0 {
            ink.paint(&text, colour)
        } else {
            text
        }
    });
    format!("{name}{pad} : {}", cells.join(" "))
}
