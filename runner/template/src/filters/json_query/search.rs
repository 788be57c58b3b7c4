//! What an expression finds, step by step.

use jmespath::ast::{Ast, Comparator};
use serde_json::{Map, Value as Json};

use super::functions;

/// What an expression finds in a value.
///
/// # Errors
/// Why it means nothing there, in words.
pub(super) fn found(ast: &Ast, data: &Json) -> Result<Json, String> {
    Ok(match ast {
        Ast::Identity { .. } => data.clone(),
        Ast::Field { name, .. } => data.get(name).cloned().unwrap_or_default(),
        Ast::Index { idx, .. } => at(data, i64::from(*idx)),
        Ast::Literal { value, .. } => serde_json::to_value(&**value).map_err(|e| e.to_string())?,
        Ast::Subexpr { lhs, rhs, .. } => found(rhs, &found(lhs, data)?)?,
        Ast::Projection { lhs, rhs, .. } => match found(lhs, data)? {
            Json::Array(items) => {
                let all = items
                    .iter()
                    .map(|item| found(rhs, item))
                    .collect::<Result<Vec<_>, _>>()?;
                all.into_iter().filter(|item| !item.is_null()).collect()
            }
            _ => Json::Null,
        },
        Ast::Flatten { node, .. } => match found(node, data)? {
            Json::Array(items) => items
                .into_iter()
                .flat_map(|item| match item {
                    Json::Array(inner) => inner,
                    item => vec![item],
                })
                .collect(),
            _ => Json::Null,
        },
        Ast::ObjectValues { node, .. } => match found(node, data)? {
            Json::Object(map) => map.into_iter().map(|(_, value)| value).collect(),
            _ => Json::Null,
        },
        Ast::Slice {
            start, stop, step, ..
        } => slice(data, *start, *stop, *step)?,
        Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_null() => Json::Null,
        Ast::MultiList { elements, .. } => elements
            .iter()
            .map(|element| found(element, data))
            .collect::<Result<_, _>>()?,
        Ast::MultiHash { elements, .. } => {
            let pairs = elements
                .iter()
                .map(|pair| Ok((pair.key.clone(), found(&pair.value, data)?)));
            Json::Object(pairs.collect::<Result<Map<_, _>, String>>()?)
        }
        Ast::Condition {
            predicate, then, ..
        } => match is_true(&found(predicate, data)?) {
            true => found(then, data)?,
            false => Json::Null,
        },
        Ast::Not { node, .. } => (!is_true(&found(node, data)?)).into(),
        Ast::And { lhs, rhs, .. } => match found(lhs, data)? {
            left if is_true(&left) => found(rhs, data)?,
            left => left,
        },
        Ast::Or { lhs, rhs, .. } => match found(lhs, data)? {
            left if is_true(&left) => left,
            _ => found(rhs, data)?,
        },
        Ast::Comparison {
            comparator,
            lhs,
            rhs,
            ..
        } => compared(comparator, &found(lhs, data)?, &found(rhs, data)?),
        Ast::Function { name, args, .. } => functions::call(name, args, data)?,
        Ast::Expref { .. } => {
            return Err("`&` stands only before an argument of a function".to_owned());
        }
    })
}

/// What counts as true.
fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(holds) => *holds,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
        Json::Number(_) => true,
    }
}

fn at(data: &Json, at: i64) -> Json {
    let items = data.as_array().map_or(&[][..], Vec::as_slice);
    let at = if at < 0 {
        at + i64::try_from(items.len()).unwrap_or(i64::MAX)
    } else {
        at
    };
    usize::try_from(at)
        .ok()
        .and_then(|at| items.get(at))
        .cloned()
        .unwrap_or_default()
}

fn slice(data: &Json, start: Option<i32>, stop: Option<i32>, step: i32) -> Result<Json, String> {
    let Json::Array(items) = data else {
        return Ok(Json::Null);
    };
    if step == 0 {
        return Err("a slice has no step of 0".to_owned());
    }
    let (len, step) = (
        i64::try_from(items.len()).unwrap_or(i64::MAX),
        i64::from(step),
    );
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let place = |bound: Option<i32>, default: i64| match bound.map(i64::from) {
        None => default,
        Some(bound) if bound < 0 => (bound + len).max(low),
        Some(bound) => bound.min(high),
    };
    let (from, to) = if step > 0 { (0, len) } else { (len - 1, -1) };
    let (mut at, stop) = (place(start, from), place(stop, to));
    let mut taken = vec![];
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        taken.extend(
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .cloned(),
        );
        at += step;
    }
    Ok(taken.into())
}

fn compared(comparator: &Comparator, left: &Json, right: &Json) -> Json {
    let same = match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
        _ => left == right,
    };
    match comparator {
        Comparator::Equal => return same.into(),
        Comparator::NotEqual => return (!same).into(),
        _ => {}
    }
    // Only numbers come before or after one another.
    let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else {
        return Json::Null;
    };
    match comparator {
        Comparator::LessThan => left < right,
        Comparator::LessThanEqual => left <= right,
        Comparator::GreaterThan => left > right,
        _ => left >= right,
    }
    .into()
}
