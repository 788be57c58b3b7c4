//! Errors point at the text that is wrong, and say what to do.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::{Source, Style, render};
use rplay_template::{Language, TextOptions, Vars};

use common::{Few, templar, value, vars, yaml};

fn shown(names: &str, text: &str) -> String {
    render(&value(names, text).unwrap_err(), Style::Plain)
}

#[test]
fn a_key_that_is_not_there_is_pointed_at() {
    insta::assert_snapshot!(shown("cfg: {port: 80, hosts: [a]}", "x: 'p {{ cfg.prot }}'"), @"
    error: object of type 'dict' has no attribute 'prot'
     --> vars.yml:1:14
      |
    1 | x: 'p {{ cfg.prot }}'
      |              ^^^^
      |
      = help: did you mean `port`?
    ");
}

#[test]
fn a_missing_key_of_a_missing_key_names_the_first() {
    insta::assert_snapshot!(shown("cfg: {port: 80}", "x: '{{ cfg.tls.cert | upper }}'"), @"
    error: object of type 'dict' has no attribute 'tls'
     --> vars.yml:1:12
      |
    1 | x: '{{ cfg.tls.cert | upper }}'
      |            ^^^
      |
      = help: its keys are `port`
    ");
}

#[test]
fn an_undefined_name_in_a_comparison_is_an_error() {
    insta::assert_snapshot!(shown("cfg: {port: 80}", "x: \"{{ 'a' if cfg.prt == 80 else 'b' }}\""), @r#"
    error: object of type 'dict' has no attribute 'prt'
     --> vars.yml:1:19
      |
    1 | x: "{{ 'a' if cfg.prt == 80 else 'b' }}"
      |                   ^^^
      |
      = help: did you mean `port`?
    "#);
}

#[test]
fn an_unknown_filter_is_named() {
    insta::assert_snapshot!(shown("a: 1", "x: '{{ a | to_jsn }}'"), @"
    error: No filter named 'to_jsn'
     --> vars.yml:1:12
      |
    1 | x: '{{ a | to_jsn }}'
      |            ^^^^^^
      |
      = help: did you mean `to_json`?
    ");
}

#[test]
fn a_bracket_that_is_not_closed_is_found() {
    insta::assert_snapshot!(shown("a: [1]", "x: 'b {{ a[0 }}'"), @"
    error: template syntax: unexpected `}`, expected `]`
     --> vars.yml:1:14
      |
    1 | x: 'b {{ a[0 }}'
      |              ^
    ");
}

#[test]
fn an_unknown_argument_is_named() {
    insta::assert_snapshot!(shown("a: {}", "x: '{{ a | combine({}, recusive=true) }}'"), @"
    error: 'recursive' and 'list_merge' are the only valid keyword arguments, not `recusive`; did you mean `recursive`?
     --> vars.yml:1:12
      |
    1 | x: '{{ a | combine({}, recusive=true) }}'
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn text_and_numbers_have_no_order() {
    insta::assert_snapshot!(shown("v: '8'", "x: '{{ v > 7 }}'"), @"
    error: `>` does not work between a string and an integer; turn the text into a number with `| int`
     --> vars.yml:1:10
      |
    1 | x: '{{ v > 7 }}'
      |          ^^^
    ");
}

#[test]
fn a_loop_of_variables_shows_its_chain() {
    insta::assert_snapshot!(shown("a: '{{ b }}'\nb: {k: '{{ c.d }}'}\nc: {d: '{{ a.k }}'}", "'{{ a.k }}'"), @"
    error: the variable `b.k` refers to itself: `b.k` -> `c.d` -> `b.k`
     --> vars.yml:2:8
      |
    2 | b: {k: '{{ c.d }}'}
      |        ^^^^^^^^^^^
      |
     ::: vars.yml:1:6
      |
    1 | '{{ a.k }}'
      |      -- used here
    ");
}

#[test]
fn a_map_may_name_itself_where_no_part_needs_itself() {
    let names = "a: {x: 1, y: '{{ a.x + 1 }}'}";
    assert_eq!(value(names, "'{{ a.y }}'").unwrap(), 2);
}

#[test]
fn deep_chains_of_variables_are_followed() {
    let mut names = String::from("v0: end\n");
    for i in 1..60 {
        names.push_str(&format!("v{i}: '{{{{ v{} }}}}'\n", i - 1));
    }
    assert_eq!(value(&names, "'{{ v59 }}'").unwrap(), "end");
}

#[test]
fn a_chain_without_end_is_stopped() {
    let mut names = String::from("v0: end\n");
    for i in 1..300 {
        names.push_str(&format!("v{i}: '{{{{ v{} }}}}'\n", i - 1));
    }
    let error = value(&names, "'{{ v299 }}'").unwrap_err();
    assert!(
        error.message.contains("more than 100 variables"),
        "{error:?}"
    );
}

#[test]
fn a_default_stands_in_for_what_rests_on_something_undefined() {
    let names = "a: '{{ nope }}'\nb: {k: '{{ nope }}', ok: 1}\nl: ['{{ nope }}', 2]";
    assert_eq!(value(names, "\"{{ a | default('z') }}\"").unwrap(), "z");
    assert_eq!(value(names, "'{{ a is defined }}'").unwrap(), false);
    assert_eq!(
        value(names, "\"{{ b.k | default('z') }} {{ b.ok }}\"").unwrap(),
        "z 1"
    );
    assert_eq!(
        value(names, "'{{ l | length }} {{ l[1] }}'").unwrap(),
        "2 2"
    );
    assert!(value(names, "'{{ b }}'").is_err());
    assert!(value("e: '{{ 1 / 0 }}'", "\"{{ e | default('z') }}\"").is_err());
}

#[test]
fn a_condition_that_is_no_boolean_says_what_to_write() {
    let vars: Arc<dyn Vars> = Arc::new(vars("x: [1]"));
    let error = templar().condition(&yaml("x"), &vars).unwrap_err();
    insta::assert_snapshot!(render(&error, Style::Plain), @"
    error: the condition is `[1]`, of type list, and not a boolean
     --> vars.yml:1:1
      |
    1 | x
      | ^
      |
      = help: ask for its length: `x | length > 0`; ANSIBLE_ALLOW_BROKEN_CONDITIONALS=1 takes any value as true or false
    ");
}

fn file(name: &str, text: &str, few: Few) -> String {
    let language = if name.ends_with(".hbs") {
        Language::Handlebars
    } else {
        Language::Jinja
    };
    let vars: Arc<dyn Vars> = Arc::new(few);
    let source = Source::new(name, text);
    let error = templar()
        .file(&source, language, TextOptions::default(), &vars)
        .unwrap_err();
    render(&error, Style::Plain)
}

#[test]
fn a_line_of_a_template_is_pointed_at() {
    let text = "#jinja2: lstrip_blocks: True\na\n{% for x in xs %}\n  {{ x.nme }}\n{% endfor %}\n";
    insta::assert_snapshot!(file("a.j2", text, vars("xs: [{name: a}]")), @"
    error: object of type 'dict' has no attribute 'nme'
     --> a.j2:4:8
      |
    4 |   {{ x.nme }}
      |        ^^^
      |
      = help: did you mean `name`?
    ");
}

#[test]
fn a_line_of_an_included_template_is_pointed_at() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("inner.j2"), "one\n{{ cfg.prot }}\n").unwrap();
    let few = Few {
        dir: dir.path().to_owned(),
        ..vars("cfg: {port: 1}")
    };
    insta::assert_snapshot!(file("outer.j2", "x\n{% include 'inner.j2' %}\n", few.clone()), @"
    error: object of type 'dict' has no attribute 'prot'
     --> inner.j2:2:8
      |
    2 | {{ cfg.prot }}
      |        ^^^^
      |
      = help: did you mean `port`?
    ");
    insta::assert_snapshot!(file("outer.j2", "x\n{% include 'nope.j2' %}\n", few), @"
    error: tried to include non-existing template 'nope.j2'
     --> outer.j2:2:4
      |
    2 | {% include 'nope.j2' %}
      |    ^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_variable_that_fails_in_a_handlebars_file_is_pointed_at() {
    insta::assert_snapshot!(file("a.hbs", "x\n{{name}}\n", vars("name: '{{ nope }}'")), @"
    error: 'nope' is undefined
     --> vars.yml:1:11
      |
    1 | name: '{{ nope }}'
      |           ^^^^
      |
     ::: a.hbs:2:1
      |
    2 | {{name}}
      | -------- used here
    ");
    insta::assert_snapshot!(file("a.hbs", "{{cfg.prot}}\n", vars("cfg: {port: 1}")), @"
    error: 'cfg.prot' is undefined
     --> a.hbs:1:1
      |
    1 | {{cfg.prot}}
      | ^^^^^^^^^^^^
      |
      = help: did you mean `port`?
    ");
    insta::assert_snapshot!(file("a.hbs", "{{#if a}}\nx\n", vars("a: 1")), @"
    error: template syntax: this is no good place to end
     --> a.hbs:2:3
      |
    2 | x
      |  ^
      |
      = help: a block (`{{#if ..}}`) before it is not closed, or a `{{` is not
    ");
    insta::assert_snapshot!(file("a.hbs", "{{uper a}}\n", vars("a: x")), @"
    error: there is no helper `uper`
     --> a.hbs:1:1
      |
    1 | {{uper a}}
      | ^^^^^^^^^^
      |
      = help: did you mean `upper`?
    ");
}

#[test]
fn a_bad_header_is_pointed_at() {
    insta::assert_snapshot!(file("a.j2", "#jinja2: trim_block: True\nx\n", vars("a: 1")), @"
    error: there is no setting `trim_block` of a template
     --> a.j2:1:9
      |
    1 | #jinja2: trim_block: True
      |         ^^^^^^^^^^^^^^^^^
    ");
}

/// A host whose `other` is a host whose `other` is the first, as through `hostvars`.
#[derive(Debug, Clone)]
struct Mirror(rplay_template::Templar);

impl Vars for Mirror {
    fn get(&self, name: &str) -> Option<rplay_template::Var> {
        match name {
            "other" => {
                let vars: Arc<dyn Vars> = Arc::new(self.clone());
                Some(rplay_template::Var::Value(self.0.view(&vars)))
            }
            "x" => Some(rplay_template::Var::Raw(Arc::new(yaml("'{{ other }}'")))),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["x".to_owned()]
    }
}

#[test]
fn hosts_that_show_each_other_come_to_an_end() {
    let templar = templar();
    let vars: Arc<dyn Vars> = Arc::new(Mirror(templar.clone()));
    for text in [
        "'{{ other }}'",
        "'a {{ other }}'",
        "'{{ other | to_json }}'",
        "'{{ other.x.x.x }}'",
    ] {
        let value = templar.render(&yaml(text), &vars).unwrap();
        let json = rplay_template::to_json(&value).unwrap().to_string();
        assert!(json.contains("more than 100 variables"), "{text}: {json}");
    }
}

#[test]
fn a_test_of_what_it_cannot_be_asked_of_is_an_error() {
    for mistake in [
        "'1' is even",
        "none is odd",
        "1 is divisibleby('a')",
        "1 is divisibleby(0)",
        "none is exists",
        "[] is file",
        "1 is in('abc')",
        "'abc' is contains(1)",
        "nope is lower",
        "nope is true",
    ] {
        let found = value("a: 1", &format!("x: \"{{{{ {mistake} }}}}\""));
        assert!(found.is_err(), "{mistake} is {found:?}");
    }
}
