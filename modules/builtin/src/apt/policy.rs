//! The answer to whether a package may start its services, for as long as it is set up.

use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Host, Result};

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// A policy in place of the host's own, which comes back when this is dropped.
pub struct Answer<'a> {
    host: &'a Host<'a>,
    kept: Option<PathBuf>,
}

impl<'a> Answer<'a> {
    /// Every service is answered with that code.
    pub fn give(code: i32, host: &'a Host<'a>) -> Result<Self> {
        let path = Path::new(POLICY);
        let kept = if host.lstat(path)?.is_some() {
            let aside = PathBuf::from(format!("{POLICY}.{}~", std::process::id()));
            host.rename(path, &aside)?;
            Some(aside)
        } else {
            None
        };
        // Made first, so that a failing write puts the old one back.
        let answer = Self { host, kept };
        let script = format!("#!/bin/sh\nexit {code}\n");
        let attrs = Attrs { mode: Some(0o755), ..Attrs::default() };
        host.write(path, &mut script.as_bytes(), &attrs)?;
        Ok(answer)
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let path = Path::new(POLICY);
        let back = match &self.kept {
            Some(aside) => self.host.rename(aside, path),
            None => self.host.remove(path),
        };
        if let Err(failure) = back {
            self.host.warn(format!("`{POLICY}` could not be put back: {}", failure.msg));
        }
    }
}
