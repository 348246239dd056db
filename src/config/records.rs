//! How long the pages' records are kept: `[records]`.

use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

/// How long records are kept, in years. Figures stay for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Records {
    /// Of improper demands, from the day on which they were recorded.
    pub demands_years: i16,
    /// Of the transitional rule, from the day on which they were decided.
    pub deliberations_years: i16,
}

impl Default for Records {
    fn default() -> Self {
        Self { demands_years: 5, deliberations_years: 5 }
    }
}

impl Records {
    /// Before which moment a record was made whose time of so many years is over.
    #[must_use]
    pub fn before(now: Timestamp, years: i16) -> Timestamp {
        let at = jiff::tz::offset(8).to_datetime(now);
        let then = at.checked_sub(years.years()).and_then(|then| jiff::tz::offset(8).to_timestamp(then));
        // What is out of the calendar's range is before everything.
        then.unwrap_or(Timestamp::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_counted_by_the_calendar() {
        let before = |now: &str, years| Records::before(now.parse().unwrap(), years).to_string();
        assert_eq!(before("2026-11-23T08:00:00Z", 5), "2021-11-23T08:00:00Z");
        assert_eq!(before("2028-02-29T00:00:00Z", 1), "2027-02-28T00:00:00Z");
    }
}
