//! What ansible-core 2.19.14 makes of the same templates, as `tests/ansible.json` has it.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::Span;
use rplay_template::{Var, Vars, from_json, to_json};
use rplay_yaml::{Kind, Node};
use serde_json::Value as Json;

use common::{Few, templar};

/// Templates that Ansible refuses, or answers otherwise, for a reason: see the text beside each.
const OTHERWISE: &[(&str, &str)] = &[
    (
        r"{{ 'foo42' | regex_search('([a-z]+)(\\d+)', '\\1', '\\2') }}",
        "Ansible fails where groups are asked for and nothing matches; here it is none, as without groups",
    ),
    (
        r"{{ 'foo42' | regex_search('(?P<n>\\d+)', '\\g<n>') }}",
        "the same",
    ),
    (
        "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
        "loop controls are an extension of Jinja that Ansible leaves off",
    ),
    (
        "{% for x in xs %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}",
        "the same",
    ),
    (
        "{% macro m1(a, b=2) %}{{ a }}-{{ b }}-{{ varargs }}-{{ kwargs }}{% endmacro %}{{ m1(1) }}",
        "macros have no varargs and kwargs",
    ),
    (
        "{{ users | map(attribute='g') | flatten | join('-') }} {{ users | json_query('x') }}",
        "a filter of a collection, which the Ansible that was asked had not",
    ),
    (
        "{{ '2021-02-03 04:05:06' | to_datetime }}",
        "a date has no JSON in Ansible; here it is its text",
    ),
    (
        "{{ s.title() }} {{ s.center(9, '*') }} {{ s.count('l') }} {{ s.endswith(('lo', 'x')) }} {{ s.isalpha() }} {{ s.rjust(7) }}| {{ 'a-b-c'.rsplit('-', 1)[0] }} {{ 'A'.lower() }} {{ 'a b'.title() }} {{ 'abc'.capitalize() }} {{ s.encode() | type_debug }}",
        "text stays text when it is encoded",
    ),
    (
        "{{ [3, 1] | symmetric_difference([1, 2]) }} {{ [1, 1, 2] | union([]) }} {{ [1, 1, 2] | intersect([1]) }} {{ [1, 1, 2] | difference([2]) }}",
        "Ansible has no order in it; here it is that of the lists",
    ),
];

fn ours(template: &str, vars: &Arc<dyn Vars>) -> Result<Json, String> {
    let node = Node {
        span: Span::synthetic("case"),
        kind: Kind::Str(template.to_owned()),
    };
    let value = templar().render(&node, vars).map_err(|d| d.message)?;
    to_json(&value).map_err(|trouble| format!("{trouble:?}"))
}

/// Numbers are the same where they are equal: `3` of an integer and of a float.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

#[test]
fn templates_come_to_what_ansible_makes_of_them() {
    let all: Json = serde_json::from_str(include_str!("ansible.json")).unwrap();
    let pairs = all["vars"].as_object().unwrap().iter();
    let vars = pairs
        .map(|(k, v)| (k.clone(), Var::Value(from_json(v))))
        .collect();
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let vars: Arc<dyn Vars> = Arc::new(Few { vars, dir });
    let mut wrong = vec![];
    for case in all["cases"].as_array().unwrap() {
        let template = case["template"].as_str().unwrap();
        if OTHERWISE.iter().any(|(known, _)| *known == template) {
            continue;
        }
        let got = ours(template, &vars);
        let good = match (&got, case.get("want")) {
            (Ok(got), Some(want)) => same(got, want),
            (Err(_), None) => true,
            _ => false,
        };
        if !good {
            let want = case.get("want").unwrap_or(&case["error"]);
            wrong.push(format!("{template}\n   want {want}\n   got  {got:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of the cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
