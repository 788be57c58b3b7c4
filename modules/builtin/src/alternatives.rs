//! Which of several programs goes by a name, through `update-alternatives`.

use std::path::PathBuf;

use rplay_api::{
    ArgKind, ArgMap, ArgType, Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return,
    State as Known, Target,
};
use serde_json::Value;

/// The `alternatives` module.
pub struct This;

/// Arguments of `alternatives`.
#[derive(Debug, Args)]
pub struct AlternativesArgs {
    /// The name that they share, such as `editor`.
    name: String,
    /// The program that is meant.
    path: Option<PathBuf>,
    /// The family of the program, on hosts of Red Hat's kin, in place of `path`.
    family: Option<String>,
    /// The link that the name is on the host. It is needed for a name that is new.
    link: Option<PathBuf>,
    /// How much it is preferred where the host chooses. Absent: what it is, or else 50.
    priority: Option<i64>,
    /// What is wanted.
    #[arg(default = State::Selected)]
    state: State,
    /// Links that go along with it, such as the page of its manual.
    #[arg(alias = "slaves")]
    subcommands: Option<Vec<Follower>>,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// It is one of the alternatives.
    Present,
    /// It is the one.
    Selected,
    /// It is one of them, and the host chooses.
    Auto,
    /// It is none of them.
    Absent,
}

/// A link that goes along with an alternative.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct Follower {
    /// The name.
    name: String,
    /// The link that the name is on the host.
    link: String,
    /// Where it leads with this alternative.
    path: String,
}

impl ArgType for Follower {
    const KIND: ArgKind = ArgKind::Dict;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        let map: &ArgMap = value.as_object().ok_or("it is a mapping with `name`, `link` and `path`")?;
        Self::parse(map).map_err(|error| error.to_string())
    }
}

impl Module for This {
    type Args = AlternativesArgs;

    const DOC: Doc = Doc {
        name: "alternatives",
        aliases: &["community.general.alternatives"],
        summary: "Which of several programs goes by a name",
        description: "",
        free_form: None,
        examples: r#"
- name: vim is the editor
  alternatives:
    name: editor
    path: /usr/bin/vim.basic

- name: A java of our own
  alternatives:
    name: java
    link: /usr/bin/java
    path: /opt/java/bin/java
    priority: 2000
"#,
        returns: &[Return { name: "msg", doc: "What was done." }],
    };

    fn run(args: AlternativesArgs, host: &Host) -> Result<Outcome> {
        let target = Target::Host(format!("alternative {}", args.name));
        let known = host.state(&target, || asked(host, &args.name).map(|group| group.map(|g| g.known())))?;
        let before = known.as_ref().map(Group::of).unwrap_or_default();
        let path = args.path(&before)?;
        if args.state != State::Absent && args.path.is_some() && !host.exists(std::path::Path::new(&path))? {
            let words = format!("Specified path {path} does not exist");
            return Err(host.missing(Failure::new(words).arg("path").absent()));
        }
        let steps = args.steps(&before, &path)?;
        let after = steps.iter().fold(before.clone(), |group, step| group.after(step));
        let done: Vec<String> = steps.iter().map(|step| step.words(&args.name)).collect();
        let after = (!after.alternatives.is_empty()).then(|| after.known());
        host.ensure(target, known, after, || {
            for step in &steps {
                let command = Command::changes(step.command(&args.name)).env("LC_ALL", "C");
                host.run(&command)?.success(&command)?;
            }
            Ok(())
        })?;
        Ok(Outcome::new().with("msg", done.join(" ")))
    }
}

