//! Why a connection ended.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Set once, when a connection ends. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Farewell(Arc<OnceLock<String>>);

impl Farewell {
    pub(super) fn set(&self, words: String) {
        // The first reason is the cause of those that follow.
        let _ = self.0.set(words);
    }

    /// The reason. It may come a moment after its consequences.
    pub(crate) async fn words(&self) -> String {
        for _ in 0..20 {
            if let Some(words) = self.0.get() {
                return words.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        "the server closed it".to_owned()
    }
}
