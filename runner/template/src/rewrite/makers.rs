//! What a template makes it may change, as with Python: lists and mappings that are its own are marked
//! (`__mutable`). Those of variables come as ones that can be changed where a text does that (`mutable`).

use minijinja::machinery::ast::{self, CallArg, Expr};

use super::{Edits, start};

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

/// Functions that make what is neither a list nor a mapping.
const OBJECTS: &[&str] = &["cycler", "joiner", "namespace"];

impl Edits<'_> {
    /// `{% set x = [] %}`, `{% set x = namespace(all=[]) %}`, `{% set x = y | list %}`: what a
    /// template makes, it may change.
    pub(super) fn mutable(&mut self, expr: &Expr<'_>) {
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
                // Objects of Jinja's, which stay what they are: one is changed by `{% set n.x = 1 %}`.
                if matches!(&s.expr, Expr::Var(name) if OBJECTS.contains(&name.id)) {
                    return;
                }
            }
            Expr::BinOp(s) if matches!(s.op, ast::BinOpKind::Add) => {}
            Expr::IfExpr(s) => {
                self.mutable(&s.true_expr);
                s.false_expr.iter().for_each(|e| self.mutable(e));
                return;
            }
            _ => return,
        }
        let (start, end) = (start(expr), expr.span().end_offset as usize);
        // In brackets: a dot behind the name would be part of it; and in brackets of its own, for a filter
        // is of what stands right before it.
        self.edit(start..start, "((");
        self.edit(end..end, ")|__mutable)");
    }

    /// What a loop goes over must be something.
    pub(super) fn looped_over(&mut self, expr: &Expr<'_>) {
        let (start, end) = (start(expr), expr.span().end_offset as usize);
        self.edit(start..start, "((");
        self.edit(end..end, ")|__items)");
    }

    /// `x.setdefault('k', []).append(1)`: what a method is given may be what it gives back.
    pub(super) fn mutable_call(&mut self, call: &ast::Call<'_>) {
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
}
