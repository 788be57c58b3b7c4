//! What a certificate says, so that two can be compared and one described.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use rplay_api::{Failure, Result};
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::parse_x509_pem;
use x509_parser::x509::X509Name;

/// A certificate's content without its times, serial number and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub subject: Vec<(String, String)>,
    pub issuer: Vec<(String, String)>,
    pub names: BTreeSet<String>,
    pub key_usage: u16,
    pub extended_usage: BTreeSet<String>,
    /// For a CA: how many CAs may follow below it.
    pub ca: Option<Option<u32>>,
    pub public_key: Vec<u8>,
}

/// A certificate that was read.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub facts: Facts,
    pub not_before: i64,
    pub not_after: i64,
    pub serial: String,
    pub sha256: String,
    pub subject: String,
    der: Vec<u8>,
}

impl Certificate {
    /// The first certificate of a PEM text.
    pub fn parse(pem: &str, path: &Path) -> Result<Self> {
        let unreadable = || {
            Failure::new(format!("`{}` holds no certificate in PEM", path.display()))
                .help("put the right file there, or remove it to get a new certificate")
        };
        let (_, pem) = parse_x509_pem(pem.as_bytes()).map_err(|_| unreadable())?;
        if pem.label != "CERTIFICATE" {
            return Err(unreadable());
        }
        let x509 = pem.parse_x509().map_err(|_| unreadable())?;
        let validity = x509.validity();
        Ok(Self {
            facts: Facts::of(&x509).ok_or_else(unreadable)?,
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            serial: x509.raw_serial_as_string(),
            sha256: rplay_api::hex(&Sha256::digest(&pem.contents)),
            subject: x509.subject().to_string(),
            der: pem.contents.clone(),
        })
    }

    /// Whether `issuer` signed it.
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        let parse = |der| {
            x509_parser::parse_x509_certificate(der)
                .ok()
                .map(|(_, c)| c)
        };
        let (Some(own), Some(issuer)) = (parse(&self.der), parse(&issuer.der)) else {
            return false;
        };
        own.verify_signature(Some(issuer.public_key())).is_ok()
    }
}

impl Facts {
    fn of(x509: &X509Certificate<'_>) -> Option<Self> {
        let names = x509.subject_alternative_name().ok()?;
        let names = names.map(|ext| ext.value.general_names.iter().map(name).collect());
        let extended = x509.extended_key_usage().ok()?;
        let basic = x509.basic_constraints().ok()?;
        Some(Self {
            subject: parts(x509.subject()),
            issuer: parts(x509.issuer()),
            names: names.unwrap_or_default(),
            key_usage: x509.key_usage().ok()?.map_or(0, |ext| ext.value.flags),
            extended_usage: extended.map(|ext| purposes(ext.value)).unwrap_or_default(),
            ca: basic
                .filter(|ext| ext.value.ca)
                .map(|ext| ext.value.path_len_constraint),
            public_key: x509.public_key().subject_public_key.data.to_vec(),
        })
    }

    /// Why this is not `wanted`, in words; `None` where it is.
    pub fn differs(&self, wanted: &Self) -> Option<&'static str> {
        let checks = [
            (self.public_key == wanted.public_key, "its key is another"),
            (self.subject == wanted.subject, "its subject differs"),
            (self.issuer == wanted.issuer, "its issuer is another"),
            (self.names == wanted.names, "its names differ"),
            (self.key_usage == wanted.key_usage, "its key usages differ"),
            (
                self.extended_usage == wanted.extended_usage,
                "its extended usages differ",
            ),
            (self.ca == wanted.ca, "its constraints as a CA differ"),
        ];
        checks
            .into_iter()
            .find(|(same, _)| !same)
            .map(|(_, why)| why)
    }
}

fn parts(name: &X509Name<'_>) -> Vec<(String, String)> {
    let part = |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| {
        let value = attribute
            .as_str()
            .map_or_else(|_| rplay_api::hex(attribute.as_slice()), str::to_owned);
        (attribute.attr_type().to_id_string(), value)
    };
    name.iter_attributes().map(part).collect()
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) => format!("DNS:{text}"),
        GeneralName::URI(text) => format!("URI:{text}"),
        GeneralName::RFC822Name(text) => format!("email:{text}"),
        GeneralName::IPAddress(bytes) => {
            match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
                (Ok(v4), _) => format!("IP:{}", IpAddr::from(v4)),
                (_, Ok(v6)) => format!("IP:{}", IpAddr::from(v6)),
                _ => format!("IP:{}", rplay_api::hex(bytes)),
            }
        }
        other => format!("{other:?}"),
    }
}

fn purposes(usage: &x509_parser::extensions::ExtendedKeyUsage<'_>) -> BTreeSet<String> {
    let flags = [
        (usage.any, "any"),
        (usage.server_auth, "server auth"),
        (usage.client_auth, "client auth"),
        (usage.code_signing, "code signing"),
        (usage.email_protection, "email protection"),
        (usage.time_stamping, "timestamping"),
        (usage.ocsp_signing, "ocsp signing"),
    ];
    let known = flags
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, word)| (*word).to_owned());
    known
        .chain(usage.other.iter().map(|oid| oid.to_id_string()))
        .collect()
}
