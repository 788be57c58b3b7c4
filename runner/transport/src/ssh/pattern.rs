//! Patterns of host names, as `ssh_config` and `known_hosts` write them.

/// Whether `*` and `?` in the pattern can stand for what is in the text. Letters' case is no
/// difference.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and where its text began: it can still take one more letter.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether one of the patterns matches, and none that begins with `!` does.
pub(super) fn any_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        for (pattern, text) in [
            ("*", ""),
            ("web-?", "web-1"),
            ("*.lab", "a.b.lab"),
            ("a*b*c", "aXbbYc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("web-?", "web-"),
            ("*.lab", "lab"),
            ("a*b*c", "aXc"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_negated_pattern_takes_out() {
        assert!(any_matches(["*.lab", "!db.lab"], "web.lab"));
        assert!(!any_matches(["*.lab", "!db.lab"], "db.lab"));
        assert!(!any_matches(["!db.lab"], "web.lab"));
    }
}
