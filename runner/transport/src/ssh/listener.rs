//! Hears what a server says outside of channels: its key, and its farewell.

use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{DisconnectReason, Handler};
use russh::keys::PublicKeyOrCertificate;

use super::farewell::Farewell;
use super::known_hosts::{Known, Verdict};
use crate::HostKeys;
use crate::error::Cause;

/// One connection's listener.
pub(crate) struct Listener {
    pub(super) known: Known,
    pub(super) policy: HostKeys,
    pub(super) hash_names: bool,
    /// Held while a new key is written, so that two hosts of one name write it once.
    pub(super) writing: Arc<Mutex<()>>,
    /// Why the key was refused.
    pub(super) refused: Refusal,
    pub(super) farewell: Farewell,
}

/// Why a server's key was refused, once it was. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Refusal(Arc<Mutex<Option<Cause>>>);

impl Refusal {
    pub(super) fn take(&self) -> Option<Cause> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, cause: Cause) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
    }
}

impl Handler for Listener {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        match self.known.judge(shown, self.policy) {
            Verdict::Good => Ok(true),
            Verdict::New => Ok(self.learn(shown)),
            Verdict::Refused(cause) => {
                self.refused.set(cause);
                Ok(false)
            }
        }
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<russh::Error>,
    ) -> Result<(), russh::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.farewell
                    .set(format!("the server said `{}`", info.message.trim()));
                Ok(())
            }
            DisconnectReason::Error(e) => {
                self.farewell.set(words(&e));
                Err(e)
            }
        }
    }
}

impl Listener {
    fn learn(&self, shown: &PublicKeyOrCertificate) -> bool {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(e) = self.known.learn(&shown.public_key(), self.hash_names) else {
            return true;
        };
        let file = self.known.own_file().display();
        self.refused.set(Cause::Settings(
            format!("could not write the new host key to `{file}`: {e}"),
            Some("choose another `UserKnownHostsFile` in the ssh configuration".to_owned()),
        ));
        false
    }
}

/// An error of the SSH library as the end of a sentence.
pub(super) fn words(error: &russh::Error) -> String {
    match error {
        russh::Error::KeepaliveTimeout => "the host stopped answering".to_owned(),
        russh::Error::HUP | russh::Error::Disconnect => "the server closed it".to_owned(),
        russh::Error::IO(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server closed it".to_owned()
        }
        russh::Error::NoCommonAlgo { kind, ours, theirs } => format!(
            "no {kind:?} algorithm is known to both sides: the server has {}, and rplay has {}",
            theirs.join(", "),
            ours.join(", ")
        ),
        russh::Error::Version => "what answers there is no ssh server".to_owned(),
        error => error.to_string(),
    }
}
