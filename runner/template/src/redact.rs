//! Secrets never show: every text that leaves the engine goes through here.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

/// What stands in for a secret.
const SECRET: &str = "[secret]";

/// Shorter secrets would blot out harmless text, in bytes.
const MIN: usize = 4;

/// The secrets known so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<String>>>);

impl Redactor {
    /// From now on `secret` shows as `[secret]`, whole or line by line, plain or escaped.
    pub fn register(&self, secret: &str) {
        let mut forms: Vec<String> = vec![secret.to_owned(), secret.trim().to_owned()];
        forms.extend(secret.lines().filter(|l| l.len() >= 8).map(str::to_owned));
        let escaped: Vec<String> = forms
            .iter()
            .map(|f| f.escape_default().to_string())
            .collect();
        forms.extend(escaped);
        forms.retain(|f| f.len() >= MIN);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms);
        // The longest first, so that no part of one is left over.
        known.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        known.dedup();
    }

    /// The text without secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.0.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), SECRET));
            }
        }
        match without_keys(&text) {
            Some(clean) => Cow::Owned(clean),
            None => text,
        }
    }
}

/// The text without the bodies of PEM private keys.
fn without_keys(text: &str) -> Option<String> {
    const END: &str = "PRIVATE KEY-----";
    let first = text.find("PRIVATE KEY-----")?;
    let start = text[..first].rfind("-----BEGIN")?;
    let body = first + END.len();
    let stop = text[body..]
        .find("-----END")
        .map_or(text.len(), |i| body + i);
    let rest = &text[stop..];
    let after = rest.find(END).map_or(rest, |i| &rest[i + END.len()..]);
    let after = without_keys(after).unwrap_or_else(|| after.to_owned());
    Some(format!("{}{SECRET}{after}", &text[..start]))
}

#[cfg(test)]
mod tests {
    use super::Redactor;

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        let redactor = Redactor::default();
        redactor.register("hunter22");
        assert_eq!(redactor.redact("pw=hunter22!"), "pw=[secret]!");
    }

    #[test]
    fn a_private_key_is_hidden_without_being_registered() {
        let key = "a\n-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----\nb";
        assert_eq!(Redactor::default().redact(key), "a\n[secret]\nb");
    }

    #[test]
    fn a_secret_of_two_lines_is_hidden_line_by_line() {
        let redactor = Redactor::default();
        redactor.register("first-line\nsecond-line\n");
        assert_eq!(redactor.redact("x second-line y"), "x [secret] y");
    }
}
