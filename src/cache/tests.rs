use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::{Map, json};
use tokio::sync::Semaphore;

use super::*;
use crate::clock::ManualClock;
use crate::departments::Occasion;
use crate::domain::{AgencyId, Cause, Person};

/// A department that answers when it is let, with what it is told to.
struct Department {
    asked: AtomicUsize,
    open: Semaphore,
    answer: Mutex<Result<Option<Value>, Cause>>,
    clock: Arc<ManualClock>,
}

impl Departments for Department {
    fn ask<'a>(&'a self, _: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let as_of = self.clock.now();
            tokio::task::yield_now().await;
            let _permit = self.open.acquire().await.unwrap();
            let answer = self.answer.lock().unwrap().clone();
            answer.map(|record| Arc::new(Fact { record, as_of, stale: false })).map_err(Failure::from)
        })
    }
}

struct Scene {
    departments: Arc<Remembering>,
    department: Arc<Department>,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn new(uses_name: bool) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-25T00:00:00Z".parse().unwrap()));
        let department = Arc::new(Department {
            asked: AtomicUsize::new(0),
            open: Semaphore::new(1000),
            answer: Mutex::new(Ok(Some(json!({})))),
            clock: Arc::clone(&clock),
        });
        let promise = OperationPromise {
            operation: question("张三").operation,
            fact: "registration".parse().unwrap(),
            parameters: Vec::new(),
            uses_name,
        };
        let lifetimes = Lifetimes {
            found: Duration::from_mins(10),
            no_record: Duration::from_mins(1),
            stale: Duration::from_mins(5),
        };
        let facts = Facts::new(1 << 20, [(promise, lifetimes)], clock.clone());
        Self { departments: Arc::new(facts.before(department.clone())), department, clock }
    }

    async fn ask(&self, name: &str) -> Result<Arc<Fact>, Cause> {
        self.departments.ask(&question(name)).await.map_err(|failure| failure.cause)
    }

    fn answers(&self, answer: Result<Option<Value>, Cause>) {
        *self.department.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> usize {
        self.department.asked.load(Ordering::SeqCst)
    }

    fn forget(&self) {
        let question = question("张三");
        self.departments.facts.forget(&question.operation.source, &question.about.id_number);
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
            legal_basis: None,
            request_id: "r".to_owned(),
            traceparent: None,
            tracestate: None,
        }),
        not_before: None,
        within: Duration::from_secs(1),
    }
}

#[tokio::test]
async fn an_event_ends_what_others_were_told_with_that_person_in_it() {
    let scene = Scene::new(false);
    let wife: IdNumber = "210102198001010029".parse().unwrap();
    let source = question("张三").operation.source;
    scene.answers(Ok(Some(json!({"records": [{"a": "110105194912310022", "b": wife.reveal()}]}))));
    scene.ask("张三").await.unwrap();
    scene.ask("张三").await.unwrap();
    assert_eq!(scene.asked(), 1);
    scene.departments.facts.forget(&source, &wife);
    scene.ask("张三").await.unwrap();
    assert_eq!(scene.asked(), 2);
    // One that comes after the event does not wait for what was asked before it.
    scene.clock.advance(Duration::from_mins(11));
    scene.department.open.forget_permits(1000);
    let early = scene.ask("张三");
    let late = async {
        tokio::task::yield_now().await;
        scene.departments.facts.forget(&source, &wife);
        let late = scene.ask("张三");
        let opening = async { scene.department.open.add_permits(1000) };
        futures_util::future::join(late, opening).await.0
    };
    let (early, late) = futures_util::future::join(early, late).await;
    assert!(early.is_ok() && late.is_ok());
    assert_eq!(scene.asked(), 4);
}

