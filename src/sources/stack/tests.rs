//! With a paused clock and no jitter: nothing here sleeps.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::super::limits::{Outage, Rates};
use super::super::state::{Circuit, SourceState};
use super::*;
use crate::breaker::Policy;
use crate::clock::ManualClock;
use crate::durable::testing::Volatile;
use crate::situation::Closure;

/// A department that does, call by call, what it is told to.
struct Department {
    script: Mutex<VecDeque<(u64, Result<u32, Cause>)>>,
    calls: Mutex<Vec<Instant>>,
    safe: bool,
    renewed: Mutex<u32>,
}

impl Department {
    fn new(script: &[(u64, Result<u32, Cause>)]) -> Self {
        Self {
            script: Mutex::new(script.iter().copied().collect()),
            calls: Mutex::default(),
            safe: true,
            renewed: Mutex::default(),
        }
    }

    /// One that always does the same.
    fn always(millis: u64, answer: Result<u32, Cause>) -> Self {
        Self::new(&[(millis, answer); 1000])
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Attempt for Department {
    type Answer = u32;

    async fn make(&self, _: Turn) -> Result<u32, Cause> {
        self.calls.lock().unwrap().push(Instant::now());
        let (millis, answer) = self.script.lock().unwrap().pop_front().unwrap_or((0, Ok(0)));
        sleep(Duration::from_millis(millis)).await;
        answer
    }

    fn is_safe(&self) -> bool {
        self.safe
    }

    async fn renew(&self) -> bool {
        *self.renewed.lock().unwrap() += 1;
        true
    }
}

struct Scene {
    id: Slug,
    limits: Limits,
    hedge_after: Option<Duration>,
    state: SourceState,
    circuit: Circuit,
    clock: ManualClock,
    durable: Volatile,
}

impl Scene {
    fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits {
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(2),
            deadline: Duration::from_secs(3),
            body: 1000,
            concurrency: 100,
            rates: Rates::default(),
            outages: Vec::new(),
            breaker: Policy { failures: 5, open: Duration::from_secs(2) },
            attempts: 3,
        };
        change(&mut limits);
        Self {
            id: "police".parse().unwrap(),
            hedge_after: None,
            state: SourceState::new(limits.concurrency),
            circuit: Circuit::new(limits.breaker, Arc::default()),
            limits,
            clock: ManualClock::new("2026-11-25T01:00:00Z".parse().unwrap()),
            durable: Volatile::default(),
        }
    }

    async fn ask(&self, department: &Department, seconds: u64) -> (Result<u32, Cause>, Duration) {
        let stack = Stack {
            source: &self.id,
            limits: &self.limits,
            hedge_after: self.hedge_after,
            state: &self.state,
            circuit: &self.circuit,
            durable: &self.durable,
            clock: &self.clock,
            jitter: || 0.5,
        };
        let began = Instant::now();
        let answer = stack.run(department, began + Duration::from_secs(seconds)).await;
        (answer.map_err(|failure| failure.cause), began.elapsed())
    }
}

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again_where_that_is_safe() {
    let scene = Scene::new(|_| {});
    let department = Department::new(&[(10, Err(Cause::Busy)), (10, Err(Cause::ConnectionLost)), (10, Ok(7))]);
    assert_eq!(scene.ask(&department, 3).await, (Ok(7), MILLIS(10 + 50 + 10 + 100 + 10)));
    let application = Department { safe: false, ..Department::always(10, Err(Cause::Busy)) };
    assert_eq!(scene.ask(&application, 3).await.0, Err(Cause::Busy));
    assert_eq!(application.calls(), 1);
    let wrong = Department::always(10, Err(Cause::WrongSubject));
    assert_eq!(scene.ask(&wrong, 3).await.0, Err(Cause::WrongSubject));
    assert_eq!(wrong.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_never_exceeded() {
    let scene = Scene::new(|limits| limits.breaker.failures = 1000);
    for seconds in 1..8 {
        let (answer, took) = scene.ask(&Department::always(60_000, Ok(1)), seconds).await;
        assert_eq!(answer, Err(Cause::Timeout));
        assert!(took <= Duration::from_secs(seconds), "{took:?}");
    }
    // No attempt begins that could not end.
    let (_, took) = scene.ask(&Department::always(1_990, Err(Cause::Busy)), 3).await;
    assert_eq!(took, MILLIS(1_990));
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_tenth_of_all_calls() {
    let scene = Scene::new(|limits| limits.breaker.failures = 1_000_000);
    let department = Department::always(1, Err(Cause::Busy));
    for _ in 0..200 {
        for _ in 0..3 {
            // Half of the calls work, so that the breaker stays out of it.
            scene.ask(&Department::new(&[(1, Ok(1))]), 3).await.0.unwrap();
        }
        let _ = scene.ask(&department, 3).await;
    }
    let retries = department.calls() - 200;
    assert!((70..=90).contains(&retries), "{retries}");
}

#[tokio::test(start_paused = true)]
async fn a_department_that_fails_is_left_alone_and_probed() {
    let scene = Scene::new(|limits| limits.attempts = 1);
    let department = Department::always(10, Err(Cause::InvalidSourceResponse));
    for _ in 0..5 {
        assert_eq!(scene.ask(&department, 3).await.0, Err(Cause::InvalidSourceResponse));
    }
    assert_eq!(scene.ask(&department, 3).await, (Err(Cause::CircuitOpen), MILLIS(0)));
    tokio::time::advance(Duration::from_secs(2)).await;
    let well = Department::always(10, Ok(1));
    let answers = join_all((0..10).map(|_| scene.ask(&well, 3))).await;
    assert_eq!(answers.iter().filter(|(answer, _)| answer.is_ok()).count(), 1, "one probe");
    assert_eq!(scene.ask(&well, 3).await.0, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_time_says_nothing_about_the_department() {
    let scene = Scene::new(|limits| limits.attempts = 1);
    for _ in 0..10 {
        let hasty = Department::always(1_500, Ok(1));
        let stack = scene.ask(&hasty, 0).await;
        assert_eq!(stack.0, Err(Cause::Timeout));
    }
    assert_eq!(scene.ask(&Department::always(1, Ok(1)), 3).await.0, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_denied_are_renewed_once() {
    let scene = Scene::new(|_| {});
    let department = Department::new(&[(1, Err(Cause::Denied)), (1, Ok(5))]);
    assert_eq!(scene.ask(&department, 3).await.0, Ok(5));
    let stubborn = Department::always(1, Err(Cause::Denied));
    assert_eq!(scene.ask(&stubborn, 3).await.0, Err(Cause::Denied));
    assert_eq!((stubborn.calls(), *stubborn.renewed.lock().unwrap()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_could_not_be_answered_in_time_does_not_wait() {
    let scene = Scene::new(|limits| limits.concurrency = 2);
    let department = Department::always(1_000, Ok(1));
    scene.ask(&department, 3).await.0.unwrap();
    let answers = join_all((0..20).map(|_| scene.ask(&department, 3))).await;
    let worked = answers.iter().filter(|(answer, _)| *answer == Ok(1)).count();
    let shed = answers.iter().filter(|answer| **answer == (Err(Cause::Saturated), MILLIS(0))).count();
    assert_eq!((worked, shed), (6, 14), "three rounds of two; nobody waits in vain");
}

#[tokio::test(start_paused = true)]
async fn no_second_has_more_calls_than_the_registration_allows() {
    let scene = Scene::new(|limits| limits.rates.per_second = Some(10));
    let department = Department::always(0, Ok(1));
    let answers = join_all((0..100).map(|_| scene.ask(&department, 3))).await;
    assert_eq!(answers.iter().filter(|(answer, _)| *answer == Ok(1)).count(), 40);
    assert!(answers.iter().all(|(answer, took)| answer.is_ok() || *took == MILLIS(0)), "the others are told at once");
    let calls = department.calls.lock().unwrap();
    for pair in calls.windows(11) {
        assert!(pair[10] - pair[0] >= Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_leave_late_hold_up_those_after_them() {
    let state = SourceState::new(100);
    let (began, late) = (Instant::now(), Duration::from_millis(700));
    let latest = began + Duration::from_secs(5);
    let due: Vec<Instant> = (0..6).map(|_| state.next_second(2, began, latest).unwrap()).collect();
    assert_eq!(due.iter().map(|due| (*due - began).as_secs()).collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2]);
    // The thread was busy: those of the first second to come are made almost in the one after.
    let busy = began + Duration::from_secs(1) + late;
    assert!(state.leave(2, due[2], busy) && state.leave(2, due[3], busy));
    assert!(!state.leave(2, due[4], due[4]), "they are made in the same second");
    let next = state.next_second(2, due[4], latest).unwrap();
    assert_eq!(next, busy + Duration::from_secs(1), "a second after those that were late");
    assert!(state.leave(2, next, next));
}

#[tokio::test(start_paused = true)]
async fn a_registration_by_the_day_is_counted_ahead_and_across_a_restart() {
    let mut scene = Scene::new(|limits| limits.rates.per_day = Some(250));
    let department = Department::always(0, Ok(1));
    for _ in 0..105 {
        scene.ask(&department, 3).await.0.unwrap();
    }
    // The process ends: of what it had reserved, nothing is used again.
    scene.state = SourceState::new(100);
    let mut more = 0;
    while scene.ask(&department, 3).await.0.is_ok() {
        more += 1;
    }
    assert!((143..=145).contains(&more), "{more}");
    assert_eq!(scene.ask(&department, 3).await.0, Err(Cause::RateLimited));
    scene.clock.advance(Duration::from_hours(24));
    assert_eq!(scene.ask(&department, 3).await.0, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_department_that_is_closed_is_not_called() {
    let scene = Scene::new(|limits| {
        // 09:00 in Shanghai.
        let outage = Outage { days: Vec::new(), from: "08:00:00".parse().unwrap(), to: "10:00:00".parse().unwrap() };
        limits.outages.push(outage);
    });
    let department = Department::always(0, Ok(1));
    assert_eq!(scene.ask(&department, 3).await.0, Err(Cause::PlannedOutage));
    assert_eq!(department.calls(), 0);
    scene.clock.advance(Duration::from_hours(1));
    assert_eq!(scene.ask(&department, 3).await.0, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_department_that_an_operator_has_closed_is_not_called_until_it_is_opened_or_the_time_is_over() {
    let scene = Scene::new(|_| {});
    let department = Department::always(0, Ok(1));
    let (now, by, reason) = (scene.clock.now(), "zhang".to_owned(), "升级".to_owned());
    let until = now.checked_add(SignedDuration::from_hours(1)).ok();
    scene.state.hand.set(Some(Closure { by: by.clone(), reason: reason.clone(), at: now, until }));
    assert_eq!(scene.ask(&department, 3).await.0, Err(Cause::ClosedByOperator));
    scene.clock.advance(Duration::from_hours(1));
    assert_eq!((scene.ask(&department, 3).await.0, department.calls()), (Ok(1), 1));
    scene.state.hand.set(Some(Closure { by, reason, at: now, until: None }));
    scene.clock.advance(Duration::from_hours(1000));
    assert_eq!(scene.ask(&department, 3).await.0, Err(Cause::ClosedByOperator));
    scene.state.hand.set(None);
    assert_eq!((scene.ask(&department, 3).await.0, department.calls()), (Ok(1), 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_exchange_is_hedged_where_that_is_allowed() {
    let mut scene = Scene::new(|_| {});
    let script = [(1_500, Ok(1)), (100, Ok(2))];
    assert_eq!(scene.ask(&Department::new(&script), 3).await, (Ok(1), MILLIS(1_500)));
    scene.hedge_after = Some(MILLIS(300));
    assert_eq!(scene.ask(&Department::new(&script), 3).await, (Ok(2), MILLIS(400)));
    let unsafe_one = Department { safe: false, ..Department::new(&script) };
    assert_eq!(scene.ask(&unsafe_one, 3).await, (Ok(1), MILLIS(1_500)));
}
