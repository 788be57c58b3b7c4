//! Where packages are installed: the system's Python or a virtual environment, and its pip.

use std::path::Path;

use rplay_api::{Command, Failure, Host, Output, Result, State, Target};
use serde_json::Value;

use super::PipArgs;
use super::requirement::normal;

/// A pip and what it installs into.
pub(super) struct Environment<'a> {
    args: &'a PipArgs,
    host: &'a Host<'a>,
    /// The words that run pip.
    pip: Vec<String>,
    /// Whether it is a virtual environment that is only planned.
    planned: bool,
}

/// The first pip that can report what it would do.
const REPORTS: (u32, u32) = (22, 2);

impl<'a> Environment<'a> {
    pub(super) fn find(args: &'a PipArgs, host: &'a Host<'a>) -> Result<Self> {
        let mut environment = Self { args, host, pip: vec![], planned: false };
        if let Some(venv) = &args.virtualenv {
            environment.make(venv)?;
            environment.pip = environment.pip_of(venv)?;
            return Ok(environment);
        }
        let candidates: Vec<Vec<String>> = match &args.executable {
            Some(program) => vec![vec![program.clone()]],
            None => [["pip3"].as_slice(), &["pip"], &["python3", "-m", "pip"]]
                .iter()
                .map(|words| words.iter().map(ToString::to_string).collect())
                .collect(),
        };
        for pip in candidates {
            environment.pip = pip;
            match environment.tries(&["--version".to_owned()]) {
                Ok(output) if output.rc == 0 => return Ok(environment),
                Err(failure) if failure.unknown => return Err(failure),
                _ => {}
            }
        }
        let failure = match &args.executable {
            Some(program) => Failure::new(format!("there is no pip `{program}`")).arg("executable"),
            None => Failure::new("the target has no pip"),
        };
        let help = "install it first: on Debian the packages `python3-pip` and `python3-venv`";
        Err(host.missing(failure.help(help)))
    }

    /// Makes the virtual environment, where it is not there.
    fn make(&mut self, venv: &Path) -> Result<()> {
        let shown = venv.display();
        let target = Target::Host(format!("virtual environment {shown}"));
        let before = self.host.state(&target, || {
            let there = self.host.exists(&venv.join("bin/python"))?
                || self.host.exists(&venv.join("bin/activate"))?;
            Ok(there.then(State::new))
        })?;
        if before.is_none() {
            let command = self.maker(venv)?;
            let mut state = State::new();
            state.insert("made_with".to_owned(), command.display());
            let mut made = false;
            self.host.ensure(target.clone(), None, Some(state), || {
                made = true;
                self.host.run(&command)?.success(&command).map(drop)
            })?;
            self.planned = !made;
        } else {
            self.planned = !self.host.exists(&venv.join("bin"))?;
        }
        Ok(())
    }

    /// The command that makes a virtual environment.
    fn maker(&self, venv: &Path) -> Result<Command> {
        let own = shlex::split(&self.args.virtualenv_command).filter(|w| !w.is_empty());
        let own = own.ok_or_else(|| {
            Failure::new("`virtualenv_command` is no command").arg("virtualenv_command")
        })?;
        let mut words = own;
        let is_there = |program: &str| -> Result<bool> {
            let found = self.host.run(&self.around(Command::reads([program, "--version"])));
            match found {
                Ok(output) => Ok(output.rc == 0),
                Err(failure) if failure.unknown => Err(failure),
                Err(_) => Ok(false),
            }
        };
        if !is_there(&words[0])? {
            let python = self.args.virtualenv_python.as_deref().unwrap_or("python3");
            if self.args.virtualenv_command != "virtualenv" || !is_there(python)? {
                let failure = Failure::new(format!("there is no program `{}`", words[0]))
                    .arg("virtualenv_command")
                    .help("install it first: on Debian the package `python3-venv`, with \
                           virtualenv_command: python3 -m venv");
                return Err(self.host.missing(failure));
            }
            words = [python, "-m", "venv"].map(str::to_owned).to_vec();
        } else if let Some(python) = &self.args.virtualenv_python {
            words.push(format!("-p{python}"));
        }
        if self.args.virtualenv_site_packages {
            words.push("--system-site-packages".to_owned());
        }
        words.push(venv.to_string_lossy().into_owned());
        Ok(self.around(Command::changes(words)))
    }

    fn pip_of(&self, venv: &Path) -> Result<Vec<String>> {
        for name in ["pip3", "pip"] {
            let path = venv.join("bin").join(name);
            if self.planned || self.host.exists(&path)? {
                return Ok(vec![path.to_string_lossy().into_owned()]);
            }
        }
        let python = venv.join("bin/python").to_string_lossy().into_owned();
        Ok([python.as_str(), "-m", "pip"].map(str::to_owned).to_vec())
    }

    /// Whether there is no pip to ask yet.
    pub(super) fn is_planned(&self) -> bool {
        self.planned
    }

