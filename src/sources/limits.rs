//! What a department allows: how much, how often, when, and how long it may take. Plain values; what is used of it is in
//! `state`.

use std::time::Duration;

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::breaker;

/// A source's limits.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) connect_timeout: Duration,
    /// For one HTTP exchange.
    pub(super) response_timeout: Duration,
    /// For one question, with everything that it takes.
    pub(super) deadline: Duration,
    /// The most bytes of a reply.
    pub(super) body: usize,
    /// The most exchanges at once.
    pub(super) concurrency: usize,
    pub(super) rates: Rates,
    pub(super) outages: Vec<Outage>,
    pub(super) breaker: breaker::Policy,
    /// The most times that an exchange is tried.
    pub(super) attempts: u32,
}

/// The most calls of the registration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rates {
    pub(super) per_second: Option<u32>,
    pub(super) per_hour: Option<u32>,
    pub(super) per_day: Option<u32>,
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

/// Asia/Shanghai has kept UTC+8 without daylight saving time since 1991.
const SHANGHAI: Offset = jiff::tz::offset(8);

impl Outage {
    /// When the outage that covers this moment ends.
    fn end(&self, now: DateTime) -> Option<DateTime> {
        let (time, date) = (now.time(), now.date());
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        let ends_today = if self.from < self.to {
            on(date.weekday()) && self.from <= time && time < self.to
        } else {
            on(date.weekday().previous()) && time < self.to
        };
        if ends_today {
            return Some(date.to_datetime(self.to));
        }
        let ends_tomorrow = self.from >= self.to && on(date.weekday()) && self.from <= time;
        date.tomorrow().ok().filter(|_| ends_tomorrow).map(|tomorrow| tomorrow.to_datetime(self.to))
    }
}

impl Limits {
    /// If the source is planned to be out of service at this moment: until when.
    pub(super) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.outages.is_empty() {
            return None;
        }
        let mut end = None;
        let mut moment = SHANGHAI.to_datetime(now);
        // One outage may begin where another ends; a week of them has no end that matters.
        while let Some(next) = self.outages.iter().filter_map(|outage| outage.end(moment)).max() {
            moment = next;
            end = SHANGHAI.to_timestamp(next).ok();
            if end.is_none_or(|end| end.duration_since(now) > WEEK) {
                break;
            }
        }
        end
    }
}

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(outages: &[(&[Weekday], &str, &str)]) -> Limits {
        let outage = |(days, from, to): &(&[Weekday], &str, &str)| Outage {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        Limits {
            connect_timeout: Duration::ZERO,
            response_timeout: Duration::ZERO,
            deadline: Duration::ZERO,
            body: 0,
            concurrency: 1,
            rates: Rates::default(),
            outages: outages.iter().map(outage).collect(),
            breaker: breaker::Policy { failures: 1, open: Duration::ZERO },
            attempts: 1,
        }
    }

    fn closed(limits: &Limits, now: &str) -> Option<String> {
        limits.closed_until(now.parse().unwrap()).map(|end| SHANGHAI.to_datetime(end).to_string())
    }

    #[test]
    fn an_outage_may_go_on_past_midnight() {
        // 2026-11-23 is a Monday.
        let limits = limits(&[(&[Weekday::Monday], "23:00:00", "01:00:00")]);
        for (moment, until) in [
            ("2026-11-23T22:59:59+08:00", None),
            ("2026-11-23T00:30:00+08:00", None),
            ("2026-11-23T23:00:00+08:00", Some("2026-11-24T01:00:00")),
            ("2026-11-24T00:59:59+08:00", Some("2026-11-24T01:00:00")),
            ("2026-11-24T01:00:00+08:00", None),
            ("2026-11-24T23:30:00+08:00", None),
        ] {
            assert_eq!(closed(&limits, moment).as_deref(), until, "{moment}");
        }
    }

    #[test]
    fn outages_that_follow_each_other_are_one() {
        let limits = limits(&[(&[], "20:00:00", "23:00:00"), (&[], "23:00:00", "06:00:00")]);
        assert_eq!(closed(&limits, "2026-11-23T21:00:00+08:00").as_deref(), Some("2026-11-24T06:00:00"));
        assert_eq!(closed(&limits, "2026-11-23T12:00:00+08:00"), None);
    }

    #[test]
    fn a_source_that_never_opens_is_closed_all_the_same() {
        assert!(closed(&limits(&[(&[], "00:00:00", "00:00:00")]), "2026-11-23T12:00:00+08:00").is_some());
    }
}
