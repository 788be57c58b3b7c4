//! Everything that a connection needs to know, from the target, the ssh arguments and the
//! configuration files, the first of them that says it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{Found, Setting, fault};
use crate::error::Cause;
use crate::{CONNECT_TIMEOUT, HostKeys, Target};

/// How often a quiet connection is asked whether it is there, and how often in vain.
const ALIVE_INTERVAL: Duration = Duration::from_secs(15);
const ALIVE_MAX: usize = 4;

/// A connection's settings.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) identity: Identity,
    pub(super) route: Route,
    pub(super) host_keys: HostKeys,
    /// The name that known_hosts has, where it is not the host's.
    pub(super) host_key_alias: Option<String>,
    pub(super) known_hosts: Vec<PathBuf>,
    pub(super) global_known_hosts: Vec<PathBuf>,
    pub(super) hash_known_hosts: bool,
    pub(super) timeout: Duration,
    pub(super) attempts: u32,
    pub(super) alive_interval: Option<Duration>,
    pub(super) alive_max: usize,
    /// `AddressFamily`: only IPv4, or only IPv6.
    pub(super) ipv6: Option<bool>,
}

/// What to log in with.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// Key files, in order.
    pub(super) files: Vec<PathBuf>,
    /// They were named by someone, and are not just the usual ones.
    pub(super) are_named: bool,
    /// Keys of the agent count only where they are among the files.
    pub(super) only: bool,
    /// The agent's socket.
    pub(super) agent: Option<PathBuf>,
    pub(super) keys_allowed: bool,
    pub(super) password_allowed: bool,
}

/// How the bytes get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Direct,
    /// Through other SSH servers, the nearest first.
    Jump(Vec<String>),
    /// Through a process's standard streams.
    Command(String),
}

/// The user that runs this program.
#[derive(Debug, Clone)]
pub(super) struct Local {
    pub(super) home: PathBuf,
    pub(super) user: String,
    pub(super) host: String,
    pub(super) agent: Option<PathBuf>,
}

impl Local {
    pub(super) fn here() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let user = std::fs::read_to_string("/etc/passwd")
            .ok()
            .and_then(|text| {
                let line = text
                    .lines()
                    .find(|l| l.split(':').nth(2) == Some(&uid.to_string()))?;
                line.split(':').next().map(str::to_owned)
            });
        let user = user.or_else(|| std::env::var("USER").ok());
        Self {
            home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            user: user.unwrap_or_else(|| uid.to_string()),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            agent: std::env::var_os("SSH_AUTH_SOCK")
                .filter(|s| !s.is_empty())
                .map(PathBuf::from),
        }
    }
}

impl Settings {
    /// What was found for a target.
    pub(super) fn new(target: &Target, found: &Found, local: &Local) -> Result<Self, Cause> {
        let mut tokens = Tokens {
            host: target.host.clone(),
            original: target.host.clone(),
            port: target.port.unwrap_or(22),
            user: String::new(),
            local: local.clone(),
        };
        if let Some(name) = found.get("hostname") {
            tokens.host = tokens.expand(name, &name.words.join(" "))?;
        }
        if target.port.is_none() {
            tokens.port = number(found, "port")?.unwrap_or(22);
        }
        let user = target.user.clone().or_else(|| word(found, "user"));
        tokens.user = user.unwrap_or_else(|| local.user.clone());
        let home = &local.home;
        Ok(Self {
            identity: identity(target, found, &tokens)?,
            route: route(found, &tokens)?,
            host_keys: host_keys(target, found)?,
            host_key_alias: word(found, "hostkeyalias"),
            known_hosts: files(found, "userknownhostsfile", &tokens)?.unwrap_or_else(|| {
                vec![
                    home.join(".ssh/known_hosts"),
                    home.join(".ssh/known_hosts2"),
                ]
            }),
            global_known_hosts: files(found, "globalknownhostsfile", &tokens)?.unwrap_or_else(
                || {
                    vec![
                        "/etc/ssh/ssh_known_hosts".into(),
                        "/etc/ssh/ssh_known_hosts2".into(),
                    ]
                },
            ),
            hash_known_hosts: flag(found, "hashknownhosts")?.unwrap_or(false),
            timeout: match target.timeout {
                Some(timeout) => timeout,
                None => seconds(found, "connecttimeout")?.unwrap_or(CONNECT_TIMEOUT),
            },
            attempts: number(found, "connectionattempts")?.unwrap_or(2).max(1),
            alive_interval: match seconds(found, "serveraliveinterval")? {
                None => Some(ALIVE_INTERVAL),
                Some(Duration::ZERO) => None,
                interval => interval,
            },
            alive_max: number(found, "serveralivecountmax")?
                .unwrap_or(ALIVE_MAX)
                .max(1),
            ipv6: match word(found, "addressfamily").as_deref() {
                Some("inet") => Some(false),
                Some("inet6") => Some(true),
                _ => None,
            },
            host: tokens.host,
            port: tokens.port,
            user: tokens.user,
        })
    }

