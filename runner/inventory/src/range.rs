//! Host ranges: `web[01:20:2].example.com`, `db-[a:f]`.

/// The hosts that a pattern of an inventory names.
///
/// # Errors
/// Why the range is none.
pub(crate) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some(open) = pattern.find('[') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let Some(close) = pattern[open..].find(']').map(|i| open + i) else {
        return Err(format!("the range in `{pattern}` has no `]`"));
    };
    let (head, tail) = (&pattern[..open], &pattern[close + 1..]);
    let parts: Vec<&str> = pattern[open + 1..close].split(':').collect();
    let (from, to, step) = match parts.as_slice() {
        [_, to] | [_, to, _] if to.is_empty() => {
            let words = "host range must specify end value";
            return Err(format!("{words}: `{}`", &pattern[open..=close]));
        }
        [from, to] => (start_of(from), *to, 1),
        [from, to, step] => {
            let step: usize = step.parse().map_err(|_| format!("`{step}` is no step"))?;
            (start_of(from), *to, step.max(1))
        }
        _ => return Err(format!("`{}` is no range", &pattern[open..=close])),
    };
    let names = between(from, to, step).ok_or_else(|| format!("`{from}:{to}` is no range"))?;
    let mut out = vec![];
    for rest in expand(tail)? {
        out.extend(names.iter().map(|name| format!("{head}{name}{rest}")));
    }
    out.sort_by_key(|name| {
        names
            .iter()
            .position(|n| name.starts_with(&format!("{head}{n}")))
    });
    Ok(out)
}

fn start_of(from: &str) -> &str {
    if from.is_empty() { "0" } else { from }
}

fn between(from: &str, to: &str, step: usize) -> Option<Vec<String>> {
    if let (Ok(first), Ok(last)) = (from.parse::<u64>(), to.parse::<u64>()) {
        let width = if from.starts_with('0') && from.len() > 1 {
            from.len()
        } else {
            0
        };
        return (first <= last).then(|| {
            (first..=last)
                .step_by(step)
                .map(|n| format!("{n:0width$}"))
                .collect()
        });
    }
    let letter = |s: &str| {
        s.chars()
            .next()
            .filter(|c| c.is_ascii_alphabetic() && s.len() == 1)
    };
    let (first, last) = (letter(from)?, letter(to)?);
    (first <= last).then(|| (first..=last).step_by(step).map(String::from).collect())
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn numbers_keep_their_zeros() {
        assert_eq!(expand("w[08:10].x").unwrap(), ["w08.x", "w09.x", "w10.x"]);
        assert_eq!(expand("w[1:5:2]").unwrap(), ["w1", "w3", "w5"]);
    }

    #[test]
    fn letters_run_too() {
        assert_eq!(expand("db-[a:c]").unwrap(), ["db-a", "db-b", "db-c"]);
    }

    #[test]
    fn two_ranges_multiply() {
        assert_eq!(expand("[a:b][1:2]").unwrap(), ["a1", "a2", "b1", "b2"]);
    }

    #[test]
    fn an_open_range_is_an_error() {
        assert!(expand("w[1:2").is_err());
        assert_eq!(
            expand("w[1:]").unwrap_err(),
            "host range must specify end value: `[1:]`"
        );
        assert_eq!(expand("w[:1]").unwrap(), ["w0", "w1"]);
    }
}
