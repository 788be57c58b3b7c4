//! The functions of JMESPath.

use std::cmp::Ordering;

use jmespath::ast::Ast;
use serde_json::{Map, Value as Json};

use super::search::found;

/// How many arguments a function takes, and at most; none: any number.
const FUNCTIONS: [(&str, usize, Option<usize>); 26] = [
    ("abs", 1, Some(1)),
    ("avg", 1, Some(1)),
    ("ceil", 1, Some(1)),
    ("contains", 2, Some(2)),
    ("ends_with", 2, Some(2)),
    ("floor", 1, Some(1)),
    ("join", 2, Some(2)),
    ("keys", 1, Some(1)),
    ("length", 1, Some(1)),
    ("map", 2, Some(2)),
    ("max", 1, Some(1)),
    ("max_by", 2, Some(2)),
    ("merge", 1, None),
    ("min", 1, Some(1)),
    ("min_by", 2, Some(2)),
    ("not_null", 1, None),
    ("reverse", 1, Some(1)),
    ("sort", 1, Some(1)),
    ("sort_by", 2, Some(2)),
    ("starts_with", 2, Some(2)),
    ("sum", 1, Some(1)),
    ("to_array", 1, Some(1)),
    ("to_number", 1, Some(1)),
    ("to_string", 1, Some(1)),
    ("type", 1, Some(1)),
    ("values", 1, Some(1)),
];

/// A call's arguments.
struct Call<'a> {
    name: &'a str,
    values: Vec<Json>,
    /// The expressions that were given as such (`&age`).
    expressions: Vec<&'a Ast>,
}

pub(super) fn call(name: &str, args: &[Ast], data: &Json) -> Result<Json, String> {
    let known = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    let (_, least, most) = known.ok_or_else(|| format!("there is no function `{name}`"))?;
    if args.len() < *least || most.is_some_and(|most| args.len() > most) {
        let s = if *least == 1 { "" } else { "s" };
        return Err(format!(
            "`{name}` takes {least} argument{s}, not {}",
            args.len()
        ));
    }
    let mut call = Call {
        name,
        values: vec![],
        expressions: vec![],
    };
    for arg in args {
        match arg {
            Ast::Expref { ast, .. } => call.expressions.push(ast),
            arg => call.values.push(found(arg, data)?),
        }
    }
    call.result()
}

