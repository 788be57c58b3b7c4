//! Asks for passwords on the terminal, once each.

use std::io;
use std::path::Path;

use console::Term;
use rplay_engine::{Answer, Operator};
use rplay_transport::{Secret, Secrets};

/// Asks for a password that the command line wants to be asked for, without showing it. Where there
/// is no terminal, the first line of standard input is the answer: scripts rely on it.
pub(crate) fn password(prompt: &str) -> io::Result<String> {
    if has_terminal() {
        return secret(prompt);
    }
    let mut line = String::new();
    match io::stdin().read_line(&mut line)? {
        0 => Err(nobody(prompt)),
        _ => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
    }
}

/// Asks at the terminal that the program was started from, wherever its input and output go, without
/// showing what is typed.
fn secret(prompt: &str) -> io::Result<String> {
    match has_terminal() {
        true => rpassword::prompt_password(format!("{prompt}: ")),
        false => Err(nobody(prompt)),
    }
}

fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

fn nobody(prompt: &str) -> io::Error {
    io::Error::other(format!("cannot ask for `{prompt}`: there is no terminal"))
}

/// Reads a password from a file's first line, or from what an executable prints.
pub(crate) fn password_file(path: &Path) -> io::Result<String> {
    use std::os::unix::fs::PermissionsExt;
    let named = |e: io::Error| {
        io::Error::new(
            e.kind(),
            format!("could not read `{}`: {e}", path.display()),
        )
    };
    let mode = std::fs::metadata(path).map_err(named)?.permissions().mode();
    let text = if mode & 0o111 != 0 {
        let output = std::process::Command::new(path.canonicalize().map_err(named)?)
            .output()
            .map_err(named)?;
        if !output.status.success() {
            return Err(io::Error::other(format!("`{}` failed", path.display())));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        std::fs::read_to_string(path).map_err(named)?
    };
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Asks for a line that is shown as it is typed; `None` where there is no terminal.
pub(crate) fn line(prompt: &str) -> Option<String> {
    let term = Term::stderr();
    if !term.is_term() {
        return None;
    }
    term.write_str(&format!("{prompt}: ")).ok()?;
    term.read_line().ok()
}

/// Passphrases of keys, asked on the terminal.
#[derive(Debug)]
pub(crate) struct Passphrases;

impl Secrets for Passphrases {
    fn passphrase(&self, key: &Path) -> Option<Secret> {
        secret(&format!("passphrase of {}", key.display()))
            .ok()
            .map(Secret::new)
    }
}

/// The person at this terminal.
#[derive(Debug)]
pub(crate) struct Terminal;

impl Operator for Terminal {
    fn step(&self, task: &str) -> Answer {
        let term = Term::stderr();
        let asked = term.write_str(&format!("Perform task: {task} (N)o/(y)es/(c)ontinue: "));
        let answer = asked.and_then(|()| term.read_line()).unwrap_or_default();
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Answer::Yes,
            "c" | "continue" => Answer::Continue,
            _ => Answer::No,
        }
    }

    fn value(&self, prompt: &str, private: bool) -> Option<String> {
        if private {
            return secret(prompt).ok();
        }
        line(prompt)
    }

    fn tell(&self, words: &str) {
        // Who cannot be told sees the question again.
        let _ = Term::stderr().write_line(words);
    }
}
