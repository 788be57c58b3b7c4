//! OpenPGP public keys, as apt and rpm take them: armored text, or the packets themselves.
//!
//! Owns what is in a key; no gpg is needed on the host. Knows nothing of where a trusted one is
//! kept.

use std::io::Read;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rplay_api::{Choice, Failure, Host, Result};

use crate::http::{Client, Options};

/// Whether the key is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// Public keys are small; what is larger is something else.
const MAX: u64 = 16 << 20;

/// One or more public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl Key {
    /// The keys in some bytes.
    ///
    /// # Errors
    /// Where they are none.
    pub fn of(bytes: Vec<u8>) -> Result<Self> {
        // A packet's first byte has its highest bit set; 6 is the tag of a public key.
        let tag = bytes.first().map(|b| {
            if b & 0x40 != 0 {
                b & 0x3f
            } else {
                (b & 0x3c) >> 2
            }
        });
        let is_packet = bytes.first().is_some_and(|b| b & 0x80 != 0) && tag == Some(6);
        let key = Self(bytes);
        if is_packet || key.is_armored() {
            return Ok(key);
        }
        Err(Failure::new("this is no OpenPGP public key")
            .help("it begins with `-----BEGIN PGP PUBLIC KEY BLOCK-----`, or is its binary form"))
    }

    /// The keys at an address.
    ///
    /// # Errors
    /// Where it does not answer, or with something else.
    pub fn fetch(url: &str, validate_certs: bool, host: &Host) -> Result<Self> {
        if let Some(path) = url.strip_prefix("file://") {
            return Self::of(host.read(path.as_ref())?);
        }
        let options = Options {
            validate_certs,
            ..Options::plain("rplay", Duration::from_secs(30), 4)
        };
        let answer = Client::new(host, options, url)?.get(url, &[])?;
        let mut bytes = vec![];
        let body = answer
            .response
            .into_body()
            .into_with_config()
            .limit(MAX)
            .reader();
        body.take(MAX)
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::new(format!("`{url}` could not be read: {e}")))?;
        Self::of(bytes).map_err(|f| Failure {
            msg: format!("`{url}`: {}", f.msg),
            ..f
        })
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What apt wants a file of such bytes to end with.
    pub fn ending(&self) -> &'static str {
        if self.is_armored() { "asc" } else { "gpg" }
    }

    /// The packets, without armor.
    ///
    /// # Errors
    /// Where the armor is broken.
    pub fn packets(&self) -> Result<Vec<u8>> {
        if !self.is_armored() {
            return Ok(self.0.clone());
        }
        dearmored(&String::from_utf8_lossy(&self.0))
            .ok_or_else(|| Failure::new("the armor of this OpenPGP key is broken"))
    }

    fn is_armored(&self) -> bool {
        String::from_utf8_lossy(&self.0).contains("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    }

    /// The keys in it.
    ///
    /// # Errors
    /// Where its packets cannot be read.
    pub fn keys(&self) -> Result<Vec<PublicKey>> {
        public_keys(&self.packets()?)
            .ok_or_else(|| Failure::new("the packets of this OpenPGP key are broken"))
    }
}

/// A public key with what belongs to it: user ids, signatures, subkeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its fingerprint, in capitals.
    pub fingerprint: String,
    /// Those of its subkeys.
    pub subkeys: Vec<String>,
    /// All its packets.
    pub packets: Vec<u8>,
}

impl PublicKey {
    /// The last sixteen digits of its fingerprint.
    pub fn id(&self) -> &str {
        let from = self.fingerprint.len().saturating_sub(16);
        &self.fingerprint[from..]
    }

    /// Whether it, or one of its subkeys, is called that: by fingerprint or id, short or long.
    pub fn is(&self, id: &str) -> bool {
        let id = plain_id(id);
        let all = std::iter::once(&self.fingerprint).chain(&self.subkeys);
        id.len() >= 8 && all.into_iter().any(|f| f.ends_with(&id))
    }
}

