//! Programs: where PATH finds them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::system::Command;

/// Where administrators' programs are, which the PATH of a user's ssh session often leaves out.
const SBIN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// The places at which the kernel would look for a command's program, in order.
pub(crate) fn find_program(
    command: &Command,
    is_program: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    let name = command.argv.first()?;
    if name.as_bytes().contains(&b'/') {
        let path = match &command.cwd {
            Some(cwd) => cwd.join(name),
            None => PathBuf::from(name),
        };
        return is_program(&path).then_some(path);
    }
    let path = search_path(command);
    let dirs = std::env::split_paths(&path).chain(SBIN.iter().map(PathBuf::from));
    dirs.filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|program| is_program(program))
}

fn search_path(command: &Command) -> OsString {
    let own = command.env.iter().rev().find(|(name, _)| name == "PATH");
    own.map(|(_, value)| value.clone())
        .or_else(|| std::env::var_os("PATH"))
        .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// The failure of a command whose program is nowhere.
pub(crate) fn no_program(command: &Command) -> Failure {
    let name = command.argv.first().map_or(OsStr::new(""), |n| n);
    let shown = name.to_string_lossy();
    let failure = Failure::new(format!("there is no program `{shown}`"))
        .absent()
        .with("rc", 2);
    if name.as_bytes().contains(&b'/') {
        failure
    } else {
        let path = search_path(command);
        failure.help(format!(
            "install it, or give its whole path; PATH is {}",
            path.to_string_lossy()
        ))
    }
}
