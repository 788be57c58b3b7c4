//! An archive of what is checked out.

use std::path::Path;

use rplay_api::{Failure, FileArgs, Host, Result};

use super::GitArgs;
use super::program::Git;

/// git's word for the format that a file's name tells.
pub(super) fn format(path: &Path) -> Result<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [("tar.gz", ".tar.gz"), ("tgz", ".tgz"), ("zip", ".zip"), ("tar", ".tar")]
        .into_iter()
        .find(|(_, end)| name.ends_with(end))
        .map(|(format, _)| format)
        .ok_or_else(|| {
            Failure::new(format!("`{}` has no format in its name", path.display()))
                .arg("archive")
                .help("let it end with .zip, .tar, .tar.gz or .tgz")
        })
}

/// Makes the task's archive, where it wants one and the file is not that already.
pub(super) fn make(args: &GitArgs, git: &Git, host: &Host, dest: &Path, version: &str) -> Result<()> {
    let Some(archive) = &args.archive else {
        return Ok(());
    };
    crate::copy::require_parent(host, archive).map_err(|f| f.arg("archive"))?;
    let mut words = vec!["archive".to_owned(), format!("--format={}", format(archive)?)];
    if let Some(prefix) = &args.archive_prefix {
        words.push(format!("--prefix={prefix}"));
    }
    words.push(version.to_owned());
    let bytes = git.gives(dest, words)?;
    host.ensure_content(archive, &bytes, &FileArgs::default())
}
