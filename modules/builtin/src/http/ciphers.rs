//! What TLS may use, by the names that OpenSSL has for it.

use std::sync::Arc;

use rplay_api::{Failure, Result};
use rustls::CipherSuite;
use rustls::crypto::{CryptoProvider, ring};

/// OpenSSL's names of what is spoken here below TLS 1.3, whose own suites no list takes away.
const NAMES: [(&str, CipherSuite); 6] = [
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// Words for all that is good, which is all that is spoken.
const ALL: [&str; 4] = ["ALL", "DEFAULT", "HIGH", "COMPLEMENTOFDEFAULT"];

/// What to speak TLS with; none where a task names no ciphers.
///
/// # Errors
/// A list of which nothing is spoken.
pub(super) fn provider(lists: &[String]) -> Result<Option<Arc<CryptoProvider>>> {
    let words: Vec<String> = lists
        .iter()
        .flat_map(|list| list.split([':', ',', ' ']))
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect();
    if words.is_empty() {
        return Ok(None);
    }
    let chosen = chosen(&words);
    if chosen.is_empty() {
        let names = NAMES.map(|(name, _)| format!("`{name}`")).join(", ");
        let words = words.join(":");
        return Err(
            Failure::new(format!("no cipher of `{words}` is spoken here"))
                .arg("ciphers")
                .help(format!("there are {names}")),
        );
    }
    let mut provider = ring::default_provider();
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some() || chosen.contains(&suite.suite()));
    Ok(Some(Arc::new(provider)))
}

/// The suites that the words leave: named ones, less those behind a `!` or `-`. Others that OpenSSL
/// may know are not spoken here, and so neither taken nor refused.
fn chosen(words: &[String]) -> Vec<CipherSuite> {
    let named = |word: &str| -> Vec<CipherSuite> {
        let all = ALL.contains(&word);
        let fits = |(name, _): &&(&str, CipherSuite)| all || *name == word;
        NAMES.iter().filter(fits).map(|(_, suite)| *suite).collect()
    };
    let mut left = vec![];
    for word in words {
        match word.strip_prefix(['!', '-']) {
            Some(word) => left.retain(|suite| !named(word).contains(suite)),
            None => left.extend(named(word)),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites(list: &str) -> Vec<CipherSuite> {
        let provider = provider(&[list.to_owned()]).unwrap().unwrap();
        let below = provider
            .cipher_suites
            .iter()
            .filter(|s| s.tls13().is_none());
        below.map(|suite| suite.suite()).collect()
    }

    #[test]
    fn no_list_leaves_all_as_it_is() {
        assert!(provider(&[]).unwrap().is_none());
    }

    #[test]
    fn named_ciphers_are_left() {
        assert_eq!(
            suites("ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:@SECLEVEL=2"),
            [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
        );
        assert_eq!(suites("DEFAULT:!ECDHE-RSA-AES128-GCM-SHA256").len(), 5);
    }

    #[test]
    fn a_list_of_which_nothing_is_spoken_is_an_error() {
        let failure = provider(&["RC4-SHA".to_owned()]).unwrap_err();
        assert_eq!(failure.msg, "no cipher of `RC4-SHA` is spoken here");
    }
}
