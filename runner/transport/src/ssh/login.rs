//! Logs in: the agent's keys, key files, then a password, as far as the server accepts them.

use std::path::PathBuf;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Answer};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};
use tokio::net::UnixStream;

use super::keys::{self, Keyring};
use super::listener::{Listener, words};
use super::settings::{Identity, Settings};
use crate::Secret;
use crate::error::Cause;

/// How long a server may take for one answer: PAM and directory services can be slow.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Logs in, or says what was tried.
pub(super) async fn log_in(
    handle: &mut Handle<Listener>,
    settings: &Settings,
    password: Option<&Secret>,
    keyring: &Keyring,
) -> Result<(), Cause> {
    let user = settings.user.clone();
    let mut login = Login {
        handle,
        user,
        keyring,
        accepted: None,
        tried: vec![],
    };
    if login.keys(&settings.identity).await? {
        return Ok(());
    }
    if let Some(password) = password.filter(|_| settings.identity.password_allowed)
        && login.password(password).await?
    {
        return Ok(());
    }
    if login.accepted.is_none() && login.none().await? {
        return Ok(());
    }
    let accepted = login.accepted.unwrap_or_else(MethodSet::empty);
    Err(Cause::Auth {
        user: login.user,
        tried: login.tried,
        accepted: accepted.iter().map(String::from).collect(),
    })
}

struct Login<'a> {
    handle: &'a mut Handle<Listener>,
    user: String,
    keyring: &'a Keyring,
    /// What the server goes on with; `None` until it has said so.
    accepted: Option<MethodSet>,
    tried: Vec<String>,
}

/// A key to try.
enum Key {
    Agent(Box<AgentIdentity>),
    File(PathBuf),
}

impl Login<'_> {
    async fn keys(&mut self, identity: &Identity) -> Result<bool, Cause> {
        if !identity.keys_allowed {
            return Ok(false);
        }
        let mut agent = self.agent(identity).await;
        let held = match &mut agent {
            None => vec![],
            Some(agent) => match agent.request_identities().await {
                Ok(held) => held,
                Err(e) => {
                    self.tried
                        .push(format!("ssh-agent did not list its keys: {e}"));
                    vec![]
                }
            },
        };
        for key in order(held, identity) {
            if !self.goes_on_with(MethodKind::PublicKey) {
                break;
            }
            let done = match (key, &mut agent) {
                (Key::Agent(key), Some(agent)) => self.agent_key(&key, agent).await?,
                (Key::Agent(_), None) => false,
                (Key::File(file), _) => self.file(file, identity.are_named).await?,
            };
            if done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn agent(&mut self, identity: &Identity) -> Option<AgentClient<UnixStream>> {
        let socket = identity.agent.as_ref()?;
        match AgentClient::connect_uds(socket).await {
            Ok(agent) => Some(agent),
            Err(e) => {
                self.tried.push(format!(
                    "no ssh-agent answers at `{}`: {e}",
                    socket.display()
                ));
                None
            }
        }
    }

    async fn agent_key(
        &mut self,
        key: &AgentIdentity,
        agent: &mut AgentClient<UnixStream>,
    ) -> Result<bool, Cause> {
        let name = match key {
            AgentIdentity::PublicKey { comment, .. } => format!("the agent's key `{comment}`"),
            AgentIdentity::Certificate { comment, .. } => {
                format!("the agent's certificate `{comment}`")
            }
        };
        let hash = self.hash(key.public_key().algorithm().is_rsa()).await?;
        let user = self.user.clone();
        let result = match key {
            AgentIdentity::PublicKey { key, .. } => {
                let auth = self
                    .handle
                    .authenticate_publickey_with(user, key.clone(), hash, agent);
                in_time(async { auth.await.map_err(|e| e.to_string()) }).await?
            }
            AgentIdentity::Certificate { certificate, .. } => {
                let cert = certificate.clone();
                let auth = self
                    .handle
                    .authenticate_certificate_with(user, cert, hash, agent);
                in_time(async { auth.await.map_err(|e| e.to_string()) }).await?
            }
        };
        match result {
            Ok(result) => self.judge(result, name),
            Err(e) => {
                self.tried.push(format!("{name} could not sign: {e}"));
                Ok(false)
            }
        }
    }

    async fn file(&mut self, file: PathBuf, is_named: bool) -> Result<bool, Cause> {
        if !is_named && !file.exists() {
            return Ok(false);
        }
        let name = format!("the key `{}`", file.display());
        let key = match self.keyring.load(&file).await {
            Ok(key) => key,
            Err(why) => {
                self.tried.push(why);
                return Ok(false);
            }
        };
        if let Some(certificate) = keys::certificate(&file) {
            let user = self.user.clone();
            let auth = self
                .handle
                .authenticate_openssh_cert(user, key.clone(), certificate);
            let result = told(in_time(auth).await?)?;
            if self.judge(result, format!("the certificate of `{}`", file.display()))? {
                return Ok(true);
            }
        }
        let hash = self.hash(key.algorithm().is_rsa()).await?;
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let auth = self.handle.authenticate_publickey(self.user.clone(), key);
        let result = told(in_time(auth).await?)?;
        self.judge(result, name)
    }

    async fn password(&mut self, password: &Secret) -> Result<bool, Cause> {
        let mut was_tried = false;
        if self.goes_on_with(MethodKind::Password) {
            was_tried = true;
            let auth = self
                .handle
                .authenticate_password(self.user.clone(), password.expose());
            let result = told(in_time(auth).await?)?;
            if self.judge(result, "the password".to_owned())? {
                return Ok(true);
            }
        }
        if self.goes_on_with(MethodKind::KeyboardInteractive) {
            was_tried = true;
            if self.questions(password).await? {
                return Ok(true);
            }
        }
        if !was_tried {
            self.tried.push("the server takes no password".to_owned());
        }
        Ok(false)
    }

    /// Answers the one question that is asked without an echo.
    async fn questions(&mut self, password: &Secret) -> Result<bool, Cause> {
        let name = "the password (keyboard-interactive)".to_owned();
        let user = self.user.clone();
        let start = self
            .handle
            .authenticate_keyboard_interactive_start(user, None);
        let mut answer = told(in_time(start).await?)?;
        let mut is_given = false;
        loop {
            let prompts = match answer {
                Answer::Success => return Ok(true),
                Answer::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    let result = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return self.judge(result, name);
                }
                Answer::InfoRequest { prompts, .. } => prompts,
            };
            if is_given && !prompts.is_empty() {
                self.tried
                    .push(format!("{name}: the server asks for more than that"));
                return Ok(false);
            }
            is_given |= !prompts.is_empty();
            let replies = prompts.iter().map(|prompt| match prompt.echo {
                true => String::new(),
                false => password.expose().to_owned(),
            });
            let respond = self
                .handle
                .authenticate_keyboard_interactive_respond(replies.collect());
            answer = told(in_time(respond).await?)?;
        }
    }

    /// Some servers want nothing at all; the others say what they accept.
    async fn none(&mut self) -> Result<bool, Cause> {
        let auth = self.handle.authenticate_none(self.user.clone());
        match told(in_time(auth).await?)? {
            AuthResult::Success => Ok(true),
            AuthResult::Failure {
                remaining_methods, ..
            } => {
                self.accepted = Some(remaining_methods);
                Ok(false)
            }
        }
    }

    fn goes_on_with(&self, method: MethodKind) -> bool {
        self.accepted
            .as_ref()
            .is_none_or(|accepted| accepted.contains(&method))
    }

    fn judge(&mut self, result: AuthResult, name: String) -> Result<bool, Cause> {
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { .. } if self.handle.is_closed() => {
                let tried = self.tried.join("; ");
                let error =
                    format!("the server closed it after {name} was tried; before that: {tried}");
                Err(Cause::Closed {
                    act: format!("logging in as `{}`", self.user),
                    error,
                })
            }
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => {
                self.tried.push(match partial_success {
                    true => format!("{name} was accepted, but is not enough"),
                    false => format!("{name} was not accepted"),
                });
                self.accepted = Some(remaining_methods);
                Ok(false)
            }
        }
    }

    /// The hash that the server takes RSA signatures with.
    async fn hash(&mut self, is_rsa: bool) -> Result<Option<HashAlg>, Cause> {
        if !is_rsa {
            return Ok(None);
        }
        let best = told(self.handle.best_supported_rsa_hash().await)?;
        // A server that does not say is newer than SHA-1's end.
        Ok(best.unwrap_or(Some(HashAlg::Sha256)))
    }
}

