//! From the first request to the answer that counts: logins asked for, and redirects.
//!
//! Knows nothing of what becomes of the answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rplay_api::{Failure, Result};
use ureq::Body;
use ureq::http::{HeaderMap, Method, Response, StatusCode};

use super::Redirects;
use crate::http::digest::{Challenge, Login};
use crate::http::{Client, Exchange, MOST_REDIRECTS, goes_along, location, origin};

/// How requests follow one another.
pub(super) struct Hops<'a> {
    pub client: &'a Client<'a>,
    pub policy: Redirects,
    /// `name:password`.
    pub login: Option<String>,
    /// Whether the login goes with the first request.
    pub eager_login: bool,
    pub unredirected: &'a [String],
    /// A text of this task alone, for a login that wants one.
    pub nonce: String,
}

/// The answer that counts.
pub(super) struct Arrived {
    pub response: Response<Body>,
    /// Where it came from.
    pub url: String,
    /// The words beside its status.
    pub reason: String,
    /// All cookies that were set on the way, the last of a name.
    pub cookies: Vec<(String, String)>,
    /// Whether the body is that of a HEAD request, which has none.
    pub is_head: bool,
}

impl Hops<'_> {
    /// Sends the request and what follows from its answer.
    pub(super) fn follow(&self, mut exchange: Exchange) -> Result<Arrived> {
        let mut cookies = vec![];
        let mut seen = 0;
        let mut logged_in = self.eager_login && self.login.is_some();
        if logged_in {
            self.log_in(&mut exchange);
        }
        loop {
            let response = self.client.exchange(&exchange)?;
            keep_cookies(response.headers(), &mut cookies);
            if response.status() == StatusCode::UNAUTHORIZED && !logged_in {
                logged_in = self.meet(response.headers(), &mut exchange);
                if logged_in {
                    continue;
                }
            }
            let to = location(&exchange.url, &response);
            let next = to.filter(|_| seen < MOST_REDIRECTS).and_then(|to| {
                let method = self.next_method(&exchange.method, response.status())?;
                Some((method, to))
            });
            let Some((method, to)) = next else {
                return Ok(Arrived {
                    reason: self.client.reason(),
                    response,
                    is_head: exchange.method == Method::HEAD,
                    url: exchange.url,
                    cookies,
                });
            };
            seen += 1;
            self.turn(&mut exchange, method, to, &cookies)?;
        }
    }

    /// Adds the login that the server asks for, where there is one and it is known how.
    fn meet(&self, headers: &HeaderMap, exchange: &mut Exchange) -> bool {
        let Some(login) = &self.login else {
            return false;
        };
        let Some(challenge) = Challenge::find(headers) else {
            let asked = asks_for_basic(headers);
            if asked {
                self.log_in(exchange);
            }
            return asked;
        };
        let path = &exchange.url[origin(&exchange.url).len()..];
        let path = path.split('#').next().unwrap_or_default();
        let value = challenge.answer(Login {
            login,
            method: &exchange.method,
            path: if path.is_empty() { "/" } else { path },
            nonce: &self.nonce,
        });
        set(&mut exchange.headers, "authorization", value);
        true
    }

    fn log_in(&self, exchange: &mut Exchange) {
        let login = self.login.as_deref().unwrap_or_default();
        let value = format!("Basic {}", STANDARD.encode(login));
        set(&mut exchange.headers, "authorization", value);
    }

    /// The method to go on with; `None` where the redirect is not followed.
    fn next_method(&self, method: &Method, status: StatusCode) -> Option<Method> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let code = status.as_u16();
        match self.policy {
            Redirects::None => None,
            Redirects::Safe if !reads => None,
            Redirects::Urllib2 if *method == Method::POST => {
                matches!(code, 301..=303).then_some(Method::GET)
            }
            Redirects::Urllib2 if !reads => None,
            // Python's own, before 3.13.
            Redirects::Urllib2 => Some(Method::GET),
            _ => Some(match code {
                303 | 302 if *method != Method::HEAD => Method::GET,
                301 if *method == Method::POST => Method::GET,
                _ => method.clone(),
            }),
        }
    }

    /// Makes the request the one to where a redirect leads.
    fn turn(
        &self,
        exchange: &mut Exchange,
        method: Method,
        to: String,
        cookies: &[(String, String)],
    ) -> Result<()> {
        if !to.starts_with("http://") && !to.starts_with("https://") {
            return Err(Failure::new(format!(
                "`{}` leads to `{to}`, which is no address of HTTP",
                exchange.url
            )));
        }
        if method != exchange.method {
            exchange.body = None;
            exchange.headers.retain(|(name, _)| !is(name, "content-type"));
        }
        let same_host = origin(&exchange.url) == origin(&to);
        exchange
            .headers
            .retain(|(name, _)| goes_along(name, self.unredirected, same_host));
        if same_host && !cookies.is_empty() {
            let own = exchange.headers.iter().find(|(n, _)| is(n, "cookie"));
            let own = own.map(|(_, value)| value.clone());
            let set_now = own.into_iter().chain(pairs(cookies));
            let text = set_now.collect::<Vec<_>>().join("; ");
            set(&mut exchange.headers, "cookie", text);
        }
        exchange.method = method;
        exchange.url = to;
        Ok(())
    }
}

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// Sets a header in place of the one of that name.
pub(super) fn set(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    headers.retain(|(n, _)| !is(n, name));
    headers.push((name.to_owned(), value));
}

/// Cookies as `name=value`.
pub(super) fn pairs(cookies: &[(String, String)]) -> impl Iterator<Item = String> + '_ {
    cookies.iter().map(|(name, value)| format!("{name}={value}"))
}

fn keep_cookies(headers: &HeaderMap, cookies: &mut Vec<(String, String)>) {
    for header in headers.get_all("set-cookie") {
        let text = String::from_utf8_lossy(header.as_bytes()).into_owned();
        let pair = text.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        cookies.retain(|(n, _)| n != name);
        cookies.push((name.to_owned(), value.to_owned()));
    }
}

fn asks_for_basic(headers: &HeaderMap) -> bool {
    headers
        .get_all("www-authenticate")
        .iter()
        .filter_map(|h| h.to_str().ok())
        .any(|h| {
            h.split(',').any(|part| {
                let scheme = part.split_whitespace().next();
                scheme.is_some_and(|scheme| is(scheme, "basic"))
            })
        })
}
