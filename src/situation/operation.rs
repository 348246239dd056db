//! What the calls of one operation come to.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::health::{FORGOTTEN, Health, Runs};
use super::latency::{Latencies, Merged};
use super::picture::{CauseShare, OfOperation, OperationPicture, Rate};
use super::state::State;
use super::window::Window;
use super::{Exchange, MINUTE, SLOT, TEN_MINUTES};
use crate::domain::Cause;

/// What is noted of one operation.
#[derive(Debug, Default)]
pub struct Record(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    health: Health,
    last_answered: Option<Timestamp>,
    last_failed: Option<(Timestamp, Cause)>,
    recent: Window<Recent, SLOT, TEN_MINUTES>,
    hour: Window<Counts, 60, MINUTES>,
}

/// How many minutes of an hour are over; the one that is not makes one more.
pub(super) const MINUTES: usize = 60;

#[derive(Debug, Default)]
struct Recent {
    counts: Counts,
    latencies: Latencies,
}

/// How calls ended.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    answered: u32,
    /// By cause, in the order of [`Cause::ALL`].
    causes: [u32; Cause::ALL.len()],
}

/// A minute of an operation's calls, or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bar {
    /// Calls that were answered.
    pub answered: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Calls that were not made.
    pub held: u32,
}

impl Record {
    /// Notes an exchange, or that one was not made.
    pub fn note(&self, exchange: &Exchange) {
        let took = SignedDuration::try_from(exchange.took).unwrap_or(SignedDuration::MAX);
        let at = exchange.began.saturating_add(took).unwrap_or(Timestamp::MAX);
        let mut noted = self.noted();
        let recent = noted.recent.at(at);
        recent.counts.add(exchange.result);
        if exchange.result.map_or_else(Cause::is_the_departments, |()| true) {
            recent.latencies.add(exchange.took);
        }
        noted.hour.at(at).add(exchange.result);
        match exchange.result {
            Ok(()) => {
                noted.health.note(exchange.began, at, false);
                noted.last_answered = Some(at);
            }
            Err(cause) if is_a_failure(cause) => {
                noted.health.note(exchange.began, at, true);
                noted.last_failed = Some((at, cause));
            }
            Err(_) => {}
        }
    }

    pub(super) fn picture(&self, of: &OfOperation, now: Timestamp) -> OperationPicture {
        let mut noted = self.noted();
        let runs = noted.health.runs(now);
        let state = state(of, runs, noted.is_quiet(now));
        let is_past = state == State::Recovered;
        let run = runs.run.filter(|_| !is_past);
        let (mut latencies, mut minute) = (Merged::default(), Counts::default());
        for (_, slot) in noted.recent.last(now, MINUTE) {
            minute.merge(&slot.counts);
            latencies.add(&slot.latencies);
        }
        let mut ten_minutes = Counts::default();
        noted.recent.last(now, TEN_MINUTES).for_each(|(_, slot)| ten_minutes.merge(&slot.counts));
        let mut hour = Counts::default();
        noted.hour.last(now, MINUTES).for_each(|(_, slot)| hour.merge(slot));
        let causes = [&minute, &ten_minutes, &hour].into_iter().map(Counts::shares).find(|shares| !shares.is_empty());
        let length = Window::<Recent, SLOT, TEN_MINUTES>::length(now, MINUTE);
        let rate = minute.rate(length);
        let (failed, answered) = (noted.last_failed, noted.last_answered);
        OperationPicture {
            id: of.id.clone(),
            state,
            since: run.map(|run| run.since),
            past: runs.past.filter(|_| is_past),
            causes: if run.is_some() { causes.unwrap_or_default() } else { Vec::new() },
            hour: hour.all_shares(),
            rate,
            calls: ten_minutes.answered + ten_minutes.failed(),
            failed: ten_minutes.failed(),
            p50: latencies.percentile(50),
            p99: latencies.percentile(99),
            last_answered: answered,
            last_failed: failed,
        }
    }

