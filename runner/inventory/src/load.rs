//! Reads every `-i`: files, folders, scripts, lists of hosts, configurations of plugins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexSet;
use rplay_diag::{Diagnostic, Source};

use crate::builder::{Builder, Naming, Notes};
use crate::model::{Inventory, Layer};
use crate::plugin::{Around, Render};
use crate::settings::Settings;
use crate::settle::{add_vars, settle};
use crate::vars_files::{Reader, VarsFiles};
use crate::{ini, plugin, range, script, toml, yaml};

/// What reading takes besides the sources.
pub struct With<'a> {
    /// Reads a file, opening a vault.
    pub reader: &'a Reader,
    /// Renders the templates of plugins' configurations.
    pub render: &'a dyn Render,
    /// How sources are read.
    pub settings: &'a Settings,
    /// `-e`.
    pub extra: &'a [Layer],
    /// Plugins in Python.
    pub python: &'a dyn InPython,
}

/// Plugins in Python that read sources.
pub trait InPython {
    /// Whether there is one of that name.
    fn has(&self, name: &str) -> bool;

    /// What a plugin finds in a source and adds to what is `known`, as a program would print it; none
    /// where there is no such plugin, or the source is none of its.
    ///
    /// # Errors
    /// Why it cannot read the source, in words.
    fn read(&self, name: &str, source: &Path, known: &Inventory) -> Option<Result<String, String>>;
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The hosts and groups of all sources that could be read.
    pub inventory: Inventory,
    /// What is odd.
    pub warnings: Vec<Diagnostic>,
    /// The sources that could not be read; they left nothing in the inventory.
    pub unparsed: Vec<Unparsed>,
    /// The number of sources that could be read, those in folders counted singly.
    pub parsed: usize,
}

/// A source that could not be read.
#[derive(Debug, Clone)]
pub struct Unparsed {
    /// The source.
    pub source: String,
    /// As what it was read, and what was wrong; `None` where nothing could be made of it at all.
    pub why: Option<(&'static str, Diagnostic)>,
}

/// Reads the inventory.
///
/// # Errors
/// A file of `group_vars` or `host_vars` that cannot be read. What is wrong with a source is in
/// [`Loaded::unparsed`].
pub fn load(sources: &[String], with: &With<'_>) -> Result<Loaded, Diagnostic> {
    let mut inventory = Inventory::default();
    inventory
        .group_mut("all")
        .children
        .insert("ungrouped".into());
    inventory.group_mut("ungrouped");
    let mut loading = Loading {
        with,
        inventory,
        notes: Notes::default(),
        unparsed: vec![],
        parsed: 0,
        folders: IndexSet::new(),
    };
    let (first, last) = with.settings.foreign();
    let foreign = first.into_iter().chain(last);
    let missing = foreign.filter(|name| !with.python.has(name)).map(|name| {
        Diagnostic::warning(format!("Failed to load inventory plugin, skipping {name}"))
            .help("it is in Python, and runs where ansible-core and its collection are installed on this machine")
    });
    loading.notes.warnings.extend(missing);
    for source in sources {
        loading.source(source)?;
    }
    let Loading {
        mut inventory,
        mut notes,
        unparsed,
        parsed,
        folders,
        ..
    } = loading;
    // After all sources: a folder's files hold for every source's groups and hosts, and over them.
    for folder in folders {
        add_vars(&VarsFiles::found(&folder, with.reader), &mut inventory);
    }
    settle(&mut inventory);
    notes
        .warnings
        .extend(odd_groups(&notes, with.settings.naming));
    Ok(Loaded {
        inventory,
        warnings: notes.warnings,
        unparsed,
        parsed,
    })
}

/// One warning for all odd names of groups.
fn odd_groups(notes: &Notes, naming: Naming) -> Option<Diagnostic> {
    if notes.odd_groups.is_empty() {
        return None;
    }
    let done = match naming {
        Naming::Replace => "and automatically replaced",
        _ => "but not replaced",
    };
    let words =
        format!("Invalid characters were found in group names {done}, use -vvvv to see details");
    let names: Vec<String> = notes.odd_groups.iter().map(|n| format!("`{n}`")).collect();
    Some(Diagnostic::warning(words).help(format!("groups: {}", names.join(", "))))
}

struct Loading<'a> {
    with: &'a With<'a>,
    inventory: Inventory,
    notes: Notes,
    unparsed: Vec<Unparsed>,
    parsed: usize,
    /// Where variable files are looked for.
    folders: IndexSet<PathBuf>,
}

