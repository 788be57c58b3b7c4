//! Ansible's Python library on the controller: what an installed ansible-core brought with it.
//!
//! rplay needs none of it. Where it is there, modules that are written in Python with it can run on
//! hosts that have Python. Looked for once, and only where a task calls for it; no Python is run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Names the folder that holds `ansible`, in place of all others; empty where none is to be used.
const SETTING: &str = "RPLAY_ANSIBLE_LIBRARY";

/// What shows that a folder has it.
const MARK: &str = "ansible/module_utils/basic.py";

/// Ansible's programs, whose first line says which Python they are installed in.
const PROGRAMS: [&str; 4] = [
    "ansible-doc",
    "ansible-galaxy",
    "ansible-playbook",
    "ansible",
];

/// Where package managers put Python's packages.
const SYSTEM: [&str; 4] = [
    "/usr/local/lib/python3*/site-packages",
    "/usr/local/lib/python3*/dist-packages",
    "/usr/lib/python3/dist-packages",
    "/usr/lib/python3*/site-packages",
];

/// The same below the user's home: pip, pipx and uv.
const OF_THE_USER: [&str; 4] = [
    ".local/lib/python3*/site-packages",
    ".local/share/pipx/venvs/ansible*/lib/python3*/site-packages",
    ".local/pipx/venvs/ansible*/lib/python3*/site-packages",
    ".local/share/uv/tools/ansible*/lib/python3*/site-packages",
];

/// Where Ansible is installed. Clones share what was found.
#[derive(Debug, Clone, Default)]
pub struct Installed(Arc<OnceLock<Option<PathBuf>>>);

impl Installed {
    /// The folder that holds the package `ansible`, and `ansible_collections` where that is there.
    pub(crate) fn site(&self) -> Option<&Path> {
        self.0.get_or_init(found).as_deref()
    }
}

fn found() -> Option<PathBuf> {
    let folders = match env::var_os(SETTING) {
        Some(named) => vec![PathBuf::from(named)],
        None => places(|name| env::var_os(name)),
    };
    folders.into_iter().find(|site| site.join(MARK).is_file())
}

/// Where it may be, the likeliest first.
fn places(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let list = |name| {
        let value = variable(name).unwrap_or_default();
        env::split_paths(&value)
            .filter(|dir| dir.is_absolute())
            .collect::<Vec<_>>()
    };
    let mut places = list("PYTHONPATH");
    let of_venv = list("VIRTUAL_ENV")
        .into_iter()
        .flat_map(|dir| packages_of(&dir));
    places.extend(of_venv);
    for dir in list("PATH") {
        let programs = PROGRAMS.iter().map(|name| dir.join(name));
        places.extend(
            programs
                .filter_map(|p| prefix_of(&p))
                .flat_map(|p| packages_of(&p)),
        );
    }
    let home = variable("HOME").map(PathBuf::from);
    let own = OF_THE_USER
        .iter()
        .filter_map(|below| Some(home.as_ref()?.join(below)));
    let system = SYSTEM.iter().map(PathBuf::from);
    places.extend(own.chain(system).flat_map(|pattern| matching(&pattern)));
    places
}

/// The folder of the Python that a program is a script of: the one above its `bin`.
fn prefix_of(program: &Path) -> Option<PathBuf> {
    let mut line = vec![];
    let file = fs::File::open(program).ok()?;
    // A binary may have no line for long.
    let mut head = BufReader::new(std::io::Read::take(file, 512));
    head.read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let interpreter = line.strip_prefix("#!")?.split_whitespace().next()?;
    let bin = Path::new(interpreter).parent()?;
    bin.ends_with("bin")
        .then(|| bin.parent().map(Path::to_owned))
        .flatten()
}

/// The folders of packages of a Python that is installed in a folder.
fn packages_of(prefix: &Path) -> Vec<PathBuf> {
    matching(&prefix.join("lib/python3*/site-packages"))
}

/// The paths that a pattern fits, the last names first: the newest Python.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let found = glob::glob(&pattern.to_string_lossy())
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = found.collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_which_python_it_is_installed_in() {
        let dir = tempfile::tempdir().unwrap();
        let venv = dir.path().join("venv");
        let site = venv.join("lib/python3.12/site-packages");
        fs::create_dir_all(&site).unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        let line = format!("#!{}/bin/python3 -s\nimport x\n", venv.display());
        fs::write(bin.join("ansible-doc"), line).unwrap();
        let found = places(|name| (name == "PATH").then(|| bin.clone().into_os_string()));
        assert_eq!(found.first(), Some(&site));
    }

    #[test]
    fn python_s_own_path_goes_before_all() {
        let found = places(|name| (name == "PYTHONPATH").then(|| "/a:relative:/b".into()));
        assert_eq!(found[..2], [PathBuf::from("/a"), PathBuf::from("/b")]);
    }
}
