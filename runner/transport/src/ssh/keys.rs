//! Private keys: read once a run, decrypted with a passphrase that is asked for once.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{Certificate, PrivateKey, PublicKey};
use tokio::sync::OnceCell;

use crate::Secrets;

/// A key file, or why it cannot be used.
type Loaded = Result<Arc<PrivateKey>, String>;

/// The keys of a run.
pub(super) struct Keyring {
    /// Locked while the user is asked: for one key at a time.
    secrets: Arc<Mutex<Arc<dyn Secrets>>>,
    files: Mutex<HashMap<PathBuf, Arc<OnceCell<Loaded>>>>,
}

impl Keyring {
    pub(super) fn new(secrets: Arc<dyn Secrets>) -> Self {
        Self {
            secrets: Arc::new(Mutex::new(secrets)),
            files: Mutex::default(),
        }
    }

    /// The private key in a file. Hosts that want it at the same time wait for one answer.
    pub(super) async fn load(&self, file: &Path) -> Loaded {
        let slot = {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.entry(file.to_owned()).or_default().clone()
        };
        let load = || async {
            let (file, secrets) = (file.to_owned(), self.secrets.clone());
            tokio::task::spawn_blocking(move || load(&file, &secrets))
                .await
                .unwrap_or_else(|e| Err(e.to_string()))
        };
        slot.get_or_init(load).await.clone()
    }
}

fn load(file: &Path, secrets: &Mutex<Arc<dyn Secrets>>) -> Loaded {
    let name = file.display();
    let meta = std::fs::metadata(file).map_err(|e| format!("could not read `{name}`: {e}"))?;
    if meta.mode() & 0o077 != 0 && meta.uid() == rustix::process::getuid().as_raw() {
        let mode = meta.mode() & 0o777;
        return Err(format!(
            "`{name}` is open to others (mode {mode:04o}): chmod 600 `{name}`"
        ));
    }
    let text =
        std::fs::read_to_string(file).map_err(|e| format!("could not read `{name}`: {e}"))?;
    match russh::keys::decode_secret_key(&text, None) {
        Ok(key) => Ok(Arc::new(key)),
        Err(russh::keys::Error::KeyIsEncrypted) => {
            let passphrase = secrets
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .passphrase(file)
                .ok_or_else(|| format!("`{name}` needs a passphrase, and none was given"))?;
            russh::keys::decode_secret_key(&text, Some(passphrase.expose()))
                .map(Arc::new)
                .map_err(|_| format!("the passphrase of `{name}` is wrong"))
        }
        Err(_) if text.starts_with("ssh-") || text.starts_with("ecdsa-") => {
            Err(format!("the agent does not have the key of `{name}`"))
        }
        Err(e) => Err(format!("`{name}` is no private key: {e}")),
    }
}

/// The public key of a key file, if it can be known without a passphrase.
pub(super) fn public(file: &Path) -> Option<PublicKey> {
    let beside = with_suffix(file, ".pub");
    russh::keys::load_public_key(beside)
        .or_else(|_| russh::keys::load_public_key(file))
        .ok()
        .or_else(|| {
            let text = std::fs::read_to_string(file).ok()?;
            Some(PrivateKey::from_openssh(text).ok()?.public_key().clone())
        })
}

/// The certificate beside a key file.
pub(super) fn certificate(file: &Path) -> Option<Certificate> {
    russh::keys::load_openssh_certificate(with_suffix(file, "-cert.pub")).ok()
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
