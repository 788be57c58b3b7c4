//! A connection that is a program of the controller: its words, from what an inventory says.

use std::time::Duration;

use rplay_diag::Diagnostic;
use rplay_playbook::Keyword;
use rplay_transport::{Help, Secret, Through, Word};

use super::Settings;
use super::programs::PROGRAMS;
use crate::text;

/// A program that runs commands elsewhere.
#[derive(Debug)]
pub(crate) struct Program {
    /// What playbooks call it: the full name first, then the short one.
    pub names: &'static [&'static str],
    /// What is at the other end.
    pub summary: &'static str,
    /// Where its commands run, in words; `*` stands for the name.
    pub inside: &'static str,
    /// The program.
    pub program: &'static str,
    /// What says that it is another one.
    pub executable: Said,
    /// What says that the shell there is another than /bin/sh.
    pub shell: Said,
    /// What says how long it may take, before what says it of all connections.
    pub timeout: Said,
    /// What says the name at the other end; otherwise the inventory's is.
    pub host: Said,
    /// Its words, up to the shell.
    pub args: &'static [Part],
    /// What to look at where it says no.
    pub refused: &'static str,
}

/// What says a setting, in words: variables, the one that wins first (`*` stands for the
/// connection's short name), variables of rplay's own environment in capitals, and after `=` what
/// holds where none is set.
pub(crate) type Said = &'static str;

