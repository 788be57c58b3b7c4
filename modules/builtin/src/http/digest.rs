//! Digest authentication (RFC 7616): a login that does not send the password.

use md5::Md5;
use rplay_api::hex;
use sha2::{Digest as _, Sha256};
use ureq::http::{HeaderMap, Method};

/// What a server asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Option<String>,
    /// Whether it takes `qop=auth`.
    has_qop: bool,
}

/// Who logs in, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// `name:password`.
    pub login: &'a str,
    /// Of the request.
    pub method: &'a Method,
    /// Of the request: path and query.
    pub path: &'a str,
    /// Any text that was not used before.
    pub nonce: &'a str,
}

impl Challenge {
    /// The challenge among an answer's headers, where it is one that can be met.
    pub fn find(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all("www-authenticate").iter();
        let mut found = texts.filter_map(|h| Self::parse(h.to_str().ok()?));
        found.find(Self::is_known)
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim_start().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let pairs = pairs(rest);
        let value = |name: &str| {
            let found = pairs.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let qop = value("qop").unwrap_or_default();
        Some(Self {
            realm: value("realm")?,
            nonce: value("nonce")?,
            opaque: value("opaque"),
            algorithm: value("algorithm"),
            has_qop: qop
                .split(',')
                .any(|word| word.trim().eq_ignore_ascii_case("auth")),
        })
    }

    fn is_known(&self) -> bool {
        let algorithm = self.algorithm.as_deref().unwrap_or("MD5");
        ["MD5", "SHA-256"]
            .iter()
            .any(|known| algorithm.eq_ignore_ascii_case(known))
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm.as_deref() {
            Some(word) if word.eq_ignore_ascii_case("SHA-256") => hex(&Sha256::digest(text)),
            _ => hex(&Md5::digest(text)),
        }
    }

    /// The header that meets it.
    pub fn answer(&self, login: Login) -> String {
        let Login {
            method,
            path,
            nonce: own,
            ..
        } = login;
        let (name, password) = login.login.split_once(':').unwrap_or((login.login, ""));
        let (realm, nonce) = (&self.realm, &self.nonce);
        let who = self.hash(&format!("{name}:{realm}:{password}"));
        let what = self.hash(&format!("{method}:{path}"));
        let response = match self.has_qop {
            true => self.hash(&format!("{who}:{nonce}:00000001:{own}:auth:{what}")),
            false => self.hash(&format!("{who}:{nonce}:{what}")),
        };
        let mut text = format!(
            "Digest username=\"{name}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", response=\"{response}\""
        );
        if let Some(algorithm) = &self.algorithm {
            text.push_str(&format!(", algorithm={algorithm}"));
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque=\"{opaque}\""));
        }
        if self.has_qop {
            text.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{own}\""));
        }
        text
    }
}

/// `name=value` and `name="value"`, behind commas.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found = vec![];
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.trim().to_owned(), value.trim().to_owned()));
        rest = next.trim_start_matches([' ', ',']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616, section 3.9.1.
    #[test]
    fn the_answer_is_that_of_the_standard() {
        let asked = |algorithm: &str| {
            format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let login = Login {
            login: "Mufasa:Circle of Life",
            method: &Method::GET,
            path: "/dir/index.html",
            nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        };
        let response = |algorithm: &str| {
            let text = Challenge::parse(&asked(algorithm)).unwrap().answer(login);
            let (_, rest) = text.split_once("response=\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        };
        assert_eq!(response("MD5"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            response("SHA-256"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }
}
