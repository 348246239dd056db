//! How the sources are doing, and how much of what they allow is used. It outlives a change of configuration, and what a
//! registration counts by the hour and the day outlives the process.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore};
use tokio::time::Instant;

use super::hand::Hand;
use super::{Description, Operation};
use crate::breaker::{Breaker, Outcome, Pass, Policy, Stand};
use crate::departments::Failure;
use crate::domain::{Cause, Person, Slug};
use crate::durable::{Allower, Durable, NotCounted, NotSaved, Tally};
use crate::situation::{Closure, Exchange, Record, Situation};

/// The state of every source, by its id.
#[derive(Default)]
pub struct States {
    sources: Mutex<BTreeMap<Slug, Arc<SourceState>>>,
    hands: Mutex<BTreeMap<Slug, Arc<Hand>>>,
    situation: Arc<Situation>,
}

/// The state of one source.
pub(super) struct SourceState {
    concurrency: usize,
    pub(super) places: Semaphore,
    /// How many wait for a place.
    pub(super) waiting: AtomicU32,
    used: Arc<Used>,
    pub(super) hand: Arc<Hand>,
    situation: Arc<Situation>,
    circuits: Mutex<BTreeMap<Slug, Arc<Circuit>>>,
}

/// How much of a registration is used.
#[derive(Default)]
struct Used {
    second: Mutex<Second>,
    hour: AsyncMutex<Tally>,
    day: AsyncMutex<Tally>,
}

/// The calls of the last second and of those to come.
#[derive(Default)]
struct Second {
    /// When those were made that have been made.
    made: VecDeque<Instant>,
    /// When those are due that have not. Who goes away before that leaves its place empty.
    due: VecDeque<Instant>,
}

/// The state of one operation.
pub(super) struct Circuit {
    policy: Policy,
    breaker: Mutex<Breaker>,
    /// The retry budget, in tenths of a retry.
    budget: AtomicI32,
    /// How long an exchange takes, in microseconds, a moving average.
    latency: AtomicU64,
    last: Mutex<Last>,
    /// What an operator is shown.
    record: Arc<Record>,
    /// Applications that are being sent, each with those that wait to see what comes of it.
    applying: Mutex<HashMap<Applicant, Arc<AsyncMutex<()>>>>,
}

/// What makes two applications of one operation equal.
pub(super) type Applicant = (Person, Vec<Option<String>>);

/// Whoever has it may apply; an equal question waits.
pub(super) struct Turn<'a> {
    circuit: &'a Circuit,
    applicant: Applicant,
    _held: OwnedMutexGuard<()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut applying = lock(&self.circuit.applying);
        // Held here and there, and wanted by nobody else.
        if applying.get(&self.applicant).is_some_and(|turn| Arc::strong_count(turn) == 2) {
            applying.remove(&self.applicant);
        }
    }
}

/// When an operation last answered and failed, and why. What is remembered or was not sent counts for neither.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Last {
    pub(super) answered: Option<Timestamp>,
    pub(super) failed: Option<(Timestamp, Cause)>,
}

impl States {
    /// What is known of a source by its id.
    pub(super) fn known(&self, source: &Slug) -> Option<Arc<SourceState>> {
        lock(&self.sources).get(source).cloned()
    }

    /// The state of a source; a new one for one that was not there, or whose concurrency has changed.
    pub(super) fn of(&self, source: &Description) -> Arc<SourceState> {
        let hand = self.hand(&source.id);
        let mut states = lock(&self.sources);
        let concurrency = source.limits.concurrency;
        match states.get(&source.id) {
            Some(state) if state.concurrency == concurrency => Arc::clone(state),
            known => {
                let (used, circuits) =
                    known.map(|state| (Arc::clone(&state.used), lock(&state.circuits).clone())).unwrap_or_default();
                let (circuits, situation) = (Mutex::new(circuits), Arc::clone(&self.situation));
                let state = SourceState { used, hand, situation, circuits, ..SourceState::new(concurrency) };
                let state = Arc::new(state);
                states.insert(source.id.clone(), Arc::clone(&state));
                state
            }
        }
    }

    /// What an operator is shown of all of them.
    #[must_use]
    pub fn situation(&self) -> &Arc<Situation> {
        &self.situation
    }

