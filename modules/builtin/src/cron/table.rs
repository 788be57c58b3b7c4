//! The text of a crontab: jobs with their names, and variables.

/// Begins the comment that names a job.
const MARKER: &str = "#Ansible: ";

/// A crontab's lines.
pub(super) struct Table {
    lines: Vec<String>,
}

impl Table {
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::to_owned).collect();
        Self { lines }
    }

    /// The whole, with a newline at the end; empty where no line is left.
    pub(super) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The names of all jobs that have one.
    pub(super) fn jobs(&self) -> Vec<String> {
        let names = self.lines.iter().filter_map(|line| line.strip_prefix(MARKER));
        names.map(str::to_owned).collect()
    }

    /// The names of all variables.
    pub(super) fn variables(&self) -> Vec<String> {
        let names = self.lines.iter().filter_map(|line| variable_name(line));
        names.map(str::to_owned).collect()
    }

    /// The line of a variable.
    pub(super) fn variable(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| variable_name(line) == Some(name))
    }

    /// The line of a job's name.
    fn job(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| line.strip_prefix(MARKER) == Some(name))
    }

    /// Whether the line at `at` is a job, and not the name of the next one.
    fn is_job(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| !line.starts_with(MARKER))
    }

    /// Sets a job; one that is there without a name is given it.
    pub(super) fn put_job(&mut self, name: &str, job: &str) {
        if let Some(at) = self.job(name) {
            let there = usize::from(self.is_job(at + 1));
            self.lines.splice(at + 1..at + 1 + there, [job.to_owned()]);
            return;
        }
        let marker = format!("{MARKER}{name}");
        let unnamed = (0..self.lines.len()).find(|at| {
            let named = *at > 0 && self.lines[at - 1].starts_with(MARKER);
            self.lines[*at] == job && !named
        });
        match unnamed {
            Some(at) => self.lines.insert(at, marker),
            None => self.lines.extend([marker, job.to_owned()]),
        }
    }

    pub(super) fn remove_job(&mut self, name: &str) {
        while let Some(at) = self.job(name) {
            let there = usize::from(self.is_job(at + 1));
            self.lines.drain(at..=at + there);
        }
    }

    /// Sets a variable: where it is, or else as the line at `at`.
    pub(super) fn put_variable(&mut self, name: &str, value: &str, at: usize) {
        let quote = if value.contains('"') { '\'' } else { '"' };
        let line = format!("{name}={quote}{value}{quote}");
        match self.variable(name) {
            Some(found) => self.lines[found] = line,
            None => self.lines.insert(at, line),
        }
    }

    pub(super) fn remove_variable(&mut self, name: &str) {
        self.lines.retain(|line| variable_name(line) != Some(name));
    }

    /// Each job and variable by its name, as a record of what changes.
    pub(super) fn entries(&self) -> Vec<(String, String)> {
        let jobs = self.lines.iter().enumerate().filter_map(|(at, line)| {
            let name = line.strip_prefix(MARKER)?;
            let job = if self.is_job(at + 1) { self.lines[at + 1].clone() } else { String::new() };
            Some((name.to_owned(), job))
        });
        let variables = self.lines.iter().filter_map(|line| {
            let (_, value) = line.split_once('=')?;
            Some((variable_name(line)?.to_owned(), value.trim().to_owned()))
        });
        jobs.chain(variables).collect()
    }
}

/// The variable that a line sets.
fn variable_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    let name = name.trim().trim_matches(['"', '\'']);
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}
