//! How a host is reached and as whom: from variables, keywords and the command line.

mod page;
mod programs;
mod through;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rplay_diag::{Diagnostic, Span, did_you_mean};
use rplay_playbook::{Keyword, Task};
use rplay_template::{Value, Var, Vars, is_omit};
use rplay_transport::{Become, HostKeys, Kind, Method, Secret, SshArgs, Target};
use rplay_yaml::Node;

use crate::frame::Frame;
use crate::run::Run;
use crate::text;
pub use page::{connection_page, connection_pages};
use programs::PROGRAMS;
use through::Program;

/// How a host is reached.
const CONNECTION: &str = "ansible_connection";

/// How long a connection may take.
const TIMEOUT: &[&str] = &["ansible_timeout", "ansible_ssh_timeout"];

/// A lookup of connection settings for one host.
struct Settings<'a> {
    run: &'a Run,
    vars: &'a Arc<dyn Vars>,
    task: Option<&'a Task>,
    frame: &'a Frame,
}

impl Settings<'_> {
    /// A variable that somebody sets.
    fn value(&self, name: &str) -> Option<Value> {
        let view = || self.run.templar.view(self.vars);
        self.vars.is_set(name).then(view)?.get_attr(name).ok()
    }

    /// The first of these variables that is set.
    fn var(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let text = text::plain(&self.value(name)?);
            (!text.is_empty()).then_some(text)
        })
    }

    fn keyword(&self, keyword: Keyword) -> Result<Option<String>, Diagnostic> {
        let node = self.run.said(self.frame, self.task, keyword, self.vars);
        let text = node
            .map(|node| text::string(&self.run.templar, node, self.vars))
            .transpose()?;
        Ok(text.filter(|t| !t.is_empty()))
    }

    /// Seconds.
    fn seconds(&self, names: &[&str]) -> Option<u64> {
        self.var(names)?.parse().ok()
    }

    /// Seconds that a connection may take, where something says so.
    fn connect_timeout(&self) -> Option<u64> {
        self.seconds(TIMEOUT).or(self.run.options.connect.timeout)
    }

    /// Seconds that it may take to become a user, where something says so.
    fn patience(&self, kind: &Kind) -> Option<u64> {
        if *kind == Kind::Local {
            return self.seconds(&["ansible_local_become_success_timeout"]);
        }
        // Two more than a connection, as Ansible's: the host answers first.
        self.connect_timeout().map(|seconds| seconds + 2)
    }

    fn secret(&self, names: &[&str]) -> Option<Secret> {
        Some(self.hidden(self.var(names)?))
    }

    /// A text that shows nowhere from now on.
    fn hidden(&self, text: String) -> Secret {
        self.run.templar.redactor().register(&text);
        Secret::new(text)
    }

    /// The connection, as it is named.
    fn connection(&self) -> Result<String, Diagnostic> {
        let named = self
            .var(&[CONNECTION])
            .or(self.keyword(Keyword::Connection)?)
            .or(self.run.options.connect.kind.clone());
        Ok(named.unwrap_or_else(|| "ssh".to_owned()))
    }

    /// How `host` is reached.
    fn kind(&self, host: &str) -> Result<Kind, Diagnostic> {
        let word = self.connection()?;
        match word.strip_prefix("ansible.builtin.").unwrap_or(&word) {
            "local" => Ok(Kind::Local),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => Ok(Kind::Ssh),
            name => match Program::find(name) {
                Some(program) => Ok(Kind::Through(Arc::new(program.through(self, host)?))),
                None => Err(self.no_connection(&word, host)),
            },
        }
    }

    fn no_connection(&self, word: &str, host: &str) -> Diagnostic {
        let words = format!("there is no connection `{word}`, which host `{host}` names");
        let known = || {
            ["ssh", "local"]
                .into_iter()
                .chain(PROGRAMS.iter().map(Program::word))
        };
        let error = Diagnostic::error(words);
        let error = match self.place(CONNECTION, Keyword::Connection) {
            Some(span) => error.at(&span),
            None => error,
        };
        let error = match did_you_mean(word, known()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error,
        };
        error.help(format!(
            "there are {}; others are plugins in Python, which run where ansible-core and their collection are installed",
            known().collect::<Vec<_>>().join(", ")
        ))
    }

    /// Where a setting is written, if it is in a file.
    fn place(&self, name: &str, keyword: Keyword) -> Option<Span> {
        let written = self.vars.is_set(name).then(|| self.vars.get(name));
        match written.flatten() {
            Some(Var::Raw(node)) => Some(node.span.clone()),
            Some(Var::Value(_)) => None,
            None => {
                let node = self.run.said(self.frame, self.task, keyword, self.vars);
                node.map(|node| node.span.clone())
            }
        }
    }
}