/// A call of `update-alternatives`.
enum Step<'a> {
    Install { link: String, path: &'a str, priority: i64, followers: &'a [Follower] },
    Select(&'a str),
    Auto,
    Remove(&'a str),
}

impl Step<'_> {
    fn command(&self, name: &str) -> Vec<String> {
        let words: Vec<&str> = match self {
            Self::Install { link, path, priority, followers } => {
                let priority = priority.to_string();
                let first = ["--install", link, name, path, &priority].map(str::to_owned);
                let more = followers.iter().flat_map(|f| {
                    ["--slave", &f.link, &f.name, &f.path].map(str::to_owned)
                });
                let program = ["update-alternatives".to_owned()];
                return program.into_iter().chain(first).chain(more).collect();
            }
            Self::Select(path) => vec!["--set", name, path],
            Self::Auto => vec!["--auto", name],
            Self::Remove(path) => vec!["--remove", name, path],
        };
        ["update-alternatives"].into_iter().chain(words).map(str::to_owned).collect()
    }

    fn words(&self, name: &str) -> String {
        match self {
            Self::Install { path, .. } => format!("Install alternative '{path}' for '{name}'."),
            Self::Select(path) => format!("Set alternative '{path}' for '{name}'."),
            Self::Auto => format!("Set alternative to auto for '{name}'."),
            Self::Remove(path) => format!("Remove alternative '{path}' from '{name}'."),
        }
    }
}

impl AlternativesArgs {
    /// The program that is meant: it is named, or the first of its family.
    fn path(&self, group: &Group) -> Result<String> {
        if let Some(path) = &self.path {
            return Ok(path.to_string_lossy().into_owned());
        }
        let Some(family) = &self.family else {
            let words = "one of the following is required: path, family";
            return Err(Failure::new(words).arg("path"));
        };
        let of_it = group.alternatives.iter().find(|a| a.family.as_ref() == Some(family));
        of_it.map(|found| found.path.clone()).ok_or_else(|| {
            Failure::new(format!("no alternative of `{}` is of the family `{family}`", self.name)).arg("family")
        })
    }

    fn steps<'a>(&'a self, group: &Group, path: &'a str) -> Result<Vec<Step<'a>>> {
        let there = group.alternatives.iter().find(|a| a.path == path);
        if self.state == State::Absent {
            return Ok(there.map(|_| Step::Remove(path)).into_iter().collect());
        }
        let followers = self.subcommands.as_deref();
        let is_good = there.is_some_and(|there| {
            let follow = |f: &Follower| there.followers.contains(&(f.name.clone(), f.path.clone()));
            self.priority.is_none_or(|priority| priority == there.priority)
                && followers.is_none_or(|all| all.len() == there.followers.len() && all.iter().all(follow))
        });
        let mut steps = vec![];
        if !is_good {
            let link = self.link.as_ref().map(|link| link.to_string_lossy().into_owned());
            let link = link.or_else(|| group.link.clone()).ok_or_else(|| {
                // Ansible's words: playbooks look for them.
                let words = "Needed to install the alternative, but unable to do so as we are missing the link";
                Failure::new(words).arg("link")
            })?;
            let priority = self.priority.or(there.map(|there| there.priority)).unwrap_or(50);
            steps.push(Step::Install { link, path, priority, followers: followers.unwrap_or_default() });
        }
        let is_current = group.value.as_deref() == Some(path);
        match self.state {
            State::Selected if !is_good || !is_current => steps.push(Step::Select(path)),
            State::Auto if !group.is_auto && group.link.is_some() => steps.push(Step::Auto),
            _ => {}
        }
        Ok(steps)
    }
}

/// All that go by a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Group {
    link: Option<String>,
    value: Option<String>,
    is_auto: bool,
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Alternative {
    path: String,
    priority: i64,
    family: Option<String>,
    /// Names and where they lead.
    followers: Vec<(String, String)>,
}

/// What the host says of a name.
fn asked(host: &Host, name: &str) -> Result<Option<Group>> {
    let command = Command::reads(["update-alternatives", "--display", name]).env("LC_ALL", "C");
    let output = host.run(&command)?;
    Ok((output.rc == 0).then(|| Group::parse(&output.stdout(), name)))
}

