use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::page::{Distribution, Reading};
use super::seconds;
use crate::telemetry::ids::{SpanId, TraceId};
use crate::telemetry::span::{Span, Trace};

/// Counts.
#[derive(Debug, Default)]
pub(in crate::telemetry) struct Counter(AtomicU64);

impl Counter {
    pub(in crate::telemetry) fn add(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(in crate::telemetry) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts values by upper bounds, of which there are `N`, and what is over all of them.
#[derive(Debug)]
pub(in crate::telemetry) struct Histogram<const N: usize> {
    counts: [AtomicU64; N],
    over: AtomicU64,
    /// All of them together, in billionths.
    billionths: AtomicU64,
    /// One example for each bound, and one of what is longer.
    exemplars: Mutex<Vec<Option<Exemplar>>>,
}

/// An example of what was counted: where to look when one asks what was so slow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar {
    /// The trace.
    pub trace: TraceId,
    /// The span that took so long.
    pub span: SpanId,
    /// How many seconds.
    pub value: f64,
    /// When it ended.
    pub at: Timestamp,
    /// Whether the trace is exported.
    pub is_sampled: bool,
}

/// For so long a trace that is exported stays the example in preference to newer ones that are not.
const PREFERRED_FOR: SignedDuration = SignedDuration::from_mins(1);

impl Exemplar {
    pub(in crate::telemetry) fn of(trace: &Trace, span: &Span) -> Self {
        let after = SignedDuration::try_from(span.start + span.length).unwrap_or_default();
        Self {
            trace: trace.id,
            span: span.id,
            value: seconds(span.length),
            at: trace.started.saturating_add(after).unwrap_or(trace.started),
            is_sampled: trace.is_sampled,
        }
    }

    fn replaces(&self, old: Option<&Self>) -> bool {
        old.is_none_or(|old| self.is_sampled || !old.is_sampled || self.at.duration_since(old.at) > PREFERRED_FOR)
    }
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; N],
            over: AtomicU64::new(0),
            billionths: AtomicU64::new(0),
            exemplars: Mutex::default(),
        }
    }
}

impl<const N: usize> Histogram<N> {
    pub(in crate::telemetry) fn observe(
        &self,
        length: Duration,
        bounds: &[f64; N],
        example: impl FnOnce() -> Exemplar,
    ) {
        let index = self.count_time(length, bounds);
        // An example that is just being written is as good.
        if let Ok(mut exemplars) = self.exemplars.try_lock() {
            exemplars.resize(N + 1, None);
            let example = example();
            if let Some(place) = exemplars.get_mut(index).filter(|place| example.replaces(place.as_ref())) {
                *place = Some(example);
            }
        }
    }

    /// Counts a length of time; returns the place of its bound.
    pub(super) fn count_time(&self, length: Duration, bounds: &[f64; N]) -> usize {
        self.add(seconds(length), u64::try_from(length.as_nanos()).unwrap_or(u64::MAX), bounds)
    }

    /// Counts a number of things.
    pub(super) fn count_things(&self, number: usize, bounds: &[f64; N]) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.add(f64::from(number), u64::from(number) * 1_000_000_000, bounds);
    }

    fn add(&self, value: f64, billionths: u64, bounds: &[f64; N]) -> usize {
        let index = bounds.iter().position(|bound| value <= *bound).unwrap_or(N);
        self.counts.get(index).unwrap_or(&self.over).fetch_add(1, Ordering::Relaxed);
        self.billionths.fetch_add(billionths, Ordering::Relaxed);
        index
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().chain([&self.over]).map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn read(&self, bounds: &[f64; N]) -> Reading {
        let exemplars = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Reading::Distribution(Box::new(Distribution {
            bounds: bounds.to_vec(),
            counts: self.counts.iter().chain([&self.over]).map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: seconds(Duration::from_nanos(self.billionths.load(Ordering::Relaxed))),
            exemplars,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(value: f64, at: Timestamp, is_sampled: bool) -> Exemplar {
        Exemplar { trace: TraceId::random(), span: SpanId::random(), value, at, is_sampled }
    }

    #[test]
    fn what_is_on_a_bound_is_below_it() {
        let histogram = Histogram::<2>::default();
        let bounds = [0.5, 1.0];
        for millis in [100, 500, 501, 1000, 1001] {
            let at = Timestamp::UNIX_EPOCH;
            histogram.observe(Duration::from_millis(millis), &bounds, || example(0.0, at, false));
        }
        let Reading::Distribution(read) = histogram.read(&bounds) else { panic!() };
        assert_eq!((read.counts, read.sum, histogram.count()), (vec![2, 2, 1], 3.102, 5));
    }

    #[test]
    fn things_are_counted_as_they_are() {
        let histogram = Histogram::<2>::default();
        for number in [1, 2, 3, 1000] {
            histogram.count_things(number, &[1.0, 4.0]);
        }
        let Reading::Distribution(read) = histogram.read(&[1.0, 4.0]) else { panic!() };
        assert_eq!((read.counts, read.sum), (vec![1, 2, 1], 1006.0));
    }

    #[test]
    fn an_example_that_can_be_looked_up_elsewhere_is_preferred_for_a_while() {
        let start = Timestamp::UNIX_EPOCH;
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        let exported = example(1.0, start, true);
        assert!(exported.replaces(Some(&example(1.0, start, false))));
        assert!(!example(1.0, after(30), false).replaces(Some(&exported)));
        assert!(example(1.0, after(61), false).replaces(Some(&exported)));
        assert!(example(1.0, after(1), true).replaces(Some(&exported)));
    }
}
