//! A module's run, from its arguments to the report that goes back over the wire.

use std::time::Instant;

use rplay_wire::{End, Report};
use serde_json::Value;

use super::Host;
use crate::args::ArgMap;
use crate::{Entry, Failure, Outcome};

impl Host<'_> {
    /// Runs a module on this host and reports what came of it.
    pub fn report(self, module: &Entry, args: &ArgMap) -> Report {
        let start = Instant::now();
        let result = module.run(args, &self).map_err(|f| self.judged(f));
        let changes = self.changes();
        let end = match result {
            _ if self.is_cancelled() => End::Cancelled,
            Ok(outcome) => ok(outcome, !changes.is_empty()),
            Err(failure) if failure.unknown => End::Unknown { why: failure.msg },
            Err(failure) => failed(failure),
        };
        Report {
            end,
            changes,
            warnings: self.warnings.into_inner(),
            took_us: u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

fn ok(outcome: Outcome, changed: bool) -> End {
    End::Ok {
        changed: outcome.changed.unwrap_or(changed),
        data: Value::Object(outcome.data).to_string(),
        unknown: outcome.unknown,
    }
}

fn failed(failure: Failure) -> End {
    End::Failed {
        msg: failure.msg,
        arg: failure.arg,
        help: failure.help,
        data: Value::Object(failure.data).to_string(),
    }
}
