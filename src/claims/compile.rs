//! From the text of an expression (Common Expression Language) to a checked [`Expression`].

mod nesting;

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::Env;
use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::expression::{Comparison, Constant, Expression, Quantifier, RoleField};
use super::types::{Shape, Type};
use crate::diagnostic::unknown;

use nesting::{MAX_DEPTH, depth};

const FUNCTIONS: [&str; 8] = ["exists", "all", "filter", "map", "size", "distinct", "startsWith", "bornIn"];

/// The names that an expression may use.
#[derive(Default, Clone)]
pub(crate) struct Names {
    roles: Vec<String>,
    parameters: Vec<(String, Type)>,
    facts: Vec<(String, usize, Arc<Shape>)>,
    definitions: BTreeMap<String, (Expression, Type)>,
}

impl Names {
    pub(crate) fn new(roles: Vec<String>, parameters: Vec<(String, Type)>) -> Self {
        Self { roles, parameters, ..Self::default() }
    }

    pub(crate) fn add_fact(&mut self, name: &str, index: usize, shape: Arc<Shape>) {
        self.facts.push((name.to_owned(), index, shape));
    }

    pub(crate) fn define(&mut self, name: &str, expression: Expression, kind: Type) {
        let defined = match expression {
            constant @ Expression::Constant(_) => constant,
            other => Expression::Defined(self.definitions.len(), Arc::new(other)),
        };
        self.definitions.insert(name.to_owned(), (defined, kind));
    }

    pub(crate) fn role(&self, name: &str) -> Option<usize> {
        self.roles.iter().position(|role| role == name)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|(parameter, _)| parameter == name)
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.all().any(|known| known == name)
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        let roles = self.roles.iter().map(String::as_str);
        let parameters = self.parameters.iter().map(|(name, _)| name.as_str());
        let facts = self.facts.iter().map(|(name, ..)| name.as_str());
        roles.chain(parameters).chain(facts).chain(self.definitions.keys().map(String::as_str)).chain(["today"])
    }

    /// Compiles `text`, whatever it yields.
    pub(crate) fn compile(&self, text: &str) -> Result<(Expression, Type), String> {
        if depth(text) > MAX_DEPTH {
            return Err(format!("this nests deeper than {MAX_DEPTH}; name a part of it under \"where\""));
        }
        let parser = Env::default().with_optional_support(false).parser().max_recursion_depth(32);
        let parsed = parser.parse(text).map_err(|errors| {
            // What the parser expected instead would fill a page.
            let column = errors.errors.first().map_or(1, |error| error.pos.1.max(1));
            format!("not an expression of the Common Expression Language: look at column {column}")
        })?;
        Checker { names: self, variables: Vec::new() }.check(&parsed)
    }

    /// Compiles `text`, which must yield `wanted`.
    pub(crate) fn compile_as(&self, text: &str, wanted: &Type) -> Result<Expression, String> {
        let (expression, kind) = coerce(self.compile(text)?, wanted);
        possible(&expression, wanted)?;
        if kind.fits(wanted) { Ok(expression) } else { Err(format!("this yields {kind}; it must yield {wanted}")) }
    }
}

type Checked = Result<(Expression, Type), String>;

struct Checker<'a> {
    names: &'a Names,
    variables: Vec<(String, Type)>,
}

