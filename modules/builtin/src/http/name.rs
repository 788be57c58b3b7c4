//! The name that a download gets in a folder: the server's own word, or the end of the address.

use ureq::http::{HeaderMap, Uri};

use super::{percent_decode, split_login};

/// The name that the server gives its answer.
pub fn offered_name(headers: &HeaderMap) -> Option<String> {
    disposition(headers.get("content-disposition")?.to_str().ok()?)
}

/// The file name in a Content-Disposition header; folders in it are left out.
fn disposition(header: &str) -> Option<String> {
    let parameters: Vec<(String, &str)> = header
        .split(';')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let value = |wanted: &str| {
        parameters
            .iter()
            .find(|(n, _)| n == wanted)
            .map(|(_, v)| *v)
    };
    let extended = value("filename*")
        .and_then(|v| v.splitn(3, '\'').nth(2))
        .map(percent_decode);
    let name = extended.or_else(|| Some(value("filename")?.trim_matches('"').to_owned()))?;
    let last = name.rsplit(['/', '\\']).next()?.to_owned();
    Some(last).filter(|n| is_file_name(n))
}

/// The last part of an address's path, decoded; `None` where it ends with a slash.
pub fn file_name(url: &str) -> Option<String> {
    let uri: Uri = split_login(url).0.parse().ok()?;
    let name = uri.path().rsplit('/').next()?;
    Some(percent_decode(name)).filter(|n| is_file_name(n))
}

/// Whether a server's word can be a file's name in a folder, and no way out of it.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_the_last_part_of_the_path() {
        assert_eq!(
            file_name("http://h/a/b%20c.tgz?x=/y").as_deref(),
            Some("b c.tgz")
        );
        assert_eq!(file_name("http://h/a/"), None);
        assert_eq!(file_name("http://h"), None);
        assert_eq!(file_name("http://h/a/%2e%2e"), None);
        assert_eq!(file_name("http://h/a/..%2fetc"), None);
    }

    #[test]
    fn a_server_names_the_file_but_not_its_folder() {
        let name = disposition;
        assert_eq!(
            name("attachment; filename=\"a b.tgz\"").as_deref(),
            Some("a b.tgz")
        );
        assert_eq!(
            name("attachment; filename=../../etc/passwd").as_deref(),
            Some("passwd")
        );
        assert_eq!(
            name("attachment; filename=x; filename*=UTF-8''%c3%bc").as_deref(),
            Some("ü")
        );
        assert_eq!(name("attachment; filename=\"..\""), None);
        assert_eq!(name("inline"), None);
    }
}