impl Group {
    /// Reads what `--display` says, of Debian's program and of Red Hat's.
    fn parse(text: &str, name: &str) -> Self {
        let mut group = Self::default();
        for line in text.lines() {
            let bare = line.trim();
            if let Some(rest) = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(" - ")) {
                group.is_auto = rest.contains("auto");
            } else if let Some(value) = bare.strip_prefix("link currently points to ") {
                group.value = Some(value.to_owned());
            } else if let Some(link) = bare.strip_prefix(&format!("link {name} is ")) {
                group.link = Some(link.to_owned());
            } else if line.starts_with('/') {
                group.alternatives.extend(Alternative::parse(line));
            } else if let Some((follower, path)) = bare
                .strip_prefix("slave ")
                .or_else(|| bare.strip_prefix("follower "))
                .and_then(|rest| rest.split_once(": "))
                && let Some(last) = group.alternatives.last_mut()
                && path != "(null)"
            {
                last.followers.push((follower.to_owned(), path.to_owned()));
            }
        }
        group
    }

    fn after(mut self, step: &Step<'_>) -> Self {
        match step {
            Step::Install { link, path, priority, followers } => {
                self.is_auto |= self.alternatives.is_empty();
                self.link = Some(link.clone());
                self.alternatives.retain(|a| a.path != *path);
                self.alternatives.push(Alternative {
                    path: (*path).to_owned(),
                    priority: *priority,
                    family: None,
                    followers: followers.iter().map(|f| (f.name.clone(), f.path.clone())).collect(),
                });
            }
            Step::Select(path) => {
                self.value = Some((*path).to_owned());
                self.is_auto = false;
            }
            Step::Auto => self.is_auto = true,
            Step::Remove(path) => {
                self.alternatives.retain(|a| a.path != *path);
                self.is_auto |= self.value.as_deref() == Some(path);
            }
        }
        if self.is_auto {
            let best = self.alternatives.iter().max_by_key(|a| a.priority);
            self.value = best.map(|best| best.path.clone());
        }
        self
    }

    /// As a thing's state: a key for each alternative.
    fn known(&self) -> Known {
        let mut known = Known::new();
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                known.insert(key.to_owned(), value);
            }
        };
        put("link", self.link.clone());
        put("value", self.value.clone());
        put("status", Some(if self.is_auto { "auto" } else { "manual" }.to_owned()));
        for a in &self.alternatives {
            let followers = a.followers.iter().map(|(name, path)| format!("\n{name}\t{path}"));
            let family = a.family.as_deref().unwrap_or_default();
            let text = format!("{}\t{family}{}", a.priority, followers.collect::<String>());
            put(&a.path, Some(text));
        }
        known
    }

    fn of(known: &Known) -> Self {
        let alternatives = known.iter().filter(|(key, _)| key.starts_with('/')).map(|(path, text)| {
            let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
            let (priority, family) = lines.next().unwrap_or_default();
            Alternative {
                path: path.clone(),
                priority: priority.parse().unwrap_or_default(),
                family: Some(family.to_owned()).filter(|family| !family.is_empty()),
                followers: lines.map(|(name, path)| (name.to_owned(), path.to_owned())).collect(),
            }
        });
        Self {
            link: known.get("link").cloned(),
            value: known.get("value").cloned(),
            is_auto: known.get("status").is_some_and(|status| status == "auto"),
            alternatives: alternatives.collect(),
        }
    }
}

