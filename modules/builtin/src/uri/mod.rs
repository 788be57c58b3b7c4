//! Talks to a web service.
//!
//! A dry run asks too where asking changes nothing (GET, HEAD, OPTIONS); any other request is not
//! sent there, and its result is unknown. So is the failure of one that was sent: the service may
//! be what the run would start.

mod answer;
mod body;
mod form;
mod hops;
mod secret;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rplay_api::{
    Args, Choice, ControllerFile, ControllerForm, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return,
    Target,
};
use serde_json::Value;
use ureq::http::Method;

use crate::http::{self, Client, Exchange, Options};
use answer::Answer;
use hops::Hops;

/// The `uri` module.
pub struct This;

/// Arguments of `uri`.
#[derive(Debug, Args)]
pub struct UriArgs {
    /// The address: `https://` or `http://`.
    url: String,
    /// The method: `GET`, `POST`, `PUT`, ...
    #[arg(default = "GET")]
    method: String,
    /// What is sent. With body_format: json or a form, a mapping or list is put into that format;
    /// text is sent as it is. The parts of a form-multipart are text, or mappings with `content`, or
    /// with the `filename` of a file of the controller; and `mime_type`.
    body: Option<ControllerForm>,
    /// The format of `body`, and with it the Content-Type.
    #[arg(default = BodyFormat::Raw)]
    body_format: BodyFormat,
    /// A file to send in place of `body`: of the controller, or with `remote_src` of the target.
    src: Option<ControllerFile>,
    /// Whether `src`, and the files of a form, are on the target.
    #[arg(default = false)]
    remote_src: bool,
    /// Headers of the request.
    headers: Option<IndexMap<String, String>>,
    /// Headers that do not go to where a redirect leads.
    #[arg(default = vec![])]
    unredirected_headers: Vec<String>,
    /// The statuses that are a success; -1 is that of no answer.
    #[arg(default = vec![200])]
    status_code: Vec<i32>,
    /// Give the body of the answer as `content`.
    #[arg(default = false)]
    return_content: bool,
    /// A file to write the body of the answer to; in a folder it gets the name that the server
    /// gives or the address has.
    dest: Option<PathBuf>,
    /// Do nothing where this file is there.
    creates: Option<PathBuf>,
    /// Do nothing where this file is not there.
    removes: Option<PathBuf>,
    /// Which redirects are followed: `safe` only those of GET and HEAD; `all` also those of other
    /// requests, which become GET as in a browser; `urllib2` those of GET, HEAD and POST, which
    /// all become GET.
    #[arg(default = Redirects::Safe)]
    follow_redirects: Redirects,
    /// The name to log in with; absent: what ~/.netrc has for the host.
    #[arg(alias = "user")]
    url_username: Option<String>,
    /// The password.
    #[arg(alias = "password", secret)]
    url_password: Option<String>,
    /// Send the name and password with the first request, not only after the server asked for them.
    #[arg(default = false)]
    force_basic_auth: bool,
    /// Look the login up in ~/.netrc, where none is given.
    #[arg(default = true)]
    use_netrc: bool,
    /// Ask caches on the way not to answer.
    #[arg(default = false)]
    force: bool,
    /// Seconds to wait for a connection, an answer, or the next bytes of one.
    #[arg(default = 30.0)]
    timeout: f64,
    /// Heed `http_proxy`, `https_proxy` and `no_proxy` of the task's environment.
    #[arg(default = true)]
    use_proxy: bool,
    /// Refuse a server whose certificate is not trusted.
    #[arg(default = true)]
    validate_certs: bool,
    /// The authorities to trust, in PEM, in place of those that the target trusts.
    ca_path: Option<PathBuf>,
    /// A certificate in PEM to show to the server; it may hold the key too.
    client_cert: Option<PathBuf>,
    /// The key of `client_cert`, in PEM.
    client_key: Option<PathBuf>,
    /// A Unix socket of the target to talk to, whatever host the address names.
    unix_socket: Option<PathBuf>,
    /// What the client calls itself.
    #[arg(default = "ansible-httpget")]
    http_agent: String,
    /// Unpack what the server compressed on the way (Content-Encoding).
    #[arg(default = true)]
    decompress: bool,
    /// What TLS may use, by OpenSSL's names: `ECDHE-RSA-AES128-GCM-SHA256`. Parts of a list may be
    /// put together with `:`.
    #[arg(default = vec![])]
    ciphers: Vec<String>,
    /// Log in with Kerberos: not spoken here.
    #[arg(default = false)]
    use_gssapi: bool,
    /// Owner, group and mode of `dest`.
    #[arg(flatten)]
    file: FileArgs,
}