impl Call<'_> {
    fn result(&self) -> Result<Json, String> {
        match self.name {
            "abs" => self
                .number(0)
                .map(|number| whole_or(number.as_i64().map(i64::abs), number_of(number).abs())),
            "ceil" => self
                .number(0)
                .map(|number| rounded(number_of(number).ceil())),
            "floor" => self
                .number(0)
                .map(|number| rounded(number_of(number).floor())),
            "avg" => self.numbers().map(|all| mean(&all)),
            "sum" => self.numbers().map(|all| sum(&all)),
            "max" | "min" => self
                .list(0)
                .map(|items| self.extreme(items.iter().zip(items))),
            "max_by" | "min_by" => {
                let (items, keys) = self.keyed()?;
                Ok(self.extreme(items.iter().zip(&keys)))
            }
            "sort" => self.list(0).map(|items| sorted(items.iter().zip(items))),
            "sort_by" => self
                .keyed()
                .map(|(items, keys)| sorted(items.iter().zip(&keys))),
            "map" => {
                let expression = self.expression()?;
                let items = self.list(0)?.iter();
                items.map(|item| found(expression, item)).collect()
            }
            "keys" => self
                .object(0)
                .map(|map| map.keys().cloned().map(Json::from).collect()),
            "values" => self.object(0).map(|map| map.values().cloned().collect()),
            "merge" => {
                let mut all = Map::new();
                for at in 0..self.values.len() {
                    all.extend(self.object(at)?.clone());
                }
                Ok(all.into())
            }
            "not_null" => Ok(self
                .values
                .iter()
                .find(|value| !value.is_null())
                .cloned()
                .unwrap_or_default()),
            "to_array" => Ok(match self.value(0)? {
                Json::Array(items) => items.clone().into(),
                other => vec![other.clone()].into(),
            }),
            "to_number" => Ok(match self.value(0)? {
                Json::Number(number) => number.clone().into(),
                Json::String(text) => serde_json::from_str(text)
                    .ok()
                    .filter(Json::is_number)
                    .unwrap_or_default(),
                _ => Json::Null,
            }),
            "to_string" => Ok(match self.value(0)? {
                Json::String(text) => text.clone().into(),
                other => other.to_string().into(),
            }),
            "type" => Ok(kind(self.value(0)?).into()),
            "length" => self.length(),
            "reverse" => Ok(match self.value(0)? {
                Json::String(text) => text.chars().rev().collect::<String>().into(),
                _ => self.list(0)?.iter().rev().cloned().collect(),
            }),
            "contains" => Ok(match self.value(0)? {
                Json::String(text) => self
                    .values
                    .get(1)
                    .and_then(Json::as_str)
                    .is_some_and(|part| text.contains(part)),
                _ => self.list(0)?.contains(self.value(1)?),
            }
            .into()),
            "join" => {
                let words = self
                    .list(1)?
                    .iter()
                    .map(Json::as_str)
                    .collect::<Option<Vec<_>>>();
                let words = words.ok_or_else(|| "`join` takes a list of strings".to_owned())?;
                Ok(words.join(self.text(0)?).into())
            }
            "starts_with" => Ok(self.text(0)?.starts_with(self.text(1)?).into()),
            _ => Ok(self.text(0)?.ends_with(self.text(1)?).into()),
        }
    }

    fn value(&self, at: usize) -> Result<&Json, String> {
        self.values
            .get(at)
            .ok_or_else(|| format!("`{}` takes a value where it has `&`", self.name))
    }

    fn wrong<T>(&self, wanted: &str, value: &Json) -> Result<T, String> {
        let kind = kind(value);
        let a = if kind.starts_with(['a', 'o']) {
            "an"
        } else {
            "a"
        };
        Err(format!("`{}` takes {wanted}, not {a} {kind}", self.name))
    }

    fn number(&self, at: usize) -> Result<&Json, String> {
        let value = self.value(at)?;
        if value.is_number() {
            Ok(value)
        } else {
            self.wrong("a number", value)
        }
    }

    fn text(&self, at: usize) -> Result<&str, String> {
        let value = self.value(at)?;
        value
            .as_str()
            .map_or_else(|| self.wrong("a string", value), Ok)
    }

    fn list(&self, at: usize) -> Result<&Vec<Json>, String> {
        let value = self.value(at)?;
        value
            .as_array()
            .map_or_else(|| self.wrong("a list", value), Ok)
    }

    fn object(&self, at: usize) -> Result<&Map<String, Json>, String> {
        let value = self.value(at)?;
        value
            .as_object()
            .map_or_else(|| self.wrong("an object", value), Ok)
    }

    fn numbers(&self) -> Result<Vec<&Json>, String> {
        let value = self.value(0)?;
        let all = value
            .as_array()
            .filter(|items| items.iter().all(Json::is_number));
        all.map_or_else(
            || self.wrong("a list of numbers", value),
            |items| Ok(items.iter().collect()),
        )
    }

    fn expression(&self) -> Result<&Ast, String> {
        let given = self.expressions.first().copied();
        given.ok_or_else(|| format!("`{}` takes an expression: `&name`", self.name))
    }

    /// The items, and what the expression finds in each.
    fn keyed(&self) -> Result<(&Vec<Json>, Vec<Json>), String> {
        let (items, expression) = (self.list(0)?, self.expression()?);
        let keys = items
            .iter()
            .map(|item| found(expression, item))
            .collect::<Result<Vec<_>, _>>()?;
        match keys.iter().find(|key| !key.is_number() && !key.is_string()) {
            Some(key) => self.wrong("an expression for numbers or strings", key),
            None => Ok((items, keys)),
        }
    }

    fn length(&self) -> Result<Json, String> {
        Ok(match self.value(0)? {
            Json::String(text) => text.chars().count(),
            Json::Array(items) => items.len(),
            Json::Object(map) => map.len(),
            other => return self.wrong("a string, a list or an object", other),
        }
        .into())
    }

    /// The item whose key is the largest, or the smallest.
    fn extreme<'a>(&self, items: impl Iterator<Item = (&'a Json, &'a Json)>) -> Json {
        let largest = self.name.starts_with("max");
        let best = items.reduce(|best, other| match (ordered(other.1, best.1), largest) {
            (Ordering::Greater, true) | (Ordering::Less, false) => other,
            _ => best,
        });
        best.map(|(item, _)| item.clone()).unwrap_or_default()
    }
}

fn ordered(a: &Json, b: &Json) -> Ordering {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => number_of(a).total_cmp(&number_of(b)),
    }
}

fn sorted<'a>(items: impl Iterator<Item = (&'a Json, &'a Json)>) -> Json {
    let mut all: Vec<(&Json, &Json)> = items.collect();
    all.sort_by(|a, b| ordered(a.1, b.1));
    all.into_iter().map(|(item, _)| item.clone()).collect()
}

fn number_of(value: &Json) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn whole_or(whole: Option<i64>, float: f64) -> Json {
    whole.map_or_else(|| float.into(), Json::from)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the largest numbers stay floats"
)]
fn rounded(number: f64) -> Json {
    whole_or((number.abs() < 9e15).then_some(number as i64), number)
}

fn sum(all: &[&Json]) -> Json {
    let whole = all
        .iter()
        .try_fold(0_i64, |sum, number| sum.checked_add(number.as_i64()?));
    whole_or(whole, all.iter().map(|number| number_of(number)).sum())
}

#[expect(clippy::cast_precision_loss, reason = "no list is that long")]
fn mean(all: &[&Json]) -> Json {
    match all.len() {
        0 => Json::Null,
        count => (all.iter().map(|number| number_of(number)).sum::<f64>() / count as f64).into(),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
