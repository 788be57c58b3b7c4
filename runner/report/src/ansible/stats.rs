//! The figures that `set_stats` gives, shown after the recap.

use serde_json::{Map, Value};

use super::paint::Ink;
use super::{AnsibleLook, Screen};

/// Figures of the run and of its hosts.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    run: Map<String, Value>,
    hosts: Map<String, Value>,
}

impl Stats {
    /// Takes what a result says.
    pub(crate) fn add(&mut self, host: &str, result: &Map<String, Value>) {
        let Some(stats) = result.get("ansible_stats") else {
            return;
        };
        let is = |name: &str| stats.get(name) == Some(&Value::Bool(true));
        let place = if is("per_host") {
            let own = self.hosts.entry(host).or_insert_with(|| Map::new().into());
            let Value::Object(own) = own else { return };
            own
        } else {
            &mut self.run
        };
        for (name, value) in stats
            .get("data")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let next = match place.get(name).filter(|_| is("aggregate")) {
                Some(old) => sum(old, value),
                None => value.clone(),
            };
            place.insert(name.clone(), next);
        }
    }

    pub(crate) fn show(&self, look: &AnsibleLook, screen: &mut Screen) {
        if self.run.is_empty() && self.hosts.is_empty() {
            return;
        }
        screen.line(Ink::Plain, &look.banner("CUSTOM STATS:"));
        for (host, stats) in &self.hosts {
            screen.raw(&format!("\t{host}: {stats}"));
        }
        if !self.run.is_empty() {
            screen.raw(&format!("\tRUN: {}", super::dump::one_line(&self.run)));
        }
        screen.raw("");
    }
}

/// Numbers add up, texts and lists follow each other, mappings are laid over each other.
fn sum(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => (a + b).into(),
            _ => (a.as_f64().unwrap_or_default() + b.as_f64().unwrap_or_default()).into(),
        },
        (Value::String(a), Value::String(b)) => format!("{a}{b}").into(),
        (Value::Array(a), Value::Array(b)) => a.iter().chain(b).cloned().collect(),
        (Value::Object(a), Value::Object(b)) => {
            let mut all = a.clone();
            all.extend(b.clone());
            all.into()
        }
        _ => new.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_of_the_run_add_up() {
        let mut stats = Stats::default();
        for n in [10, 15] {
            let result =
                json!({"ansible_stats": {"data": {"n": n}, "per_host": false, "aggregate": true}});
            stats.add("a", result.as_object().unwrap());
        }
        assert_eq!(stats.run["n"], 25);
    }
}
