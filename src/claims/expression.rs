//! Expressions over facts, and what they are worth while some facts are still unknown.
//!
//! The meaning is CEL's, with the unknown values of its specification: `false && unknown` is `false`, `true || unknown` is
//! `true`. A field of a record that a department doesn't have is *undefined* (CEL: an error), which is absorbed in the
//! same way. So one evaluation says at any time whether the answers that are still missing could change anything.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::scope::{Knowledge, Scope, Subject};
use crate::domain::Sex;

/// A checked expression.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Constant(Constant),
    Role(usize, RoleField),
    Parameter(usize),
    Today,
    /// Whether the department has a record.
    Found(usize),
    Fact(usize, Box<str>),
    /// Bound by the quantifier at this depth.
    Variable(usize),
    /// One that has a name (`where`), with its place among those. It has no variables of others.
    Defined(usize, Arc<Expression>),
    Field(Box<Expression>, Box<str>),
    Index(Box<Expression>, Box<Expression>),
    List(Vec<Expression>),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    In(Box<Expression>, Box<Expression>),
    Quantify(Quantifier, Box<Expression>, Box<Expression>),
    Size(Box<Expression>),
    Distinct(Box<Expression>),
    Concat(Box<Expression>, Box<Expression>),
    StartsWith(Box<Expression>, Box<Expression>),
    /// The year of birth that an ID number holds.
    BornIn(Box<Expression>),
}

