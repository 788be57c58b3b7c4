//! What texts become, and that every text becomes something.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use rplay_diag::Source;
use rplay_yaml::{Kind, Node, load, load_all};

fn source(text: &str) -> Arc<Source> {
    Source::new("t.yml", text)
}

fn read(text: &str) -> Node {
    let source = source(text);
    load(&source).unwrap().root(&source)
}

fn text(text: &str) -> Kind {
    Kind::Str(text.to_owned())
}

/// The text that a node's span covers.
fn written(node: &Node) -> &str {
    &node.span.source().text()[node.span.start()..node.span.end()]
}

#[test]
fn an_empty_text_is_null() {
    assert_eq!(read("").kind, Kind::Null);
    assert_eq!(read("---\n# nothing\n").kind, Kind::Null);
}

#[test]
fn a_letter_that_json_writes_as_two_escapes_is_one() {
    let root = read(r#"{"a": "x \ud83d\ude00 \ud83d\ude80 y", "b": "\u00e9", "c": [1]}"#);
    assert_eq!(root.get("a").unwrap().kind, text("x 😀 🚀 y"));
    assert_eq!(root.get("b").unwrap().kind, text("é"));
    assert_eq!(written(root.get("c").unwrap()), "[1]");
}

#[test]
fn quoted_words_stay_text() {
    assert_eq!(read("\"yes\"").kind, text("yes"));
    assert_eq!(read("'0644'").kind, text("0644"));
    assert_eq!(read("yes").kind, Kind::Bool(true));
}

#[test]
fn spans_cover_what_is_written() {
    let root = read("a: 1\nbé: [x, \"y\"]\nc:\n  d: e  # f\n\ng: |\n  h\n");
    let items = root.get("bé").unwrap().as_seq().unwrap();
    assert_eq!(items[1].span.to_string(), "t.yml:2:9");
    assert_eq!(written(&items[1]), "\"y\"");
    assert_eq!(written(root.get("bé").unwrap()), "[x, \"y\"]");
    assert_eq!(written(root.get("c").unwrap()), "d: e");
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let root = read("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\nc: z\r\n");
    assert_eq!(root.get("a").unwrap().kind, Kind::Int(1));
    assert_eq!(root.get("b").unwrap().kind, text("x\ny\n"));
    assert_eq!(written(root.get("c").unwrap()), "z");
    assert_eq!(root.get("c").unwrap().span.to_string(), "t.yml:5:4");
}

#[test]
fn merge_keys_do_not_override() {
    let root = read("base: &b {x: 1, y: 2}\nown: {<<: *b, x: 3}\nmore: {<<: [{x: 4}, *b]}\n");
    let own = root.get("own").unwrap();
    assert_eq!(own.get("x").unwrap().kind, Kind::Int(3));
    assert_eq!(own.get("y").unwrap().kind, Kind::Int(2));
    assert_eq!(
        root.get("more").unwrap().get("x").unwrap().kind,
        Kind::Int(4)
    );
}

#[test]
fn a_duplicate_key_warns_and_the_last_one_counts() {
    let source = source("a: 1\nb: 0\na: 2\n");
    let loaded = load(&source).unwrap();
    let shown = rplay_diag::render(&loaded.warnings[0], rplay_diag::Style::Plain);
    insta::assert_snapshot!(shown, @"
    warning: Found duplicate mapping key 'a': the last one counts
     --> t.yml:3:1
      |
    1 | a: 1
      | - first here
    2 | b: 0
    3 | a: 2
      | ^
    ");
    let root = loaded.root(&source);
    assert_eq!(root.get("a").unwrap().kind, Kind::Int(2));
}

#[test]
fn tags_of_ansible_are_kept() {
    assert_eq!(
        read("!unsafe '{{ x }}'").kind,
        Kind::Unsafe("{{ x }}".into())
    );
    assert_eq!(
        read("!vault |\n  $ANSIBLE_VAULT\n").kind,
        Kind::Vault("$ANSIBLE_VAULT\n".into())
    );
    let inside = read("!unsafe [{a: '{{ x }}'}]");
    let item = &inside.as_seq().unwrap()[0];
    assert_eq!(item.get("a").unwrap().kind, Kind::Unsafe("{{ x }}".into()));
}

#[test]
fn tags_of_yaml_say_the_type() {
    assert_eq!(read("!!str 0644").kind, text("0644"));
    assert_eq!(read("!!int '7'").kind, Kind::Int(7));
    assert_eq!(read("!!float 7").kind, Kind::Float(7.0));
    assert!(load(&source("!!int x")).is_err());
}

#[test]
fn text_and_brackets_may_go_on_too_far_left() {
    let root = read("- vars:\n    a: [\n    1,\n  2 ]\n  msg: \"x\n  {{ y }}\"\n");
    let play = &root.as_seq().unwrap()[0];
    let msg = play.get("msg").unwrap();
    assert_eq!(msg.kind, text("x {{ y }}"));
    assert_eq!(msg.locate(5).to_string(), "t.yml:6:6");
    assert_eq!(
        play.get("vars")
            .unwrap()
            .get("a")
            .unwrap()
            .as_seq()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn quoted_text_may_go_on_after_tabs() {
    let root = read("a:\n  b: '{{ x if (y\n\t\t\tand z) }}'\n\n  c: \"d\n\te\"\n");
    let a = root.get("a").unwrap();
    let b = a.get("b").unwrap();
    assert_eq!(b.kind, text("{{ x if (y and z) }}"));
    assert_eq!(
        b.locate(b.as_str().unwrap().find("and").unwrap())
            .to_string(),
        "t.yml:3:4"
    );
    assert_eq!(a.get("c").unwrap().kind, text("d e"));
    assert_eq!(
        read("{\n\t\"a\": [\n\t\t1\n\t]\n}\n")
            .get("a")
            .unwrap()
            .as_seq()
            .unwrap()
            .len(),
        1
    );
    for tab in ["a:\n\tb: 1\n", "a:\n  b: x\n\t\ty\n"] {
        assert!(load(&source(tab)).is_err());
    }
}

#[test]
fn aliases_that_explode_are_stopped() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let row = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{row}]\n"));
    }
    let error = load(&source(&bomb)).unwrap_err();
    assert_eq!(error.message, "the aliases of this file expand to too much");
}

#[test]
fn nesting_is_bounded() {
    for deep in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "{a: ".repeat(50_000),
    ] {
        assert!(load(&source(&deep)).is_err());
    }
}

