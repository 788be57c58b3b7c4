//! Ansible's vault: AES-256-CTR, authenticated with HMAC-SHA256, keys from PBKDF2.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Rounds of PBKDF2, as the format has them.
const ROUNDS: u32 = 10_000;

/// The passwords at hand, tried one after the other.
#[derive(Clone, Default)]
pub struct VaultKeys(Arc<Inner>);

#[derive(Default)]
struct Inner {
    tried: Tried,
    passwords: Vec<(Option<String>, String)>,
    /// What was opened: deriving a key takes its time, and every host asks.
    opened: Mutex<HashMap<String, String>>,
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultKeys({} passwords)", self.0.passwords.len())
    }
}

/// Which passwords are tried on a vault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tried {
    /// All of them, first those of the vault's id.
    #[default]
    All,
    /// Those of the vault's id, and no others.
    OfItsId,
}

impl VaultKeys {
    /// Passwords with their vault ids.
    pub fn new(passwords: Vec<(Option<String>, String)>) -> Self {
        Self::tried(passwords, Tried::All)
    }

    /// Passwords with their vault ids, of which some are tried.
    pub fn tried(passwords: Vec<(Option<String>, String)>, tried: Tried) -> Self {
        Self(Arc::new(Inner {
            passwords,
            tried,
            opened: Mutex::default(),
        }))
    }

    /// Opens a vault text.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn decrypt(&self, text: &str) -> Result<String, String> {
        let opened = || self.0.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plain) = opened().get(text) {
            return Ok(plain.clone());
        }
        let plain = self.opened(text)?;
        opened().insert(text.to_owned(), plain.clone());
        Ok(plain)
    }

    /// Whether a text is what a vault was opened to.
    pub(crate) fn has_opened(&self, plain: &str) -> bool {
        let opened = self.0.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.values().any(|known| known == plain)
    }

    /// Whether there is no password at all.
    pub fn is_empty(&self) -> bool {
        self.0.passwords.is_empty()
    }

    fn opened(&self, text: &str) -> Result<String, String> {
        let (plain, _) = self.open(text)?;
        String::from_utf8(plain).map_err(|_| "it is not text".to_owned())
    }

    /// Opens a vault of any content: what is in it, and the number of the password that opened it.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn open(&self, text: &str) -> Result<(Vec<u8>, usize), String> {
        let (id, body) = parse(text)?;
        if self.0.passwords.is_empty() {
            return Err("Attempting to decrypt but no vault secrets found".to_owned());
        }
        // A vault that names no id is of the usual one, where only ids count.
        let id = match self.0.tried {
            Tried::All => id,
            Tried::OfItsId => id.or_else(|| Some("default".to_owned())),
        };
        let matches = |name: &Option<String>| name.is_some() && *name == id;
        let tried = |name| self.0.tried == Tried::All || matches(name);
        let numbered = || self.0.passwords.iter().enumerate();
        let all = || numbered().filter(|(_, (name, _))| tried(name));
        let first = all().filter(|(_, (name, _))| matches(name));
        let rest = all().filter(|(_, (name, _))| !matches(name));
        first
            .chain(rest)
            .find_map(|(number, (_, password))| Some((open(&body, password)?, number)))
            .ok_or_else(|| "no vault secrets were found that could decrypt".to_owned())
    }
}

/// Whether a text is a vault.
pub fn is_vault(text: &str) -> bool {
    text.trim_start().starts_with("$ANSIBLE_VAULT;")
}

/// Salt, HMAC and ciphertext.
struct Body {
    salt: Vec<u8>,
    hmac: Vec<u8>,
    cipher: Vec<u8>,
}

