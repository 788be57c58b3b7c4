//! `rplay doc`: documentation of modules and connections, made from their source.

use std::io::Write;

use rplay_api::{ArgKind, ArgSpec, Doc};
use rplay_engine::{Catalog, connection_page, connection_pages};
use serde_json::{Map, Value as Json, json};

use crate::exit::Exit;

/// Prints the page of a module, or else of a connection.
pub(crate) fn one(name: &str) -> Exit {
    let module = Catalog::find(name).map(|(doc, spec)| page(&doc, &spec));
    if let Some(page) = module.or_else(|| connection_page(name)) {
        return print(&page);
    }
    let all = Catalog::all();
    let near = rplay_diag::did_you_mean(name, all.iter().map(|(d, _)| d.name));
    let near = near
        .map(|n| format!("; did you mean `{n}`?"))
        .unwrap_or_default();
    let _ = writeln!(
        std::io::stderr(),
        "error: there is no module `{name}`{near}"
    );
    Exit::Error
}

/// Prints what there is.
pub(crate) fn all(markdown: bool, schema: bool, connections: bool) -> Exit {
    if schema {
        return print(&tasks_schema().to_string());
    }
    if connections {
        return print(&connection_pages().join("\n"));
    }
    let rows = Catalog::all();
    let rows = rows.iter();
    let text: Vec<String> = if markdown {
        rows.map(|(doc, spec)| page(doc, spec)).collect()
    } else {
        rows.map(|(doc, _)| format!("{:<20} {}", doc.name, doc.summary))
            .collect()
    };
    print(&text.join("\n"))
}

fn print(text: &str) -> Exit {
    // A reader that went away (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{text}");
    Exit::Ok
}

/// A module's page in Markdown.
fn page(doc: &Doc, spec: &[ArgSpec]) -> String {
    let mut out = format!("# {}\n\n{}.\n", doc.name, doc.summary);
    if !doc.aliases.is_empty() {
        out.push_str(&format!("\nAlso called {}.\n", doc.aliases.join(", ")));
    }
    if !doc.description.is_empty() {
        out.push_str(&format!("\n{}\n", doc.description.trim()));
    }
    if !spec.is_empty() {
        out.push_str("\n## Arguments\n\n");
        spec.iter().for_each(|arg| out.push_str(&argument(arg)));
    }
    out.push_str(&format!(
        "\n## Examples\n\n```yaml\n{}\n```\n",
        doc.examples.trim()
    ));
    if !doc.returns.is_empty() {
        out.push_str("\n## Result\n\n");
        for key in doc.returns {
            out.push_str(&format!("- `{}`: {}\n", key.name, key.doc));
        }
    }
    out
}

fn argument(arg: &ArgSpec) -> String {
    let mut notes = vec![kind(arg.kind)];
    if arg.required {
        notes.push("required".to_owned());
    }
    if let Some(default) = arg.default {
        notes.push(format!("default `{default}`"));
    }
    if !arg.aliases.is_empty() {
        notes.push(format!("also `{}`", arg.aliases.join("`, `")));
    }
    format!(
        "- `{}` ({}): {}\n",
        arg.name,
        notes.join(", "),
        arg.doc.replace('\n', " ")
    )
}

fn kind(kind: ArgKind) -> String {
    match kind {
        ArgKind::Str => "text".to_owned(),
        ArgKind::Int => "whole number".to_owned(),
        ArgKind::Float => "number".to_owned(),
        ArgKind::Bool => "bool".to_owned(),
        ArgKind::Path => "path".to_owned(),
        ArgKind::Mode => "mode".to_owned(),
        ArgKind::Choice(words) => format!("one of `{}`", words.join("`, `")),
        ArgKind::List(inner) => format!("list of {}", self::kind(*inner)),
        ArgKind::Dict => "mapping".to_owned(),
        ArgKind::Raw | ArgKind::ControllerForm(..) => "anything".to_owned(),
        ArgKind::ControllerFile => "file on the controller".to_owned(),
        ArgKind::ControllerScript => "program on the controller, and its arguments".to_owned(),
        ArgKind::ControllerTemplate => "template on the controller".to_owned(),
    }
}

/// A JSON schema of the modules' arguments, for editors.
fn tasks_schema() -> Json {
    let modules = Catalog::all().into_iter().map(|(doc, spec)| {
        let arguments: Map<String, Json> = spec
            .iter()
            .map(|arg| {
                let mut schema = kind_schema(arg.kind);
                schema["description"] = arg.doc.into();
                (arg.name.to_owned(), schema)
            })
            .collect();
        let required: Vec<&str> = spec.iter().filter(|a| a.required).map(|a| a.name).collect();
        let mapping = json!({
            "type": "object",
            "description": doc.summary,
            "properties": arguments,
            "required": required,
        });
        let schema = if doc.free_form.is_some() {
            json!({ "anyOf": [{ "type": "string" }, mapping] })
        } else {
            mapping
        };
        (doc.name.to_owned(), schema)
    });
    let modules: Map<String, Json> = modules.collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rplay tasks",
        "type": "array",
        "items": { "type": "object", "properties": modules },
    })
}

fn kind_schema(kind: ArgKind) -> Json {
    match kind {
        ArgKind::Int => json!({ "type": ["integer", "string"] }),
        ArgKind::Float => json!({ "type": ["number", "string"] }),
        ArgKind::Bool => json!({ "type": ["boolean", "string"] }),
        ArgKind::Mode => json!({ "type": ["string", "integer"] }),
        ArgKind::Choice(words) => json!({ "enum": words }),
        ArgKind::List(inner) => {
            json!({ "anyOf": [{ "type": "array", "items": kind_schema(*inner) }, { "type": "string" }] })
        }
        ArgKind::Dict => json!({ "type": ["object", "string"] }),
        ArgKind::Raw | ArgKind::ControllerForm(..) => json!({}),
        ArgKind::Str
        | ArgKind::Path
        | ArgKind::ControllerFile
        | ArgKind::ControllerScript
        | ArgKind::ControllerTemplate => {
            json!({ "type": ["string", "number", "boolean"] })
        }
    }
}