impl Checker<'_> {
    fn check(&mut self, parsed: &IdedExpr) -> Checked {
        match &parsed.expr {
            Expr::Literal(literal) => literal_of(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) if !select.test => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.list(&list.elements),
            _ => Err(format!(
                "only names, fields, lists, operators and the functions {} are known here",
                FUNCTIONS.join(", ")
            )),
        }
    }

    fn name(&self, name: &str) -> Checked {
        if let Some(depth) = self.variables.iter().rposition(|(variable, _)| variable == name) {
            return Ok((Expression::Variable(depth), self.variables[depth].1.clone()));
        }
        if let Some(index) = self.names.parameter(name) {
            return Ok((Expression::Parameter(index), self.names.parameters[index].1.clone()));
        }
        if let Some((expression, kind)) = self.names.definitions.get(name) {
            return Ok((expression.clone(), kind.clone()));
        }
        if name == "today" {
            return Ok((Expression::Today, Type::Date));
        }
        if self.names.role(name).is_some() {
            return Err(format!("\"{name}\" is a person; say {name}.id_number, .name, .born or .sex"));
        }
        if self.names.facts.iter().any(|(fact, ..)| fact == name) {
            return Err(format!("\"{name}\" is a fact; say {name}.found or name one of its fields"));
        }
        let variables = self.variables.iter().map(|(variable, _)| variable.as_str());
        Err(unknown("name", name, self.names.all().chain(variables)))
    }

    fn select(&mut self, select: &SelectExpr) -> Checked {
        let field = select.field.as_str();
        if let Expr::Ident(name) = &select.operand.expr
            && !self.variables.iter().any(|(variable, _)| variable == name)
        {
            if let Some(role) = self.names.role(name) {
                return role_field(role, field);
            }
            if let Some((_, index, shape)) = self.names.facts.iter().find(|(fact, ..)| fact == name) {
                if field == "found" {
                    return Ok((Expression::Found(*index), Type::Bool));
                }
                let kind = shape.0.get(field).cloned();
                let valid = shape.0.keys().map(String::as_str).chain(["found"]);
                let kind = kind.ok_or_else(|| unknown(&format!("field of {name}:"), field, valid))?;
                return Ok((Expression::Fact(*index, field.into()), kind));
            }
        }
        let (record, kind) = self.check(&select.operand)?;
        let Type::Record(shape) = kind else {
            return Err(format!("a {kind} has no field \"{field}\""));
        };
        let valid = shape.0.keys().map(String::as_str);
        let kind = shape.0.get(field).cloned().ok_or_else(|| unknown("field", field, valid))?;
        Ok((Expression::Field(Box::new(record), field.into()), kind))
    }

    fn list(&mut self, elements: &[IdedExpr]) -> Checked {
        let mut items = Vec::new();
        let mut item_kind: Option<Type> = None;
        for element in elements {
            let (item, kind) = self.check(element)?;
            let unified = item_kind.as_ref().map_or(Some(kind.clone()), |known| known.unify(&kind));
            item_kind = Some(unified.ok_or("the items of a list must be of one kind")?);
            items.push(item);
        }
        let kind = item_kind.map_or(Type::AnyList, |kind| Type::List(Box::new(kind)));
        Ok((Expression::List(items), kind))
    }

    fn call(&mut self, call: &CallExpr) -> Checked {
        let function = call.func_name.as_str();
        match (function, call.target.as_deref(), call.args.as_slice()) {
            (op::LOGICAL_NOT, None, [operand]) => Ok((Expression::Not(Box::new(self.truth(operand)?)), Type::Bool)),
            (op::LOGICAL_AND, None, [left, right]) => {
                Ok((Expression::And(Box::new(self.truth(left)?), Box::new(self.truth(right)?)), Type::Bool))
            }
            (op::LOGICAL_OR, None, [left, right]) => {
                Ok((Expression::Or(Box::new(self.truth(left)?), Box::new(self.truth(right)?)), Type::Bool))
            }
            (op::CONDITIONAL, None, [condition, yes, no]) => {
                let condition = self.truth(condition)?;
                let (yes, no, kind) = self.same_kind(yes, no)?;
                Ok((Expression::If(Box::new(condition), Box::new(yes), Box::new(no)), kind))
            }
            (op::IN, None, [item, list]) => self.membership(item, list),
            (op::INDEX, None, [list, index]) => {
                let (list, kind) = self.items(list)?;
                let index = self.expect(index, &Type::Int)?;
                Ok((Expression::Index(Box::new(list), Box::new(index)), kind))
            }
            (op::ADD, None, [left, right]) => {
                let (left, right, kind) = self.same_kind(left, right)?;
                match kind {
                    Type::List(_) | Type::AnyList => Ok((Expression::Concat(Box::new(left), Box::new(right)), kind)),
                    _ => Err("+ joins two lists".to_owned()),
                }
            }
            ("size", None, [list]) | ("size", Some(list), []) => {
                Ok((Expression::Size(Box::new(self.items(list)?.0)), Type::Int))
            }
            ("distinct", Some(list), []) => {
                let (list, kind) = self.items(list)?;
                Ok((Expression::Distinct(Box::new(list)), Type::List(Box::new(kind))))
            }
            ("startsWith", Some(text), [prefix]) => {
                let (text, prefix) = (self.expect(text, &Type::Text)?, self.expect(prefix, &Type::Text)?);
                Ok((Expression::StartsWith(Box::new(text), Box::new(prefix)), Type::Bool))
            }
            ("bornIn", Some(number), []) => {
                Ok((Expression::BornIn(Box::new(self.expect(number, &Type::Text)?)), Type::Int))
            }
            ("exists" | "all" | "filter" | "map", Some(list), [variable, body]) => {
                self.quantify(function, list, variable, body)
            }
            (_, None, [left, right]) if comparison(function).is_some() => self.compare(function, left, right),
            _ => Err(unknown("function", function, FUNCTIONS)),
        }
    }

    fn compare(&mut self, function: &str, left: &IdedExpr, right: &IdedExpr) -> Checked {
        let (left, right) = (self.check(left)?, self.check(right)?);
        if matches!(comparison(function), Some(Comparison::Equal | Comparison::NotEqual)) {
            possible(&left.0, &right.1)?;
            possible(&right.0, &left.1)?;
            common(&left.1, &right.1)?;
        }
        let (left, right, kind) = unified(left, right)?;
        match (comparison(function), &kind) {
            (Some(comparison), Type::Text | Type::OneOf(_) | Type::Date | Type::Int)
            | (Some(comparison @ (Comparison::Equal | Comparison::NotEqual)), Type::Bool) => {
                Ok((Expression::Compare(comparison, Box::new(left), Box::new(right)), Type::Bool))
            }
            _ => Err(format!("a {kind} cannot be compared so")),
        }
    }

    fn membership(&mut self, item: &IdedExpr, list: &IdedExpr) -> Checked {
        let (list, kind) = self.items(list)?;
        let (item, item_kind) = coerce(self.check(item)?, &kind);
        if !item_kind.fits(&kind) {
            return Err(format!("here stands a {item_kind}; a {kind} is needed"));
        }
        possible(&item, &kind)?;
        common(&item_kind, &kind)?;
        if let Expression::List(items) = &list {
            items.iter().try_for_each(|one| possible(one, &item_kind))?;
        }
        Ok((Expression::In(Box::new(item), Box::new(list)), Type::Bool))
    }

    fn quantify(&mut self, function: &str, list: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Checked {
        let (list, item) = self.items(list)?;
        let Expr::Ident(variable) = &variable.expr else {
            return Err(format!("the first argument of {function} names the item"));
        };
        if self.names.knows(variable) || self.variables.iter().any(|(name, _)| name == variable) {
            return Err(format!("\"{variable}\" means something already; name the item otherwise"));
        }
        self.variables.push((variable.clone(), item.clone()));
        let body = if function == "map" { self.check(body) } else { self.truth(body).map(|body| (body, Type::Bool)) };
        self.variables.pop();
        let (body, mapped) = body?;
        let (quantifier, kind) = match function {
            "exists" => (Quantifier::Exists, Type::Bool),
            "all" => (Quantifier::All, Type::Bool),
            "filter" => (Quantifier::Filter, Type::List(Box::new(item))),
            _ => (Quantifier::Map, Type::List(Box::new(mapped))),
        };
        Ok((Expression::Quantify(quantifier, Box::new(list), Box::new(body)), kind))
    }

    fn truth(&mut self, parsed: &IdedExpr) -> Result<Expression, String> {
        self.expect(parsed, &Type::Bool)
    }

    fn expect(&mut self, parsed: &IdedExpr, wanted: &Type) -> Result<Expression, String> {
        let (expression, kind) = coerce(self.check(parsed)?, wanted);
        if kind.fits(wanted) { Ok(expression) } else { Err(format!("here stands a {kind}; a {wanted} is needed")) }
    }

    fn items(&mut self, parsed: &IdedExpr) -> Checked {
        match self.check(parsed)? {
            (list, Type::List(item)) => Ok((list, *item)),
            (_, kind) => Err(format!("here stands a {kind}; a list is needed")),
        }
    }

    fn same_kind(&mut self, left: &IdedExpr, right: &IdedExpr) -> Result<(Expression, Expression, Type), String> {
        let (left, right) = (self.check(left)?, self.check(right)?);
        unified(left, right)
    }
}