/// How `body` is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum BodyFormat {
    /// As it is.
    Raw,
    /// As JSON.
    Json,
    /// As the fields of a form.
    #[arg(name = "form-urlencoded")]
    FormUrlencoded,
    /// As the fields and files of a form.
    #[arg(name = "form-multipart")]
    FormMultipart,
}

/// Which redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Redirects {
    /// All.
    #[arg(alias = "yes", alias = "true")]
    All,
    /// None.
    #[arg(alias = "no", alias = "false")]
    None,
    /// Those of GET and HEAD.
    Safe,
    /// Those of GET, HEAD and POST.
    Urllib2,
}

impl Module for This {
    type Args = UriArgs;

    const DOC: Doc = Doc {
        name: "uri",
        aliases: &[],
        summary: "Talks to a web service over HTTP or HTTPS",
        description: "A dry run sends GET, HEAD and OPTIONS, which change nothing. What any other \
            request would be answered is unknown there.",
        free_form: None,
        examples: r#"
- name: Wait until the service is healthy
  uri:
    url: http://127.0.0.1:8080/health
  register: health
  until: health.status == 200
  retries: 30
  delay: 1

- name: Make an issue
  uri:
    url: https://tracker.example.com/rest/api/2/issue/
    method: POST
    user: ci
    password: "{{ vault_password }}"
    force_basic_auth: true
    body_format: json
    body:
      title: It broke
      labels: [build]
    status_code: [200, 201]
  register: issue

- name: The daemon's own socket
  uri:
    url: http://localhost/v1.44/info
    unix_socket: /run/docker.sock
"#,
        returns: &[
            Return {
                name: "status",
                doc: "The HTTP status; -1 where no answer came.",
            },
            Return {
                name: "url",
                doc: "The address that answered, after redirects.",
            },
            Return {
                name: "redirected",
                doc: "Whether that is another than the one asked for.",
            },
            Return {
                name: "content",
                doc: "The body, with return_content: true.",
            },
            Return {
                name: "json",
                doc: "The body's value, where the server says that it is JSON.",
            },
            Return {
                name: "msg",
                doc: "`OK (N bytes)`, or the error.",
            },
            Return {
                name: "elapsed",
                doc: "Seconds that it took.",
            },
            Return {
                name: "cookies",
                doc: "The cookies that the server set, by name; also `cookies_string`.",
            },
            Return {
                name: "content_type",
                doc: "The header of that name; so with every header, in lowercase with `_`.",
            },
            Return {
                name: "path",
                doc: "The file that was written, with `dest`; also `mode`, `owner`, `size`, ...",
            },
        ],
    };

    fn run(args: UriArgs, host: &Host) -> Result<Outcome> {
        if let Some(why) = nothing_to_do(&args, host)? {
            let lines = vec![why.clone()];
            return Ok(Outcome::new()
                .changed(false)
                .with("stdout", why)
                .with("stdout_lines", lines));
        }
        http::refuse_gssapi(args.use_gssapi)?;
        let (url, login) = address(&args, host)?;
        let start = Instant::now();
        let exchange = Exchange {
            method: method(&args.method)?,
            url: url.clone(),
            headers: vec![],
            body: None,
        };
        let exchange = body::fill(exchange, &args, host)?;
        let client = Client::new(host, options(&args)?, &url)?;
        let hops = Hops {
            client: &client,
            policy: args.follow_redirects,
            login,
            eager_login: args.force_basic_auth,
            unredirected: &args.unredirected_headers,
            nonce: nonce(host),
        };
        let answer = match send(host, exchange, |exchange| hops.follow(exchange))? {
            Ok(answer) => answer,
            Err(failure) => return no_answer(&args, host, &url, start, failure),
        };
        let taken = Answer {
            args: &args,
            host,
            asked: &url,
            start,
        }
        .take(answer);
        match args.url_password.as_deref().filter(|password| !password.is_empty()) {
            None => taken,
            Some(password) => taken
                .map(|mut outcome| {
                    outcome.data = secret::hidden(outcome.data, password);
                    outcome
                })
                .map_err(|mut failure| {
                    failure.data = secret::hidden(failure.data, password);
                    failure
                }),
        }
    }
}