    /// Adds what the calls of the last hour came to, oldest minute first.
    pub(super) fn add_hour(&self, bars: &mut [Bar], now: Timestamp) {
        let noted = self.noted();
        for (age, counts) in noted.hour.last(now, bars.len().saturating_sub(1)) {
            let index = bars.len().checked_sub(age + 1);
            if let Some(bar) = index.and_then(|index| bars.get_mut(index)) {
                bar.answered += counts.answered;
                bar.failed += counts.failed();
                bar.held += counts.held();
            }
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// Whether nothing has been heard for long.
    fn is_quiet(&self, now: Timestamp) -> bool {
        let last = self.last_answered.max(self.last_failed.map(|(at, _)| at));
        last.is_none_or(|last| now.duration_since(last) > FORGOTTEN)
    }
}

/// How an operation is doing: what keeps it from being called comes before what its calls come to.
fn state(of: &OfOperation, runs: Runs, quiet: bool) -> State {
    match runs.run {
        _ if of.closed_by_hand => State::ClosedByHand,
        _ if of.planned_outage.is_some() => State::PlannedOutage,
        _ if of.left_alone => State::LeftAlone,
        Some(_) if runs.past.is_some() => State::Recovered,
        Some(_) if runs.recovers => State::Recovering,
        Some(run) if run.failing => State::Failing,
        Some(_) => State::Degraded,
        None if quiet => State::NoTraffic,
        None => State::Well,
    }
}

/// Whether a call that ends so says that the operation is not well. What is explained by another state does not, and what lies
/// in the question alone.
fn is_a_failure(cause: Cause) -> bool {
    match cause {
        Cause::Timeout
        | Cause::ConnectRefused
        | Cause::ConnectionLost
        | Cause::Tls
        | Cause::Busy
        | Cause::Denied
        | Cause::SourceError
        | Cause::InvalidSourceResponse
        | Cause::WrongSubject
        | Cause::UnknownCode
        | Cause::TooLarge
        | Cause::Misconfigured
        | Cause::RateLimited
        | Cause::Saturated
        | Cause::NotKept => true,
        Cause::PlannedOutage
        | Cause::ClosedByOperator
        | Cause::CircuitOpen
        | Cause::Interrupted
        | Cause::Unrepresentable => false,
    }
}

impl Counts {
    fn add(&mut self, result: Result<(), Cause>) {
        let count = match result {
            Ok(()) => &mut self.answered,
            Err(cause) => &mut self.causes[cause as usize],
        };
        *count = count.saturating_add(1);
    }

    fn merge(&mut self, other: &Self) {
        self.answered = self.answered.saturating_add(other.answered);
        for (sum, count) in self.causes.iter_mut().zip(&other.causes) {
            *sum = sum.saturating_add(*count);
        }
    }

    fn of(&self, is_meant: fn(Cause) -> bool) -> impl Iterator<Item = (Cause, u32)> {
        let counts = Cause::ALL.into_iter().zip(self.causes);
        counts.filter(move |(cause, count)| *count > 0 && is_meant(*cause))
    }

    fn failed(&self) -> u32 {
        self.of(is_a_failure).map(|(_, count)| count).sum()
    }

    fn held(&self) -> u32 {
        self.of(|cause| !is_a_failure(cause)).map(|(_, count)| count).sum()
    }

    /// Why calls failed, the most frequent cause first.
    fn shares(&self) -> Vec<CauseShare> {
        CauseShare::of(self.of(is_a_failure))
    }

    /// Why calls failed or were not made.
    fn all_shares(&self) -> Vec<CauseShare> {
        CauseShare::of(self.of(|_| true))
    }

    fn rate(&self, length: Duration) -> Rate {
        Rate { answered: self.answered, failed: self.failed(), held: self.held(), length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_counted_in_their_order() {
        for (index, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, index);
        }
    }
}
