//! What a dry run cannot know: it spreads to what rests on it, and no further.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::{Diagnostic, Source};
use rplay_template::{
    Decision, Language, Origin, TextOptions, Trouble, Value, Var, Vars, to_json, unknown,
};
use serde_json::json;

use common::{templar, vars, yaml};

fn origin() -> Origin {
    Origin {
        what: "command".into(),
        span: None,
    }
}

/// `result` is known but for `rc` and `stdout`; `all` is not known at all.
fn scope() -> Arc<dyn Vars> {
    let keys = ["rc".to_owned(), "stdout".to_owned()];
    let result = unknown::from_json(&json!({"cmd": "x", "changed": true}), &keys, &origin());
    let mut few = vars(
        "known: 1\nrests: '{{ result.rc }}'\nmap: {a: '{{ result.rc }}', b: 2}\nlist: ['{{ result.rc }}', 5]",
    );
    few.vars.insert("result".into(), Var::Value(result));
    few.vars
        .insert("all".into(), Var::Value(unknown::value(&[origin()])));
    Arc::new(few)
}

fn decide(condition: &str) -> Result<Decision, Diagnostic> {
    let source = Source::new("c", condition);
    let node = rplay_yaml::Node {
        span: rplay_diag::Span::new(source, 0, condition.len()),
        kind: rplay_yaml::Kind::Str(condition.to_owned()),
    };
    templar().condition(&node, &scope())
}

#[test]
fn what_rests_on_an_unknown_is_undecided() {
    for condition in [
        "result.rc == 0",
        "rests == 0",
        "result.rc != 0",
        "result['rc'] in [0, 2]",
        "'x' in result.stdout",
        "result.stdout | length > 0",
        "result.stdout is search('x')",
        "result.stdout.split('a')[0] == 'x'",
        "all.anything.at.all == 1",
        "all is changed",
        "not result.rc",
        "result.rc | int < 3",
        "map.a == 1",
        "list[0] == 1",
        "list | sum > 3",
        "map.values() | list | first == 1",
        "(result.rc | default(3)) == 3",
        "known == 1 and result.rc == 0",
    ] {
        assert_eq!(
            decide(condition),
            Ok(Decision::Unknown(vec![origin()])),
            "{condition}"
        );
    }
}

#[test]
fn what_is_known_stays_decided() {
    for (condition, holds) in [
        ("result.cmd == 'x'", true),
        ("result is changed", true),
        ("result.rc is defined", true),
        ("result.nope is defined", false),
        ("result is defined", true),
        ("all is defined", true),
        ("known == 2 and result.rc == 0", false),
        ("known == 1 or result.rc == 0", true),
        ("map.b == 2", true),
        ("list[1] == 5", true),
        ("list | length == 2", true),
        ("rests is defined and known == 1", true),
    ] {
        assert_eq!(decide(condition), Ok(Decision::from(holds)), "{condition}");
    }
}

#[test]
fn a_list_of_conditions_is_decided_by_one_that_fails() {
    let condition = yaml("[result.rc == 0, known == 2]");
    assert_eq!(
        templar().condition(&condition, &scope()),
        Ok(Decision::False)
    );
}

fn rendered(text: &str) -> Value {
    templar().render(&yaml(text), &scope()).unwrap()
}

#[test]
fn a_text_with_an_unknown_is_unknown() {
    let value = rendered("'rc is {{ result.rc }}'");
    assert_eq!(to_json(&value), Err(Trouble::Unknown(vec![origin()])));
}

#[test]
fn a_mapping_keeps_what_is_known_of_it() {
    for text in ["{a: '{{ result.rc }}', b: 2}", "'{{ map }}'"] {
        let value = rendered(text);
        assert_eq!(unknown::origins(&value), None, "{text}");
        assert_eq!(value.get_attr("b").unwrap(), Value::from(2));
        let part = value.get_attr("a").unwrap();
        assert_eq!(unknown::origins(&part), Some(vec![origin()]));
    }
}

#[test]
fn a_value_computed_from_an_unknown_is_not_made_up() {
    let value = rendered("\"{{ {'ok': result.rc == 0} }}\"");
    assert_eq!(unknown::origins(&value), Some(vec![origin()]));
}

fn file(name: &str, text: &str) -> (String, usize) {
    let language = if name.ends_with(".hbs") {
        Language::Handlebars
    } else {
        Language::Jinja
    };
    let source = Source::new(name, text);
    let (text, origins) = templar()
        .file(&source, language, TextOptions::default(), &scope())
        .unwrap();
    (text, origins.len())
}

#[test]
fn the_known_part_of_a_file_is_shown() {
    assert_eq!(
        file("a.j2", "a {{ known }}\n{{ result.rc }}\n"),
        ("a 1\n⟨unknown⟩\n".into(), 1)
    );
    assert_eq!(
        file("a.hbs", "a {{known}}\n{{result.rc}}\n"),
        ("a 1\n⟨unknown⟩\n".into(), 1)
    );
    assert_eq!(file("a.hbs", "{{result.cmd}} {{map.b}}"), ("x 2".into(), 0));
    assert_eq!(
        file("a.hbs", "{{#each list}}{{this}} {{/each}}"),
        ("⟨unknown⟩ 5 ".into(), 1)
    );
    assert_eq!(file("a.j2", "{{ result.rc + 1 }}"), ("⟨unknown⟩".into(), 1));
}
