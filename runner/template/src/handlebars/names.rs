//! What a template uses: paths that may begin with a variable, and parts.

use std::collections::BTreeSet;

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};

/// Names of variables and parts.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// `a.b.c` as its segments. Some begin with a key of what a block goes over.
    pub paths: BTreeSet<Vec<String>>,
    /// `{{> name}}`.
    pub partials: BTreeSet<String>,
}

impl Used {
    /// What may be variables.
    pub(super) fn roots(&self) -> BTreeSet<&str> {
        self.paths
            .iter()
            .filter_map(|path| path.first())
            .map(String::as_str)
            .collect()
    }

    pub(super) fn take(&mut self, other: Self) {
        self.paths.extend(other.paths);
    }

    pub(super) fn template(&mut self, template: &Template) {
        for element in &template.elements {
            self.element(element);
        }
    }

    fn element(&mut self, element: &TemplateElement) {
        match element {
            TemplateElement::HtmlExpression(helper)
            | TemplateElement::Expression(helper)
            | TemplateElement::HelperBlock(helper) => self.helper(helper),
            TemplateElement::DecoratorExpression(part) | TemplateElement::DecoratorBlock(part) => {
                self.decorator(part);
            }
            TemplateElement::PartialExpression(part) | TemplateElement::PartialBlock(part) => {
                self.partials.extend(part.name.as_name().map(str::to_owned));
                self.decorator(part);
            }
            _ => {}
        }
    }

    fn helper(&mut self, helper: &HelperTemplate) {
        self.parameter(&helper.name);
        self.parameters(&helper.params, helper.hash.values());
        helper
            .template
            .iter()
            .chain(&helper.inverse)
            .for_each(|t| self.template(t));
    }

    fn decorator(&mut self, part: &DecoratorTemplate) {
        self.parameters(&part.params, part.hash.values());
        part.template.iter().for_each(|t| self.template(t));
    }

    fn parameters<'a>(
        &mut self,
        params: &'a [Parameter],
        hash: impl Iterator<Item = &'a Parameter>,
    ) {
        params
            .iter()
            .chain(hash)
            .for_each(|parameter| self.parameter(parameter));
    }

    fn parameter(&mut self, parameter: &Parameter) {
        match parameter {
            Parameter::Path(Path::Relative((segments, _))) => {
                let named = segments.iter().filter_map(|segment| match segment {
                    PathSeg::Named(name) => Some(name.clone()),
                    _ => None,
                });
                let path: Vec<String> = named.collect();
                if !path.is_empty() {
                    self.paths.insert(path);
                }
            }
            Parameter::Subexpression(inner) => self.element(inner.as_element()),
            _ => {}
        }
    }
}