#[tokio::test]
async fn equal_questions_at_once_are_asked_once() {
    let scene = Scene::new(false);
    let asked = join_all((0..100).map(|_| scene.ask("张三"))).await;
    assert!(asked.iter().all(Result::is_ok));
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn a_name_counts_only_where_the_request_holds_it() {
    for (uses_name, expected) in [(false, 1), (true, 2)] {
        let scene = Scene::new(uses_name);
        scene.ask("张三").await.unwrap();
        scene.ask("李四").await.unwrap();
        assert_eq!(scene.asked(), expected);
    }
}

#[tokio::test]
async fn failures_are_shared_by_those_who_wait_and_remembered_by_nobody() {
    let scene = Scene::new(false);
    scene.answers(Err(Cause::Busy));
    let asked = join_all((0..10).map(|_| scene.ask("张三"))).await;
    assert!(asked.iter().all(|answer| *answer == Err(Cause::Busy)));
    assert_eq!(scene.asked(), 1);
    assert_eq!(scene.ask("张三").await, Err(Cause::Busy));
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn whoever_asks_may_go_away_and_the_others_are_answered_all_the_same() {
    let scene = Arc::new(Scene::new(false));
    let gate = scene.department.open.acquire_many(1000).await.unwrap();
    let ask = |scene: Arc<Scene>| tokio::spawn(async move { scene.ask("张三").await });
    let first = ask(scene.clone());
    tokio::task::yield_now().await;
    let others: Vec<_> = (0..10).map(|_| ask(scene.clone())).collect();
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.is_err());
    drop(gate);
    for other in others {
        assert!(other.await.unwrap().is_ok());
    }
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn each_answer_has_the_lifetime_of_its_kind() {
    for (record, minutes) in [(Some(json!({})), 10), (None, 1)] {
        let scene = Scene::new(false);
        scene.answers(Ok(record));
        scene.ask("张三").await.unwrap();
        scene.clock.advance(Duration::from_secs(minutes * 60 - 1));
        assert!(scene.departments.known(&question("张三")).is_some());
        scene.clock.advance(Duration::from_secs(1));
        assert!(scene.departments.known(&question("张三")).is_none());
        scene.ask("张三").await.unwrap();
        assert_eq!(scene.asked(), 2);
    }
}

#[tokio::test]
async fn an_old_fact_does_not_serve_where_a_fresh_one_is_wanted() {
    let scene = Scene::new(false);
    let first = scene.ask("张三").await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    let fresh = Question { not_before: Some(scene.clock.now()), ..question("张三") };
    let second = scene.departments.ask(&fresh).await.unwrap();
    assert!(second.as_of > first.as_of);
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn a_stale_fact_serves_marked_and_only_while_the_department_cannot_be_asked() {
    let scene = Scene::new(false);
    scene.ask("张三").await.unwrap();
    scene.answers(Err(Cause::Timeout));
    scene.clock.advance(Duration::from_mins(14));
    assert!(scene.ask("张三").await.unwrap().stale);
    assert_eq!(scene.asked(), 2);
    let fresh = Question { not_before: Some(scene.clock.now()), ..question("张三") };
    assert!(scene.departments.ask(&fresh).await.is_err());
    scene.clock.advance(Duration::from_mins(1));
    assert_eq!(scene.ask("张三").await, Err(Cause::Timeout));
}

#[tokio::test]
async fn an_event_ends_what_is_held_and_what_is_on_its_way() {
    let scene = Arc::new(Scene::new(false));
    scene.ask("张三").await.unwrap();
    scene.forget();
    assert!(scene.departments.known(&question("张三")).is_none());
    let gate = scene.department.open.acquire_many(1000).await.unwrap();
    let ask = |scene: Arc<Scene>| tokio::spawn(async move { scene.ask("张三").await });
    let before = ask(scene.clone());
    tokio::task::yield_now().await;
    scene.forget();
    let after = ask(scene.clone());
    tokio::task::yield_now().await;
    assert_eq!(scene.asked(), 3, "who comes after the event does not wait for an answer from before");
    drop(gate);
    assert!(before.await.unwrap().is_ok() && after.await.unwrap().is_ok());
    scene.forget();
    assert!(scene.departments.known(&question("张三")).is_none());
}
