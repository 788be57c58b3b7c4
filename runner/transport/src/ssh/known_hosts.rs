//! What `known_hosts` files say of one server, and whether a key is good.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::pattern::any_matches;
use crate::HostKeys;
use crate::error::{Cause, HostKey};

/// All that is known of one server.
#[derive(Debug)]
pub(super) struct Known {
    /// The name in the files: `host`, or `[host]:port` for a port other than 22.
    name: String,
    host: String,
    entries: Vec<Line>,
    /// Where a new key is written.
    own_file: PathBuf,
}

#[derive(Debug)]
struct Line {
    entry: Entry,
    file: PathBuf,
    number: usize,
}

/// What to do with a server's key.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Go on.
    Good,
    /// Go on, and write it down.
    New,
    /// Do not.
    Refused(Cause),
}

impl Known {
    /// Reads what the files say of a server. Files that are not there, and lines of other formats,
    /// say nothing.
    pub(super) fn read(host: &str, port: u16, own: &[PathBuf], global: &[PathBuf]) -> Self {
        let host = host.to_lowercase();
        let name = match port {
            22 => host.clone(),
            port => format!("[{host}]:{port}"),
        };
        let mut entries = vec![];
        for file in own.iter().chain(global) {
            let Ok(bytes) = std::fs::read(file) else {
                continue;
            };
            for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let Ok(entry) = line.parse::<Entry>() else {
                    continue;
                };
                if names(entry.host_patterns(), &name) {
                    entries.push(Line {
                        entry,
                        file: file.clone(),
                        number: index + 1,
                    });
                }
            }
        }
        let own_file = own
            .first()
            .cloned()
            .unwrap_or_else(|| PathBuf::from("/dev/null"));
        Self {
            name,
            host,
            entries,
            own_file,
        }
    }

    /// The key types to ask for, those that are known first: a server that is known by one key must
    /// not fail by showing another.
    pub(super) fn prefer(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        let is_known = |algorithm: &Algorithm| {
            self.keys()
                .any(|line| same_type(&line.entry.public_key().algorithm(), algorithm))
        };
        let (known, other): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_known);
        [known, other].concat()
    }

    /// Whether some authority may vouch for the server.
    pub(super) fn has_authority(&self) -> bool {
        self.marked(Marker::CertAuthority).next().is_some()
    }

    /// Judges what the server showed.
    pub(super) fn judge(&self, shown: &PublicKeyOrCertificate, policy: HostKeys) -> Verdict {
        if let PublicKeyOrCertificate::Certificate(certificate) = shown {
            return self.judge_certificate(certificate);
        }
        let key = shown.public_key();
        if let Some(line) = self
            .marked(Marker::Revoked)
            .find(|l| same(l.entry.public_key(), &key))
        {
            let why = format!(
                "`{}:{}` says that it is revoked",
                line.file.display(),
                line.number
            );
            return Verdict::Refused(Cause::HostKeyRefused {
                name: self.name.clone(),
                why,
            });
        }
        if self.keys().any(|line| same(line.entry.public_key(), &key)) {
            return Verdict::Good;
        }
        let shown = Box::new(HostKey {
            algorithm: key.algorithm().to_string(),
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        });
        let name = self.name.clone();
        match (policy, self.other(&key)) {
            (HostKeys::Ignore, _) => Verdict::Good,
            (_, Some(line)) => Verdict::Refused(Cause::HostKeyChanged {
                name,
                shown,
                file: line.file.clone(),
                line: line.number,
            }),
            (HostKeys::AcceptNew, None) => Verdict::New,
            (HostKeys::Strict, None) => {
                let file = self.own_file.clone();
                Verdict::Refused(Cause::HostKeyUnknown { name, shown, file })
            }
        }
    }

    /// Writes a new key down.
    pub(super) fn learn(&self, key: &PublicKey, hashed: bool) -> std::io::Result<()> {
        if let Some(folder) = self.own_file.parent() {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let name = if hashed {
            hashed_name(&self.name)?
        } else {
            self.name.clone()
        };
        let key = PublicKey::new(key.key_data().clone(), "");
        let key = key.to_openssh().map_err(std::io::Error::other)?;
        let ends_open =
            std::fs::read(&self.own_file).is_ok_and(|t| !t.is_empty() && !t.ends_with(b"\n"));
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.own_file)?;
        let gap = if ends_open { "\n" } else { "" };
        // One write, so that two processes do not mix their lines.
        file.write_all(format!("{gap}{name} {}\n", key.trim()).as_bytes())
    }

    /// Where a new key is written.
    pub(super) fn own_file(&self) -> &Path {
        &self.own_file
    }

    fn judge_certificate(&self, certificate: &Certificate) -> Verdict {
        let refused = |why: String| {
            Verdict::Refused(Cause::HostKeyRefused {
                name: self.name.clone(),
                why,
            })
        };
        let revoked = self.marked(Marker::Revoked).find(|line| {
            let key = line.entry.public_key().key_data();
            key == certificate.signature_key() || key == certificate.public_key()
        });
        if let Some(line) = revoked {
            let place = format!("`{}:{}`", line.file.display(), line.number);
            return refused(format!(
                "{place} says that its certificate's key is revoked"
            ));
        }
        let authorities: Vec<_> = self
            .marked(Marker::CertAuthority)
            .map(|line| line.entry.public_key().fingerprint(HashAlg::Sha256))
            .collect();
        if !certificate.cert_type().is_host() {
            return refused("its certificate is not one of a host".to_owned());
        }
        if let Err(e) = certificate.validate(&authorities) {
            return refused(format!("its certificate is not good: {e}"));
        }
        let principals = certificate.valid_principals();
        if !principals.is_empty() && !any_matches(principals.iter().map(String::as_str), &self.host)
        {
            return refused(format!("its certificate is for {}", principals.join(", ")));
        }
        Verdict::Good
    }

    /// A line with another key for this server; one of the same type before all others.
    fn other(&self, key: &PublicKey) -> Option<&Line> {
        self.keys()
            .find(|line| line.entry.public_key().algorithm() == key.algorithm())
            .or_else(|| self.keys().next())
    }

    fn keys(&self) -> impl Iterator<Item = &Line> {
        self.entries
            .iter()
            .filter(|line| line.entry.marker().is_none())
    }

    fn marked(&self, marker: Marker) -> impl Iterator<Item = &Line> {
        self.entries
            .iter()
            .filter(move |line| line.entry.marker() == Some(&marker))
    }
}

/// The same key, whatever its comment.
fn same(one: &PublicKey, other: &PublicKey) -> bool {
    one.key_data() == other.key_data()
}

/// RSA keys sign with several hashes, each an algorithm of its own.
fn same_type(key: &Algorithm, asked: &Algorithm) -> bool {
    let is_rsa = |algorithm| matches!(algorithm, &Algorithm::Rsa { .. });
    key == asked || (is_rsa(key) && is_rsa(asked))
}

fn names(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::Patterns(patterns) => any_matches(patterns.iter().map(String::as_str), name),
        HostPatterns::HashedName { salt, hash } => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            ring::hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
    }
}

/// `|1|SALT|HASH`: a name that the file does not give away.
fn hashed_name(name: &str) -> std::io::Result<String> {
    let mut salt = [0; 20];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut salt)
        .map_err(|_| std::io::Error::other("the system has no random numbers"))?;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    let hash = ring::hmac::sign(&key, name.as_bytes());
    Ok(format!(
        "|1|{}|{}",
        BASE64.encode(salt),
        BASE64.encode(hash)
    ))
}

#[cfg(test)]
mod tests;