    /// Closes a source by hand: it is not called until then, or until it is opened.
    pub fn close(&self, source: &Slug, closure: Closure) {
        self.hand(source).set(Some(closure));
    }

    /// Opens a source that was closed by hand, and lets every call through again, whatever its breakers have seen.
    pub fn open(&self, source: &Slug) {
        self.hand(source).set(None);
        if let Some(state) = self.known(source) {
            lock(&state.circuits).values().for_each(|circuit| circuit.reset());
        }
    }

    /// Why a source is closed by hand at this moment, if it is.
    #[must_use]
    pub fn closure(&self, source: &Slug, now: Timestamp) -> Option<Closure> {
        self.hand(source).closure(now)
    }

    fn hand(&self, source: &Slug) -> Arc<Hand> {
        Arc::clone(lock(&self.hands).entry(source.clone()).or_default())
    }
}

impl SourceState {
    /// Nothing is used, and nothing is known yet.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            places: Semaphore::new(concurrency),
            waiting: AtomicU32::new(0),
            used: Arc::default(),
            hand: Arc::default(),
            situation: Arc::default(),
            circuits: Mutex::default(),
        }
    }

    /// The state of an operation.
    pub(super) fn circuit(&self, operation: &Operation, source: &Description) -> Arc<Circuit> {
        let name = operation.promise.operation.operation.clone();
        let record = || self.situation.operation(&operation.promise.operation);
        let new = || Arc::new(Circuit::new(source.limits.breaker, record()));
        Arc::clone(lock(&self.circuits).entry(name).or_insert_with(new))
    }

    /// The state of an operation that has been asked, or could have been.
    pub(super) fn known(&self, operation: &Slug) -> Option<Arc<Circuit>> {
        lock(&self.circuits).get(operation).cloned()
    }

    /// About how long somebody waits who comes now.
    pub(super) fn wait(&self, latency: Duration) -> Duration {
        let places = self.waiting.load(Ordering::Relaxed).saturating_add(1);
        latency * places / u32::try_from(self.concurrency).unwrap_or(u32::MAX).max(1)
    }

    /// When the next call may be made, by the registration's calls a second; `None`: not until `latest`. One that may be made
    /// now counts as made; any other is to ask by `leave` when it is due.
    pub(super) fn next_second(&self, most: u32, now: Instant, latest: Instant) -> Option<Instant> {
        let mut second = lock(&self.used.second);
        second.forget(now);
        let calls = second.made.len() + second.due.len();
        let full = calls.checked_sub(most as usize).and_then(|first| second.made.iter().chain(&second.due).nth(first));
        let next = full.map_or(now, |call| *call + SECOND).max(now);
        (next <= latest).then(|| {
            let calls = if next == now { &mut second.made } else { &mut second.due };
            calls.push_back(next);
            next
        })
    }

    /// Makes the call that was due, unless those before it were made so late that it would be one too many.
    pub(super) fn leave(&self, most: u32, due: Instant, now: Instant) -> bool {
        let mut second = lock(&self.used.second);
        if let Some(place) = second.due.iter().position(|call| *call == due) {
            second.due.remove(place);
        }
        second.forget(now);
        let leaves = second.made.len() < most as usize;
        if leaves {
            second.made.push_back(now);
        }
        leaves
    }

    /// How many calls were made within the last second.
    pub(super) fn made(&self, now: Instant) -> u32 {
        let mut second = lock(&self.used.second);
        second.forget(now);
        u32::try_from(second.made.len()).unwrap_or(u32::MAX)
    }

    /// What counts calls by the hour or the day.
    pub(super) fn tally(&self, seconds: u32) -> &AsyncMutex<Tally> {
        if seconds == HOUR { &self.used.hour } else { &self.used.day }
    }

    /// Counts a call by the hour or the day.
    pub(super) async fn count(
        &self,
        source: &Slug,
        seconds: u32,
        most: u32,
        now: Timestamp,
        durable: &dyn Durable,
    ) -> Result<(), Failure> {
        let of = Allower::Source(source.clone());
        let counted = self.tally(seconds).lock().await.count(&of, seconds, most, now, durable).await;
        counted.map_err(|why| match why {
            NotCounted::Full(until) => Failure { cause: Cause::RateLimited, until: Some(until) },
            NotCounted::NotSaved(NotSaved) => Cause::NotKept.into(),
        })
    }
}

