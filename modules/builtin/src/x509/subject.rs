//! Whom a certificate is for.

use indexmap::IndexMap;
use rcgen::{DistinguishedName, DnType, DnValue, string::PrintableString};
use rplay_api::{Args, Failure, Result};

/// The arguments that make a subject.
#[derive(Debug, Clone, Default, Args)]
pub struct SubjectArgs {
    /// The common name (CN).
    #[arg(alias = "cn")]
    pub common_name: Option<String>,
    /// The subject's parts by their short names: C, ST, L, O, OU, CN.
    #[arg(alias = "names")]
    pub subject: Option<IndexMap<String, String>>,
    /// The country (C), two letters.
    #[arg(alias = "country_name")]
    pub country: Option<String>,
    /// The state or province (ST).
    #[arg(alias = "state_or_province_name")]
    pub province: Option<String>,
    /// The city (L).
    #[arg(alias = "locality_name")]
    pub locality: Option<String>,
    /// The organization (O).
    #[arg(alias = "organization_name")]
    pub organization: Option<String>,
    /// The organization's unit (OU).
    #[arg(alias = "organizational_unit_name")]
    pub organizational_unit: Option<String>,
}

/// The parts, in the order in which a subject lists them.
const PARTS: [(&str, &[&str], DnType); 6] = [
    ("C", &["countryname", "country"], DnType::CountryName),
    (
        "ST",
        &["stateorprovincename", "province", "state"],
        DnType::StateOrProvinceName,
    ),
    ("L", &["localityname", "locality"], DnType::LocalityName),
    (
        "O",
        &["organizationname", "organization"],
        DnType::OrganizationName,
    ),
    (
        "OU",
        &["organizationalunitname", "organizational_unit"],
        DnType::OrganizationalUnitName,
    ),
    ("CN", &["commonname", "common_name"], DnType::CommonName),
];

/// The longest common name that openssl takes.
const MAX_COMMON_NAME: usize = 64;

impl SubjectArgs {
    /// The subject's name. It needs a part at least.
    pub fn name(&self) -> Result<DistinguishedName> {
        if let Some(map) = &self.subject {
            for key in map.keys() {
                if !PARTS.iter().any(|part| is_called(part, key)) {
                    return Err(Failure::new(format!(
                        "`{key}` is no part of a subject that is known"
                    ))
                    .arg("subject")
                    .help("use C, ST, L, O, OU and CN"));
                }
            }
        }
        let mut name = DistinguishedName::new();
        for part in &PARTS {
            if let Some(value) = self.value(part)? {
                name.push(part.2.clone(), encoded(part, value)?);
            }
        }
        if name.iter().next().is_none() {
            return Err(Failure::new("a certificate needs a subject")
                .arg("common_name")
                .help("give common_name, or subject: {CN: ...}"));
        }
        Ok(name)
    }

    fn value(&self, part: &(&str, &[&str], DnType)) -> Result<Option<&str>> {
        let own = match part.0 {
            "C" => &self.country,
            "ST" => &self.province,
            "L" => &self.locality,
            "O" => &self.organization,
            "OU" => &self.organizational_unit,
            _ => &self.common_name,
        };
        let listed = self.subject.as_ref().and_then(|map| {
            map.iter()
                .find(|(key, _)| is_called(part, key))
                .map(|(_, v)| v)
        });
        match (own, listed) {
            (Some(a), Some(b)) if a != b => Err(Failure::new(format!(
                "the subject's {} is given twice, as `{a}` and as `{b}`",
                part.0
            ))
            .arg("subject")),
            (a, b) => Ok(a
                .as_ref()
                .or(b)
                .map(String::as_str)
                .filter(|v| !v.is_empty())),
        }
    }
}

fn is_called(part: &(&str, &[&str], DnType), key: &str) -> bool {
    part.0.eq_ignore_ascii_case(key) || part.1.contains(&key.to_lowercase().as_str())
}

/// A value in the string type that the standard wants of it.
fn encoded(part: &(&str, &[&str], DnType), value: &str) -> Result<DnValue> {
    if part.0 == "CN" && value.chars().count() > MAX_COMMON_NAME {
        return Err(Failure::new(format!(
            "the common name `{value}` is longer than {MAX_COMMON_NAME} letters"
        ))
        .arg("common_name"));
    }
    if part.0 != "C" {
        return Ok(DnValue::Utf8String(value.to_owned()));
    }
    let two = value.len() == 2 && value.bytes().all(|b| b.is_ascii_alphabetic());
    let printable = PrintableString::try_from(value).ok().filter(|_| two);
    printable.map(DnValue::PrintableString).ok_or_else(|| {
        Failure::new(format!("the country `{value}` is not two letters"))
            .arg("country")
            .help("use the code of ISO 3166, such as CN or DE")
    })
}
