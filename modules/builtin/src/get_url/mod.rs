//! Downloads a file to the target.
//!
//! The body streams into the new file while its digest is taken, and the old file is replaced only
//! after the digest was right. A connection that breaks is taken up where it broke.

mod body;
mod expected;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rplay_api::{Args, Doc, Failure, FileArgs, Host, Meta, Module, Outcome, Result, Return};

use crate::checksum;
use crate::content::write_differing;
use crate::http::{self, Client, Options, Slot};
use crate::path_info;
use body::{Body, Incoming};
use expected::{Expected, Wanted};

/// The `get_url` module.
pub struct This;

/// Arguments of `get_url`.
#[derive(Debug, Args)]
pub struct GetUrlArgs {
    /// The address: `https://`, `http://`, or `file://` for a file of the target.
    url: String,
    /// The file to make. In a folder it gets the name that the server gives or the address has.
    dest: PathBuf,
    /// The digest that the file must have: `sha256:DIGEST`, or `sha256:URL` of a list such as
    /// SHA256SUMS. A file that has it is not downloaded again.
    #[arg(default = "")]
    checksum: String,
    /// Download even where the file is there and has not changed since.
    #[arg(default = false, alias = "thirsty")]
    force: bool,
    /// Keep a copy of the file that is replaced, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// Seconds to wait for a connection, an answer, or the next bytes of one.
    #[arg(default = 10.0)]
    timeout: f64,
    /// How often a download is tried again, or taken up where it broke off, when the server
    /// answers 5xx or the connection breaks.
    #[arg(default = 4u32)]
    retries: u32,
    /// Headers of the request.
    headers: Option<IndexMap<String, String>>,
    /// The name for basic authentication.
    #[arg(alias = "username")]
    url_username: Option<String>,
    /// The password for basic authentication.
    #[arg(alias = "password", secret)]
    url_password: Option<String>,
    /// The name and password go with the first request in any case.
    #[arg(name = "force_basic_auth", default = false)]
    _force_basic_auth: bool,
    /// Heed `http_proxy`, `https_proxy` and `no_proxy` of the task's environment.
    #[arg(default = true)]
    use_proxy: bool,
    /// Refuse a server whose certificate the target does not trust.
    #[arg(default = true)]
    validate_certs: bool,
    /// A certificate in PEM to show to the server; it may hold the key too.
    client_cert: Option<PathBuf>,
    /// The key of `client_cert`, in PEM.
    client_key: Option<PathBuf>,
    /// What the client calls itself.
    #[arg(default = "ansible-httpget")]
    http_agent: String,
    /// Unpack what the server compressed on the way (Content-Encoding).
    #[arg(default = true)]
    decompress: bool,
    /// Taken for compatibility: the new file is made beside `dest`, to replace it in one step.
    #[arg(name = "tmp_dest")]
    _tmp_dest: Option<PathBuf>,
    /// Headers that do not go to where a redirect leads.
    #[arg(default = vec![])]
    unredirected_headers: Vec<String>,
    /// Look the login up in ~/.netrc, where none is given.
    #[arg(default = true)]
    use_netrc: bool,
    /// What TLS may use, by OpenSSL's names: `ECDHE-RSA-AES128-GCM-SHA256`. Parts of a list may be
    /// put together with `:`.
    #[arg(default = vec![])]
    ciphers: Vec<String>,
    /// Log in with Kerberos: not spoken here.
    #[arg(default = false)]
    use_gssapi: bool,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

impl Module for This {
    type Args = GetUrlArgs;

