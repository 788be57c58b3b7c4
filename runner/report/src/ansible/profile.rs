//! How long a run and its parts took: the callbacks `timer`, `profile_tasks` and `profile_roles` of
//! `ansible.posix`.
//!
//! Knows the time that events come at, and nothing of what tasks did.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rplay_event::Event;

use super::paint::Ink;
use super::{AnsibleLook, Screen};

/// The width of these lines, whatever the screen's.
const WIDTH: usize = 79;

/// One of the callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// How long the run took.
    Timer,
    /// When each task began, and which took longest.
    Tasks {
        /// How many are listed at the end; `None` lists all.
        limit: Option<usize>,
        /// In which order.
        order: Order,
        /// Tasks are told of at the end only.
        summary_only: bool,
    },
    /// How long each role took, and tasks outside of roles by their module.
    Roles {
        /// Tasks are told of at the end only.
        summary_only: bool,
    },
}

/// The order of the tasks at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The longest first.
    Descending,
    /// The shortest first.
    Ascending,
    /// As they ran.
    Run,
}

/// What was measured so far.
#[derive(Debug)]
pub(crate) struct Clock {
    begun: Instant,
    last: Instant,
    tasks: Vec<Timed>,
}

#[derive(Debug)]
struct Timed {
    name: String,
    /// Its role, or else its module.
    part: String,
    took: Duration,
}

impl Default for Clock {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            last: now,
            tasks: vec![],
        }
    }
}

impl Clock {
    /// Hears of an event that was drawn, and draws what there is to tell of times.
    pub(crate) fn event(&mut self, event: &Event, look: &AnsibleLook, screen: &mut Screen) {
        match event {
            Event::RunStarted { .. } => *self = Self::default(),
            Event::TaskStarted {
                name, role, module, ..
            } => {
                let line = self.turn();
                let full = match role {
                    Some(role) => format!("{role} : {name}"),
                    None => name.clone(),
                };
                self.tasks.push(Timed {
                    name: full,
                    part: role.clone().unwrap_or_else(|| module.clone()),
                    took: Duration::ZERO,
                });
                for profile in &look.profiles {
                    if profile.tells_of_tasks() {
                        screen.line(Ink::Plain, &line);
                    }
                }
            }
            Event::RunEnded { .. } => {
                let line = self.turn();
                for profile in &look.profiles {
                    self.summary(*profile, &line, look, screen);
                }
            }
            _ => {}
        }
    }

    /// Ends the task that ran; the line of the time that it is.
    fn turn(&mut self) -> String {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        if let Some(task) = self.tasks.last_mut() {
            task.took = took;
        }
        let zone = jiff::tz::TimeZone::system();
        let time = jiff::Timestamp::now().to_zoned_datetime(zone);
        let time = time.strftime("%A %d %B %Y  %H:%M:%S %z");
        let text = format!("{time} ({})       {}", clock(took), clock(now - self.begun));
        filled(&text, '*')
    }

    fn summary(&self, profile: Profile, line: &str, look: &AnsibleLook, screen: &mut Screen) {
        let mut say = |text: &str| screen.line(Ink::Plain, text);
        match profile {
            Profile::Timer => {
                say(&look.banner("PLAYBOOK RECAP"));
                say(&format!(
                    "Playbook run took {}",
                    in_words(self.last - self.begun)
                ));
            }
            Profile::Tasks { limit, order, .. } => {
                say(&look.banner("TASKS RECAP"));
                say(line);
                say(&filled("", '='));
                let mut tasks: Vec<&Timed> = self.tasks.iter().collect();
                match order {
                    Order::Descending => tasks.sort_by_key(|task| std::cmp::Reverse(task.took)),
                    Order::Ascending => tasks.sort_by_key(|task| task.took),
                    Order::Run => {}
                }
                let shown = limit.unwrap_or(tasks.len());
                tasks
                    .iter()
                    .take(shown)
                    .for_each(|task| say(&row(&task.name, task.took)));
            }
            Profile::Roles { .. } => {
                say(&look.banner("ROLES RECAP"));
                say(line);
                say(&filled("", '='));
                let mut parts: IndexMap<&str, Duration> = IndexMap::new();
                for task in &self.tasks {
                    *parts.entry(&task.part).or_default() += task.took;
                }
                parts.sort_by(|_, a, _, b| b.cmp(a));
                parts.iter().for_each(|(part, took)| say(&row(part, *took)));
                say(&filled("", '~'));
                say(&row("total", parts.values().sum()));
            }
        }
    }
}

impl Profile {
    fn tells_of_tasks(self) -> bool {
        match self {
            Self::Timer => false,
            Self::Tasks { summary_only, .. } | Self::Roles { summary_only } => !summary_only,
        }
    }
}

/// Hours, minutes, seconds and thousandths.
fn clock(took: Duration) -> String {
    let seconds = took.as_secs();
    format!(
        "{}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        took.subsec_millis()
    )
}

fn in_words(took: Duration) -> String {
    let seconds = took.as_secs();
    format!(
        "{} days, {} hours, {} minutes, {} seconds",
        seconds / 86400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// A text, filled up to the width.
fn filled(text: &str, with: char) -> String {
    let mut line = match text {
        "" => String::new(),
        text => format!("{text} "),
    };
    while line.chars().count() < WIDTH {
        line.push(with);
    }
    line.push(' ');
    line
}

/// A name and its seconds, with dashes between.
fn row(name: &str, took: Duration) -> String {
    let seconds = format!(" {:.2}s", took.as_secs_f64());
    format!("{:-<70}{seconds:->9}", format!("{name} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_the_lines_around_it() {
        let row = row("rr : command", Duration::from_millis(934));
        assert_eq!(row.len(), 79);
        assert!(row.starts_with("rr : command ---") && row.ends_with("--- 0.93s"));
        assert_eq!(filled("", '=').len(), 80);
        assert_eq!(filled("x", '*'), format!("x {} ", "*".repeat(77)));
    }

    #[test]
    fn times_are_told_in_all_their_parts() {
        let took = Duration::from_millis(90_061_007);
        assert_eq!(clock(took), "25:01:01.007");
        assert_eq!(in_words(took), "1 days, 1 hours, 1 minutes, 1 seconds");
    }
}
