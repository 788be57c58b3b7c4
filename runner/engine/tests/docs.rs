//! The documentation of every module and action: whole, and with examples that hold.

use rplay_diag::Source;
use rplay_engine::Catalog;
use rplay_playbook::{Keyword, KnownModules, Place};
use rplay_yaml::Node;

#[test]
fn every_argument_is_documented() {
    for (doc, spec) in Catalog::all() {
        assert!(!doc.summary.is_empty(), "{}", doc.name);
        assert!(
            !doc.summary.ends_with('.'),
            "{}: the summary is no sentence",
            doc.name
        );
        for arg in spec {
            assert!(!arg.doc.is_empty(), "{}: {}", doc.name, arg.name);
        }
    }
}

#[test]
fn names_and_aliases_are_unique() {
    let mut names = Catalog::default().names();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn the_examples_are_tasks_of_the_module() {
    for (doc, _) in Catalog::all() {
        let source = Source::new(doc.name, doc.examples);
        let root = rplay_yaml::load(&source)
            .unwrap_or_else(|e| panic!("the examples of {}: {e}", doc.name))
            .root(&source);
        let tasks = root
            .as_seq()
            .unwrap_or_else(|| panic!("the examples of {}", doc.name));
        assert!(!tasks.is_empty(), "{} has no example", doc.name);
        let calls = tasks
            .iter()
            .flat_map(|task| task.as_map().into_iter().flatten());
        let own: Vec<&Node> = calls
            .filter(|(key, _)| key.text == doc.name || doc.aliases.contains(&key.text.as_str()))
            .map(|(_, value)| value)
            .collect();
        assert!(!own.is_empty(), "no example of {} calls it", doc.name);
        for key in own
            .iter()
            .filter_map(|node| node.as_map())
            .flat_map(|map| map.keys())
        {
            assert_eq!(
                Catalog::default().check_arg(doc.name, &key.text),
                Ok(()),
                "{}: {}",
                doc.name,
                key.text
            );
        }
        for task in tasks {
            for key in task.as_map().into_iter().flat_map(|map| map.keys()) {
                let known = Catalog::default().known(&key.text)
                    || Keyword::find(&key.text, Place::Handler).is_some();
                assert!(
                    known,
                    "{}: `{}` is no module or keyword",
                    doc.name, key.text
                );
            }
        }
    }
}
