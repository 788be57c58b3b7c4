//! Where a redirect leads.

use ureq::Body;
use ureq::http::Response;

/// As many redirects as Python follows.
pub const MOST_REDIRECTS: u32 = 10;

/// Whether a header goes to where a redirect leads: not one that is held back, and what lets in only
/// to the server that it was meant for.
pub fn goes_along(name: &str, held: &[String], same_server: bool) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let lets_in = is("authorization") || is("cookie");
    !held.iter().any(|n| is(n)) && (same_server || !lets_in)
}

/// Where a redirect leads, as a whole address.
pub fn location(from: &str, response: &Response<Body>) -> Option<String> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.headers().get("location")?.to_str().ok()?;
    Some(join(from, to))
}

/// An address up to its path: the server it is of.
pub fn origin(url: &str) -> String {
    let end = url.find("://").map_or(0, |i| i + 3);
    let end = url[end..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |i| end + i);
    url[..end].to_ascii_lowercase()
}

/// An address as another one names it.
fn join(base: &str, to: &str) -> String {
    let to = to.split('#').next().unwrap_or_default();
    let scheme = base.split_once("://").map_or("http", |(scheme, _)| scheme);
    let root = origin(base).len();
    let path_end = base[root..]
        .find(['?', '#'])
        .map_or(base.len(), |i| root + i);
    let has_scheme = to.find("://").is_some_and(|i| {
        to[..i]
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme {
        to.to_owned()
    } else if let Some(rest) = to.strip_prefix(&format!("{scheme}:")) {
        // As Python takes it: the scheme is the same one, the rest relative.
        join(base, rest)
    } else if to.starts_with("//") {
        format!("{scheme}:{to}")
    } else if to.starts_with('/') {
        format!("{}{to}", &base[..root])
    } else if to.starts_with('?') || to.is_empty() {
        format!("{}{to}", &base[..path_end])
    } else {
        let folder = base[root..path_end]
            .rfind('/')
            .map_or("/", |i| &base[root..=root + i]);
        format!("{}{}", &base[..root], no_dots(&format!("{folder}{to}")))
    }
}

/// A path without `.` and `..`.
fn no_dots(path: &str) -> String {
    let (path, query) = match path.find('?') {
        Some(i) => path.split_at(i),
        None => (path, ""),
    };
    let mut parts: Vec<&str> = vec![];
    let words: Vec<&str> = path.split('/').skip(1).collect();
    for (i, part) in words.iter().enumerate() {
        let last = i + 1 == words.len();
        match *part {
            ".." => {
                parts.pop();
            }
            "." => {}
            part => {
                parts.push(part);
                continue;
            }
        }
        if last {
            parts.push("");
        }
    }
    format!("/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_joined_to_where_it_came_from() {
        let base = "http://h:1/a/b?q=1";
        assert_eq!(join(base, "https://x/y#z"), "https://x/y");
        assert_eq!(join(base, "//x/y"), "http://x/y");
        assert_eq!(join(base, "/y"), "http://h:1/y");
        assert_eq!(join(base, "y?u=http://z"), "http://h:1/a/y?u=http://z");
        assert_eq!(join(base, "../../y/./"), "http://h:1/y/");
        assert_eq!(join(base, "http:y"), "http://h:1/a/y");
        assert_eq!(join(base, "?r"), "http://h:1/a/b?r");
        assert_eq!(join("http://h", "y"), "http://h/y");
    }

    #[test]
    fn a_login_is_for_one_server() {
        assert_eq!(origin("HTTP://H:1/a"), origin("http://h:1?x"));
        assert_ne!(origin("http://h:1/"), origin("http://h:2/"));
    }
}
