//! Certificates: those that the target trusts, and the one that it shows.

use std::path::Path;
use std::sync::Arc;

use rplay_api::{Failure, Host, Result};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, parse_pem};

/// The task's own roots, or else the target's: `SSL_CERT_FILE` of the task's environment, or else the system's bundle.
/// They are read through the host, and so a dry run sees one that an earlier task would put there.
pub(super) fn roots(host: &Host, own: Option<&Path>, needed: bool) -> Result<RootCerts> {
    let certs = match own.map_or_else(|| found(host), |file| read(host, file)) {
        Ok(certs) => certs,
        Err(failure) if needed => return Err(failure),
        Err(_) => vec![],
    };
    Ok(RootCerts::Specific(Arc::new(certs)))
}

fn found(host: &Host) -> Result<Vec<Certificate<'static>>> {
    if let Some(file) = host.env("SSL_CERT_FILE").filter(|f| !f.is_empty()) {
        return read(host, Path::new(&file));
    }
    let system = openssl_probe::probe();
    if let Some(file) = system.cert_file {
        return read(host, &file);
    }
    for dir in system.cert_dir {
        let mut certs = vec![];
        for name in host.read_dir(&dir)? {
            // Not every file of such a folder is a certificate.
            certs.extend(read(host, &dir.join(name)).unwrap_or_default());
        }
        if !certs.is_empty() {
            return Ok(certs);
        }
    }
    Err(
        Failure::new("the target has no list of certificates that it trusts").help(
            "install the package `ca-certificates`, or name a file with SSL_CERT_FILE in \
                   the task's `environment`",
        ),
    )
}

fn read(host: &Host, file: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = host.read(file)?;
    let certs: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(cert)) => Some(cert),
            _ => None,
        })
        .collect();
    if certs.is_empty() {
        return Err(Failure::new(format!(
            "`{}` holds no certificate in PEM",
            file.display()
        )));
    }
    Ok(certs)
}

/// The certificate that the client shows, with its chain and key.
pub(super) fn client_cert(
    host: &Host,
    cert: Option<&Path>,
    key: Option<&Path>,
) -> Result<Option<ClientCert>> {
    let Some(cert) = cert else { return Ok(None) };
    let chain = read(host, cert).map_err(|f| f.arg("client_cert"))?;
    let file = key.unwrap_or(cert);
    let key = PrivateKey::from_pem(&host.read(file)?).map_err(|_| {
        Failure::new(format!("`{}` holds no private key in PEM", file.display()))
            .arg("client_key")
            .help("the key must not have a passphrase")
    })?;
    Ok(Some(ClientCert::new_with_certs(&chain, key)))
}