    /// The server's name in known_hosts.
    pub(super) fn known_as(&self) -> (&str, u16) {
        match &self.host_key_alias {
            Some(alias) => (alias, 22),
            None => (&self.host, self.port),
        }
    }

    /// `host:port`, for messages.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

fn identity(target: &Target, found: &Found, tokens: &Tokens) -> Result<Identity, Cause> {
    let home = &tokens.local.home;
    let mut named: Vec<PathBuf> = vec![];
    if let Some(key) = &target.private_key {
        named.push(under_home(&key.to_string_lossy(), home));
    }
    let mut none = false;
    for setting in found.all("identityfile") {
        match setting.words.join(" ").as_str() {
            "none" => none = true,
            text => named.push(under_home(&tokens.expand(setting, text)?, home)),
        }
    }
    let are_named = !named.is_empty() || none;
    let usual = [
        "id_rsa",
        "id_ecdsa",
        "id_ecdsa_sk",
        "id_ed25519",
        "id_ed25519_sk",
    ];
    let files = match are_named {
        true => named,
        false => usual
            .iter()
            .map(|name| home.join(".ssh").join(name))
            .collect(),
    };
    let agent = match found.get("identityagent") {
        None => tokens.local.agent.clone(),
        Some(setting) => match setting.words.join(" ").as_str() {
            "none" => None,
            "SSH_AUTH_SOCK" => tokens.local.agent.clone(),
            text => match text.strip_prefix('$') {
                Some(name) => std::env::var_os(name.trim_matches(['{', '}'])).map(PathBuf::from),
                None => Some(under_home(&tokens.expand(setting, text)?, home)),
            },
        },
    };
    Ok(Identity {
        files,
        are_named,
        only: flag(found, "identitiesonly")?.unwrap_or(false),
        agent,
        keys_allowed: word(found, "pubkeyauthentication").is_none_or(|w| w != "no"),
        password_allowed: flag(found, "passwordauthentication")?.unwrap_or(true),
    })
}

fn route(found: &Found, tokens: &Tokens) -> Result<Route, Cause> {
    if let Some(jump) = found.get("proxyjump") {
        let text = jump.words.join(",");
        // `none` also keeps a ProxyCommand from being used.
        if text == "none" {
            return Ok(Route::Direct);
        }
        let hops = text.split(',').map(|hop| tokens.expand(jump, hop.trim()));
        return Ok(Route::Jump(hops.collect::<Result<_, _>>()?));
    }
    match found.get("proxycommand") {
        Some(command) if command.text != "none" => {
            Ok(Route::Command(tokens.expand(command, &command.text)?))
        }
        _ => Ok(Route::Direct),
    }
}

fn host_keys(target: &Target, found: &Found) -> Result<HostKeys, Cause> {
    if let Some(choice) = target.host_keys {
        return Ok(choice);
    }
    let Some(setting) = found.get("stricthostkeychecking") else {
        return Ok(HostKeys::Strict);
    };
    match setting.words.join(" ").to_ascii_lowercase().as_str() {
        // Nobody is there to be asked.
        "yes" | "true" | "ask" => Ok(HostKeys::Strict),
        "accept-new" => Ok(HostKeys::AcceptNew),
        "no" | "false" | "off" => Ok(HostKeys::Ignore),
        other => Err(fault(
            &setting.place,
            &format!("`StrictHostKeyChecking` is yes, accept-new, ask or no, not `{other}`"),
        )),
    }
}

fn word(found: &Found, keyword: &str) -> Option<String> {
    found.get(keyword).map(|s| s.words.join(" "))
}

fn files(found: &Found, keyword: &str, tokens: &Tokens) -> Result<Option<Vec<PathBuf>>, Cause> {
    let Some(setting) = found.get(keyword) else {
        return Ok(None);
    };
    let words = setting.words.iter().filter(|word| *word != "none");
    let files = words.map(|w| Ok(under_home(&tokens.expand(setting, w)?, &tokens.local.home)));
    files.collect::<Result<_, _>>().map(Some)
}

fn number<T: std::str::FromStr>(found: &Found, keyword: &str) -> Result<Option<T>, Cause> {
    let Some(setting) = found.get(keyword) else {
        return Ok(None);
    };
    let text = setting.words.join(" ");
    let no_number = |_| {
        fault(
            &setting.place,
            &format!("`{text}` is no number for `{keyword}`"),
        )
    };
    text.parse().map(Some).map_err(no_number)
}

fn flag(found: &Found, keyword: &str) -> Result<Option<bool>, Cause> {
    let Some(setting) = found.get(keyword) else {
        return Ok(None);
    };
    match setting.words.join(" ").to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(Some(true)),
        "no" | "false" => Ok(Some(false)),
        other => Err(fault(
            &setting.place,
            &format!("`{keyword}` is yes or no, not `{other}`"),
        )),
    }
}

