//! A password that a server sends back is in no result, as in Ansible's.

use serde_json::{Map, Value};

const STARS: &str = "********";

/// A result without the password; its own keys stay what they are.
pub(super) fn hidden(data: Map<String, Value>, password: &str) -> Map<String, Value> {
    let pair = |(key, value)| (key, without(value, password));
    data.into_iter().map(pair).collect()
}

fn without(value: Value, password: &str) -> Value {
    match value {
        Value::String(text) => text.replace(password, STARS).into(),
        Value::Array(items) => items.into_iter().map(|item| without(item, password)).collect(),
        Value::Object(map) => {
            let pair = |(key, value): (String, Value)| {
                (key.replace(password, STARS), without(value, password))
            };
            Value::Object(map.into_iter().map(pair).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::hidden;

    #[test]
    fn a_password_is_hidden_in_names_and_values_but_not_in_the_results_own_names() {
        let data = json!({"pw": {"args": {"key-pw": ["a pw", 1]}}});
        let got = hidden(data.as_object().unwrap().clone(), "pw");
        assert_eq!(got["pw"]["args"]["key-********"], json!(["a ********", 1]));
    }
}
