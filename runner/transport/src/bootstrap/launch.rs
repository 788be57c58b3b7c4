//! The command that finds the agent on a host and runs it, as the login user or as another.

use std::time::Duration;

use crate::error::{BecomeFault, Cause};
use crate::process::Ended;
use crate::target::BECOME_TIMEOUT;
use crate::{Become, Method, Secret};

use super::prompt::Prompt;
use super::{OWN, quoted, sh};

/// A folder on a host that may hold the agent.
pub(super) struct Place {
    /// Its path, in shell words within double quotes.
    pub(super) path: &'static str,
    /// What makes the folder it is in, where that may be missing.
    pub(super) prepare: &'static str,
}

/// In memory, and reached by every user: a run leaves the host's disks as they are.
const MEMORY: Place = Place {
    path: "/dev/shm/rplay-$u",
    prepare: "",
};
const RUNTIME: Place = Place {
    path: "${XDG_RUNTIME_DIR:-/nonexistent}/rplay",
    prepare: "",
};
const CACHE: Place = Place {
    path: "${HOME:-/nonexistent}/.cache/rplay",
    prepare: "[ -d \"$HOME\" ] && mkdir -p \"$HOME/.cache\"; ",
};
const TEMPORARY: Place = Place {
    path: "/tmp/rplay-$u",
    prepare: "",
};

/// How an agent is to be started.
pub(crate) struct Launch {
    /// The words before the agent's path; each is quoted.
    words: Vec<String>,
    /// The words before a command line that is one word; each is quoted.
    shell: Vec<String>,
    /// What is printed before a command line runs.
    pub(super) mark: String,
    /// The user to become, and how its password is asked for.
    pub(super) other: Option<Other>,
}

/// Another user to become.
pub(super) struct Other {
    method: Method,
    exe: String,
    user: String,
    pub(super) password: Option<Secret>,
    prompt: Prompt,
    /// How long it may take.
    pub(super) timeout: Duration,
}

impl Launch {
    /// A start as the login user, or as another.
    pub(crate) fn new(other: Option<&Become>) -> Result<Self, Cause> {
        let Some(other) = other else {
            return Ok(Self {
                words: vec![],
                shell: vec![],
                mark: String::new(),
                other: None,
            });
        };
        let exe = other
            .exe
            .clone()
            .unwrap_or_else(|| other.method.word().to_owned());
        let nonce = nonce();
        let prompt = format!("[rplay-{nonce}] password: ");
        let user = other.user.as_str();
        let mark = format!("rplay-begin-{nonce}");
        let run = format!("echo {mark}; exec /bin/sh -c \"$0\"");
        let (default, last): (&[&str], Vec<&str>) = match other.method {
            Method::Sudo => (&["-H"], vec!["-S", "-p", &prompt, "-u", user, "--"]),
            Method::Su => (&[], vec!["-s", "/bin/sh", "-c"]),
            Method::Doas => (&[], vec!["-u", user, "--"]),
        };
        // su's own shell runs a script, and knows the last word as its name.
        let (agent, shell) = match other.method {
            Method::Su => (vec!["exec \"$0\"", user], vec![&run, user]),
            Method::Sudo | Method::Doas => (vec![], vec!["/bin/sh", "-c", &run]),
        };
        let flags: Vec<String> = match &other.flags {
            Some(flags) if other.password.is_some() && other.method == Method::Sudo => {
                flags.iter().filter_map(|flag| may_ask(flag)).collect()
            }
            Some(flags) => flags.clone(),
            None => default.iter().map(|flag| (*flag).to_owned()).collect(),
        };
        let change_dir = |dir| ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", dir];
        let words = other.dir.as_deref().map(change_dir);
        let words = words.into_iter().flatten().chain([exe.as_str()]);
        let words: Vec<&str> = words
            .chain(flags.iter().map(String::as_str))
            .chain(last)
            .collect();
        let with = |more: Vec<&str>| {
            let all = words.iter().copied().chain(more);
            all.map(quoted).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            words: with(agent)?,
            shell: with(shell)?,
            mark: mark.clone(),
            other: Some(Other {
                method: other.method,
                exe,
                user: other.user.clone(),
                password: other.password.clone(),
                prompt: match other.method {
                    Method::Sudo => Prompt::Own(prompt),
                    Method::Su => Prompt::of_su(&other.prompts),
                    Method::Doas => Prompt::Words(vec!["password".to_owned()]),
                },
                timeout: other.timeout.unwrap_or(BECOME_TIMEOUT),
            }),
        })
    }

    /// The folders that may hold the agent, the best one first. A user that is not root must be
    /// able to get to another user's folder.
    pub(super) fn places(&self) -> &'static [Place] {
        const ALL: &[Place] = &[MEMORY, RUNTIME, CACHE, TEMPORARY];
        const SHARED: &[Place] = &[MEMORY, TEMPORARY];
        match &self.other {
            Some(other) if other.user != "root" => SHARED,
            _ => ALL,
        }
    }

    /// The folders in which a folder of the agent's own may be, in shell words.
    pub(super) fn roots(&self) -> &'static str {
        match &self.other {
            Some(other) if other.user != "root" => "/dev/shm /tmp /var/tmp",
            _ => {
                "/dev/shm \"${XDG_RUNTIME_DIR:-/nonexistent}\" /tmp /var/tmp \"${HOME:-/nonexistent}\" /"
            }
        }
    }

    /// The words before the agent's path, quoted.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// The user to become, where its name can be part of a script and is not root's.
    pub(super) fn owner(&self) -> Option<&str> {
        let user = self.other.as_ref()?.user.as_str();
        let is_plain = user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        (is_plain && user != "root").then_some(user)
    }

    /// What comes before a program that may ask for a password, so that its words are known.
    pub(super) fn language(&self) -> &'static str {
        match self.other {
            Some(_) => "export LC_MESSAGES=C; ",
            None => "",
        }
    }

    /// Runs the agent of this hash, or else says what the host is.
    pub(super) fn command(&self, sha256: &str) -> String {
        let places: Vec<_> = self
            .places()
            .iter()
            .map(|p| format!("\"{}\"", p.path))
            .collect();
        let places = places.join(" ");
        let language = self.language();
        let script = format!(
            "u=$(id -u); {OWN}{language}for d in {places}; do f=$d/agent-{sha256}; \
             [ -x \"$f\" ] && own $(ls -ldn \"$d\") && exec \"$@\" \"$f\"; done; \
             z=-; command -v gzip >/dev/null && z=gzip; \
             echo \"rplay-missing $(uname -sm) $z\""
        );
        sh(&script, &self.words)
    }
}

