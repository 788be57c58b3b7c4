//! A module's run, from its arguments to the report that goes back over the wire.

use std::time::Instant;

use rplay_wire::{End, Report};
use serde_json::{Map, Value};

use super::{Host, result_diff};
use crate::args::ArgMap;
use crate::{Entry, Failure, Outcome};

impl Host<'_> {
    /// Runs a module on this host and reports what came of it.
    pub fn report(self, module: &Entry, args: &ArgMap) -> Report {
        let start = Instant::now();
        let result = module.run(args, &self).map_err(|f| self.judged(f));
        let recorded = self.recorded();
        let name = module.doc.name;
        let diff =
            (self.settings.diff && !recorded.is_empty()).then(|| result_diff::of(name, &recorded));
        let end = match result {
            _ if self.is_cancelled() => End::Cancelled,
            Ok(outcome) => {
                let same = || result_diff::of_nothing(name, &outcome.data);
                let diff = diff.or_else(|| self.settings.diff.then(same).flatten());
                ok(outcome, !recorded.is_empty(), diff)
            }
            Err(failure) if failure.unknown => End::Unknown { why: failure.msg },
            Err(failure) => failed(failure, diff),
        };
        let changes = recorded.into_iter().map(|recorded| recorded.change);
        Report {
            end,
            changes: changes.collect(),
            warnings: self.warnings.into_inner(),
            took_us: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

fn ok(outcome: Outcome, changed: bool, diff: Option<Value>) -> End {
    End::Ok {
        changed: outcome.changed.unwrap_or(changed),
        data: with_diff(outcome.data, diff),
        unknown: outcome.unknown,
    }
}

fn failed(failure: Failure, diff: Option<Value>) -> End {
    End::Failed {
        msg: failure.msg,
        arg: failure.arg,
        help: failure.help,
        data: with_diff(failure.data, diff),
    }
}

/// A result's keys as JSON, `diff` among them.
fn with_diff(mut data: Map<String, Value>, diff: Option<Value>) -> String {
    data.extend(diff.map(|diff| ("diff".to_owned(), diff)));
    Value::Object(data).to_string()
}
