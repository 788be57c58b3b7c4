use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, on_each_system};

/// A file's content after the task has run twice, and the first message.
fn edit(before: Option<&str>, args: Value) -> (String, String) {
    let after = std::cell::RefCell::default();
    on_each_system(|system, root| {
        let path = root.join("f");
        let host = Fixture::new(system);
        if let Some(text) = before {
            host.file(path.to_str().unwrap(), text);
        }
        let mut args = args.clone();
        args["path"] = path.to_string_lossy().into();
        let first = host.run::<This>(args.clone());
        let msg = first.result.unwrap().data["msg"]
            .as_str()
            .unwrap()
            .to_owned();
        let text = || host.on_host(|h| h.read_text(&path).unwrap());
        let once = text();
        if args.get("backrefs").is_none() {
            let again = host.run::<This>(args);
            assert_eq!((again.changes, text()), (vec![], once.clone()));
        }
        *after.borrow_mut() = (once, msg);
    });
    after.into_inner()
}

fn assert_edit(before: &str, args: Value, after: &str, msg: &str) {
    assert_eq!(
        edit(Some(before), args.clone()),
        (after.into(), msg.into()),
        "{args}"
    );
}

#[test]
fn a_line_is_added_at_the_end_once() {
    assert_edit("a\nb\n", json!({"line": "c"}), "a\nb\nc\n", "line added");
    assert_edit("a\nb", json!({"line": "c"}), "a\nb\nc\n", "line added");
    assert_edit("", json!({"line": "c"}), "c\n", "line added");
    assert_edit("a\nc\nb\n", json!({"line": "c"}), "a\nc\nb\n", "");
}

#[test]
fn the_last_match_is_replaced() {
    let args = json!({"regexp": "^#?Port ", "line": "Port 2222"});
    assert_edit(
        "#Port 1\nx\nPort 2\ny\n",
        args,
        "#Port 1\nx\nPort 2222\ny\n",
        "line replaced",
    );
    let args = json!({"regexp": "^#?Port ", "line": "Port 2222", "firstmatch": true});
    assert_edit(
        "#Port 1\nx\nPort 2\n",
        args,
        "Port 2222\nx\nPort 2\n",
        "line replaced",
    );
    let args = json!({"regexp": "^Port=", "line": "Port 2222"});
    assert_edit("x\n", args, "x\nPort 2222\n", "line added");
}

#[test]
fn a_text_is_searched_as_it_is() {
    let args = json!({"search_string": "a.*", "line": "new"});
    assert_edit("abc\na.*\n", args, "abc\nnew\n", "line replaced");
}

#[test]
fn a_place_is_found_by_its_neighbour() {
    let base = "[one]\nx\n[two]\ny\n";
    let args = json!({"line": "n", "insertafter": r"^\[one\]"});
    assert_edit(base, args, "[one]\nn\nx\n[two]\ny\n", "line added");
    let args = json!({"line": "n", "insertbefore": r"^\["});
    assert_edit(base, args, "[one]\nx\nn\n[two]\ny\n", "line added");
    let args = json!({"line": "n", "insertbefore": r"^\[", "firstmatch": true});
    assert_edit(base, args, "n\n[one]\nx\n[two]\ny\n", "line added");
    let args = json!({"line": "n", "insertafter": "none"});
    assert_edit(base, args, "[one]\nx\n[two]\ny\nn\n", "line added");
    assert_edit(
        "x",
        json!({"line": "n", "insertafter": "x"}),
        "x\nn\n",
        "line added",
    );
}

#[test]
fn start_and_end_have_names() {
    assert_edit(
        "a\n",
        json!({"line": "n", "insertbefore": "BOF"}),
        "n\na\n",
        "line added",
    );
    assert_edit(
        "a\n",
        json!({"line": "n", "insertafter": "EOF"}),
        "a\nn\n",
        "line added",
    );
}

#[test]
fn groups_are_filled_in_and_without_a_match_nothing_happens() {
    let args = json!({"regexp": r"^(OPTS=\S+)\s*$", "line": r"\1 -v", "backrefs": true});
    assert_edit("OPTS=x\n", args.clone(), "OPTS=x -v\n", "line replaced");
    assert_edit("other\n", args, "other\n", "");
}

#[test]
fn lines_are_removed() {
    let args = json!({"regexp": "^#", "state": "absent"});
    assert_edit("#a\nb\n#c\n", args.clone(), "b\n", "2 line(s) removed");
    assert_edit("b\n", args, "b\n", "");
    let args = json!({"line": "b", "state": "absent"});
    assert_edit("a\nb\r\nbb\n", args, "a\nbb\n", "1 line(s) removed");
}

#[test]
fn a_file_is_made_where_the_task_says_so() {
    let (text, msg) = edit(None, json!({"line": "x", "create": true}));
    assert_eq!((text.as_str(), msg.as_str()), ("x\n", "line added"));
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let args = json!({"path": root.join("f"), "line": "x"});
        let error = host.run::<This>(args.clone()).result.unwrap_err();
        assert!(error.msg.ends_with("does not exist !"), "{error}");
        assert_eq!(
            (error.data["rc"].clone(), error.help[0].as_str()),
            (json!(257), "use create: true to make it")
        );
        let args = json!({"path": root.join("f"), "line": "x", "state": "absent"});
        let data = host.run::<This>(args).result.unwrap().data;
        assert_eq!(data["msg"], "file not present");
    });
}

#[test]
fn a_change_of_mode_is_said_too() {
    let (_, msg) = edit(Some("a\n"), json!({"line": "b", "mode": "0600"}));
    assert_eq!(
        msg,
        "line added and ownership, perms or SE linux context changed"
    );
}

#[test]
fn other_bytes_stay_as_they_are() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let path = root.join("f");
        host.on_host(|h| {
            h.write(&path, &mut &b"\xff\xfe=1\r\nb\n"[..], &Default::default())
                .unwrap()
        });
        let args = json!({"path": path, "regexp": "^b", "line": "c"});
        host.run::<This>(args).result.unwrap();
        assert_eq!(
            host.on_host(|h| h.read(&path).unwrap()),
            b"\xff\xfe=1\r\nc\n"
        );
    });
}

#[test]
fn arguments_that_contradict_are_refused() {
    on_each_system(|system, root| {
        let wrong = |more: Value| {
            let mut args = json!({"path": root.join("f"), "create": true});
            for (name, value) in more.as_object().unwrap() {
                args[name] = value.clone();
            }
            Fixture::new(system)
                .run::<This>(args)
                .result
                .unwrap_err()
                .msg
        };
        assert_eq!(wrong(json!({})), "line is required with state=present");
        assert_eq!(
            wrong(json!({"line": "x", "insertafter": "a", "insertbefore": "b"})),
            "`insertafter` and `insertbefore`: parameters are mutually exclusive"
        );
        assert_eq!(
            wrong(json!({"line": "x", "backrefs": true})),
            "`backrefs` needs `regexp`: its groups"
        );
        assert_eq!(
            wrong(json!({"state": "absent"})),
            "state: absent needs `regexp`, `search_string` or `line`"
        );
    });
}
