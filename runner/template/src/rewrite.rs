//! Python's operators where the evaluator's own differ.
//!
//! The evaluator stops at a key of something undefined, formats no text with `%`, orders what
//! Python refuses to order, and prints its own way in `~`. Such expressions are rewritten to
//! filters of ours (`a.b` to `(a|__attr('b',1))`) before they are compiled. What an error points
//! at is mapped back, so nobody sees the rewritten text.

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

    fn named(&mut self, target: &Expr<'a>) {
        if let Expr::Var(var) = target {
            self.names.push(var.id);
        }
    }

    fn macro_body(&mut self, body: &[Stmt<'a>]) {
        self.macros += 1;
        self.stmts(body);
        self.macros -= 1;
    }

    /// What a macro includes sees the names around the macro, as with Jinja: the evaluator keeps those
    /// only that the macro itself speaks of.
    fn include(&mut self, file: &Expr<'a>) {
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

    fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Var(_) => {}
            Expr::Const(s) => {
                self.literal(s);
                if self.templates == Templates::Anywhere {
                    self.template_in(s);
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
        self.args(&call.args);
        if self.templates == Templates::InLookups && is_lookup(&call.expr) {
            let terms = call.args.iter().skip(1);
            for term in terms {
                if let CallArg::Pos(Expr::Const(literal)) = term {
                    self.template_in(literal);
                }
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
    fn template_in(&mut self, literal: &ast::Spanned<ast::Const>) {
        if literal.value.as_str().is_some_and(is_template) {
            let end = literal.span().end_offset as usize;
            self.edit(end..end, "|__template");
        }
    }

    /// A macro whose text has `varargs` or `kwargs` takes more than it names. It gets them as two
    /// parameters more, from what stands in for it under its name.
    fn variadic(&mut self, found: &ast::Macro<'_>, start: usize, end: usize) -> Option<()> {
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

    /// `{% set x = [] %}`, `{% set x = namespace(all=[]) %}`, `{% set x = y | list %}`: what a
    /// template makes, it may change.
    fn mutable(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::List(s) => s.items.iter().for_each(|e| self.mutable(e)),
            Expr::Map(s) => s.values.iter().for_each(|e| self.mutable(e)),
            Expr::Filter(s) => {
                s.expr.iter().for_each(|e| self.mutable(e));
                self.mutable_args(&s.args);
                if !MAKING.contains(&s.name) {
                    return;
                }
            }
            Expr::Call(s) => {
                self.mutable_call(s);
                if !matches!(&s.expr, Expr::Var(name) if name.id == "dict") {
                    return;
                }
            }
            Expr::IfExpr(s) => {
                self.mutable(&s.true_expr);
                s.false_expr.iter().for_each(|e| self.mutable(e));
                return;
            }
            _ => return,
        }
        let (start, end) = (start(expr), expr.span().end_offset as usize);
        // In brackets: a dot behind the name would be part of it.
        self.edit(start..start, "(");
        self.edit(end..end, "|__mutable)");
    }

    /// `x.setdefault('k', []).append(1)`: what a method is given may be what it gives back.
    fn mutable_call(&mut self, call: &ast::Call<'_>) {
        if let Expr::GetAttr(callee) = &call.expr {
            self.mutable(&callee.expr);
        }
        self.mutable_args(&call.args);
    }

    fn mutable_args(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            if let CallArg::Pos(e) | CallArg::Kwarg(_, e) = arg {
                self.mutable(e);
            }
        }
    }

    /// The place of `sign` before an operand, over blanks and parentheses.
    fn before(&self, operand: usize, sign: &str) -> Option<usize> {
        let head = self.text[..operand].trim_end_matches(|c: char| c.is_whitespace() || c == '(');
        head.ends_with(sign).then(|| head.len() - sign.len())
    }
}

/// Filters that make a new list or mapping of what they are given.
const MAKING: &[&str] = &[
    "combine",
    "dict2items",
    "difference",
    "flatten",
    "intersect",
    "items2dict",
    "list",
    "map",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "split",
    "union",
    "unique",
    "zip",
];

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

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        expression(text, Strings::Escaped, Templates::Anywhere)
            .unwrap()
            .text
    }

    #[test]
    fn keys_of_keys_are_filters_around_each_other() {
        assert_eq!(rewritten("a.b.c"), "((a|__attr('b',2))|__attr('c',4))");
        assert_eq!(rewritten("a['b'][0]"), "((a|__item('b',2))|__item(0,7))");
        assert_eq!(rewritten("(a or b).c"), "((a or b)|__attr('c',9))");
        assert_eq!(
            rewritten("a.b.c(d.e)"),
            "(a|__attr('b',2)).c((d|__attr('e',8)))"
        );
    }

    #[test]
    fn what_is_nobody_elses_is_a_plugin() {
        for (text, want) in [
            ("a|mine", "a|__filter('mine')"),
            ("(a)|mine()", "(a)|__filter('mine')"),
            (
                "a | mine (2, b=3)|upper",
                "a | __filter('mine',2, b=3)|upper",
            ),
            ("a|x.y.z(b|mine)", "a|__filter('x.y.z',b|__filter('mine'))"),
            ("a is mine", "a is __test('mine')"),
            ("a is not mine(1)", "a is not __test('mine',1)"),
            (
                "a is mine b.c and d",
                "a is __test('mine', (b|__attr('c',12))) and d",
            ),
            (
                "a|ansible.builtin.upper is defined",
                "a|ansible.builtin.upper is defined",
            ),
        ] {
            assert_eq!(rewritten(text), want, "{text}");
            parse_expr(&rewritten(text)).unwrap();
        }
    }

    #[test]
    fn what_a_macro_includes_sees_the_names_around_the_macro() {
        let text = "{% import 'v' as v with context %}{% set a = 1 %}\
            {% macro m(x) %}{% include 'f' %}{% endmacro %}{% include 'g' %}";
        let want = "{% import 'v' as v with context %}{% set a = 1 %}\
            {% macro m(x) %}{% if [v,a,m] and false %}{% endif %}{% include 'f' %}{% endmacro %}{% include 'g' %}";
        let syntax = crate::file::TextOptions::default().syntax();
        let made = template(text, "t", Strings::Escaped, syntax).unwrap();
        assert_eq!(made.text, want);
    }

    #[test]
    fn operators_keep_their_operands_whatever_stands_around_them() {
        for (text, want) in [
            ("'%s' % x", "(('%s' )|__rem( x))"),
            ("(a % b) % c", "(((((a )|__rem( b))) )|__rem( c))"),
            ("a - (b - c)", "((a )|__sub( (((b )|__sub( c)))))"),
            ("f(x = a ~ b)", "f(x = ((a )|__concat( b)))"),
            ("not a < b", "not ((a )|__lt( b))"),
        ] {
            assert_eq!(rewritten(text), want, "{text}");
            parse_expr(&rewritten(text)).unwrap();
        }
    }

    #[test]
    fn raw_strings_keep_their_backslashes() {
        let raw = |text: &str| {
            expression(text, Strings::Raw, Templates::InLookups)
                .unwrap()
                .text
        };
        assert_eq!(raw(r"'a\nb'"), r"'a\\nb'");
        assert_eq!(raw(r"'a\\1'"), r"'a\\\\1'");
        assert_eq!(raw(r"'q\'q'"), r"'q\\\'q'");
    }

    #[test]
    fn literals_that_are_templates_are_rendered_where_they_may_be() {
        assert_eq!(rewritten("a == '{{ b }}'"), "a == '{{ b }}'|__template");
        assert_eq!(
            rewritten("a['{{ b }}'].c"),
            "((a|__item('{{ b }}'|__template,2))|__attr('c',13))"
        );
        let inside = |text: &str| {
            let found = expression(text, Strings::Raw, Templates::InLookups);
            found.unwrap().text
        };
        assert_eq!(
            inside("lookup('{{ a }}', '{{ b }}', x='{{ c }}') ~ '{{ d }}'"),
            "((lookup('{{ a }}', '{{ b }}'|__template, x='{{ c }}') )|__concat( '{{ d }}'))"
        );
    }

    #[test]
    fn a_place_in_the_rewritten_text_leads_back() {
        let text = "x + a.b.c | upper";
        let rewritten = expression(text, Strings::Escaped, Templates::Anywhere).unwrap();
        let at = rewritten.text.find("upper").unwrap();
        assert_eq!(&text[rewritten.original(&(at..at + 5))], "upper");
        let all = 0..rewritten.text.len();
        assert_eq!(rewritten.original(&all), 0..text.len());
    }
}
