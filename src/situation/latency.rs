//! How long things take, in a fixed number of buckets.

use std::time::Duration;

/// Counts durations, from a millisecond to four minutes, an eighth of a doubling a bucket: what it says is at most an eighth
/// too long.
#[derive(Debug, Clone)]
pub(super) struct Latencies([u16; BUCKETS]);

/// Parts of a doubling.
const PARTS: u64 = 8;
/// 18 doublings.
const BUCKETS: usize = 144;

impl Default for Latencies {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Latencies {
    pub(super) fn add(&mut self, took: Duration) {
        let count = &mut self.0[bucket(took)];
        *count = count.saturating_add(1);
    }
}

/// Latencies of several slots together.
#[derive(Debug, Clone)]
pub(super) struct Merged([u32; BUCKETS]);

impl Default for Merged {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Merged {
    pub(super) fn add(&mut self, latencies: &Latencies) {
        for (sum, count) in self.0.iter_mut().zip(&latencies.0) {
            *sum = sum.saturating_add(u32::from(*count));
        }
    }

    /// So many per cent took at most this; `None`: there are none.
    pub(super) fn percentile(&self, percent: u64) -> Option<Duration> {
        let all: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let wanted = (all * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reached = |count: &u32| {
            seen += u64::from(*count);
            seen >= wanted
        };
        self.0.iter().position(reached).map(upper)
    }
}

/// Units of 1/1024 of a second.
fn bucket(took: Duration) -> usize {
    let units = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).saturating_mul(PARTS) / 977;
    if units < PARTS {
        return usize::try_from(units).unwrap_or(0);
    }
    let doubling = u64::from(units.ilog2() - PARTS.ilog2());
    let part = (units >> doubling) - PARTS;
    usize::try_from((doubling + 1) * PARTS + part).unwrap_or(usize::MAX).min(BUCKETS - 1)
}

/// The longest that a bucket counts.
fn upper(bucket: usize) -> Duration {
    let bucket = bucket as u64;
    let units = if bucket < PARTS { bucket + 1 } else { (bucket % PARTS + PARTS + 1) << (bucket / PARTS - 1) };
    Duration::from_micros(units * 977 / PARTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_percentile_is_at_most_an_eighth_too_long(mut micros in prop::collection::vec(1000..120_000_000_u64, 1..200)) {
            let (mut slot, mut merged) = (Latencies::default(), Merged::default());
            for micros in &micros {
                slot.add(Duration::from_micros(*micros));
            }
            merged.add(&slot);
            micros.sort_unstable();
            for percent in [50_usize, 99] {
                let at = (micros.len() * percent).div_ceil(100).max(1) - 1;
                let exact = u128::from(micros[at]);
                let said = merged.percentile(percent as u64).unwrap().as_micros();
                prop_assert!(said * 1000 >= exact * 999 && said * 100 <= exact * 113, "{said} {exact}");
            }
        }
    }

    #[test]
    fn the_shortest_and_the_longest_are_counted() {
        let mut slot = Latencies::default();
        slot.add(Duration::ZERO);
        slot.add(Duration::from_hours(24));
        let mut merged = Merged::default();
        assert_eq!(merged.percentile(50), None);
        merged.add(&slot);
        assert!(merged.percentile(1).unwrap() < Duration::from_millis(1));
        assert!(merged.percentile(99).unwrap() > Duration::from_mins(1));
    }
}
