//! Locales of Debian and its kin: lines of /etc/locale.gen, and `locale-gen`.

use std::path::Path;

use rplay_api::{
    Args, Choice, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return, State as Known,
    Target,
};

/// The `locale_gen` module.
pub struct This;

/// Arguments of `locale_gen`.
#[derive(Debug, Args)]
pub struct LocaleGenArgs {
    /// The locales, such as `de_DE.UTF-8`.
    name: Vec<String>,
    /// Whether they should be there.
    #[arg(default = State::Present)]
    state: State,
}

/// Whether they should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// They should.
    Present,
    /// They should not.
    Absent,
}

const FILE: &str = "/etc/locale.gen";
const SUPPORTED: &str = "/usr/share/i18n/SUPPORTED";

impl Module for This {
    type Args = LocaleGenArgs;

    const DOC: Doc = Doc {
        name: "locale_gen",
        aliases: &["community.general.locale_gen"],
        summary: "Locales of Debian and its kin",
        description: "They come with the package locales.",
        free_form: None,
        examples: r#"
- name: German as well
  locale_gen:
    name: de_DE.UTF-8
"#,
        returns: &[
            Return { name: "name", doc: "The locales." },
            Return { name: "mechanism", doc: "`glibc`." },
        ],
    };

    fn run(args: LocaleGenArgs, host: &Host) -> Result<Outcome> {
        let file = Path::new(FILE);
        if !host.exists(file)? {
            let words = format!("`{FILE}` is missing. Is the package \"locales\" installed?");
            return Err(host.missing(Failure::new(words).arg("name")));
        }
        let old = host.read_text(file)?;
        let supported = Path::new(SUPPORTED);
        let known = if host.exists(supported)? { host.read_text(supported)? } else { String::new() };
        let is_known = |name: &str| {
            let lines = old.lines().chain(known.lines());
            lines.filter_map(locale).any(|(found, _)| found == name)
        };
        let unknown: Vec<&str> =
            args.name.iter().map(String::as_str).filter(|name| !is_known(name)).collect();
        if !unknown.is_empty() {
            let words = "The following locales you have entered are not available on your system";
            return Err(Failure::new(format!("{words}: {}", unknown.join(", "))).arg("name"));
        }
        let mut changing = vec![];
        for name in &args.name {
            let target = Target::Host(format!("locale {name}"));
            let there = || Some(Known::from([("made".to_owned(), "yes".to_owned())]));
            let before = host.state(&target, || Ok(if is_made(host, name)? { there() } else { None }))?;
            let after = if args.state == State::Present { there() } else { None };
            if before != after {
                changing.push((target, before, after));
            }
        }
        if !changing.is_empty() {
            let names: Vec<&str> = args.name.iter().map(String::as_str).collect();
            let new = edited(&old, &known, &names, args.state);
            host.ensure_content(file, new.as_bytes(), &FileArgs::default())?;
        }
        // All of them are made, or left out, in one go.
        let mut is_done = false;
        for (target, before, after) in changing {
            host.ensure(target, before, after, || {
                if std::mem::replace(&mut is_done, true) {
                    return Ok(());
                }
                let command = Command::changes(["locale-gen"]);
                host.run(&command)?.success(&command).map(drop)
            })?;
        }
        Ok(Outcome::new()
            .with("name", args.name)
            .with("mechanism", "glibc")
            .with("ubuntu_mode", false))
    }
}

/// The locale and the charset of a line, commented out or not.
fn locale(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches(['#', ' ', '\t']);
    let mut words = line.split_whitespace();
    let found = (words.next()?, words.next()?);
    words.next().is_none().then_some(found)
}

/// Whether the host can use it. Charsets are written in many ways.
fn is_made(host: &Host, name: &str) -> Result<bool> {
    let plain = |name: &str| match name.split_once('.') {
        Some((language, charset)) => format!("{language}.{}", charset.to_lowercase().replace('-', "")),
        None => name.to_owned(),
    };
    let listed = host.query(["locale", "-a"])?;
    Ok(listed.lines().any(|line| plain(line.trim()) == plain(name)))
}

/// The file with the lines of these locales, as real ones or commented out.
fn edited(old: &str, known: &str, names: &[&str], state: State) -> String {
    let mut left = names.to_vec();
    let mut new = String::new();
    for line in old.lines() {
        let is_comment = line.trim_start().starts_with('#');
        match locale(line).filter(|(name, _)| names.contains(name)) {
            Some((name, charset)) => {
                left.retain(|left| *left != name);
                match state {
                    State::Present => new += &format!("{name} {charset}\n"),
                    State::Absent if is_comment => new += &format!("{line}\n"),
                    State::Absent => new += &format!("# {name} {charset}\n"),
                }
            }
            None => new += &format!("{line}\n"),
        }
    }
    for name in left.into_iter().filter(|_| state == State::Present) {
        let charset = known.lines().filter_map(locale).find(|(found, _)| *found == name);
        new += &format!("{name} {}\n", charset.map_or("UTF-8", |(_, charset)| charset));
    }
    new
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    const OLD: &str = "# This file lists\n# de_DE ISO-8859-1\n# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n";

    #[test]
    fn the_line_of_a_locale_is_no_comment_any_more() {
        let new = edited(OLD, "", &["de_DE.UTF-8"], State::Present);
        assert_eq!(new, OLD.replace("# de_DE.UTF-8", "de_DE.UTF-8"));
        let new = edited(OLD, "xx_XX.UTF-8 UTF-8\n", &["xx_XX.UTF-8"], State::Present);
        assert_eq!(new, format!("{OLD}xx_XX.UTF-8 UTF-8\n"));
    }

    #[test]
    fn the_line_of_a_locale_becomes_a_comment() {
        let new = edited(OLD, "", &["en_US.UTF-8", "de_DE"], State::Absent);
        assert_eq!(new, OLD.replace("\nen_US", "\n# en_US"));
    }

    #[test]
    fn what_the_host_does_not_know_is_refused() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        let failure = fixture.run::<This>(json!({"name": "de_DE"})).result.unwrap_err();
        assert!(failure.msg.contains("\"locales\""), "{failure}");
        fixture.file(FILE, OLD);
        let failure = fixture.run::<This>(json!({"name": ["de_DE", "xx_XX"]})).result.unwrap_err();
        assert!(failure.msg.ends_with("not available on your system: xx_XX"), "{failure}");
    }
}
