//! An SSH key for the account, made by ssh-keygen.
//!
//! What key it would make a dry run cannot know: everything before it is announced, and the
//! task's result is unknown.

use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Command, Failure, Host, Outcome, Result, State, Stdin};

use super::UserArgs;

/// Makes the key where there is none, and adds it to the result.
pub(super) fn ensure(args: &UserArgs, state: &State, host: &Host, outcome: Outcome) -> Result<Outcome> {
    let home = state.get("home").map(PathBuf::from).unwrap_or_default();
    let file = match &args.ssh_key_file {
        Some(file) => home.join(&file.0),
        None => home.join(".ssh").join(format!("id_{}", args.ssh_key_type)),
    };
    let public = public_file(&file);
    if args.force || host.lstat(&file)?.is_none() {
        if !args.force && host.lstat(&public)?.is_some() {
            let failure = Failure::new(format!("`{}` is there, but no key of it", public.display()));
            return Err(failure.arg("ssh_key_file").help("force: true makes a new key in its place"));
        }
        generate(args, state, &file, &public, host)?;
    }
    let listing = host.query(["ssh-keygen", "-l", "-f", &file.to_string_lossy()])?;
    let outcome = outcome
        .with("ssh_key_file", file.to_string_lossy().into_owned())
        .with("ssh_fingerprint", listing.trim());
    Ok(match host.read_text(&public) {
        Ok(key) => outcome.with("ssh_public_key", key.trim()),
        Err(_) => outcome,
    })
}

fn public_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn generate(args: &UserArgs, state: &State, file: &Path, public: &Path, host: &Host) -> Result<()> {
    let number = |key: &str| state.get(key).and_then(|v| v.parse::<u32>().ok());
    let owner = Attrs {
        uid: number("uid"),
        gid: number("gid"),
        ..Attrs::default()
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    if !host.is_dir(folder)? {
        let above = folder.parent().unwrap_or(Path::new("/"));
        if !host.is_dir(above)? {
            return Err(Failure::new(format!("there is no folder `{}` for an SSH key", above.display()))
                .absent()
                .arg("generate_ssh_key")
                .help("let the home folder be made with create_home: true"));
        }
        host.make_dir(folder, &Attrs { mode: Some(0o700), ..owner.clone() })?;
    }
    let command = keygen(args, file, host)?;
    // Also for the record of changes, which is to begin before ssh-keygen.
    host.remove(file)?;
    host.remove(public)?;
    host.run(&command)?.success(&command)?;
    host.set_attrs(file, &Attrs { mode: Some(0o600), ..owner.clone() })?;
    host.set_attrs(public, &Attrs { mode: Some(0o644), ..owner })
}

fn keygen(args: &UserArgs, file: &Path, host: &Host) -> Result<Command> {
    let comment = match &args.ssh_key_comment {
        Some(text) => text.clone(),
        None => {
            let name = host.read_text(Path::new("/proc/sys/kernel/hostname")).unwrap_or_default();
            format!("generated on {}", name.trim())
        }
    };
    let bits = args.ssh_key_bits.to_string();
    let path = file.to_string_lossy();
    let mut words = vec!["ssh-keygen", "-q", "-t", &args.ssh_key_type, "-C", &comment, "-f", &path];
    if args.ssh_key_bits != 0 {
        words.extend(["-b", &bits]);
    }
    let Some(passphrase) = &args.ssh_key_passphrase else {
        words.extend(["-N", ""]);
        return Ok(Command::changes(words));
    };
    // Without a terminal it reads the passphrase, twice, from its standard input: a command line
    // could be seen by anyone.
    words.splice(0..0, ["setsid", "-w"]);
    let mut command = Command::changes(words);
    command.stdin = Stdin::Bytes(format!("{passphrase}\n{passphrase}\n").into_bytes());
    Ok(command)
}
