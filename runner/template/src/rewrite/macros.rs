//! Macros as Jinja has them: they take more than they name, and what they include sees what is around
//! them.

use minijinja::machinery::ast::{self, Expr, Stmt};

use super::{Edits, start};

impl<'a> Edits<'a> {
    /// A name that the template gives.
    pub(super) fn named(&mut self, target: &Expr<'a>) {
        if let Expr::Var(var) = target {
            self.names.push(var.id);
        }
    }

    pub(super) fn macro_body(&mut self, body: &[Stmt<'a>]) {
        self.macros += 1;
        self.stmts(body);
        self.macros -= 1;
    }

    /// What a macro includes sees the names around the macro, as with Jinja: the evaluator keeps those
    /// only that the macro itself speaks of.
    pub(super) fn include(&mut self, file: &Expr<'a>) {
        if self.macros == 0 || self.names.is_empty() {
            return;
        }
        let [open, close] = &self.block;
        let Some(at) = self.text[..start(file)].rfind(open.as_str()) else {
            return;
        };
        let behind = &self.text[at + open.len()..];
        let sign = behind
            .get(..1)
            .filter(|sign| ["-", "+"].contains(sign))
            .unwrap_or_default();
        let names = self.names.join(",");
        // A list that nobody sees speaks of them.
        let spoken = format!("{open}{sign} if [{names}] and false {close}{open} endif {close}");
        self.edit(at..at, spoken);
    }

    /// A macro whose text has `varargs` or `kwargs` takes more than it names. It gets them as two
    /// parameters more, from what stands in for it under its name.
    pub(super) fn variadic(
        &mut self,
        found: &ast::Macro<'_>,
        start: usize,
        end: usize,
    ) -> Option<()> {
        let own = self.text.get(start..end)?;
        if !own.contains("varargs") && !own.contains("kwargs") {
            return None;
        }
        let params: Vec<&str> = found
            .args
            .iter()
            .filter_map(|arg| match arg {
                Expr::Var(var) => Some(var.id),
                _ => None,
            })
            .collect();
        let written = found.args.iter().chain(&found.defaults);
        let last = written.map(|e| e.span().end_offset as usize).max();
        let from = last.unwrap_or(start);
        let close = from + self.text.get(from..end)?.find(')')?;
        let after = &self.text[end..];
        let sign = after.trim_start();
        let blanks = after.len() - sign.len();
        // Other signs of blocks are not known here.
        let sign = ["%}", "-%}", "+%}"]
            .into_iter()
            .find(|known| sign.starts_with(known))?;
        let comma = match self.text[..close].trim_end().ends_with(['(', ',']) {
            true => "",
            false => ",",
        };
        self.edit(close..close, format!("{comma}varargs=[],kwargs={{}}"));
        let name = found.name;
        let params: Vec<String> = params.iter().map(|param| format!("'{param}'")).collect();
        let stand_in = format!(
            "{{% set {name}={name}|__variadic([{}]) {sign}",
            params.join(",")
        );
        let end = end + blanks + sign.len();
        self.edit(end..end, stand_in);
        Some(())
    }
}