    const DOC: Doc = Doc {
        name: "get_url",
        aliases: &["download"],
        summary: "Downloads a file over HTTPS, HTTP or from the target itself",
        description: "A dry run downloads too, into memory of its own: what is unpacked from it \
            later is known then. Without `checksum` a file that is there is only downloaded \
            again where the server says that it changed since.",
        free_form: None,
        examples: r#"
- name: A release, checked against the publisher's list
  get_url:
    url: https://example.com/v1.2/app-linux-amd64.tar.gz
    dest: /var/cache/app-1.2.tar.gz
    checksum: sha256:https://example.com/v1.2/SHA256SUMS
    mode: "0644"

- name: Behind a login and a proxy
  get_url:
    url: https://artifacts.example.com/app.bin
    dest: /usr/local/bin/app
    url_username: ci
    url_password: "{{ vault_password }}"
    mode: "0755"
  environment:
    https_proxy: http://proxy.example.com:3128
"#,
        returns: &[
            Return {
                name: "dest",
                doc: "The file that was made.",
            },
            Return {
                name: "url",
                doc: "The address that answered, after redirects.",
            },
            Return {
                name: "status_code",
                doc: "The HTTP status.",
            },
            Return {
                name: "msg",
                doc: "`OK (N bytes)`, or why nothing was downloaded.",
            },
            Return {
                name: "elapsed",
                doc: "Seconds that it took.",
            },
            Return {
                name: "checksum_src",
                doc: "SHA-1 of what was downloaded.",
            },
            Return {
                name: "checksum_dest",
                doc: "SHA-1 of the file that was there before.",
            },
            Return {
                name: "md5sum",
                doc: "MD5 of what was downloaded.",
            },
            Return {
                name: "backup_file",
                doc: "The copy of the file that was replaced.",
            },
            Return {
                name: "mode",
                doc: "Its permissions; also `owner`, `group`, `uid`, `gid`, `size`, `state`.",
            },
        ],
    };

    fn run(args: GetUrlArgs, host: &Host) -> Result<Outcome> {
        check_scheme(&args.url)?;
        http::refuse_gssapi(args.use_gssapi)?;
        let client = Client::new(host, options(&args)?, &args.url)?;
        let get = Get {
            args: &args,
            host,
            client: &client,
            start: Instant::now(),
        };
        get.run()
    }
}

fn check_scheme(url: &str) -> Result<()> {
    let scheme = url.split_once("://").map(|(s, _)| s.to_ascii_lowercase());
    let wrong = |why: String| Err(Failure::new(why).arg("url"));
    match scheme.as_deref() {
        Some("http" | "https" | "file") => Ok(()),
        Some("ftp" | "ftps") => wrong(format!("`{url}`: FTP is not spoken here"))
            .map_err(|f: Failure| f.help("most servers have the same file at an https:// address")),
        Some(other) => wrong(format!("`{other}` is not one of `https`, `http`, `file`")),
        None => wrong(format!(
            "`{url}` is no address such as https://example.com/file"
        )),
    }
}

fn options(args: &GetUrlArgs) -> Result<Options> {
    let timeout = Duration::try_from_secs_f64(args.timeout)
        .ok()
        .filter(|t| !t.is_zero())
        .ok_or_else(|| {
            Failure::new(format!("`{}` is no time to wait", args.timeout)).arg("timeout")
        })?;
    Ok(Options {
        headers: args.headers.clone().into_iter().flatten().collect(),
        unredirected: args.unredirected_headers.clone(),
        ciphers: args.ciphers.clone(),
        username: args.url_username.clone(),
        password: args.url_password.clone(),
        use_netrc: args.use_netrc,
        use_proxy: args.use_proxy,
        validate_certs: args.validate_certs,
        client_cert: args.client_cert.clone(),
        client_key: args.client_key.clone(),
        ..Options::plain(&args.http_agent, timeout, args.retries)
    })
}

/// One run.
struct Get<'a> {
    args: &'a GetUrlArgs,
    host: &'a Host<'a>,
    client: &'a Client<'a>,
    start: Instant,
}

