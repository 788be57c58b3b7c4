//! Events without secrets: every text goes through the redactor on its way out.

use std::sync::PoisonError;

use rplay_diag::{Diagnostic, Severity, Style, render};
use rplay_event::{Ended, Event, Status};
use rplay_template::Redactor;
use rplay_wire::{Change, Diff, State};
use serde_json::{Map, Value as Json};

use crate::prints;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;

impl Run {
    /// Tells of an error or warning that belongs to no host.
    pub(crate) fn warn(&self, diagnostic: &Diagnostic) {
        let redactor = self.templar.redactor();
        let drawn = redactor
            .redact(&render(diagnostic, Style::Plain))
            .into_owned();
        let text = redactor.redact(&diagnostic.message).into_owned();
        if diagnostic.severity == Severity::Warning && !self.is_news(&drawn) {
            return;
        }
        self.emit(Event::Warning {
            text,
            drawn: Some(drawn),
            error: diagnostic.severity == Severity::Error,
        });
    }

    /// Whether a warning was not told yet.
    pub(crate) fn is_news(&self, words: &str) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        warned.insert(words.to_owned())
    }

    /// Tells of something in words.
    pub(crate) fn note_warning(&self, words: &str) {
        let text = self.templar.redactor().redact(words).into_owned();
        if !self.is_news(&text) {
            return;
        }
        self.emit(Event::Warning {
            text,
            drawn: None,
            error: false,
        });
    }

    /// The end of a task or item as an event tells it.
    pub(crate) fn ended(
        &self,
        task: &TaskContext,
        host: &str,
        item: Option<String>,
        result: &TaskResult,
        ignored: bool,
        took_us: u64,
    ) -> Box<Ended> {
        let redactor = self.templar.redactor();
        let clean = |text: &str| redactor.redact(text).into_owned();
        let secret = task.is_secret;
        let status = match result.status() {
            Status::Failed { msg } if secret => Status::Failed { msg: hidden(&msg) },
            Status::Failed { msg } => Status::Failed { msg: clean(&msg) },
            Status::Unreachable { msg } => Status::Unreachable { msg: clean(&msg) },
            other => other,
        };
        let changes = result.changes.iter().map(|c| redacted_change(c, redactor));
        Box::new(Ended {
            task: task.id,
            host: host.to_owned(),
            delegated_to: result.delegated_to.clone(),
            item: item.map(|i| clean(&i)),
            status,
            result: if secret {
                Map::new()
            } else if result.is_secret {
                censored(result)
            } else {
                let mut shown = result.json();
                let invocation = result.invocation.clone();
                if let Some(invocation) = invocation.filter(|_| self.options.verbosity > 2) {
                    shown.insert("invocation".to_owned(), invocation);
                }
                redacted_map(&shown, redactor)
            },
            changes: if secret { vec![] } else { changes.collect() },
            diagnostic: result.diagnostic.as_deref().filter(|_| !secret).map(clean),
            quoted: match secret {
                true => vec![],
                false => result.quoted.iter().map(|line| clean(line)).collect(),
            },
            ignored,
            took_us,
            prints: self
                .options
                .fingerprint
                .as_ref()
                .map(|by| prints::of(result, by)),
        })
    }
}

/// What is shown of a result whose keys nobody may see.
fn censored(result: &TaskResult) -> Map<String, Json> {
    let words = "the output has been hidden: it is of an encrypted file";
    Map::from_iter([
        ("censored".to_owned(), words.into()),
        ("changed".to_owned(), result.is_changed().into()),
    ])
}

fn hidden(_: &str) -> String {
    "the output is hidden, since `no_log: true` was given for this task".to_owned()
}

fn redacted_map(map: &Map<String, Json>, redactor: &Redactor) -> Map<String, Json> {
    map.iter()
        .map(|(k, v)| (k.clone(), redacted(v, redactor)))
        .collect()
}

fn redacted(value: &Json, redactor: &Redactor) -> Json {
    match value {
        Json::String(text) => redactor.redact(text).into_owned().into(),
        Json::Array(items) => items.iter().map(|v| redacted(v, redactor)).collect(),
        Json::Object(map) => Json::Object(redacted_map(map, redactor)),
        other => other.clone(),
    }
}

/// A change without secrets; the digest of a file's content could tell one, and stays inside.
fn redacted_change(change: &Change, redactor: &Redactor) -> Change {
    let clean = |text: &str| redactor.redact(text).into_owned();
    let state = |state: &State| {
        let shown = state.iter().filter(|(key, _)| *key != Change::DIGEST);
        shown.map(|(k, v)| (k.clone(), clean(v))).collect()
    };
    Change {
        target: change.target.clone().map(clean),
        before: change.before.as_ref().map(state),
        after: change.after.as_ref().map(state),
        diff: change.diff.clone().map(|diff| match diff {
            Diff::Text(text) => Diff::Text(clean(&text)),
            other => other,
        }),
    }
}
