//! A command that judges a file's new content before the old one is replaced (`visudo -cf %s`).

use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Command, Failure, Host, Output, Result};
use rustix::fs::MemfdFlags;

use crate::content::Content;
use crate::placement::stage_beside;

/// A command with `%s` where the new file's path goes.
#[derive(Debug, Clone)]
pub struct Validation {
    text: String,
    words: Vec<String>,
}

impl Validation {
    /// Reads the `validate` argument: words as a shell splits them, run without one.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Failure::new(why)
                .arg("validate")
                .help("`%s` stands for the path of the new file, as in validate: visudo -cf %s")
        };
        let words = shlex::split(text)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| wrong(format!("`{text}` is no command")))?;
        if !words.iter().any(|word| word.contains("%s")) {
            return Err(wrong(format!("validate must contain %s: {text}")));
        }
        Ok(Self {
            text: text.to_owned(),
            words,
        })
    }

    /// Reads the argument where there is one.
    pub fn optional(text: Option<&str>) -> Result<Option<Self>> {
        text.map(Self::parse).transpose()
    }

    /// Fails where the command says that `content`, which is to be at `path`, is not good.
    pub fn check(&self, host: &Host, path: &Path, content: &Content) -> Result<()> {
        let stage = stage_beside(host, path);
        // What it holds may be secret.
        let private = Attrs {
            mode: Some(0o600),
            ..Attrs::default()
        };
        host.write(&stage, &mut *content.open(host)?, &private)?;
        let result = self.run(host, &stage);
        host.remove(&stage)?;
        let output = match result {
            // A process sees nothing of a file that is only planned.
            Err(failure) if failure.unknown => self.run_on_memory(host, path, content)?,
            result => Some((stage, result?)),
        };
        match output {
            Some((file, output)) if output.rc != 0 => Err(self.refused(path, &file, &output)),
            _ => Ok(()),
        }
    }

    fn run(&self, host: &Host, file: &Path) -> Result<Output> {
        let file = file.to_string_lossy();
        let words = self.words.iter().map(|word| word.replace("%s", &file));
        host.run(&Command::reads(words))
    }

    /// The check of a file that exists in memory alone, under the name that the kernel has for it.
    fn run_on_memory(
        &self,
        host: &Host,
        path: &Path,
        content: &Content,
    ) -> Result<Option<(PathBuf, Output)>> {
        let failed = |e: std::io::Error| Failure::io("keep in memory the new content of", path, &e);
        let memory =
            rustix::fs::memfd_create("rplay", MemfdFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
        let mut memory = std::fs::File::from(memory);
        std::io::copy(&mut content.open(host)?, &mut memory).map_err(failed)?;
        memory.flush().map_err(failed)?;
        let name = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        let name = PathBuf::from(name);
        let run = match name.exists() {
            true => self.run(host, &name),
            false => Err(Failure::unknown("no /proc is mounted that would name it")),
        };
        match run {
            Ok(output) => Ok(Some((name, output))),
            Err(failure) if failure.unknown => {
                host.warn(format!(
                    "the new content of `{}` was not checked with `{}`: {}",
                    path.display(),
                    self.text,
                    failure.msg
                ));
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    fn refused(&self, path: &Path, file: &Path, output: &Output) -> Failure {
        // The name that the command saw says nothing to a reader.
        let (seen, shown) = (file.to_string_lossy(), path.to_string_lossy());
        let readable = |text: String| text.replace(&*seen, &shown);
        let (stdout, stderr) = (readable(output.stdout()), readable(output.stderr()));
        let words = [&stderr, &stdout]
            .into_iter()
            .find_map(|text| text.lines().find(|l| !l.trim().is_empty()))
            .unwrap_or("it said nothing");
        let (text, path) = (&self.text, path.display());
        Failure::new(format!(
            "failed to validate: `{text}` refused the new content of `{path}` with exit code {}: \
             {words}",
            output.rc
        ))
        .arg("validate")
        .help("the file is as it was")
        .with("exit_status", output.rc)
        .with("stdout", stdout)
        .with("stderr", stderr)
    }
}