/// Sends a request; one that may change something is not sent in a dry run. The inner failure is
/// that of the way to the server.
fn send(
    host: &Host,
    exchange: Exchange,
    follow: impl Fn(Exchange) -> Result<hops::Arrived>,
) -> Result<Result<hops::Arrived>> {
    if matches!(
        exchange.method,
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        return Ok(follow(exchange));
    }
    let shown = format!("{} {}", exchange.method, exchange.url);
    let mut answer = None;
    host.refresh(&Target::Command(shown.clone()), || {
        answer = Some(follow(exchange.clone()));
        Ok(())
    })?;
    answer.ok_or_else(|| Failure::unknown(format!("`{shown}` was not sent")))
}

/// No answer came: the status is -1, which a task may expect.
fn no_answer(
    args: &UriArgs,
    host: &Host,
    url: &str,
    start: Instant,
    failure: Failure,
) -> Result<Outcome> {
    let data = [
        ("status", Value::from(-1)),
        ("url", url.into()),
        ("redirected", false.into()),
        ("elapsed", start.elapsed().as_secs().into()),
    ];
    let content = args.return_content.then(|| ("content", Value::from("")));
    let data: Vec<_> = data.into_iter().chain(content).collect();
    if args.status_code.contains(&-1) {
        let outcome = Outcome::new().with("msg", failure.msg);
        return Ok(data.into_iter().fold(outcome, |o, (k, v)| o.with(k, v)));
    }
    let mut failure = not_yet(host, failure);
    failure.data = data.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    Err(failure)
}

/// The failure of an answer that is not the wanted one; unknown in a dry run, which does not start
/// or configure the service that would give it.
fn not_yet(host: &Host, failure: Failure) -> Failure {
    match host.wait(Duration::ZERO) {
        Err(dry) if dry.unknown => {
            let why = "but what the run would do may change the answer";
            Failure::unknown(format!("{}, {why}", failure.msg))
        }
        _ => failure,
    }
}

fn nothing_to_do(args: &UriArgs, host: &Host) -> Result<Option<String>> {
    let there = |path: &Path| -> Result<bool> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        host.exists(&path)
    };
    if let Some(path) = &args.creates
        && there(path)?
    {
        let shown = path.display();
        return Ok(Some(format!("skipped, since '{shown}' exists")));
    }
    if let Some(path) = &args.removes
        && !there(path)?
    {
        let shown = path.display();
        return Ok(Some(format!("skipped, since '{shown}' does not exist")));
    }
    Ok(None)
}

/// The address without a login, and the login: the task's, the address's own, or that of ~/.netrc.
fn address(args: &UriArgs, host: &Host) -> Result<(String, Option<String>)> {
    let scheme = args
        .url
        .split_once("://")
        .map(|(s, _)| s.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err(Failure::new(format!(
            "`{}` is no address such as https://example.com/api",
            args.url
        ))
        .arg("url")
        .with("status", -1)
        .with("url", args.url.as_str()));
    }
    let (url, own) = http::split_login(&args.url);
    let given = args.url_username.as_ref().map(|name| {
        let password = args.url_password.as_deref().unwrap_or_default();
        format!("{name}:{password}")
    });
    let login = match given.or(own) {
        None if args.use_netrc => http::netrc::login(host, &url)?,
        login => login,
    };
    Ok((url, login))
}

/// A text that no other task has.
fn nonce(host: &Host) -> String {
    let time = host.now().duration_since(std::time::UNIX_EPOCH);
    format!("{:x}{:x}", time.map_or(0, |t| t.as_nanos()), std::process::id())
}

fn method(word: &str) -> Result<Method> {
    let upper = word.to_uppercase();
    let is_word = !upper.is_empty() && upper.chars().all(|c| c.is_ascii_uppercase());
    Method::from_bytes(upper.as_bytes())
        .ok()
        .filter(|_| is_word)
        .ok_or_else(|| {
            Failure::new(format!("`{word}` is no HTTP method"))
                .arg("method")
                .help("it is one word, such as GET or POST")
        })
}

fn options(args: &UriArgs) -> Result<Options> {
    let timeout = Duration::try_from_secs_f64(args.timeout)
        .ok()
        .filter(|t| !t.is_zero())
        .ok_or_else(|| {
            Failure::new(format!("`{}` is no time to wait", args.timeout)).arg("timeout")
        })?;
    Ok(Options {
        use_proxy: args.use_proxy && args.unix_socket.is_none(),
        validate_certs: args.validate_certs,
        client_cert: args.client_cert.clone(),
        client_key: args.client_key.clone(),
        ca_path: args.ca_path.clone(),
        unix_socket: args.unix_socket.clone(),
        ciphers: args.ciphers.clone(),
        ..Options::plain(&args.http_agent, timeout, 0)
    })
}

#[cfg(test)]
mod tests;