    /// What a dry run remembers the packages by.
    pub(super) fn target(&self) -> Target {
        let place = match &self.args.virtualenv {
            Some(venv) => venv.to_string_lossy().into_owned(),
            None => self.pip.join(" "),
        };
        Target::Host(format!("python packages of {place}"))
    }

    pub(super) fn command(&self, words: &[String]) -> Vec<String> {
        self.pip.iter().chain(words).cloned().collect()
    }

    fn around(&self, mut command: Command) -> Command {
        command.cwd.clone_from(&self.args.chdir);
        command.umask = self.args.umask.as_ref().map(|mode| mode.resolve(0, false) & 0o777);
        let command = command
            .env("LC_ALL", "C.UTF-8")
            .env("PIP_NO_INPUT", "1")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        if self.args.break_system_packages {
            return command.env("PIP_BREAK_SYSTEM_PACKAGES", "1");
        }
        command
    }

    fn tries(&self, words: &[String]) -> Result<Output> {
        self.host.run(&self.around(Command::reads(self.command(words))))
    }

    fn asks(&self, words: &[&str]) -> Result<String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let command = self.around(Command::reads(self.command(&words)));
        Ok(judged(self.host.run(&command)?, &command)?.stdout())
    }

    pub(super) fn does(&self, words: &[String]) -> Result<Output> {
        let command = self.around(Command::changes(self.command(words)));
        judged(self.host.run(&command)?, &command)
    }

    /// The packages that are there, with those that this dry run would have put there.
    pub(super) fn installed(&self) -> Result<State> {
        let state = self.host.state(&self.target(), || {
            if self.planned {
                return Ok(Some(State::new()));
            }
            self.listed().map(Some)
        })?;
        Ok(state.unwrap_or_default())
    }

    /// The packages that pip lists.
    pub(super) fn listed(&self) -> Result<State> {
        let text = self.asks(&["list", "--format=json"])?;
        let rows: Vec<Value> = serde_json::from_str(&text)
            .map_err(|e| Failure::new(format!("`pip list` gave no list: {e}")))?;
        let text = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
        Ok(rows
            .iter()
            .filter_map(|row| {
                let version = text(row, "version")?;
                // The source of an editable package is a part of what is installed.
                let version = match text(row, "editable_project_location") {
                    Some(place) => format!("{version} ({place})"),
                    None => version,
                };
                Some((normal(&text(row, "name")?), version))
            })
            .collect())
    }

    /// What an installation would bring; `None` where this pip cannot tell.
    pub(super) fn report(&self, words: &[String]) -> Result<Option<State>> {
        let version = self.asks(&["--version"])?;
        if !can_report(&version) {
            return Ok(None);
        }
        let (act, rest) = words.split_at(1);
        let options = ["--dry-run", "--quiet", "--report", "-"].map(str::to_owned);
        let words: Vec<String> = act.iter().chain(&options).chain(rest).cloned().collect();
        let command = self.around(Command::reads(self.command(&words)));
        let text = judged(self.host.run(&command)?, &command)?.stdout();
        let json = text.find('{').map_or("", |at| &text[at..]);
        let report: Value = serde_json::from_str(json)
            .map_err(|e| Failure::new(format!("`{}` gave no report: {e}", command.display())))?;
        let items = report["install"].as_array().into_iter().flatten();
        let known = items.filter_map(|item| {
            let metadata = &item["metadata"];
            let name = metadata["name"].as_str()?;
            Some((normal(name), metadata["version"].as_str()?.to_owned()))
        });
        Ok(Some(known.collect()))
    }
}

/// Whether `pip 23.0.1 from ...` is new enough.
fn can_report(version: &str) -> bool {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= REPORTS
}

/// pip's own words where it fails.
fn judged(output: Output, command: &Command) -> Result<Output> {
    if output.rc == 0 {
        return Ok(output);
    }
    let said = output.stderr();
    let error = said.lines().find_map(|l| l.strip_prefix("error: ").or(l.strip_prefix("ERROR: ")));
    let why = error.map(str::to_owned);
    let mut failure = match output.success(command) {
        Ok(output) => return Ok(output),
        Err(failure) => failure,
    };
    if let Some(why) = why {
        failure.msg = format!("`{}`: {why}", command.display());
    }
    if said.contains("externally-managed-environment") {
        failure = failure.help(
            "the system's packages come from its package manager: install into a `virtualenv`, or \
             set break_system_packages: true",
        );
    }
    let words: Vec<String> = command.argv.iter().map(|w| w.to_string_lossy().into_owned()).collect();
    Err(failure.with("cmd", words))
}

#[cfg(test)]
mod tests {
    use super::can_report;

    #[test]
    fn only_a_new_pip_reports() {
        assert!(can_report("pip 23.0.1 from /x (python 3.11)"));
        assert!(can_report("pip 22.2 from /x"));
        assert!(!can_report("pip 22.1.2 from /x"));
        assert!(!can_report("nonsense"));
    }
}
