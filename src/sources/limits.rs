//! What a department allows: how much, how often, when, and how long it may take.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::Cause;

/// A source's limits.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
    pub(super) deadline: Duration,
    /// The most bytes of a reply.
    pub(super) body: usize,
    pub(super) concurrency: Semaphore,
    pub(super) rates: Vec<Rate>,
    pub(super) outages: Vec<Outage>,
}

/// The most calls in a window of time.
#[derive(Debug)]
pub(super) struct Rate {
    most: u32,
    seconds: i64,
    /// The window's number, and how many calls were made in it.
    window: Mutex<(i64, u32)>,
}

impl Rate {
    pub(super) fn new(most: u32, window: Duration) -> Self {
        Self { most, seconds: i64::try_from(window.as_secs()).unwrap_or(i64::MAX), window: Mutex::default() }
    }

    fn take(&self, now: Timestamp) -> bool {
        let number = now.as_second() / self.seconds;
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != number {
            *window = (number, 0);
        }
        window.1 += 1;
        window.1 <= self.most
    }
}

/// When a source is planned to be out of service, in Asia/Shanghai. A window whose end is not after its beginning goes on
/// past midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outage {
    /// None: every day.
    pub(super) days: Vec<Weekday>,
    pub(super) from: Time,
    pub(super) to: Time,
}

impl Outage {
    fn covers(&self, now: Timestamp) -> bool {
        let local = jiff::tz::offset(8).to_datetime(now);
        let (time, day) = (local.time(), local.date().weekday());
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.to {
            on(day) && self.from <= time && time < self.to
        } else {
            (on(day) && self.from <= time) || (on(day.previous()) && time < self.to)
        }
    }
}

impl Limits {
    /// Takes a place among the calls, if the department allows one now.
    pub(super) async fn enter(&self, now: Timestamp) -> Result<SemaphorePermit<'_>, Cause> {
        if self.outages.iter().any(|outage| outage.covers(now)) {
            return Err(Cause::PlannedOutage);
        }
        let permit = self.concurrency.acquire().await.map_err(|_| Cause::Busy)?;
        if self.rates.iter().all(|rate| rate.take(now)) { Ok(permit) } else { Err(Cause::RateLimited) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_may_go_on_past_midnight() {
        let outage =
            Outage { days: vec![Weekday::Monday], from: Time::constant(23, 0, 0, 0), to: Time::constant(1, 0, 0, 0) };
        // 2026-11-23 is a Monday.
        for (moment, covered) in [
            ("2026-11-23T22:59:00+08:00", false),
            ("2026-11-23T23:00:00+08:00", true),
            ("2026-11-24T00:59:00+08:00", true),
            ("2026-11-24T01:00:00+08:00", false),
            ("2026-11-24T23:30:00+08:00", false),
        ] {
            assert_eq!(outage.covers(moment.parse().unwrap()), covered, "{moment}");
        }
    }

    #[test]
    fn a_rate_counts_by_window() {
        let rate = Rate::new(2, Duration::from_secs(1));
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(rate.take(at(5)) && rate.take(at(5)) && !rate.take(at(5)) && rate.take(at(6)));
    }
}