impl Alternative {
    /// `PATH - priority 10`, and in between `family NAME` where there are families.
    fn parse(line: &str) -> Option<Self> {
        let (path, rest) = line.split_once(" - ")?;
        let mut words = rest.split_whitespace();
        let mut found = Self { path: path.to_owned(), ..Self::default() };
        while let (Some(word), Some(value)) = (words.next(), words.next()) {
            match word {
                "family" => found.family = Some(value.to_owned()),
                "priority" => found.priority = value.parse().ok()?,
                _ => return None,
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::{Overlay, RealSystem};
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    const DEBIAN: &str = "pager - auto mode\n  link best version is /usr/bin/less\n  link currently points to \
        /usr/bin/less\n  link pager is /usr/bin/pager\n  slave pager.1.gz is /usr/share/man/man1/pager.1.gz\n\
        /bin/more - priority 50\n  slave pager.1.gz: /usr/share/man/man1/more.1.gz\n/usr/bin/less - priority 77\n";
    const RED_HAT: &str = "java - status is manual.\n link currently points to /usr/lib/a/java\n/usr/lib/a/java - \
        family java-17 priority 170\n slave jre: /usr/lib/a\n slave x: (null)\nCurrent `best' version is /usr/lib/a/java.\n";

    #[test]
    fn what_the_programs_say_is_read() {
        let group = Group::parse(DEBIAN, "pager");
        assert!(group.is_auto);
        assert_eq!(group.link.as_deref(), Some("/usr/bin/pager"));
        assert_eq!(group.value.as_deref(), Some("/usr/bin/less"));
        let followers = vec![("pager.1.gz".to_owned(), "/usr/share/man/man1/more.1.gz".to_owned())];
        assert_eq!(group.alternatives[0].followers, followers);
        assert_eq!(group.alternatives[1].priority, 77);
        assert_eq!(Group::of(&group.known()), group);
        let group = Group::parse(RED_HAT, "java");
        assert!(!group.is_auto);
        let java = &group.alternatives[0];
        assert_eq!((java.family.as_deref(), java.priority, java.followers.len()), (Some("java-17"), 170, 1));
    }

    /// What would be done, where the group is as Debian's program says.
    fn steps(args: Value) -> String {
        let args = AlternativesArgs::parse(args.as_object().unwrap()).unwrap();
        let group = Group::parse(DEBIAN, "pager");
        let path = args.path(&group).unwrap();
        let steps = args.steps(&group, &path).unwrap();
        steps.iter().map(|step| step.command("pager")[1..].join(" ")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn only_what_is_missing_is_done() {
        let less = json!({"name": "pager", "path": "/usr/bin/less"});
        assert_eq!(steps(less.clone()), "");
        assert_eq!(steps(json!({"name": "pager", "path": "/bin/more"})), "--set pager /bin/more");
        assert_eq!(steps(json!({"name": "pager", "path": "/bin/more", "state": "present"})), "");
        assert_eq!(steps(json!({"name": "pager", "path": "/bin/more", "state": "auto"})), "");
        let with = |key: &str, value: Value| {
            let mut args = less.clone();
            args[key] = value;
            args
        };
        let again = "--install /usr/bin/pager pager /usr/bin/less 80; --set pager /usr/bin/less";
        assert_eq!(steps(with("priority", json!(80))), again);
        let page = json!([{"name": "p.1", "link": "/m/p.1", "path": "/m/l.1"}]);
        let again = "--install /usr/bin/pager pager /usr/bin/less 77 --slave /m/p.1 p.1 /m/l.1; --set pager /usr/bin/less";
        assert_eq!(steps(with("subcommands", page)), again);
        assert_eq!(steps(with("state", json!("absent"))), "--remove pager /usr/bin/less");
        let new = json!({"name": "pager", "path": "/opt/p", "state": "present"});
        assert_eq!(steps(new), "--install /usr/bin/pager pager /opt/p 50");
    }

    #[test]
    fn a_dry_run_remembers_what_would_be_chosen() {
        let overlay = Overlay::new(std::sync::Arc::new(RealSystem));
        let fixture = Fixture::new(&overlay);
        let name = "rplay-test-of-alternatives";
        let args = json!({"name": name, "path": "/bin/sh", "link": "/usr/bin/rplay-test"});
        let ran = fixture.run::<This>(args.clone());
        let msg = format!("Install alternative '/bin/sh' for '{name}'. Set alternative '/bin/sh' for '{name}'.");
        assert_eq!(ran.result.unwrap().data["msg"], msg);
        assert_eq!(fixture.run::<This>(args.clone()).changes, []);
        let gone = json!({"name": name, "path": "/bin/sh", "state": "absent"});
        assert_eq!(fixture.run::<This>(gone.clone()).changes.len(), 1);
        assert_eq!(fixture.run::<This>(gone).changes, []);
        let unlinked = fixture.run::<This>(json!({"name": name, "path": "/bin/sh"}));
        assert_eq!(unlinked.result.unwrap_err().arg.as_deref(), Some("link"));
        let missing = fixture.run::<This>(json!({"name": name, "path": "/no/such", "link": "/x"}));
        assert_eq!(missing.result.unwrap_err().arg.as_deref(), Some("path"));
    }
}