type Outcome = Result<(), Option<(&'static str, Diagnostic)>>;

impl Loading<'_> {
    fn source(&mut self, source: &str) -> Result<(), Diagnostic> {
        let path = PathBuf::from(source);
        if path.exists() {
            let folder = if path.is_dir() {
                path.clone()
            } else {
                parent(&path)
            };
            self.folders.insert(folder);
            self.path(&path)?;
            self.inventory.sources.push(path);
            return Ok(());
        }
        if source.contains(',') {
            self.tried(source, |loading| loading.list(source));
            return Ok(());
        }
        let words = format!("the inventory `{source}` is not there");
        let why = Diagnostic::error(words).help("a list of hosts needs a comma: `-i host,`");
        self.unparsed.push(Unparsed {
            source: source.to_owned(),
            why: Some(("", why)),
        });
        Ok(())
    }

    /// Reads a source; what a bad one has left is taken back.
    fn tried(&mut self, source: &str, read: impl FnOnce(&mut Self) -> Outcome) {
        let before = self.inventory.clone();
        match read(self) {
            Ok(()) => self.parsed += 1,
            Err(why) => {
                self.inventory = before;
                let source = source.to_owned();
                self.unparsed.push(Unparsed { source, why });
            }
        }
    }

    /// Hosts between commas; their ranges count where `advanced_host_list` is asked for.
    fn list(&mut self, source: &str) -> Outcome {
        let settings = self.with.settings;
        let ranges = match (
            settings.rank("advanced_host_list"),
            settings.rank("host_list"),
        ) {
            (None, None) => return Err(None),
            (Some(advanced), plain) => plain.is_none_or(|plain| advanced < plain),
            (None, Some(_)) => false,
        };
        for host in source.split(',').map(str::trim).filter(|h| !h.is_empty()) {
            let names = if ranges {
                self.range(host)?
            } else {
                vec![host.to_owned()]
            };
            for name in names {
                self.inventory.host_mut(&name, "ungrouped");
            }
        }
        Ok(())
    }

    fn range(&mut self, host: &str) -> Result<Vec<String>, Option<(&'static str, Diagnostic)>> {
        match range::expand(host) {
            Ok(names) => Ok(names),
            // No range at all, such as an address in brackets.
            Err(why) if why.starts_with("host range must") => {
                let words = format!(
                    "Unable to parse address from hostname, leaving unchanged: {host}: {why}"
                );
                self.notes.warnings.push(Diagnostic::warning(words));
                Ok(vec![host.to_owned()])
            }
            Err(why) => Err(Some(("advanced_host_list", Diagnostic::error(why)))),
        }
    }

    fn path(&mut self, path: &Path) -> Result<(), Diagnostic> {
        if !path.is_dir() {
            self.tried(&path.display().to_string(), |loading| loading.file(path));
            return Ok(());
        }
        let entries = std::fs::read_dir(path)
            .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        paths.retain(|inner| {
            let name = inner.file_name().unwrap_or_default();
            !self.with.settings.passes_over(&name.to_string_lossy())
        });
        if paths.is_empty() {
            self.unparsed.push(Unparsed {
                source: path.display().to_string(),
                why: None,
            });
        }
        paths.iter().try_for_each(|inner| self.path(inner))
    }

    /// Reads a file as what it is, or with the first plugin in Python that takes it.
    fn file(&mut self, path: &Path) -> Outcome {
        let settings = self.with.settings;
        let (first, last) = settings.foreign();
        let tried = |loading: &mut Self, names: Vec<&str>| {
            let mut found = names.into_iter().filter_map(|name| {
                let read = loading.in_python(name, path)?;
                Some(read.map_err(|why| Some(("auto", why))))
            });
            found.next()
        };
        if let Some(outcome) = tried(self, first) {
            return outcome;
        }
        let outcome = self.own(path);
        match outcome {
            Ok(()) => Ok(()),
            Err(why) => tried(self, last).unwrap_or(Err(why)),
        }
    }

    /// Reads a source with a plugin in Python, if there is one of that name that takes it.
    fn in_python(&mut self, name: &str, path: &Path) -> Option<Result<(), Diagnostic>> {
        let told = self.with.python.read(name, path, &self.inventory)?;
        Some(match told {
            Ok(text) => script::told(&text, &mut self.builder(path)),
            Err(words) => Err(Diagnostic::error(words)),
        })
    }

    fn own(&mut self, path: &Path) -> Outcome {
        let settings = self.with.settings;
        if settings.rank("script").is_some() && script::is_program(path) {
            let show = settings.show_stderr;
            let result = script::read(&mut self.builder(path), show);
            return result.map_err(|why| Some(("script", why)));
        }
        let text = (self.with.reader)(path).map_err(|e| {
            let words = format!("could not read `{}`: {e}", path.display());
            Some(("", Diagnostic::error(words)))
        })?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let start = text.trim_start();
        let looks_yaml = start.starts_with("---") || start.starts_with('{');
        let is_config = name.ends_with(".config");
        let is_toml = name.ends_with(".toml") && settings.rank("toml").is_some();
        let is_yaml = settings.is_yaml(&name) || is_config || looks_yaml;
        let source = Source::of_file(path, text);
        if is_toml {
            let result = toml::read(&source, &mut self.builder(path));
            return result.map_err(|why| Some(("toml", why)));
        }
        if is_yaml {
            return self.yaml(&source, path);
        }
        settings.rank("ini").ok_or(None)?;
        let result = ini::read(&source, &mut self.builder(path));
        result.map_err(|why| Some(("ini", why)))
    }

    fn yaml(&mut self, source: &Arc<Source>, path: &Path) -> Outcome {
        let settings = self.with.settings;
        let loaded = rplay_yaml::load(source).map_err(|why| Some(("yaml", why)))?;
        self.notes.warnings.extend(loaded.warnings.clone());
        let root = loaded.root(source);
        if let Some(name) = plugin::named(&root) {
            let written = root.get("plugin").and_then(rplay_yaml::Node::as_str);
            let own = ["constructed", "generator"]
                .into_iter()
                .find(|own| *own == name);
            let rank = settings
                .rank("auto")
                .or_else(|| own.and_then(|own| settings.rank(own)));
            rank.ok_or(None)?;
            if own.is_none()
                && let Some(read) = self.in_python(written.unwrap_or(name), path)
            {
                return read.map_err(|why| Some(("auto", why)));
            }
            return self
                .plugin(&root, path)
                .map_err(|why| Some((own.unwrap_or("auto"), why)));
        }
        settings.rank("yaml").ok_or(None)?;
        let result = yaml::read(&root, &mut self.builder(path));
        result.map_err(|why| Some(("yaml", why)))
    }

    fn plugin(&mut self, root: &rplay_yaml::Node, path: &Path) -> Result<(), Diagnostic> {
        let (with, folders) = (self.with, self.folders.clone());
        let files = || {
            let all = folders.iter();
            all.map(|folder| VarsFiles::read(folder, with.reader))
                .collect()
        };
        let around = Around {
            render: with.render,
            use_extra: with.settings.use_extra,
            extra: with.extra,
            files: &files,
        };
        plugin::read(root, &mut self.builder(path), &around)
    }

    fn builder<'b>(&'b mut self, path: &'b Path) -> Builder<'b> {
        Builder {
            inventory: &mut self.inventory,
            path,
            naming: self.with.settings.naming,
            notes: &mut self.notes,
        }
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use rplay_yaml::Node;

    use super::*;

    /// No plugin is in these sources.
    struct Nothing;

    impl InPython for Nothing {
        fn has(&self, _: &str) -> bool {
            false
        }

        fn read(&self, _: &str, _: &Path, _: &Inventory) -> Option<Result<String, String>> {
            None
        }
    }

    impl Render for Nothing {
        fn template(&self, node: &Node, _: &[Layer]) -> Result<Node, Diagnostic> {
            Ok(node.clone())
        }

        fn expression(&self, node: &Node, _: &[Layer]) -> Result<Node, Diagnostic> {
            Ok(node.clone())
        }

        fn condition(&self, _: &Node, _: &[Layer]) -> Result<bool, Diagnostic> {
            Ok(false)
        }
    }

    fn loaded(sources: &[&str], settings: &Settings) -> Loaded {
        let sources: Vec<String> = sources.iter().map(|s| (*s).to_owned()).collect();
        let with = With {
            reader: &|path: &Path| std::fs::read_to_string(path),
            render: &Nothing,
            settings,
            extra: &[],
            python: &Nothing,
        };
        load(&sources, &with).unwrap()
    }

    fn hosts(loaded: &Loaded) -> Vec<&str> {
        loaded.inventory.hosts.keys().map(|name| &**name).collect()
    }

    #[test]
    fn ranges_in_a_list_count_where_they_are_asked_for() {
        let mut settings = Settings::default();
        assert_eq!(hosts(&loaded(&["a[1:2],"], &settings)), ["a[1:2]"]);
        settings.enable(&["advanced_host_list".to_owned()]);
        assert_eq!(hosts(&loaded(&["a[1:2], b"], &settings)), ["a1", "a2", "b"]);
        let open = loaded(&["a[1:],"], &settings);
        assert_eq!(hosts(&open), ["a[1:]"]);
        assert!(
            open.warnings[0]
                .message
                .starts_with("Unable to parse address from hostname")
        );
        let bad = loaded(&["a[1:j],"], &settings);
        let (plugin, _) = bad.unparsed[0].why.as_ref().unwrap();
        assert_eq!((*plugin, bad.parsed), ("advanced_host_list", 0));
    }

    #[test]
    fn a_bad_source_leaves_nothing_and_the_others_are_read() {
        let dir = std::env::temp_dir().join(format!("rplay-load-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("empty")).unwrap();
        std::fs::write(dir.join("a.ini"), "[g]\nh1\nh2 oops\n").unwrap();
        std::fs::write(dir.join("b.yml"), "g: {hosts: {h3: }}\n").unwrap();
        let all = loaded(&[&dir.display().to_string()], &Settings::default());
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(hosts(&all), ["h3"]);
        assert_eq!((all.parsed, all.unparsed.len()), (1, 2));
        assert!(
            all.unparsed[1].why.is_none(),
            "an empty folder has no reason"
        );
        let children = &all.inventory.groups["all"].children;
        let children: Vec<&str> = children.iter().map(|c| &**c).collect();
        assert_eq!(children, ["ungrouped", "g"]);
    }
}