fn unified(left: (Expression, Type), right: (Expression, Type)) -> Result<(Expression, Expression, Type), String> {
    let right = coerce(right, &left.1);
    let left = coerce(left, &right.1);
    match left.1.unify(&right.1) {
        Some(kind) => Ok((left.0, right.0, kind)),
        None => Err(format!("a {} and a {} do not go together", left.1, right.1)),
    }
}

/// Refuses a constant that what it is held against can never be.
fn possible(expression: &Expression, kind: &Type) -> Result<(), String> {
    match (expression, kind) {
        (Expression::Constant(Constant::Text(text)), Type::OneOf(values))
            if !values.iter().any(|value| **value == **text) =>
        {
            Err(unknown("value", text, values.iter().map(String::as_str)))
        }
        _ => Ok(()),
    }
}

/// Refuses two choices that have nothing in common.
fn common(one: &Type, other: &Type) -> Result<(), String> {
    match (one, other) {
        (Type::OneOf(one), Type::OneOf(other)) if !one.iter().any(|value| other.contains(value)) => {
            let (one, other) = (one.join(", "), other.join(", "));
            Err(format!("these two are never equal: one is of {one}; the other of {other}"))
        }
        _ => Ok(()),
    }
}

fn literal_of(literal: &LiteralValue) -> Checked {
    match literal {
        LiteralValue::Boolean(truth) => Ok((Expression::Constant(Constant::Bool(*truth.inner())), Type::Bool)),
        LiteralValue::Int(integer) => Ok((Expression::Constant(Constant::Int(*integer.inner())), Type::Int)),
        LiteralValue::String(text) => Ok((Expression::Constant(Constant::Text(text.inner().into())), Type::Text)),
        _ => Err("a constant is true, false, an integer or a text".to_owned()),
    }
}

