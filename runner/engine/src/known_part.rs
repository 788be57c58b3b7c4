//! What can be told of a task that a dry run cannot decide: its texts, with a placeholder for what is
//! unknown in them.
//!
//! Knows nothing of why it is undecided.

use std::sync::Arc;

use rplay_diag::Source;
use rplay_playbook::is_template;
use rplay_template::unknown::PLACEHOLDER;
use rplay_template::{Language, TextOptions, Vars};
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

use crate::run::Run;
use crate::task::TaskContext;

/// The key of a result that holds it.
pub(crate) const KEY: &str = "known";

impl Run {
    /// The texts of a task's arguments, and of its template, that are known in part.
    pub(crate) fn known_part(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Map<String, Json> {
        let action = &context.task.action;
        let mut known = Map::new();
        for (key, node) in &action.args {
            self.known_texts(&key.text, node, vars, &mut known);
        }
        if let Some(words) = &action.text {
            self.known_texts("_raw_params", words, vars, &mut known);
        }
        if action.name == "template"
            && let Some(src) = action.args.get("src").and_then(Node::as_str)
            && let Some(text) = self.known_template(context, src, vars)
        {
            known.insert("content".to_owned(), text.into());
        }
        known
    }

    fn known_texts(
        &self,
        name: &str,
        node: &Node,
        vars: &Arc<dyn Vars>,
        known: &mut Map<String, Json>,
    ) {
        match &node.kind {
            Kind::Str(text) if is_template(text) => {
                let source = Source::new(name.to_owned(), text.clone());
                if let Some(text) = self.partly(&source, Language::Jinja, vars) {
                    known.insert(name.to_owned(), text.into());
                }
            }
            Kind::Map(map) => map.iter().for_each(|(key, node)| {
                self.known_texts(&format!("{name}.{}", key.text), node, vars, known);
            }),
            Kind::Seq(items) => items.iter().enumerate().for_each(|(at, node)| {
                self.known_texts(&format!("{name}[{at}]"), node, vars, known);
            }),
            _ => {}
        }
    }

    fn known_template(
        &self,
        context: &TaskContext,
        src: &str,
        vars: &Arc<dyn Vars>,
    ) -> Option<String> {
        let file = &context.task.file;
        let path = crate::lookup_io::find(&context.frame, file, "templates", src)?;
        let content = self.templar.read_file(&path).ok()?;
        let language = match path.extension().and_then(|e| e.to_str()) {
            Some("hbs") => Language::Handlebars,
            _ => Language::Jinja,
        };
        let vars = crate::template_vars::with_template(vars, src, &path, None);
        let source = Source::of_file(&path, content);
        self.partly(&source, language, &vars)
    }

    /// A text of which a part is known and a part is not.
    fn partly(
        &self,
        source: &Arc<Source>,
        language: Language,
        vars: &Arc<dyn Vars>,
    ) -> Option<String> {
        let options = TextOptions::default();
        let (text, origins) = self.templar.file(source, language, options, vars).ok()?;
        let says_something = text.replace(PLACEHOLDER, "").trim() != "";
        (!origins.is_empty() && says_something && text.contains(PLACEHOLDER)).then_some(text)
    }
}
