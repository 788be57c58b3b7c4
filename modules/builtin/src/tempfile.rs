//! Makes an empty file or folder under a name that nothing has.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::PathBuf;

use rplay_api::{Args, Attrs, Choice, Doc, Failure, Host, Module, Outcome, Result, Return};

use crate::path_info;

/// The `tempfile` module.
pub struct This;

/// Arguments of `tempfile`.
#[derive(Debug, Args)]
pub struct TempfileArgs {
    /// What to make.
    #[arg(default = State::File)]
    state: State,
    /// The folder that it is made in; the system's for temporary files where absent.
    path: Option<PathBuf>,
    /// How its name begins.
    #[arg(default = "ansible.")]
    prefix: String,
    /// How its name ends.
    #[arg(default = "")]
    suffix: String,
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// A file that only its owner may read and write.
    File,
    /// A folder that only its owner may enter.
    Directory,
}

/// Names tried before it is given up.
const TRIES: usize = 100;

impl Module for This {
    type Args = TempfileArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "tempfile",
        aliases: &[],
        summary: "Makes an empty file or folder under a name that nothing has",
        description: "Nothing removes it: that is for a later task, with the `file` module.",
        free_form: None,
        examples: r#"
- name: A folder to build in
  tempfile:
    state: directory
    suffix: .build
  register: build

- name: Done with it
  file:
    path: "{{ build.path }}"
    state: absent
"#,
        returns: &[Return {
            name: "path",
            doc: "What was made; also `mode`, `owner`, `group`, `uid`, `gid`, `size`, `state`.",
        }],
    };

    fn run(args: TempfileArgs, host: &Host) -> Result<Outcome> {
        let dir = args.path.clone().unwrap_or_else(|| {
            let dir = host.env("TMPDIR").filter(|d| d.starts_with('/'));
            dir.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
        });
        let path = free_name(&args, host, &dir)?;
        let attrs = |mode| Attrs {
            mode: Some(mode),
            ..Attrs::default()
        };
        match args.state {
            State::File => host.write(&path, &mut std::io::empty(), &attrs(0o600))?,
            State::Directory => host.make_dir(&path, &attrs(0o700))?,
        }
        let outcome = Outcome::new().with("path", path.to_string_lossy());
        path_info::describe(host, &path, outcome)
    }
}

/// A `/` in either would put what is made into another folder.
fn must_be_part_of_a_name(arg: &str, text: &str) -> Result<()> {
    if text.contains('/') {
        return Err(Failure::new(format!("{arg} must be a valid file name component: `{text}` holds a `/`"))
            .arg(arg)
            .help("`path` names the folder"));
    }
    Ok(())
}

fn free_name(args: &TempfileArgs, host: &Host, dir: &std::path::Path) -> Result<PathBuf> {
    must_be_part_of_a_name("prefix", &args.prefix)?;
    must_be_part_of_a_name("suffix", &args.suffix)?;
    for _ in 0..TRIES {
        // Each state is seeded by the system.
        let random = RandomState::new().hash_one(0_u8);
        let name = format!("{}{random:016x}{}", args.prefix, args.suffix);
        let path = dir.join(name);
        if host.lstat(&path)?.is_none() {
            return Ok(path);
        }
    }
    Err(Failure::new(format!(
        "`{}` has no free name",
        dir.display()
    )))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::This;
    use crate::fixture::{Fixture, on_each_system};

    #[test]
    fn the_part_that_holds_a_slash_is_named() {
        on_each_system(|system, root| {
            for part in ["prefix", "suffix"] {
                let args = json!({"path": root, part: "../x"});
                let failure = Fixture::new(system).run::<This>(args).result.unwrap_err();
                let words = format!("{part} must be a valid file name component: `../x` holds a `/`");
                assert_eq!((failure.msg, failure.arg.as_deref()), (words, Some(part)));
            }
        });
    }

    #[test]
    fn a_new_name_each_time() {
        on_each_system(|system, root| {
            let make = |state: &str| {
                let args = json!({"state": state, "path": root, "suffix": ".x"});
                Fixture::new(system).run::<This>(args).result.unwrap().data
            };
            let (file, folder) = (make("file"), make("directory"));
            assert_ne!(file["path"], folder["path"]);
            assert_eq!(
                (&file["mode"], &folder["mode"]),
                (&json!("0600"), &json!("0700"))
            );
            let path = Path::new(file["path"].as_str().unwrap());
            assert!(path.starts_with(root) && path.to_str().unwrap().ends_with(".x"));
            assert!(system.lstat(path).unwrap().unwrap().is_file());
        });
    }
}
