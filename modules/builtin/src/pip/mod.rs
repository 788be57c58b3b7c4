//! Python packages, through the pip of the target.
//!
//! The agent itself needs no Python; where the target has no pip this module says so. What pip
//! would do is asked with its own `--dry-run --report` where it has that (22.2 and newer), and else
//! worked out from what is installed. Where neither tells, a dry run does not know.

mod environment;
mod requirement;

use std::path::PathBuf;

use rplay_api::{
    Args, Choice, Doc, Failure, FileMode, Host, Module, Outcome, Output, Result, Return, State as Props,
};
use serde_json::Value;

use environment::Environment;
use requirement::Requirement;

/// The `pip` module.
pub struct This;

/// Arguments of `pip`.
#[derive(Debug, Args)]
pub struct PipArgs {
    /// The packages, each with its versions where that matters: `flask>=3,<4`; or addresses and
    /// paths that pip takes.
    name: Option<Vec<String>>,
    /// The version of the one package.
    version: Option<String>,
    /// A file of requirements on the target.
    requirements: Option<String>,
    /// What should be there: `present`, `latest`, `forcereinstall` or `absent`.
    #[arg(default = State::Present)]
    state: State,
    /// The virtual environment to install into; it is made where it is not there.
    virtualenv: Option<PathBuf>,
    /// The command that makes it. Where the target has no `virtualenv`, that is `python3 -m venv`.
    #[arg(default = "virtualenv")]
    virtualenv_command: String,
    /// The Python that it is made with.
    virtualenv_python: Option<String>,
    /// Let it see the packages of the system.
    #[arg(default = false)]
    virtualenv_site_packages: bool,
    /// The pip to use, by name or path.
    executable: Option<String>,
    /// More options for pip.
    extra_args: Option<String>,
    /// Install as a link to the source.
    #[arg(default = false)]
    editable: bool,
    /// The folder to run pip in.
    chdir: Option<PathBuf>,
    /// The umask of what is made.
    umask: Option<FileMode>,
    /// Install among the packages of the system though they are managed otherwise (PEP 668).
    #[arg(default = false)]
    break_system_packages: bool,
}

/// What should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum State {
    /// The packages, in a version that is wanted.
    Present,
    /// Their newest version.
    Latest,
    /// The packages, installed again.
    #[arg(name = "forcereinstall")]
    ForceReinstall,
    /// None of them.
    Absent,
}

/// What is to be done.
enum Plan {
    Nothing,
    /// It comes to these packages.
    To(Props),
    /// Only doing it tells.
    Unclear,
}

impl Module for This {
    type Args = PipArgs;

    const DOC: Doc = Doc {
        name: "pip",
        aliases: &[],
        summary: "Installs and removes Python packages",
        description: "The target's own pip does it; it must be there (on Debian the packages \
            `python3-pip` and `python3-venv`).",
        free_form: None,
        examples: r#"
- name: The application's packages, in an environment of their own
  pip:
    requirements: /srv/app/requirements.txt
    virtualenv: /srv/app/venv

- name: Certain versions
  pip:
    name:
      - flask>=3,<4
      - gunicorn==22.0.0
    virtualenv: /srv/app/venv

- name: Gone
  pip:
    name: flask-debugtoolbar
    state: absent
    virtualenv: /srv/app/venv
"#,
        returns: &[
            Return { name: "cmd", doc: "The command of pip, as a list of words." },
            Return { name: "name", doc: "The packages as they were given." },
            Return { name: "requirements", doc: "The file of requirements." },
            Return { name: "version", doc: "The version that was given." },
            Return { name: "virtualenv", doc: "The virtual environment." },
            Return { name: "state", doc: "The state that was given." },
            Return { name: "stdout", doc: "What pip said; also `stderr`, `stdout_lines`." },
        ],
    };

    fn run(args: PipArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let wanted = args.wanted()?;
        let environment = Environment::find(&args, host)?;
        let before = environment.installed()?;
        let words = args.words(&wanted)?;
        let plan = args.plan(&environment, &wanted, &before, &words)?;
        let mut said: Option<Output> = None;
        let mut changed = None;
        match plan {
            Plan::Nothing => {}
            Plan::To(after) if before == after => {
                host.act(environment.target(), before, "installed again", || {
                    said = Some(environment.does(&words)?);
                    Ok(())
                })?;
            }
            Plan::To(after) => {
                host.ensure(environment.target(), Some(before), Some(after), || {
                    said = Some(environment.does(&words)?);
                    Ok(())
                })?;
            }
            Plan::Unclear => {
                host.refresh(&environment.target(), || {
                    said = Some(environment.does(&words)?);
                    Ok(())
                })?;
                if said.is_none() {
                    let shown = environment.command(&words).join(" ");
                    return Err(Failure::unknown(format!("`{shown}` was not run")));
                }
                changed = Some(environment.listed()? != before);
            }
        }
        Ok(args.outcome(&environment.command(&words), said, changed))
    }
}