#[test]
fn an_alias_inside_of_its_own_anchor_is_an_error() {
    assert!(load(&source("&a [*a]")).is_err());
}

#[test]
fn all_documents_can_be_read() {
    assert_eq!(
        load_all(&source("a\n---\nb\n...\n"))
            .unwrap()
            .documents
            .len(),
        2
    );
}

/// Every span is inside its text, and every offset of every text has a place.
fn check(node: &Node) {
    let _ = written(node);
    if let Some(text) = node.as_str() {
        for (at, _) in text.char_indices().take(200) {
            let span = node.locate(at);
            assert!(span.source().text().get(span.start()..span.end()).is_some());
        }
    }
    node.as_seq().into_iter().flatten().for_each(check);
    node.as_map()
        .into_iter()
        .flat_map(|map| map.values())
        .for_each(check);
}

fn survives(text: &str) {
    let source = source(text);
    match load_all(&source) {
        Ok(loaded) => loaded.documents.iter().for_each(check),
        Err(error) => {
            rplay_diag::render(&error, rplay_diag::Style::Plain);
        }
    }
}

fn fragment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a: ",
        "- ",
        "\n",
        "  ",
        "\t",
        "\"",
        "'",
        "{{ x }}",
        "é",
        "|\n",
        ">-\n",
        "[",
        "]",
        "{",
        "}",
        ", ",
        ": ",
        "&a ",
        "*a",
        "!vault ",
        "!unsafe ",
        "# c\n",
        "---\n",
        "...\n",
        "<<: ",
        "? ",
        "\r\n",
        "\u{feff}",
        "text",
        "%YAML 1.1\n",
        "\\",
        "0644",
        "\u{0}",
        "😀",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_panics_on_any_text(text in "\\PC{0,60}") {
        survives(&text);
    }

    #[test]
    fn nothing_panics_on_what_looks_like_yaml(parts in prop::collection::vec(fragment(), 0..24)) {
        survives(&parts.concat());
    }
}

#[test]
fn binary_is_what_its_base64_says() {
    let bytes = |text: &str| Kind::Unsafe(text.to_owned());
    assert_eq!(read("!!binary |\n  aMOk\n  IQ==\n").kind, bytes("hä!"));
    let wrong = load(&source("a: !!binary '*'\n")).map(drop).unwrap_err();
    assert!(wrong.message.contains("!!binary"), "{}", wrong.message);
}
