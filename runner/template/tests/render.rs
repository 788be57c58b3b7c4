//! Nodes, conditions and files through the public API.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Style, render};
use rplay_template::{Decision, Language, Origin, TextOptions, Var, Vars, unknown};
use serde_json::json;

use common::{Few, templar, value, vars, yaml};

fn shown(names: &str, text: &str) -> String {
    render(&value(names, text).unwrap_err(), Style::Plain)
}

#[test]
fn one_expression_keeps_its_type() {
    assert_eq!(value("xs: [1, 2]", "\"{{ xs }}\"").unwrap(), json!([1, 2]));
    assert_eq!(value("n: 3", "\"{{ n + 1 }}\"").unwrap(), json!(4));
    assert_eq!(
        value("n: 3", "\"{{ n }} of {{ n }}\"").unwrap(),
        json!("3 of 3")
    );
}

#[test]
fn variables_are_rendered_when_they_are_used() {
    let names = "a: '{{ b }}-x'\nb: '{{ c }}'\nc: 1\nd: {ok: yes, bad: '{{ nope }}'}";
    assert_eq!(value(names, "'{{ a }}'").unwrap(), json!("1-x"));
    assert_eq!(value(names, "'{{ d.ok }}'").unwrap(), json!(true));
}

#[test]
fn all_variables_are_one_mapping() {
    let names = "a_x: '{{ b }}'\nb: 2\nwhich: x";
    assert_eq!(
        value(names, "\"{{ vars['a_' ~ which] }}\"").unwrap(),
        json!(2)
    );
}

#[test]
fn all_variables_can_be_shown_though_one_is_broken() {
    let names = "good: 1\nbad: '{{ nope }}'\nself: '{{ vars }}'";
    let shown = value(names, "'{{ vars }}'").unwrap();
    assert_eq!(shown["good"], json!(1));
    assert_eq!(shown["bad"], json!("<< error: 'nope' is undefined >>"));
}

#[test]
fn a_key_is_no_template() {
    assert_eq!(
        value("x: 1", "{'{{ x }}': '{{ x }}'}").unwrap(),
        json!({"{{ x }}": 1})
    );
}

#[test]
fn values_print_as_python_prints_them() {
    let names = "t: yes\nl: [a, 1, yes]\nm: {k: v}";
    assert_eq!(
        value(names, "'x {{ t }} {{ l }} {{ m }}'").unwrap(),
        json!("x True ['a', 1, True] {'k': 'v'}")
    );
}

#[test]
fn an_undefined_key_may_have_a_default() {
    assert_eq!(
        value("a: {}", "\"{{ a.b.c | default('x') }}\"").unwrap(),
        json!("x")
    );
    assert_eq!(
        value("a: 1", "\"{{ nope.b | default('x') }}\"").unwrap(),
        json!("x")
    );
}

