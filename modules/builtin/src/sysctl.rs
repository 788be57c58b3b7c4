//! Settings of the kernel, in a file of sysctl's and in the kernel itself.
//!
//! The file is written back as `NAME=VALUE` lines with each name once; comments stay. The kernel
//! follows by `sysctl -p` where the file changed, or by `sysctl_set` whatever the file says.

use std::path::{Path, PathBuf};

use rplay_api::{
    Args, Choice, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, State as Known, Target,
};

/// The `sysctl` module.
pub struct This;

/// Arguments of `sysctl`.
#[derive(Debug, Args)]
pub struct SysctlArgs {
    /// The setting, such as `net.ipv4.ip_forward`.
    #[arg(alias = "key")]
    name: String,
    /// Its value; `true` and `yes` are 1, `false` and `no` are 0.
    #[arg(alias = "val")]
    value: Option<String>,
    /// Whether the file should have it.
    #[arg(default = State::Present)]
    state: State,
    /// The file.
    #[arg(default = PathBuf::from("/etc/sysctl.conf"))]
    sysctl_file: PathBuf,
    /// Have the kernel read the file again where it changed.
    #[arg(default = true)]
    reload: bool,
    /// Set the value in the kernel too, where that has another one.
    #[arg(default = false)]
    sysctl_set: bool,
    /// A setting that the kernel does not know is no failure.
    #[arg(default = false)]
    ignoreerrors: bool,
}

/// Whether the file should have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It should.
    Present,
    /// It should not; the kernel keeps the value that it has.
    Absent,
}

impl Module for This {
    type Args = SysctlArgs;

    const DOC: Doc = Doc {
        name: "sysctl",
        aliases: &["ansible.posix.sysctl"],
        summary: "Settings of the kernel, and of the file that it boots with",
        description: "",
        free_form: None,
        examples: r#"
- name: Packets are forwarded
  sysctl:
    name: net.ipv4.ip_forward
    value: "1"
    sysctl_file: /etc/sysctl.d/50-router.conf

- name: Little is swapped, now and after a restart
  sysctl:
    name: vm.swappiness
    value: "5"
    sysctl_set: true
"#,
        returns: &[],
    };

    fn run(args: SysctlArgs, host: &Host) -> Result<Outcome> {
        let name = args.name.trim();
        let value = args.wanted()?;
        let path = args.sysctl_file.as_path();
        let old = if host.exists(path)? { host.read_text(path)? } else { String::new() };
        let file = Settings::read(&old);
        let changes = file.get(name) != value.as_deref();
        if changes {
            let parent = path.parent().unwrap_or(Path::new("/"));
            host.make_dirs(parent, &FileArgs::default())?;
            let text = file.with(name, value.as_deref());
            host.ensure_content(path, text.as_bytes(), &FileArgs::default())?;
        }
        if let Some(value) = value.as_deref().filter(|_| args.sysctl_set) {
            let command = Command::changes(["sysctl", "-w", &format!("{name}={value}")]);
            args.set(host, name, value, &command)?;
        }
        // The kernel may have another value than the file, whoever set it.
        let differs = match &value {
            Some(value) if args.reload && !args.sysctl_set => {
                args.known(host, name)?.is_some_and(|now| now != told(value))
            }
            _ => false,
        };
        if args.reload && (changes || differs) {
            let mut words = vec!["sysctl".to_owned(), "-p".to_owned(), path.to_string_lossy().into_owned()];
            if args.ignoreerrors {
                words.insert(1, "-e".to_owned());
            }
            let command = Command::changes(words);
            match &value {
                Some(value) if !args.sysctl_set => args.set(host, name, value, &command)?,
                _ => {
                    let target = Target::Host(path.to_string_lossy().into_owned());
                    host.refresh(&target, || args.apply(host, &command))?;
                }
            }
        }
        Ok(Outcome::new())
    }
}

