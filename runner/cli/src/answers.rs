//! What was asked at the terminal and answered, so that a run that is made again does not ask again.
//!
//! A plan is made anew before it is applied, and then there is the run itself: all three are asked
//! the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rplay_engine::{Answer, Operator};

use crate::ask::Terminal;

/// A question and its answer.
type Asked = (String, String);

/// The answers so far, in the order of the questions. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<Asked>>>);

impl Answers {
    /// All of them.
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.lock().clone()
    }

    /// These are known from before.
    pub(crate) fn set(&self, all: Vec<Asked>) {
        *self.lock() = all;
    }

    /// Who answers in one run.
    pub(crate) fn operator(&self) -> Remembering {
        Remembering {
            answers: self.clone(),
            next: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to that question, where it is the one that was asked at that place.
    fn known(&self, at: usize, question: &str) -> Option<String> {
        let all = self.lock();
        let (asked, answer) = all.get(at)?;
        (asked == question).then(|| answer.clone())
    }

    /// A question that was answered at a place; what was asked after it is another run's.
    fn add(&self, at: usize, question: &str, answer: &str) {
        let mut all = self.lock();
        all.truncate(at);
        all.push((question.to_owned(), answer.to_owned()));
    }
}

/// Answers as before, and asks at the terminal what was not asked before.
#[derive(Debug)]
pub(crate) struct Remembering {
    answers: Answers,
    next: AtomicUsize,
}

impl Operator for Remembering {
    fn step(&self, task: &str) -> Answer {
        Terminal.step(task)
    }

    fn value(&self, prompt: &str, private: bool) -> Option<String> {
        let at = self.next.load(Ordering::SeqCst);
        let answer = match self.answers.known(at, prompt) {
            Some(answer) => answer,
            None => {
                let answer = Terminal.value(prompt, private)?;
                self.answers.add(at, prompt, &answer);
                answer
            }
        };
        self.next.store(at + 1, Ordering::SeqCst);
        Some(answer)
    }

    fn tell(&self, words: &str) {
        Terminal.tell(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_answered_as_the_first_was() {
        let answers = Answers::default();
        answers.add(0, "Name", "ada");
        answers.add(1, "Password", "one");
        answers.add(2, "Password", "two");
        for _ in 0..2 {
            let operator = answers.operator();
            let told = ["Name", "Password", "Password"].map(|q| operator.value(q, true).unwrap());
            assert_eq!(told, ["ada", "one", "two"]);
        }
    }

    #[test]
    fn another_question_in_its_place_forgets_what_came_after() {
        let answers = Answers::default();
        answers.set(vec![("a".into(), "1".into()), ("b".into(), "2".into())]);
        assert_eq!(answers.known(0, "c"), None);
        answers.add(0, "c", "3");
        assert_eq!(answers.all(), [("c".to_owned(), "3".to_owned())]);
    }
}