impl Get<'_> {
    fn run(&self) -> Result<Outcome> {
        let folder = self.host.is_dir(&self.args.dest)?;
        let name = http::file_name(&self.args.url);
        let expected = self.expected(name.as_deref())?;
        // In a folder the server may give another name, but it rarely does.
        let likely = match (&name, folder) {
            (Some(name), true) => Some(self.args.dest.join(name)),
            (None, true) => None,
            (_, false) => Some(self.args.dest.clone()),
        };
        let there = match &likely {
            Some(path) => self.host.stat(path)?.filter(Meta::is_file),
            None => None,
        };
        if let (Some(path), Some(_), Some(expected), false) =
            (&likely, &there, &expected, self.args.force)
            && checksum::of_file(self.host, path, expected.algorithm)? == expected.digest
        {
            return self.keep(path, "file already exists", None);
        }
        let since = there.filter(|_| !folder && !self.args.force && expected.is_none());
        let incoming = Incoming::ask(self.client, self.host, &self.args.url, since)?;
        match incoming {
            Incoming::Unchanged => {
                self.keep(&self.args.dest, "HTTP Error 304: Not Modified", Some(304))
            }
            Incoming::Body(body) => self.store(folder, *body, expected),
        }
    }

    fn expected(&self, name: Option<&str>) -> Result<Option<Expected>> {
        if self.args.checksum.trim().is_empty() {
            return Ok(None);
        }
        match Wanted::parse(&self.args.checksum)? {
            Wanted::Digest(expected) => Ok(Some(expected)),
            Wanted::List(algorithm, url) => {
                let name = name.ok_or_else(|| {
                    Failure::new(format!("`{}` has no file name to look up", self.args.url))
                        .arg("checksum")
                        .help("give the digest itself")
                })?;
                expected::look_up(self.client, algorithm, &url, name).map(Some)
            }
        }
    }

    /// The file stays; only its owner and mode may change.
    fn keep(&self, path: &Path, why: &str, status: Option<u16>) -> Result<Outcome> {
        let path = path_info::follow(self.host, path)?;
        self.host.ensure_attrs(&path, &self.args.file)?;
        let outcome = self.outcome(&path, &self.args.url).with("msg", why);
        let outcome = match status {
            Some(code) => outcome.with("status_code", code),
            None => outcome,
        };
        path_info::describe(self.host, &path, outcome)
    }

    fn store(&self, folder: bool, body: Body, expected: Option<Expected>) -> Result<Outcome> {
        let path = self.path(folder, &body)?;
        let (url, status) = (body.url().to_owned(), body.status());
        let there = self.host.stat(&path)?;
        let before = match &there {
            Some(meta) if meta.is_file() && !self.host.is_brief() => {
                Some(checksum::sha1_and_md5(self.host, &path)?[0].clone())
            }
            _ => None,
        };
        let attrs = self.host.attrs(&self.args.file, there.as_ref(), false)?;
        let slot = Slot::default();
        let mut stream = body.verified(self.client, expected, self.args.decompress, &slot)?;
        let mut backup = None;
        let written = write_differing(self.host, &path, &mut stream, &attrs, &mut || {
            if self.args.backup {
                backup = Some(self.host.backup(&path)?);
            }
            Ok(())
        });
        if let Err(failure) = written {
            if let Some(backup) = backup {
                self.host.remove(&backup)?;
            }
            return Err(slot.or(failure));
        }
        let path = path_info::follow(self.host, &path)?;
        self.host.ensure_attrs(&path, &self.args.file)?;
        let (size, [sha1, md5]) = stream.finish();
        let mut outcome = self
            .outcome(&path, &url)
            .with("msg", format!("OK ({size} bytes)"))
            .with("checksum_src", sha1)
            .with("checksum_dest", before)
            .with("md5sum", md5);
        if let Some(code) = status {
            outcome = outcome.with("status_code", code);
        }
        if let Some(backup) = backup {
            outcome = outcome.with("backup_file", backup.to_string_lossy());
        }
        path_info::describe(self.host, &path, outcome)
    }

    /// Where the body goes.
    fn path(&self, folder: bool, body: &Body) -> Result<PathBuf> {
        let dest = &self.args.dest;
        if folder {
            return Ok(dest.join(body.file_name()));
        }
        if path_info::ends_with_slash(dest) {
            let shown = dest.display();
            return Err(Failure::new(format!("the folder `{shown}` does not exist"))
                .absent()
                .arg("dest")
                .help("make it first with the `file` module and state: directory"));
        }
        crate::copy::require_parent(self.host, dest)?;
        Ok(dest.clone())
    }

    fn outcome(&self, path: &Path, url: &str) -> Outcome {
        Outcome::new()
            .with("dest", path.to_string_lossy())
            .with("url", url)
            .with("elapsed", self.start.elapsed().as_secs())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
