//! The empty stream, where a folder without devices was changed into (chroot) too.

use std::fs::File;
use std::process::Stdio;

/// An input that is empty, or an output that nobody reads. Where there is no /dev/null it is a pipe,
/// whose other end is to be dropped with the child.
pub fn nothing() -> Stdio {
    let device = File::options().read(true).write(true).open("/dev/null");
    device.map_or_else(|_| Stdio::piped(), Stdio::from)
}
