//! `.hbs` templates.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod common;

use std::sync::Arc;

use rplay_diag::Source;
use rplay_template::{Language, TextOptions, Vars};

use common::{Few, templar, vars};

fn rendered(text: &str, few: Few) -> String {
    let vars: Arc<dyn Vars> = Arc::new(few);
    let source = Source::new("a.hbs", text);
    templar()
        .file(&source, Language::Handlebars, TextOptions::default(), &vars)
        .unwrap()
        .0
}

#[test]
fn blocks_and_paths_see_the_same_variables_as_jinja() {
    let names = "xs: [a, b]\nn: '{{ xs | length }}'\ncfg: {tls: {use: yes, port: 2379}}\nempty: []";
    for (text, want) in [
        ("{{n}} {{cfg.tls.port}} {{cfg.tls.use}}", "2 2379 true"),
        (
            "{{#each xs}}{{@index}}={{this}}{{#unless @last}},{{/unless}}{{/each}}",
            "0=a,1=b",
        ),
        (
            "{{#each cfg.tls}}{{@key}}:{{this}};{{/each}}",
            "use:true;port:2379;",
        ),
        ("{{#each empty}}x{{else}}none{{/each}}", "none"),
        ("{{#if (eq n 2)}}two{{else}}other{{/if}}", "two"),
        ("{{#if (and cfg.tls.use (not empty))}}y{{/if}}", "y"),
        ("{{#if nope}}a{{else}}b{{/if}}", "b"),
        ("{{#with cfg.tls}}{{port}}{{/with}}", "2379"),
        ("{{#each xs}}{{../n}}{{/each}}", "22"),
        ("{{#each xs as |x|}}{{x}}{{/each}}", "ab"),
        ("{{lookup xs 1}} {{xs.[0]}} {{len xs}}", "b a 2"),
        (
            "{{join xs \", \"}} {{upper (join xs \"\")}} {{default nope \"d\"}}",
            "a, b AB d",
        ),
        ("{{to_json cfg}}", r#"{"tls":{"use":true,"port":2379}}"#),
        ("<{{concat \"a&\" n}}>", "<a&2>"),
        ("{{!-- gone --}}x\n{{~#if n}} y{{/if}}", "x y"),
        (
            "{{#if (contains xs \"a\")}}in{{/if}} {{add n 1}} {{first xs}} {{replace \"a-b\" \"-\" \"_\"}}",
            "in 3 a a_b",
        ),
    ] {
        assert_eq!(rendered(text, vars(names)), want, "{text}");
    }
}

#[test]
fn a_variable_that_is_not_used_is_not_rendered() {
    let names = "used: x\nbroken: '{{ 1 / 0 }}'";
    assert_eq!(
        rendered("{{used}} and not broken", vars(names)),
        "x and not broken"
    );
}

#[test]
fn parts_are_read_from_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("part.hbs"), "<{{name}} {{deep}}>").unwrap();
    let few = Few {
        dir: dir.path().to_owned(),
        ..vars("name: x\ndeep: y")
    };
    assert_eq!(rendered("{{> part}}", few), "<x y>");
}
