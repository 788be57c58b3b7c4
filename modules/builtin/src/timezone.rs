//! The host's time zone, and what its hardware clock shows.
//!
//! The zone is the link /etc/localtime, which is what timedatectl makes of it; it is made here
//! without it, so that a dry run and what runs in it see it.

use std::path::{Path, PathBuf};

use rplay_api::{
    Args, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, State, Target,
};

/// The `timezone` module.
pub struct This;

/// Arguments of `timezone`.
#[derive(Debug, Args)]
pub struct TimezoneArgs {
    /// The zone, such as `Europe/Berlin`.
    name: Option<String>,
    /// What the hardware clock shows.
    #[arg(alias = "rtc")]
    hwclock: Option<Clock>,
}

/// What the hardware clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The time of the zone.
    Local,
    /// UTC.
    Utc,
}

impl rplay_api::ArgType for Clock {
    const KIND: rplay_api::ArgKind = rplay_api::ArgKind::Choice(&["local", "UTC"]);

    fn parse_arg(value: &serde_json::Value) -> std::result::Result<Self, String> {
        match rplay_api::choice_word(value).as_str() {
            "local" => Ok(Self::Local),
            "UTC" => Ok(Self::Utc),
            other => Err(rplay_api::not_a_choice(other, &["local", "UTC"])),
        }
    }
}

const ZONES: &str = "/usr/share/zoneinfo";
const LINK: &str = "/etc/localtime";
const NAME: &str = "/etc/timezone";

impl Module for This {
    type Args = TimezoneArgs;

    const DOC: Doc = Doc {
        name: "timezone",
        aliases: &["community.general.timezone"],
        summary: "The host's time zone",
        description: "Daemons that run already, cron among them, keep the old one until they are \
            started again.",
        free_form: None,
        examples: r#"
- name: The clocks show the time of Tokyo
  timezone:
    name: Asia/Tokyo
"#,
        returns: &[],
    };

    fn run(args: TimezoneArgs, host: &Host) -> Result<Outcome> {
        if args.name.is_none() && args.hwclock.is_none() {
            let words = "one of the following is required: hwclock, name";
            return Err(Failure::new(words).arg("name"));
        }
        if let Some(name) = &args.name {
            set_zone(host, name)?;
        }
        if let Some(clock) = args.hwclock {
            set_clock(host, clock)?;
        }
        Ok(Outcome::new())
    }
}

fn is_systemd(host: &Host) -> Result<bool> {
    host.is_dir(Path::new("/run/systemd/system"))
}

fn set_zone(host: &Host, name: &str) -> Result<()> {
    let is_name = !name.is_empty() && !name.starts_with(['/', '-', '.']) && !name.contains("..");
    if !is_name || !host.stat(&Path::new(ZONES).join(name))?.is_some_and(|meta| meta.is_file()) {
        let failure = Failure::new(format!("given timezone \"{name}\" is not available"))
            .arg("name")
            .help(format!("a zone is a file of `{ZONES}`, which the package tzdata brings"));
        return Err(host.missing(failure));
    }
    let systemd = is_systemd(host)?;
    if current(host)?.as_deref() != Some(name) {
        let to = PathBuf::from(format!("..{ZONES}")).join(name);
        host.symlink(&to, Path::new(LINK))?;
    }
    // With systemd nothing writes the name beside the link.
    match host.exists(Path::new(NAME))? && !systemd {
        true => host.ensure_content(Path::new(NAME), format!("{name}\n").as_bytes(), &FileArgs::default()),
        false => Ok(()),
    }
}

/// The zone's name, where the link tells it.
fn current(host: &Host) -> Result<Option<String>> {
    let link = Path::new(LINK);
    if !host.lstat(link)?.is_some_and(|meta| meta.is_link()) {
        return Ok(None);
    }
    let to = host.read_link(link)?;
    let to = to.to_string_lossy();
    Ok(to.split_once("/zoneinfo/").map(|(_, name)| name.to_owned()))
}

fn set_clock(host: &Host, clock: Clock) -> Result<()> {
    let target = Target::Host("hardware clock".to_owned());
    let shows = |word: &str| Some(State::from([("shows".to_owned(), word.to_owned())]));
    let before = host.state(&target, || {
        let file = Path::new("/etc/adjtime");
        let text = if host.exists(file)? { host.read_text(file)? } else { String::new() };
        let is_local = text.lines().nth(2).is_some_and(|line| line.trim() == "LOCAL");
        Ok(shows(if is_local { "local" } else { "UTC" }))
    })?;
    let (word, is_local) = match clock {
        Clock::Local => ("local", true),
        Clock::Utc => ("UTC", false),
    };
    host.ensure(target, before, shows(word), || {
        let command = match is_systemd(host)? {
            true => Command::changes(["timedatectl", "set-local-rtc", if is_local { "yes" } else { "no" }]),
            false => Command::changes(["hwclock", "--systohc", if is_local { "--localtime" } else { "--utc" }]),
        };
        host.run(&command)?.success(&command).map(drop)
    })
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn the_zone_is_a_link_to_its_file() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/usr/share/zoneinfo/Etc/UTC", "").file("/usr/share/zoneinfo/Asia/Tokyo", "");
        fixture.link("/usr/share/zoneinfo/Etc/UTC", LINK).file(NAME, "Etc/UTC\n");
        assert_eq!(fixture.run::<This>(json!({"name": "Etc/UTC"})).changes, []);
        let ran = fixture.run::<This>(json!({"name": "Asia/Tokyo"}));
        assert_eq!(ran.changes.len(), 2);
        fixture.on_host(|host| {
            let to = host.read_link(Path::new(LINK)).unwrap();
            assert_eq!(to, Path::new("../usr/share/zoneinfo/Asia/Tokyo"));
            assert_eq!(host.read_text(Path::new(NAME)).unwrap(), "Asia/Tokyo\n");
        });
        assert_eq!(fixture.run::<This>(json!({"name": "Asia/Tokyo"})).changes, []);
    }

    #[test]
    fn with_systemd_the_link_is_all() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/usr/share/zoneinfo/Asia/Tokyo", "").file("/run/systemd/system/x", "");
        fixture.file(NAME, "Etc/UTC\n");
        assert_eq!(fixture.run::<This>(json!({"name": "Asia/Tokyo"})).changes.len(), 1);
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for name in ["Mars/Base", "", "../../etc/passwd", "Asia"] {
            let overlay = Overlay::empty();
            let fixture = Fixture::new(&overlay);
            fixture.file("/usr/share/zoneinfo/Asia/Tokyo", "").file("/etc/passwd", "");
            let failure = fixture.run::<This>(json!({"name": name})).result.unwrap_err();
            assert_eq!(failure.arg.as_deref(), Some("name"), "{name}");
        }
        assert!(Fixture::new(&Overlay::empty()).run::<This>(json!({})).result.is_err());
    }

    #[test]
    fn the_hardware_clock_shows_one_or_the_other() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        assert_eq!(fixture.run::<This>(json!({"hwclock": "UTC"})).changes, []);
        fixture.file("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
        assert_eq!(fixture.run::<This>(json!({"rtc": "local"})).changes, []);
        assert_eq!(fixture.run::<This>(json!({"hwclock": "UTC"})).changes.len(), 1);
        assert_eq!(fixture.run::<This>(json!({"hwclock": "UTC"})).changes, []);
    }
}
