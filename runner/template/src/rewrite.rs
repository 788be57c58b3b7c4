//! Python's operators where the evaluator's own differ.
//!
//! The evaluator stops at a key of something undefined, formats no text with `%`, orders what
//! Python refuses to order, and prints its own way in `~`. Such expressions are rewritten to
//! filters of ours (`a.b` to `(a|__attr('b',1))`) before they are compiled. What an error points
//! at is mapped back, so nobody sees the rewritten text.

mod macros;
mod makers;
#[cfg(test)]
mod tests;

use std::ops::Range;

use minijinja::Error;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, Expr, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use crate::plugin;
use crate::templar::is_template;
use crate::unary_plus;

/// A text as the evaluator gets it, and the way back to the text as written.
#[derive(Debug)]
pub(crate) struct Rewritten {
    /// For the evaluator.
    pub text: String,
    /// Replaced ranges of the written text, with the length of what stands there now.
    edits: Vec<(Range<usize>, usize)>,
}

impl Rewritten {
    /// A range of the evaluator's text as one of the written text.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.back(range.start, false);
        start..self.back(range.end, true).max(start)
    }

    fn back(&self, offset: usize, end: bool) -> usize {
        let mut shift = 0_isize;
        for (old, new_len) in &self.edits {
            let new_start = old.start.saturating_add_signed(shift);
            if offset < new_start || (offset == new_start && end && *new_len > 0) {
                break;
            }
            if offset < new_start + new_len {
                return if end { old.end } else { old.start };
            }
            shift += new_len.cast_signed() - (old.end - old.start).cast_signed();
        }
        offset.saturating_add_signed(-shift)
    }
}

/// What a backslash in a string literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strings {
    /// A letter as any other: in the texts of playbooks, as Ansible has it.
    Raw,
    /// The beginning of an escape: in conditions and template files.
    Escaped,
}

/// Which string literals may hold templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Templates {
    /// What a lookup is called with: in every template.
    InLookups,
    /// Any: in conditions, where old playbooks quote what they mean as a variable.
    Anywhere,
}

/// A bare expression.
///
/// # Errors
/// Where it is none.
pub(crate) fn expression(
    text: &str,
    strings: Strings,
    templates: Templates,
) -> Result<Rewritten, Error> {
    let text = &unary_plus::expression(text);
    let mut edits = Edits::new(text, strings);
    edits.templates = templates;
    edits.expr(&parse_expr(text)?);
    Ok(edits.apply())
}

/// A text with templates in it.
///
/// # Errors
/// Where its syntax is wrong.
pub(crate) fn template(
    text: &str,
    name: &str,
    strings: Strings,
    syntax: SyntaxConfig,
) -> Result<Rewritten, Error> {
    let text = &unary_plus::template(text, syntax.clone());
    let mut edits = Edits::new(text, strings);
    let (open, close) = syntax.block_delimiters();
    edits.block = [open.to_owned(), close.to_owned()];
    edits.stmt(&parse(text, name, syntax)?);
    Ok(edits.apply())
}

/// Whether a template reads other files, which its own text does not tell.
pub(crate) fn reads_others(text: &str) -> bool {
    ["include", "import", "extends"]
        .iter()
        .any(|word| text.contains(word))
        && text.contains("{%")
}

struct Edits<'a> {
    text: &'a str,
    strings: Strings,
    templates: Templates,
    found: Vec<(Range<usize>, String)>,
    /// What the template has named so far: imports, macros and variables.
    names: Vec<&'a str>,
    /// How many macros are around.
    macros: usize,
    /// How a block begins and ends.
    block: [String; 2],
}

impl<'a> Edits<'a> {
    fn new(text: &'a str, strings: Strings) -> Self {
        Self {
            text,
            strings,
            templates: Templates::InLookups,
            found: vec![],
            names: vec![],
            macros: 0,
            block: ["{%".to_owned(), "%}".to_owned()],
        }
    }

    fn apply(mut self) -> Rewritten {
        self.found
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = String::with_capacity(self.text.len() + self.found.len() * 12);
        let mut at = 0;
        let mut edits = Vec::with_capacity(self.found.len());
        for (range, new) in self.found {
            text.push_str(&self.text[at..range.start]);
            text.push_str(&new);
            at = range.end;
            edits.push((range, new.len()));
        }
        text.push_str(&self.text[at..]);
        Rewritten { text, edits }
    }

