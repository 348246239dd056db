//! What an expression is evaluated against: the people, the parameters, the day, and the facts as far as they are known.

use std::cell::RefCell;

use serde_json::Value as Json;

use super::expression::{Constant, Value};
use crate::domain::Person;

/// A subject with what expressions ask of it.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) person: Person,
    pub(super) born: String,
}

impl From<Person> for Subject {
    fn from(person: Person) -> Self {
        let born = person.id_number.birth_date().to_string();
        Self { person, born }
    }
}

/// What is known of one fact.
#[derive(Clone, Copy)]
pub(crate) enum Knowledge<'a> {
    Unknown,
    NoRecord,
    Found(&'a Json),
}

/// Everything that an expression may speak of.
pub(crate) struct Scope<'a> {
    pub(crate) subjects: &'a [Subject],
    pub(crate) parameters: &'a [Constant],
    pub(crate) today: &'a str,
    pub(crate) facts: &'a [Knowledge<'a>],
    pub(crate) worked_out: WorkedOut<'a>,
}

impl<'a> Scope<'a> {
    pub(super) fn knowledge(&self, index: usize) -> Knowledge<'a> {
        self.facts.get(index).copied().unwrap_or(Knowledge::Unknown)
    }
}

/// What the named expressions are worth, each worked out once, when it is needed first.
#[derive(Default)]
pub(crate) struct WorkedOut<'a>(RefCell<Vec<Option<Value<'a>>>>);

impl<'a> WorkedOut<'a> {
    pub(super) fn of(&self, place: usize, value: impl FnOnce() -> Value<'a>) -> Value<'a> {
        if let Some(Some(known)) = self.0.borrow().get(place) {
            return known.clone();
        }
        let value = value();
        let mut all = self.0.borrow_mut();
        if all.len() <= place {
            all.resize(place + 1, None);
        }
        if let Some(room) = all.get_mut(place) {
            *room = Some(value.clone());
        }
        value
    }
}
