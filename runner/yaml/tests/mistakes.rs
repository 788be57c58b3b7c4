//! What people see for a text that is no YAML.

#![allow(clippy::unwrap_used)]

use rplay_diag::{Source, Style, render};
use rplay_yaml::load;

fn error(text: &str) -> String {
    render(
        &load(&Source::new("site.yml", text)).unwrap_err(),
        Style::Plain,
    )
}

#[test]
fn a_template_without_quotes() {
    let text = "- hosts: all\n  vars:\n    a: {{ x }}\n";
    insta::assert_snapshot!(error(text), @r#"
    error: a template that begins a value must be quoted
     --> site.yml:3:8
      |
    3 |     a: {{ x }}
      |        ^^^^^^^
      |
      = help: write `"{{ x }}"`
    "#);
}

#[test]
fn a_template_without_quotes_and_text_after_it() {
    let text = "- hosts: all\n  vars:\n    dir: {{ base }}/etc\n";
    insta::assert_snapshot!(error(text), @r#"
    error: a template that begins a value must be quoted
     --> site.yml:3:10
      |
    3 |     dir: {{ base }}/etc
      |          ^^^^^^^^^^^^^^
      |
      = help: write `"{{ base }}/etc"`
    "#);
}

#[test]
fn a_missing_space_after_a_colon() {
    let text = "- name: x\n  hosts:all\n  tasks: []\n";
    insta::assert_snapshot!(error(text), @"
    error: a space is missing after this colon
     --> site.yml:2:8
      |
    2 |   hosts:all
      |        ^
      |
      = help: write `hosts: all`
    ");
}

#[test]
fn a_missing_space_after_the_first_colon() {
    let text = "- name:x\n  hosts: all\n";
    insta::assert_snapshot!(error(text), @"
    error: a space is missing after this colon
     --> site.yml:1:7
      |
    1 | - name:x
      |       ^
      |
      = help: write `name: x`
    ");
}

#[test]
fn a_second_colon() {
    let text = "- debug:\n    msg: note: this\n";
    insta::assert_snapshot!(error(text), @r#"
    error: text that holds `: ` must be quoted
     --> site.yml:2:10
      |
    2 |     msg: note: this
      |          ^^^^^^^^^^
      |
      = help: write `msg: "note: this"`
    "#);
}

#[test]
fn a_tab() {
    let text = "- hosts: all\n  tasks:\n\t- debug:\n";
    insta::assert_snapshot!(error(text), @"
    error: a tab cannot indent YAML
     --> site.yml:3:1
      |
    3 |     - debug:
      | ^^^^
      |
      = help: indent with spaces
    ");
}

#[test]
fn a_line_indented_like_none() {
    let text = "- hosts: all\n  vars:\n    a: 1\n   b: 2\n";
    insta::assert_snapshot!(error(text), @"
    error: this line is indented like none above it
     --> site.yml:4:4
      |
    3 |     a: 1
      |     ---- after this line
    4 |    b: 2
      |    ^^^^
      |
      = help: what belongs together must begin in the same column
    ");
}

#[test]
fn a_key_in_the_column_of_the_dashes() {
    let text = "tasks:\n  - name: x\n    command: y\n  register: z\n";
    insta::assert_snapshot!(error(text), @"
    error: this line does not line up with the list item above
     --> site.yml:4:3
      |
    2 |   - name: x
      |   --------- the item
    3 |     command: y
    4 |   register: z
      |   ^^^^^^^^^^^
      |
      = help: what belongs to the item begins in column 5
    ");
}

#[test]
fn a_key_between_two_columns() {
    let text = "tasks:\n  - name: x\n   command: y\n";
    insta::assert_snapshot!(error(text), @"
    error: this line does not line up with the list item above
     --> site.yml:3:4
      |
    2 |   - name: x
      |   --------- the item
    3 |    command: y
      |    ^^^^^^^^^^
      |
      = help: what belongs to the item begins in column 5
    ");
}

#[test]
fn a_quote_that_is_never_closed() {
    let text = "- debug:\n    msg: \"oh\n- debug:\n    msg: b\n";
    insta::assert_snapshot!(error(text), @r#"
    error: this quote is never closed
     --> site.yml:2:10
      |
    2 |     msg: "oh
      |          ^
      |
      = help: close it where the text ends
    "#);
}

#[test]
fn text_after_a_closing_quote() {
    let text = "- file:\n    path: \"{{ dir }}\"/x\n";
    insta::assert_snapshot!(error(text), @r#"
    error: there is text after the closing quote
     --> site.yml:2:22
      |
    2 |     path: "{{ dir }}"/x
      |                      ^^
      |
      = help: write `"{{ dir }}/x"`
    "#);
}

#[test]
fn a_condition_that_begins_with_a_quote() {
    let text = "- debug:\n  when: \"a\" in b\n";
    insta::assert_snapshot!(error(text), @r#"
    error: there is text after the closing quote
     --> site.yml:2:13
      |
    2 |   when: "a" in b
      |             ^^^^
      |
      = help: write `'"a" in b'`
    "#);
}

#[test]
fn an_unknown_escape() {
    let text = "- debug:\n    msg: \"C:\\dir\"\n";
    insta::assert_snapshot!(error(text), @r#"
    error: `\d` is no escape of YAML
     --> site.yml:2:13
      |
    2 |     msg: "C:\dir"
      |             ^^
      |
      = help: between double quotes write `\\` for a backslash, or use single quotes
    "#);
}

#[test]
fn text_after_a_block_sign() {
    let text = "- debug:\n    msg: > text\n      more\n";
    insta::assert_snapshot!(error(text), @"
    error: text after `>` begins on the next line
     --> site.yml:2:10
      |
    2 |     msg: > text
      |          ^^^^^^
      |
      = help: quote the value if it is meant to begin with this sign
    ");
}

#[test]
fn a_value_that_begins_with_a_star() {
    let text = "- hosts: *\n";
    insta::assert_snapshot!(error(text), @"
    error: text that begins with `*` must be quoted
     --> site.yml:1:10
      |
    1 | - hosts: *
      |          ^
      |
      = help: put quotes around the whole value
    ");
}

#[test]
fn a_value_that_begins_with_an_at() {
    let text = "- debug:\n    msg: @x\n";
    insta::assert_snapshot!(error(text), @"
    error: text that begins with `@` must be quoted
     --> site.yml:2:10
      |
    2 |     msg: @x
      |          ^
      |
      = help: put quotes around the whole value
    ");
}

#[test]
fn an_unknown_anchor() {
    let text = "a: *base\n";
    insta::assert_snapshot!(error(text), @"
    error: there is no anchor `base`
     --> site.yml:1:4
      |
    1 | a: *base
      |    ^^^^^
      |
      = help: mark the value to repeat with `&base`, above; or quote text that begins with `*`
    ");
}

#[test]
fn an_unknown_tag() {
    let text = "a: !valt |\n  x\n";
    insta::assert_snapshot!(error(text), @"
    error: unknown tag `!valt`
     --> site.yml:1:4
      |
    1 | a: !valt |
      |    ^^^^^
      |
      = help: did you mean `!vault`?
    ");
}

#[test]
fn a_bracket_that_is_never_closed() {
    let text = "a: [b, c\nd: e\n";
    insta::assert_snapshot!(error(text), @"
    error: this `[` is not closed before the next thing begins
     --> site.yml:1:4
      |
    1 | a: [b, c
      |    ^
    2 | d: e
      |  - here
      |
      = help: close the bracket, put a comma between the values, or quote the text
    ");
}

#[test]
fn two_documents() {
    let text = "- hosts: a\n---\n- hosts: b\n";
    insta::assert_snapshot!(error(text), @"
    error: this file holds more than one document
     --> site.yml:3:1
      |
    1 | - hosts: a
      | - the first one
    2 | ---
    3 | - hosts: b
      | ^^^^^^^^^^ the second one begins here
      |
      = help: take out the `---` between them, or make two files of it
    ");
}

#[test]
fn a_merge_of_text() {
    let text = "a:\n  <<: x\n";
    insta::assert_snapshot!(error(text), @"
    error: `<<` merges mappings only
     --> site.yml:2:7
      |
    2 |   <<: x
      |       ^
    ");
}

#[test]
fn a_list_among_keys() {
    let text = "a: b\n- c\n";
    insta::assert_snapshot!(error(text), @"
    error: a list item cannot stand among the keys of a mapping
     --> site.yml:2:1
      |
    1 | a: b
      | ---- a key
    2 | - c
      | ^
      |
      = help: indent the list under its own key
    ");
}

#[test]
fn letters_of_more_than_one_byte_before_it() {
    let text = "ä: \"ö\"\nü: é: x\n";
    insta::assert_snapshot!(error(text), @r#"
    error: text that holds `: ` must be quoted
     --> site.yml:2:4
      |
    2 | ü: é: x
      |    ^^^^
      |
      = help: write `ü: "é: x"`
    "#);
}

#[test]
fn a_colon_inside_of_an_expression() {
    let text = "- assert:\n    that:\n      - ok\n      - (\"name: '\" ~ name ~ \"'\") in text\n";
    insta::assert_snapshot!(error(text), @r#"
    error: text that holds `: ` must be quoted
     --> site.yml:4:9
      |
    4 |       - ("name: '" ~ name ~ "'") in text
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `- >-` and the text below it, indented
    "#);
}

#[test]
fn a_condition_with_both_quotes_and_a_colon() {
    let text = "- name: x\n  when: (\"v: \" ~ v) not in (out | default(''))\n";
    insta::assert_snapshot!(error(text), @r#"
    error: text that holds `: ` must be quoted
     --> site.yml:2:9
      |
    2 |   when: ("v: " ~ v) not in (out | default(''))
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `when: >-` and the text below it, indented
    "#);
}
