//! The lines of /etc/fstab.

/// A line that mounts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub device: String,
    pub point: String,
    pub kind: String,
    pub options: String,
    pub dump: String,
    pub pass: String,
}

impl Entry {
    /// A line; `None` for a comment, and for what has other than four to six words.
    fn parse(line: &str) -> Option<Self> {
        if line.trim_start().starts_with('#') {
            return None;
        }
        let words: Vec<String> = line.split_whitespace().map(crate::mount_table::unescape).collect();
        let [device, point, kind, options, rest @ ..] = words.as_slice() else {
            return None;
        };
        let number = |at: usize| rest.get(at).cloned().unwrap_or_else(|| "0".to_owned());
        (rest.len() <= 2).then(|| Self {
            device: device.clone(),
            point: point.clone(),
            kind: kind.clone(),
            options: options.clone(),
            dump: number(0),
            pass: number(1),
        })
    }

    fn text(&self) -> String {
        let words = [&self.device, &self.point, &self.kind, &self.options, &self.dump, &self.pass];
        words.map(|word| escape(word)).join(" ")
    }

    /// Swap space has no mount point of its own.
    fn is_of(&self, point: &str, device: Option<&str>) -> bool {
        let plain = |point: &str| match point.trim_end_matches('/') {
            "" => point.to_owned(),
            point => point.to_owned(),
        };
        let is_nowhere = self.kind == "swap" || point == "none";
        plain(&self.point) == plain(point)
            && (!is_nowhere || device.is_none_or(|device| device == self.device))
    }
}

fn escape(word: &str) -> String {
    let letter = |c: char| match c {
        ' ' => "\\040".to_owned(),
        '\t' => "\\011".to_owned(),
        '\n' => "\\012".to_owned(),
        '\\' => "\\134".to_owned(),
        c => c.to_string(),
    };
    word.chars().map(letter).collect()
}

/// The file.
pub struct Fstab(Vec<String>);

impl Fstab {
    pub fn read(text: &str) -> Self {
        Self(text.lines().map(str::to_owned).collect())
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Brings the line of that mount point to what it should be; whether it was another.
    pub fn put(&mut self, wanted: &Entry) -> bool {
        let mut is_there = false;
        let mut changed = false;
        for line in &mut self.0 {
            let found = Entry::parse(line).filter(|e| e.is_of(&wanted.point, Some(&wanted.device)));
            let Some(found) = found else { continue };
            is_there = true;
            if found != *wanted {
                *line = wanted.text();
                changed = true;
            }
        }
        if !is_there {
            self.0.push(wanted.text());
        }
        changed || !is_there
    }

    /// Removes the lines of that mount point; whether there were any.
    pub fn take(&mut self, point: &str, device: Option<&str>) -> bool {
        let before = self.0.len();
        self.0.retain(|line| !Entry::parse(line).is_some_and(|entry| entry.is_of(point, device)));
        self.0.len() != before
    }
}
