//! `vars_prompt`: what the operator is asked before a play.
//!
//! Knows nothing of terminals: the [`crate::Operator`] asks.

use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_playbook::{Keyword, Play};
use rplay_template::{Value, Vars};
use rplay_vars::{Level, Scope};
use rplay_yaml::Node;

use crate::run::Run;
use crate::text;

/// One entry of `vars_prompt`.
struct Prompt {
    name: String,
    words: String,
    private: bool,
    default: Option<String>,
    /// Asked twice.
    confirm: bool,
    /// The scheme that the answer is hashed with.
    encrypt: Option<String>,
    salt: Option<String>,
    salt_size: Option<u64>,
}

impl Run {
    /// Answers to `vars_prompt`; what `-e` sets already is not asked for.
    ///
    /// # Errors
    /// An entry that makes no sense, or nobody to ask.
    pub(crate) fn prompts(
        &self,
        play: &Play,
        vars: &Arc<dyn Vars>,
    ) -> Result<IndexMap<String, Value>, Diagnostic> {
        let mut answers = IndexMap::new();
        for entry in play.keywords.list(Keyword::VarsPrompt) {
            let prompt = self.prompt(entry, vars)?;
            let extra = self.store.extra();
            let given: Vec<&Node> = extra
                .iter()
                .filter_map(|map| map.get(prompt.name.as_str()))
                .collect();
            if !given.is_empty() {
                let texts = given.into_iter().filter_map(Node::as_str);
                let secrets = texts.filter(|_| prompt.private);
                secrets.for_each(|text| self.templar.redactor().register(text));
                continue;
            }
            let Some(answer) = self.asked(&prompt) else {
                let words = format!("nobody answers the prompt for `{}`", prompt.name);
                let help = format!("give it with `-e {}=...`", prompt.name);
                return Err(Diagnostic::error(words).at(&entry.span).help(help));
            };
            if prompt.private {
                self.templar.redactor().register(&answer);
            }
            let value = self.hashed(&prompt, entry, Value::from(answer))?;
            answers.insert(prompt.name, value);
        }
        Ok(answers)
    }

    fn prompt(&self, entry: &Node, vars: &Arc<dyn Vars>) -> Result<Prompt, Diagnostic> {
        let field = |key: &str| -> Result<Option<String>, Diagnostic> {
            let node = entry.get(key);
            node.map(|n| text::string(&self.templar, n, vars))
                .transpose()
        };
        let truth = |key: &str, default: bool| {
            let node = entry.get(key);
            node.map_or(Ok(default), |n| text::boolean(&self.templar, n, vars))
        };
        let Some(name) = field("name")? else {
            let words = "Invalid vars_prompt data structure, missing 'name' key";
            return Err(Diagnostic::error(words).at(&entry.span));
        };
        let salt_size = field("salt_size")?.map(|size| {
            size.trim().parse().map_err(|_| {
                let words = format!("`salt_size` is a number, not `{size}`");
                Diagnostic::error(words).at(&entry.span)
            })
        });
        Ok(Prompt {
            words: field("prompt")?.unwrap_or_else(|| name.clone()),
            private: truth("private", true)?,
            default: field("default")?,
            confirm: truth("confirm", false)?,
            encrypt: field("encrypt")?,
            salt: field("salt")?,
            salt_size: salt_size.transpose()?,
            name,
        })
    }

    /// The answer, or the default where it is empty or nobody is there.
    fn asked(&self, prompt: &Prompt) -> Option<String> {
        let words = match &prompt.default {
            Some(default) => format!("{} [{default}]", prompt.words),
            None => prompt.words.clone(),
        };
        loop {
            let answer = self.operator.value(&words, prompt.private);
            let again = match (&answer, prompt.confirm) {
                (Some(_), true) => {
                    let words = format!("confirm {words}");
                    self.operator.value(&words, prompt.private)
                }
                _ => answer.clone(),
            };
            if answer == again {
                return answer
                    .filter(|a| !a.is_empty() || prompt.default.is_none())
                    .or_else(|| prompt.default.clone());
            }
            self.operator.tell("***** VALUES ENTERED DO NOT MATCH ****");
        }
    }

    /// The answer under its hash, as the filter `password_hash` makes it.
    fn hashed(&self, prompt: &Prompt, entry: &Node, answer: Value) -> Result<Value, Diagnostic> {
        let Some(scheme) = &prompt.encrypt else {
            return Ok(answer);
        };
        let given = IndexMap::from([
            ("answer".to_owned(), answer),
            // The names of the schemes are passlib's here and the filter's there.
            (
                "scheme".to_owned(),
                Value::from(scheme.trim_end_matches("_crypt")),
            ),
            ("given_salt".to_owned(), Value::from(prompt.salt.clone())),
            ("size".to_owned(), Value::from(prompt.salt_size)),
        ]);
        let scope = Scope::default().with_values(Level::Task, given);
        let vars: Arc<dyn Vars> = Arc::new(scope);
        let hash = "answer | password_hash(scheme, salt=given_salt, salt_size=size)";
        let hash = self.templar.expression(hash, &entry.span, &vars)?;
        if let Some(text) = hash.as_str().filter(|_| prompt.private) {
            self.templar.redactor().register(text);
        }
        Ok(hash)
    }
}
