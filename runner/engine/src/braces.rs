//! Conditions in braces: they hold here, and Ansible is to take them no more some day. A result says
//! so under `deprecations`, and the first such place is told.

use rplay_diag::{Diagnostic, Span, Style, render};
use rplay_event::Event;
use rplay_template::{Decision, Vars};
use rplay_yaml::Node;
use serde_json::{Value as Json, json};
use std::sync::Arc;

use crate::run::Run;
use crate::task::TaskContext;

/// In Ansible's words, which scripts look for.
const WORDS: &str =
    "Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.";

/// The version of ansible-core that is to be without them.
const GONE_IN: &str = "2.23";

/// As an entry of a result's `deprecations`.
pub(crate) fn entry() -> Json {
    json!({
        "collection_name": "ansible.builtin",
        "deprecator": {"resolved_name": "ansible.builtin", "type": null},
        "msg": WORDS,
        "version": GONE_IN,
    })
}

impl Run {
    /// Decides a condition; where it stands in braces, its place goes to `braces`.
    ///
    /// # Errors
    /// It cannot be evaluated, or is no bool.
    pub(crate) fn decide(
        &self,
        node: &Node,
        vars: &Arc<dyn Vars>,
        braces: &mut Vec<Span>,
    ) -> Result<Decision, Diagnostic> {
        let judged = self.templar.judge(node, vars)?;
        braces.extend(judged.braces);
        Ok(judged.decision)
    }

    /// Tells of each such place once in a run.
    pub(crate) fn tell_of_braces(&self, context: &TaskContext, braces: &[Span]) {
        for span in braces.iter().filter(|_| !context.is_secret) {
            let what = Diagnostic::warning(WORDS).at(span);
            let redactor = self.templar.redactor();
            let drawn = redactor.redact(&render(&what, Style::Plain)).into_owned();
            if self.is_news(&drawn) {
                self.emit(Event::Deprecated {
                    task: context.id,
                    entry: entry(),
                    drawn,
                });
            }
        }
    }
}
