//! The ssh options that an inventory gives in `ansible_ssh_common_args` and its like.

use std::path::PathBuf;

use crate::ConnectError;
use crate::error::Cause;

/// Options of the `ssh` program that rplay knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SshArgs {
    /// `-o NAME=VALUE`: as a line of `~/.ssh/config` that comes before all others.
    pub options: Vec<(String, String)>,
    /// `-F FILE`: read in place of `~/.ssh/config`; `none` reads no file.
    pub config: Option<PathBuf>,
    /// What was given and means nothing here, for a warning.
    pub ignored: Vec<String>,
    /// A word that is no option: ssh would take it for the host, and reach another or none.
    pub stray: Option<String>,
}

impl SshArgs {
    /// Reads words as a shell would split them: `-o ProxyCommand="ssh -W %h:%p bastion" -J a,b`.
    ///
    /// # Errors
    /// A quote that is not closed, an option without its value.
    pub fn parse(text: &str) -> Result<Self, ConnectError> {
        let fault = |words: String| ConnectError {
            host: String::new(),
            cause: Cause::Settings(words, Some("see `man ssh` for its options".to_owned())),
        };
        let words = shlex::split(text).ok_or_else(|| {
            fault(format!(
                "a quote is not closed in the ssh arguments `{text}`"
            ))
        })?;
        let mut args = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some((flag, joined)) = flag_of(&word) else {
                args.stray.get_or_insert(word);
                continue;
            };
            if !"oJipFlcbmSWLRDEBeIOQw".contains(flag) {
                args.flag(flag, &word);
                continue;
            }
            let value = match joined {
                "" => words
                    .next()
                    .ok_or_else(|| fault(format!("the ssh argument `-{flag}` has no value")))?,
                joined => joined.to_owned(),
            };
            args.value(flag, value).map_err(fault)?;
        }
        Ok(args)
    }

    /// Adds what another text says; what is already here wins, as the first does in ssh.
    pub fn extend(&mut self, other: Self) {
        self.options.extend(other.options);
        self.config = self.config.take().or(other.config);
        self.ignored.extend(other.ignored);
        self.stray = self.stray.take().or(other.stray);
    }

    fn value(&mut self, flag: char, value: String) -> Result<(), String> {
        let name = match flag {
            'o' => {
                let (name, value) = option(&value)
                    .ok_or_else(|| format!("the ssh option `{value}` has no value"))?;
                self.options
                    .push((name.to_ascii_lowercase(), value.to_owned()));
                return Ok(());
            }
            'F' => {
                self.config = Some(PathBuf::from(value));
                return Ok(());
            }
            'J' => "proxyjump",
            'i' => "identityfile",
            'p' => "port",
            'l' => "user",
            'c' => "ciphers",
            'm' => "macs",
            'b' => "bindaddress",
            _ => {
                self.ignored.push(format!("-{flag} {value}"));
                return Ok(());
            }
        };
        self.options.push((name.to_owned(), value));
        Ok(())
    }

    fn flag(&mut self, flag: char, word: &str) {
        // Compression, quiet, verbose and the terminal make no difference here.
        if !"CqvTtn46xX".contains(flag) {
            self.ignored.push(word.to_owned());
        }
    }
}

/// `-oName=x` is the flag `o` and `Name=x`.
fn flag_of(word: &str) -> Option<(char, &str)> {
    let rest = word.strip_prefix('-')?;
    let flag = rest.chars().next()?;
    Some((flag, &rest[flag.len_utf8()..]))
}

/// `Name=value`, `Name value`.
fn option(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(|c: char| c == '=' || c.is_whitespace())?;
    let value = value
        .trim_start_matches(|c: char| c == '=' || c.is_whitespace())
        .trim_end();
    (!value.is_empty()).then_some((name.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_joined_or_apart() {
        let args =
            SshArgs::parse("-o StrictHostKeyChecking=no -oPort=2222 -J 'a,b' -i ~/k -C").unwrap();
        let options: Vec<_> = args
            .options
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            options,
            [
                ("stricthostkeychecking", "no"),
                ("port", "2222"),
                ("proxyjump", "a,b"),
                ("identityfile", "~/k")
            ]
        );
        assert_eq!(args.ignored, Vec::<String>::new());
    }

    #[test]
    fn a_quoted_command_is_one_value() {
        let args = SshArgs::parse(r#"-o ProxyCommand="ssh -W %h:%p bastion""#).unwrap();
        assert_eq!(
            args.options,
            [("proxycommand".to_owned(), "ssh -W %h:%p bastion".to_owned())]
        );
    }

    #[test]
    fn what_is_not_known_is_told() {
        let args = SshArgs::parse("-o ControlMaster=auto -L 1:2:3 host").unwrap();
        assert_eq!(args.ignored, ["-L 1:2:3"]);
        assert_eq!(args.stray.as_deref(), Some("host"));
    }

    #[test]
    fn a_missing_value_is_an_error() {
        let error = SshArgs::parse("-o").unwrap_err();
        assert_eq!(error.to_string(), "the ssh argument `-o` has no value");
    }
}
