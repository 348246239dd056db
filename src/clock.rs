//! Layer 0: time, as a value that is passed in, so that whatever depends on it can be tested at any date.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// The present day in Asia/Shanghai: what "today" means to every matter.
    fn today(&self) -> Date {
        day_of(self.now())
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now =
            now.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moments that never go back, out of a clock that may: for windows that slide. Where the clock was set back, they go on from
/// where they were; otherwise nothing would slide until the clock is there again, which may take a year.
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    last: Timestamp,
    /// How much these moments are ahead of the clock.
    ahead: SignedDuration,
}

/// Readings on several threads may be in another order than their uses: that is no clock that was set.
const DISORDER: SignedDuration = SignedDuration::from_mins(1);

impl Default for Steady {
    fn default() -> Self {
        Self { last: Timestamp::MIN, ahead: SignedDuration::ZERO }
    }
}

impl Steady {
    /// The moment that a reading of the clock stands for: never before an earlier one.
    #[must_use]
    pub fn read(&mut self, now: Timestamp) -> Timestamp {
        let moment = now.saturating_add(self.ahead).unwrap_or(Timestamp::MAX);
        let back = self.last.duration_since(moment);
        if back > DISORDER {
            self.ahead = self.ahead.saturating_add(back);
        }
        self.last = self.last.max(moment);
        self.last
    }

    /// What the clock will say at such a moment.
    #[must_use]
    pub fn on_the_clock(&self, moment: Timestamp) -> Timestamp {
        moment.saturating_sub(self.ahead).unwrap_or(Timestamp::MIN)
    }
}

/// The day in Asia/Shanghai, which has kept UTC+8 without daylight saving time since 1991.
#[must_use]
pub fn day_of(moment: Timestamp) -> Date {
    jiff::tz::offset(8).to_datetime(moment).date()
}

/// A length of time as configuration and requests write it (`10m`, `1h30m`, `500ms`), never negative.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

/// A day as requests and rules write it: exactly `YYYY-MM-DD`, from the year 1 on.
#[must_use]
pub fn day(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|day| day.year() > 0 && day.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_shanghai() {
        let day = |text: &str| day_of(text.parse().unwrap()).to_string();
        assert_eq!(day("2026-11-22T15:59:59Z"), "2026-11-22");
        assert_eq!(day("2026-11-22T16:00:00Z"), "2026-11-23");
    }

    #[test]
    fn steady_moments_go_on_where_the_clock_was_set_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut steady = Steady::default();
        assert_eq!(steady.read(at(1_000)), at(1_000));
        assert_eq!(steady.read(at(990)), at(1_000), "a reading in another order");
        assert_eq!(steady.read(at(1_010)), at(1_010));
        let year = 31_536_000;
        assert_eq!(steady.read(at(year)), at(year));
        assert_eq!(steady.read(at(1_020)), at(year), "set back");
        assert_eq!(steady.read(at(1_050)), at(year + 30), "and on from there");
        assert_eq!(steady.on_the_clock(at(year + 90)), at(1_110));
    }

    #[test]
    fn durations() {
        assert_eq!(duration("10m"), Some(Duration::from_mins(10)));
        assert_eq!(duration("-10m"), None);
        assert_eq!(duration("soon"), None);
    }
}
