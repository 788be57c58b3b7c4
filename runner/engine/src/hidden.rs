//! What a task under `no_log` brought: where later tasks use it, it stays hidden.
//!
//! Knows nothing of how secrets are taken out of texts; that is the redactor's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rplay_template::Redactor;
use serde_json::{Map, Value as Json};

/// The keys of a result that hold what was asked for; the others tell of the task itself.
const BROUGHT: [&str; 5] = ["stdout", "content", "json", "ansible_facts", "user_input"];

/// Shorter texts are no secrets: they would blot out harmless text.
const SHORTEST: usize = 6;

/// As long may a word of small letters be that is no secret: `active`, `succeeded`.
const WORD: usize = 9;

/// Lets nothing of a result show from now on.
pub(crate) fn hide(result: &Map<String, Json>, redactor: &Redactor) {
    for key in BROUGHT {
        if let Some(value) = result.get(key) {
            strings(value, &mut |text| register(text, redactor));
        }
    }
    // A file's content comes in base64.
    let content = result.get("content").and_then(Json::as_str);
    let is_encoded = result.get("encoding").is_some_and(|e| e == "base64");
    if let Some(bytes) = content
        .filter(|_| is_encoded)
        .map(|text| STANDARD.decode(text))
        && let Some(text) = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok())
    {
        register(&text, redactor);
    }
    for item in result
        .get("results")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(item) = item.as_object() {
            hide(item, redactor);
        }
    }
}

fn strings(value: &Json, each: &mut impl FnMut(&str)) {
    match value {
        Json::String(text) => each(text),
        Json::Array(all) => all.iter().for_each(|value| strings(value, each)),
        Json::Object(map) => map.values().for_each(|value| strings(value, each)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn register(text: &str, redactor: &Redactor) {
    let text = text.trim();
    let is_word = text.len() <= WORD && text.bytes().all(|b| b.is_ascii_lowercase());
    if text.len() >= SHORTEST && !is_word {
        redactor.register(text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_hidden_task_brought_does_not_show_and_harmless_words_do() {
        let redactor = Redactor::default();
        let results = [
            json!({"stdout": "tok3n-one\n", "rc": 0, "cmd": "make-token"}),
            json!({"content": "dDBrM24tdHdvCg==", "encoding": "base64"}),
            json!({"json": {"auth": {"token": "tok3n-three"}}, "status": 200}),
            json!({"results": [{"stdout": "tok3n-four"}, {"stdout": "active"}]}),
            json!({"ansible_facts": {"password": "tok3n-five"}}),
        ];
        for result in results {
            hide(result.as_object().unwrap(), &redactor);
        }
        let text = "tok3n-one t0k3n-two tok3n-three tok3n-four tok3n-five active make-token 200";
        let clean = "[secret] [secret] [secret] [secret] [secret] active make-token 200";
        assert_eq!(redactor.redact(text), clean);
    }
}