    fn edit(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.found.push((range, new.into()));
    }

    fn stmts(&mut self, stmts: &[Stmt<'a>]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt<'a>) {
        match stmt {
            Stmt::Template(s) => self.stmts(&s.children),
            Stmt::EmitExpr(s) => {
                self.expr(&s.expr);
                // `{{ x.append(1) or '' }}` is how many a template says `do`.
                match &s.expr {
                    Expr::Call(call) => self.mutable_call(call),
                    Expr::BinOp(op) => self.mutable(&op.left),
                    _ => {}
                }
            }
            Stmt::ForLoop(s) => {
                self.expr(&s.iter);
                self.looped_over(&s.iter);
                s.filter_expr.iter().for_each(|e| self.expr(e));
                self.stmts(&s.body);
                self.stmts(&s.else_body);
            }
            Stmt::IfCond(s) => {
                self.expr(&s.expr);
                self.stmts(&s.true_body);
                self.stmts(&s.false_body);
            }
            Stmt::WithBlock(s) => {
                s.assignments.iter().for_each(|(_, value)| self.expr(value));
                self.stmts(&s.body);
            }
            Stmt::Set(s) => {
                self.named(&s.target);
                self.expr(&s.expr);
                self.mutable(&s.expr);
            }
            Stmt::SetBlock(s) => {
                s.filter.iter().for_each(|e| self.expr(e));
                self.stmts(&s.body);
            }
            Stmt::AutoEscape(s) => self.stmts(&s.body),
            Stmt::FilterBlock(s) => {
                self.expr(&s.filter);
                self.stmts(&s.body);
            }
            Stmt::Block(s) => self.stmts(&s.body),
            Stmt::Import(s) => {
                self.expr(&s.expr);
                self.named(&s.name);
            }
            Stmt::FromImport(s) => {
                self.expr(&s.expr);
                let names = s
                    .names
                    .iter()
                    .map(|(name, alias)| alias.as_ref().unwrap_or(name));
                names.for_each(|name| self.named(name));
            }
            Stmt::Extends(s) => self.expr(&s.name),
            Stmt::Include(s) => {
                self.expr(&s.name);
                self.include(&s.name);
            }
            Stmt::Macro(s) => {
                s.defaults.iter().for_each(|e| self.expr(e));
                self.names.push(s.name);
                self.macro_body(&s.body);
                let span = s.span();
                self.variadic(s, span.start_offset as usize, span.end_offset as usize);
            }
            Stmt::CallBlock(s) => {
                self.call(&s.call);
                self.macro_body(&s.macro_decl.body);
            }
            Stmt::Do(s) => {
                self.call(&s.call);
                self.mutable_call(&s.call);
            }
            _ => {}
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Var(_) => {}
            Expr::Const(s) => {
                self.literal(s);
                if self.templates == Templates::Anywhere {
                    self.template_in(s, "|__template");
                }
            }
            Expr::Slice(s) => {
                self.expr(&s.expr);
                [&s.start, &s.stop, &s.step]
                    .into_iter()
                    .flatten()
                    .for_each(|e| self.expr(e));
            }
            Expr::UnaryOp(s) => self.expr(&s.expr),
            Expr::BinOp(s) => {
                self.expr(&s.left);
                self.expr(&s.right);
                self.operator(s, s.span().end_offset as usize);
            }
            Expr::Compare(s) => {
                self.expr(&s.expr);
                s.ops.iter().for_each(|op| self.expr(&op.expr));
            }
            Expr::IfExpr(s) => {
                self.expr(&s.true_expr);
                self.expr(&s.test_expr);
                s.false_expr.iter().for_each(|e| self.expr(e));
            }
            Expr::Filter(s) => {
                s.expr.iter().for_each(|e| self.expr(e));
                let is_plugin = !plugin::is_filter(s.name);
                self.named_call("__filter", s.name, is_plugin, &s.args, &s.span());
            }
            Expr::Test(s) => {
                self.expr(&s.expr);
                let is_plugin = !plugin::is_test(s.name);
                self.named_call("__test", s.name, is_plugin, &s.args, &s.span());
            }
            Expr::GetAttr(s) => {
                self.expr(&s.expr);
                self.attribute(&s.expr, s.name, s.span().end_offset as usize);
            }
            Expr::GetItem(s) => {
                self.expr(&s.expr);
                self.expr(&s.subscript_expr);
                self.item(&s.expr, &s.subscript_expr, s.span().end_offset as usize);
            }
            Expr::Call(s) => self.call(s),
            Expr::List(s) => s.items.iter().for_each(|e| self.expr(e)),
            Expr::Tuple(s) => s.items.iter().for_each(|e| self.expr(e)),
            Expr::Map(s) => {
                s.keys.iter().chain(&s.values).for_each(|e| self.expr(e));
            }
        }
    }

    /// A call's own name is left alone: `a.b(c)` is a method.
    fn call(&mut self, call: &ast::Call<'_>) {
        match &call.expr {
            Expr::GetAttr(callee) => self.expr(&callee.expr),
            Expr::Var(_) => {}
            other => self.expr(other),
        }
        if is_lookup(&call.expr)
            && let Some((name, terms)) = call.args.split_first()
        {
            self.args(std::slice::from_ref(name));
            return self.terms(name, terms);
        }
        self.args(&call.args);
    }

    /// What a lookup is called with; one that is not ours may take what is undefined.
    fn terms(&mut self, name: &CallArg<'_>, terms: &[CallArg<'_>]) {
        let name = match name {
            CallArg::Pos(Expr::Const(name)) => name.value.as_str(),
            _ => None,
        };
        let filter = match name.is_some_and(|name| !crate::lookup::is_ours(name)) {
            true => "|__template_or_undefined",
            false => "|__template",
        };
        for term in terms {
            match term {
                CallArg::Pos(Expr::Const(literal)) => {
                    self.literal(literal);
                    self.template_in(literal, filter);
                }
                other => self.args(std::slice::from_ref(other)),
            }
        }
    }