impl Launch {
    /// A command line for the login shell that prints the mark and runs `command` as the user.
    pub(super) fn line(&self, command: &str) -> String {
        let command = command.replace('\'', r"'\''");
        // With a blank before it no command looks like an option.
        format!("{} ' {command}'", self.shell.join(" "))
    }
}

impl Other {
    /// Whether the program waits for a password, by the end of what it said.
    pub(super) fn asks(&self, stderr: &str) -> bool {
        self.prompt.ends(stderr)
    }

    /// Why it neither asked nor went on in time: what it said may be a prompt in another language.
    pub(super) fn late(&self, stderr: &str) -> Cause {
        self.failed(BecomeFault::Timeout {
            after: self.timeout,
            said: self.words(stderr),
        })
    }

    pub(super) fn failed(&self, why: BecomeFault) -> Cause {
        Cause::Become {
            method: self.method,
            user: self.user.clone(),
            why,
        }
    }

    /// Why the program ended without starting the agent.
    pub(super) fn fault(&self, ended: &Ended, stderr: &str, sent: bool) -> Cause {
        let words = self.words(stderr);
        let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
        let why = if *ended == Ended::Code(127) {
            BecomeFault::NoProgram(self.exe.clone())
        } else if says(&[
            "unknown user",
            "does not exist",
            "no passwd entry",
            "No passwd entry",
        ]) {
            BecomeFault::UnknownUser
        } else if says(&[
            "must have a tty",
            "terminal is required",
            "from a terminal",
            "a tty is required",
        ]) {
            BecomeFault::NeedsTerminal(words)
        } else if says(&[
            "not in the sudoers",
            "not allowed to",
            "may not run",
            "Operation not permitted",
        ]) {
            BecomeFault::NotAllowed(words)
        } else if sent
            && says(&[
                "incorrect password",
                "Authentication fail",
                "try again",
                "Authorization failed",
            ])
        {
            BecomeFault::PasswordWrong
        } else if says(&[
            "password is required",
            "no password was provided",
            "Authorization required",
        ]) {
            BecomeFault::PasswordNeeded
        } else if words.is_empty() {
            BecomeFault::Other(format!("nothing, and {ended}"))
        } else {
            BecomeFault::Other(words)
        };
        self.failed(why)
    }

