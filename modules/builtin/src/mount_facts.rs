//! Facts of mounts: those that are there, and those that tables such as /etc/fstab name.
//!
//! A file system of a server that is gone does not answer, and would hold the task up for ever:
//! its sizes are asked for in a thread, and `timeout` leaves that behind.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use glob::Pattern;
use indexmap::IndexMap;
use rplay_api::{Args, Choice, Command, Doc, Failure, Host, Module, Outcome, Result, Return};
use serde_json::{Map, Value, json};

use crate::mount_table::{Mount, device_uuids, sizes};
use crate::path_info;

/// The `mount_facts` module.
pub struct This;

/// Arguments of `mount_facts`.
#[derive(Debug, Args)]
pub struct MountFactsArgs {
    /// Patterns of devices: only those mounts are given.
    devices: Option<Vec<String>>,
    /// Patterns of types of file systems: only those mounts are given.
    fstypes: Option<Vec<String>>,
    /// Where mounts are looked up: tables by their path, `mount` for that program, `dynamic` for
    /// what is mounted now, `static` for /etc/fstab, or `all`. Absent: all.
    sources: Option<Vec<String>>,
    /// The program that lists mounts, where there is no table of them.
    #[arg(default = "mount")]
    mount_binary: String,
    /// Seconds to wait for the sizes of one mount; absent: without end.
    timeout: Option<f64>,
    /// What is done about a mount that does not answer in that time.
    #[arg(default = OnTimeout::Error)]
    on_timeout: OnTimeout,
    /// Give every mount as a list too, also those that lie under another one.
    include_aggregate_mounts: Option<bool>,
}

/// What is done about a mount that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum OnTimeout {
    /// The task fails.
    Error,
    /// It is told.
    Warn,
    /// Nothing.
    Ignore,
}

impl Module for This {
    type Args = MountFactsArgs;

    const DOC: Doc = Doc {
        name: "mount_facts",
        aliases: &[],
        summary: "Gathers facts of mounts",
        description: "",
        free_form: None,
        examples: r#"
- name: File systems of servers
  mount_facts:
    fstypes: [nfs, nfs4]
    timeout: 5
    on_timeout: warn

- debug:
    msg: "{{ mount_points | dict2items | map(attribute='key') }}"
"#,
        returns: &[Return {
            name: "ansible_facts",
            doc: "`mount_points`: by place, the device, type, options and sizes; and \
                  `aggregate_mounts`, all of them as a list.",
        }],
    };

    fn run(args: MountFactsArgs, host: &Host) -> Result<Outcome> {
        let gather = Gather {
            devices: patterns("devices", args.devices.as_deref())?,
            kinds: patterns("fstypes", args.fstypes.as_deref())?,
            wait: wait(&args)?,
            uuids: device_uuids(host),
            args: &args,
            host,
        };
        let mut all = vec![];
        for source in gather.sources()? {
            let found = gather.from(&source)?;
            gather.warn_of_repeats(&source, &found);
            all.extend(found);
        }
        let mut points: IndexMap<String, Value> = IndexMap::new();
        for (point, row) in &all {
            points.entry(point.clone()).or_insert_with(|| row.clone());
        }
        let aggregate = args.include_aggregate_mounts == Some(true);
        let list: Vec<Value> = all.into_iter().filter(|_| aggregate).map(|(_, row)| row).collect();
        let facts = json!({ "mount_points": points, "aggregate_mounts": list });
        Ok(Outcome::new().changed(false).with("ansible_facts", facts))
    }
}

fn patterns(arg: &str, texts: Option<&[String]>) -> Result<Option<Vec<Pattern>>> {
    let parse = |text: &String| {
        Pattern::new(text).map_err(|e| Failure::new(format!("`{text}` is no pattern: {e}")).arg(arg))
    };
    texts.map(|texts| texts.iter().map(parse).collect()).transpose()
}

fn wait(args: &MountFactsArgs) -> Result<Option<Duration>> {
    let Some(seconds) = args.timeout else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| !time.is_zero())
        .map(Some)
        .ok_or_else(|| Failure::new(format!("`{seconds}` is no time to wait")).arg("timeout"))
}

/// Where mounts are looked up.
enum Source {
    Table(PathBuf),
    Program(String),
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Table(path) => path.to_string_lossy().into_owned(),
            Self::Program(program) => program.clone(),
        }
    }
}

