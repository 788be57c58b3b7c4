//! Functions: `lookup` and its like, `now`, `undef`.

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use minijinja::value::ValueKind;
use minijinja::{ErrorKind, State, Value};

use crate::call::{Args, Callable, Out, lenient, strict};
use crate::context::context_of;
use crate::date;
use crate::lookup;
use crate::python::valid;

pub(super) const FUNCTIONS: &[Callable] = &[
    lenient(&["lookup"], &["_lookup", "*", "**"], |state, a| {
        lookup_of(state, a, false)
    }),
    lenient(&["query", "q"], &["_lookup", "*", "**"], |state, a| {
        lookup_of(state, a, true)
    }),
    strict(&["now"], &["utc", "fmt"], now),
    strict(&["undef"], &["hint"], undef),
    strict(&["dict"], &["pairs", "**"], dict),
    lenient(&["joiner"], &["sep"], |_, a| {
        Ok(Value::from_object(Joiner::new(a.opt_text(0)?)))
    }),
    lenient(&["cycler"], &["*"], |_, a| {
        Ok(Value::from_object(Cycler::new(a.rest.clone())))
    }),
];

fn lookup_of(state: &mut State<'_, '_>, args: &Args, list: bool) -> Out {
    let context = context_of(state)?;
    lookup::called(&context, &args.text(0)?, args, list)
}

fn now(_: &mut State<'_, '_>, args: &Args) -> Out {
    let utc = args.flag(0, false);
    let zone = if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let now = jiff::Timestamp::now()
        .to_zoned_datetime(zone.clone())
        .datetime();
    match args.opt_text(1)?.filter(|f| !f.is_empty()) {
        Some(format) => date::formatted(now, &zone, &format).map(Value::from),
        None => Ok(date::value(now, utc)),
    }
}

fn dict(_: &mut State<'_, '_>, args: &Args) -> Out {
    let mut pairs: IndexMap<Value, Value> = IndexMap::new();
    if let Some(given) = args.opt(0) {
        for item in given.try_iter()? {
            let (key, value) = match given.kind() {
                ValueKind::Map => (item.clone(), given.get_item(&item)?),
                _ => (
                    item.get_item(&Value::from(0))?,
                    item.get_item(&Value::from(1))?,
                ),
            };
            pairs.insert(valid(key)?, valid(value)?);
        }
    }
    pairs.extend(
        args.more
            .iter()
            .map(|(k, v)| (Value::from(k.as_str()), v.clone())),
    );
    Ok(Value::from_pairs(pairs))
}

/// An undefined value, and what to say where it is used.
fn undef(_: &mut State<'_, '_>, args: &Args) -> Out {
    let hint = args
        .opt_text(0)?
        .unwrap_or_else(|| "Mandatory variable has not been overridden".into());
    let diagnostic = rplay_diag::Diagnostic::error(hint);
    crate::missing::note(crate::missing::Miss::Nested {
        name: "undef".into(),
        diagnostic,
    });
    Ok(Value::UNDEFINED)
}

/// Nothing the first time, then a separator.
#[derive(Debug)]
struct Joiner {
    by: String,
    used: std::sync::atomic::AtomicBool,
}

impl Joiner {
    fn new(by: Option<String>) -> Self {
        Self {
            by: by.unwrap_or_else(|| ", ".into()),
            used: false.into(),
        }
    }
}

impl minijinja::value::Object for Joiner {
    fn call(self: &std::sync::Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Out {
        let used = self.used.swap(true, std::sync::atomic::Ordering::Relaxed);
        Ok(if used {
            self.by.as_str().into()
        } else {
            "".into()
        })
    }
}

/// One value after the other, over and over.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    at: std::sync::atomic::AtomicUsize,
}

impl Cycler {
    fn new(items: Vec<Value>) -> Self {
        Self {
            items,
            at: 0.into(),
        }
    }

    fn item(&self, at: usize) -> Value {
        self.items
            .get(at % self.items.len().max(1))
            .cloned()
            .unwrap_or_default()
    }
}

impl minijinja::value::Object for Cycler {
    fn get_value(self: &std::sync::Arc<Self>, key: &Value) -> Option<Value> {
        let at = self.at.load(std::sync::atomic::Ordering::Relaxed);
        (key.as_str() == Some("current")).then(|| self.item(at))
    }

    fn call_method(
        self: &std::sync::Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Out {
        use std::sync::atomic::Ordering::Relaxed;
        match method {
            "next" => Ok(self.item(self.at.fetch_add(1, Relaxed))),
            "reset" => {
                self.at.store(0, Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(ErrorKind::UnknownMethod.into()),
        }
    }
}
