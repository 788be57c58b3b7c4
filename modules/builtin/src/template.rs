//! Renders a template of the controller into a file on the target.
//!
//! The engine renders it, with its variables; what comes here is the text, and the rest is what
//! `copy` does with a file.

use std::path::PathBuf;

use rplay_api::{
    Args, ControllerFile, ControllerTemplate, Doc, EntryKind, Failure, FileArgs, FileMode, Host,
    Module, Outcome, Result,
};

use crate::content::Content;
use crate::copy::RETURNS;
use crate::path_info;
use crate::placement::Placement;
use crate::validation::Validation;

/// The `template` module.
pub struct This;

/// Arguments of `template`.
#[derive(Debug, Args)]
pub struct TemplateArgs {
    /// The template on the controller: `NAME.j2` is Jinja2, `NAME.hbs` is Handlebars. A relative
    /// path is looked for in the `templates` folders of the role and the playbook.
    src: ControllerTemplate,
    /// Where the file goes on the target. In a folder, or with a `/` at the end, it gets the
    /// template's own name, suffix and all.
    dest: PathBuf,
    /// Keep a copy of the file that is replaced, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// Replace a file that differs; `false` writes it only where there is none.
    #[arg(default = true)]
    force: bool,
    /// Write to the file that a link at `dest` names, instead of replacing the link.
    #[arg(default = false)]
    follow: bool,
    /// A command that judges the new content before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// What only the rendering needs.
    #[arg(flatten)]
    _rendering: Rendering,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

/// Arguments that the engine reads when it renders.
#[derive(Debug, Args)]
#[expect(
    dead_code,
    reason = "the engine has read them when the text comes here"
)]
struct Rendering {
    /// How lines end in the file that is made: `\n`, `\r` or `\r\n`.
    #[arg(default = "\n")]
    newline_sequence: String,
    /// Jinja2: remove the first newline after a block.
    #[arg(default = true)]
    trim_blocks: bool,
    /// Jinja2: strip spaces and tabs before a block.
    #[arg(default = false)]
    lstrip_blocks: bool,
    /// Jinja2: what starts a block; `{%` where absent.
    block_start_string: Option<String>,
    /// Jinja2: what ends a block; `%}` where absent.
    block_end_string: Option<String>,
    /// Jinja2: what starts a value; `{{` where absent.
    variable_start_string: Option<String>,
    /// Jinja2: what ends a value; `}}` where absent.
    variable_end_string: Option<String>,
    /// Jinja2: what starts a comment; `{#` where absent.
    comment_start_string: Option<String>,
    /// Jinja2: what ends a comment; `#}` where absent.
    comment_end_string: Option<String>,
    /// The encoding of the file that is made.
    #[arg(default = "utf-8")]
    output_encoding: String,
}

impl Module for This {
    type Args = TemplateArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "template",
        aliases: &[],
        summary: "Renders a template into a file on the target",
        description: "The suffix of `src` chooses the language: `.hbs` is Handlebars, anything \
            else Jinja2. Both see the task's variables. The file is replaced in one step, and \
            only where the result differs from what is there.",
        free_form: None,
        examples: r#"
- name: Configure the service
  template:
    src: app.conf.j2
    dest: /etc/app/app.conf
    owner: root
    group: app
    mode: "0640"
    backup: true
  notify: restart app

- name: Rules that are checked before they count
  template:
    src: sudoers.j2
    dest: /etc/sudoers.d/app
    mode: "0440"
    validate: visudo -cf %s
"#,
        returns: RETURNS,
    };

    fn run(args: TemplateArgs, host: &Host) -> Result<Outcome> {
        let (src, content, mode) = rendered(&args.src)?;
        let dest = destination(host, &args, &src)?;
        let outcome = Outcome::new().with("src", src);
        if !args.force && host.exists(&dest)? {
            return Ok(outcome
                .with("dest", dest.to_string_lossy())
                .with("msg", "file already exists"));
        }
        let mut file = args.file.clone();
        if file.mode == Some(FileMode::Preserve) {
            file.mode = Some(FileMode::Octal(mode));
        }
        let validate = Validation::optional(args.validate.as_deref())?;
        let placement = Placement {
            dest: &dest,
            args: &file,
            backup: args.backup,
            follow: args.follow,
            validate: validate.as_ref(),
        };
        placement.put(host, &content)?.describe(host, outcome)
    }
}

/// The path of the template as the task has it, the rendered text, and the template's mode.
fn rendered(src: &ControllerTemplate) -> Result<(String, Content, u32)> {
    match &src.0 {
        ControllerFile::Sent { src, entries } => match entries.as_slice() {
            [entry] if let ("", EntryKind::File(index)) = (entry.path.as_str(), &entry.kind) => {
                Ok((src.clone(), Content::Blob(*index), entry.mode))
            }
            _ => Err(Failure::new(format!("`{src}` is a folder, not a template")).arg("src")),
        },
        ControllerFile::Remote(path) => {
            Err(Failure::new(format!("bug: the template `{path}` was not rendered")).arg("src"))
        }
    }
}

/// The file to make: `dest`, or in that folder the template's name.
fn destination(host: &Host, args: &TemplateArgs, src: &str) -> Result<PathBuf> {
    if !path_info::ends_with_slash(&args.dest) && !host.is_dir(&args.dest)? {
        crate::copy::require_parent(host, &args.dest)?;
        return Ok(args.dest.clone());
    }
    host.make_dirs(&args.dest, &FileArgs::default())?;
    let name = src.rsplit('/').next().unwrap_or(src);
    Ok(args.dest.join(name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::This;
    use crate::fixture::{Fixture, on_each_system};

    #[test]
    fn the_rendered_text_goes_to_its_place() {
        on_each_system(|system, root| {
            let host = Fixture::new(system).blob("port = 80\n");
            let src = json!({"src": "app.conf.j2", "entries": [
                {"path": "", "mode": 0o644, "kind": {"file": 0}}]});
            let args = json!({"src": src, "dest": root.join("app.conf"), "mode": "0640",
                "trim_blocks": false});
            let data = host.run::<This>(args.clone()).result.unwrap().data;
            assert_eq!(data["mode"], "0640");
            assert_eq!(data["size"], 10);
            assert_eq!(host.run::<This>(args).changes, []);
            let args = json!({"src": src, "dest": root});
            host.run::<This>(args).result.unwrap();
            let made = root.join("app.conf.j2");
            let text = host.on_host(|h| h.read_text(Path::new(&made)).unwrap());
            assert_eq!(text, "port = 80\n");
        });
    }
}