impl Second {
    /// Forgets what is over.
    fn forget(&mut self, now: Instant) {
        for calls in [&mut self.made, &mut self.due] {
            while calls.front().is_some_and(|call| *call + SECOND <= now) {
                calls.pop_front();
            }
        }
    }
}

/// Lengths of a registration's windows, in seconds.
pub(super) const HOUR: u32 = 3600;
pub(super) const DAY: u32 = 86_400;
const SECOND: Duration = Duration::from_secs(1);

/// Each call earns a tenth of a retry; so many may be saved, and so many are there at first.
const MOST_BUDGET: i32 = 100;
const FIRST_BUDGET: i32 = 30;
pub(super) const RETRY: i32 = 10;

impl Circuit {
    pub(super) fn new(policy: Policy, record: Arc<Record>) -> Self {
        Self {
            policy,
            record,
            breaker: Mutex::new(Breaker::new(policy)),
            budget: AtomicI32::new(FIRST_BUDGET),
            latency: AtomicU64::new(0),
            last: Mutex::default(),
            applying: Mutex::default(),
        }
    }

    /// How its breaker stands.
    pub(super) fn stand(&self, now: Instant) -> Stand {
        lock(&self.breaker).stand(now.into_std())
    }

    /// Lets every call through again.
    fn reset(&self) {
        *lock(&self.breaker) = Breaker::new(self.policy);
    }

    /// Notes an exchange for the operator, or that none was made.
    pub(super) fn note(&self, began: Timestamp, took: Duration, result: Result<(), Cause>) {
        self.record.note(&Exchange { began, took, result });
    }

    /// The retry budget, in tenths of a retry.
    pub(super) fn budget(&self) -> i32 {
        self.budget.load(Ordering::Relaxed)
    }

    /// When it last answered and failed.
    pub(super) fn last(&self) -> Last {
        *lock(&self.last)
    }

    /// Waits until no equal application is being sent.
    pub(super) async fn turn(&self, applicant: Applicant) -> Turn<'_> {
        let turn = Arc::clone(lock(&self.applying).entry(applicant.clone()).or_default());
        Turn { circuit: self, applicant, _held: turn.lock_owned().await }
    }

    /// Lets a call through, or says when one may go through.
    pub(super) fn admit(&self, now: Instant) -> Result<Admitted<'_>, Duration> {
        let pass = lock(&self.breaker).admit(now.into_std())?;
        Ok(Admitted { circuit: self, pass, outcome: Outcome::Unknown })
    }

    /// Whether a retry is left in the budget; it is used up then.
    pub(super) fn withdraw(&self) -> bool {
        let less = |budget: i32| (budget >= RETRY).then_some(budget - RETRY);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// A call that was not a retry earns a part of one.
    pub(super) fn deposit(&self) {
        let more = |budget: i32| (budget < MOST_BUDGET).then_some(budget + 1);
        // A full budget stays as it is.
        let _ = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    pub(super) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency.load(Ordering::Relaxed))
    }

    pub(super) fn took(&self, latency: Duration) {
        let sample = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let known = self.latency.load(Ordering::Relaxed);
        let average = if known == 0 { sample } else { known - known / 8 + sample / 8 };
        self.latency.store(average, Ordering::Relaxed);
    }
}

/// A call that was let through. What is never told about it is unknown to the breaker.
pub(super) struct Admitted<'a> {
    circuit: &'a Circuit,
    pass: Pass,
    outcome: Outcome,
}

impl Admitted<'_> {
    pub(super) fn answered(mut self, now: Timestamp) {
        self.outcome = Outcome::Worked;
        lock(&self.circuit.last).answered = Some(now);
    }

    pub(super) fn failed(mut self, cause: Cause, now: Timestamp) {
        self.outcome = Outcome::Failed;
        lock(&self.circuit.last).failed = Some((now, cause));
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        lock(&self.circuit.breaker).note(&self.pass, self.outcome, Instant::now().into_std());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
