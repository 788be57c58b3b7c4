//! What expressions and templates become.

use super::*;

fn rewritten(text: &str) -> String {
    expression(text, Strings::Escaped, Templates::Anywhere)
        .unwrap()
        .text
}

#[test]
fn keys_of_keys_are_filters_around_each_other() {
    assert_eq!(rewritten("a.b.c"), "((a|__attr('b',2))|__attr('c',4))");
    assert_eq!(rewritten("a['b'][0]"), "((a|__item('b',2))|__item(0,7))");
    assert_eq!(rewritten("(a or b).c"), "((a or b)|__attr('c',9))");
    assert_eq!(
        rewritten("a.b.c(d.e)"),
        "(a|__attr('b',2)).c((d|__attr('e',8)))"
    );
}

#[test]
fn what_is_nobody_elses_is_a_plugin() {
    for (text, want) in [
        ("a|mine", "a|__filter('mine')"),
        ("(a)|mine()", "(a)|__filter('mine')"),
        (
            "a | mine (2, b=3)|upper",
            "a | __filter('mine',2, b=3)|upper",
        ),
        ("a|x.y.z(b|mine)", "a|__filter('x.y.z',b|__filter('mine'))"),
        ("a is mine", "a is __test('mine')"),
        ("a is not mine(1)", "a is not __test('mine',1)"),
        (
            "a is mine b.c and d",
            "a is __test('mine', (b|__attr('c',12))) and d",
        ),
        (
            "a|ansible.builtin.upper is defined",
            "a|ansible.builtin.upper is defined",
        ),
    ] {
        assert_eq!(rewritten(text), want, "{text}");
        parse_expr(&rewritten(text)).unwrap();
    }
}

#[test]
fn what_a_macro_includes_sees_the_names_around_the_macro() {
    let text = "{% import 'v' as v with context %}{% set a = 1 %}\
        {% macro m(x) %}{% include 'f' %}{% endmacro %}{% include 'g' %}";
    let want = "{% import 'v' as v with context %}{% set a = 1 %}\
        {% macro m(x) %}{% if [v,a,m] and false %}{% endif %}{% include 'f' %}{% endmacro %}{% include 'g' %}";
    let syntax = crate::file::TextOptions::default().syntax();
    let made = template(text, "t", Strings::Escaped, syntax).unwrap();
    assert_eq!(made.text, want);
}

#[test]
fn operators_keep_their_operands_whatever_stands_around_them() {
    for (text, want) in [
        ("'%s' % x", "(('%s' )|__rem( x))"),
        ("(a % b) % c", "(((((a )|__rem( b))) )|__rem( c))"),
        ("a - (b - c)", "((a )|__sub( (((b )|__sub( c)))))"),
        ("f(x = a ~ b)", "f(x = ((a )|__concat( b)))"),
        ("not a < b", "not ((a )|__lt( b))"),
    ] {
        assert_eq!(rewritten(text), want, "{text}");
        parse_expr(&rewritten(text)).unwrap();
    }
}

#[test]
fn raw_strings_keep_their_backslashes() {
    let raw = |text: &str| {
        expression(text, Strings::Raw, Templates::InLookups)
            .unwrap()
            .text
    };
    assert_eq!(raw(r"'a\nb'"), r"'a\\nb'");
    assert_eq!(raw(r"'a\\1'"), r"'a\\\\1'");
    assert_eq!(raw(r"'q\'q'"), r"'q\\\'q'");
}

#[test]
fn literals_that_are_templates_are_rendered_where_they_may_be() {
    assert_eq!(rewritten("a == '{{ b }}'"), "a == '{{ b }}'|__template");
    assert_eq!(
        rewritten("a['{{ b }}'].c"),
        "((a|__item('{{ b }}'|__template,2))|__attr('c',13))"
    );
    let inside = |text: &str| {
        let found = expression(text, Strings::Raw, Templates::InLookups);
        found.unwrap().text
    };
    assert_eq!(
        inside("lookup('env', '{{ b }}', x='{{ c }}') ~ '{{ d }}'"),
        "((lookup('env', '{{ b }}'|__template, x='{{ c }}') )|__concat( '{{ d }}'))"
    );
    assert_eq!(
        rewritten("lookup('a.b.c', '{{ b }}')"),
        "lookup('a.b.c', '{{ b }}'|__template_or_undefined)"
    );
}

#[test]
fn a_place_in_the_rewritten_text_leads_back() {
    let text = "x + a.b.c | upper";
    let rewritten = expression(text, Strings::Escaped, Templates::Anywhere).unwrap();
    let at = rewritten.text.find("upper").unwrap();
    assert_eq!(&text[rewritten.original(&(at..at + 5))], "upper");
    let all = 0..rewritten.text.len();
    assert_eq!(rewritten.original(&all), 0..text.len());
}
