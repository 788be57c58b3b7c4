//! Jobs (`async`): where their reports are kept on the host, and what a report holds.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// The folder of the reports: `ANSIBLE_ASYNC_DIR`, or `~/.ansible_async`.
pub fn folder(asked: Option<&str>) -> PathBuf {
    let named = asked
        .map(str::to_owned)
        .or_else(|| std::env::var("ANSIBLE_ASYNC_DIR").ok());
    rplay_api::target_path(&named.unwrap_or_else(|| "~/.ansible_async".to_owned()))
}

/// What is known of a job.
pub enum Written {
    /// It runs.
    Begun,
    /// It failed without a report of its own.
    Failed(String),
    /// It ended: the keys of its result.
    Ended(Map<String, Value>),
}

impl Written {
    /// The report as it is written.
    pub fn map(&self, id: &str) -> Map<String, Value> {
        let finished = !matches!(self, Self::Begun);
        let state = json!({
            "started": true,
            "finished": finished,
            "ansible_job_id": id,
        });
        let mut map = match self {
            Self::Begun => Map::new(),
            Self::Failed(words) => Map::from_iter([
                ("failed".to_owned(), true.into()),
                ("msg".to_owned(), words.clone().into()),
            ]),
            Self::Ended(map) => map.clone(),
        };
        if let Value::Object(state) = state {
            map.extend(state);
        }
        map
    }
}