fn role_field(role: usize, field: &str) -> Checked {
    let (field, kind) = match field {
        "id_number" => (RoleField::IdNumber, Type::Text),
        "name" => (RoleField::Name, Type::Text),
        "born" => (RoleField::Born, Type::Date),
        "sex" => (RoleField::Sex, Type::OneOf(["female", "male"].map(str::to_owned).into())),
        _ => return Err(unknown("field of a person:", field, ["id_number", "name", "born", "sex"])),
    };
    Ok((Expression::Role(role, field), kind))
}

/// A text constant that is a day is a date, where one is wanted.
fn coerce((expression, kind): (Expression, Type), wanted: &Type) -> (Expression, Type) {
    match (&expression, &kind, wanted) {
        (Expression::Constant(Constant::Text(text)), Type::Text, Type::Date)
            if text.parse::<jiff::civil::Date>().is_ok_and(|day| day.to_string() == **text) =>
        {
            (expression, Type::Date)
        }
        _ => (expression, kind),
    }
}

fn comparison(function: &str) -> Option<Comparison> {
    Some(match function {
        op::EQUALS => Comparison::Equal,
        op::NOT_EQUALS => Comparison::NotEqual,
        op::LESS => Comparison::Less,
        op::LESS_EQUALS => Comparison::LessOrEqual,
        op::GREATER => Comparison::Greater,
        op::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