/// The agent's keys that someone named, then the files, then the agent's other keys; files that
/// nobody named come last.
fn order(held: Vec<AgentIdentity>, identity: &Identity) -> Vec<Key> {
    let named: Vec<_> = identity
        .files
        .iter()
        .map(|file| keys::public(file))
        .collect();
    let is_named = |key: &AgentIdentity| {
        let key = key.public_key();
        named
            .iter()
            .flatten()
            .any(|named| named.key_data() == key.key_data())
    };
    let in_agent: Vec<_> = identity
        .files
        .iter()
        .zip(&named)
        .filter(|(_, public)| {
            public.as_ref().is_some_and(|public| {
                held.iter()
                    .any(|key| key.public_key().key_data() == public.key_data())
            })
        })
        .map(|(file, _)| file.clone())
        .collect();
    let files = identity
        .files
        .iter()
        .filter(|file| !in_agent.contains(file));
    let files: Vec<_> = files.cloned().map(Key::File).collect();
    let (first, other): (Vec<_>, Vec<_>) = held.into_iter().partition(is_named);
    let agent = |key| Key::Agent(Box::new(key));
    let first = first.into_iter().map(agent);
    let other = other.into_iter().filter(|_| !identity.only).map(agent);
    match identity.are_named {
        true => first.chain(files).chain(other).collect(),
        false => first.chain(other).chain(files).collect(),
    }
}

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, Cause> {
    tokio::time::timeout(ANSWER_TIMEOUT, answer)
        .await
        .map_err(|_| Cause::Timeout {
            act: "logging in".to_owned(),
            after: ANSWER_TIMEOUT,
        })
}

fn told<T>(result: Result<T, russh::Error>) -> Result<T, Cause> {
    result.map_err(|e| Cause::Closed {
        act: "logging in".to_owned(),
        error: words(&e),
    })
}
