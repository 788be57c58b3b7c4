//! The key of a plan: it makes the digests that stand for states and secrets, encrypts what must be
//! had again, and seals the whole.
//!
//! It comes from the vault password in use, or else from a file of random bytes on this controller.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hmac, pbkdf2};
use rplay_diag::Diagnostic;
use serde::{Deserialize, Serialize};

/// Rounds of PBKDF2 between a password and the key.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).expect("bug: no rounds");

/// Where a plan's key comes from, as the plan says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The vault id whose password it is; `None` where it is the key file.
    pub vault_id: Option<String>,
    /// Random, in base64.
    pub salt: String,
    /// What another key would not have.
    pub check: String,
}

/// What a key can be made of here.
#[derive(Clone)]
pub struct Material {
    /// Vault ids and their passwords.
    pub vault: Vec<(String, String)>,
    /// The file of random bytes.
    pub file: PathBuf,
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({})", self.file.display())
    }
}

/// Why there is no key for a plan.
#[derive(Debug)]
pub enum KeyError {
    /// The plan wants the password of a vault id that was not given.
    NoPassword(String),
    /// Another password than the plan was made with.
    WrongPassword(String),
    /// The plan was made with another key file.
    WrongFile(PathBuf),
    /// The key file is no such file.
    BadFile(PathBuf),
    /// The key file could not be read or made.
    Io(PathBuf, io::Error),
    /// What the plan says of its key is not so, or what it encrypts was changed.
    Garbled,
}

impl KeyError {
    /// In words, with what to do.
    pub fn diagnostic(&self) -> Diagnostic {
        let made = "the plan was made with the vault password";
        match self {
            Self::NoPassword(id) => {
                Diagnostic::error(format!("{made} of `{id}`, which is not given"))
                    .help("give it with --vault-password-file, --vault-id or --ask-vault-pass")
            }
            Self::WrongPassword(id) => {
                Diagnostic::error(format!("{made} of `{id}`, and that is another one here"))
            }
            Self::WrongFile(path) => {
                let words = format!(
                    "the plan was made with another key than `{}`",
                    path.display()
                );
                Diagnostic::error(words).help(
                    "apply it as the user and on the machine that made it, bring the key file                      along and name it in RPLAY_PLAN_KEY_FILE, or make plans with a vault password",
                )
            }
            Self::BadFile(path) => {
                let words = format!("`{}` is no key for plans", path.display());
                Diagnostic::error(words).help("remove it: a new one is made")
            }
            Self::Io(path, error) => {
                let path = path.display();
                Diagnostic::error(format!(
                    "could not read or make the key file `{path}`: {error}"
                ))
                .help("RPLAY_PLAN_KEY_FILE may name another one")
            }
            Self::Garbled => {
                Diagnostic::error("what the plan encrypts cannot be read with its key")
            }
        }
    }
}

/// A plan's key.
#[derive(Clone)]
pub struct Key {
    digests: hmac::Key,
    seals: hmac::Key,
    cipher: [u8; 32],
    /// Where it comes from.
    pub origin: Origin,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.origin)
    }
}

impl Key {
    /// A key for a new plan: of the first vault password, or else of the key file, which is made
    /// where it is not there.
    ///
    /// # Errors
    /// A key file that cannot be read or made.
    pub fn new(material: &Material) -> Result<Self, KeyError> {
        let salt: [u8; 16] = random();
        let (vault_id, root) = match material.vault.first() {
            Some((id, password)) => (Some(id.clone()), stretched(password, &salt)),
            None => (None, of_file(&key_file(&material.file)?, &salt)),
        };
        Ok(Self::of(vault_id, &salt, &root))
    }

    /// A key for a plan that is not kept.
    pub fn passing() -> Self {
        Self::of(None, &random::<16>(), &random::<32>())
    }

    /// The key that a plan was made with.
    ///
    /// # Errors
    /// It cannot be had here.
    pub fn again(origin: &Origin, material: &Material) -> Result<Self, KeyError> {
        let salt = STANDARD
            .decode(&origin.salt)
            .map_err(|_| KeyError::Garbled)?;
        let fits = |key: &Self| key.origin.check == origin.check;
        let Some(id) = &origin.vault_id else {
            let root = of_file(&key_file(&material.file)?, &salt);
            let key = Self::of(None, &salt, &root);
            return fits(&key)
                .then_some(key)
                .ok_or_else(|| KeyError::WrongFile(material.file.clone()));
        };
        let given = material.vault.iter().filter(|(given, _)| given == id);
        let mut keys = given.map(|(_, p)| Self::of(Some(id.clone()), &salt, &stretched(p, &salt)));
        match keys.find(fits) {
            Some(key) => Ok(key),
            None if material.vault.iter().any(|(given, _)| given == id) => {
                Err(KeyError::WrongPassword(id.clone()))
            }
            None => Err(KeyError::NoPassword(id.clone())),
        }
    }

