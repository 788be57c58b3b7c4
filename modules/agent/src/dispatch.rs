//! Which system a request runs on, and which module it is.

use std::sync::Arc;

use rplay_api::{Control, Host, Overlay, RealSystem, Settings};
use rplay_wire::{End, Mode, Report, Run};

use crate::file::Files;
use crate::job;

/// The host itself, and the host as this run's dry run has left it.
pub(crate) struct Systems {
    real: RealSystem,
    overlay: Overlay,
}

impl Systems {
    pub(crate) fn new() -> Self {
        Self {
            real: RealSystem,
            overlay: Overlay::new(Arc::new(RealSystem)),
        }
    }

    /// Runs a module to its end.
    pub(crate) fn run(&self, run: &Run, files: &Files, control: &Control) -> Report {
        let Some(module) = rplay_builtin::find(&run.module) else {
            return refused(format!("the agent has no module `{}`", run.module));
        };
        let args = match serde_json::from_str(&run.args) {
            Ok(args) => args,
            Err(e) => return refused(format!("the arguments are no JSON object: {e}")),
        };
        if let Some(job) = run.job.as_ref().filter(|_| run.mode != Mode::Check) {
            return job::start(run, job)
                .unwrap_or_else(|e| refused(format!("could not start the job: {e}")));
        }
        let settings = Settings {
            diff: run.diff,
            environment: run.environment.clone(),
            doubt: run.doubt.clone(),
            brief: run.brief,
        };
        match run.mode {
            Mode::Apply => Host::new(&self.real, files, control, settings).report(module, &args),
            Mode::Check => Host::new(&self.overlay, files, control, settings).report(module, &args),
            Mode::Preview => {
                let overlay = Overlay::new(Arc::new(RealSystem));
                Host::new(&overlay, files, control, settings).report(module, &args)
            }
        }
    }

    /// All that the overlay holds.
    pub(crate) fn export(&self) -> Vec<u8> {
        self.overlay.export()
    }

    /// Takes over what a sibling's overlay holds.
    pub(crate) fn import(&self, data: &[u8]) {
        if let Err(error) = self.overlay.import(data) {
            // Both sides are the same binary: data that cannot be read is a bug, and it is shown.
            #[expect(
                clippy::print_stderr,
                reason = "standard error is for what must not happen"
            )]
            {
                eprintln!("{error}");
            }
        }
    }
}

/// A request that only a bug in the controller makes.
fn refused(msg: String) -> Report {
    Report::of(End::Failed {
        msg,
        arg: None,
        help: vec!["this is a bug in rplay".to_owned()],
        data: "{}".to_owned(),
    })
}