    /// The call of a filter or test; one of a plugin, `a|b(c)`, becomes `a|__filter('b',c)`.
    fn named_call(
        &mut self,
        through: &str,
        name: &str,
        is_plugin: bool,
        args: &[CallArg<'_>],
        span: &Span,
    ) {
        if !is_plugin {
            return self.args(args);
        }
        let at = span.start_offset as usize..span.start_offset as usize + name.len();
        let end = span.end_offset as usize;
        let behind = self.text.get(at.end..end).unwrap_or_default();
        let blanks = behind.len() - behind.trim_start().len();
        let comma = if args.is_empty() { "" } else { "," };
        if behind.trim_start().starts_with('(') {
            let call = at.start..at.end + blanks + 1;
            self.edit(call, format!("{through}('{name}'{comma}"));
            self.args(args);
        } else {
            // A test may have its one argument without brackets.
            self.edit(at, format!("{through}('{name}'{comma}"));
            self.args(args);
            self.edit(end..end, ")");
        }
    }

    fn args(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            match arg {
                CallArg::Pos(e)
                | CallArg::Kwarg(_, e)
                | CallArg::PosSplat(e)
                | CallArg::KwargSplat(e) => self.expr(e),
            }
        }
    }

    /// `a.b` becomes `(a|__attr('b',1))`: a key of what is undefined is undefined.
    fn attribute(&mut self, base: &Expr<'_>, name: &str, end: usize) {
        if matches!(base, Expr::Var(var) if ["loop", "self", "caller"].contains(&var.id)) {
            return;
        }
        let name_at = end - name.len();
        let Some(dot) = self.before(name_at, ".") else {
            return;
        };
        let start = start(base);
        self.edit(start..start, "(");
        self.edit(dot..end, format!("|__attr('{name}',{name_at}))"));
    }

