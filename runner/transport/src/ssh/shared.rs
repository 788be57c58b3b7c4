//! What the connections of a run share, and how one is made.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::config::{Config, Folders, Found, Setting, Subject, default_files};
use super::dial::{self, Proxy, Stream};
use super::farewell::Farewell;
use super::keys::Keyring;
use super::known_hosts::Known;
use super::listener::{Listener, Refusal};
use super::settings::{Local, Route, Settings};
use super::{Session, login};
use crate::error::Cause;
use crate::{HostKeys, Secrets, SshArgs, Target};

/// Jump hosts behind jump hosts that are followed.
const MAX_JUMPS: usize = 8;

/// Decrypted keys, jump hosts, read configuration files.
pub(crate) struct Shared {
    keyring: Keyring,
    local: Local,
    /// Read when first wanted: a run on the controller alone needs none.
    files: OnceLock<Result<Vec<Arc<Config>>, Cause>>,
    jumps: Mutex<HashMap<Hop, Arc<OnceCell<Arc<Session>>>>>,
    writing: Arc<Mutex<()>>,
    warnings: Mutex<HashSet<String>>,
}

/// What makes two jump hosts the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Hop {
    /// From the nearest to this one.
    path: Vec<String>,
    config: Option<std::path::PathBuf>,
    ignores_keys: bool,
}

impl Shared {
    pub(crate) fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self {
            keyring: Keyring::new(secrets),
            local: Local::here(),
            files: OnceLock::new(),
            jumps: Mutex::default(),
            writing: Arc::default(),
            warnings: Mutex::default(),
        }
    }

    /// Connects and logs in; what is refused or cut is tried again.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Session, Cause> {
        let settings = self.settings(target)?;
        let mut left = settings.attempts;
        loop {
            left -= 1;
            match self.open(target, &settings, 0).await {
                Err(cause) if left > 0 && may_pass(&cause) => {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                result => return result,
            }
        }
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings: Vec<_> = warnings.drain().collect();
        warnings.sort();
        warnings
    }

    fn settings(&self, target: &Target) -> Result<Settings, Cause> {
        let mut found = Found::default();
        for (name, value) in &target.ssh_args.options {
            let words = match name.as_str() {
                "userknownhostsfile" | "globalknownhostsfile" => {
                    value.split_whitespace().map(str::to_owned).collect()
                }
                _ => vec![value.clone()],
            };
            found.add(&Setting {
                keyword: name.clone(),
                words,
                text: value.clone(),
                place: "the ssh arguments".to_owned(),
            });
        }
        if let Some(word) = &target.ssh_args.stray {
            let words = format!("the ssh argument `{word}` is no option");
            let help = "ssh would take it for the host: take it out of `ansible_ssh_common_args` or its like";
            return Err(Cause::Settings(words, Some(help.to_owned())));
        }
        for unknown in &target.ssh_args.ignored {
            self.warn(format!("the ssh argument `{unknown}` is ignored"));
        }
        let subject = Subject {
            host: &target.host,
            local_user: &self.local.user,
        };
        for config in self.configs(&target.ssh_args)? {
            found.look_up(&config, subject);
        }
        Settings::new(target, &found, &self.local)
    }

    fn configs(&self, args: &SshArgs) -> Result<Vec<Arc<Config>>, Cause> {
        let read = |file: &Path, base: &Path| {
            let config = Config::read(
                file,
                Folders {
                    home: &self.local.home,
                    base,
                },
            )?;
            config.warnings.iter().cloned().for_each(|w| self.warn(w));
            Ok(Arc::new(config))
        };
        match &args.config {
            Some(file) if file.as_os_str() == "none" => Ok(vec![]),
            Some(file) => Ok(vec![read(file, &self.local.home.join(".ssh"))?]),
            None => self
                .files
                .get_or_init(|| {
                    let files = default_files(&self.local.home);
                    files.iter().map(|(file, base)| read(file, base)).collect()
                })
                .clone(),
        }
    }

    fn warn(&self, text: String) {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(text);
    }

    /// One attempt.
    async fn open(
        &self,
        target: &Target,
        settings: &Settings,
        depth: usize,
    ) -> Result<Session, Cause> {
        let (mut jump, mut proxy) = (None, None);
        let stream: Box<dyn Stream> = match &settings.route {
            Route::Direct => Box::new(dial::tcp(settings).await?),
            Route::Command(line) => {
                let (started, stream) = Proxy::start(line)?;
                proxy = Some(started);
                Box::new(stream)
            }
            Route::Jump(hops) => {
                let through = self.jump(target, hops, depth).await?;
                let stream = through.tunnel(settings).await?;
                jump = Some(through);
                Box::new(stream)
            }
        };
        let opened = self.enter(target, settings, stream).await;
        let blamed = match (opened, &proxy) {
            (Err(cause), Some(proxy)) => Err(proxy.blame(cause).await),
            (opened, _) => opened,
        };
        let (handle, farewell) = blamed?;
        Ok(Session {
            handle,
            farewell,
            _jump: jump,
            _proxy: proxy.map(|p| p.child),
        })
    }

    /// Shakes hands and logs in.
    async fn enter(
        &self,
        target: &Target,
        settings: &Settings,
        stream: Box<dyn Stream>,
    ) -> Result<(russh::client::Handle<Listener>, Farewell), Cause> {
        let farewell = Farewell::default();
        let (name, port) = settings.known_as();
        let listener = Listener {
            known: Known::read(
                name,
                port,
                &settings.known_hosts,
                &settings.global_known_hosts,
            ),
            policy: settings.host_keys,
            hash_names: settings.hash_known_hosts,
            writing: self.writing.clone(),
            refused: Refusal::default(),
            farewell: farewell.clone(),
        };
        let mut handle = dial::handshake(stream, settings, listener).await?;
        login::log_in(
            &mut handle,
            settings,
            target.password.as_ref(),
            &self.keyring,
        )
        .await?;
        Ok((handle, farewell))
    }

    /// The session to the last of these hops: one for all hosts behind it.
    async fn jump(
        &self,
        target: &Target,
        hops: &[String],
        depth: usize,
    ) -> Result<Arc<Session>, Cause> {
        let Some((last, before)) = hops.split_last() else {
            return Err(Cause::Settings(
                "`ProxyJump` names no host".to_owned(),
                None,
            ));
        };
        if depth >= MAX_JUMPS {
            let message = format!("the jump host `{last}` is behind itself");
            return Err(Cause::Settings(
                message,
                Some("correct `ProxyJump`".to_owned()),
            ));
        }
        let hop = Hop {
            path: hops.to_vec(),
            config: target.ssh_args.config.clone(),
            ignores_keys: target.host_keys == Some(HostKeys::Ignore),
        };
        let slot = self.slot(&hop);
        let session = slot
            .get_or_try_init(|| async {
                let target = hop_target(last, target)?;
                let mut settings = self.settings(&target)?;
                if !before.is_empty() {
                    settings.route = Route::Jump(before.to_vec());
                }
                Box::pin(self.open(&target, &settings, depth + 1))
                    .await
                    .map(Arc::new)
            })
            .await
            .map_err(|cause| Cause::Jump {
                via: last.clone(),
                cause: Box::new(cause),
            })?;
        Ok(session.clone())
    }

    fn slot(&self, hop: &Hop) -> Arc<OnceCell<Arc<Session>>> {
        let mut jumps = self.jumps.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = jumps.entry(hop.clone()).or_default();
        if slot.get().is_some_and(|session| session.is_closed()) {
            *slot = Arc::default();
        }
        slot.clone()
    }
}

