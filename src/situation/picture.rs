//! How things stand, as it is said.

use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;

use super::health::Past;
use super::state::State;
use crate::domain::{AgencyId, Cause, ClaimRef, Outcome, Slug};

/// How things stand at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The moment.
    pub at: Timestamp,
    /// The departments, in the order of their files.
    pub departments: Vec<Department>,
    /// The questions of the last minute.
    pub minute: Traffic,
    /// The questions of the last ten minutes.
    pub ten_minutes: Traffic,
    /// The questions that wait for a department.
    pub pending: Pending,
}

/// A department.
#[derive(Debug, Clone, PartialEq)]
pub struct Department {
    /// Its id.
    pub source: Slug,
    /// How it is doing: as its worst operation.
    pub state: State,
    /// Since when it is not well: when the first call of the present run failed; of one that is closed by hand, when it was.
    pub since: Option<Timestamp>,
    /// Until when it is closed, planned or by hand, or left alone.
    pub until: Option<Timestamp>,
    /// What has failed of it, where that is past as far as anybody knows.
    pub past: Option<Past>,
    /// Why calls of it fail, the most frequent cause first.
    pub causes: Vec<CauseShare>,
    /// Why it is closed by hand.
    pub closure: Option<Closure>,
    /// Its calls of the last minute.
    pub rate: Rate,
    /// Whom that hits.
    pub hits: Hits,
    /// Its operations.
    pub operations: Vec<OperationPicture>,
}

/// One operation of a department.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationPicture {
    /// Its id.
    pub id: Slug,
    /// How it is doing.
    pub state: State,
    /// When the first call of the present run failed.
    pub since: Option<Timestamp>,
    /// The run that is past as far as anybody knows.
    pub past: Option<Past>,
    /// Why calls of it fail, the most frequent cause first; empty where none does.
    pub causes: Vec<CauseShare>,
    /// Why calls of it failed or were not made within the last hour.
    pub hour: Vec<CauseShare>,
    /// Its calls of the last minute.
    pub rate: Rate,
    /// Its calls of the last ten minutes.
    pub calls: u32,
    /// Those of them that failed.
    pub failed: u32,
    /// Half of its calls of the last minute took at most this.
    pub p50: Option<Duration>,
    /// Of a hundred, all but one did.
    pub p99: Option<Duration>,
    /// When it last answered.
    pub last_answered: Option<Timestamp>,
    /// When a call of it last failed, and why.
    pub last_failed: Option<(Timestamp, Cause)>,
}

/// What is known of a source beside its calls.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The source.
    pub source: Slug,
    /// Until when an operator has closed it, and why.
    pub closure: Option<Closure>,
    /// Its operations.
    pub operations: Vec<OfOperation>,
}

/// What is known of an operation beside its calls.
#[derive(Debug, Clone)]
pub struct OfOperation {
    /// Its id.
    pub id: Slug,
    /// Whether an operator has closed its department.
    pub closed_by_hand: bool,
    /// Until when it is out of service, as planned.
    pub planned_outage: Option<Timestamp>,
    /// Whether its breaker lets no calls through but one that finds out whether it is well again.
    pub left_alone: bool,
}

/// That an operator has closed a department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when; `None`: until somebody opens it.
    pub until: Option<Timestamp>,
}

/// How often a cause was the one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CauseShare {
    /// The cause.
    pub cause: Cause,
    /// How often.
    pub count: u32,
    /// Per cent of all that failed, rounded.
    pub percent: u32,
}

impl CauseShare {
    pub(super) fn of(counts: impl Iterator<Item = (Cause, u32)>) -> Vec<Self> {
        let counts: Vec<(Cause, u32)> = counts.collect();
        let all = counts.iter().map(|(_, count)| count).sum();
        let share = |(cause, count): (Cause, u32)| Self { cause, count, percent: percent(count, all) };
        let mut shares: Vec<Self> = counts.into_iter().map(share).collect();
        shares.sort_by_key(|share| Reverse(share.count));
        shares
    }

    /// Those of several operations together, the most frequent first.
    #[must_use]
    pub fn merged<'a>(all: impl Iterator<Item = &'a Self>) -> Vec<Self> {
        let mut counts = [0_u32; Cause::ALL.len()];
        for share in all {
            let count = &mut counts[share.cause as usize];
            *count = count.saturating_add(share.count);
        }
        Self::of(Cause::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0))
    }
}

/// Calls of some length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Those that were answered.
    pub answered: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that were not made: it is closed or left alone, or the question cannot be asked.
    pub held: u32,
    /// How long that is.
    pub length: Duration,
}

impl Rate {
    /// Calls that were made, a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { f64::from(self.answered.saturating_add(self.failed)) / seconds } else { 0.0 }
    }

    /// Per cent of them that failed.
    #[must_use]
    pub fn failed_percent(&self) -> u32 {
        percent(self.failed, self.answered.saturating_add(self.failed))
    }

    fn add(self, other: Self) -> Self {
        Self {
            answered: self.answered.saturating_add(other.answered),
            failed: self.failed.saturating_add(other.failed),
            held: self.held.saturating_add(other.held),
            length: self.length.max(other.length),
        }
    }
}

