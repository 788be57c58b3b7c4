//! `json_query`: what an expression of JMESPath finds in a value.
//!
//! The expression is read by the crate `jmespath`, and followed here: what that finds has its keys sorted,
//! where Ansible's keep their order, and whole numbers become floats.

mod functions;
mod search;

use minijinja::State;

use crate::call::{Args, Callable, Out, strict};
use crate::json::{Trouble, from_json, to_json};
use crate::python::wrong;
use crate::unknown;

pub(super) const FILTERS: &[Callable] = &[strict(
    &["json_query", "community.general.json_query"],
    &["data", "expr"],
    json_query,
)];

fn json_query(_: &mut State<'_, '_>, args: &Args) -> Out {
    let data = match to_json(args.req(0)?) {
        Ok(data) => data,
        Err(Trouble::Unknown(origins)) => {
            unknown::touch(&origins);
            return Ok(unknown::value(&origins));
        }
        Err(Trouble::Error(words)) => return Err(wrong(words)),
    };
    let text = args.text(1)?;
    let failed = |why: String| {
        wrong(format!(
            "`json_query` could not use its expression `{text}`: {why}"
        ))
    };
    let parsed = jmespath::parse(&text).map_err(|error| failed(error.reason.to_string()))?;
    search::found(&parsed, &data)
        .map(|found| from_json(&found))
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};
    use serde_json::{Value as Json, json};

    use crate::json::{from_json, to_json};

    fn asked(data: &Json, query: &str) -> Result<String, String> {
        let mut env = Environment::new();
        super::super::register(&mut env);
        let asked = env.compile_expression("d | json_query(q)").unwrap();
        let made = asked
            .eval(context!(d => from_json(data), q => query))
            .map_err(|e| format!("{e:#}"))?;
        Ok(to_json(&made).unwrap().to_string())
    }

    /// Each as Python's library `jmespath` finds it; that refuses to compare a text with a number, which finds
    /// nothing here, as the language has it.
    #[test]
    fn an_expression_finds_what_it_finds_in_ansible() {
        let data = json!({
            "people": [{"name": "a", "age": 30, "tags": ["x", "y"], "odd-key": 1}, {"name": "b", "age": 25, "tags": []}, {"name": "c", "age": "7"}],
            "m": {"z": {"v": 1}, "a": {"v": 2}}, "n": null, "s": "text", "f": 1.5, "list": [3, 1, 2], "nested": [[1, 2], [3], 4],
        });
        for (query, want) in [
            ("people[*].name", r#"["a","b","c"]"#),
            ("people[?age > `26`].name", r#"["a"]"#),
            ("people[?name=='b'] | [0].age", "25"),
            ("people[?contains(tags || `[]`, 'x')].name", r#"["a"]"#),
            ("people[].tags[]", r#"["x","y"]"#),
            (r#"people[0]."odd-key""#, "1"),
            ("m.*.v", "[1,2]"),
            ("keys(m)", r#"["z","a"]"#),
            ("nothing.at.all", "null"),
            ("length(people)", "3"),
            (
                "people[:2].{n: name, a: age}",
                r#"[{"n":"a","a":30},{"n":"b","a":25}]"#,
            ),
            ("people[*].[name, age]", r#"[["a",30],["b",25],["c","7"]]"#),
            ("sort(list)", "[1,2,3]"),
            ("sort_by(people[:2], &age)[*].name", r#"["b","a"]"#),
            ("max_by(people[:2], &age).name", r#""a""#),
            ("min_by(people[:2], &age).name", r#""b""#),
            ("reverse(list)", "[2,1,3]"),
            ("reverse(s)", r#""txet""#),
            ("nested[]", "[1,2,3,4]"),
            ("sum(list)", "6"),
            ("avg(list)", "2.0"),
            ("to_number('12')", "12"),
            ("to_number('x')", "null"),
            ("to_string(m)", r#""{\"z\":{\"v\":1},\"a\":{\"v\":2}}""#),
            ("join(',', people[*].name)", r#""a,b,c""#),
            ("starts_with(s, 'te') && ends_with(s, 'xt')", "true"),
            ("type(f)", r#""number""#),
            ("merge(m, `{\"k\":1}`) | keys(@)", r#"["z","a","k"]"#),
            ("not_null(n, s)", r#""text""#),
            ("list[::2]", "[3,2]"),
            ("list[::-1]", "[2,1,3]"),
            ("list[-1]", "2"),
            ("map(&name, people)", r#"["a","b","c"]"#),
            ("ceil(f)", "2"),
            ("floor(`1.9`)", "1"),
            ("abs(`-1`)", "1"),
            ("people[?tags[?@=='y']].name", r#"["a"]"#),
            ("people[?!tags].name", r#"["b","c"]"#),
            ("to_array(s)", r#"["text"]"#),
            ("m.z == m.a", "false"),
            ("people[*].tags[0]", r#"["x"]"#),
            ("'raw'", r#""raw""#),
            ("max(list)", "3"),
            ("min(people[*].name)", r#""a""#),
            ("s[0]", "null"),
            ("people[?age >= `25` && age < `30`].name", r#"["b"]"#),
        ] {
            assert_eq!(asked(&data, query).as_deref(), Ok(want), "{query}");
        }
    }

    #[test]
    fn an_expression_that_means_nothing_is_told() {
        for (query, words) in [
            (
                "people[",
                "`json_query` could not use its expression `people[`",
            ),
            ("nosuch(@)", "there is no function `nosuch`"),
            ("sum(@)", "`sum` takes a list of numbers, not an object"),
            ("join(',')", "`join` takes 2 arguments, not 1"),
        ] {
            let failed = asked(&json!({}), query).unwrap_err();
            assert!(failed.contains(words), "{failed}");
        }
    }
}
