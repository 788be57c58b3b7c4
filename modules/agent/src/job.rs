//! Calls that outlive the controller (`async`): a copy of the agent runs one to its end, and leaves
//! the report where `async_status` looks for it.
//!
//! The request is a file beside the report, so that no argument is seen in a list of processes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use rplay_builtin::jobs::{self, Written};
use rplay_wire::{End, Job, Report, Run};
use serde_json::{Map, Value};

use crate::worker::{self, Shared};

/// Starts the job of a request, and reports that it runs.
pub(crate) fn start(run: &Run, job: &Job) -> io::Result<Report> {
    let dir = jobs::folder(job.dir.as_deref());
    DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
    let report = dir.join(&job.id);
    let alone = Run {
        job: None,
        ..run.clone()
    };
    let request = dir.join(format!("{}.request", job.id));
    let content = serde_json::to_vec(&(alone, job)).map_err(io::Error::other)?;
    create(&request)?.write_all(&content)?;
    write(&report, &Written::Begun.map(&job.id))?;
    let mut agent = Command::new(rplay_api::own_program());
    agent.arg("--job").arg(&request);
    agent
        .stdin(rplay_api::nothing())
        .stdout(rplay_api::nothing())
        .stderr(rplay_api::nothing());
    agent.current_dir("/").process_group(0);
    agent.spawn()?;
    let mut data = Written::Begun.map(&job.id);
    data.insert("results_file".to_owned(), report.to_string_lossy().into());
    Ok(done(true, data))
}

fn done(changed: bool, data: Map<String, Value>) -> Report {
    Report::of(End::Ok {
        changed,
        data: Value::Object(data).to_string(),
        unknown: vec![],
    })
}

/// Runs the job of a request's file.
pub(crate) fn run(request: &Path) -> ExitCode {
    crate::exit_after(finish(request).is_ok())
}

fn finish(request: &Path) -> io::Result<()> {
    // Of its own session, it outlives the connection.
    let _ = rustix::process::setsid();
    let content = fs::read(request)?;
    fs::remove_file(request)?;
    let (run, job): (Run, Job) = serde_json::from_slice(&content).map_err(io::Error::other)?;
    let path = request.with_file_name(&job.id);
    give_up_after(&job, path.clone());
    let shared = Shared::new(io::sink());
    let report = worker::run(&run, &shared);
    write(&path, &ended(&report).map(&job.id))
}

/// Ends the job with its processes when its time is up.
fn give_up_after(job: &Job, path: PathBuf) {
    let (limit, id) = (job.limit, job.id.clone());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(limit));
        let words = format!("async task did not complete within the requested time - {limit}s");
        let _ = write(&path, &Written::Failed(words).map(&id));
        let _ = rustix::process::kill_process_group(
            rustix::process::getpgrp(),
            rustix::process::Signal::KILL,
        );
    });
}

fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// A reader finds the old report or the new one.
fn write(path: &Path, report: &Map<String, Value>) -> io::Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".new");
    let next = PathBuf::from(next);
    let content = Value::Object(report.clone()).to_string();
    create(&next)?.write_all(content.as_bytes())?;
    fs::rename(next, path)
}

/// What a report says.
fn ended(report: &Report) -> Written {
    let object = |text: &str| match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let mut map = match &report.end {
        End::Ok { changed, data, .. } => {
            let mut map = object(data);
            map.insert("changed".to_owned(), (*changed).into());
            map
        }
        End::Failed { msg, data, .. } => {
            let mut map = object(data);
            map.insert("msg".to_owned(), msg.clone().into());
            map.insert("failed".to_owned(), true.into());
            map
        }
        End::Unknown { .. } | End::Cancelled | End::NotRun => {
            return Written::Failed("it was interrupted".to_owned());
        }
    };
    if !report.warnings.is_empty() {
        map.insert("warnings".to_owned(), report.warnings.clone().into());
    }
    Written::Ended(map)
}