/// Whom a department hits that is not well: the questions of the last ten minutes that have no answer because of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// Those that were answered `unavailable`.
    pub unavailable: u32,
    /// Those that wait for it.
    pub pending: u32,
    /// All questions of that time, whatever came of them.
    pub asked: u32,
    /// Who asked them, the most often hit first.
    pub agencies: Vec<(AgencyId, u32)>,
    /// What was asked, the most often hit first.
    pub claims: Vec<(ClaimRef, u32)>,
    /// Traces of some, the last first (W3C Trace Context).
    pub traces: Vec<Box<str>>,
}

impl Hits {
    /// How many questions.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.unavailable.saturating_add(self.pending)
    }

    /// Per cent of all questions.
    #[must_use]
    pub fn percent(&self) -> u32 {
        percent(self.count(), self.asked)
    }
}

/// Questions of some length of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Traffic {
    /// How many were asked.
    pub asked: u32,
    /// What came of them, in the order of [`Outcome::ALL`].
    pub outcomes: Asked,
    /// How long that is.
    pub length: Duration,
    /// Half of them took at most this.
    pub p50: Option<Duration>,
    /// Of a hundred, all but one did.
    pub p99: Option<Duration>,
}

impl Traffic {
    /// Questions a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { f64::from(self.asked) / seconds } else { 0.0 }
    }
}

/// How many questions came to each outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked([u32; Outcome::ALL.len()]);

impl Asked {
    /// How many came to this.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u32 {
        self.0[outcome as usize]
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        let count = &mut self.0[outcome as usize];
        *count = count.saturating_add(1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(count);
        }
    }
}

/// The questions that wait for a department.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// How many.
    pub count: u32,
    /// When the oldest was asked.
    pub oldest: Option<Timestamp>,
    /// When the next one is asked again that waits for its department to open.
    pub next: Option<Timestamp>,
    /// By source, the most first; a question that waits for two counts for both. How many, and when the next one is asked again.
    pub by_source: Vec<(Slug, u32, Option<Timestamp>)>,
}

/// What an agency has asked within ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfAgency {
    /// The agency.
    pub agency: AgencyId,
    /// Questions.
    pub asked: u32,
    /// Those of them that have no answer because of a department.
    pub hit: u32,
    /// Questions that were turned away.
    pub refused: u32,
}

impl Picture {
    /// The departments that are not well, the worst first: those that fail before those of which some calls do, and of those
    /// the one that hits more questions first, then the one that has failed longer.
    #[must_use]
    pub fn troubles(&self) -> Vec<&Department> {
        let mut troubles: Vec<_> = self.departments.iter().filter(|department| department.state.is_trouble()).collect();
        troubles.sort_by_key(|one| (Reverse(one.state.weight()), Reverse(one.hits.count()), one.since));
        troubles
    }

    /// How many departments are in one of these states.
    #[must_use]
    pub fn count(&self, states: &[State]) -> usize {
        self.departments.iter().filter(|one| states.contains(&one.state)).count()
    }
}

impl Department {
    pub(super) fn new(of: &Circumstances, operations: Vec<OperationPicture>, hits: Hits, now: Timestamp) -> Self {
        let worst = operations.iter().max_by_key(|one| (one.state.weight(), one.state));
        let state = worst.map_or(State::NoTraffic, |one| one.state);
        let same = || operations.iter().filter(|one| one.state.weight() == state.weight());
        let closed = of.closure.as_ref().filter(|closure| closure.until.is_none_or(|until| until > now));
        let outage = of.operations.iter().filter_map(|one| one.planned_outage).max();
        let since = match state {
            State::ClosedByHand => closed.map(|closure| closure.at),
            _ => same().filter_map(|one| one.since).min(),
        };
        let until = match state {
            State::ClosedByHand => closed.and_then(|closure| closure.until),
            State::PlannedOutage => outage,
            _ => None,
        };
        let past = operations.iter().filter_map(|one| one.past).reduce(Past::and);
        let past = past.filter(|_| state == State::Recovered);
        let causes = CauseShare::merged(same().flat_map(|one| &one.causes));
        let rate = operations.iter().fold(Rate::default(), |sum, one| sum.add(one.rate));
        let closure = closed.cloned();
        Self { source: of.source.clone(), state, since, until, past, causes, closure, rate, hits, operations }
    }

    /// Why it is not well, above all.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self.state {
            State::ClosedByHand => Some(Cause::ClosedByOperator),
            State::PlannedOutage => Some(Cause::PlannedOutage),
            _ => self.causes.first().map(|share| share.cause),
        }
    }
}

/// Per cent, rounded; never nothing where there is something, and never all where there is not.
fn percent(part: u32, whole: u32) -> u32 {
    if whole == 0 || part == 0 {
        return 0;
    }
    let exact = (u64::from(part) * 100 + u64::from(whole) / 2) / u64::from(whole);
    let exact = u32::try_from(exact).unwrap_or(100);
    if part >= whole { 100 } else { exact.clamp(1, 99) }
}
