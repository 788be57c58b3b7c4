//! A source of apt, as a line of sources.list.

use std::path::Path;

use rplay_api::{Failure, Host, Result};

/// One line: `deb [options] URI SUITE COMPONENT... # comment`, perhaps switched off by a `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether it is not behind a `#`.
    pub enabled: bool,
    kind: String,
    options: Option<String>,
    rest: Vec<String>,
    comment: Option<String>,
}

impl Line {
    /// Reads a line; `None` for what is no source.
    pub fn parse(line: &str) -> Option<Self> {
        let text = line.trim();
        let enabled = !text.starts_with('#');
        let text = text.trim_start_matches('#').trim_start();
        let (text, comment) = match text.split_once(" #") {
            Some((text, comment)) => (text, Some(comment.trim().to_owned())),
            None => (text, None),
        };
        let (kind, text) = text.split_once(char::is_whitespace)?;
        if !matches!(kind, "deb" | "deb-src") {
            return None;
        }
        let text = text.trim_start();
        let (options, text) = match text.strip_prefix('[') {
            Some(text) => {
                let (options, text) = text.split_once(']')?;
                (
                    Some(options.split_whitespace().collect::<Vec<_>>().join(" ")),
                    text,
                )
            }
            None => (None, text),
        };
        let rest: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        // A flat suite (`./`) has no components.
        let is_flat = rest.get(1).is_some_and(|suite| suite.ends_with('/'));
        let enough = rest.len() > 2 || (is_flat && rest.len() == 2);
        let is_uri = rest.first()?.contains(':');
        (enough && is_uri).then_some(Self {
            enabled,
            kind: kind.to_owned(),
            options,
            rest,
            comment,
        })
    }

    /// Whether both are the same source, switched on or not, whatever is said of them.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.kind, &self.options, &self.rest) == (&other.kind, &other.options, &other.rest)
    }

    /// The line, switched on.
    pub fn render(&self) -> String {
        let options = self.options.iter().map(|o| format!("[{o}]"));
        let words = [self.kind.clone()]
            .into_iter()
            .chain(options)
            .chain(self.rest.iter().cloned());
        let line = words.collect::<Vec<_>>().join(" ");
        match &self.comment {
            Some(comment) => format!("{line} # {comment}"),
            None => line,
        }
    }

    /// A file's name made of the address: `packages_example_com_debian`.
    pub fn file_name(&self) -> String {
        let uri = &self.rest[0];
        let place = uri
            .split_once("://")
            .map_or(uri.as_str(), |(_, place)| place);
        // A login is nothing to name a file by.
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { ' ' };
        let words: String = place.chars().map(plain).collect();
        words.split_whitespace().collect::<Vec<_>>().join("_")
    }
}

/// The line of a PPA: `ppa:OWNER/NAME`.
///
/// # Errors
/// Where it names none, or the distribution's code name is not known.
pub fn ppa(text: &str, codename: Option<&str>, host: &Host) -> Result<String> {
    let place = text.trim().trim_start_matches("ppa:");
    let (owner, name) = place.split_once('/').unwrap_or((place, "ppa"));
    if owner.is_empty() || name.is_empty() {
        return Err(
            Failure::new(format!("`{text}` is no PPA: it is `ppa:OWNER/NAME`")).arg("repo"),
        );
    }
    let codename = match codename {
        Some(codename) => codename.to_owned(),
        None => host_codename(host)?,
    };
    Ok(format!(
        "deb https://ppa.launchpadcontent.net/{owner}/{name}/ubuntu {codename} main"
    ))
}

fn host_codename(host: &Host) -> Result<String> {
    let text = host
        .read_text(Path::new("/etc/os-release"))
        .unwrap_or_default();
    let name = text
        .lines()
        .find_map(|l| l.strip_prefix("VERSION_CODENAME="));
    name.map(|n| n.trim_matches('"').to_owned()).ok_or_else(|| {
        Failure::new("the distribution's code name is not known")
            .arg("codename")
            .help("give `codename`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_options_and_comment() {
        let line =
            Line::parse("deb  [ arch=amd64   trusted=yes ] file:/opt/repo ./ # mine").unwrap();
        assert_eq!(
            line.render(),
            "deb [arch=amd64 trusted=yes] file:/opt/repo ./ # mine"
        );
        assert_eq!(line.file_name(), "file_opt_repo");
    }

    #[test]
    fn prose_and_half_lines_are_no_sources() {
        assert_eq!(Line::parse("# deb lines follow here"), None);
        assert_eq!(Line::parse("deb http://x.example/debian bookworm"), None);
        assert_eq!(Line::parse(""), None);
    }

    #[test]
    fn a_login_is_not_in_a_file_name() {
        let line = Line::parse("deb https://me:pw@x.example/deb/ stable main").unwrap();
        assert_eq!(line.file_name(), "x_example_deb");
    }
}
