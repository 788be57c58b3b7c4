//! What can go wrong on the way to a server: in words, and whether it may pass.

use rplay_api::Failure;
use ureq::Error;
use ureq::http::StatusCode;

/// A request that failed.
pub(super) struct Fault {
    pub failure: Failure,
    /// Whether it makes sense to try again.
    pub passes: bool,
}

impl From<Failure> for Fault {
    /// One of this side, which trying again does not mend.
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            passes: false,
        }
    }
}

impl Fault {
    pub(super) fn of_status(url: &str, status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("an unknown status");
        let code = status.as_u16();
        let failure = Failure::new(format!("`{url}` answered {code} {reason}"))
            .with("status_code", code)
            .with("url", url);
        let failure = match code {
            401 | 407 => failure.help("give url_username and url_password"),
            404 | 410 => failure.help("check the address: version, spelling, capital letters"),
            _ => failure,
        };
        Self {
            failure,
            passes: status.is_server_error() || matches!(code, 408 | 425 | 429),
        }
    }

    pub(super) fn of(url: &str, error: &Error) -> Self {
        if let Some(failure) = certificate(url, error) {
            return failure.into();
        }
        let (why, passes) = match error {
            Error::Timeout(_) => ("no answer in time".to_owned(), true),
            Error::HostNotFound => ("there is no host of that name".to_owned(), false),
            Error::BadUri(_) | Error::Http(_) => (format!("it is no address: {error}"), false),
            Error::Io(e) => (lower(&e.to_string()), true),
            Error::ConnectionFailed | Error::Protocol(_) | Error::BodyStalled => {
                (lower(&error.to_string()), true)
            }
            other => (lower(&other.to_string()), false),
        };
        let failure = Failure::new(format!("could not get `{url}`: {why}")).with("url", url);
        let failure = match error {
            Error::Timeout(_) => failure.help("a longer wait is set with `timeout`, in seconds"),
            Error::ConnectProxyFailed(_) => {
                failure.help("the proxy must allow CONNECT to that host and port")
            }
            Error::BadUri(_) | Error::Http(_) => failure.arg("url"),
            _ => failure,
        };
        Self {
            failure: failure.with("status_code", -1),
            passes,
        }
    }
}

/// A certificate that is not trusted: why, and what to do.
fn certificate(url: &str, error: &Error) -> Option<Failure> {
    let text = match error {
        Error::Rustls(e) => e.to_string(),
        Error::Io(e) => e.to_string(),
        _ => return None,
    };
    let fault = text.split_once("invalid peer certificate: ")?.1;
    let (why, help) = if fault.contains("xpired") {
        (
            "has expired",
            "renew it on the server; check the target's clock too",
        )
    } else if fault.contains("not valid yet") || fault.contains("NotValidYet") {
        (
            "is not valid yet",
            "check the clocks of the server and the target",
        )
    } else if fault.contains("UnknownIssuer") {
        (
            "is from an authority that the target does not trust",
            "install its CA on the target, or name the CA's file with SSL_CERT_FILE in the task's \
             `environment`",
        )
    } else if fault.contains("not valid for") || fault.contains("NotValidForName") {
        (
            // OpenSSL's words for it, which scripts look for.
            "is for another name: Hostname mismatch",
            "check the address, or give the server a certificate for it",
        )
    } else {
        (
            "is not valid",
            "look at it with `openssl s_client -connect HOST:PORT`",
        )
    };
    Some(
        Failure::new(format!(
            "certificate verify failed: that of `{url}` {why} ({fault})"
        ))
        .with("url", url)
        .with("status_code", -1)
        .help(help)
        .help("validate_certs: false goes on without, where you trust the way to the server"),
    )
}

/// The system's words without their number, in the middle of a sentence.
fn lower(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or(text);
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}
