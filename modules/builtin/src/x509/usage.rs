//! What a certificate may be used for, in cfssl's words or the standard's.

use rcgen::{ExtendedKeyUsagePurpose as Extended, KeyUsagePurpose as Key};
use rplay_api::{Failure, Result};

/// A usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usage {
    /// Of the key.
    Key(Key),
    /// Of the certificate.
    Extended(Extended),
}

const KEY: [(&str, Key); 12] = [
    ("signing", Key::DigitalSignature),
    ("digitalsignature", Key::DigitalSignature),
    ("contentcommitment", Key::ContentCommitment),
    ("nonrepudiation", Key::ContentCommitment),
    ("keyencipherment", Key::KeyEncipherment),
    ("dataencipherment", Key::DataEncipherment),
    ("keyagreement", Key::KeyAgreement),
    ("certsign", Key::KeyCertSign),
    ("keycertsign", Key::KeyCertSign),
    ("crlsign", Key::CrlSign),
    ("encipheronly", Key::EncipherOnly),
    ("decipheronly", Key::DecipherOnly),
];

const EXTENDED: [(&str, Extended); 8] = [
    ("any", Extended::Any),
    ("serverauth", Extended::ServerAuth),
    ("clientauth", Extended::ClientAuth),
    ("codesigning", Extended::CodeSigning),
    ("emailprotection", Extended::EmailProtection),
    ("s/mime", Extended::EmailProtection),
    ("timestamping", Extended::TimeStamping),
    ("ocspsigning", Extended::OcspSigning),
];

/// Usages as a task lists them.
pub fn parse(words: &[String]) -> Result<Vec<Usage>> {
    words.iter().map(|word| usage(word)).collect()
}

fn usage(word: &str) -> Result<Usage> {
    let plain: String = word
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    let key = KEY.iter().find(|(name, _)| *name == plain);
    if let Some((_, usage)) = key {
        return Ok(Usage::Key(*usage));
    }
    let extended = EXTENDED.iter().find(|(name, _)| *name == plain);
    let found = extended.map(|(_, usage)| Usage::Extended(usage.clone()));
    found.ok_or_else(|| {
        Failure::new(format!("`{word}` is no usage of a certificate"))
            .arg("usages")
            .help("use words such as `signing`, `key encipherment`, `server auth`, `client auth`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_cfssl_and_of_openssl_are_read() {
        let words = ["signing", "key encipherment", "server auth", "clientAuth"].map(str::to_owned);
        assert_eq!(
            parse(&words).unwrap(),
            [
                Usage::Key(Key::DigitalSignature),
                Usage::Key(Key::KeyEncipherment),
                Usage::Extended(Extended::ServerAuth),
                Usage::Extended(Extended::ClientAuth),
            ]
        );
        assert!(parse(&["cooking".to_owned()]).is_err());
    }
}