impl SysctlArgs {
    /// The value that the file should have.
    fn wanted(&self) -> Result<Option<String>> {
        if self.name.trim().is_empty() {
            return Err(Failure::new("name cannot be blank").arg("name"));
        }
        if self.state == State::Absent {
            return Ok(None);
        }
        let value = self.value.as_deref().ok_or_else(|| {
            Failure::new("state is present but all of the following are missing: value").arg("value")
        })?;
        let value = value.trim();
        if value.is_empty() {
            return Err(Failure::new("value cannot be blank").arg("value"));
        }
        Ok(Some(match value.to_lowercase().as_str() {
            "y" | "yes" | "true" | "t" | "on" => "1".to_owned(),
            "n" | "no" | "false" | "f" | "off" => "0".to_owned(),
            _ => value.to_owned(),
        }))
    }

    /// The kernel's value; nothing where it has no such setting.
    fn known(&self, host: &Host, name: &str) -> Result<Option<Known>> {
        let place = Path::new("/proc/sys").join(place(name));
        host.state(&Target::Host(name.to_owned()), || {
            // Some can be written only.
            Ok(host.read_text(&place).ok().map(|text| told(&text)))
        })
    }

    /// Brings the kernel's value to what is asked for.
    fn set(&self, host: &Host, name: &str, value: &str, command: &Command) -> Result<()> {
        let target = Target::Host(name.to_owned());
        let place = Path::new("/proc/sys").join(place(name));
        let before = self.known(host, name)?;
        if before.is_none() {
            // A setting that the kernel has not got: the command says so, where it is run.
            host.refresh(&target, || self.apply(host, command))?;
            return match self.ignoreerrors || host.exists(&place)? {
                true => Ok(()),
                false => Err(host.missing(refused(&format!(
                    "sysctl: cannot stat {}: No such file or directory",
                    place.display()
                )))),
            };
        }
        let after = told(value);
        if before.as_ref() == Some(&after) && command.argv.iter().any(|word| word == "-p") {
            // The file may say more than this one setting.
            return host.refresh(&target, || self.apply(host, command));
        }
        host.ensure(target, before, Some(after), || self.apply(host, command))
    }

    fn apply(&self, host: &Host, command: &Command) -> Result<()> {
        let output = host.run(command)?;
        // sysctl ends well where a value was refused, and says it all the same.
        let words = output.stderr();
        let failed = output.rc != 0 || ["Invalid argument", "Read-only file system"].iter().any(|w| words.contains(w));
        match failed && !self.ignoreerrors {
            true => Err(refused(words.trim()).with("rc", output.rc)),
            false => Ok(()),
        }
    }
}

/// A value as a state that is compared.
fn told(text: &str) -> Known {
    Known::from([("value".to_owned(), plain(text))])
}

/// In Ansible's words, which playbooks look for.
fn refused(words: &str) -> Failure {
    Failure::new(format!("Failed to reload sysctl: {words}"))
}

/// Where the kernel shows a setting: dots part folders, and slashes do where the name has them first.
fn place(name: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    match name.find(['.', '/']).map(|at| name.as_bytes()[at]) {
        Some(b'/') => name.to_owned(),
        _ => name.chars().map(swap).collect(),
    }
}

/// A value with one blank where there are several.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a file of settings.
struct Settings<'a>(Vec<(&'a str, Option<(&'a str, &'a str)>)>);