struct Gather<'a> {
    args: &'a MountFactsArgs,
    host: &'a Host<'a>,
    devices: Option<Vec<Pattern>>,
    kinds: Option<Vec<Pattern>>,
    wait: Option<Duration>,
    uuids: Vec<(PathBuf, String)>,
}

impl Gather<'_> {
    /// The task's sources that are there, each of them once.
    fn sources(&self) -> Result<Vec<Source>> {
        let all = vec!["all".to_owned()];
        let named = self.args.sources.as_ref().unwrap_or(&all);
        let program = Some(self.args.mount_binary.as_str())
            .filter(|p| !p.is_empty() && *p != "False" && *p != "None");
        let mut sources = vec![];
        let mut seen = vec![];
        for word in named {
            let before = sources.len();
            let is_dynamic = matches!(word.as_str(), "all" | "dynamic");
            let paths: &[&str] = match word.as_str() {
                "all" | "dynamic" => &["/etc/mtab", "/proc/mounts"],
                "static" => &[],
                word if Some(word) == program => {
                    sources.push(Source::Program(word.to_owned()));
                    continue;
                }
                path => &[path],
            };
            self.tables(paths, &mut seen, &mut sources)?;
            if is_dynamic && sources.len() == before && seen.is_empty() {
                sources.extend(program.map(|p| Source::Program(p.to_owned())));
            }
            if matches!(word.as_str(), "all" | "static") {
                self.tables(&["/etc/fstab"], &mut seen, &mut sources)?;
            }
        }
        Ok(sources)
    }

    fn tables(&self, paths: &[&str], seen: &mut Vec<PathBuf>, sources: &mut Vec<Source>) -> Result<()> {
        for path in paths {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
            // Both names of the kernel's table are links to one.
            let real = path_info::real_path(self.host, &path)?;
            let is_file = self.host.stat(&path)?.is_some_and(|meta| !meta.is_dir());
            if is_file && !seen.contains(&real) {
                seen.push(real);
                sources.push(Source::Table(path));
            }
        }
        Ok(())
    }

    /// The mounts of a source, by their place.
    fn from(&self, source: &Source) -> Result<Vec<(String, Value)>> {
        let (text, parse): (String, fn(&str) -> Option<Mount>) = match source {
            Source::Table(path) => {
                let bytes = self.host.read(path)?;
                (String::from_utf8_lossy(&bytes).into_owned(), Mount::parse)
            }
            Source::Program(program) => {
                let mut command = Command::reads([program]);
                command.timeout = self.wait;
                let output = self.host.run(&command)?.success(&command)?;
                (output.stdout(), Mount::parse_listed)
            }
        };
        let mut found = vec![];
        for line in text.lines() {
            let Some(mount) = parse(line).filter(|mount| self.is_wanted(mount)) else {
                continue;
            };
            let context = json!({ "source": source.name(), "source_data": line });
            found.push((mount.point.clone(), self.row(&mount, context)?));
        }
        Ok(found)
    }

    fn is_wanted(&self, mount: &Mount) -> bool {
        let any = |patterns: &Option<Vec<Pattern>>, text: &str| {
            patterns.as_ref().is_none_or(|all| all.iter().any(|p| p.matches(text)))
        };
        any(&self.devices, &mount.device) && any(&self.kinds, &mount.kind)
    }

    fn row(&self, mount: &Mount, context: Value) -> Result<Value> {
        let mut row = Map::from_iter([
            ("ansible_context".to_owned(), context),
            ("device".to_owned(), mount.device.as_str().into()),
            ("fstype".to_owned(), mount.kind.as_str().into()),
            ("mount".to_owned(), mount.point.as_str().into()),
            ("options".to_owned(), mount.options.as_str().into()),
            ("uuid".to_owned(), self.uuid(&mount.device).into()),
        ]);
        let numbers = [("dump", mount.dump), ("passno", mount.pass)];
        row.extend(numbers.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?.into()))));
        row.extend(self.sizes(&mount.point)?.unwrap_or_default());
        Ok(row.into())
    }

    fn uuid(&self, device: &str) -> Option<String> {
        if let Some(uuid) = device.strip_prefix("UUID=") {
            return Some(uuid.trim_matches('"').to_owned());
        }
        let device = path_info::real_path(self.host, Path::new(device)).ok()?;
        let found = self.uuids.iter().find(|(path, _)| *path == device);
        found.map(|(_, uuid)| uuid.clone())
    }

    /// The sizes, as long as the file system answers.
    fn sizes(&self, point: &str) -> Result<Option<Map<String, Value>>> {
        let Some(wait) = self.wait else {
            return Ok(sizes(point));
        };
        let (tell, told) = mpsc::channel();
        let place = point.to_owned();
        std::thread::spawn(move || tell.send(sizes(&place)));
        if let Ok(sizes) = told.recv_timeout(wait) {
            return Ok(sizes);
        }
        let why = format!("`{point}` does not answer within {} seconds", wait.as_secs_f64());
        match self.args.on_timeout {
            OnTimeout::Error => Err(Failure::new(why)
                .arg("timeout")
                .help("on_timeout: warn goes on without its sizes")),
            OnTimeout::Warn => {
                self.host.warn(why);
                Ok(None)
            }
            OnTimeout::Ignore => Ok(None),
        }
    }

    /// Where nothing is said of them, mounts under another one are told.
    fn warn_of_repeats(&self, source: &Source, found: &[(String, Value)]) {
        if self.args.include_aggregate_mounts.is_some() {
            return;
        }
        let mut seen = vec![];
        let mut repeats = vec![];
        for (point, _) in found {
            if seen.contains(&point) && !repeats.contains(&point.as_str()) {
                repeats.push(point.as_str());
            }
            seen.push(point);
        }
        if !repeats.is_empty() {
            self.host.warn(format!(
                "`{}` has more than one mount at `{}`: only the first is given; \
                 include_aggregate_mounts: true gives all, false is silent",
                source.name(),
                repeats.join("`, `"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use rplay_api::Overlay;
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, Ran};

    fn facts(args: Value) -> Ran {
        let overlay = Overlay::empty();
        let fixture = Fixture::new(&overlay);
        let table = "# c\nUUID=12-34 / ext4 ro 0 1\n/dev/a /no/a ext4 rw 0 2\nsrv:/b /no/a nfs rw\n";
        fixture.file("/t", table);
        fixture.file("/proc/self/mounts", "tmpfs /no/t tmpfs rw 0 0\n");
        fixture.link("self/mounts", "/proc/mounts").link("../proc/self/mounts", "/etc/mtab");
        fixture.run::<This>(args)
    }

    fn points(args: Value) -> Value {
        facts(args).result.unwrap().data["ansible_facts"]["mount_points"].take()
    }

    #[test]
    fn the_first_mount_of_a_place_is_given() {
        let got = points(json!({"sources": ["/t"], "include_aggregate_mounts": false}));
        assert_eq!(got["/no/a"]["device"], "/dev/a");
        assert_eq!((&got["/"]["uuid"], &got["/"]["passno"]), (&json!("12-34"), &json!(1)));
        assert!(got["/"]["size_total"].as_u64().unwrap() > 0);
        assert_eq!(got["/no/a"].get("size_total"), None);
        assert_eq!(got["/"]["ansible_context"]["source_data"], "UUID=12-34 / ext4 ro 0 1");
    }

    #[test]
    fn all_are_given_where_they_are_asked_for() {
        let ran = facts(json!({"sources": "/t", "include_aggregate_mounts": true}));
        assert_eq!(ran.warnings, [""; 0]);
        let list = &ran.result.unwrap().data["ansible_facts"]["aggregate_mounts"];
        assert_eq!(list.as_array().unwrap().len(), 3);
        assert_eq!(facts(json!({"sources": "/t"})).warnings.len(), 1);
    }

    #[test]
    fn patterns_choose() {
        let names = |args: Value| points(args).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(json!({"sources": "/t", "fstypes": "nfs*"})), ["/no/a"]);
        assert_eq!(names(json!({"sources": "/t", "devices": "[!/]*", "fstypes": ["ext4"]})), ["/"]);
        let got = facts(json!({"fstypes": "["})).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some("fstypes"));
    }

    #[test]
    fn one_table_under_two_names_is_read_once() {
        let got = points(json!({}));
        assert_eq!(got["/no/t"]["ansible_context"]["source"], "/etc/mtab");
        let got = facts(json!({"sources": ["dynamic", "/proc/mounts", "/nope"], "include_aggregate_mounts": true}));
        let list = &got.result.unwrap().data["ansible_facts"]["aggregate_mounts"];
        assert_eq!(list.as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_mount_that_answers_has_its_size_in_time() {
        let got = points(json!({"sources": "/t", "timeout": 5}));
        assert!(got["/"]["size_total"].is_u64());
        let got = facts(json!({"timeout": 0})).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some("timeout"));
    }
}
