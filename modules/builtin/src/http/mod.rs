//! HTTP as modules use it: with the target's roots, the task's proxies, and faults explained.
//!
//! Owns connections, retries and resuming. Knows nothing of where the content goes.

mod ciphers;
pub mod digest;
mod download;
mod exchange;
mod fault;
mod name;
pub mod netrc;
mod reason;
mod redirect;
mod socket;
mod trust;

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rplay_api::{Failure, Host, Result};
use ureq::config::RedirectAuthHeaders;
use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector, RustlsConnector};
use ureq::{Agent, Body, Proxy};

pub use download::{Download, Slot};
pub use exchange::{Exchange, Payload};
use fault::Fault;
pub use name::{file_name, offered_name};
use reason::Reason;
pub use redirect::{MOST_REDIRECTS, goes_along, location, origin};
use socket::{NoNames, SocketConnector};

/// How a task wants its requests.
#[derive(Debug, Clone)]
pub struct Options {
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// The names of those that do not go to where a redirect leads.
    pub unredirected: Vec<String>,
    /// What TLS may use, by OpenSSL's names; all that is spoken where it is empty.
    pub ciphers: Vec<String>,
    /// The name for basic authentication.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Whether ~/.netrc is asked for the login of a server, where none is given.
    pub use_netrc: bool,
    /// The longest wait for a connection, an answer, or the next bytes of one.
    pub timeout: Duration,
    /// Whether to heed `http_proxy`, `https_proxy` and `no_proxy` of the task's environment.
    pub use_proxy: bool,
    /// Whether a server must show a certificate that the target trusts.
    pub validate_certs: bool,
    /// What the client calls itself.
    pub user_agent: String,
    /// A certificate to show to the server, and with no `client_key` its key too, in PEM.
    pub client_cert: Option<PathBuf>,
    /// The key of the certificate.
    pub client_key: Option<PathBuf>,
    /// The authorities to trust, in PEM, in place of those that the target trusts.
    pub ca_path: Option<PathBuf>,
    /// A socket of the target to talk to, whatever the address.
    pub unix_socket: Option<PathBuf>,
    /// How often a request is tried again that failed for a reason that may pass.
    pub retries: u32,
}

impl Options {
    /// Nothing but an address: proxies are heeded, certificates are checked.
    pub fn plain(user_agent: &str, timeout: Duration, retries: u32) -> Self {
        Self {
            headers: vec![],
            unredirected: vec![],
            ciphers: vec![],
            username: None,
            password: None,
            use_netrc: false,
            timeout,
            use_proxy: true,
            validate_certs: true,
            user_agent: user_agent.to_owned(),
            client_cert: None,
            client_key: None,
            ca_path: None,
            unix_socket: None,
            retries,
        }
    }
}

/// Makes requests for one task.
pub struct Client<'a> {
    host: &'a Host<'a>,
    options: Options,
    agent: Agent,
    reason: Reason,
}

/// An answer whose status is no error.
pub struct Answer {
    /// The status and headers, with the body.
    pub response: Response<Body>,
    /// The address that answered, after redirects.
    pub url: String,
}

impl<'a> Client<'a> {
    /// A client for `url` and what it leads to.
    pub fn new(host: &'a Host<'a>, options: Options, url: &str) -> Result<Self> {
        let mut tls = TlsConfig::builder();
        if let Some(provider) = ciphers::provider(&options.ciphers)? {
            tls = tls.unversioned_rustls_crypto_provider(provider);
        }
        let tls = tls
            .disable_verification(!options.validate_certs)
            .root_certs(trust::roots(
                host,
                options.ca_path.as_deref(),
                options.validate_certs && is_https(url),
            )?)
            .client_cert(trust::client_cert(
                host,
                options.client_cert.as_deref(),
                options.client_key.as_deref(),
            )?)
            .build();
        let proxy = if options.use_proxy {
            proxy(host, url)?
        } else {
            None
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls)
            .proxy(proxy)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .save_redirect_history(true)
            .user_agent(options.user_agent.clone())
            .accept_encoding("identity")
            .timeout_resolve(Some(options.timeout))
            .timeout_connect(Some(options.timeout))
            .timeout_recv_response(Some(options.timeout))
            .timeout_per_read(Some(options.timeout))
            .timeout_per_write(Some(options.timeout))
            .build();
        let reason = Reason::default();
        let agent = match &options.unix_socket {
            None => {
                let connector = DefaultConnector::default().chain(reason.clone());
                Agent::with_parts(config, connector, DefaultResolver::default())
            }
            Some(path) => {
                let connector = ().chain(SocketConnector(path.clone()));
                let connector = connector.chain(RustlsConnector::default());
                Agent::with_parts(config, connector.chain(reason.clone()), NoNames)
            }
        };
        Ok(Self {
            host,
            options,
            agent,
            reason,
        })
    }

    /// Asks for `url` and tries again where the fault may pass. The status is 2xx or 304.
    pub fn get(&self, url: &str, headers: &[(&str, String)]) -> Result<Answer> {
        let mut failed = 0;
        loop {
            match self.try_get(url, headers) {
                Ok(answer) => return Ok(answer),
                Err(fault) if fault.passes && failed < self.options.retries => {
                    failed += 1;
                    self.pause(failed)?;
                }
                Err(fault) => return Err(fault.failure),
            }
        }
    }

