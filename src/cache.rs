//! Layer 2: facts that are still fresh. It stands before the departments and asks each equal question once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use serde_json::Value;

use crate::departments::{Asking, Departments, Fact, Failure, OperationPromise, OperationRef, Question};
use crate::domain::{IdNumber, PersonName};

/// How long the facts of one operation may serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Where there was a record.
    pub found: Duration,
    /// Where there was none.
    pub no_record: Duration,
}

/// The facts that all threads share. They are in memory only.
#[derive(Clone)]
pub struct Facts {
    operations: Arc<BTreeMap<OperationRef, (OperationPromise, Lifetimes)>>,
    facts: Cache<Key, Arc<Fact>>,
}

impl Facts {
    /// Room for `entries` facts of these operations. An operation that is not among them is never remembered.
    #[must_use]
    pub fn new(entries: u64, operations: impl IntoIterator<Item = (OperationPromise, Lifetimes)>) -> Self {
        let operations = operations.into_iter().map(|entry| (entry.0.operation.clone(), entry)).collect();
        let operations = Arc::new(operations);
        let expiry = ByOperation(Arc::clone(&operations));
        Self { operations, facts: Cache::builder().max_capacity(entries).expire_after(expiry).build() }
    }

    /// Departments that are asked only for what is not remembered.
    #[must_use]
    pub fn before(&self, departments: Arc<dyn Departments>) -> Remembering {
        Remembering { facts: self.clone(), departments }
    }

    fn key(&self, question: &Question) -> Option<Key> {
        let (promise, _) = self.operations.get(&question.operation)?;
        let value = |name: &crate::domain::Slug| question.parameters.get(name.as_str()).map(Value::to_string);
        Some(Key {
            operation: question.operation.clone(),
            id_number: question.about.id_number,
            name: question.about.name.clone().filter(|_| promise.uses_name),
            parameters: promise.parameters.iter().map(value).collect(),
        })
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Facts").field("entries", &self.facts.entry_count()).finish_non_exhaustive()
    }
}

/// What makes two questions equal.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    operation: OperationRef,
    id_number: IdNumber,
    name: Option<PersonName>,
    parameters: Vec<Option<String>>,
}

struct ByOperation(Arc<BTreeMap<OperationRef, (OperationPromise, Lifetimes)>>);

impl ByOperation {
    fn lifetime(&self, key: &Key, fact: &Fact) -> Option<Duration> {
        let (_, lifetimes) = self.0.get(&key.operation)?;
        Some(if fact.record.is_some() { lifetimes.found } else { lifetimes.no_record })
    }
}

impl Expiry<Key, Arc<Fact>> for ByOperation {
    fn expire_after_create(&self, key: &Key, fact: &Arc<Fact>, _: Instant) -> Option<Duration> {
        self.lifetime(key, fact)
    }

    fn expire_after_update(&self, key: &Key, fact: &Arc<Fact>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        self.lifetime(key, fact)
    }
}

/// Departments with a memory. Equal questions that come while one is being asked share its answer; a failure is shared by
/// those who waited for it and remembered by nobody.
pub struct Remembering {
    facts: Facts,
    departments: Arc<dyn Departments>,
}

impl Departments for Remembering {
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let Some(key) = self.facts.key(question) else { return self.departments.ask(question).await };
            let fresh = |fact: &Arc<Fact>| question.not_before.is_none_or(|moment| fact.as_of >= moment);
            let facts = &self.facts.facts;
            match facts.get(&key).await {
                Some(fact) if fresh(&fact) => return Ok(fact),
                Some(_) => facts.invalidate(&key).await,
                None => {}
            }
            let asked: Result<Arc<Fact>, Arc<Failure>> =
                facts.try_get_with_by_ref(&key, self.departments.ask(question)).await;
            match asked {
                Ok(fact) if fresh(&fact) => Ok(fact),
                // It joined a call that had begun too early.
                Ok(_) => self.departments.ask(question).await,
                Err(failure) => Err(*failure),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jiff::Timestamp;
    use serde_json::{Map, json};

    use super::*;
    use crate::departments::Occasion;
    use crate::domain::{AgencyId, Cause, Person};

    struct Counting {
        asked: AtomicUsize,
        fails: bool,
    }

    impl Departments for Counting {
        fn ask<'a>(&'a self, _: &'a Question) -> Asking<'a> {
            Box::pin(async move {
                self.asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                if self.fails {
                    return Err(Cause::Busy.into());
                }
                Ok(Arc::new(Fact { record: Some(json!({})), as_of: Timestamp::from_second(1000).unwrap() }))
            })
        }
    }

    fn question(name: &str) -> Question {
        Question {
            operation: OperationRef { source: "police".parse().unwrap(), operation: "person".parse().unwrap() },
            about: Person { id_number: "11010519491231002X".parse().unwrap(), name: Some(name.parse().unwrap()) },
            parameters: Arc::new(Map::new()),
            occasion: Arc::new(Occasion {
                agency: AgencyId("a".parse().unwrap()),
                officer: "o".to_owned(),
                purpose: "p".parse().unwrap(),
                case: None,
                request_id: "r".to_owned(),
                traceparent: None,
            }),
            not_before: None,
        }
    }

    fn remembering(uses_name: bool, fails: bool) -> (Remembering, Arc<Counting>) {
        let counting = Arc::new(Counting { asked: AtomicUsize::new(0), fails });
        let promise = OperationPromise {
            operation: question("张三").operation,
            fact: "registration".parse().unwrap(),
            parameters: Vec::new(),
            uses_name,
        };
        let lifetimes = Lifetimes { found: Duration::from_mins(1), no_record: Duration::from_mins(1) };
        (Facts::new(100, [(promise, lifetimes)]).before(counting.clone()), counting)
    }

    #[tokio::test]
    async fn equal_questions_at_once_are_asked_once() {
        let (departments, counting) = remembering(false, false);
        let question = question("张三");
        let asked = futures_util::future::join_all((0..100).map(|_| departments.ask(&question))).await;
        assert!(asked.iter().all(Result::is_ok));
        assert_eq!(counting.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_name_counts_only_where_the_request_holds_it() {
        for (uses_name, expected) in [(false, 1), (true, 2)] {
            let (departments, counting) = remembering(uses_name, false);
            departments.ask(&question("张三")).await.unwrap();
            departments.ask(&question("李四")).await.unwrap();
            assert_eq!(counting.asked.load(Ordering::SeqCst), expected);
        }
    }

    #[tokio::test]
    async fn failures_are_not_remembered() {
        let (departments, counting) = remembering(false, true);
        for _ in 0..2 {
            assert_eq!(departments.ask(&question("张三")).await.unwrap_err().cause, Cause::Busy);
        }
        assert_eq!(counting.asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn an_old_fact_does_not_serve_where_a_fresh_one_is_wanted() {
        let (departments, counting) = remembering(false, false);
        departments.ask(&question("张三")).await.unwrap();
        let fresh = Question { not_before: Some(Timestamp::from_second(1001).unwrap()), ..question("张三") };
        departments.ask(&fresh).await.unwrap();
        assert!(counting.asked.load(Ordering::SeqCst) >= 2);
    }
}
