//! What a process says before it is of interest.

/// What is not of interest in a stream, up to a line.
pub(crate) struct Preface {
    line: &'static str,
    /// What came by now, for where the line never does.
    pub(super) held: Vec<u8>,
}

impl Preface {
    pub(super) fn new(line: &'static str) -> Self {
        Self { line, held: vec![] }
    }

    /// What comes after the line, once that is there.
    pub(super) fn rest(&mut self, data: &[u8]) -> Option<bytes::Bytes> {
        self.held.extend_from_slice(data);
        let line = format!("{}\n", self.line);
        let mut places = self.held.windows(line.len());
        let at = places.position(|place| place == line.as_bytes())?;
        Some(self.held.split_off(at + line.len()).into())
    }
}

/// The last lines of a text, on one; the very last one is there in any case.
pub(crate) fn last_words(text: &str) -> String {
    const LIMIT: usize = 400;
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let mut words = String::new();
    for line in lines.rev().take(3) {
        match words.as_str() {
            "" => words = line.chars().take(LIMIT).collect(),
            rest if rest.len() + line.len() < LIMIT => words = format!("{line}; {rest}"),
            _ => break,
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_may_come_in_parts() {
        let mut preface = Preface::new("begin");
        assert_eq!(preface.rest(b"Defaulted\nbeg"), None);
        assert_eq!(preface.rest(b"in\nrest").as_deref(), Some(&b"rest"[..]));
    }

    #[test]
    fn the_last_line_is_what_counts() {
        let long = "x".repeat(399);
        assert_eq!(last_words("a\nb\n\nc\nd\n"), "b; c; d");
        assert_eq!(last_words(&format!("{long}\n why\n")), "why");
        assert_eq!(last_words(&format!("why\n{long}{long}")).len(), 400);
    }
}
