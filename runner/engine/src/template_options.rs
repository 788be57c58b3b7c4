//! What a `template` task says of the language: its blocks, its values, its line ends.

use rplay_api::ArgType;
use rplay_template::TextOptions;
use serde_json::{Map, Value as Json};

/// How a `template` task renders and writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Of the language.
    pub text: TextOptions,
    /// Of the file that is made.
    pub encoding: String,
}

/// The options among a task's arguments.
///
/// # Errors
/// The argument at fault, and why.
pub(crate) fn of(args: &Map<String, Json>) -> Result<Options, (&'static str, String)> {
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
    let encoding = match given(args, "output_encoding") {
        Some(value) => encoding(value).map_err(|why| ("output_encoding", why))?,
        None => "utf-8".to_owned(),
    };
    Ok(Options {
        text: options,
        encoding,
    })
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

fn encoding(value: &Json) -> Result<String, String> {
    let name = String::parse_arg(value)?;
    if name.is_empty() {
        return Ok("utf-8".to_owned());
    }
    rplay_template::encoding::encode("", &name).map(|_| name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(args: Json) -> Result<Options, (&'static str, String)> {
        of(args.as_object().unwrap())
    }

    #[test]
    fn marks_blanks_and_line_ends_are_taken() {
        let got = options(json!({"trim_blocks": "no", "variable_start_string": "[[",
            "variable_end_string": "]]", "newline_sequence": "\\r\\n"}))
        .unwrap();
        assert!(!got.text.trim_blocks);
        assert_eq!(got.text.variable, ("[[".to_owned(), "]]".to_owned()));
        assert_eq!(got.text.newline_sequence, "\r\n");
        let plain = options(json!({"dest": "/x"})).unwrap();
        assert_eq!(plain.text, TextOptions::default());
        assert_eq!(plain.encoding, "utf-8");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let (arg, why) = options(json!({"output_encoding": "klingon"})).unwrap_err();
        assert_eq!(arg, "output_encoding");
        assert_eq!(why, "the encoding `klingon` is not known");
    }
}
