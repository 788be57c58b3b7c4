//! What values are marked with.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use serde_json::{Value as Json, json};

use common::value;

const NAMES: &str = "text: plain\nraw: !unsafe plain\nlist: [plain, 1]\nvia: '{{ text }}'\n";

fn rendered(expression: &str) -> Json {
    value(NAMES, &format!("\"{{{{ {expression} }}}}\"")).unwrap()
}

fn is_trusted(expression: &str) -> bool {
    let test = "is ansible._protomatter.tagged_with('TrustedAsTemplate')";
    rendered(&format!("({expression}) {test}")) == json!(true)
}

#[test]
fn text_of_a_playbook_is_trusted_until_something_is_made_of_it() {
    for own in [
        "text",
        "list[0]",
        "text | default('x')",
        "[text][0]",
        "{'k': text}.k",
        "raw | ansible._protomatter.apply_trust",
        "([text] | ansible._protomatter.finalize)[0]",
    ] {
        assert!(is_trusted(own), "{own}");
    }
    for made in [
        "raw",
        "list",
        "list[1]",
        "text | upper",
        "text ~ 'x'",
        "text | to_json | from_json",
        "'literal'",
        "([raw] | ansible._protomatter.finalize)[0]",
    ] {
        assert!(!is_trusted(made), "{made}");
    }
}

#[test]
fn the_marks_that_are_kept_are_listed() {
    let of = |name: &str| rendered(&format!("{name} | ansible._protomatter.tag_names"));
    assert_eq!(of("text"), json!(["TrustedAsTemplate"]));
    assert_eq!(of("raw"), json!([]));
    assert_eq!(rendered("text is ansible._protomatter.tagged"), json!(true));
    assert_eq!(rendered("raw is ansible._protomatter.tagged"), json!(false));
}

#[test]
fn a_mark_that_is_not_kept_and_one_that_nobody_knows_are_errors() {
    let wrong = |tag: &str| {
        let test = format!("\"{{{{ text is ansible._protomatter.tagged_with('{tag}') }}}}\"");
        value(NAMES, &test).unwrap_err().message
    };
    assert!(wrong("Origin").contains("does not keep the tag `Origin`"));
    assert!(wrong("Nope").contains("Unknown tag name 'Nope'"));
}

#[test]
fn what_is_finalized_is_as_a_variable_keeps_it() {
    assert_eq!(
        rendered("(('a', 1), omit, {'k': text}) | ansible._protomatter.finalize"),
        json!([["a", 1], {"k": "plain"}])
    );
    assert_eq!(
        rendered("('a', 1) | ansible._protomatter.finalize | ansible._protomatter.true_type"),
        json!("list")
    );
}

#[test]
fn json_of_a_playbook_keeps_its_trust_with_a_profile_that_has_marks() {
    let names = r#"
own: '{"a": ["x"], "b": {"__ansible_unsafe": "y"}, "c": {"__ansible_unsafe": "y", "d": 1}}'
data: !unsafe '{"a": ["x"]}'
"#;
    let rendered = |expression: &str| value(names, &format!("\"{{{{ {expression} }}}}\"")).unwrap();
    let test = "is ansible._protomatter.tagged_with('TrustedAsTemplate')";
    let trusted = |expression: &str| rendered(&format!("({expression}) {test}")) == json!(true);
    assert_eq!(
        rendered("own | from_json(profile='legacy')"),
        json!({"a": ["x"], "b": "y", "c": {"__ansible_unsafe": "y", "d": 1}})
    );
    assert!(trusted(
        "(own | from_json(profile='inventory_legacy')).a[0]"
    ));
    assert!(!trusted("(own | from_json(profile='legacy')).b"));
    assert!(!trusted("(own | from_json).a[0]"));
    assert!(!trusted("(data | from_json(profile='legacy')).a[0]"));
    let closed =
        "{{ '{\\\"__ansible_vault\\\": \\\"$ANSIBLE_VAULT;x\\\"}' | from_json(profile='legacy') }}";
    let closed = value(names, &format!("\"{closed}\"")).unwrap();
    assert_eq!(closed, json!("$ANSIBLE_VAULT;x"));
    let unknown = value(names, "\"{{ own | from_json(profile='bogus') }}\"").unwrap_err();
    assert!(unknown.message.contains("Unknown profile name 'bogus'"));
}

#[test]
fn a_tuple_is_one_for_python_and_a_list_where_it_is_shown() {
    let shown = |text: &str| value(NAMES, &format!("\"{text}\"")).unwrap();
    assert_eq!(shown("{{ (1, 2) | string }}"), json!("(1, 2)"));
    assert_eq!(shown("{{ (1,) ~ '' }}"), json!("(1,)"));
    assert_eq!(shown("x {{ (1, [2]) }}"), json!("x [1, [2]]"));
    let group = "([{'a': 1}] | groupby('a'))[0]";
    assert_eq!(
        shown(&format!("{{{{ {group} | string }}}}")),
        json!("(1, [{'a': 1}])")
    );
    assert_eq!(shown(&format!("{{{{ {group}.grouper }}}}")), json!(1));
    assert_eq!(shown(&format!("{{{{ {group}.list[0].a }}}}")), json!(1));
}
