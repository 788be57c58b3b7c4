use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, on_each_system};

/// The names that are found among a.log, b.log.1, .c, d/e.log, d/deep/f.log and the link l.
fn found(args: Value) -> Vec<String> {
    let out = std::cell::RefCell::default();
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        for (name, text) in [
            ("a.log", "error: x\n"),
            ("b.log.1", "fine\n"),
            (".c", "hidden"),
            ("d/e.log", "an error: y\nerror"),
            ("d/deep/f.log", ""),
        ] {
            host.file(root.join(name).to_str().unwrap(), text);
        }
        host.link("d", root.join("l").to_str().unwrap());
        host.link("..", root.join("d/up").to_str().unwrap());
        let mut args = args.clone();
        args["paths"] = root.to_string_lossy().into();
        let ran = host.run::<This>(args);
        let data = ran.result.unwrap().data;
        let files = data["files"].as_array().unwrap();
        assert_eq!(
            (data["matched"].as_u64(), ran.changes),
            (Some(files.len() as u64), vec![])
        );
        let prefix = format!("{}/", root.display());
        let mut names: Vec<String> = files
            .iter()
            .map(|f| f["path"].as_str().unwrap().replace(&prefix, ""))
            .collect();
        names.sort();
        *out.borrow_mut() = names;
    });
    out.into_inner()
}

#[test]
fn names_are_matched() {
    assert_eq!(found(json!({})), ["a.log", "b.log.1"]);
    assert_eq!(found(json!({"patterns": "*.log,*.txt"})), ["a.log"]);
    assert_eq!(found(json!({"excludes": "*.log"})), ["b.log.1"]);
    assert_eq!(
        found(json!({"patterns": [r".*\.log(\.\d)?$"], "use_regex": true})),
        ["a.log", "b.log.1"]
    );
    assert_eq!(found(json!({"hidden": true})), [".c", "a.log", "b.log.1"]);
}

#[test]
fn folders_are_entered_as_deep_as_asked() {
    let logs = json!({"patterns": "*.log", "recurse": true});
    assert_eq!(found(logs), ["a.log", "d/deep/f.log", "d/e.log"]);
    let logs = json!({"patterns": "*.log", "recurse": true, "depth": 2});
    assert_eq!(found(logs), ["a.log", "d/e.log"]);
}

#[test]
fn links_are_gone_through_only_once() {
    let logs = json!({"patterns": "f.log", "recurse": true, "follow": true});
    let names = found(logs);
    assert!(
        names.contains(&"d/deep/f.log".to_owned()) && names.contains(&"l/deep/f.log".to_owned())
    );
}

#[test]
fn types_sizes_and_content_are_matched() {
    assert_eq!(found(json!({"file_type": "directory"})), ["d"]);
    assert_eq!(found(json!({"file_type": "link"})), ["l"]);
    assert_eq!(found(json!({"size": "6"})), ["a.log"]);
    assert_eq!(found(json!({"size": "-6b"})), ["b.log.1"]);
    assert_eq!(
        found(json!({"contains": "error", "recurse": true})),
        ["a.log", "d/e.log"]
    );
    assert_eq!(found(json!({"contains": "rror"})), [""; 0]);
    assert_eq!(found(json!({"age": "1d"})), [""; 0]);
    assert_eq!(found(json!({"age": "-1d"})), ["a.log", "b.log.1"]);
    assert_eq!(found(json!({"limit": 1})).len(), 1);
}

#[test]
fn a_missing_folder_is_told_and_no_failure() {
    on_each_system(|system, root| {
        let args = json!({"paths": [root.join("none")]});
        let data = Fixture::new(system).run::<This>(args).result.unwrap().data;
        assert_eq!(data["matched"], 0);
        assert_eq!(data["skipped_paths"].as_object().unwrap().len(), 1);
    });
}

#[test]
fn a_file_of_another_encoding_is_looked_into_or_told() {
    on_each_system(|system, root| {
        let (bytes, _, _) = encoding_rs::GBK.encode("你好");
        system
            .write(&root.join("g.txt"), &mut &*bytes, &rplay_api::Attrs::default())
            .unwrap();
        let search = |encoding: &str| {
            let args = json!({"paths": [root], "contains": "你好", "encoding": encoding});
            Fixture::new(system).run::<This>(args).result.unwrap().data
        };
        assert_eq!(search("gbk")["matched"], 1);
        let told = search("utf_8");
        assert_eq!(told["matched"], 0);
        let why = &told["skipped_paths"][root.to_str().unwrap()];
        assert!(why.as_str().unwrap().contains("encoding error"), "{told:?}");
    });
}
