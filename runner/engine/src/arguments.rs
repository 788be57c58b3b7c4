//! The arguments of a task, rendered, with `module_defaults` under them.

use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_playbook::{Keyword, short};
use rplay_template::{Vars, is_omit};
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

use crate::arg_spec::python_type;
use crate::python::action_name;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text::{self, Unusable};

impl Run {
    /// The arguments of a task, rendered; with `module_defaults` under them.
    pub(crate) fn arguments(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Map<String, Json>, Unusable> {
        let action = &context.task.action;
        let mut given = Map::new();
        for template in &action.templates {
            let value = self.templar.render(template, vars);
            let value = value.map_err(Unusable::Wrong)?;
            match text::value_json(&value, template)? {
                _ if is_omit(&value) => {}
                Json::Object(map) => given.extend(map),
                other => {
                    let words = format!(
                        "Finalization of task args for '{}' failed: Task args must resolve to a 'dict' not '{}'.",
                        action.written,
                        python_type(&other)
                    );
                    return Err(Unusable::Wrong(Diagnostic::error(words).at(&template.span)));
                }
            }
        }
        let node = Node {
            span: action.span.clone(),
            kind: Kind::Map(action.args.clone()),
        };
        // Who omits an argument has it from no template either.
        given.retain(|name, _| !action.args.contains_key(name.as_str()));
        if let Json::Object(map) = text::json(&self.templar, &node, vars)? {
            given.extend(map);
        }
        let mut args = self.module_defaults(context, vars)?;
        args.extend(given);
        if let Some(words) = &action.text {
            args.insert(
                "_raw_params".to_owned(),
                text::json(&self.templar, words, vars)?,
            );
        }
        if action.name == "package"
            && is_automatic(args.get("use"))
            && let Some(manager) = self.package_manager(vars)?
        {
            args.insert("use".to_owned(), manager);
        }
        Ok(args)
    }

    /// The package manager that a host's variables name for it.
    fn package_manager(&self, vars: &Arc<dyn Vars>) -> Result<Option<Json>, Unusable> {
        let name = "ansible_package_use";
        if vars.get(name).is_none() {
            return Ok(None);
        }
        let span = rplay_diag::Span::synthetic(name);
        let kind = Kind::Str(format!("{{{{ {name} }}}}"));
        let node = Node { span, kind };
        text::json(&self.templar, &node, vars).map(Some)
    }

    /// What `module_defaults` gives a task's module, and the one that does its work on the host.
    fn module_defaults(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Map<String, Json>, Unusable> {
        let name = context.task.action.name.as_str();
        let all = context
            .frame
            .all(Some(&context.task), Keyword::ModuleDefaults);
        let mut args = Map::new();
        if all.is_empty() {
            return Ok(args);
        }
        let worker = match name {
            "service" => self.fact(vars, "service_mgr"),
            "package" => self.fact(vars, "pkg_mgr"),
            "gather_facts" => Some("setup".to_owned()),
            _ => None,
        };
        let library = &self.options.library;
        let written = &context.task.action.written;
        let called = library.defaults_name(action_name(written, name));
        let collections = context.frame.collections(&context.task);
        let is_own = !library.replaces(written);
        let spec = rplay_builtin::find(name).map(|module| module.spec());
        let takes = |arg: &str| spec.iter().flatten().any(|spec| spec.is_called(arg));
        // What an inner block says of a module is all that holds for it.
        let given: IndexMap<&str, &Node> = all
            .iter()
            .filter_map(|node| node.as_map())
            .flatten()
            .map(|(key, node)| (key.text.as_str(), node))
            .collect();
        // What is said of a group comes before what is said of the module itself.
        for (key, node) in &given {
            let Some(group) = key.strip_prefix("group/") else {
                continue;
            };
            let members = library.group(group, &collections);
            let has = |name: &String| members.contains(name);
            if (has(&called) || worker.as_ref().is_some_and(has))
                && let Json::Object(map) = text::json(&self.templar, node, vars)?
            {
                args.extend(map);
            }
        }
        for (key, node) in &given {
            // What stands in for one of ours is not that one.
            if !is_own && key.starts_with("ansible.builtin.") {
                continue;
            }
            let of = short(key);
            let is_worker = worker.as_deref() == Some(of);
            if (of == name || is_worker || library.defaults_name(of) == called)
                && let Json::Object(map) = text::json(&self.templar, node, vars)?
            {
                let fitting = map.into_iter().filter(|(arg, _)| !is_worker || takes(arg));
                args.extend(fitting);
            }
        }
        Ok(args)
    }

    /// A fact of the host, where it is known, as text.
    fn fact(&self, vars: &Arc<dyn Vars>, name: &str) -> Option<String> {
        let facts = self.templar.view(vars).get_attr("ansible_facts").ok()?;
        let fact = facts.get_attr(name).ok()?;
        fact.as_str().map(str::to_owned)
    }
}

/// Whether `use` leaves it to the host.
fn is_automatic(choice: Option<&Json>) -> bool {
    choice.is_none_or(|c| c.is_null() || c == "auto")
}