    fn of(vault_id: Option<String>, salt: &[u8], root: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, root);
        let part = |name: &[u8]| -> [u8; 32] {
            let tag = hmac::sign(&root, name);
            tag.as_ref().try_into().expect("bug: SHA-256 has 32 bytes")
        };
        let keyed = |name: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, &part(name));
        Self {
            digests: keyed(b"digests"),
            seals: keyed(b"seals"),
            cipher: part(b"cipher"),
            origin: Origin {
                vault_id,
                salt: STANDARD.encode(salt),
                check: hex(&part(b"check")[..8]),
            },
        }
    }

    /// The keyed digest of some bytes: 128 bits of it, which is enough to tell two apart.
    pub fn digest(&self, bytes: &[u8]) -> String {
        hex(&hmac::sign(&self.digests, bytes).as_ref()[..16])
    }

    /// What nobody without the key could have made for these bytes.
    pub(crate) fn seal(&self, bytes: &[u8]) -> String {
        hex(hmac::sign(&self.seals, bytes).as_ref())
    }

    /// Encrypts a text.
    pub fn encrypt(&self, text: &str) -> String {
        let nonce: [u8; NONCE_LEN] = random();
        let mut bytes = text.as_bytes().to_vec();
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut bytes,
            )
            .expect("bug: a text is too long to encrypt");
        STANDARD.encode([&nonce[..], &bytes].concat())
    }

    /// Decrypts what [`Key::encrypt`] made.
    ///
    /// # Errors
    /// It was not made with this key, or was changed.
    pub fn decrypt(&self, text: &str) -> Result<String, KeyError> {
        let all = STANDARD.decode(text).map_err(|_| KeyError::Garbled)?;
        let (nonce, bytes) = all.split_at_checked(NONCE_LEN).ok_or(KeyError::Garbled)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Garbled)?;
        let mut bytes = bytes.to_vec();
        let plain = self.cipher().open_in_place(nonce, Aad::empty(), &mut bytes);
        let plain = plain.map_err(|_| KeyError::Garbled)?;
        String::from_utf8(plain.to_vec()).map_err(|_| KeyError::Garbled)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, &self.cipher);
        LessSafeKey::new(key.expect("bug: the key has not 32 bytes"))
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("bug: the system gives no random bytes");
    bytes
}

fn stretched(password: &str, salt: &[u8]) -> Vec<u8> {
    let mut root = vec![0; 32];
    let how = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(how, ROUNDS, salt, password.as_bytes(), &mut root);
    root
}

fn of_file(key: &[u8], salt: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, salt).as_ref().to_vec()
}

/// The bytes of the key file, which is made where it is not there.
fn key_file(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |e| KeyError::Io(path.to_owned(), e);
    match fs::read_to_string(path) {
        Ok(text) => STANDARD
            .decode(text.trim())
            .ok()
            .filter(|bytes| bytes.len() == 32)
            .ok_or_else(|| KeyError::BadFile(path.to_owned())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let key: [u8; 32] = random();
            make_file(path, &STANDARD.encode(key)).map_err(failed)?;
            // Another process may have been first.
            let text = fs::read_to_string(path).map_err(failed)?;
            STANDARD
                .decode(text.trim())
                .map_err(|_| KeyError::BadFile(path.to_owned()))
        }
        Err(e) => Err(failed(e)),
    }
}

/// Makes a file that only its owner reads; one that is there stays.
fn make_file(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(e) if e.error.kind() != io::ErrorKind::AlreadyExists => Err(e.error),
        _ => Ok(()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material(dir: &Path, vault: &[(&str, &str)]) -> Material {
        let pair = |(id, word): &(&str, &str)| ((*id).to_owned(), (*word).to_owned());
        Material {
            vault: vault.iter().map(pair).collect(),
            file: dir.join("state/plan.key"),
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_only_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let material = material(dir.path(), &[]);
        let key = Key::new(&material).unwrap();
        let again = Key::again(&key.origin, &material).unwrap();
        assert_eq!(key.digest(b"x"), again.digest(b"x"));
        let mode = fs::metadata(&material.file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&material.file, STANDARD.encode([7; 32])).unwrap();
        assert!(matches!(
            Key::again(&key.origin, &material),
            Err(KeyError::WrongFile(_))
        ));
        fs::write(&material.file, "short").unwrap();
        assert!(matches!(Key::new(&material), Err(KeyError::BadFile(_))));
    }

    #[test]
    fn a_plan_of_a_vault_password_wants_that_password() {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::new(&material(dir.path(), &[("dev", "one"), ("prod", "two")])).unwrap();
        assert_eq!(key.origin.vault_id.as_deref(), Some("dev"));
        let again = |vault| Key::again(&key.origin, &material(dir.path(), vault));
        assert!(again(&[("prod", "two"), ("dev", "one")]).is_ok());
        assert!(matches!(
            again(&[("dev", "other")]),
            Err(KeyError::WrongPassword(_))
        ));
        assert!(matches!(again(&[]), Err(KeyError::NoPassword(_))));
        assert!(!dir.path().join("state").exists());
    }

    #[test]
    fn what_is_encrypted_is_had_again_and_no_change_of_it_passes() {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::new(&material(dir.path(), &[])).unwrap();
        let locked = key.encrypt("password=hunter2");
        assert!(!locked.contains("hunter2"));
        assert_ne!(locked, key.encrypt("password=hunter2"));
        assert_eq!(key.decrypt(&locked).unwrap(), "password=hunter2");
        let mut bytes = STANDARD.decode(&locked).unwrap();
        bytes[14] ^= 1;
        assert!(key.decrypt(&STANDARD.encode(bytes)).is_err());
    }
}
