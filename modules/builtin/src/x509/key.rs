//! Private keys: made, and read from PEM.

use std::path::Path;

use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm,
};
use rplay_api::{Choice, Failure, Host, Result};

/// The types of keys that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum KeyType {
    /// ECDSA on P-256.
    #[arg(name = "ecdsa-p256", alias = "ecdsa")]
    P256,
    /// ECDSA on P-384.
    #[arg(name = "ecdsa-p384")]
    P384,
    /// Ed25519.
    #[arg(name = "ed25519")]
    Ed25519,
}

impl KeyType {
    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
            Self::Ed25519 => &PKCS_ED25519,
        }
    }

    /// Whether a key is of this type.
    pub fn is_of(self, key: &KeyPair) -> bool {
        key.is_compatible(self.algorithm())
    }

    /// A new key.
    pub fn generate(self) -> Result<KeyPair> {
        KeyPair::generate_for(self.algorithm())
            .map_err(|e| Failure::new(format!("could not make a private key: {e}")))
    }
}

/// The key in a PEM file; `None` where there is no such file.
pub fn load(host: &Host, path: &Path, arg: &str) -> Result<Option<KeyPair>> {
    if host.stat(path)?.is_none() {
        return Ok(None);
    }
    let text = host.read_text(path)?;
    parse(&text, path)
        .map(Some)
        .map_err(|failure| failure.arg(arg))
}

fn parse(text: &str, path: &Path) -> Result<KeyPair> {
    let shown = path.display();
    let convert =
        format!("turn it into PKCS #8: openssl pkcs8 -topk8 -nocrypt -in {shown} -out NEW");
    if text.contains("ENCRYPTED") {
        return Err(Failure::new(format!("the private key `{shown}` is encrypted")).help(convert));
    }
    if text.contains("-----BEGIN EC PRIVATE KEY") || text.contains("-----BEGIN RSA PRIVATE KEY") {
        return Err(
            Failure::new(format!("the private key `{shown}` is in an old format")).help(convert),
        );
    }
    KeyPair::from_pem(text).map_err(|_| {
        Failure::new(format!("`{shown}` holds no private key in PEM"))
            .help("put the right file there, or remove it to get a new key")
    })
}
