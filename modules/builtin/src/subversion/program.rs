//! The svn program, and what it says of a repository or a working copy.

use std::ffi::OsString;
use std::path::Path;

use rplay_api::{Command, Failure, Host, Output, Result, Stdin};

use super::SubversionArgs;

/// Runs svn.
pub(super) struct Svn<'a> {
    host: &'a Host<'a>,
    /// The program, and the options of every call.
    words: Vec<OsString>,
    stdin: Stdin,
}

/// What `svn info` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Info {
    pub revision: u64,
    /// The last revision up to that one in which something changed here.
    pub last_changed: u64,
    pub url: String,
}

/// The first version that takes a password by its standard input.
const TAKES_STDIN: (u32, u32) = (1, 10);

impl<'a> Svn<'a> {
    /// The svn of the target.
    pub(super) fn find(args: &SubversionArgs, host: &'a Host<'a>) -> Result<Self> {
        let program = match &args.executable {
            Some(path) => path.clone().into_os_string(),
            None => "svn".into(),
        };
        let mut svn = Self {
            host,
            words: vec![program, "--non-interactive".into(), "--no-auth-cache".into()],
            stdin: Stdin::Empty,
        };
        let version = match svn.asks(&["--version".into(), "--quiet".into()]) {
            Ok(version) => version,
            Err(failure) if failure.unknown => return Err(failure),
            Err(failure) => {
                return Err(host.missing(failure.arg("executable").help(
                    "install subversion on the target first, with the task's `package` module",
                )));
            }
        };
        if !args.validate_certs {
            svn.words.push("--trust-server-cert".into());
        }
        if let Some(name) = &args.username {
            svn.words.extend(["--username".into(), name.into()]);
        }
        if let Some(password) = &args.password {
            if numbers(&version) >= TAKES_STDIN {
                svn.words.push("--password-from-stdin".into());
                svn.stdin = Stdin::Bytes(password.clone().into_bytes());
            } else {
                host.warn(
                    "The authentication provided will be used on the svn command line and is not \
                     secure. To securely pass credentials, upgrade svn to version 1.10.0 or greater."
                        .to_owned(),
                );
                svn.words.extend(["--password".into(), password.into()]);
            }
        }
        Ok(svn)
    }

    fn surrounded(&self, mut command: Command) -> Command {
        command.stdin = self.stdin.clone();
        command.env("LC_ALL", "C")
    }

    fn argv(&self, words: &[OsString]) -> Vec<OsString> {
        self.words.iter().chain(words).cloned().collect()
    }

    fn asks(&self, words: &[OsString]) -> Result<String> {
        let command = self.surrounded(Command::reads(self.argv(words)));
        Ok(judged(self.host.run(&command)?, &command)?.stdout())
    }

    /// What a revision of the repository is.
    pub(super) fn info_of(&self, url: &str, revision: &str) -> Result<Info> {
        let words = ["info", "-r", revision, &pegged(url)].map(OsString::from);
        Info::parse(&self.asks(&words)?)
    }

    /// What a working copy is.
    pub(super) fn info(&self, dest: &Path) -> Result<Info> {
        Info::parse(&self.asks(&["info".into(), peg(dest)])?)
    }

    /// As [`Self::info`]; none where there is no working copy.
    pub(super) fn knows(&self, dest: &Path) -> Result<Option<Info>> {
        let words = ["info".into(), peg(dest)];
        let command = self.surrounded(Command::reads(self.argv(&words)));
        let output = self.host.run(&command)?;
        match output.rc {
            0 => Info::parse(&output.stdout()).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether something that svn knows was changed in a working copy.
    pub(super) fn is_modified(&self, dest: &Path) -> Result<bool> {
        let words = ["status", "--quiet", "--ignore-externals"].map(OsString::from);
        let said = self.asks(&[words.as_slice(), &[peg(dest)]].concat())?;
        Ok(said.lines().any(is_modification))
    }

    /// Does something with a folder, and for most of it with an address.
    pub(super) fn does(&self, words: &[&str], url: Option<&str>, dest: &Path) -> Result<()> {
        let mut all: Vec<OsString> = words.iter().map(OsString::from).collect();
        all.extend(url.map(|url| pegged(url).into()));
        all.push(peg(dest));
        let command = self.surrounded(Command::changes(self.argv(&all)));
        judged(self.host.run(&command)?, &command).map(drop)
    }
}

/// An `@` in a name is not the mark of a revision where another one is behind it.
fn pegged(url: &str) -> String {
    let last = url.rsplit('/').next().unwrap_or_default();
    match last.contains('@') {
        true => format!("{url}@"),
        false => url.to_owned(),
    }
}

fn peg(dest: &Path) -> OsString {
    let mut word = dest.as_os_str().to_owned();
    if dest.to_string_lossy().contains('@') {
        word.push("@");
    }
    word
}

/// svn's own words where it fails.
fn judged(output: Output, command: &Command) -> Result<Output> {
    let said = output.stderr();
    let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let said = said.join("\n");
    let help = match &said {
        said if said.contains("E170001") || said.contains("E215004") => {
            Some("the server asks for a login: give `username` and `password`")
        }
        said if said.contains("E230001") => {
            Some("the server's certificate is not trusted: trust its authority on the target")
        }
        _ => None,
    };
    output.success(command).map_err(|failure| {
        let failure = match said.is_empty() {
            true => failure,
            false => Failure {
                msg: said,
                ..failure
            },
        };
        help.into_iter().fold(failure, Failure::help)
    })
}

/// A line of `svn status`: what happened to the item is in the first column, to its properties in the
/// second.
fn is_modification(line: &str) -> bool {
    let mut columns = line.chars();
    let (item, properties) = (columns.next(), columns.next());
    let tells = |column: Option<char>| column.is_some_and(|c| !matches!(c, ' ' | '?' | 'X'));
    tells(item) || properties.is_some_and(|c| matches!(c, 'M' | 'C'))
}

/// `1.14.2` as (1, 14).
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.trim().split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

impl Info {
    fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.map(str::trim)
        };
        let number = |key: &str| value(key)?.parse().ok();
        let revision = number("Revision:");
        match (revision, value("URL:")) {
            (Some(revision), Some(url)) => Ok(Self {
                revision,
                last_changed: number("Last Changed Rev:").unwrap_or(revision),
                url: url.to_owned(),
            }),
            _ => Err(Failure::new(format!("`svn info` said nothing of a revision: {text}"))),
        }
    }

    pub(super) fn revision_line(&self) -> String {
        format!("Revision: {}", self.revision)
    }

    /// The two lines of Ansible's results.
    pub(super) fn lines(&self) -> Vec<String> {
        vec![self.revision_line(), format!("URL: {}", self.url)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_svn_does_not_know_is_no_modification() {
        for line in ["?       new", "X       external", "        deep"] {
            assert!(!is_modification(line), "{line}");
        }
        for line in ["M       f", " M      props", "A  +    copied", "!       gone", "D       f"] {
            assert!(is_modification(line), "{line}");
        }
    }

    #[test]
    fn versions_are_numbers() {
        assert!(numbers("1.14.2\n") >= TAKES_STDIN);
        assert!(numbers("1.9.7") < TAKES_STDIN);
    }

    #[test]
    fn a_name_with_an_at_is_no_revision() {
        assert_eq!(pegged("https://me@host/repo/trunk"), "https://me@host/repo/trunk");
        assert_eq!(pegged("file:///repo/a@b"), "file:///repo/a@b@");
    }
}
