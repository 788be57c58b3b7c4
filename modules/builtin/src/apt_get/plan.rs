//! What apt-get would do, read from its own simulation.

use std::cell::RefCell;

use rplay_api::{Host, Output, Result, State, Target};

use crate::dpkg::{take_away, version_state};

/// What happens to one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, with the architecture where that is not the host's own.
    pub package: String,
    /// What is there.
    pub before: Option<State>,
    /// What will be.
    pub after: Option<State>,
    /// Whether its configuration goes too.
    pub is_purged: bool,
}

/// What apt-get would do, a step a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<Step>);

impl Plan {
    /// Reads the lines of `apt-get --simulate`:
    /// `Inst NAME [OLD] (NEW ORIGIN [ARCH])`, `Remv NAME [OLD]`, `Purg NAME [OLD]`, `Conf NAME (NEW ...)`.
    pub fn parse(simulation: &str) -> Self {
        let mut steps: Vec<Step> = vec![];
        for line in simulation.lines() {
            let mut words = line.split_whitespace();
            let (Some(verb), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            let rest = line.split_once(name).map_or("", |(_, rest)| rest);
            let is_there = rest.trim_start().starts_with('[');
            let old = bracketed(rest, '[', ']')
                .filter(|_| is_there)
                .map(|v| version_state(&v));
            let new = bracketed(rest, '(', ')').map(|v| version_state(&v));
            let known = steps.iter_mut().find(|s| s.package == name);
            match (verb, known) {
                ("Inst", Some(step)) => step.after = new,
                ("Inst", None) => steps.push(Step {
                    package: name.to_owned(),
                    before: old,
                    after: new,
                    is_purged: false,
                }),
                ("Remv" | "Purg", None) => {
                    steps.push(Step {
                        package: name.to_owned(),
                        before: old.or_else(|| Some(leftover())),
                        after: None,
                        is_purged: verb == "Purg",
                    });
                }
                // Unpacked before, and only to be configured.
                ("Conf", None) => {
                    steps.push(Step {
                        package: name.to_owned(),
                        before: new.clone(),
                        after: new,
                        is_purged: false,
                    });
                }
                _ => {}
            }
        }
        Self(steps)
    }

    /// Brings each package to its new state: `apply` does it for all of them at once, and is not
    /// called in a dry run. Gives what it said. `named` are the packages that the task names: one
    /// that is only needed by them and that a dry run has planned already stays as planned.
    ///
    /// # Errors
    /// Those of `apply`.
    pub fn carry_out(
        &self,
        host: &Host,
        named: &[String],
        apply: &dyn Fn() -> Result<Output>,
    ) -> Result<Option<Output>> {
        let done = RefCell::new(None);
        let once = || {
            if done.borrow().is_none() {
                *done.borrow_mut() = Some(apply()?);
            }
            Ok(())
        };
        for step in &self.0 {
            let target = Target::Package(step.package.clone());
            let before = host.state(&target, || Ok(step.before.clone()))?;
            let is_new = step.before.is_none() && step.after.is_some();
            if is_new && before.is_some() && !named.contains(&step.package) {
                continue;
            }
            let goes = before.is_some() && step.after.is_none();
            match &step.after {
                Some(after) if step.before == step.after => {
                    host.act(target, after.clone(), "set up again", once)?;
                }
                after => host.ensure(target, before, after.clone(), once)?,
            }
            if goes {
                take_away(host, &step.package, step.is_purged);
            }
        }
        Ok(done.into_inner())
    }
}

/// A package that was removed and left its configuration.
fn leftover() -> State {
    State::from([("state".to_owned(), "configuration only".to_owned())])
}

/// The first word between two brackets.
fn bracketed(text: &str, open: char, close: char) -> Option<String> {
    let inside = text.split_once(open)?.1.split_once(close)?.0;
    inside.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(package: &str, before: Option<&str>, after: Option<&str>) -> Step {
        Step {
            package: package.to_owned(),
            before: before.map(version_state),
            after: after.map(version_state),
            is_purged: false,
        }
    }

    #[test]
    fn a_simulation_is_a_step_a_package() {
        let plan = Plan::parse(
            "NOTE: This is only a simulation!\n\
             Remv old [1.0]\n\
             Purg older [2.0]\n\
             Inst libc6:i386 [2.35] (2.36 Debian:12/stable [i386]) [other:amd64 ]\n\
             Inst new (1:1.0-1 local [all])\n\
             Conf new (1:1.0-1 local [all])\n\
             Conf half (3.0 local [all])\n",
        );
        let want = [
            step("old", Some("1.0"), None),
            Step {
                is_purged: true,
                ..step("older", Some("2.0"), None)
            },
            step("libc6:i386", Some("2.35"), Some("2.36")),
            step("new", None, Some("1:1.0-1")),
            step("half", Some("3.0"), Some("3.0")),
        ];
        assert_eq!(plan.0, want);
    }

    #[test]
    fn a_package_that_is_removed_on_the_way_ends_as_it_is_installed() {
        let plan = Plan::parse("Remv a [1.0]\nInst a (2.0 local [all])\n");
        assert_eq!(plan.0, [step("a", Some("1.0"), Some("2.0"))]);
    }

    #[test]
    fn what_is_left_of_a_package_is_no_version() {
        let plan = Plan::parse("Purg a\n");
        assert_eq!(plan.0[0].before, Some(leftover()));
        assert_eq!(plan.0[0].after, None);
    }
}
