//! For the tests of modules: a module run on a system, and files put on one.

use std::io::Read;
use std::path::Path;

use rplay_api::{
    Args, Attrs, Blobs, Change, Control, Failure, FileArgs, Host, Module, Outcome, Result,
    Settings, System,
};
use serde_json::Value;

/// What a module's run came to.
pub struct Ran {
    /// Its result.
    pub result: Result<Outcome>,
    /// What it changed.
    pub changes: Vec<Change>,
    /// What it warned of.
    pub warnings: Vec<String>,
}

/// Runs a module on a system.
pub fn run<M: Module>(system: &dyn System, args: Value) -> Ran {
    Fixture::new(system).run::<M>(args)
}

/// A system with the settings of a request.
pub struct Fixture<'a> {
    system: &'a dyn System,
    settings: Settings,
}

impl<'a> Fixture<'a> {
    pub fn new(system: &'a dyn System) -> Self {
        let settings = Settings {
            diff: true,
            ..Settings::default()
        };
        Self { system, settings }
    }

    /// With a variable in the task's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.settings
            .environment
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts a file on the system, with the folders above it.
    pub fn file(&self, path: &str, content: &str) -> &Self {
        let path = Path::new(path);
        self.on_host(|host| {
            let parent = path.parent().unwrap_or(path);
            host.make_dirs(parent, &FileArgs::default()).unwrap();
            host.write(path, &mut content.as_bytes(), &Attrs::default())
                .unwrap();
        });
        self
    }

    /// Puts a link on the system, with the folders above it.
    pub fn link(&self, to: &str, path: &str) -> &Self {
        let path = Path::new(path);
        self.on_host(|host| {
            let parent = path.parent().unwrap_or(path);
            host.make_dirs(parent, &FileArgs::default()).unwrap();
            host.symlink(Path::new(to), path).unwrap();
        });
        self
    }

    pub fn run<M: Module>(&self, args: Value) -> Ran {
        let map = args.as_object().expect("arguments are an object").clone();
        self.on_host(|host| {
            let result = M::Args::parse(&map)
                .map_err(Failure::from)
                .and_then(|args| M::run(args, host));
            Ran {
                result,
                changes: host.changes(),
                warnings: host.warnings(),
            }
        })
    }

    pub fn on_host<T>(&self, act: impl FnOnce(&Host) -> T) -> T {
        let control = Control::default();
        act(&Host::new(
            self.system,
            &NoBlobs,
            &control,
            self.settings.clone(),
        ))
    }
}

struct NoBlobs;

impl Blobs for NoBlobs {
    fn info(&self, _: u32) -> Option<(String, u64)> {
        None
    }

    fn open(&self, index: u32) -> Result<Box<dyn Read + Send>> {
        Err(Failure::new(format!("there is no blob {index}")))
    }

    fn push(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}
}