    /// A small text, such as a list of checksums; it may be a file of the target.
    pub fn text(&self, url: &str) -> Result<String> {
        if let Some(path) = url.strip_prefix("file://") {
            let path = percent_decode(path.strip_prefix("localhost").unwrap_or(path));
            return self.host.read_text(std::path::Path::new(&path));
        }
        let mut answer = self.get(url, &[])?;
        answer
            .response
            .body_mut()
            .with_config()
            .limit(16 << 20)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|e| Fault::of(url, &e).failure)
    }

    /// The words beside the status of the last answer, as the server has them.
    pub fn reason(&self) -> String {
        self.reason.last()
    }

    fn try_get(&self, url: &str, headers: &[(&str, String)]) -> std::result::Result<Answer, Fault> {
        use ureq::ResponseExt;
        let (url, login) = split_login(url);
        let login = match self.login().or(login) {
            None if self.options.use_netrc => netrc::login(self.host, &url)?,
            login => login,
        };
        let own = self.options.headers.iter().cloned();
        let more = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut headers: Vec<(String, String)> = own.chain(more).collect();
        if let Some(login) = login {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            let value = format!("Basic {}", STANDARD.encode(login));
            headers.push(("authorization".to_owned(), value));
        }
        let response = self.arrive(url.clone(), headers)?;
        let status = response.status();
        if status.is_success() || status.as_u16() == 304 {
            let url = response.get_uri().to_string();
            return Ok(Answer { response, url });
        }
        Err(Fault::of_status(&url, status))
    }

    /// The answer behind all redirects. Where headers must not go along, they are followed one by
    /// one.
    fn arrive(
        &self,
        mut url: String,
        mut headers: Vec<(String, String)>,
    ) -> std::result::Result<Response<Body>, Fault> {
        let unredirected = &self.options.unredirected;
        if unredirected.is_empty() {
            return self.ask(&url, &headers, MOST_REDIRECTS);
        }
        let mut seen = 0;
        loop {
            let response = self.ask(&url, &headers, 0)?;
            let Some(to) = location(&url, &response).filter(|_| seen < MOST_REDIRECTS) else {
                return Ok(response);
            };
            let same_server = origin(&url) == origin(&to);
            headers.retain(|(name, _)| goes_along(name, unredirected, same_server));
            seen += 1;
            url = to;
        }
    }

    fn ask(
        &self,
        url: &str,
        headers: &[(String, String)],
        redirects: u32,
    ) -> std::result::Result<Response<Body>, Fault> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.config().max_redirects(redirects);
        let request = request.max_redirects_will_error(redirects > 0).build();
        request.call().map_err(|e| Fault::of(url, &e))
    }

    fn login(&self) -> Option<String> {
        let name = self.options.username.as_ref()?;
        let password = self.options.password.as_deref().unwrap_or_default();
        Some(format!("{name}:{password}"))
    }

    /// Waits longer after each failure, and no longer than the task lasts.
    fn pause(&self, failed: u32) -> Result<()> {
        let wait = Duration::from_millis(500 * (1 << failed.saturating_sub(1).min(4)));
        let end = std::time::Instant::now() + wait;
        while std::time::Instant::now() < end {
            if self.host.is_cancelled() {
                return Err(Failure::new("the task was cancelled"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Refuses a login with Kerberos.
pub fn refuse_gssapi(wanted: bool) -> Result<()> {
    match wanted {
        false => Ok(()),
        true => Err(Failure::new("Kerberos is not spoken here")
            .arg("use_gssapi")
            .help("log in with url_username and url_password, or run `curl --negotiate` on the target")),
    }
}

/// Whether an address is one of HTTPS.
pub fn is_https(url: &str) -> bool {
    url.get(..8)
        .is_some_and(|s| s.eq_ignore_ascii_case("https://"))
}

/// `https://name:password@host/` without its login, and the login.
pub fn split_login(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((login, host)) => (
            format!("{scheme}://{host}{}", &rest[end..]),
            Some(percent_decode(login)),
        ),
        None => (url.to_owned(), None),
    }
}

/// `%20` as a space, and so on.
pub fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

/// The proxy for an address, as the task's environment has it.
fn proxy(host: &Host, url: &str) -> Result<Option<Proxy>> {
    let names: &[&str] = if is_https(url) {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let first = |names: &[&str]| {
        let set = |n: &&str| {
            host.env(n)
                .filter(|v| !v.is_empty())
                .map(|v| (n.to_string(), v))
        };
        names.iter().find_map(set)
    };
    let Some((name, text)) = first(names) else {
        return Ok(None);
    };
    let wrong = |e: ureq::Error| {
        Failure::new(format!("`{name}` is no proxy: {e}")).help(
            "it is an address such as http://proxy.example.com:3128; use_proxy: false goes \
                   without it",
        )
    };
    let parsed = Proxy::new(&text).map_err(wrong)?;
    let mut proxy = Proxy::builder(parsed.protocol())
        .host(parsed.host())
        .port(parsed.port());
    if let Some(user) = parsed.username() {
        proxy = proxy.username(user);
    }
    if let Some(password) = parsed.password() {
        proxy = proxy.password(password);
    }
    if let Some((_, list)) = first(&["no_proxy", "NO_PROXY"]) {
        for entry in list.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            proxy = proxy.no_proxy(entry);
        }
    }
    proxy.build().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_an_address_is_taken_out() {
        let (url, login) = split_login("https://me:a%40b@host:8443/x?u=a@b");
        assert_eq!(url, "https://host:8443/x?u=a@b");
        assert_eq!(login.as_deref(), Some("me:a@b"));
        assert_eq!(split_login("http://h/a@b").1, None);
    }
}
