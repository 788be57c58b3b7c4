//! What a `template` task says of the language: its blocks, its values, its line ends.

use rplay_api::ArgType;
use rplay_template::TextOptions;
use serde_json::{Map, Value as Json};

/// The options among a task's arguments.
///
/// # Errors
/// The argument at fault, and why.
pub(crate) fn of(args: &Map<String, Json>) -> Result<TextOptions, (&'static str, String)> {
    let mut options = TextOptions::default();
    for (name, option) in [
        ("trim_blocks", &mut options.trim_blocks),
        ("lstrip_blocks", &mut options.lstrip_blocks),
    ] {
        if let Some(value) = given(args, name) {
            *option = bool::parse_arg(value).map_err(|why| (name, why))?;
        }
    }
    for (name, mark) in [
        ("block_start_string", &mut options.block.0),
        ("block_end_string", &mut options.block.1),
        ("variable_start_string", &mut options.variable.0),
        ("variable_end_string", &mut options.variable.1),
        ("comment_start_string", &mut options.comment.0),
        ("comment_end_string", &mut options.comment.1),
    ] {
        if let Some(value) = given(args, name) {
            *mark = String::parse_arg(value).map_err(|why| (name, why))?;
        }
    }
    if let Some(value) = given(args, "newline_sequence") {
        options.newline_sequence = newline(value).map_err(|why| ("newline_sequence", why))?;
    }
    if let Some(value) = given(args, "output_encoding") {
        encoding(value).map_err(|why| ("output_encoding", why))?;
    }
    Ok(options)
}

fn given<'a>(args: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    args.get(name).filter(|value| !value.is_null())
}

fn newline(value: &Json) -> Result<&'static str, String> {
    match String::parse_arg(value)?.as_str() {
        "\n" | "\\n" => Ok("\n"),
        "\r" | "\\r" => Ok("\r"),
        "\r\n" | "\\r\\n" => Ok("\r\n"),
        other => Err(format!("`{other}` is not one of `\\n`, `\\r`, `\\r\\n`")),
    }
}

fn encoding(value: &Json) -> Result<(), String> {
    let name = String::parse_arg(value)?;
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(()),
        _ => Err(format!("`{name}` is not written here: only `utf-8` is")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(args: Json) -> Result<TextOptions, (&'static str, String)> {
        of(args.as_object().unwrap())
    }

    #[test]
    fn marks_blanks_and_line_ends_are_taken() {
        let got = options(json!({"trim_blocks": "no", "variable_start_string": "[[",
            "variable_end_string": "]]", "newline_sequence": "\\r\\n"}))
        .unwrap();
        assert!(!got.trim_blocks);
        assert_eq!(got.variable, ("[[".to_owned(), "]]".to_owned()));
        assert_eq!(got.newline_sequence, "\r\n");
        assert_eq!(
            options(json!({"dest": "/x"})).unwrap(),
            TextOptions::default()
        );
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let (arg, why) = options(json!({"output_encoding": "latin-1"})).unwrap_err();
        assert_eq!(arg, "output_encoding");
        assert_eq!(why, "`latin-1` is not written here: only `utf-8` is");
    }
}