/// A part of a program's command line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// This word.
    Is(&'static str),
    /// The name at the other end.
    Host,
    /// The name of an instance behind the remote that is said.
    Instance(Said),
    /// A flag and its value.
    Flag(&'static str, Said),
    /// A flag and its value in one word.
    Equals(&'static str, Said),
    /// A flag and its value, which nobody may see.
    Hidden(&'static str, Said),
    /// A flag, where it is said to hold.
    On(&'static str, Said),
    /// A flag, where it is said not to hold.
    Not(&'static str, Said),
    /// A flag and the user to be there.
    User(&'static str, Said),
    /// The program there that makes the user of root.
    Su(Said, Said),
    /// Words as a shell would read them.
    Words(Said),
    /// A flag with `NAME=VALUE` for each of a mapping.
    Each(&'static str, Said),
    /// The program's own environment, of a mapping.
    Export(Said),
}

impl Program {
    /// The program that is the connection of that name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        PROGRAMS
            .iter()
            .find(|program| program.names.contains(&name))
    }

    /// The short name.
    pub(crate) fn word(&self) -> &'static str {
        self.names[1]
    }

    /// The names of variables, in order; one of the environment is in capitals.
    pub(crate) fn variables(&self, said: Said) -> impl Iterator<Item = String> {
        let names = said.split(' ').filter(|name| !name.is_empty());
        let names = names.filter(|name| !name.starts_with('='));
        names.map(|name| name.replace('*', self.word()))
    }

    /// How `host` is reached.
    ///
    /// # Errors
    /// A keyword that cannot be rendered.
    pub(super) fn through(
        &'static self,
        settings: &Settings<'_>,
        host: &str,
    ) -> Result<Through, Diagnostic> {
        let name = self.said(settings, self.host);
        let mut line = Line {
            program: self,
            settings,
            name: name.unwrap_or_else(|| host.to_owned()),
            args: vec![],
            environment: vec![],
        };
        for part in self.args {
            line.part(*part)?;
        }
        let executable = self.said(settings, self.executable);
        let shell = self.said(settings, self.shell);
        let timeout = self
            .said(settings, self.timeout)
            .and_then(|t| t.parse().ok());
        let timeout = timeout.or(settings.connect_timeout());
        Ok(Through {
            connection: self.word().to_owned(),
            inside: self.inside.replace('*', &line.name),
            program: executable.unwrap_or_else(|| self.program.to_owned()),
            args: line.args,
            environment: line.environment,
            shell: shell.unwrap_or_else(|| "/bin/sh".to_owned()),
            timeout: timeout.map(Duration::from_secs),
            help: Help {
                missing: self.missing(),
                refused: self.refused.to_owned(),
            },
        })
    }

    fn missing(&self) -> String {
        let program = self.program;
        match self.variables(self.executable).next() {
            Some(name) => format!("install `{program}`, or say where it is with `{name}`"),
            None => format!("install `{program}` on the controller"),
        }
    }

    /// What is said of a setting.
    fn said(&self, settings: &Settings<'_>, said: Said) -> Option<String> {
        let set = self.variables(said).find_map(|name| {
            if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                return std::env::var(name).ok().filter(|text| !text.is_empty());
            }
            settings.var(&[&name])
        });
        let otherwise = || said.split_once('=').map(|(_, text)| text.to_owned());
        set.or_else(otherwise)
    }
}

/// A command line that grows.
struct Line<'a> {
    program: &'static Program,
    settings: &'a Settings<'a>,
    name: String,
    args: Vec<Word>,
    environment: Vec<(String, Secret)>,
}

impl Line<'_> {
    fn part(&mut self, part: Part) -> Result<(), Diagnostic> {
        match part {
            Part::Is(word) => self.push(word),
            Part::Host => self.push(self.name.clone()),
            Part::Instance(remote) => {
                // It is a name of hosts, of one label.
                let label = self.name.split('.').next().unwrap_or_default();
                let remote = self.said(remote).unwrap_or_default();
                self.push(format!("{remote}:{label}"));
            }
            Part::Flag(flag, said) => self.flag(flag, self.said(said)),
            Part::Equals(flag, said) => {
                let value = self.said(said).unwrap_or_default();
                self.push(format!("{flag}={value}"));
            }
            Part::Hidden(flag, said) => {
                if let Some(value) = self.said(said) {
                    self.push(flag);
                    self.args.push(Word::Secret(self.settings.hidden(value)));
                }
            }
            Part::On(flag, said) => {
                if self.said(said).is_some_and(|text| is_yes(&text)) {
                    self.push(flag);
                }
            }
            Part::Not(flag, said) => {
                if self.said(said).is_some_and(|text| !is_yes(&text)) {
                    self.push(flag);
                }
            }
            Part::User(flag, said) => {
                let user = self.user(said)?;
                self.flag(flag, user);
            }
            Part::Su(program, said) => {
                if let Some(user) = self.user(said)?.filter(|user| user != "root") {
                    let program = self.said(program).unwrap_or_default();
                    let run = "exec \"$0\" \"$@\"";
                    for word in [&program, "-s", "/bin/sh", "-c", run, "--", &user] {
                        self.push(word);
                    }
                }
            }
            Part::Words(said) => {
                let text = self.said(said).unwrap_or_default();
                text::shell_words(&text)
                    .into_iter()
                    .for_each(|word| self.push(word));
            }
            Part::Each(flag, said) => {
                for (key, value) in self.pairs(said) {
                    self.push(flag);
                    self.push(format!("{key}={value}"));
                }
            }
            Part::Export(said) => {
                let pairs = self.pairs(said).into_iter();
                let hidden = pairs.map(|(key, value)| (key, Secret::new(value)));
                self.environment.extend(hidden);
            }
        }
        Ok(())
    }

    fn push(&mut self, word: impl Into<String>) {
        self.args.push(Word::Plain(word.into()));
    }

    fn flag(&mut self, flag: &str, value: Option<String>) {
        if let Some(value) = value {
            self.push(flag);
            self.push(value);
        }
    }

    fn said(&self, said: Said) -> Option<String> {
        self.program.said(self.settings, said)
    }

    fn user(&self, said: Said) -> Result<Option<String>, Diagnostic> {
        let said = match self.said(said) {
            None => self.settings.keyword(Keyword::RemoteUser)?,
            said => said,
        };
        Ok(said.or(self.settings.run.options.connect.user.clone()))
    }

    /// The keys and values of a mapping.
    fn pairs(&self, said: Said) -> Vec<(String, String)> {
        let mut names = self.program.variables(said);
        let Some(value) = names.find_map(|name| self.settings.value(&name)) else {
            return vec![];
        };
        let keys = value.try_iter().into_iter().flatten();
        let pair = |key| {
            let item = value.get_item(&key).unwrap_or_default();
            (text::plain(&key), text::plain(&item))
        };
        keys.map(pair).collect()
    }
}

fn is_yes(text: &str) -> bool {
    matches!(text.to_lowercase().as_str(), "true" | "yes" | "1" | "on")
}
