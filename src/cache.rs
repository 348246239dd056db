//! Layer 2: facts that are still fresh. It stands before the departments and asks each equal question once.
//!
//! What serves, and for how long, is written down in `docs/cache.md`.

mod epochs;
mod flights;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::sync::Cache;
use serde_json::Value;

use crate::clock::Clock;
use crate::departments::{Asking, Departments, Fact, Failure, OperationPromise, OperationRef, Question};
use crate::domain::{IdNumber, PersonName, Slug};
use crate::telemetry::{self, What};

use epochs::Epochs;
use flights::{Flight, Flights, Place};

/// How long the facts of one operation may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Where there was a record.
    pub found: Duration,
    /// Where there was none.
    pub no_record: Duration,
    /// How much longer, and then marked as stale, while the department cannot be asked.
    pub stale: Duration,
}

/// The facts that all threads share. They are in memory only.
#[derive(Clone)]
pub struct Facts {
    operations: Arc<HashMap<OperationRef, Operation>>,
    held: Cache<Key, Held>,
    flights: Arc<Flights>,
    epochs: Arc<Epochs>,
    evicted: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

/// What is remembered of an operation.
struct Operation {
    /// Stands for the operation in keys.
    number: usize,
    promise: OperationPromise,
    lifetimes: Lifetimes,
}

/// What makes two questions equal.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    operation: usize,
    id_number: IdNumber,
    name: Option<PersonName>,
    parameters: Vec<Option<String>>,
}

/// A fact that is held.
#[derive(Clone)]
struct Held {
    fact: Arc<Fact>,
    /// The last event of all when the department was asked.
    after: u64,
    /// Where events about the people in it are noted, and about the person who was asked about: one since then ends it.
    places: Box<[usize]>,
    /// For how long it is of use.
    lifetime: Duration,
}

impl Facts {
    /// Room for so many bytes of facts of these operations. An operation that is not among them is never remembered.
    #[must_use]
    pub fn new(
        bytes: u64,
        operations: impl IntoIterator<Item = (OperationPromise, Lifetimes)>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let operation = |(number, (promise, lifetimes)): (usize, (OperationPromise, Lifetimes))| {
            (promise.operation.clone(), Operation { number, promise, lifetimes })
        };
        let operations = operations.into_iter().enumerate().map(operation).collect();
        let evicted = Arc::<AtomicU64>::default();
        let counter = Arc::clone(&evicted);
        let count = move |_, _, why| {
            if why == RemovalCause::Size {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        let held = Cache::builder().max_capacity(bytes).weigher(weigh).expire_after(ByLifetime);
        let (flights, epochs) = (Arc::default(), Arc::default());
        let held = held.eviction_listener(count).build();
        Self { operations: Arc::new(operations), held, flights, epochs, evicted, clock }
    }

    /// Departments that are asked only for what is not remembered.
    #[must_use]
    pub fn before(&self, departments: Arc<dyn Departments>) -> Remembering {
        Remembering { facts: self.clone(), departments }
    }

    /// A source says that its record of a person has changed: nothing that it answered until now about that person, or about
    /// others with that person in it, serves any more, nor what it has been asked and not answered yet. Costs the same however
    /// much is held.
    pub fn forget(&self, source: &Slug, person: &IdNumber) {
        self.epochs.advance(source, person);
    }

    /// About how many bytes are held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.held.weighted_size()
    }

    /// How many bytes may be.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.held.policy().max_capacity().unwrap_or(u64::MAX)
    }

    /// How many facts were forgotten before their time, because there was no room.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    fn operation(&self, question: &Question) -> Option<&Operation> {
        self.operations.get(&question.operation)
    }

    /// The number of the last event about the person.
    fn last_event(&self, question: &Question) -> u64 {
        self.epochs.at(self.epochs.place(&question.operation.source, &question.about.id_number))
    }

    /// Where events about the people of a fact are noted: the one who was asked about first.
    fn places(&self, question: &Question, fact: &Fact) -> Box<[usize]> {
        let source = &question.operation.source;
        let mut places = vec![self.epochs.place(source, &question.about.id_number)];
        for_each_number(fact.record.as_ref(), &mut |person| {
            let place = self.epochs.place(source, &person);
            if !places.contains(&place) {
                places.push(place);
            }
        });
        places.into()
    }

    /// Whether none of these has had an event since.
    fn stands(&self, places: &[usize], after: u64) -> bool {
        places.iter().all(|place| self.epochs.at(*place) <= after)
    }

    /// What is held in answer to a question and has been overtaken by no event.
    fn held(&self, key: &Key, question: &Question) -> Option<Arc<Fact>> {
        let held = self.held.get(key).filter(|held| self.stands(&held.places, held.after))?;
        question.not_before.is_none_or(|moment| held.fact.as_of >= moment).then_some(held.fact)
    }

    /// How old a fact is. One from the future is as good as new; its time in the cache ends it all the same.
    fn age(&self, fact: &Fact) -> Duration {
        let age: SignedDuration = self.clock.now().duration_since(fact.as_of);
        Duration::try_from(age).unwrap_or_default()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Facts").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Operation {
    fn key(&self, question: &Question) -> Key {
        let value = |name: &String| question.parameters.get(name).map(Value::to_string);
        Key {
            operation: self.number,
            id_number: question.about.id_number,
            name: question.about.name.clone().filter(|_| self.promise.uses_name),
            parameters: self.promise.parameters.iter().map(value).collect(),
        }
    }

    fn lifetime(&self, fact: &Fact) -> Duration {
        if fact.record.is_some() { self.lifetimes.found } else { self.lifetimes.no_record }
    }
}