/// A value that does not depend on facts. Dates are text, ISO 8601, whose order is the order of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constant {
    Bool(bool),
    Int(i64),
    Text(Box<str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoleField {
    IdNumber,
    Name,
    Born,
    Sex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Exists,
    All,
    Filter,
    Map,
}

/// What an expression is worth.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Depends on a fact that is not there yet.
    Unknown,
    /// Depends on a record that the department doesn't have.
    Undefined,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    Record(&'a Map<String, Json>),
    List(Vec<Value<'a>>),
}

/// Yes, no, or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl Expression {
    /// Whether it holds; an undefined expression doesn't.
    pub(crate) fn truth<'a>(&'a self, scope: &Scope<'a>) -> Truth {
        match self.value(scope) {
            Value::Bool(true) => Truth::True,
            Value::Unknown => Truth::Unknown,
            _ => Truth::False,
        }
    }

    /// Its value.
    pub(crate) fn value<'a>(&'a self, scope: &Scope<'a>) -> Value<'a> {
        self.evaluate(scope, &mut Vec::new())
    }

    fn evaluate<'a>(&'a self, scope: &Scope<'a>, variables: &mut Vec<Value<'a>>) -> Value<'a> {
        match self {
            Self::Constant(constant) => constant.value(),
            Self::Role(index, field) => {
                scope.subjects.get(*index).map_or(Value::Undefined, |subject| field.of(subject))
            }
            Self::Parameter(index) => scope.parameters.get(*index).map_or(Value::Undefined, Constant::value),
            Self::Today => Value::Text(scope.today),
            Self::Found(index) => match scope.knowledge(*index) {
                Knowledge::Unknown => Value::Unknown,
                Knowledge::NoRecord => Value::Bool(false),
                Knowledge::Found(_) => Value::Bool(true),
            },
            Self::Fact(index, field) => match scope.knowledge(*index) {
                Knowledge::Unknown => Value::Unknown,
                Knowledge::NoRecord => Value::Undefined,
                Knowledge::Found(record) => record.get(&**field).map_or(Value::Undefined, from_json),
            },
            Self::Variable(depth) => variables.get(*depth).cloned().unwrap_or(Value::Undefined),
            Self::Defined(place, expression) => scope.worked_out.of(*place, || expression.value(scope)),
            Self::Field(record, field) => match record.evaluate(scope, variables) {
                Value::Record(record) => record.get(&**field).map_or(Value::Undefined, from_json),
                other => other.missing(),
            },
            Self::Not(operand) => match operand.evaluate(scope, variables) {
                Value::Bool(truth) => Value::Bool(!truth),
                other => other.missing(),
            },
            Self::And(left, right) => {
                let left = left.evaluate(scope, variables);
                if left == Value::Bool(false) { left } else { junction(left, &right.evaluate(scope, variables), false) }
            }
            Self::Or(left, right) => {
                let left = left.evaluate(scope, variables);
                if left == Value::Bool(true) { left } else { junction(left, &right.evaluate(scope, variables), true) }
            }
            Self::If(condition, yes, no) => match condition.evaluate(scope, variables) {
                Value::Bool(true) => yes.evaluate(scope, variables),
                Value::Bool(false) => no.evaluate(scope, variables),
                other => other.missing(),
            },
            Self::Compare(comparison, left, right) => {
                comparison.apply(&left.evaluate(scope, variables), &right.evaluate(scope, variables))
            }
            Self::Quantify(quantifier, list, body) => match list.evaluate(scope, variables) {
                Value::List(items) => quantifier.apply(items, body, scope, variables),
                other => other.missing(),
            },
            _ => self.evaluate_list(scope, variables),
        }
    }

    /// Operators on lists and texts.
    fn evaluate_list<'a>(&'a self, scope: &Scope<'a>, variables: &mut Vec<Value<'a>>) -> Value<'a> {
        let mut both =
            |left: &'a Self, right: &'a Self| (left.evaluate(scope, variables), right.evaluate(scope, variables));
        match self {
            Self::Index(list, index) => match both(list, index) {
                (Value::List(items), Value::Int(index)) => {
                    let item = usize::try_from(index).ok().and_then(|index| items.into_iter().nth(index));
                    item.unwrap_or(Value::Undefined)
                }
                (list, index) => list.missing().or(&index),
            },
            Self::In(item, list) => match both(item, list) {
                (Value::Unknown, _) | (_, Value::Unknown) => Value::Unknown,
                (Value::Undefined, _) | (_, Value::Undefined) => Value::Undefined,
                (item, Value::List(items)) => Value::Bool(items.contains(&item)),
                (_, other) => other.missing(),
            },
            Self::Concat(left, right) => match both(left, right) {
                (Value::List(mut left), Value::List(right)) => {
                    left.extend(right);
                    Value::List(left)
                }
                (left, right) => left.missing().or(&right),
            },
            Self::StartsWith(text, prefix) => match both(text, prefix) {
                (Value::Text(text), Value::Text(prefix)) => Value::Bool(text.starts_with(prefix)),
                (text, prefix) => text.missing().or(&prefix),
            },
            Self::BornIn(number) => match number.evaluate(scope, variables) {
                Value::Text(number) => {
                    number.get(6..10).and_then(|year| year.parse().ok()).map_or(Value::Undefined, Value::Int)
                }
                other => other.missing(),
            },
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.evaluate(scope, variables)).collect();
                whole(items)
            }
            Self::Size(list) => match list.evaluate(scope, variables) {
                Value::List(items) => Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
                other => other.missing(),
            },
            Self::Distinct(list) => match list.evaluate(scope, variables) {
                Value::List(items) => {
                    let mut distinct: Vec<Value<'a>> = Vec::with_capacity(items.len());
                    for item in items {
                        if !distinct.contains(&item) {
                            distinct.push(item);
                        }
                    }
                    Value::List(distinct)
                }
                other => other.missing(),
            },
            _ => Value::Undefined,
        }
    }
}

impl Constant {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Int(integer) => Value::Int(*integer),
            Self::Text(text) => Value::Text(text),
        }
    }
}

impl RoleField {
    fn of(self, subject: &Subject) -> Value<'_> {
        let person = &subject.person;
        match self {
            Self::IdNumber => Value::Text(person.id_number.reveal()),
            Self::Name => person.name.as_ref().map_or(Value::Undefined, |name| Value::Text(name.reveal())),
            Self::Born => Value::Text(&subject.born),
            Self::Sex => Value::Text(if person.id_number.sex() == Sex::Female { "female" } else { "male" }),
        }
    }
}

