//! For the tests of modules: a module run on a system, and files put on one.

use std::io::Read;
use std::path::Path;

use rplay_api::{
    Args, Attrs, Blobs, Change, Control, Failure, FileArgs, Host, Module, Outcome, Result,
    Settings, System,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

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
    blobs: Sent,
}

impl<'a> Fixture<'a> {
    pub fn new(system: &'a dyn System) -> Self {
        let settings = Settings {
            diff: true,
            ..Settings::default()
        };
        Self {
            system,
            settings,
            blobs: Sent::default(),
        }
    }

    /// With a variable in the task's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.settings
            .environment
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where nobody looks at the result.
    pub fn brief(mut self) -> Self {
        self.settings.brief = true;
        self.settings.diff = false;
        self
    }

    /// In a dry run after tasks that are not decided.
    pub fn after(mut self, tasks: &str) -> Self {
        self.settings.doubt = Some(tasks.to_owned());
        self
    }

    /// With a file that the controller sent; the first one has the number 0.
    pub fn blob(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.blobs.0.push(content.into());
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
                .and_then(|args| M::run(args, host))
                .map_err(|failure| host.judged(failure));
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
            &self.blobs,
            &control,
            self.settings.clone(),
        ))
    }
}

#[derive(Default)]
struct Sent(Vec<Vec<u8>>);

impl Blobs for Sent {
    fn info(&self, index: u32) -> Option<(String, u64)> {
        let blob = self.0.get(index as usize)?;
        Some((rplay_api::hex(&Sha256::digest(blob)), blob.len() as u64))
    }

    fn open(&self, index: u32) -> Result<Box<dyn Read + Send>> {
        let blob = self.0.get(index as usize);
        let blob = blob.ok_or_else(|| Failure::new(format!("there is no blob {index}")))?;
        Ok(Box::new(std::io::Cursor::new(blob.clone())))
    }

    fn push(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}
}

/// Runs a test's body on the real system in a folder of its own, and on a dry run's view of it,
/// which must leave the folder as it is.
pub fn on_each_system(body: impl Fn(&dyn System, &Path)) {
    let root = |dir: &tempfile::TempDir| dir.path().canonicalize().unwrap();
    let dir = tempfile::tempdir().unwrap();
    body(&rplay_api::RealSystem, &root(&dir));
    let dir = tempfile::tempdir().unwrap();
    let overlay = rplay_api::Overlay::new(std::sync::Arc::new(rplay_api::RealSystem));
    body(&overlay, &root(&dir));
    let touched = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(touched, 0, "a dry run touched the host");
}
