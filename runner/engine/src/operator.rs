//! The person at the terminal: asked before a task (`--step`) and for variables (`vars_prompt`).

/// What to do about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Run it.
    Yes,
    /// Leave it out.
    No,
    /// Run it and all that follow, without asking again.
    Continue,
}

/// Asks. It may block: the engine calls it where nothing else runs.
pub trait Operator: Send + Sync {
    /// Whether to run a task of that name.
    fn step(&self, task: &str) -> Answer;

    /// A value for a variable; `None` where nobody can be asked.
    fn value(&self, prompt: &str, private: bool) -> Option<String>;

    /// Something about what they answered.
    fn tell(&self, words: &str);
}