/// A jump host takes its settings from the configuration files alone, as in ssh; that keys are not
/// checked holds for it too.
fn hop_target(hop: &str, target: &Target) -> Result<Target, Cause> {
    let hop = hop.strip_prefix("ssh://").unwrap_or(hop);
    let (user, address) = match hop.rsplit_once('@') {
        Some((user, address)) => (Some(user.to_owned()), address),
        None => (None, hop),
    };
    let (host, port) = match address.strip_prefix('[').and_then(|a| a.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (address, None),
        },
    };
    let no_port = |_| {
        Cause::Settings(
            format!("the jump host `{hop}` has no port number after `:`"),
            None,
        )
    };
    Ok(Target {
        port: port.map(str::parse).transpose().map_err(no_port)?,
        user,
        ssh_args: SshArgs {
            config: target.ssh_args.config.clone(),
            ..SshArgs::default()
        },
        timeout: target.timeout,
        host_keys: target.host_keys,
        ..Target::ssh(host)
    })
}

/// Whether another try may go better: a server under load drops connections before the login.
fn may_pass(cause: &Cause) -> bool {
    match cause {
        Cause::Connect { .. } => true,
        Cause::Closed { act, .. } => !act.starts_with("logging in"),
        Cause::Jump { cause, .. } => may_pass(cause),
        _ => false,
    }
}
