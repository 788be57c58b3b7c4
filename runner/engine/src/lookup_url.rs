//! The lookup `url`: the module `uri`, run on the controller.

use rplay_api::{Blobs, Control, Failure, Host, RealSystem, Settings};
use rplay_wire::End;
use serde_json::{Map, Value as Json};

/// What a URL gives, as text; the options are those of the lookup.
///
/// # Errors
/// Why not, in words.
pub(crate) fn fetched(url: &str, options: &Map<String, Json>) -> Result<String, String> {
    let module = rplay_builtin::find("uri").expect("bug: `uri` is a module");
    let mut args = Map::from_iter([
        ("url".to_owned(), url.into()),
        ("return_content".to_owned(), true.into()),
    ]);
    for (name, value) in options {
        let name = match name.as_str() {
            "username" | "password" => format!("url_{name}"),
            // Of the lookup itself.
            "split_lines" | "wantlist" | "errors" | "force" => continue,
            other => other.to_owned(),
        };
        args.insert(name, value.clone());
    }
    module.check_args(&args).map_err(|e| e.to_string())?;
    let control = Control::default();
    let host = Host::new(&RealSystem, &Nothing, &control, Settings::default());
    let data = match host.report(module, &args).end {
        End::Ok { data, .. } => data,
        End::Failed { msg, .. } | End::Unknown { why: msg } => return Err(msg),
        End::Cancelled | End::NotRun => return Err("it was interrupted".to_owned()),
    };
    let data: Json = serde_json::from_str(&data).map_err(|e| e.to_string())?;
    let content = data.get("content").and_then(Json::as_str);
    Ok(content.unwrap_or_default().to_owned())
}

/// No files of the controller: the module runs there.
struct Nothing;

impl Blobs for Nothing {
    fn info(&self, _: u32) -> Option<(String, u64)> {
        None
    }

    fn open(&self, _: u32) -> rplay_api::Result<Box<dyn std::io::Read + Send>> {
        Err(Failure::new("a lookup sends no files"))
    }

    fn push(&self, _: &[u8]) -> rplay_api::Result<()> {
        Err(Failure::new("a lookup fetches no files"))
    }

    fn progress(&self, _: u64, _: Option<u64>) {}
}
