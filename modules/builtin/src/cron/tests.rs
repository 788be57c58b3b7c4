use std::path::Path;

use rplay_api::{Overlay, System};
use serde_json::{Value, json};

use super::This;
use crate::fixture::{Fixture, Ran, on_each_system};

fn cron(system: &dyn System, path: &Path, mut args: Value) -> Ran {
    args["cron_file"] = json!(path);
    if args.get("user").is_none() {
        args["user"] = "root".into();
    }
    Fixture::new(system).run::<This>(args)
}

fn text(system: &dyn System, path: &Path) -> String {
    Fixture::new(system).on_host(|host| host.read_text(path).unwrap())
}

#[test]
fn a_job_is_found_again_by_its_name() {
    on_each_system(|system, dir| {
        let file = dir.join("f");
        let one = json!({"name": "one", "job": "echo 1\n", "minute": "*/5"});
        let got = cron(system, &file, one.clone());
        assert_eq!(got.result.unwrap().data["jobs"], json!(["one"]));
        assert_eq!(text(system, &file), "#Ansible: one\n*/5 * * * * root echo 1\n");
        assert_eq!(cron(system, &file, one).changes, []);
        cron(system, &file, json!({"name": "two", "job": "x", "special_time": "daily"}));
        let off = json!({"name": "one", "job": "echo 2", "weekday": "MON", "disabled": true});
        cron(system, &file, off);
        let want = "#Ansible: one\n#* * * * MON root echo 2\n#Ansible: two\n@daily root x\n";
        assert_eq!(text(system, &file), want);
    });
}

#[test]
fn the_file_goes_with_its_last_job() {
    on_each_system(|system, dir| {
        let file = dir.join("f");
        cron(system, &file, json!({"name": "one", "job": "x"}));
        let gone = json!({"name": "one", "state": "absent"});
        let got = cron(system, &file, gone.clone());
        assert_eq!((got.changes.len(), &got.result.unwrap().data["state"]), (1, &json!("absent")));
        assert!(system.lstat(&file).unwrap().is_none());
        assert_eq!(cron(system, &file, gone.clone()).changes, []);
        // Empty lines are nothing to keep a file for.
        Fixture::new(system).file(file.to_str().unwrap(), "#Ansible: one\n* * * * * x\n\n  \n");
        cron(system, &file, gone).result.unwrap();
        assert!(system.lstat(&file).unwrap().is_none());
    });
}

#[test]
fn variables_go_to_the_top_or_beside_another() {
    on_each_system(|system, dir| {
        let file = dir.join("f");
        let env = |name: &str, value: &str, more: Value| {
            let mut args = json!({"name": name, "env": true, "value": value});
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            cron(system, &file, args)
        };
        cron(system, &file, json!({"name": "one", "job": "A=1 x"}));
        env("PATH", "/bin", json!({}));
        env("M", "a b", json!({}));
        env("X", "1", json!({"insertafter": "M"}));
        let got = env("Y", "", json!({"insertbefore": "PATH"}));
        assert_eq!(got.result.unwrap().data["envs"], json!(["M", "X", "Y", "PATH"]));
        let head = "M=\"a b\"\nX=\"1\"\nY=\"\"\nPATH=\"/bin\"\n#Ansible: one\n";
        assert!(text(system, &file).starts_with(head));
        let got = env("Z", "1", json!({"insertbefore": "NOPE"}));
        assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("insertbefore"));
        cron(system, &file, json!({"name": "X", "env": true, "state": "absent"}));
        assert!(!text(system, &file).contains("X="));
    });
}

#[test]
fn other_lines_stay_and_a_job_without_a_name_gets_it() {
    let overlay = Overlay::empty();
    let fixture = Fixture::new(&overlay);
    fixture.file("/f", "# mine\n\n0 1 * * * root old\n#Ansible: empty\n");
    let file = Path::new("/f");
    cron(&overlay, file, json!({"name": "old", "job": "old", "hour": 1, "minute": 0}));
    assert_eq!(text(&overlay, file), "# mine\n\n#Ansible: old\n0 1 * * * root old\n#Ansible: empty\n");
    cron(&overlay, file, json!({"name": "empty", "job": "x"}));
    assert!(text(&overlay, file).ends_with("#Ansible: empty\n* * * * * root x\n"));
    cron(&overlay, file, json!({"name": "old", "state": "absent"}));
    assert!(text(&overlay, file).starts_with("# mine\n\n#Ansible: empty\n"));
}

#[test]
fn what_cron_would_not_take_is_refused() {
    let overlay = Overlay::empty();
    for (args, at) in [
        (json!({"name": "a"}), "job"),
        (json!({"name": "a", "job": "x\ny"}), "job"),
        (json!({"name": "a", "job": "x", "minute": "1 2"}), "minute"),
        (json!({"name": "a", "job": "x", "hour": ""}), "hour"),
        (json!({"name": "a", "job": "x", "special_time": "daily", "day": "1"}), "day"),
        (json!({"name": "a", "job": "x", "insertafter": "b"}), "insertafter"),
        (json!({"name": "", "job": "x"}), "name"),
    ] {
        let got = cron(&overlay, Path::new("/f"), args.clone()).result.unwrap_err();
        assert_eq!(got.arg.as_deref(), Some(at), "{args}");
    }
    let got = Fixture::new(&overlay).run::<This>(json!({"name": "a", "job": "x", "cron_file": "f"}));
    assert_eq!(got.result.unwrap_err().arg.as_deref(), Some("user"));
    let system = json!({"name": "a", "job": "x", "cron_file": "/etc/crontab", "user": "root"});
    let got = Fixture::new(&overlay).run::<This>(system).result.unwrap_err();
    assert!(got.msg.starts_with("Will not manage /etc/crontab"), "{got:?}");
}

#[test]
fn a_file_given_by_its_name_is_in_cron_d() {
    let overlay = Overlay::empty();
    Fixture::new(&overlay).file("/etc/cron.d/other", "");
    let got = cron(&overlay, Path::new("tidy"), json!({"name": "a", "job": "x"}));
    assert_eq!(got.result.unwrap().data["cron_file"], "tidy");
    assert_eq!(text(&overlay, Path::new("/etc/cron.d/tidy")), "#Ansible: a\n* * * * * root x\n");
}
