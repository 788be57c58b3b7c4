//! The home folder: made and filled from the skeleton, as useradd would.

use std::path::Path;

use rplay_api::{Attrs, Failure, FileArgs, Host, Result, State};

use super::UserArgs;
use crate::accounts::Defaults;

/// Makes the home folder of an account that has none.
pub(super) fn ensure(args: &UserArgs, state: &State, host: &Host) -> Result<()> {
    let Some(home) = state.get("home").map(Path::new) else {
        return Ok(());
    };
    if !args.create_home || host.lstat(home)?.is_some() || !home.is_absolute() {
        return Ok(());
    }
    if let Some(parent) = home.parent() {
        host.make_dirs(parent, &FileArgs::default())?;
    }
    let number = |key: &str| state.get(key).and_then(|v| v.parse::<u32>().ok());
    let owner = Attrs {
        uid: number("uid"),
        gid: number("gid"),
        ..Attrs::default()
    };
    let mode = Some(home_mode(args, host)?);
    host.make_dir(home, &Attrs { mode, ..owner.clone() })?;
    let defaults = Defaults::useradd(host);
    let skeleton = match &args.skeleton {
        Some(dir) => dir.as_path(),
        None => Path::new(defaults.get("SKEL").unwrap_or("/etc/skel")),
    };
    if host.is_dir(skeleton)? {
        copy(skeleton, home, &owner, host)?;
    } else if args.skeleton.is_some() && !host.exists(skeleton)? {
        let failure = Failure::new(format!("there is no folder `{}`", skeleton.display()));
        return Err(failure.absent().arg("skeleton"));
    }
    Ok(())
}

fn home_mode(args: &UserArgs, host: &Host) -> Result<u32> {
    if let Some(text) = &args.umask {
        let umask = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|u| *u <= 0o777);
        return umask.map(|u| 0o777 & !u).ok_or_else(|| {
            Failure::new(format!("`{text}` is no umask"))
                .arg("umask")
                .help("give three octal digits in quotes, such as \"077\"")
        });
    }
    let login = Defaults::login(host);
    let masked = || 0o777 & !login.number("UMASK").unwrap_or(0o022);
    Ok(login.number("HOME_MODE").unwrap_or_else(masked))
}

fn copy(from: &Path, to: &Path, owner: &Attrs, host: &Host) -> Result<()> {
    for name in host.read_dir(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        let Some(meta) = host.lstat(&from)? else { continue };
        let attrs = Attrs {
            mode: Some(meta.mode),
            ..owner.clone()
        };
        if meta.is_dir() {
            host.make_dir(&to, &attrs)?;
            copy(&from, &to, owner, host)?;
        } else if meta.is_link() {
            host.symlink(&host.read_link(&from)?, &to)?;
            host.set_attrs(&to, owner)?;
        } else if meta.is_file() {
            host.write(&to, &mut *host.open(&from)?, &attrs)?;
        }
    }
    Ok(())
}
