//! The program that runs, where a folder without /proc was changed into (chroot) too.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The kernel's name of it, which holds where the file was removed or replaced.
const KERNELS: &str = "/proc/self/exe";

/// A name by which it can be opened and run.
pub fn own_program() -> PathBuf {
    if Path::new(KERNELS).exists() {
        return KERNELS.into();
    }
    // As it was called, by a whole path.
    std::env::args_os().next().unwrap_or_default().into()
}

/// Its path, if it is known.
pub fn own_program_path() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| own_program())
}

/// Its content.
///
/// # Errors
/// Where it cannot be opened.
pub fn open_own_program() -> io::Result<File> {
    File::open(own_program())
}
