//! A certificate authority of one's own: a key and a certificate that signs itself.
//!
//! Runs where the key is to stay, most often on the controller (`delegate_to: localhost`). The key
//! is made once; a certificate that changes or is about to expire is issued anew with the same
//! key, so that what it signed stays good.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyUsagePurpose};
use rplay_api::{Args, Doc, Host, Module, Outcome, Result};

use crate::x509::{Order, OrderArgs, RETURNS, Span, SubjectArgs, check_renewal};

/// The `x509_ca` module.
pub struct This;

/// Arguments of `x509_ca`.
#[derive(Debug, Args)]
pub struct CaArgs {
    /// Key, certificate, request.
    #[arg(flatten)]
    order: OrderArgs,
    /// Whom it is for.
    #[arg(flatten)]
    subject: SubjectArgs,
    /// How long a new certificate is valid: `87600h`, `3650d`, `10y`.
    #[arg(default = "87600h")]
    validity: String,
    /// How many CAs may follow below it. Absent: any number.
    path_length: Option<u8>,
}

impl Module for This {
    type Args = CaArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "x509_ca",
        aliases: &[],
        summary: "Makes a certificate authority",
        description: "The key's file has mode 0600. A CA that is there is kept while it is what is \
            asked for; a new key is made only with force.",
        free_form: None,
        examples: r#"
- name: The CA of etcd
  x509_ca:
    path: pki/ca.pem
    privatekey_path: pki/ca-key.pem
    csr_path: pki/ca.csr
    common_name: etcd CA
    subject: {C: CN, ST: cloud-atlas, L: Shanghai}
    validity: 87600h
  delegate_to: localhost
  run_once: true
"#,
        returns: RETURNS,
    };

    fn run(args: CaArgs, host: &Host) -> Result<Outcome> {
        let validity = Span::of(&args.validity, "validity")?.0;
        check_renewal(&args.order, validity)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = args.subject.name()?;
        params.is_ca = IsCa::Ca(match args.path_length {
            Some(length) => BasicConstraints::Constrained(length),
            None => BasicConstraints::Unconstrained,
        });
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let order = Order {
            args: &args.order,
            params,
            validity,
            issuer: None,
        };
        order.fulfil(host)
    }
}
