//! Against what the collection was seen to answer: `tests/ip.txt`, a line a call.

use minijinja::Environment;
use serde_json::Value as Json;

use crate::json::to_json;

/// `FILTER\tARGUMENTS\tANSWER` in JSON, `error` for one that fails.
const SEEN: &str = include_str!("../../../tests/ip.txt");

#[test]
fn each_answers_as_the_collection_does() {
    let mut env = Environment::new();
    super::super::register(&mut env);
    let mut wrong = vec![];
    for line in SEEN.lines().filter(|line| !line.starts_with('#')) {
        let [filter, args, want] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let args: Vec<Json> = serde_json::from_str(args).unwrap();
        let args: Vec<minijinja::Value> = args.iter().map(crate::json::from_json).collect();
        let names: Vec<String> = (1..args.len()).map(|at| format!("a[{at}]")).collect();
        let asked = format!("a[0] | {filter}({})", names.join(", "));
        let made = env
            .compile_expression(&asked)
            .unwrap()
            .eval(minijinja::context!(a => args));
        let got = match &made {
            // JSON has no place for numbers as large as some of these.
            Ok(value) if value.is_integer() => value.to_string(),
            Ok(value) => to_json(value).unwrap().to_string(),
            Err(_) => "error".to_owned(),
        };
        let same = want == got
            || match (
                serde_json::from_str::<Json>(want),
                serde_json::from_str::<Json>(&got),
            ) {
                (Ok(want), Ok(got)) => want == got,
                (want, got) => want.is_err() && got.is_err(),
            };
        if !same {
            wrong.push(format!("{line}: {got} {made:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        SEEN.lines().count(),
        wrong.join("\n")
    );
}