impl Comparison {
    fn apply<'a>(self, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
        let order = match (left, right) {
            (Value::Unknown, _) | (_, Value::Unknown) => return Value::Unknown,
            (Value::Text(left), Value::Text(right)) => left.cmp(right),
            (Value::Int(left), Value::Int(right)) => left.cmp(right),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            _ => return Value::Undefined,
        };
        Value::Bool(match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        })
    }
}

impl Quantifier {
    fn apply<'a>(
        self,
        items: Vec<Value<'a>>,
        body: &'a Expression,
        scope: &Scope<'a>,
        variables: &mut Vec<Value<'a>>,
    ) -> Value<'a> {
        let mut kept = Vec::new();
        let mut verdict = Value::Bool(self == Self::All);
        for item in items {
            variables.push(item);
            let value = body.evaluate(scope, variables);
            let item = variables.pop().unwrap_or(Value::Undefined);
            match self {
                Self::Exists | Self::All => {
                    verdict = junction(verdict, &value, self == Self::Exists);
                    if verdict == Value::Bool(self == Self::Exists) {
                        return verdict;
                    }
                }
                Self::Map => kept.push(value),
                Self::Filter => match value {
                    Value::Bool(true) => kept.push(item),
                    Value::Bool(false) => {}
                    other => kept.push(other.missing()),
                },
            }
        }
        if matches!(self, Self::Exists | Self::All) { verdict } else { whole(kept) }
    }
}

impl Value<'_> {
    /// What a value of the wrong kind makes of the expression around it.
    fn missing(self) -> Self {
        if self == Self::Unknown { Self::Unknown } else { Self::Undefined }
    }

    fn or(self, other: &Self) -> Self {
        if *other == Self::Unknown { Self::Unknown } else { self }
    }
}

/// `&&` and `||`: `absorbing` decides alone; else what is unknown stays unknown, and what is undefined undefined.
fn junction<'a>(left: Value<'a>, right: &Value<'a>, absorbing: bool) -> Value<'a> {
    match (&left, right) {
        (Value::Bool(one), _) if *one == absorbing => left,
        (_, Value::Bool(one)) if *one == absorbing => Value::Bool(absorbing),
        (Value::Unknown, _) | (_, Value::Unknown) => Value::Unknown,
        (Value::Bool(_), Value::Bool(_)) => Value::Bool(!absorbing),
        _ => Value::Undefined,
    }
}

/// A list, unless one of its items is missing.
fn whole(items: Vec<Value<'_>>) -> Value<'_> {
    if items.contains(&Value::Unknown) {
        Value::Unknown
    } else if items.contains(&Value::Undefined) {
        Value::Undefined
    } else {
        Value::List(items)
    }
}

fn from_json(json: &Json) -> Value<'_> {
    match json {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::Text(text),
        Json::Number(number) => number.as_i64().map_or(Value::Undefined, Value::Int),
        Json::Object(record) => Value::Record(record),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Null => Value::Undefined,
    }
}

impl Expression {
    /// Notes the facts that it speaks of.
    pub(crate) fn facts(&self, facts: &mut BTreeSet<usize>) {
        match self {
            Self::Found(fact) | Self::Fact(fact, _) => {
                facts.insert(*fact);
            }
            Self::Constant(_) | Self::Role(..) | Self::Parameter(_) | Self::Today | Self::Variable(_) => {}
            Self::Defined(_, one) => one.facts(facts),
            Self::Field(one, _) | Self::Not(one) | Self::Size(one) | Self::Distinct(one) | Self::BornIn(one) => {
                one.facts(facts);
            }
            Self::List(items) => items.iter().for_each(|item| item.facts(facts)),
            Self::If(one, two, three) => [one, two, three].into_iter().for_each(|part| part.facts(facts)),
            Self::Index(one, two)
            | Self::And(one, two)
            | Self::Or(one, two)
            | Self::Compare(_, one, two)
            | Self::In(one, two)
            | Self::Quantify(_, one, two)
            | Self::Concat(one, two)
            | Self::StartsWith(one, two) => [one, two].into_iter().for_each(|part| part.facts(facts)),
        }
    }
}
