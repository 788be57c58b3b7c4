//! What `rplay doc` says of connections.

use super::programs::PROGRAMS;
use super::through::{Part, Program, Said};

/// The page of a connection that is a program, by any of its names.
pub fn connection_page(name: &str) -> Option<String> {
    Program::find(name).map(of)
}

/// What holds for all of them.
const ALL: &str = "\
`ansible_connection` names `ssh`, `local` or one of these: a program of the controller that runs a
command elsewhere. There it needs a shell, and `head` where the agent is sent; nothing is left behind.

Of several variables the first that is set holds. Those in capitals are of rplay's own environment.
";

/// The pages of all of them, after what holds for all.
pub fn connection_pages() -> Vec<String> {
    let pages = PROGRAMS.iter().map(of);
    std::iter::once(ALL.to_owned()).chain(pages).collect()
}

fn of(program: &Program) -> String {
    let Program { names, summary, .. } = program;
    let others = names[1..].join("`, `");
    let mut out = format!("# {}\n\n{summary}. Also called `{others}`.\n\n", names[0]);
    out.push_str(&format!("    {}\n\n", line(program)));
    let mut row = |said: Said, what: &str| {
        let names: Vec<_> = program.variables(said).map(|n| format!("`{n}`")).collect();
        if !names.is_empty() {
            out.push_str(&format!("- {}: {what}\n", names.join(", ")));
        }
    };
    let has_name = program
        .args
        .iter()
        .any(|p| matches!(p, Part::Host | Part::Instance(_)));
    if has_name {
        row(
            program.host,
            "NAME; otherwise the inventory's name of the host",
        );
    }
    row(program.executable, "the program");
    row(program.shell, "the shell there, instead of /bin/sh");
    row(program.timeout, "seconds until the shell must have begun");
    for part in program.args {
        match part {
            Part::Is(_) | Part::Host => {}
            Part::Instance(said) => row(said, "REMOTE"),
            Part::Flag(flag, said) | Part::Equals(flag, said) | Part::Hidden(flag, said) => {
                row(said, &format!("`{flag}`"))
            }
            Part::On(flag, said) => row(said, &format!("`{flag}`, where it is true")),
            Part::Not(flag, said) => row(said, &format!("`{flag}`, where it is false")),
            Part::User(flag, said) => row(said, &format!("`{flag}`; otherwise `remote_user`")),
            Part::Su(program, said) => {
                row(said, "USER, where it is not root; otherwise `remote_user`");
                row(program, "SU");
            }
            Part::Words(said) => row(said, "WORDS"),
            Part::Each(flag, said) => row(said, &format!("a mapping, `{flag}` for each")),
            Part::Export(said) => row(said, "a mapping, the program's own environment"),
        }
    }
    out
}

/// The command line, with what is most often left out in brackets.
fn line(program: &Program) -> String {
    let mut words = vec![program.program.to_owned()];
    for part in program.args {
        words.extend(match part {
            Part::Is(word) => Some((*word).to_owned()),
            Part::Host => Some("NAME".to_owned()),
            Part::Instance(_) => Some("REMOTE:NAME".to_owned()),
            Part::Equals(flag, _) => Some(format!("{flag}=...")),
            Part::User(flag, _) => Some(format!("[{flag} USER]")),
            Part::Su(..) => Some("[SU USER]".to_owned()),
            Part::Words(_) => Some("[WORDS]".to_owned()),
            Part::Flag(..)
            | Part::Hidden(..)
            | Part::On(..)
            | Part::Not(..)
            | Part::Each(..)
            | Part::Export(_) => None,
        });
    }
    words.push("/bin/sh ...".to_owned());
    words.join(" ")
}
