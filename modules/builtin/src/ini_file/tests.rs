use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, on_each_system};

/// What the file becomes, and the message; a second run must find nothing to do.
#[track_caller]
fn assert_edit(before: &str, args: Value, after: &str, msg: &str) {
    on_each_system(|system, root| {
        let path = root.join("f");
        let host = Fixture::new(system);
        host.file(path.to_str().unwrap(), before);
        let mut args = args.clone();
        args["path"] = path.to_string_lossy().into();
        let ran = host.run::<This>(args.clone());
        let text = host.on_host(|h| h.read_text(&path).unwrap());
        let told = ran.result.unwrap().data["msg"].as_str().unwrap().to_owned();
        assert_eq!((text.as_str(), told.as_str()), (after, msg), "{args}");
        assert_eq!(host.run::<This>(args.clone()).changes, [], "{args}");
    });
}

#[test]
fn an_option_goes_to_the_end_of_its_section() {
    let args = |section: &str| json!({"section": section, "option": "n", "value": 1});
    let old = "[a]\nx=1\n\n\n[b]\nk=v\n# end";
    assert_edit(old, args("a"), "[a]\nx=1\nn = 1\n\n\n[b]\nk=v\n# end\n", "option added");
    assert_edit(old, args("b"), "[a]\nx=1\n\n\n[b]\nk=v\nn = 1\n# end\n", "option added");
    let new = format!("{old}\n[c]\nn = 1\n");
    assert_edit(old, args("c"), &new, "section and option added");
    assert_edit("", args("c"), "\n[c]\nn = 1\n", "section and option added");
}

#[test]
fn an_option_of_no_section_is_before_the_first() {
    let args = json!({"option": "g", "value": "2"});
    assert_edit("[x]\na = 2\n", args.clone(), "g = 2\n[x]\na = 2\n", "option added");
    assert_edit("\n\n[x]\n", args.clone(), "g = 2\n\n\n[x]\n", "option added");
    assert_edit("a=1\n[x]\n", args.clone(), "a=1\ng = 2\n[x]\n", "option added");
    assert_edit("; c\n[x]\n", args.clone(), "g = 2\n; c\n[x]\n", "option added");
    assert_edit("", args, "g = 2\n\n", "option added");
}

#[test]
fn an_option_takes_the_place_of_others_and_of_those_commented_out() {
    let args = |value: &str| json!({"section": "x", "option": "b", "value": value});
    let old = "[x]\n#b = 1\nb=2\n# b = 3\nbc = 4\n";
    assert_edit(old, args("9"), "[x]\nb = 9\nbc = 4\n", "option changed");
    assert_edit(old, args("2"), "[x]\nb = 2\nbc = 4\n", "option changed");
    let mut kept = args("9");
    kept["modify_inactive_option"] = false.into();
    assert_edit(old, kept, "[x]\n#b = 1\nb = 9\n# b = 3\nbc = 4\n", "option changed");
    assert_edit("[x]\n z = 3\n", json!({"section": "x", "option": "z", "value": ""}), "[x]\nz = \n", "option changed");
}

#[test]
fn blanks_are_as_they_are_asked_for() {
    let tight = json!({"section": "x", "option": "b", "value": "1", "no_extra_spaces": true});
    assert_edit("[x]\nb = 1\n", tight, "[x]\nb=1\n", "option changed");
    let any = json!({"section": "x", "option": "b", "value": "1", "ignore_spaces": true});
    assert_edit("[x]\nb   =1\n", any, "[x]\nb   =1\n", "OK");
}

#[test]
fn an_option_may_have_several_values() {
    let of = |values: Value| json!({"section": "x", "option": "m", "values": values});
    let old = "[x]\nm = a\nm = b\nn = 1\n";
    assert_edit("[x]\n", of(json!(["a", "b", "a"])), "[x]\nm = a\nm = b\n", "option added");
    assert_edit(old, of(json!(["z"])), "[x]\nm = z\nn = 1\n", "option changed");
    let more = json!({"section": "x", "option": "m", "values": ["b", "c"], "exclusive": false});
    assert_edit(old, more, "[x]\nm = a\nm = b\nn = 1\nm = c\n", "option added");
    let less = json!({"section": "x", "option": "m", "value": "a", "exclusive": false, "state": "absent"});
    assert_edit(old, less, "[x]\nm = b\nn = 1\n", "option changed");
}

#[test]
fn an_option_may_be_a_word() {
    let args = json!({"section": "x", "option": "flag", "allow_no_value": true});
    assert_edit("[x]\na=1\n", args.clone(), "[x]\na=1\nflag\n", "option added");
    assert_edit("[x]\n#flag\n", args, "[x]\nflag\n", "option changed");
    let section = json!({"section": "y", "allow_no_value": true});
    assert_edit("[x]\n", section, "[x]\n[y]\n", "only section added");
}

#[test]
fn what_is_not_wanted_goes() {
    let option = json!({"section": "a", "option": "x", "state": "absent"});
    assert_edit("[a]\nx=1\n#x=2\nx\n", option.clone(), "[a]\n#x=2\n", "option changed");
    assert_edit("[b]\nx=1\n", option.clone(), "[b]\nx=1\n", "OK");
    assert_edit("", option, "", "OK");
    let section = json!({"section": "a", "state": "absent"});
    assert_edit("; c\n[a]\nx=1\n\n[b]\n", section, "; c\n[b]\n", "section removed");
}

#[test]
fn one_of_several_sections_of_a_name_is_chosen_by_what_it_has() {
    let old = "[x]\na=1\n[x]\na=2\nb=3\n";
    let args = |value: &str| {
        json!({"section": "x", "option": "a", "value": "8",
            "section_has_values": [{"option": "b", "value": value}]})
    };
    assert_edit(old, args("3"), "[x]\na=1\n[x]\na = 8\nb=3\n", "option changed");
    assert_edit(old, args("4"), &format!("{old}[x]\nb = 4\na = 8\n"), "section and option added");
    let first = json!({"section": "x", "option": "a", "value": "7"});
    assert_edit(old, first, "[x]\na = 7\n[x]\na=2\nb=3\n", "option changed");
}

#[test]
fn the_file_and_its_folder_are_made_where_that_is_wanted() {
    on_each_system(|system, root| {
        let host = Fixture::new(system);
        let path = root.join("d/f");
        let args = json!({"path": path, "section": "a", "option": "b", "value": 1, "mode": "0600"});
        let mut never = args.clone();
        never["create"] = false.into();
        let failure = host.run::<This>(never).result.unwrap_err();
        assert!(failure.msg.contains("does not exist"), "{failure}");
        let absent = json!({"path": path, "section": "a", "state": "absent"});
        assert_eq!(host.run::<This>(absent).changes, []);
        assert_eq!(host.run::<This>(args).result.unwrap().data["mode"], "0600");
    });
}

#[test]
fn a_value_is_needed() {
    let args = json!({"path": "/f", "section": "a", "option": "b"});
    let failure = Fixture::new(&rplay_api::Overlay::empty()).run::<This>(args).result.unwrap_err();
    assert_eq!(failure.arg.as_deref(), Some("value"));
}
