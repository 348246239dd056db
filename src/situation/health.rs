//! Whether an operation is well, and since when it is not.
//!
//! Its last calls decide: [`LAST`] of them at most, none older than [`FORGOTTEN`]. A first failure begins a run. A run in which
//! [`IN_A_ROW`] calls failed in a row, or half of the last calls, or in which none has worked for [`LONG`], is a run of
//! failing: it has begun with the first failure from which on half have failed, so that an odd failure of an hour ago does not
//! date it back.
//!
//! A lucky call does not end a run. It ends when [`RECOVERED`] calls in a row have worked and nothing has failed for
//! [`QUIET`]; where hardly anybody asks, when a call has worked and nothing has failed for [`FORGOTTEN`]. Before that, when a
//! call has worked and nothing has failed for [`CALM`], it is past as far as anybody knows: what it was is told, and one that
//! fails again goes on with it. A run of failing ends, too, when at most a tenth of the last calls failed during all of
//! [`QUIET`]; then it goes on as one in which some calls fail.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// How many of the last calls are looked at.
pub(super) const LAST: usize = 20;

/// So many failures in a row are a run of failing.
pub(super) const IN_A_ROW: usize = 5;

/// Or several within so long, and none that worked.
pub(super) const LONG: SignedDuration = SignedDuration::from_secs(3);

/// So many calls in a row that work end a run.
pub const RECOVERED: usize = 5;

/// For so long nothing fails before a run ends.
pub const QUIET: SignedDuration = SignedDuration::from_secs(10);

/// For so long nothing fails, and a call has worked: a run is past, as far as anybody knows.
pub(super) const CALM: SignedDuration = SignedDuration::from_mins(1);

/// Calls that are older say nothing of now.
pub(super) const FORGOTTEN: SignedDuration = SignedDuration::from_mins(10);

/// A run of which nothing has been heard for so long is over.
const OVER: SignedDuration = SignedDuration::from_hours(1);

/// At most so many failures of the last calls are few.
const FEW: usize = LAST / 10;

/// How an operation is doing.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// The last calls, oldest first: when each began and ended, and whether it failed.
    last: VecDeque<Ended>,
    last_failed: Option<Timestamp>,
    /// How many calls of the run have failed.
    failed: u32,
    /// How many calls have worked since the last failure.
    worked: usize,
    /// Since when few of the last calls have failed.
    few_since: Option<Timestamp>,
    impaired: Option<Timestamp>,
    failing: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Ended {
    began: Timestamp,
    at: Timestamp,
    failed: bool,
}

/// The runs that have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Runs {
    /// The run, if there is one.
    pub run: Option<Run>,
    /// Whether calls have worked since the last failure, and enough of them to end it if it stays so.
    pub recovers: bool,
    /// What it was, where it is past as far as anybody knows.
    pub past: Option<Past>,
}

/// A run that is past as far as anybody knows: its last call was answered, and nothing has failed for a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// How many calls of it failed.
    pub failed: u32,
    /// When the last of them ended.
    pub until: Timestamp,
}

/// A run of calls that fail, all or some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When the first call of it that failed began.
    pub since: Timestamp,
    /// Whether half of the calls fail, or more.
    pub failing: bool,
}

impl Past {
    /// Both, as one.
    pub(super) fn and(self, other: Self) -> Self {
        Self { failed: self.failed.saturating_add(other.failed), until: self.until.max(other.until) }
    }
}

impl Health {
    /// Notes a call that has ended. Calls are noted in the order in which they end, as nearly as threads can tell.
    pub(super) fn note(&mut self, began: Timestamp, at: Timestamp, failed: bool) {
        let at = self.last.back().map_or(at, |last| last.at.max(at));
        self.settle(at);
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(Ended { began, at, failed });
        if failed {
            (self.last_failed, self.worked) = (Some(at), 0);
            self.failed = self.failed.saturating_add(1);
            self.impaired.get_or_insert(began);
        } else {
            self.worked += 1;
        }
        if self.failing.is_none() && self.is_failing() {
            self.failing = self.began_failing();
        }
        let few = self.last.len() == LAST && self.failures() <= FEW;
        self.few_since = if few { self.few_since.or(Some(at)) } else { None };
        self.settle(at);
    }

    /// The runs that have not ended at this moment.
    pub(super) fn runs(&mut self, now: Timestamp) -> Runs {
        self.settle(now);
        let failing = self.failing.map(|since| Run { since, failing: true });
        let run = failing.or_else(|| self.impaired.map(|since| Run { since, failing: false }));
        let calm = self.last_failed.filter(|failed| run.is_some() && now.duration_since(*failed) >= CALM);
        let past = calm.filter(|_| self.worked > 0).map(|until| Past { failed: self.failed, until });
        Runs { run, recovers: run.is_some() && self.worked >= RECOVERED, past }
    }

