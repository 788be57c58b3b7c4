//! Lookups, and what they say where they find nothing.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_template::{Vars, to_json};
use serde_json::{Value as Json, json};

use common::{Few, templar, vars, yaml};

/// A folder with files, and a template's value or the words of its error.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        Self(dir)
    }

    fn value(&self, expression: &str) -> Result<Json, String> {
        let few = Few {
            dir: self.0.path().to_owned(),
            ..vars("n: 42\nm: {a: 1}\nusers: [{name: al, keys: [x]}, {name: bo, skipped: true}]")
        };
        let few: Arc<dyn Vars> = Arc::new(few);
        let node = yaml(&format!("|-\n  {{{{ {expression} }}}}"));
        let value = templar().render(&node, &few).map_err(|d| d.message)?;
        Ok(to_json(&value).unwrap())
    }

    fn gives(&self, expression: &str, want: Json) {
        assert_eq!(self.value(expression), Ok(want), "{expression}");
    }

    fn fails(&self, expression: &str, words: &str) {
        let said = self.value(expression).unwrap_err();
        assert!(said.contains(words), "{expression}: {said}");
    }
}

#[test]
fn a_cell_of_a_csv_file_is_found_by_its_row() {
    let place = Place::new(&[("a b.csv", b"k,v\n\"The Rock\",x\n")]);
    place.gives(
        r#"lookup('csvfile', 'k file="a b.csv" delimiter=, col=1')"#,
        json!("v"),
    );
    place.gives(
        "lookup('csvfile', 'nope', file='a b.csv', delimiter=',')",
        json!([]),
    );
    place.gives(
        "lookup('csvfile', 'nope', file='a b.csv', delimiter=',', default=['x', 'y'])",
        json!("x,y"),
    );
    place.fails(
        "lookup('csvfile', file='a b.csv')",
        "Search key is required",
    );
    place.fails(
        "lookup('csvfile', 'k colour=red')",
        "colour is not a valid option",
    );
    place.fails("lookup('csvfile', 'k col=2,')", "has an invalid value");
}

#[test]
fn a_value_of_an_ini_file_is_read_as_python_reads_it() {
    let place = Place::new(&[
        (
            "x.ini",
            b"[DEFAULT]\nz=9\n[global]\nA=1\nb=%(a)s2\n[bare]\nskip\n",
        ),
        ("l1.ini", b"[global]\nname=\xe9t\xe9\n"),
    ]);
    place.fails("lookup('ini', 'a file=x.ini')", "a key without a value");
    place.gives("lookup('ini', 'a file=x.ini allow_none=true')", json!("1"));
    place.gives(
        "lookup('ini', 'b', file='x.ini', allow_none=true)",
        json!("12"),
    );
    place.gives(
        "lookup('ini', 'skip', file='x.ini', section='bare', allow_none=true)",
        json!([]),
    );
    place.gives(
        "lookup('ini', 'name', file='l1.ini', encoding='iso8859-1')",
        json!("été"),
    );
    place.fails(
        "lookup('ini', 'a', file='x.ini', section='no', allow_none=true)",
        "No section",
    );
}

#[test]
fn a_template_that_is_one_value_keeps_its_type() {
    let place = Place::new(&[
        ("n.j2", b"{{ n }}\n"),
        ("none.j2", b"{# nothing #}\n"),
        ("text.j2", b"[% n %] {{ n }}\n"),
    ]);
    place.gives("lookup('template', 'n.j2')", json!(42));
    place.gives(
        "lookup('template', 'n.j2', template_vars={'n': [1]})",
        json!([1]),
    );
    place.gives("lookup('template', 'none.j2')", json!(null));
    place.gives(
        "lookup('template', 'text.j2', variable_start_string='[%', variable_end_string='%]')",
        json!("42 {{ n }}\n"),
    );
}

#[test]
fn a_sequence_counts_as_ansible_does() {
    let place = Place::new(&[]);
    place.gives(
        "query('sequence', 'count=3 start=4 stride=2')",
        json!(["4", "6", "8"]),
    );
    place.gives(
        "query('sequence', 'count=2', start=20)",
        json!(["20", "21"]),
    );
    place.gives("query('sequence')", json!([]));
    place.fails(
        "query('sequence', 'start=0 junk=3')",
        "unrecognized arguments to with_sequence: ['junk']",
    );
    place.fails(
        "query('sequence', 'start=4 end=1')",
        "to count backwards make stride negative",
    );
    place.fails("query('sequence', 'A-4')", "has an invalid value");
}

#[test]
fn what_is_below_items_is_gone_over_with_them() {
    let place = Place::new(&[]);
    place.gives(
        "query('subelements', users, 'keys')",
        json!([[{"name": "al"}, "x"]]),
    );
    place.gives("lookup('subelements', {'skipped': true}, 'a')", json!([]));
    place.fails(
        "query('subelements', users, 'nope')",
        "could not find 'nope' key",
    );
    place.fails(
        "query('subelements', users, 'name')",
        "should point to a list",
    );
    place.fails(
        "query('subelements', users, 'name.x')",
        "should point to a dictionary",
    );
    place.fails("query('subelements', 9, 'x')", "first a dict or a list");
    place.fails("query('subelements', users, 'x', 'y')", "must be a dict");
}

#[test]
fn what_is_not_there_is_told_in_ansibles_words() {
    let place = Place::new(&[]);
    place.fails(
        "lookup('vars', 'nope')",
        "No variable named 'nope' was found",
    );
    place.gives("lookup('vars', 'nope') | default('d')", json!("d"));
    place.fails("lookup('vars', 1)", "must be 'str' not 'int'");
    place.fails("lookup('varnames', '*')", "nothing to repeat");
    place.fails(
        "lookup('evn', 'HOME')",
        "the lookup plugin 'evn' was not found; did you mean `env`?",
    );
    place.fails("query('together')", "requires at least one element");
    place.fails(
        "lookup('config', 'NOPE')",
        "No config definition exists for 'NOPE'",
    );
    place.gives("lookup('config', 'NOPE', on_missing='skip')", json!([]));
}

#[test]
fn lookups_that_moved_to_a_collection_go_by_its_name_too() {
    let place = Place::new(&[]);
    place.gives(
        "query('community.general.flattened', [1, [2]])",
        json!([1, 2]),
    );
    place.gives(
        "query('community.general.cartesian', [1], [2, 3])",
        json!([[1, 2], [1, 3]]),
    );
    assert!(
        place
            .value("query('community.general.items', [1])")
            .is_err()
    );
}