/// Ends what is held when it is of no use any more.
struct ByLifetime;

impl Expiry<Key, Held> for ByLifetime {
    fn expire_after_create(&self, _: &Key, held: &Held, _: Instant) -> Option<Duration> {
        Some(held.lifetime)
    }

    fn expire_after_update(&self, _: &Key, held: &Held, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(held.lifetime)
    }
}

/// About how many bytes a fact takes, with what the cache needs for itself.
fn weigh(key: &Key, held: &Held) -> u32 {
    const AROUND: usize = 300;
    let parameters: usize = key.parameters.iter().flatten().map(String::len).sum();
    let bytes = AROUND + parameters + held.fact.record.as_ref().map_or(0, size);
    let bytes = bytes + held.places.len() * size_of::<usize>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Every ID number in a fact.
fn for_each_number(value: Option<&Value>, each: &mut impl FnMut(IdNumber)) {
    match value {
        Some(Value::String(text)) if text.len() == 18 => {
            if let Ok(number) = text.parse() {
                each(number);
            }
        }
        Some(Value::Array(items)) => items.iter().for_each(|item| for_each_number(Some(item), each)),
        Some(Value::Object(members)) => members.values().for_each(|member| for_each_number(Some(member), each)),
        _ => {}
    }
}

fn size(value: &Value) -> usize {
    const EACH: usize = 32;
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        // A map keeps an index beside its entries.
        Value::Object(members) => members.iter().map(|(name, value)| 2 * EACH + name.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Departments with a memory. Equal questions that come while one is being asked share its answer; a failure is shared by
/// those who waited for it and remembered by nobody.
pub struct Remembering {
    facts: Facts,
    departments: Arc<dyn Departments>,
}

impl Departments for Remembering {
    fn application(&self, question: &Question) -> Option<Question> {
        self.departments.application(question)
    }

    fn known(&self, question: &Question) -> Option<Arc<Fact>> {
        let operation = self.facts.operation(question)?;
        let fact = self.facts.held(&operation.key(question), question)?;
        (self.facts.age(&fact) < operation.lifetime(&fact)).then_some(fact)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let Some(operation) = self.facts.operation(question) else {
                return self.departments.ask(question).await;
            };
            let key = operation.key(question);
            loop {
                if let Some(fact) = self.known(question) {
                    return Ok(fact);
                }
                let (began, after) = (self.facts.clock.now(), self.facts.epochs.now());
                let events = (self.facts.last_event(question), after);
                match self.facts.flights.board(&key, began, events, question.not_before) {
                    Place::Passenger(flight) => {
                        let _waiting = telemetry::open(|| What::Join(flight.asker));
                        if let Some(answer) =
                            flight.landed().await.filter(|answer| self.serves(question, &flight, answer))
                        {
                            return answer;
                        }
                    }
                    Place::Pilot(flight) => {
                        let answer = self.fly(operation, &key, question, after).await;
                        flight.land(answer.clone());
                        return answer;
                    }
                }
            }
        })
    }
}

impl Remembering {
    /// Asks, and holds what is answered.
    async fn fly(
        &self,
        operation: &Operation,
        key: &Key,
        question: &Question,
        after: u64,
    ) -> Result<Arc<Fact>, Failure> {
        let answer = self.departments.ask(question).await;
        match &answer {
            Ok(fact) => {
                let lifetime = operation.lifetime(fact).saturating_add(operation.lifetimes.stale);
                if !lifetime.is_zero() {
                    let places = self.facts.places(question, fact);
                    self.facts.held.insert(key.clone(), Held { fact: Arc::clone(fact), after, places, lifetime });
                }
                answer
            }
            Err(_) => self.stale(operation, key, question).map_or(answer, Ok),
        }
    }

    /// Whether another's answer serves: nothing may have happened to anybody in it since it was asked for, because that may
    /// have been before this question.
    fn serves(&self, question: &Question, flight: &Flight, answer: &Result<Arc<Fact>, Failure>) -> bool {
        answer.as_ref().map_or(true, |fact| self.facts.stands(&self.facts.places(question, fact), flight.after))
    }

    /// A fact past its lifetime, where the source's file lets it serve while the department cannot be asked.
    fn stale(&self, operation: &Operation, key: &Key, question: &Question) -> Option<Arc<Fact>> {
        let fact = self.facts.held(key, question)?;
        let age = self.facts.age(&fact);
        let most = operation.lifetime(&fact).saturating_add(operation.lifetimes.stale);
        (age < most).then(|| Arc::new(Fact { stale: true, ..(*fact).clone() }))
    }
}

#[cfg(test)]
mod tests;
