//! What dnf would do, read from the table it shows before it asks.

use rplay_api::State;

use crate::dpkg::version_state;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The package.
    pub package: String,
    /// The version that will be; `None` where it is removed.
    pub after: Option<State>,
    /// Whether an earlier version takes the place of a later one.
    pub is_downgrade: bool,
}

/// Reads the table: sections such as `Installing dependencies:`, below each the rows
/// `NAME ARCH VERSION REPO SIZE [UNIT]`. A long name stands on a line of its own.
pub fn parse(text: &str) -> Vec<Step> {
    let mut steps = vec![];
    let mut section = None;
    let mut row: Vec<&str> = vec![];
    for line in text.lines() {
        if !line.starts_with(' ') {
            row.clear();
            section = line.trim_end().strip_suffix(':').and_then(Section::of);
            continue;
        }
        let Some(section) = section else { continue };
        if line.trim_start().starts_with("replacing ") {
            continue;
        }
        row.extend(line.split_whitespace());
        if row.len() < 5 {
            continue;
        }
        steps.push(Step {
            package: row[0].to_owned(),
            after: (section != Section::Removing).then(|| version_state(row[2])),
            is_downgrade: section == Section::Downgrading,
        });
        row.clear();
    }
    steps
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Installing,
    Downgrading,
    Removing,
}

impl Section {
    fn of(title: &str) -> Option<Self> {
        let verb = title.split_whitespace().next()?;
        Some(match verb {
            "Installing" | "Upgrading" | "Reinstalling" => Self::Installing,
            "Downgrading" => Self::Downgrading,
            "Removing" => Self::Removing,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_step_a_row() {
        let text = "\
Dependencies resolved.
================================================================================
 Package               Architecture   Version            Repository        Size
================================================================================
Installing:
 vim                   noarch         2:9-1              local            6.4 k
Installing dependencies:
 a-very-long-name-of-a-package-that-takes-the-whole-line
                       noarch         1-1                local            6.4 k
Upgrading:
 bash                  x86_64         5.2-1              updates          8.1 MiB
   replacing bash      x86_64         5.1-1              anaconda         7.9 MiB
Removing:
 nano                  x86_64         7-1                @local           0  
 nano-data            noarch         7-1                @local           2.0 M

Transaction Summary
================================================================================
Install  2 Packages
";
        let got: Vec<_> = parse(text)
            .into_iter()
            .map(|s| (s.package, s.after.map(|a| a["version"].clone())))
            .collect();
        let step = |name: &str, version: Option<&str>| (name.to_owned(), version.map(str::to_owned));
        let want = [
            step("vim", Some("2:9-1")),
            step("a-very-long-name-of-a-package-that-takes-the-whole-line", Some("1-1")),
            step("bash", Some("5.2-1")),
            step("nano", None),
            step("nano-data", None),
        ];
        assert_eq!(got, want);
    }
}
