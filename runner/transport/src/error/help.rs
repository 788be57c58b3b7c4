//! What to do about an error, a line each.

use super::{BecomeFault, Cause, Inside};
use crate::Method;

impl Cause {
    pub(super) fn help(&self, host: &str) -> Vec<String> {
        let line = match self {
            Self::Settings(_, help) => return help.iter().cloned().collect(),
            Self::Resolve { .. } => format!("set `ansible_host` for `{host}`, or correct its name"),
            Self::Connect { .. } => {
                "check that the host is up, that sshd listens there, and `ansible_port`".to_owned()
            }
            Self::Timeout { .. } => {
                "check the network and firewalls; --timeout (`ansible_timeout`) waits longer".into()
            }
            Self::Handshake { .. } => "check that an ssh server is at that port".to_owned(),
            Self::HostKeyUnknown { name, file, .. } => {
                return vec![
                    format!(
                        "compare the fingerprint with the host's own, then add its key to `{}`",
                        file.display()
                    ),
                    format!(
                        "to trust it on first use: `StrictHostKeyChecking accept-new` for `{name}` in ~/.ssh/config, \
                         or `ssh_args = -o StrictHostKeyChecking=accept-new`"
                    ),
                ];
            }
            Self::HostKeyChanged { name, file, .. } => {
                return vec![
                    "someone may be listening in, or the host was installed anew".to_owned(),
                    format!(
                        "if it was installed anew, forget the old key: ssh-keygen -f {} -R '{name}'",
                        file.display()
                    ),
                ];
            }
            Self::Auth { .. } => {
                "give a key (`ansible_ssh_private_key_file`, --private-key, ssh-agent) or a \
                 password (--ask-pass)"
                    .to_owned()
            }
            Self::Jump { cause, .. } => return cause.help(host),
            Self::Through { through, why } => match why {
                Inside::NoProgram => through.help.missing.clone(),
                Inside::NoShell => "rplay needs a shell there, and nothing else".to_owned(),
                Inside::Refused(_) => through.help.refused.clone(),
            },
            Self::Unsupported { .. } => format!(
                "rplay manages Linux on {}; `raw` works everywhere",
                std::env::consts::ARCH
            ),
            Self::NoPlace { .. } => {
                "it needs a folder that its user owns and that is not mounted noexec".to_owned()
            }
            Self::NoAgent { .. } => {
                "the shell there must run commands: over ssh, see what `ssh HOST true` prints"
                    .into()
            }
            Self::Become { method, why, .. } => return why.help(*method),
            Self::Closed { .. } | Self::HostKeyRefused { .. } | Self::Version { .. } => {
                return vec![];
            }
        };
        vec![line]
    }
}

impl BecomeFault {
    fn help(&self, method: Method) -> Vec<String> {
        let line = match self {
            Self::NoProgram(name) => {
                format!("install `{name}`, or choose another `become_method` (sudo, su, doas)")
            }
            Self::PasswordNeeded => {
                "give it with --ask-become-pass (-K), or set `ansible_become_password`".to_owned()
            }
            Self::PasswordWrong => {
                "correct `ansible_become_password`, or what --ask-become-pass was given".to_owned()
            }
            Self::NotAllowed(_) => match method {
                Method::Sudo => "allow the user in sudoers (`visudo`), or log in as another".into(),
                Method::Doas => "allow the user in `/etc/doas.conf`, or log in as another".into(),
                Method::Su => "log in as another user".to_owned(),
            },
            Self::NeedsTerminal(_) => match method {
                Method::Sudo => "remove `requiretty` from sudoers for this user".to_owned(),
                Method::Su | Method::Doas => {
                    "use sudo, or allow the user without a password".to_owned()
                }
            },
            Self::UnknownUser => "make the user first, or correct `become_user`".to_owned(),
            Self::Timeout { said, .. } if method == Method::Su && !said.is_empty() => {
                "if that is its prompt, name it in `ansible_su_prompt_l10n`, without the colon"
                    .into()
            }
            Self::Timeout { .. } => {
                "a hanging directory service (LDAP, SSSD) often does that".into()
            }
            Self::Other(_) => return vec![],
        };
        vec![line]
    }
}
