//! The digest that a download must have: given, or looked up in a published list.

use rplay_api::{Failure, Result};

use crate::checksum::Algorithm;
use crate::http::Client;

/// A digest to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Lowercase hex.
    pub digest: String,
}

/// The `checksum` argument, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `sha256:HEX`.
    Digest(Expected),
    /// `sha256:URL` of a list.
    List(Algorithm, String),
}

impl Wanted {
    /// Reads the argument.
    pub fn parse(text: &str) -> Result<Self> {
        let help = "it is an algorithm and a digest or the address of a list, such as \
                    sha256:9f86d081... or sha256:https://example.com/SHA256SUMS";
        let wrong = |why: String| Failure::new(why).arg("checksum").help(help);
        let (name, rest) = text
            .split_once(':')
            .ok_or_else(|| wrong(format!("the checksum `{text}` names no algorithm")))?;
        let algorithm = Algorithm::named(name).ok_or_else(|| {
            wrong(format!(
                "`{name}` is not one of `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`, `sha3_256`, \
                 `sha3_384`, `sha3_512`"
            ))
        })?;
        let rest = rest.trim();
        if ["http://", "https://", "file://"]
            .iter()
            .any(|s| rest.starts_with(s))
        {
            return Ok(Self::List(algorithm, rest.to_owned()));
        }
        let digest = bare(rest);
        if !is_digest(&digest, algorithm) {
            let (word, digits) = (algorithm.word(), algorithm.digits());
            return Err(wrong(format!(
                "`{rest}` is no {word} digest: that has {digits} hex digits"
            )));
        }
        Ok(Self::Digest(Expected { algorithm, digest }))
    }
}

/// A digest without what else is written at its ends, such as a full stop.
fn bare(text: &str) -> String {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    text.to_ascii_lowercase()
}

fn is_digest(text: &str, algorithm: Algorithm) -> bool {
    text.len() == algorithm.digits() && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The digest of the file `name` in the list at `url`.
pub fn look_up(client: &Client, algorithm: Algorithm, url: &str, name: &str) -> Result<Expected> {
    let list = client.text(url).map_err(|f| f.arg("checksum"))?;
    let digest = find(&list, algorithm, name).ok_or_else(|| {
        Failure::new(format!(
            "`{url}` lists no {} digest of `{name}`",
            algorithm.word()
        ))
        .arg("checksum")
        .help("the list is searched for the file name of `url`")
    })?;
    Ok(Expected { algorithm, digest })
}

/// A list as sha256sum writes it (`DIGEST  NAME`, `DIGEST *NAME`), as BSD's tools do
/// (`SHA256 (NAME) = DIGEST`), or nothing but one digest.
fn find(list: &str, algorithm: Algorithm, name: &str) -> Option<String> {
    let digest = |text: &str| {
        let text = bare(text);
        is_digest(&text, algorithm).then_some(text)
    };
    let entries: Vec<(String, Option<String>)> = list
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .filter_map(|line| bsd(line).or_else(|| gnu(line)))
        .filter_map(|(d, n)| Some((digest(&d)?, n)))
        .collect();
    if let [(digest, None)] = entries.as_slice() {
        return Some(digest.clone());
    }
    let path_is = |wanted: &dyn Fn(&str) -> bool| {
        let named = entries
            .iter()
            .find(|(_, n)| n.as_deref().is_some_and(wanted));
        named.map(|(digest, _)| digest.clone())
    };
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    path_is(&|n| n == name || n.strip_prefix("./") == Some(name))
        .or_else(|| path_is(&|n| last(n) == name))
}

fn bsd(line: &str) -> Option<(String, Option<String>)> {
    let (_, rest) = line.split_once(" (")?;
    let (name, digest) = rest.rsplit_once(") = ")?;
    Some((digest.to_owned(), Some(name.to_owned())))
}

fn gnu(line: &str) -> Option<(String, Option<String>)> {
    let Some((digest, name)) = line.split_once([' ', '\t']) else {
        return Some((line.to_owned(), None));
    };
    let name = name.trim_start();
    let name = name.strip_prefix('*').unwrap_or(name);
    Some((digest.to_owned(), Some(name.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0cc175b9c0f1b6a831c399e269772661";
    const B: &str = "92eb5ffee6ae2fec3ad71c777531578f";

    #[test]
    fn lists_of_gnu_and_bsd_tools_are_read() {
        let gnu = format!("# made by us\n{A}  a.tgz\n{B} *./b.tgz\n");
        let bsd = format!(
            "MD5 (a.tgz) = {A}\nMD5 (dir/b.tgz) = {}\n",
            B.to_uppercase()
        );
        for list in [gnu, bsd] {
            assert_eq!(find(&list, Algorithm::Md5, "a.tgz").as_deref(), Some(A));
            assert_eq!(find(&list, Algorithm::Md5, "b.tgz").as_deref(), Some(B));
            assert_eq!(find(&list, Algorithm::Md5, "c.tgz"), None);
        }
    }

    #[test]
    fn a_list_of_one_bare_digest_needs_no_name() {
        assert_eq!(
            find(&format!("{A}\n"), Algorithm::Md5, "x").as_deref(),
            Some(A)
        );
    }

    #[test]
    fn a_digest_may_end_a_sentence() {
        assert_eq!(find(&format!("{A}.  x\n"), Algorithm::Md5, "x").as_deref(), Some(A));
        let Wanted::Digest(got) = Wanted::parse(&format!("md5:{A}.")).unwrap() else {
            panic!("a digest was given")
        };
        assert_eq!(got.digest, A);
    }

    #[test]
    fn a_name_that_only_ends_alike_is_another_file() {
        let list = format!("{A}  not-a.tgz\n{B}  a.tgz.sig\n");
        assert_eq!(find(&list, Algorithm::Md5, "a.tgz"), None);
    }

    #[test]
    fn a_digest_of_the_wrong_length_is_refused() {
        let error = Wanted::parse("sha256:abc").unwrap_err();
        assert_eq!(
            error.msg,
            "`abc` is no sha256 digest: that has 64 hex digits"
        );
        let error = Wanted::parse(A).unwrap_err();
        assert!(error.msg.ends_with("names no algorithm"), "{error}");
    }
}