/// `0x1a2b 3c4d` as `1A2B3C4D`.
pub fn plain_id(id: &str) -> String {
    let id: String = id
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_uppercase();
    id.strip_prefix("0X").unwrap_or(&id).to_owned()
}

const PUBLIC_KEY: u8 = 6;
const PUBLIC_SUBKEY: u8 = 14;

/// The keys in some packets; `None` where they cannot be read.
fn public_keys(bytes: &[u8]) -> Option<Vec<PublicKey>> {
    let mut keys: Vec<PublicKey> = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let (tag, body, end) = packet(bytes, at)?;
        if tag == PUBLIC_KEY {
            let fingerprint = fingerprint(&bytes[body..end])?;
            keys.push(PublicKey {
                fingerprint,
                subkeys: vec![],
                packets: vec![],
            });
        }
        let key = keys.last_mut()?;
        if tag == PUBLIC_SUBKEY {
            key.subkeys.push(fingerprint(&bytes[body..end])?);
        }
        key.packets.extend_from_slice(&bytes[at..end]);
        at = end;
    }
    Some(keys)
}

/// The tag of the packet at `at`, and where its body begins and ends (RFC 9580, 4.2).
fn packet(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let byte = |i: usize| bytes.get(at + i).map(|b| usize::from(*b));
    let number = |from: usize, n: usize| {
        (from..from + n).try_fold(0usize, |sum, i| Some((sum << 8) | byte(i)?))
    };
    let first = *bytes.get(at).filter(|b| **b & 0x80 != 0)?;
    let (tag, header, length) = if first & 0x40 != 0 {
        let tag = first & 0x3f;
        match byte(1)? {
            short @ 0..=191 => (tag, 2, short),
            high @ 192..=223 => (tag, 3, ((high - 192) << 8) + byte(2)? + 192),
            255 => (tag, 6, number(2, 4)?),
            _ => return None,
        }
    } else {
        let tag = (first >> 2) & 0x0f;
        match first & 3 {
            0 => (tag, 2, byte(1)?),
            1 => (tag, 3, number(1, 2)?),
            2 => (tag, 5, number(1, 4)?),
            _ => (tag, 1, bytes.len() - at - 1),
        }
    };
    let body = at + header;
    let end = body.checked_add(length).filter(|end| *end <= bytes.len())?;
    Some((tag, body, end))
}

/// The fingerprint of a key's packet (RFC 9580, 5.5.4).
fn fingerprint(body: &[u8]) -> Option<String> {
    use sha1::Digest;
    let digest = match body.first()? {
        4 => {
            let length = u16::try_from(body.len()).ok()?.to_be_bytes();
            let hash = sha1::Sha1::new().chain_update([0x99]).chain_update(length);
            rplay_api::hex(&hash.chain_update(body).finalize())
        }
        6 => {
            let length = u32::try_from(body.len()).ok()?.to_be_bytes();
            let hash = sha2::Sha256::new()
                .chain_update([0x9b])
                .chain_update(length);
            rplay_api::hex(&hash.chain_update(body).finalize())
        }
        _ => return None,
    };
    Some(digest.to_uppercase())
}

/// The packets of the armored blocks in a text; the checksum behind `=` is not needed.
fn dearmored(text: &str) -> Option<Vec<u8>> {
    let mut packets = vec![];
    for block in text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----").skip(1) {
        let body = block.split("-----END").next()?.replace('\r', "");
        // Headers end with an empty line.
        let body = body.trim_start_matches(' ').split_once("\n\n")?.1;
        let lines = body
            .lines()
            .map(str::trim)
            .take_while(|l| !l.starts_with('='));
        packets.extend(STANDARD.decode(lines.collect::<String>()).ok()?);
    }
    Some(packets)
}

/// Packets as armored text, with the checksum that older readers want.
pub fn armored(packets: &[u8]) -> String {
    let body = STANDARD.encode(packets);
    // Base64 is ASCII: every byte is a character.
    let lines = body
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line) + "\n");
    let lines: String = lines.collect();
    let sum = STANDARD.encode(&crc24(packets).to_be_bytes()[1..]);
    format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{lines}={sum}\n-----END PGP PUBLIC KEY BLOCK-----\n"
    )
}