#[test]
fn an_undefined_name_is_pointed_at() {
    insta::assert_snapshot!(shown("etcd_version: 3", "path: /x\nurl: 'v{{ etcd_versoin }}'"), @"
    error: 'etcd_versoin' is undefined
     --> vars.yml:2:11
      |
    2 | url: 'v{{ etcd_versoin }}'
      |           ^^^^^^^^^^^^
      |
      = help: did you mean `etcd_version`?
    ");
}

#[test]
fn an_error_inside_a_variable_points_at_it_and_at_its_use() {
    insta::assert_snapshot!(shown("a: '{{ nope }}'", "url: '{{ a }}'"), @"
    error: 'nope' is undefined
     --> vars.yml:1:8
      |
    1 | a: '{{ nope }}'
      |        ^^^^
      |
     ::: vars.yml:1:10
      |
    1 | url: '{{ a }}'
      |          - used here
    ");
}

#[test]
fn a_loop_of_variables_is_an_error() {
    let error = value("a: '{{ b }}'\nb: '{{ a }}'", "'{{ a }}'").unwrap_err();
    assert!(error.message.contains("refers to itself"), "{error:?}");
}

fn decide(few: Few, condition: &str) -> Result<Decision, Diagnostic> {
    let vars: Arc<dyn Vars> = Arc::new(few);
    templar().condition(&yaml(condition), &vars)
}

#[test]
fn a_literal_of_a_condition_may_be_a_template_and_keeps_its_type() {
    let holds = |condition: &str| decide(vars("{x: one, xs: [1, 2]}"), condition);
    assert_eq!(holds("\"x == '{{ x }}'\""), Ok(Decision::True));
    assert_eq!(holds("\"xs == '{{ xs }}'\""), Ok(Decision::True));
    assert_eq!(holds("\"'no-{{ x }}' in ['no-one']\""), Ok(Decision::True));
    assert_eq!(holds("\"{{ x == 'one' }}\""), Ok(Decision::True));
    let said = |condition: &str| holds(condition).unwrap_err();
    assert_eq!(said("\"x == '{{ y }}'\"").message, "'y' is undefined");
    assert!(said("\"{{ x }} == 'one'\"").help[0].contains("without `{{ }}`"));
}

#[test]
fn data_is_no_condition_even_where_a_literal_is_made_of_it() {
    let few = vars("{x: \"1 == 1 or lookup('pipe', 'id')\"}");
    assert_eq!(decide(few, "\"'{{ x }}' == 'y'\""), Ok(Decision::False));
}

#[test]
fn conditions_are_booleans() {
    assert_eq!(decide(vars("x: 3"), "x == 3"), Ok(Decision::True));
    assert_eq!(decide(vars("x: 3"), "[x == 3, x > 4]"), Ok(Decision::False));
    assert_eq!(decide(vars("x: 3"), "y is defined"), Ok(Decision::False));
    assert!(
        decide(vars("x: some"), "x")
            .unwrap_err()
            .message
            .contains("not a boolean")
    );
    assert!(decide(vars("x: some"), "y == 1").is_err());
}

fn with_unknown() -> (Few, Origin) {
    let origin = Origin {
        what: "command".into(),
        span: None,
    };
    let result = unknown::from_json(&json!({"rc": 0, "cmd": "x"}), &["rc".into()], &origin);
    let mut few = vars("known: 1");
    few.vars.insert("result".into(), Var::Value(result));
    (few, origin)
}

#[test]
fn what_touches_an_unknown_is_undecided() {
    let undecided = || Ok(Decision::Unknown(vec![with_unknown().1]));
    assert_eq!(decide(with_unknown().0, "result.rc == 0"), undecided());
    assert_eq!(
        decide(with_unknown().0, "result.cmd == 'x'"),
        Ok(Decision::True)
    );
    assert_eq!(
        decide(with_unknown().0, "known == 2 and result.rc == 0"),
        Ok(Decision::False)
    );
}

fn file(name: &str, text: &str, few: Few) -> Result<(String, Vec<Origin>), Diagnostic> {
    let language = if name.ends_with(".hbs") {
        Language::Handlebars
    } else {
        Language::Jinja
    };
    let vars: Arc<dyn Vars> = Arc::new(few);
    templar().file(
        &Source::new(name, text),
        language,
        TextOptions::default(),
        &vars,
    )
}

#[test]
fn a_jinja_file_has_ansibles_whitespace() {
    let (text, _) = file(
        "a.j2",
        "{% for x in xs %}\n- {{ x }}\n{% endfor %}\nend\n",
        vars("xs: [a, b]"),
    )
    .unwrap();
    assert_eq!(text, "- a\n- b\nend\n");
}

#[test]
fn a_handlebars_file_is_strict() {
    let (text, _) = file(
        "a.hbs",
        "n={{n}} {{#each xs}}{{this}}{{#unless @last}},{{/unless}}{{/each}}\n",
        vars("xs: [a, b]\nn: '{{ xs | length }}'"),
    )
    .unwrap();
    assert_eq!(text, "n=2 a,b\n");
    let error = file("a.hbs", "x\nn={{etcd_nam}}\n", vars("etcd_name: z")).unwrap_err();
    insta::assert_snapshot!(render(&error, Style::Plain), @"
    error: 'etcd_nam' is undefined
     --> a.hbs:2:3
      |
    2 | n={{etcd_nam}}
      |   ^^^^^^^^^^^^
      |
      = help: did you mean `etcd_name`?
    ");
}

#[test]
fn the_known_part_of_a_file_is_shown() {
    let (text, origins) = file("a.j2", "a\n{{ result.rc }}\n", with_unknown().0).unwrap();
    assert_eq!((text.as_str(), origins.len()), ("a\n⟨unknown⟩\n", 1));
}

#[test]
fn filters_of_ansible_are_there() {
    let cases = [
        ("{{ [1, [2, [3]]] | flatten }}", json!([1, 2, 3])),
        (
            "{{ {'a': 1} | combine({'b': 2}) }}",
            json!({"a": 1, "b": 2}),
        ),
        (
            "{{ 'a-b' | regex_replace('(.)-(.)', '\\\\2-\\\\1') }}",
            json!("b-a"),
        ),
        ("{{ 'yes' | bool }}", json!(true)),
        ("{{ '/a/b.txt' | basename }}", json!("b.txt")),
        (
            "{{ {'a': 1} | dict2items }}",
            json!([{"key": "a", "value": 1}]),
        ),
        ("{{ 'x' | b64encode | b64decode }}", json!("x")),
        ("{{ {'a': [1]} | to_json }}", json!("{\"a\": [1]}")),
        ("{{ '3.5.4' is version('3.6', '<') }}", json!(true)),
        ("{{ 'abc'.upper() }}", json!("ABC")),
        ("{{ [3, 1] | sort | first }}", json!(1)),
        ("{{ [1, 2] + [3] }}", json!([1, 2, 3])),
        ("{{ 'a,b'.split(',') }}", json!(["a", "b"])),
        ("{{ ['a', 'b'] | map('upper') | list }}", json!(["A", "B"])),
        ("{{ 5 if true else 6 }}", json!(5)),
        ("{{ 'x' ~ 1 }}", json!("x1")),
        ("{{ ['b'] | union(['a', 'b']) }}", json!(["b", "a"])),
        (
            "{{ ['k'] | map('extract', {'k': {'n': 5}}, 'n') | list }}",
            json!([5]),
        ),
        (
            "{{ ['k'] | map('extract', {'k': {'n': {'m': 5}}}, ['n', 'm']) | list }}",
            json!([5]),
        ),
    ];
    for (text, want) in cases {
        let quoted = format!("\"{}\"", text.replace('"', "\\\""));
        assert_eq!(value("x: 1", &quoted).unwrap(), want, "{text}");
    }
}

#[test]
fn an_item_without_the_attribute_is_an_error_unless_the_test_asks_that() {
    let names = "us: [{n: b, u: 2}, {n: a, u: 1}, {n: c}]";
    for text in [
        "{{ us | map(attribute='u') | list }}",
        "{{ us | selectattr('u', '>', 1) | list }}",
        "{{ us | rejectattr('u') | list }}",
        "{{ us | sort(attribute='u') }}",
        "{{ us | groupby('u') }}",
    ] {
        let error = value(names, &format!("\"{text}\"")).unwrap_err();
        assert_eq!(
            error.message, "object of type 'dict' has no attribute 'u'",
            "{text}"
        );
    }
    for (text, want) in [
        (
            "us | map(attribute='u', default=0) | list",
            json!([2, 1, 0]),
        ),
        (
            "us | selectattr('u', 'defined') | map(attribute='n')",
            json!(["b", "a"]),
        ),
        (
            "us | selectattr('u', 'undefined') | map(attribute='n')",
            json!(["c"]),
        ),
        (
            "us | sort(attribute='n', reverse=true) | map(attribute='n')",
            json!(["c", "b", "a"]),
        ),
        ("['b', 'A'] | sort(true)", json!(["b", "A"])),
        (
            "['b', 'A'] | map('replace', 'b', 'c') | map('upper')",
            json!(["C", "A"]),
        ),
    ] {
        assert_eq!(
            value(names, &format!("\"{{{{ {text} }}}}\"")).unwrap(),
            want,
            "{text}"
        );
    }
}

#[test]
fn what_is_undefined_equals_nothing() {
    for test in ["eq 1", "gt 1", "in [1]", "equalto 'x'"] {
        let error = value("a: 1", &format!("\"{{{{ nope is {test} }}}}\"")).unwrap_err();
        assert_eq!(error.message, "'nope' is undefined", "{test}");
    }
}

#[test]
fn nearly_any_text_is_a_uri_and_few_are_urls() {
    for (text, want) in [
        ("'word' is uri", true),
        ("'word' is uri(['http'])", false),
        ("'HTTP://h/p' is url(['http'])", true),
        ("'mailto:a@b' is url", false),
        ("'URN:isbn:1' is urn", true),
    ] {
        assert_eq!(
            value("a: 1", &format!("\"{{{{ {text} }}}}\"")).unwrap(),
            want,
            "{text}"
        );
    }
}

#[test]
fn what_is_no_job_is_finished() {
    let names = "plain: {rc: 0}\njob: {started: 1, finished: 0}";
    let asked = "'{{ plain is finished }} {{ plain is started }} {{ job is finished }} {{ job is started }}'";
    assert_eq!(value(names, asked).unwrap(), "True True False True");
}

#[test]
fn bytes_pass_through_a_text() {
    let asked = "\"{{ '/+kB/w==' | b64decode | b64encode }}\"";
    assert_eq!(value("a: 1", asked).unwrap(), "/+kB/w==");
}

#[test]
fn a_template_may_change_what_it_made_wherever_that_is() {
    let names = "xs: [1]\nm: {a: 1}";
    for (text, want) in [
        (
            "{% set n = namespace(all=[]) %}{% set _ = n.all.append(1) %}{{ n.all }}",
            "[1]",
        ),
        (
            "{% set d = {'a': []} %}{% set _ = d['a'].append(1) %}{{ d }}",
            "{'a': [1]}",
        ),
        (
            "{% set l = xs | list %}{% set _ = l.append(2) %}{{ l }} {{ xs }}",
            "[1, 2] [1]",
        ),
        (
            "{% set l = no | default([]) %}{% do l.append(2) %}{{ l }}",
            "[2]",
        ),
        (
            "{% set l = [] if m else [9] %}{% set k = l | default([]) %}{% do k.append(2) %}{{ l }}",
            "[2]",
        ),
        (
            "{% set d = {} %}{% do d.setdefault('k', []).append(1) %}{{ d }}",
            "{'k': [1]}",
        ),
        (
            "{% set d = {} %}{{ d.setdefault('k', []).append(1) or '' }}{{ d }}",
            "{'k': [1]}",
        ),
        (
            "{% set l = [] %}{% do l.append({'n': []}) %}{% do l[0].n.append(1) %}{{ l }}",
            "[{'n': [1]}]",
        ),
        (
            "{% set d = dict(a=1) %}{% do d.update({'b': 2}) %}{{ d }}",
            "{'a': 1, 'b': 2}",
        ),
    ] {
        // The blanks keep it a text.
        let got = value(names, &format!("\"x{}\"", text.replace('"', "\\\""))).unwrap();
        assert_eq!(got, json!(format!("x{want}")), "{text}");
    }
}

/// As with ansible-core 2.19: under every name that it has in the template, and nowhere else.
#[test]
fn a_template_may_change_its_view_of_a_variable() {
    let names = "xs: [{a: 1}, {b: 2}]\nm: {k: {z: 1}, l: [1]}\np: \"{{ [1, 2] }}\"\nlazy: {bad: \"{{ nowhere }}\", l: [1]}";
    for (text, want) in [
        (
            "{% for e in xs %}{% set f = e %}{% set _ = f.update({'n': 9}) %}{{ f }}{% endfor %} {{ xs }}",
            "{'a': 1, 'n': 9}{'b': 2, 'n': 9} [{'a': 1, 'n': 9}, {'b': 2, 'n': 9}]",
        ),
        (
            "{% set _ = m.k.update(n=9) if false else m.l.append(9) %}{{ m }}",
            "{'k': {'z': 1}, 'l': [1, 9]}",
        ),
        (
            "{% set q = p %}{% set _ = q.append(9) %}{{ q }} {{ p }}",
            "[1, 2, 9] [1, 2, 9]",
        ),
        (
            "{{ xs.append(9) or '' }}{{ xs }}",
            "[{'a': 1}, {'b': 2}, 9]",
        ),
        (
            "{% set q = m.get('l', []) %}{% set _ = q.append(9) %}{{ q }} {{ m }}",
            "[1, 9] {'k': {'z': 1}, 'l': [1, 9]}",
        ),
        (
            "{% set q = lookup('flattened', xs) %}{% for e in q %}{% set _ = e.update({'n': 9}) %}{% endfor %}{{ q }}",
            "[{'a': 1, 'n': 9}, {'b': 2, 'n': 9}]",
        ),
        (
            "{% for k, v in m.items() %}{% if v is mapping %}{% set _ = v.update({'n': 9}) %}{% endif %}{% endfor %}{{ m }}",
            "{'k': {'z': 1, 'n': 9}, 'l': [1]}",
        ),
        (
            "{% set _ = xs[0].update({'n': 9}) %}{{ xs }}",
            "[{'a': 1, 'n': 9}, {'b': 2}]",
        ),
        (
            "{% set q = xs.copy() %}{% set _ = q.append(1) %}{{ q }}{{ xs }}",
            "[{'a': 1}, {'b': 2}, 1][{'a': 1}, {'b': 2}]",
        ),
        (
            "{% set q = namespace(l=xs) %}{% set _ = q.l.pop() %}{{ q.l }}{{ xs }}",
            "[{'a': 1}][{'a': 1}]",
        ),
        (
            "{% macro f(x) %}{% set _ = x.append(1) %}{{ x | length }}{% endmacro %}{{ f(xs) }}{{ xs | length }}",
            "33",
        ),
        (
            "{% set _ = m.k.update([['y', 2]]) %}{% set _ = m.k.pop('z') %}{{ m.k }}",
            "{'y': 2}",
        ),
        (
            "{% set q = xs + [{'c': 3}] %}{% for e in q %}{% set _ = e.update({'n': 9}) %}{% endfor %}{{ q }}",
            "[{'a': 1, 'n': 9}, {'b': 2, 'n': 9}, {'c': 3, 'n': 9}]",
        ),
        (
            "{% set q = xs + [3] %}{% set _ = q.append(4) %}{{ q | length }} {{ xs | length }}",
            "4 2",
        ),
        ("{% set _ = lazy.l.append(2) %}{{ lazy.l }}", "[1, 2]"),
    ] {
        let got = value(names, &format!("\"x{}\"", text.replace('"', "\\\""))).unwrap();
        assert_eq!(got, json!(format!("x{want}")), "{text}");
        assert_eq!(
            value(names, "'{{ xs }} {{ m }}'").unwrap(),
            "[{'a': 1}, {'b': 2}] {'k': {'z': 1}, 'l': [1]}"
        );
    }
}

/// Each as ansible-core 2.19 makes it.
#[test]
fn a_comment_ends_as_its_parts_say() {
    for (call, want) in [
        ("comment", "#\n# a\n#\n# b\n#"),
        ("comment(prefix='', postfix='')", "# a\n#\n# b\n"),
        (
            "comment('plain', beginning='b', end='e', prefix='', postfix='')",
            "b\n# a\n#\n# b\n\ne",
        ),
        (
            "comment('plain', prefix='#######', postfix='#####', postfix_count=2)",
            "#######\n# a\n#\n# b\n#####\n#####",
        ),
        ("comment('cblock')", "/*\n *\n * a\n *\n * b\n *\n */"),
        ("comment(prefix=nl, prefix_count=2)", "\n\n# a\n#\n# b\n#"),
        (
            "comment(postfix=nl, postfix_count=2)",
            "#\n# a\n#\n# b\n\n\n\n",
        ),
        ("comment(postfix='x', postfix_count=0)", "#\n# a\n#\n# b"),
    ] {
        let names = "t: \"a\\n\\nb\"\nnl: \"\\n\"";
        let got = value(names, &format!("\"{{{{ t | {call} }}}}\"")).unwrap();
        assert_eq!(got, json!(want), "{call}");
    }
    assert_eq!(
        value("t: \"a\\n\"", "'{{ t | comment }}'").unwrap(),
        json!("#\n# a\n# \n#")
    );
}

/// As with ansible-core 2.19.
#[test]
fn nothing_is_no_list_but_has_no_items_to_choose_from() {
    for text in [
        "{% for x in n %}{% endfor %}",
        "{% for x in (n or n) %}{% endfor %}",
        "{{ n | list }}",
        "{{ n | sort }}",
    ] {
        let failed = value("n: null", &format!("\"x{text}\"")).unwrap_err();
        assert!(
            failed
                .to_string()
                .contains("'NoneType' object is not iterable"),
            "{text}"
        );
    }
    for text in [
        "n | map('upper') | list",
        "n | selectattr('a') | list",
        "n | reject('none') | list",
    ] {
        assert_eq!(
            value("n: null", &format!("\"x{{{{ {text} }}}}\"")).unwrap(),
            json!("x[]"),
            "{text}"
        );
    }
}

#[test]
fn a_macro_may_take_more_than_it_names() {
    let kv = "{% macro kv(k, v='none') %}{{ k }}={{ v }} {{ varargs }} {{ kwargs | dictsort }}{% endmacro %}";
    for (call, want) in [
        ("{{ kv('a') }}", "a=none [] []"),
        (
            "{{ kv('a', 1, 2, 3, z=1, y=2) }}",
            "a=1 [2, 3] [['y', 2], ['z', 1]]",
        ),
        ("{{ kv(k='a', v=2) }}", "a=2 [] []"),
    ] {
        let got = value("", &format!("\"x{kv}{call}\"")).unwrap();
        assert_eq!(got, json!(format!("x{want}")), "{call}");
    }
    let none = "x{% macro all() -%} {{ varargs | join('+') }}{{ caller() }} {%- endmacro %}{% call all(1, 2) %}!{% endcall %}";
    assert_eq!(value("", &format!("\"{none}\"")).unwrap(), json!("x1+2!"));
    let strict = "x{% macro one(a) %}{{ a }}{% endmacro %}{{ one(1, 2) }}";
    assert!(value("", &format!("\"{strict}\"")).is_err());
}

#[test]
fn a_condition_in_braces_that_is_no_text_is_told() {
    let vars: Arc<dyn Vars> = Arc::new(vars("yes_: true\ntext: yes_\n"));
    let braces = |condition: &str| {
        let node = yaml(condition);
        let judged = templar().judge(&node, &vars).unwrap();
        assert_eq!(judged.decision, Decision::True, "{condition}");
        let places = judged.braces.iter().map(ToString::to_string);
        places.collect::<Vec<_>>()
    };
    assert!(braces("yes_").is_empty());
    assert!(braces("'{{ text }}'").is_empty());
    assert_eq!(braces("'{{ yes_ }}'").len(), 1);
    assert_eq!(braces("['{{ yes_ }}', yes_, '{{ yes_ }}']").len(), 2);
}

#[test]
fn what_is_safe_in_html_is_no_expression() {
    let names = "data: !unsafe '1 == 1'\nplay: 1 == 1";
    for made in ["data", "data | safe", "data | escape", "data | tojson"] {
        let condition = format!("\"{{{{ {made} }}}}\"");
        let wrong = decide(vars(names), &condition).unwrap_err();
        assert!(wrong.message.contains("untrusted"), "{made}: {wrong:?}");
    }
    assert_eq!(
        decide(vars(names), "\"{{ play | safe }}\""),
        Ok(Decision::True)
    );
}

#[test]
fn what_a_filter_or_lookup_makes_of_what_is_undefined_is_undefined() {
    let shown = |text: &str| value("d: {}", &format!("\"{text}\""));
    for text in [
        "{{ nope | int | default(4) }}",
        "{{ d.a.b | bool | ternary(1, 2) | default(4) }}",
        "{{ 'a' | replace('a', nope) | default(4) }}",
        "{{ lookup('items', nope) | default(4) }}",
    ] {
        assert_eq!(shown(text).unwrap(), json!(4), "{text}");
    }
    assert_eq!(
        shown("{{ nope | map('upper') is undefined }}").unwrap(),
        json!(true)
    );
    for text in [
        "{{ nope | int }}",
        "{{ a | default('x') }} {{ nope | upper }}",
        "{{ nope is match('x') }}",
        "{{ (nope | length) > 3 }}",
    ] {
        let wrong = shown(text).unwrap_err();
        assert_eq!(wrong.message, "'nope' is undefined", "{text}");
    }
}
