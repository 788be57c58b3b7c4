//! An order for a key and a certificate: what is there is kept where it will do, or else issued.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, SerialNumber};
use ring::rand::{SecureRandom, SystemRandom};
use rplay_api::{Args, Failure, FileArgs, FileMode, Host, Outcome, Result, Return};
use serde_json::json;
use time::OffsetDateTime;

use super::facts::Certificate;
use super::key::{self, KeyType};
use super::span::Span;

/// A certificate is valid from a little before it was made: clocks differ.
const BACKDATE: Duration = Duration::from_secs(5 * 60);

/// The arguments that every order has.
#[derive(Debug, Args)]
pub struct OrderArgs {
    /// The certificate's file.
    #[arg(alias = "dest")]
    pub path: PathBuf,
    /// The private key's file. A key that is there is used.
    #[arg(alias = "key_path")]
    pub privatekey_path: PathBuf,
    /// Where the certificate signing request goes, if it is wanted.
    pub csr_path: Option<PathBuf>,
    /// Type of a new key. Absent: a key that is there will do, a new one is `ecdsa-p256`.
    pub key_type: Option<KeyType>,
    /// Permissions of the key.
    #[arg(default = FileMode::Octal(0o600))]
    pub privatekey_mode: FileMode,
    /// Issue it anew when less than this is left. Absent: 30 days, but no more than a third of its
    /// life.
    pub renew_before: Option<Span>,
    /// Make a new key and certificate whatever is there.
    #[arg(default = false)]
    pub force: bool,
    /// Owner, group and mode of the files; the mode is the certificate's.
    #[arg(flatten)]
    pub file: FileArgs,
}

/// The keys of the result.
pub const RETURNS: &[Return] = &[
    Return {
        name: "path",
        doc: "The certificate's file.",
    },
    Return {
        name: "privatekey_path",
        doc: "The private key's file.",
    },
    Return {
        name: "csr_path",
        doc: "The signing request's file, where one was asked for.",
    },
    Return {
        name: "certificate",
        doc: "The certificate in PEM.",
    },
    Return {
        name: "subject",
        doc: "Its subject, in words.",
    },
    Return {
        name: "subject_alt_name",
        doc: "The names it holds for.",
    },
    Return {
        name: "serial_number",
        doc: "Its serial number, in hex.",
    },
    Return {
        name: "fingerprints",
        doc: "Its digests: `sha256`, in hex.",
    },
    Return {
        name: "not_before",
        doc: "From when it is valid.",
    },
    Return {
        name: "not_after",
        doc: "When it expires.",
    },
    Return {
        name: "reason",
        doc: "Why it was issued, where it was.",
    },
];

/// The CA that signs.
pub struct Issuer {
    certificate: Certificate,
    signer: rcgen::Issuer<'static, KeyPair>,
}

/// Reads a CA's certificate and key, and refuses what could not sign a certificate that anyone
/// would accept.
pub fn load_issuer(path: &Path, key_path: &Path, host: &Host) -> Result<Issuer> {
    let shown = path.display();
    let refuse = |why: String, help: &str| Failure::new(why).arg("ca_path").help(help);
    if host.stat(path)?.is_none() {
        let help = "make the CA first, with the `x509_ca` module";
        return Err(refuse(format!("there is no CA certificate `{shown}`"), help).absent());
    }
    let pem = host.read_text(path)?;
    let certificate = Certificate::parse(&pem, path).map_err(|f| f.arg("ca_path"))?;
    let key = key::load(host, key_path, "ca_privatekey_path")?.ok_or_else(|| {
        Failure::new(format!(
            "there is no private key `{}` of the CA",
            key_path.display()
        ))
        .absent()
        .arg("ca_privatekey_path")
        .help("restore it from where it is kept: without it nothing can be signed")
    })?;
    if certificate.facts.ca.is_none() {
        return Err(refuse(
            format!("`{shown}` is the certificate of no CA"),
            "give the path of the CA's",
        ));
    }
    if certificate.facts.public_key != key.public_key_raw() {
        return Err(refuse(
            format!(
                "the private key `{}` is not that of the CA `{shown}`",
                key_path.display()
            ),
            "give the pair that was made together",
        ));
    }
    let now = seconds(host.now());
    if certificate.not_after <= now {
        let help = "renew it with the `x509_ca` module, which keeps its key";
        return Err(refuse(
            format!("the CA `{shown}` expired on {}", day(certificate.not_after)),
            help,
        ));
    }
    if certificate.not_before > now {
        let help = "set the clock of this host";
        return Err(refuse(
            format!(
                "the CA `{shown}` is valid only from {}",
                day(certificate.not_before)
            ),
            help,
        ));
    }
    let signer = rcgen::Issuer::from_ca_cert_pem(&pem, key).map_err(|e| {
        refuse(
            format!("the CA `{shown}` cannot be used: {e}"),
            "see `openssl x509 -text`",
        )
    })?;
    Ok(Issuer {
        certificate,
        signer,
    })
}