    /// `a[b]` becomes `(a|__item(b,1))`.
    fn item(&mut self, base: &Expr<'_>, key: &Expr<'_>, end: usize) {
        let key_at = start(key);
        let start = start(base);
        if let Some(dot) = self.text[..key_at].ends_with('.').then(|| key_at - 1) {
            self.edit(start..start, "(");
            self.edit(dot..key_at, "|__item(");
            self.edit(end..end, format!(",{key_at}))"));
        } else if let Some(open) = self.before(key_at, "[") {
            self.edit(start..start, "(");
            self.edit(open..open + 1, "|__item(");
            self.edit(end - 1..end, format!(",{key_at}))"));
        }
    }

    fn operator(&mut self, op: &ast::BinOp<'_>, end: usize) {
        let (sign, filter) = match op.op {
            BinOpKind::Rem => ("%", "__rem"),
            BinOpKind::Sub => ("-", "__sub"),
            BinOpKind::Add => ("+", "__add"),
            BinOpKind::Concat => ("~", "__concat"),
            BinOpKind::Lt => ("<", "__lt"),
            BinOpKind::Lte => ("<=", "__le"),
            BinOpKind::Gt => (">", "__gt"),
            BinOpKind::Gte => (">=", "__ge"),
            _ => return,
        };
        let Some(at) = self.before(start(&op.right), sign) else {
            return;
        };
        let start = start(&op.left);
        self.edit(start..start, "((");
        self.edit(at..at + sign.len(), format!(")|{filter}("));
        self.edit(end..end, "))");
    }

    /// A string literal, whose backslashes may have to be kept.
    fn literal(&mut self, literal: &ast::Spanned<ast::Const>) {
        if self.strings == Strings::Escaped || literal.value.as_str().is_none() {
            return;
        }
        let span = literal.span();
        let start = span.start_offset as usize;
        let written = &self.text[start..span.end_offset as usize];
        let mut chars = written.char_indices();
        while let Some((at, c)) = chars.next() {
            if c != '\\' {
                continue;
            }
            self.edit(start + at..start + at, "\\");
            match chars.next() {
                // The quote after it still does not end the literal.
                Some((at, '\'' | '"')) => self.edit(start + at..start + at, "\\"),
                Some((at, '\\')) => self.edit(start + at..start + at, "\\"),
                _ => {}
            }
        }
    }

    /// `'a {{ b }}'` becomes `'a {{ b }}'|__template`: a literal that is a template itself.
    fn template_in(&mut self, literal: &ast::Spanned<ast::Const>, filter: &str) {
        if literal.value.as_str().is_some_and(is_template) {
            let end = literal.span().end_offset as usize;
            self.edit(end..end, filter);
        }
    }

    /// The place of `sign` before an operand, over blanks and parentheses.
    fn before(&self, operand: usize, sign: &str) -> Option<usize> {
        let head = self.text[..operand].trim_end_matches(|c: char| c.is_whitespace() || c == '(');
        head.ends_with(sign).then(|| head.len() - sign.len())
    }
}

fn is_lookup(callee: &Expr<'_>) -> bool {
    matches!(callee, Expr::Var(name) if ["lookup", "query", "q"].contains(&name.id))
}

/// Where an expression begins. The parser's spans begin elsewhere for what follows an operand.
fn start(expr: &Expr<'_>) -> usize {
    match expr {
        Expr::Slice(s) => start(&s.expr),
        Expr::BinOp(s) => start(&s.left),
        Expr::Compare(s) => start(&s.expr),
        Expr::IfExpr(s) => start(&s.true_expr),
        Expr::Filter(s) => s
            .expr
            .as_ref()
            .map_or(s.span().start_offset as usize, start),
        Expr::Test(s) => start(&s.expr),
        Expr::GetAttr(s) => start(&s.expr),
        Expr::GetItem(s) => start(&s.expr),
        Expr::Call(s) => start(&s.expr),
        // `a not in b` and `a is not b` begin with their operand.
        Expr::UnaryOp(s) => match &s.expr {
            Expr::BinOp(inner) if matches!(inner.op, BinOpKind::In) => {
                start(&inner.left).min(s.span().start_offset as usize)
            }
            Expr::Test(inner) => start(&inner.expr).min(s.span().start_offset as usize),
            _ => s.span().start_offset as usize,
        },
        Expr::Var(_) | Expr::Const(_) | Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => {
            expr.span().start_offset as usize
        }
    }
}
