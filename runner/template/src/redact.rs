//! Secrets never show: every text that leaves the engine goes through here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What stands in for a secret.
const SECRET: &str = "[secret]";

/// Shorter secrets are hidden only where they stand alone: anything else would blot out harmless
/// text.
const SHORT: usize = 4;

/// Shorter lines of a secret are not hidden by themselves.
const LINE: usize = 6;

/// The secrets known so far. Clones share them.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    forms: BTreeSet<String>,
    /// Finds any of the forms; made when it is needed first after a change.
    finder: Option<Arc<AhoCorasick>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Redactor({} forms)", known.forms.len())
    }
}

impl Redactor {
    /// From now on `secret` shows as `[secret]`, whole or line by line, plain, escaped or in base64.
    pub fn register(&self, secret: &str) {
        let known = |forms: &BTreeSet<String>| forms.contains(secret);
        if known(&self.0.read().unwrap_or_else(PoisonError::into_inner).forms) {
            return;
        }
        let mut plain: Vec<&str> = vec![secret, secret.trim()];
        plain.extend(
            secret
                .lines()
                .map(str::trim)
                .filter(|l| l.len() >= LINE && secret.trim() != *l),
        );
        let mut forms: Vec<String> = vec![];
        for text in plain.into_iter().filter(|t| !t.trim().is_empty()) {
            forms.push(text.to_owned());
            let json = serde_json::to_string(text).unwrap_or_default();
            forms.push(json[1..json.len() - 1].to_owned());
            forms.push(text.escape_default().to_string());
            // What is quoted for a shell.
            forms.push(text.replace('\'', "'\"'\"'"));
            if text.len() >= SHORT {
                forms.push(STANDARD.encode(text));
                forms.push(STANDARD.encode(text).trim_end_matches('=').to_owned());
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.forms.extend(forms);
        known.finder = None;
    }

    fn finder(&self) -> Option<Arc<AhoCorasick>> {
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.finder.is_some() || known.forms.is_empty() {
                return known.finder.clone();
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&known.forms);
        known.finder = Some(Arc::new(
            built.expect("bug: secrets are too many to look for"),
        ));
        known.finder.clone()
    }

    /// The text without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let clean = self.finder().and_then(|finder| without(&finder, text));
        let text: Cow<'a, str> = clean.map_or(Cow::Borrowed(text), Cow::Owned);
        match without_keys(&text) {
            Some(clean) => Cow::Owned(clean),
            None => text,
        }
    }
}

/// The text without what the finder finds; `None` where that is nothing.
fn without(finder: &AhoCorasick, text: &str) -> Option<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut at = 0;
    for found in finder.find_iter(text) {
        let alone = !text[..found.start()].chars().next_back().is_some_and(word)
            && !text[found.end()..].chars().next().is_some_and(word);
        if found.len() < SHORT && !alone {
            continue;
        }
        out.push_str(&text[at..found.start()]);
        out.push_str(SECRET);
        at = found.end();
    }
    if at == 0 {
        return None;
    }
    out.push_str(&text[at..]);
    Some(out)
}

/// The text without the bodies of PEM private keys.
fn without_keys(text: &str) -> Option<String> {
    const END: &str = "PRIVATE KEY-----";
    let first = text.find(END)?;
    let start = text[..first].rfind("-----BEGIN")?;
    let body = first + END.len();
    let stop = text[body..]
        .find("-----END")
        .map_or(text.len(), |i| body + i);
    let rest = &text[stop..];
    let after = rest.find(END).map_or("", |i| &rest[i + END.len()..]);
    let after = without_keys(after).unwrap_or_else(|| after.to_owned());
    Some(format!("{}{SECRET}{after}", &text[..start]))
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    fn hiding(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.register(secret);
        redactor
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        assert_eq!(
            hiding("hunter22").redact("pw=hunter22! hunter22"),
            "pw=[secret]! [secret]"
        );
    }

    #[test]
    fn a_private_key_is_hidden_without_being_registered() {
        let key = "a\n-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\nb";
        assert_eq!(Redactor::default().redact(key), "a\n[secret]\nb");
        let two = format!("{key}\n{key}");
        assert_eq!(
            Redactor::default().redact(&two),
            "a\n[secret]\nb\na\n[secret]\nb"
        );
        // A key that was cut off.
        assert_eq!(
            Redactor::default().redact("x -----BEGIN PRIVATE KEY-----\nMII"),
            "x [secret]"
        );
    }

    #[test]
    fn a_secret_of_two_lines_is_hidden_line_by_line() {
        let redactor = hiding("first-line\nsecond-line\n");
        assert_eq!(redactor.redact("x second-line y"), "x [secret] y");
    }

    #[test]
    fn a_secret_is_hidden_escaped_and_in_base64() {
        let redactor = hiding("pa\"ss\nw'ord");
        assert_eq!(
            redactor.redact(r#"{"a":"pa\"ss\nw'ord"}"#),
            r#"{"a":"[secret]"}"#
        );
        assert_eq!(hiding("hunter22").redact("aHVudGVyMjI="), "[secret]");
    }

    #[test]
    fn a_short_secret_is_hidden_where_it_stands_alone() {
        let redactor = hiding("abc");
        assert_eq!(
            redactor.redact("abc abcd x-abc"),
            "[secret] abcd x-[secret]"
        );
        assert_eq!(hiding("").redact("a b"), "a b");
        assert_eq!(hiding(" ").redact("a b"), "a b");
    }

    #[test]
    fn the_longer_of_two_secrets_is_hidden_whole() {
        let redactor = hiding("secret");
        redactor.register("secret-and-more");
        assert_eq!(
            redactor.redact("secret-and-more secret"),
            "[secret] [secret]"
        );
    }
}
