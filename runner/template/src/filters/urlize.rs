//! Addresses in a text as links.

use minijinja::{Error, State};

use crate::call::{Args, Callable, Out, strict};
use crate::python::{text, wrong};

use super::texts::escaped;

pub(super) const FILTERS: &[Callable] = &[strict(
    &["urlize"],
    &[
        "value",
        "trim_url_limit",
        "nofollow",
        "target",
        "rel",
        "extra_schemes",
    ],
    urlize,
)];

/// Endings by which a name without a scheme is known for a host's.
const DOMAINS: [&str; 8] = [
    ".com", ".net", ".int", ".edu", ".gov", ".org", ".info", ".mil",
];

/// What a link carries besides its address.
struct Link {
    limit: Option<usize>,
    rel: String,
    target: Option<String>,
    schemes: Vec<String>,
}

fn urlize(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut rel: Vec<String> = args
        .opt_text(4)?
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    rel.push("noopener".to_owned());
    if args.flag(2, false) {
        rel.push("nofollow".to_owned());
    }
    rel.sort();
    rel.dedup();
    let schemes = match args.some(5) {
        None => vec![],
        Some(list) => list
            .try_iter()?
            .map(|s| scheme(&text(&s)?))
            .collect::<Result<_, _>>()?,
    };
    let limit = args.int(1)?.map(|n| usize::try_from(n).unwrap_or(0));
    let link = Link {
        limit,
        rel: rel.join(" "),
        target: args.opt_text(3)?,
        schemes,
    };
    let written = escaped(&args.text(0)?);
    let mut out = String::new();
    for word in written.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end_matches(char::is_whitespace);
        out.push_str(&link.word(bare));
        out.push_str(&word[bare.len()..]);
    }
    Ok(out.into())
}

fn scheme(name: &str) -> Result<String, Error> {
    let is_one = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let letters = name.strip_suffix(':').or(name.strip_suffix("://"));
    match letters {
        Some(letters) if letters.len() > 1 && letters.chars().all(is_one) => Ok(name.to_owned()),
        _ => Err(wrong(format!(
            "`{name}` is no scheme of addresses: `urlize` wants one such as `tel:`"
        ))),
    }
}

impl Link {
    /// A word with the address in it as a link; what stands around it stays.
    fn word(&self, word: &str) -> String {
        let opening = ["(", "[", "&lt;"];
        let mut middle = word;
        while let Some(rest) = opening.iter().find_map(|sign| middle.strip_prefix(sign)) {
            middle = rest;
        }
        let head = &word[..word.len() - middle.len()];
        let closing = [")", "]", ".", ",", ":", ";", "!", "&gt;", "&#39;", "&#34;"];
        let mut inner = middle;
        while let Some(rest) = closing.iter().find_map(|sign| inner.strip_suffix(sign)) {
            // A bracket that the address itself opens belongs to it.
            let own = |open, close| middle.contains(open) && inner.ends_with(close);
            if own('(', ')') || own('[', ']') {
                break;
            }
            inner = rest;
        }
        let tail = &middle[inner.len()..];
        match self.address(inner) {
            Some(address) => format!("{head}{}{tail}", self.link(&address, inner)),
            None => word.to_owned(),
        }
    }

    fn address(&self, word: &str) -> Option<String> {
        let lower = word.to_lowercase();
        let behind = |scheme: &str| {
            lower
                .strip_prefix(scheme)
                .is_some_and(|rest| rest.contains('.') && !rest.starts_with('.'))
        };
        if behind("https://") || behind("http://") {
            return Some(word.to_owned());
        }
        if self
            .schemes
            .iter()
            .any(|scheme| word.len() > scheme.len() && word.starts_with(scheme.as_str()))
        {
            return Some(word.to_owned());
        }
        let mail = lower.strip_prefix("mailto:").unwrap_or(&lower);
        if is_mail(mail) {
            return Some(if mail.len() < lower.len() {
                word.to_owned()
            } else {
                format!("mailto:{word}")
            });
        }
        let host = lower.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let named = DOMAINS
            .iter()
            .any(|end| host.len() > end.len() + 1 && host.ends_with(end));
        let is_host = !word.contains('@')
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || "-._%".contains(c));
        let known = behind("www.") || named;
        (known && is_host).then(|| format!("https://{word}"))
    }

    fn link(&self, address: &str, shown: &str) -> String {
        let shown = shown.strip_prefix("mailto:").unwrap_or(shown);
        let shown = match self.limit {
            Some(limit) if shown.chars().count() > limit => {
                format!("{}...", shown.chars().take(limit).collect::<String>())
            }
            _ => shown.to_owned(),
        };
        let is_mail = address.starts_with("mailto:");
        let rel = if is_mail {
            String::new()
        } else {
            format!(" rel=\"{}\"", self.rel)
        };
        let target = self.target.as_deref().filter(|_| !is_mail);
        let target = target
            .map(|t| format!(" target=\"{}\"", escaped(t)))
            .unwrap_or_default();
        format!("<a href=\"{address}\"{rel}{target}>{shown}</a>")
    }
}

fn is_mail(word: &str) -> bool {
    let Some((name, host)) = word.split_once('@') else {
        return false;
    };
    let letters = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "-._+".contains(c))
    };
    letters(name) && letters(host) && host.trim_matches('.').contains('.')
}