impl<'a> Settings<'a> {
    fn read(text: &'a str) -> Self {
        let setting = |line: &'a str| {
            if line.starts_with(['#', ';']) {
                return None;
            }
            let (name, value) = line.split_once('=')?;
            Some((name.trim(), value.trim()))
        };
        Self(text.lines().map(str::trim).map(|line| (line, setting(line))).collect())
    }

    /// The value that counts: the last one.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().rev().filter_map(|(_, setting)| *setting);
        found.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The file with another value of one setting, or without it.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let mut seen = vec![];
        let mut text = String::new();
        for (line, setting) in &self.0 {
            match setting {
                None => text += &format!("{line}\n"),
                Some((known, _)) if seen.contains(known) => {}
                Some((known, _)) => {
                    seen.push(known);
                    let own = *known == name;
                    if let Some(value) = if own { value } else { self.get(known) } {
                        text += &format!("{known}={value}\n");
                    }
                }
            }
        }
        match value.filter(|_| !seen.contains(&name)) {
            Some(value) => text + &format!("{name}={value}\n"),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixture::Fixture;

    const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

    /// What the file becomes, and whether the task changed anything.
    fn after(before: &str, args: Value) -> (String, bool) {
        where_the_kernel_has("1\n", before, args)
    }

    fn where_the_kernel_has(value: &str, before: &str, args: Value) -> (String, bool) {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file("/etc/sysctl.conf", before).file(FORWARD, value);
        let ran = fixture.run::<This>(args);
        ran.result.unwrap();
        let text = fixture.on_host(|host| host.read_text(Path::new("/etc/sysctl.conf")).unwrap());
        (text, !ran.changes.is_empty())
    }

    #[test]
    fn the_file_has_each_name_once() {
        let set = |value: Value| json!({"name": "net.ipv4.ip_forward", "value": value});
        let (text, changed) = after("# c", set(json!(1)));
        assert_eq!((text.as_str(), changed), ("# c\nnet.ipv4.ip_forward=1\n", true));
        assert!(!after(&text, set(json!(true))).1);
        let old = "; d\n  net.ipv4.ip_forward=1 # z\nvm.x = 1\nnet.ipv4.ip_forward = 0\n\n-net.x = 1";
        let (text, _) = after(old, set(json!("yes")));
        assert_eq!(text, "; d\nnet.ipv4.ip_forward=1\nvm.x=1\n\n-net.x=1\n");
        let (text, _) = after(&text, json!({"name": "net.ipv4.ip_forward", "state": "absent"}));
        assert_eq!(text, "; d\nvm.x=1\n\n-net.x=1\n");
        assert!(!after(&text, json!({"name": "net.ipv4.ip_forward", "state": "absent"})).1);
    }

    #[test]
    fn a_kernel_that_has_another_value_than_the_file_reads_that_again() {
        let file = "net.ipv4.ip_forward=1\n";
        let changes = |kernel: &str, more: Value| {
            let mut args = json!({"name": "net.ipv4.ip_forward", "value": "1"});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            where_the_kernel_has(kernel, file, args).1
        };
        assert!(changes("0\n", json!({})));
        assert!(!changes("1\n", json!({})));
        assert!(!changes("0\n", json!({"reload": false})));
        assert!(changes("0\n", json!({"reload": false, "sysctl_set": true})));
    }

    #[test]
    fn a_dry_run_knows_what_the_kernel_would_have() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file(FORWARD, "0\n");
        let set = json!({"name": "net.ipv4.ip_forward", "value": "1", "sysctl_set": true});
        let kernel = Target::Host("net.ipv4.ip_forward".to_owned());
        let changes = fixture.run::<This>(set.clone()).changes;
        assert!(changes.iter().any(|change| change.target == kernel), "{changes:?}");
        assert_eq!(fixture.run::<This>(set).changes, []);
    }

    #[test]
    fn a_setting_that_the_kernel_has_not_got_fails_unless_that_is_ignored() {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        fixture.file(FORWARD, "0\n");
        let args = json!({"name": "net.none", "value": "1"});
        let failure = fixture.run::<This>(args).result.unwrap_err();
        assert!(failure.msg.contains("cannot stat /proc/sys/net/none"), "{failure}");
        let args = json!({"name": "net.none.2", "value": "1", "ignoreerrors": true});
        assert!(fixture.run::<This>(args).result.is_ok());
        let args = json!({"name": "net.none.3", "value": "1", "reload": false});
        assert!(fixture.run::<This>(args).result.is_ok());
    }

    #[test]
    fn a_value_is_needed() {
        for args in [json!({"name": "a.b"}), json!({"name": "a.b", "value": ""})] {
            let failure = Fixture::new(&Overlay::empty()).run::<This>(args).result.unwrap_err();
            assert_eq!(failure.arg.as_deref(), Some("value"));
        }
    }

    #[test]
    fn a_name_with_slashes_may_have_dots() {
        assert_eq!(place("net.ipv4.conf.eth0/1.forwarding"), "net/ipv4/conf/eth0.1/forwarding");
        assert_eq!(place("net/ipv4/conf/eth0.1/forwarding"), "net/ipv4/conf/eth0.1/forwarding");
    }
}
