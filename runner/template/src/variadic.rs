//! A macro that takes more than it names: `varargs`, and `kwargs` by name.

use std::sync::Arc;

use minijinja::value::{Kwargs, Object};
use minijinja::{Error, State, Value};

/// Stands in for a macro whose last two parameters are `varargs` and `kwargs`.
#[derive(Debug)]
struct Variadic {
    inner: Value,
    /// What the macro names.
    params: Vec<String>,
}

/// What stands in for a macro with these parameters.
pub(crate) fn variadic(inner: &Value, params: &Value) -> Result<Value, Error> {
    let params = params.try_iter()?.map(|param| param.to_string()).collect();
    let inner = inner.clone();
    Ok(Value::from_object(Variadic { inner, params }))
}

impl Object for Variadic {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let named = args.last().filter(|last| last.is_kwargs());
        let by_place = &args[..args.len() - usize::from(named.is_some())];
        let (own, more) = by_place.split_at(by_place.len().min(self.params.len()));
        let named = match named {
            Some(named) => Kwargs::try_from(named.clone())?,
            None => Kwargs::from_iter(Vec::<(String, Value)>::new()),
        };
        let (mut passed, mut rest) = (vec![], vec![]);
        for name in named.args() {
            let pair = (name.to_owned(), named.get::<Value>(name)?);
            // What a call block brings is not among what is counted.
            match name == "caller" || self.params.iter().any(|param| param == name) {
                true => passed.push(pair),
                false => rest.push(pair),
            }
        }
        passed.push(("varargs".to_owned(), more.to_vec().into()));
        passed.push(("kwargs".to_owned(), Value::from_pairs(rest)));
        let mut args = own.to_vec();
        args.push(Kwargs::from_iter(passed).into());
        self.inner.call(state, &args)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.inner.get_item(key).ok()
    }
}