/// `90`, `1m30s`, `2h`.
fn seconds(found: &Found, keyword: &str) -> Result<Option<Duration>, Cause> {
    let Some(setting) = found.get(keyword) else {
        return Ok(None);
    };
    let text = setting.words.join(" ");
    if text == "none" {
        return Ok(None);
    }
    let (mut total, mut digits) = (0_u64, String::new());
    for letter in text.chars().chain(['s']) {
        let unit = match letter.to_ascii_lowercase() {
            c if c.is_ascii_digit() => {
                digits.push(c);
                continue;
            }
            's' if digits.is_empty() && total > 0 => continue,
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => {
                return Err(fault(
                    &setting.place,
                    &format!("`{text}` is no time for `{keyword}`"),
                ));
            }
        };
        let count: u64 = digits.parse().map_err(|_| {
            fault(
                &setting.place,
                &format!("`{text}` is no time for `{keyword}`"),
            )
        })?;
        total += count * unit;
        digits.clear();
    }
    Ok(Some(Duration::from_secs(total)))
}

fn under_home(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(path),
    }
}

/// What `%h` and its like stand for.
struct Tokens {
    host: String,
    original: String,
    port: u16,
    user: String,
    local: Local,
}

impl Tokens {
    fn expand(&self, setting: &Setting, text: &str) -> Result<String, Cause> {
        let mut out = String::with_capacity(text.len());
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            match letters.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(&self.host),
                Some('n' | 'k') => out.push_str(&self.original),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(&self.user),
                Some('u') => out.push_str(&self.local.user),
                Some('d') => out.push_str(&self.local.home.to_string_lossy()),
                Some('l') => out.push_str(&self.local.host),
                Some('L') => out.extend(self.local.host.split('.').next()),
                Some('i') => out.push_str(&rustix::process::getuid().as_raw().to_string()),
                other => {
                    let token = other.map_or_else(|| "%".to_owned(), |c| format!("%{c}"));
                    return Err(fault(
                        &setting.place,
                        &format!("`{token}` stands for nothing here"),
                    ));
                }
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