impl PipArgs {
    fn check(&self) -> Result<()> {
        let exclude = |arg: &str, other: &str| {
            Err(Failure::new(format!("`{other}` and `{arg}` exclude each other"))
                .arg(arg)
                .help("leave one of them out"))
        };
        if self.executable.is_some() && self.virtualenv.is_some() {
            return exclude("executable", "virtualenv");
        }
        match (&self.name, &self.requirements) {
            (Some(_), Some(_)) => exclude("requirements", "name"),
            (None, None) => Err(Failure::new("there is nothing to install")
                .help("give packages as `name`, or a file as `requirements`")),
            _ if self.requirements.is_some() && self.state == State::Latest => {
                Err(Failure::new("the newest of a file of requirements is not to be had")
                    .arg("state")
                    .help("use extra_args: --upgrade, or name the packages"))
            }
            _ => Ok(()),
        }
    }

    /// The packages that are named.
    fn wanted(&self) -> Result<Vec<Requirement>> {
        let mut wanted: Vec<Requirement> = requirement::joined(self.name.iter().flatten())
            .iter()
            .map(|text| Requirement::parse(text))
            .collect();
        let Some(version) = &self.version else {
            return Ok(wanted);
        };
        match wanted.as_mut_slice() {
            [Requirement::Named { text, specifier, .. }] if specifier.is_none() => {
                text.push_str(&format!("=={version}"));
                *specifier = Some(format!("=={version}"));
                Ok(wanted)
            }
            [_] => Err(Failure::new("the package has a version already").arg("version")),
            _ => Err(Failure::new("`version` is that of one package")
                .arg("version")
                .help("give each package its own in `name`: flask==3.0.3")),
        }
    }

    /// pip's words.
    fn words(&self, wanted: &[Requirement]) -> Result<Vec<String>> {
        let mut words: Vec<String> = match self.state {
            State::Absent => vec!["uninstall".into(), "-y".into()],
            _ => vec!["install".into()],
        };
        match self.state {
            State::Latest => words.push("-U".into()),
            State::ForceReinstall => words.extend(["-U".into(), "--force-reinstall".into()]),
            _ => {}
        }
        if let Some(extra) = &self.extra_args {
            let extra = shlex::split(extra).ok_or_else(|| {
                Failure::new("the quotes of `extra_args` do not match").arg("extra_args")
            })?;
            words.extend(extra);
        }
        for requirement in wanted {
            if self.editable && self.state != State::Absent {
                words.push("-e".into());
            }
            words.push(requirement.text().to_owned());
        }
        if let Some(file) = &self.requirements {
            words.extend(["-r".into(), file.clone()]);
        }
        Ok(words)
    }

    fn plan(
        &self,
        environment: &Environment,
        wanted: &[Requirement],
        before: &Props,
        words: &[String],
    ) -> Result<Plan> {
        let are_named = wanted.iter().all(|r| matches!(r, Requirement::Named { .. }));
        let plain = are_named && self.requirements.is_none() && !self.editable;
        if self.state == State::Absent && plain {
            let mut after = before.clone();
            after.retain(|name, _| !wanted.iter().any(|r| r.is(name)));
            return Ok(if after == *before { Plan::Nothing } else { Plan::To(after) });
        }
        let satisfied = wanted.iter().all(|r| r.is_satisfied_by(before));
        if self.state == State::Present && plain && satisfied {
            return Ok(Plan::Nothing);
        }
        if self.state == State::Absent {
            return Ok(Plan::Unclear);
        }
        if environment.is_planned() {
            let after = self.expected(wanted, before);
            let again = self.state == State::ForceReinstall;
            return Ok(if after == *before && !again {
                Plan::Nothing
            } else {
                Plan::To(after)
            });
        }
        let Some(report) = environment.report(words)? else {
            return Ok(match self.state {
                State::Present if plain => Plan::To(self.expected(wanted, before)),
                _ => Plan::Unclear,
            });
        };
        if report.is_empty() {
            return Ok(Plan::Nothing);
        }
        let mut after = before.clone();
        after.extend(report);
        // What has a place of its own may be another source of the same version.
        if after == *before && self.state != State::ForceReinstall {
            return Ok(Plan::Unclear);
        }
        Ok(Plan::To(after))
    }

    /// What is installed then, as far as it can be told without pip.
    fn expected(&self, wanted: &[Requirement], before: &Props) -> Props {
        let mut after = before.clone();
        for requirement in wanted {
            let (name, version) = requirement.expected();
            after.insert(name, version);
        }
        if let Some(file) = &self.requirements {
            after.insert(format!("what {file} names"), "installed".to_owned());
        }
        after
    }

    fn outcome(&self, command: &[String], said: Option<Output>, changed: Option<bool>) -> Outcome {
        let said = said.map(|output| (output.stdout(), output.stderr()));
        let (stdout, stderr) = said.unwrap_or_default();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let names = self.name.as_ref().map(requirement::joined);
        let mut outcome = Outcome::new()
            .with("cmd", command.to_vec())
            .with("name", names.map_or(Value::Null, Value::from))
            .with("version", self.version.clone())
            .with("state", self.state.word())
            .with("requirements", self.requirements.clone())
            .with("virtualenv", self.virtualenv.as_ref().map(|p| p.to_string_lossy().into_owned()))
            .with("stdout_lines", lines(&stdout))
            .with("stdout", stdout)
            .with("stderr_lines", lines(&stderr))
            .with("stderr", stderr);
        outcome.changed = changed;
        outcome
    }
}

#[cfg(test)]
mod tests;