/// The checksum of armor (RFC 9580, 6.1).
fn crc24(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| {
        let shifted = crc << 1;
        if shifted & 0x0100_0000 == 0 {
            shifted
        } else {
            shifted ^ 0x0186_4cfb
        }
    };
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 16), step)
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_from_other_text() {
        let armored = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";
        let key = Key::of(armored.into()).unwrap();
        assert_eq!(key.ending(), "asc");
        assert_eq!(key.packets().unwrap(), [0x98, 0x33, 0x04]);
        assert_eq!(Key::of(vec![0x98, 0x33, 0x04]).unwrap().ending(), "gpg");
        assert!(Key::of(b"<html>".to_vec()).is_err());
        assert!(Key::of(vec![]).is_err());
    }

    /// A key made by gpg, with a subkey.
    pub const REAL: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\
\n\
mQGNBGsEkAEBDACswFHgXhWKk3qxpgEe93OXSG2QoBQH2f1nPrM0D6BwR9xqFJQw\n\
GEk0aDWUDxAlW98N6ZW3W6H4dkEd1N6RYaQWvbIZjBcw9UqKen742j/LGgU48+0c\n\
aBd1o4kRgXXPbGxes8n/s7U9emjTUFvd1I1WtsFYfQJ+9cKnx9bP4huiqtCgbOy+\n\
otmCsRpEkS2GBD+PAfVytsssmrtqamWgHRH1NlCCQlSpnCt90Wr0BAW9kEQtejvv\n\
NEAdJuuGUaIGrBo7TFQnMUrCGVA1IDLLKshs65hY+UeYHAbfMaME7P53ZthdIqxY\n\
f7es+LhRFLsmCOL4KVTcRjxNHdFlKl64q9m9YnInBPnn92IW+ZLvmoq9h4NjDimI\n\
EE5byqwigtktui6YvMDKIdE2EijxUUt8C8FzAsNaMIUSeYogmWIVsb4vMySmztt9\n\
1EmY7TUPwsPzyOen2/eiUey1KcoX6rgml/R22E4JajxsvOI/YnbIUf5xvBFBXhYz\n\
L1OArZ/p5sROWmEAEQEAAbQRVCA8dEBleGFtcGxlLmNvbT6JAc4EEwEKADgWIQT6\n\
vmKkOxJb5wP6i6AOSBWKS/XsRwUCawSQAQIbAwULCQgHAgYVCgkICwIEFgIDAQIe\n\
AQIXgAAKCRAOSBWKS/XsR2GAC/9XXYbPfZf9aUPam+z4Cg1Kma7t49ePQafPz0b5\n\
h3MoHTdUDMq5/G43XU34/jX0lfdHTMp5dpyVe2d+sxHu2wVb0V7R9yvuVCgGzxj+\n\
L1Rdo8dVX2a7s265WDE67sHs7R/Rx1V3pgDbpK4BIbzrT/5apWkyhk8IT+v1nmMA\n\
ioTsRx5OIkIC23oYOSojTPe+BfX3wvx/QT44cWUyY+LrvXMrBX0bNmsi4GH4A6A4\n\
rjreM7Mv/rO/+jPhFbKgckxRwAp3Mi/pWR/BEILy/CXT4KwK0xP4RF2XwghFvdgs\n\
MosInOAwLwE7m/nwbpcXE8jgQvwjtd10olqq/RPUt5ya41jVLsqrlXCQS70J04IU\n\
0lXyledS8aob5XxmuBENvWSIgIj/pYNtRTEaxXtsf20FVXjH48BFF0oXwNNbBTbY\n\
miCDnubVvNbDgdkfqOejF3CkTOXWb9H2X4oY15p7y6DOK+NoJ2BAgYxg56UGaY25\n\
ev8h+AYUa/tHofkAiu49f3TsFU+5AY0EawSQAQEMAOD9XgObpMWqzxePlISddnuv\n\
m6yuoCg0zF49SUijtpLlHJG755W/NYcS62yFSa/nljeDG2Bu+wJdpbcomgEacVQY\n\
ln5r540C/G3XZRaW3rlGZAlwzy426MIK3CgzsdO7pmydKzEwG6EpGzMh1UGD4EpD\n\
EKSB7YScQlw4rG6+U6n+lQ68Hg31Ckq6KIGyZ6HqfWXNMEN9dpKEfkJqCDIPSoLa\n\
RXwnBs96Zv0dF/WTkWkZKR/u72yOrDb1sQiRWXAgsGdMtXMaPClDxPKaW+FwNV7U\n\
B/g5CYhz+scP2Bg/WSbX00Spn/5PnLFpnlkI8NVzcT1t6DaqJwQnTt86QJb9ASO7\n\
HAS6DEFcfgllzOm7oPgW71HuyV3lUEe6vX/cUckq9clTYUHqLpjjV9IWC+cUAE2p\n\
X6XkxME0rvDf+szLW6FaWcrBZpsHMOhOnJ/h1fSbTvmgD5HFkRcz3Eo97b7LQaHt\n\
LCfgVPOIMWCMQxrZPekxJLaBNzVlX5l1fgR1TboDrQARAQABiQG2BBgBCgAgFiEE\n\
+r5ipDsSW+cD+ougDkgVikv17EcFAmsEkAECGwwACgkQDkgVikv17EcJpAv6A/w8\n\
KAHpt23pJ7X6ZXcURBQTTkn4Ma4xFJsBYrHsAu4eKRDGBpYQJiV8olUHvho79PET\n\
a8taPuLcGHutmYTroLdYnzo1bSLB77lBZgmD+PCXXC7UI8YoaZolkSZq8MjaKL84\n\
iZWm+OOdFSNFipfy2K4cH7GIqiKk1J/kug8S3EvCgIU9T6tCoK4j50TNglqJY3M4\n\
F9ep1akVlRT5IwQombXxwKBlKRX3+y8ASJHPeXuJb9pU0SM/gi+O9pvYspiToqwg\n\
vhCAdikCVQheZAI2bp3csBFvmavnBWSva5FGnK62TC2mSCvivH5pMXDdrfU/clbN\n\
sBMVRA3HD3+VHI829b0rUwAEbwVozghmA7506vdDlb4BQcvvFGCD4cT9y+V8eMAT\n\
N9e5ur/NXjCU1zDEVg2vKv+9VS2MVp7NYabpWbWxqDlKwqxcLbsCIV46Ht0h5JvR\n\
0sCx4uwFU6PRGj0tt2Hiu8ds6y8BDFqc61dQPGuzYc+UykNU5b2PkDgfeZTR\n\
=mmCO\n\
-----END PGP PUBLIC KEY BLOCK-----\n\n";
    /// Its fingerprint.
    pub const FINGERPRINT: &str = "FABE62A43B125BE703FA8BA00E48158A4BF5EC47";

    #[test]
    fn a_key_has_the_fingerprint_that_gpg_gives() {
        let keys = Key::of(REAL.into()).unwrap().keys().unwrap();
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0].fingerprint, FINGERPRINT);
        assert_eq!(
            keys[0].subkeys,
            ["14BCC35ADB906C9B37E55EDD836277DA2F696531"]
        );
        assert!(keys[0].is(&format!("0x{}", FINGERPRINT[32..].to_lowercase())));
        assert!(!keys[0].is("0x1"));
        assert_eq!(
            keys[0].packets,
            Key::of(REAL.into()).unwrap().packets().unwrap()
        );
    }

    #[test]
    fn armor_is_as_gpg_writes_it() {
        let packets = Key::of(REAL.into()).unwrap().packets().unwrap();
        assert_eq!(armored(&packets).trim(), REAL.trim());
    }

    #[test]
    fn broken_packets_are_refused() {
        let got = Key::of(vec![0x98, 0x33, 0x04]).unwrap().keys().unwrap_err();
        assert_eq!(got.msg, "the packets of this OpenPGP key are broken");
    }
}