impl Run {
    /// The innermost value of a keyword that is not `omit`: who omits it has what is around.
    pub(crate) fn said<'a>(
        &self,
        frame: &'a Frame,
        task: Option<&'a Task>,
        keyword: Keyword,
        vars: &Arc<dyn Vars>,
    ) -> Option<&'a Node> {
        let omits = |node: &Node| {
            node.as_str().is_some_and(|text| text.contains("omit"))
                && self.templar.render(node, vars).is_ok_and(|v| is_omit(&v))
        };
        frame.said(task, keyword).find(|node| !omits(node))
    }

    /// The connection that a task's host is reached by, as it is named.
    ///
    /// # Errors
    /// A keyword that cannot be rendered.
    pub(crate) fn connection_name(
        &self,
        vars: &Arc<dyn Vars>,
        task: Option<&Task>,
        frame: &Frame,
    ) -> Result<String, Diagnostic> {
        let settings = Settings {
            run: self,
            vars,
            task,
            frame,
        };
        settings.connection()
    }

    /// Where a task for `host` connects to.
    ///
    /// # Errors
    /// A keyword that cannot be rendered, or a setting of no meaning.
    pub(crate) fn target(
        &self,
        host: &str,
        vars: &Arc<dyn Vars>,
        task: Option<&Task>,
        frame: &Frame,
    ) -> Result<Target, Diagnostic> {
        let options = &self.options.connect;
        let settings = Settings {
            run: self,
            vars,
            task,
            frame,
        };
        let kind = settings.kind(host)?;
        match kind {
            Kind::Ssh => {}
            Kind::Local => {
                return Ok(Target {
                    name: host.to_owned(),
                    ..self.local(&frame.context.play.dir)
                });
            }
            Kind::Through(_) => {
                return Ok(Target {
                    name: host.to_owned(),
                    kind,
                    ..Target::default()
                });
            }
        }
        let mut ssh_args = SshArgs::default();
        let common = settings.var(&["ansible_ssh_common_args"]);
        let extra = settings.var(&["ansible_ssh_extra_args"]);
        for text in options.ssh_args.iter().chain(&common).chain(&extra) {
            let parsed = SshArgs::parse(text).map_err(|e| e.diagnostic())?;
            ssh_args.extend(parsed);
        }
        let port = settings
            .var(&["ansible_port", "ansible_ssh_port"])
            .or(settings.keyword(Keyword::Port)?);
        let user = settings.var(&["ansible_user", "ansible_ssh_user"]);
        let key = settings.var(&["ansible_ssh_private_key_file", "ansible_private_key_file"]);
        let seconds = settings.seconds(TIMEOUT);
        let checking =
            settings.var(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"]);
        let checking = checking.map(|t| matches!(t.to_lowercase().as_str(), "true" | "yes" | "1"));
        Ok(Target {
            name: host.to_owned(),
            dir: None,
            host: settings
                .var(&["ansible_host", "ansible_ssh_host"])
                .unwrap_or_else(|| host.to_owned()),
            port: port.and_then(|p| p.parse().ok()).or(options.port),
            user: user
                .or(settings.keyword(Keyword::RemoteUser)?)
                .or(options.user.clone()),
            private_key: key.map(expanded).or(options.private_key.clone()),
            password: settings
                .secret(&[
                    "ansible_password",
                    "ansible_ssh_pass",
                    "ansible_ssh_password",
                ])
                .or(options.password.clone()),
            ssh_args,
            kind,
            timeout: seconds.or(options.timeout).map(Duration::from_secs),
            host_keys: match checking.or(options.host_key_checking) {
                Some(false) => Some(HostKeys::Ignore),
                _ => None,
            },
        })
    }

    /// Whom a task becomes, if anybody, on a host that is reached so.
    ///
    /// # Errors
    /// A keyword that cannot be rendered, or a method that is not known.
    pub(crate) fn becomes(
        &self,
        kind: &Kind,
        vars: &Arc<dyn Vars>,
        task: Option<&Task>,
        frame: &Frame,
    ) -> Result<Option<Become>, Diagnostic> {
        let options = &self.options.escalate;
        let settings = Settings {
            run: self,
            vars,
            task,
            frame,
        };
        let wanted = match settings.var(&["ansible_become"]) {
            Some(text) => matches!(text.to_lowercase().as_str(), "true" | "yes" | "1" | "on"),
            None => match self.said(frame, task, Keyword::Become, vars) {
                Some(node) => text::boolean(&self.templar, node, vars)?,
                None => options.enabled,
            },
        };
        if !wanted {
            return Ok(None);
        }
        let method = settings
            .var(&["ansible_become_method"])
            .or(settings.keyword(Keyword::BecomeMethod)?);
        let method = match method {
            None => options.method,
            Some(word) => Method::of_word(&word).ok_or_else(|| {
                Diagnostic::error(format!("there is no become method `{word}`"))
                    .help("use sudo, su or doas")
            })?,
        };
        let own = |key: &str| format!("ansible_{}_{key}", method.word());
        let said = |key: &str, keyword| {
            let var = settings.var(&[&format!("ansible_become_{key}"), &own(key)]);
            Ok::<_, Diagnostic>(var.or(settings.keyword(keyword)?))
        };
        let user = said("user", Keyword::BecomeUser)?;
        let flags = said("flags", Keyword::BecomeFlags)?.or(options.flags.clone());
        let (password, pass) = (own("password"), own("pass"));
        Ok(Some(Become {
            method,
            // Nobody is the one that the settings name.
            user: user
                .filter(|user| !user.is_empty())
                .unwrap_or_else(|| options.user.clone()),
            password: settings
                .secret(&[
                    "ansible_become_password",
                    "ansible_become_pass",
                    &password,
                    &pass,
                ])
                .or(options.password.clone()),
            flags: flags.map(|f| text::shell_words(&f)),
            exe: said("exe", Keyword::BecomeExe)?.or(options.exe.clone()),
            dir: settings.var(&[&own("chdir")]).filter(|dir| !dir.is_empty()),
            prompts: settings
                .value("ansible_su_prompt_l10n")
                .map(|value| text::words_of(&value))
                .filter(|named| !named.is_empty())
                .unwrap_or_else(|| options.su_prompts.clone()),
            timeout: settings.patience(kind).map(Duration::from_secs),
        }))
    }
}

/// Whether a connection is rplay's own.
pub(crate) fn is_own(name: &str) -> bool {
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    matches!(
        short,
        "local" | "ssh" | "smart" | "paramiko" | "paramiko_ssh"
    ) || Program::find(short).is_some()
}

fn expanded(path: String) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(rest),
        None => path.into(),
    }
}
