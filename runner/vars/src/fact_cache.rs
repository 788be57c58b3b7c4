//! Facts kept from one run to the next: a file of JSON a host (`fact_caching = jsonfile`).
//!
//! Knows nothing of how facts come to be, and of no other kind of cache.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use indexmap::IndexMap;
use rplay_template::{Value, from_json, to_json};
use serde_json::{Map, Value as Json};

/// The files of cached facts.
#[derive(Debug, Clone)]
pub struct FactCache {
    /// Their folder.
    pub dir: PathBuf,
    /// What their names begin with.
    pub prefix: String,
    /// How long facts are good for; `None` is for ever.
    pub timeout: Option<Duration>,
    /// Whether what is kept is of no use (`--flush-cache`).
    pub flush: bool,
}

impl FactCache {
    fn path(&self, host: &str) -> PathBuf {
        // A host's name must not lead out of the folder.
        let name = host.replace('/', "_");
        self.dir.join(format!("{}{name}", self.prefix))
    }

    /// The facts of a host, unless there are none, or they are too old or damaged.
    pub(crate) fn read(&self, host: &str) -> IndexMap<String, Value> {
        let path = self.path(host);
        let Ok(written) = path.metadata().and_then(|file| file.modified()) else {
            return IndexMap::new();
        };
        let age = SystemTime::now()
            .duration_since(written)
            .unwrap_or_default();
        if self.flush || self.timeout.is_some_and(|timeout| age > timeout) {
            let _ = std::fs::remove_file(path);
            return IndexMap::new();
        }
        let text = std::fs::read(&path).unwrap_or_default();
        let facts: Map<String, Json> = serde_json::from_slice(&text).unwrap_or_default();
        facts
            .iter()
            .map(|(name, json)| (name.clone(), from_json(json)))
            .collect()
    }

    /// Keeps the facts of a host; without any, its file goes.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(crate) fn write<'a>(
        &self,
        host: &str,
        facts: impl Iterator<Item = (&'a String, &'a Value)>,
    ) -> io::Result<()> {
        let known = facts.filter_map(|(name, value)| Some((name.clone(), to_json(value).ok()?)));
        let known: Map<String, Json> = known.collect();
        let path = self.path(host);
        if known.is_empty() {
            return match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        std::fs::create_dir_all(&self.dir)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
        serde_json::to_writer_pretty(&mut file, &known)?;
        file.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(dir: &tempfile::TempDir) -> FactCache {
        FactCache {
            dir: dir.path().join("new"),
            prefix: "p_".to_owned(),
            timeout: None,
            flush: false,
        }
    }

    fn keep(cache: &FactCache, facts: &[(&str, i32)]) {
        let facts: IndexMap<String, Value> = facts
            .iter()
            .map(|(name, n)| ((*name).to_owned(), Value::from(*n)))
            .collect();
        cache.write("h1", facts.iter()).unwrap();
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        keep(&cache(&dir), &[("ansible_x", 3)]);
        assert_eq!(cache(&dir).read("h1")["ansible_x"], Value::from(3));
        assert!(cache(&dir).read("h2").is_empty());
        assert!(dir.path().join("new/p_h1").is_file());
    }

    #[test]
    fn old_and_damaged_facts_are_none() {
        let dir = tempfile::tempdir().unwrap();
        keep(&cache(&dir), &[("a", 1)]);
        std::thread::sleep(Duration::from_millis(5));
        let old = FactCache {
            timeout: Some(Duration::from_millis(1)),
            ..cache(&dir)
        };
        assert!(old.read("h1").is_empty());
        assert!(cache(&dir).read("h1").is_empty(), "they are gone");
        std::fs::write(dir.path().join("new/p_h1"), "{").unwrap();
        assert!(cache(&dir).read("h1").is_empty());
    }

    #[test]
    fn cleared_facts_leave_no_file() {
        let dir = tempfile::tempdir().unwrap();
        keep(&cache(&dir), &[("a", 1)]);
        keep(&cache(&dir), &[]);
        assert!(!dir.path().join("new/p_h1").exists());
        keep(&cache(&dir), &[]);
    }
}