    /// Ends what is over.
    fn settle(&mut self, now: Timestamp) {
        while self.last.front().is_some_and(|first| now.duration_since(first.at) > FORGOTTEN) {
            self.last.pop_front();
        }
        let quiet = self.last_failed.map_or(OVER, |failed| now.duration_since(failed));
        let is_over =
            self.worked >= RECOVERED && quiet >= QUIET || self.worked > 0 && quiet >= FORGOTTEN || quiet >= OVER;
        if is_over && self.impaired.is_some() {
            (self.impaired, self.failing, self.failed) = (None, None, 0);
            // They belong to the run that is over: the next one is not dated back to it.
            self.last.clear();
        }
        if self.few_since.is_some_and(|since| now.duration_since(since) >= QUIET) {
            self.failing = None;
        }
    }

    fn failures(&self) -> usize {
        self.last.iter().filter(|call| call.failed).count()
    }

    fn is_failing(&self) -> bool {
        let (calls, failures) = (self.last.len(), self.failures());
        let in_a_row = self.last.iter().rev().take_while(|call| call.failed).count();
        let all_of_few = calls > 1 && failures == calls;
        let span = || Some(self.last.back()?.at.duration_since(self.last.get(calls - in_a_row)?.began));
        let long = in_a_row > 1 && span().is_some_and(|span| span >= LONG);
        in_a_row >= IN_A_ROW || all_of_few || long || calls >= IN_A_ROW && failures * 2 >= calls
    }

