//! A key and a certificate signed by a CA that [`crate::x509_ca`] made.
//!
//! Runs where the CA's key is. What is there is kept byte for byte while it is what is asked for
//! and not about to expire.

use rcgen::{CertificateParams, IsCa};
use rplay_api::{Args, Doc, Host, Module, Outcome, Result};
use std::path::PathBuf;

use crate::x509::{
    Order, OrderArgs, RETURNS, Span, SubjectArgs, Usage, check_renewal, load_issuer, parse_names,
    parse_usages,
};

/// The `x509_certificate` module.
pub struct This;

/// Arguments of `x509_certificate`.
#[derive(Debug, Args)]
pub struct CertificateArgs {
    /// Key, certificate, request.
    #[arg(flatten)]
    order: OrderArgs,
    /// Whom it is for.
    #[arg(flatten)]
    subject: SubjectArgs,
    /// The CA's certificate.
    ca_path: PathBuf,
    /// The CA's private key.
    #[arg(alias = "ca_key_path")]
    ca_privatekey_path: PathBuf,
    /// Hosts that it holds for: names and IP addresses, mixed.
    #[arg(alias = "subject_alt_name", default = vec![])]
    hosts: Vec<String>,
    /// What it may be used for: `signing`, `key encipherment`, `server auth`, `client auth`, ...
    usages: Option<Vec<String>>,
    /// How long a new certificate is valid: `8760h`, `365d`, `1y`.
    #[arg(default = "8760h")]
    validity: String,
}

impl Module for This {
    type Args = CertificateArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "x509_certificate",
        aliases: &[],
        summary: "Makes a key and has a CA sign its certificate",
        description: "It is issued anew when the subject, a name, a usage, the key or the CA is \
            another, or when it is about to expire. Without `usages` it is for servers: signing, \
            key encipherment, server auth.",
        free_form: None,
        examples: r#"
- name: The certificate of each member
  x509_certificate:
    path: "pki/{{ inventory_hostname }}.pem"
    privatekey_path: "pki/{{ inventory_hostname }}-key.pem"
    ca_path: pki/ca.pem
    ca_privatekey_path: pki/ca-key.pem
    common_name: "{{ inventory_hostname }}"
    hosts: ["{{ inventory_hostname }}", "{{ ansible_host }}", 127.0.0.1]
    usages: [signing, key encipherment, server auth, client auth]
    validity: 87600h
  delegate_to: localhost
"#,
        returns: RETURNS,
    };

    fn run(args: CertificateArgs, host: &Host) -> Result<Outcome> {
        let validity = Span::of(&args.validity, "validity")?.0;
        check_renewal(&args.order, validity)?;
        let issuer = load_issuer(&args.ca_path, &args.ca_privatekey_path, host)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = args.subject.name()?;
        params.subject_alt_names = parse_names(&args.hosts, "hosts")?;
        params.is_ca = IsCa::ExplicitNoCa;
        let server = || ["signing", "key encipherment", "server auth"].map(str::to_owned).to_vec();
        for usage in parse_usages(&args.usages.unwrap_or_else(server))? {
            match usage {
                Usage::Key(usage) => params.key_usages.push(usage),
                Usage::Extended(usage) => params.extended_key_usages.push(usage),
            }
        }
        let order = Order {
            args: &args.order,
            params,
            validity,
            issuer: Some(&issuer),
        };
        order.fulfil(host)
    }
}

#[cfg(test)]
mod tests;