/// What is ordered.
pub struct Order<'a> {
    pub args: &'a OrderArgs,
    /// All but times and serial number.
    pub params: CertificateParams,
    /// How long it is to be valid.
    pub validity: Duration,
    /// Who signs; `None` for a CA, which signs itself.
    pub issuer: Option<&'a Issuer>,
}

impl Order<'_> {
    /// Makes key, certificate and request what is ordered.
    pub fn fulfil(self, host: &Host) -> Result<Outcome> {
        let args = self.args;
        self.check(host)?;
        let present = self.present(host)?;
        let (key, key_is_new) = self.key(present.as_ref(), host)?;
        let issued = self.issue(&key, host.now())?;
        let wanted = Certificate::parse(&issued, &args.path)?;
        let reason = self.why_not(present.as_ref(), &wanted, key_is_new, host.now());
        let (pem, certificate) = match (present, reason) {
            (Some((pem, certificate)), None) => (pem, certificate),
            _ => (issued, wanted),
        };
        self.ensure_key(&key, key_is_new, host)?;
        host.ensure_content(&args.path, pem.as_bytes(), &self.args.file)?;
        self.ensure_request(&key, reason.is_some(), host)?;
        Ok(self.outcome(&pem, &certificate, reason))
    }

    fn check(&self, host: &Host) -> Result<()> {
        let Some(issuer) = self.issuer else {
            return Ok(());
        };
        let end = seconds(host.now())
            .saturating_add(i64::try_from(self.validity.as_secs()).unwrap_or(i64::MAX));
        if end > issuer.certificate.not_after {
            host.warn(format!(
                "`{}` would outlive its CA, which expires on {}",
                self.args.path.display(),
                day(issuer.certificate.not_after)
            ));
        }
        Ok(())
    }

    fn present(&self, host: &Host) -> Result<Option<(String, Certificate)>> {
        let path = &self.args.path;
        if self.args.force || host.stat(path)?.is_none() {
            return Ok(None);
        }
        let pem = host.read_text(path)?;
        let certificate = Certificate::parse(&pem, path).map_err(|f| f.arg("path"))?;
        Ok(Some((pem, certificate)))
    }

    /// The key to use, and whether it is a new one. A CA's key is never replaced: that would make
    /// worthless all that it signed.
    fn key(&self, present: Option<&(String, Certificate)>, host: &Host) -> Result<(KeyPair, bool)> {
        let args = self.args;
        let generate = || Ok((args.key_type.unwrap_or(KeyType::P256).generate()?, true));
        if args.force {
            return generate();
        }
        let is_ca = self.issuer.is_none();
        let path = args.privatekey_path.display();
        let Some(key) = key::load(host, &args.privatekey_path, "privatekey_path")? else {
            if is_ca && present.is_some() {
                return Err(Failure::new(format!("there is no private key `{path}` of the CA that is there"))
                    .arg("privatekey_path")
                    .help("restore it from where it is kept")
                    .help("or set force: true for a new CA: nothing that the old one signed is then accepted"));
            }
            return generate();
        };
        let fits = args.key_type.is_none_or(|wanted| wanted.is_of(&key));
        if is_ca {
            let same = present.is_none_or(|(_, c)| c.facts.public_key == key.public_key_raw());
            if !same || !fits {
                let why = if same {
                    "is of another type than key_type"
                } else {
                    "is not that of the CA that is there"
                };
                return Err(Failure::new(format!("the private key `{path}` {why}"))
                    .arg("privatekey_path")
                    .help("set force: true for a new CA: nothing that the old one signed is then accepted"));
            }
        }
        if fits { Ok((key, false)) } else { generate() }
    }

    fn issue(&self, key: &KeyPair, now: SystemTime) -> Result<String> {
        let mut params = self.params.clone();
        let from = UNIX_EPOCH
            + Duration::from_secs(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
        params.not_before = OffsetDateTime::from(from - BACKDATE);
        params.not_after = OffsetDateTime::from(from) + self.validity;
        params.serial_number = Some(serial()?);
        params.use_authority_key_identifier_extension = true;
        let certificate = match self.issuer {
            Some(issuer) => params.signed_by(key, &issuer.signer),
            None => params.self_signed(key),
        };
        let certificate = certificate
            .map_err(|e| Failure::new(format!("could not issue the certificate: {e}")))?;
        Ok(certificate.pem())
    }

    fn why_not(
        &self,
        present: Option<&(String, Certificate)>,
        wanted: &Certificate,
        key_is_new: bool,
        now: SystemTime,
    ) -> Option<&'static str> {
        let Some((_, present)) = present else {
            return Some(if self.args.force {
                "it was asked for with force"
            } else {
                "there was none"
            });
        };
        if key_is_new {
            return Some("its key is new");
        }
        if let Some(why) = present.facts.differs(&wanted.facts) {
            return Some(why);
        }
        let signer = self.issuer.map_or(present, |issuer| &issuer.certificate);
        if !present.is_signed_by(signer) {
            return Some("its CA did not sign it");
        }
        let life = u64::try_from(present.not_after - present.not_before).unwrap_or(0);
        let month = Duration::from_secs(30 * 86_400).min(Duration::from_secs(life / 3));
        let margin = self.args.renew_before.map_or(month, |span| span.0);
        let margin = i64::try_from(margin.as_secs()).unwrap_or(i64::MAX);
        if present.not_after.saturating_sub(margin) <= seconds(now) {
            return Some("it is about to expire");
        }
        (present.not_before > seconds(now)).then_some("it is not valid yet")
    }

    fn ensure_key(&self, key: &KeyPair, is_new: bool, host: &Host) -> Result<()> {
        let path = &self.args.privatekey_path;
        let file = FileArgs {
            mode: Some(self.args.privatekey_mode.clone()),
            ..self.args.file.clone()
        };
        if is_new {
            return host.ensure_content(path, key.serialize_pem().as_bytes(), &file);
        }
        host.ensure_attrs(path, &file)
    }

    /// The request is written with a certificate: its signature is another each time.
    fn ensure_request(&self, key: &KeyPair, is_new: bool, host: &Host) -> Result<()> {
        let Some(path) = &self.args.csr_path else {
            return Ok(());
        };
        if !is_new && host.stat(path)?.is_some() {
            return host.ensure_attrs(path, &self.args.file);
        }
        let request = self.params.serialize_request(key).and_then(|r| r.pem());
        let pem = request
            .map_err(|e| Failure::new(format!("could not make the signing request: {e}")))?;
        host.ensure_content(path, pem.as_bytes(), &self.args.file)
    }

    fn outcome(&self, pem: &str, certificate: &Certificate, reason: Option<&str>) -> Outcome {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let outcome = Outcome::new()
            .with("path", path(&self.args.path))
            .with("privatekey_path", path(&self.args.privatekey_path))
            .with("csr_path", self.args.csr_path.as_deref().map(path))
            .with("certificate", pem)
            .with("subject", certificate.subject.clone())
            .with(
                "subject_alt_name",
                certificate.facts.names.iter().cloned().collect::<Vec<_>>(),
            )
            .with("serial_number", certificate.serial.clone())
            .with("fingerprints", json!({"sha256": certificate.sha256}))
            .with("not_before", stamp(certificate.not_before))
            .with("not_after", stamp(certificate.not_after));
        match reason {
            Some(why) => outcome.with("reason", why),
            None => outcome,
        }
    }
}

/// Checks a span for renewal against the whole life: nothing would ever be young enough.
pub fn check_renewal(args: &OrderArgs, validity: Duration) -> Result<()> {
    if args.renew_before.is_some_and(|span| span.0 >= validity) {
        return Err(Failure::new(
            "`renew_before` is not shorter than `validity`: every run would issue it anew",
        )
        .arg("renew_before"));
    }
    Ok(())
}

fn serial() -> Result<SerialNumber> {
    let mut bytes = [0; 20];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new("this host gives no random numbers"))?;
    // Positive, and never shorter: some readers stumble over a zero at the start.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| i64::try_from(d.as_secs()).ok())
        .unwrap_or(0)
}

fn stamp(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|t| t.to_string())
        .unwrap_or_default()
}

fn day(seconds: i64) -> String {
    stamp(seconds).chars().take(10).collect()
}