fn parse(text: &str) -> Result<(Option<String>, Body), String> {
    let mut lines = text.trim().lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim().split(';').collect();
    match header.as_slice() {
        ["$ANSIBLE_VAULT", "1.1" | "1.2", "AES256", ..] => {}
        _ => return Err("it does not begin with $ANSIBLE_VAULT;1.1;AES256".to_owned()),
    }
    let garbled = || "its text is damaged".to_owned();
    let digits = lines.map(str::trim).collect::<String>();
    if digits.contains(|c: char| !c.is_ascii_hexdigit()) {
        // Ansible's words.
        return Err("Vault format unhexlify error: Non-hexadecimal digit found".to_owned());
    }
    if digits.len() % 2 != 0 {
        return Err("Vault format unhexlify error: Odd-length string".to_owned());
    }
    let outer = unhex(&digits).ok_or_else(garbled)?;
    let outer = String::from_utf8(outer).map_err(|_| garbled())?;
    let parts: Option<Vec<Vec<u8>>> = outer.split('\n').map(unhex).collect();
    let [salt, hmac, cipher]: [Vec<u8>; 3] = parts
        .ok_or_else(garbled)?
        .try_into()
        .map_err(|_| garbled())?;
    Ok((
        header.get(3).map(|s| (*s).to_owned()),
        Body { salt, hmac, cipher },
    ))
}

fn open(body: &Body, password: &str) -> Option<Vec<u8>> {
    let keys = keys(password, &body.salt);
    let mut mac = authenticator(&keys).ok()?;
    mac.update(&body.cipher);
    mac.verify_slice(&body.hmac).ok()?;
    let mut plain = body.cipher.clone();
    stream(&keys).ok()?.apply_keystream(&mut plain);
    // PKCS#7 padding.
    let padding = usize::from(*plain.last()?);
    if padding == 0 || padding > 16 || padding > plain.len() {
        return None;
    }
    plain.truncate(plain.len() - padding);
    Some(plain)
}

/// Locks a text with a password; a salt is made up where none is given.
///
/// # Errors
/// Where there are no random numbers, in words.
pub fn encrypt(
    text: &str,
    password: &str,
    id: Option<&str>,
    salt: Option<Vec<u8>>,
) -> Result<String, String> {
    seal(text.as_bytes(), password, id, salt)
}

/// The vault id that a vault text names.
pub fn id_of(text: &str) -> Option<String> {
    parse(text).ok()?.0
}

/// As [`encrypt`], for any content.
///
/// # Errors
/// Where there are no random numbers, in words.
pub fn seal(
    content: &[u8],
    password: &str,
    id: Option<&str>,
    salt: Option<Vec<u8>>,
) -> Result<String, String> {
    let salt = match salt {
        Some(salt) => salt,
        None => {
            let mut salt = vec![0; 32];
            getrandom::fill(&mut salt).map_err(|e| format!("no random numbers: {e}"))?;
            salt
        }
    };
    let keys = keys(password, &salt);
    let mut cipher = content.to_vec();
    let padding = 16 - cipher.len() % 16;
    cipher.resize(cipher.len() + padding, u8::try_from(padding).unwrap_or(16));
    stream(&keys)?.apply_keystream(&mut cipher);
    let mut mac = authenticator(&keys)?;
    mac.update(&cipher);
    let hmac = mac.finalize().into_bytes();
    let body = [hex(&salt), hex(&hmac), hex(&cipher)].join("\n");
    let header = match id {
        Some(id) => format!("$ANSIBLE_VAULT;1.2;AES256;{id}"),
        None => "$ANSIBLE_VAULT;1.1;AES256".to_owned(),
    };
    let digits = hex(body.as_bytes());
    // Lines of 80 digits, as ansible-vault writes them.
    let lines = digits.as_bytes().chunks(80).map(String::from_utf8_lossy);
    Ok(std::iter::once(header.into())
        .chain(lines)
        .fold(String::new(), |mut all, line| {
            all.push_str(&line);
            all.push('\n');
            all
        }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The keys of a password: 32 bytes to encrypt, 32 to authenticate, 16 to begin with.
fn keys(password: &str, salt: &[u8]) -> [u8; 80] {
    let mut keys = [0_u8; 80];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, ROUNDS, &mut keys);
    keys
}

fn authenticator(keys: &[u8; 80]) -> Result<Hmac<Sha256>, String> {
    <Hmac<Sha256> as Mac>::new_from_slice(&keys[32..64]).map_err(|e| e.to_string())
}

fn stream(keys: &[u8; 80]) -> Result<Ctr128BE<Aes256>, String> {
    Ctr128BE::<Aes256>::new_from_slices(&keys[..32], &keys[64..80]).map_err(|e| e.to_string())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |d: u8| char::from(d).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok())
        .collect()
}
