//! Quoted text and brackets that go on in a column too far left, or after a tab.
//!
//! YAML wants them indented deeper than what they belong to; Ansible's parser does not mind, and
//! playbooks are full of it. Blanks at the start of such a line mean nothing, so the line is moved
//! right, and places are counted back to the text as it was written.

/// As many lines as are moved: a bound for texts that are wrong all over.
const MAX_LINES: usize = 2_000;

/// A text with blanks put in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Padded {
    pub text: String,
    /// Where in the original blanks were put in, and how many; in order.
    inserts: Vec<(usize, usize)>,
    /// Where in the original a letter's two escapes became one, which is two bytes shorter; in order.
    joined: Vec<usize>,
}

/// The bytes by which `\U0001f600` is shorter than `\ud83d\ude00`.
const SHORTER: usize = 2;

impl Padded {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            inserts: vec![],
            joined: vec![],
        }
    }

    /// The byte of the original that a byte of the padded text was.
    pub(crate) fn original(&self, at: usize) -> usize {
        let mut moved = 0;
        for (place, count) in &self.inserts {
            if place + moved >= at {
                break;
            }
            // Inside of the blanks, it is the place where they were put in.
            moved += (*count).min(at - place - moved);
        }
        let mut original = at - moved;
        for place in &self.joined {
            original += if *place < original { SHORTER } else { 0 };
        }
        original
    }

    /// JSON writes a letter beyond U+FFFF as two escapes, where YAML has one: makes it that one.
    fn join_surrogates(&mut self) -> bool {
        let mut from = 0;
        while let Some(found) = self.text[from..].find("\\u") {
            let at = from + found;
            let unit = |at: usize| {
                let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
                u16::from_str_radix(digits, 16).ok()
            };
            let units = [unit(at), unit(at + 6)].map(Option::unwrap_or_default);
            let letter = char::decode_utf16(units).next().and_then(Result::ok);
            // One escape alone is a letter as well, and is read as it is.
            match letter.filter(|letter| u32::from(*letter) > 0xffff) {
                Some(letter) => {
                    let original = self.original(at);
                    let code = format!("\\U{:08x}", u32::from(letter));
                    self.text.replace_range(at..at + 12, &code);
                    self.joined.push(original);
                    from = at + code.len();
                }
                None => from = at + 2,
            }
        }
        !self.joined.is_empty()
    }

    /// Moves what the scanner complained of at byte `at`; whether it could.
    pub(crate) fn fix(&mut self, at: usize, words: &str) -> bool {
        if self.inserts.len() >= MAX_LINES {
            return false;
        }
        if words.contains("invalid Unicode character escape code") && self.joined.is_empty() {
            return self.join_surrogates();
        }
        let lines = match words {
            "invalid indentation in quoted scalar" => quoted_lines(&self.text, at),
            // The tab is a blank in quoted text that goes on, which may begin its lines with any.
            "tab cannot be used as indentation"
            | "invalid indentation"
            | "invalid indentation in flow construct" => Some(vec![line_start(&self.text, at)]),
            _ => None,
        };
        let Some(lines) = lines.filter(|lines| !lines.is_empty()) else {
            return false;
        };
        let width = lines
            .iter()
            .map(|start| blanks(&self.text[*start..]))
            .min()
            .unwrap_or(0);
        let width = (at - line_start(&self.text, at) + 1)
            .saturating_sub(width)
            .max(8);
        for start in lines.into_iter().rev() {
            let original = self.original(start);
            self.text.insert_str(start, &" ".repeat(width));
            let index = self.inserts.partition_point(|(place, _)| *place < original);
            self.inserts.insert(index, (original, width));
        }
        true
    }
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// The starts of the lines that the quoted text at `at` goes on in; `None` where it has no end.
fn quoted_lines(text: &str, at: usize) -> Option<Vec<usize>> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut lines = vec![];
    let mut i = at + 1;
    loop {
        match *bytes.get(i)? {
            b'\\' if quote == b'"' => i += 1,
            b'\'' if quote == b'\'' && bytes.get(i + 1) == Some(&b'\'') => i += 1,
            byte if byte == quote => return Some(lines),
            b'\n' => lines.push(i + 1),
            _ => {}
        }
        i += 1;
    }
}