    /// What the program said but for its prompts, on one line.
    fn words(&self, stderr: &str) -> String {
        let lines = stderr.lines().map(|line| self.prompt.stripped(line));
        let lines: Vec<_> = lines
            .map(|l| l.trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect();
        lines.join("; ")
    }
}

/// A flag of sudo's without what keeps it from asking for a password: there is one to give.
fn may_ask(flag: &str) -> Option<String> {
    let Some(letters) = flag.strip_prefix('-') else {
        return Some(flag.to_owned());
    };
    let is_cluster = !letters.is_empty() && letters.chars().all(|c| "AbBEeHhiKknPSsVv".contains(c));
    match letters.replace('n', "") {
        _ if flag == "--non-interactive" => None,
        _ if !is_cluster => Some(flag.to_owned()),
        rest if rest.is_empty() => None,
        rest => Some(format!("-{rest}")),
    }
}

/// A word that nothing else prints.
pub(super) fn nonce() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sudo(flags: Option<Vec<String>>) -> Become {
        Become {
            flags,
            ..Become::root()
        }
    }

    fn other(other: &Become) -> Other {
        Launch::new(Some(other)).unwrap().other.unwrap()
    }

    #[test]
    fn a_command_is_one_quoted_word_for_any_shell() {
        let command = Launch::new(Some(&sudo(None))).unwrap().command("HASH");
        let inner = command.strip_prefix("exec /bin/sh -c '").unwrap();
        let (script, words) = inner.split_once("' rplay ").unwrap();
        assert!(!script.contains(['\\', '!', '\n', '\'']), "{script}");
        assert!(
            words.starts_with("'sudo' '-H' '-S' '-p' '[rplay-"),
            "{words}"
        );
        assert!(words.ends_with("] password: ' '-u' 'root' '--'"), "{words}");
    }

    #[test]
    fn a_word_that_a_shell_would_read_is_refused() {
        let error = Launch::new(Some(&sudo(Some(vec!["it's".to_owned()]))))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "`it's` cannot be passed to a shell");
    }

    #[test]
    fn a_user_that_is_not_root_gets_a_place_that_it_can_reach() {
        let deploy = Become {
            user: "deploy".to_owned(),
            ..Become::root()
        };
        let command = Launch::new(Some(&deploy)).unwrap().command("HASH");
        assert!(
            !command.contains("HOME") && !command.contains("XDG"),
            "{command}"
        );
    }

    #[test]
    fn where_there_is_a_password_sudo_may_ask_for_it() {
        let all = [
            "-H",
            "-S",
            "-n",
            "-HSn",
            "--non-interactive",
            "--login-class",
            "user",
        ];
        let left: Vec<String> = all.iter().filter_map(|flag| may_ask(flag)).collect();
        assert_eq!(left, ["-H", "-S", "-HS", "--login-class", "user"]);
    }

    #[test]
    fn only_a_prompt_is_a_prompt() {
        let su = other(&Become {
            method: Method::Su,
            ..Become::root()
        });
        assert!(su.asks("Password: "));
        assert!(!su.asks("sh: 1: exec:"));
        let sudo = other(&sudo(None));
        assert!(!sudo.asks("Password: "), "another program's, or a lecture");
    }

    #[test]
    fn faults_are_told_apart_by_what_the_program_says() {
        let sudo = other(&sudo(None));
        let fault = |code, stderr: &str, sent| match sudo.fault(&Ended::Code(code), stderr, sent) {
            Cause::Become { why, .. } => why,
            other => panic!("{other:?}"),
        };
        let no = |words: &str| BecomeFault::NotAllowed(words.to_owned());
        assert_eq!(
            fault(127, "sh: sudo: not found", false),
            BecomeFault::NoProgram("sudo".into())
        );
        assert_eq!(
            fault(1, "sudo: unknown user x\n", false),
            BecomeFault::UnknownUser
        );
        let words = "eve is not in the sudoers file.";
        assert_eq!(fault(1, &format!("{words}\n"), true), no(words));
        let words = "Sorry, user eve is not allowed to execute 'x' as root on web.";
        assert_eq!(fault(1, words, true), no(words));
        assert_eq!(
            fault(1, "sudo: 3 incorrect password attempts", true),
            BecomeFault::PasswordWrong
        );
        assert_eq!(
            fault(1, "sudo: a password is required", false),
            BecomeFault::PasswordNeeded
        );
        let words = "sudo: effective uid is not 0";
        assert_eq!(fault(1, words, false), BecomeFault::Other(words.to_owned()));
    }
}