    /// When the first call failed from which on half have failed.
    fn began_failing(&self) -> Option<Timestamp> {
        let calls = self.last.len();
        let (mut failures, mut began) = (0, None);
        for (index, call) in self.last.iter().enumerate().rev() {
            failures += usize::from(call.failed);
            if call.failed && failures * 2 >= calls - index {
                began = Some(call.began);
            }
        }
        began
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    fn note(health: &mut Health, millis: i64, failed: bool) {
        health.note(moment(millis), moment(millis), failed);
    }

    fn since(health: &mut Health, millis: i64) -> Option<(i64, bool)> {
        let run = health.runs(moment(millis)).run?;
        Some((run.since.as_millisecond() - 1_800_000_000_000, run.failing))
    }

    #[test]
    fn five_in_a_row_under_load_are_failing_since_the_first() {
        let mut health = Health::default();
        (0..1000).for_each(|call| note(&mut health, call, false));
        note(&mut health, 1000, true);
        assert_eq!(since(&mut health, 1000), Some((1000, false)));
        (1001..1005).for_each(|call| note(&mut health, call, true));
        assert_eq!(since(&mut health, 1005), Some((1000, true)));
    }

    #[test]
    fn calls_that_take_long_to_fail_are_failing_before_there_are_many() {
        let mut health = Health::default();
        (0..100).for_each(|call| note(&mut health, call, false));
        health.note(moment(1000), moment(3000), true);
        health.note(moment(1100), moment(3100), true);
        assert_eq!(since(&mut health, 3100), Some((1000, false)));
        health.note(moment(3050), moment(5050), true);
        assert_eq!(since(&mut health, 5050), Some((1000, true)));
    }

    #[test]
    fn an_odd_failure_before_does_not_date_an_outage_back() {
        let mut health = Health::default();
        note(&mut health, 0, true);
        (1..300).for_each(|call| note(&mut health, call * 10, false));
        (300..320).for_each(|call| note(&mut health, call * 10, true));
        assert_eq!(since(&mut health, 3200), Some((3000, true)));
    }

    #[test]
    fn it_recovers_with_five_calls_and_ten_seconds() {
        let mut health = Health::default();
        (0..30).for_each(|call| note(&mut health, call, true));
        (0..4).for_each(|call| note(&mut health, 100 + call, false));
        assert!(!health.runs(moment(60_000)).recovers);
        assert_eq!(since(&mut health, 60_000), Some((0, true)), "four calls are not enough, however long ago");
        note(&mut health, 60_001, false);
        assert_eq!(since(&mut health, 60_001), None);
    }

    #[test]
    fn a_run_is_past_when_its_last_call_worked_and_a_minute_is_calm() {
        let mut health = Health::default();
        (0..3).for_each(|call| note(&mut health, call * 1000, true));
        assert_eq!(health.runs(moment(120_000)).past, None, "nobody knows whether it is");
        note(&mut health, 3000, false);
        assert_eq!(health.runs(moment(61_999)).past, None);
        let past = Some(Past { failed: 3, until: moment(2000) });
        assert_eq!(health.runs(moment(62_000)).past, past);
        assert_eq!(health.runs(moment(601_999)).past, past);
        assert_eq!(health.runs(moment(602_000)), Runs::default());
        note(&mut health, 700_000, true);
        note(&mut health, 700_001, false);
        assert_eq!(health.runs(moment(760_000)).past, Some(Past { failed: 1, until: moment(700_000) }));
    }

    #[test]
    fn a_run_that_was_thought_past_goes_on_with_its_next_failure() {
        let mut health = Health::default();
        for call in 0..10 {
            note(&mut health, call * 40_000, call % 3 == 0);
        }
        assert_eq!(since(&mut health, 360_000), Some((0, false)));
        assert_eq!(health.runs(moment(360_000)).past, None);
        note(&mut health, 400_000, false);
        assert_eq!(health.runs(moment(420_000)).past, Some(Past { failed: 4, until: moment(360_000) }));
    }

    #[test]
    fn a_run_is_not_dated_back_to_one_that_is_over() {
        let mut health = Health::default();
        (0..30).for_each(|call| note(&mut health, call, true));
        (0..5).for_each(|call| note(&mut health, 20_000 + call, false));
        assert_eq!(since(&mut health, 20_005), None);
        note(&mut health, 30_000, true);
        assert_eq!(since(&mut health, 30_000), Some((30_000, false)));
    }

    #[test]
    fn it_recovers_only_when_it_is_quiet() {
        let mut health = Health::default();
        (0..30).for_each(|call| note(&mut health, call, true));
        (0..100).for_each(|call| note(&mut health, 100 + call, false));
        assert!(health.runs(moment(300)).recovers);
        assert_eq!(since(&mut health, 10_028), Some((0, true)));
        assert_eq!(since(&mut health, 10_029), None);
    }

    #[test]
    fn one_call_in_a_hundred_that_fails_is_no_outage_but_what_is_left_of_one() {
        let mut health = Health::default();
        (0..10).for_each(|call| note(&mut health, call * 100, true));
        for call in 10..1000_i64 {
            note(&mut health, call * 100, call % 50 == 0);
        }
        assert_eq!(since(&mut health, 100_000), Some((0, false)));
    }

    #[test]
    fn a_run_of_which_nothing_is_heard_is_forgotten() {
        let mut health = Health::default();
        (0..3).for_each(|call| note(&mut health, call, true));
        assert_eq!(since(&mut health, 3_500_000), Some((0, true)));
        assert_eq!(since(&mut health, 3_600_003), None);
        note(&mut health, 4_000_000, true);
        note(&mut health, 4_000_001, false);
        assert!(since(&mut health, 4_500_000).is_some());
        assert_eq!(since(&mut health, 4_600_001), None, "one call that works is enough where hardly anybody asks");
    }

    proptest! {
        /// Between two failures there are fewer calls that work than end a run, or too little time: whatever the pattern, it is
        /// dated from the first.
        #[test]
        fn no_lucky_call_ends_a_run(gaps in prop::collection::vec((0..5_i64, 0..100_000_i64, 0..60_i64), 1..60)) {
            let (mut health, mut now) = (Health::default(), 0);
            note(&mut health, now, true);
            for (few, long, many) in gaps {
                // Few calls in any time, or many calls in a short one.
                let (calls, time) = if long % 2 == 0 { (few, long) } else { (many, long % 9999) };
                for call in 1..=calls {
                    note(&mut health, now + time * call / (calls + 1), false);
                    prop_assert!(health.runs(moment(now + time * call / (calls + 1))).run.is_some());
                }
                now += time;
                note(&mut health, now, true);
                prop_assert_eq!(health.impaired, Some(moment(0)));
            }
        }

        /// Whatever happened, enough calls that work, for long enough, end it.
        #[test]
        fn it_always_recovers(history in prop::collection::vec((0..5000_i64, any::<bool>()), 0..200)) {
            let (mut health, mut now) = (Health::default(), 0);
            for (later, failed) in history {
                now += later;
                note(&mut health, now, failed);
            }
            for _ in 0..RECOVERED {
                now += 1;
                note(&mut health, now, false);
            }
            prop_assert_eq!(since(&mut health, now + 10_000), None);
        }

        /// A run begins with a call that failed, and failing begins within the run.
        #[test]
        fn a_run_begins_with_a_failure(history in prop::collection::vec((0..5000_i64, any::<bool>()), 1..200)) {
            let (mut health, mut now, mut failures) = (Health::default(), 0, Vec::new());
            for (later, failed) in history {
                now += later;
                note(&mut health, now, failed);
                if failed {
                    failures.push(moment(now));
                }
                let Runs { run, past, .. } = health.runs(moment(now));
                if let Some(past) = past {
                    prop_assert!(!failed && failures.last() == Some(&past.until) && run.is_some());
                    let of_run = failures.iter().filter(|at| health.impaired.is_some_and(|since| **at >= since));
                    prop_assert_eq!(usize::try_from(past.failed).unwrap(), of_run.count());
                }
                if let Some(run) = run {
                    prop_assert!(failures.contains(&run.since));
                    prop_assert!(health.impaired.is_some_and(|since| since <= run.since));
                }
                prop_assert!(health.last.len() <= LAST);
            }
        }
    }
}
