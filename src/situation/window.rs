//! What happened of late, in slots of equal length.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;

/// A sliding window: slots of so many seconds, of which so many are kept. Slots in which nothing happens cost nothing.
#[derive(Debug)]
pub(super) struct Window<T, const SECONDS: i64, const SLOTS: usize> {
    /// Each with its number, oldest first.
    slots: VecDeque<(i64, T)>,
}

impl<T, const SECONDS: i64, const SLOTS: usize> Default for Window<T, SECONDS, SLOTS> {
    fn default() -> Self {
        Self { slots: VecDeque::new() }
    }
}

impl<T: Default, const SECONDS: i64, const SLOTS: usize> Window<T, SECONDS, SLOTS> {
    /// The slot of this moment. A clock that is set back stands still here.
    pub(super) fn at(&mut self, now: Timestamp) -> &mut T {
        let number = self.slots.back().map_or(i64::MIN, |(newest, _)| *newest).max(Self::number(now));
        let oldest = number - Self::kept() + 1;
        while self.slots.front().is_some_and(|(slot, _)| *slot < oldest) {
            self.slots.pop_front();
        }
        if self.slots.back().is_none_or(|(slot, _)| *slot != number) {
            self.slots.push_back((number, T::default()));
        }
        let last = self.slots.len() - 1;
        &mut self.slots[last].1
    }

    /// The slots of the last while: so many that are over, and the one that is not. Each with how many slots ago it was.
    pub(super) fn last(&self, now: Timestamp, slots: usize) -> impl Iterator<Item = (usize, &T)> {
        let newest = Self::number(now);
        let age = move |number: i64| usize::try_from(newest.saturating_sub(number).max(0)).unwrap_or(usize::MAX);
        self.slots.iter().map(move |(number, slot)| (age(*number), slot)).filter(move |(age, _)| *age <= slots)
    }

    /// How long that while is.
    pub(super) fn length(now: Timestamp, slots: usize) -> Duration {
        let over = i64::try_from(slots).unwrap_or(i64::MAX).saturating_mul(SECONDS);
        let begun = now.as_second().rem_euclid(SECONDS);
        Duration::from_secs(u64::try_from(over.saturating_add(begun)).unwrap_or(1).max(1))
    }

    fn number(now: Timestamp) -> i64 {
        now.as_second().div_euclid(SECONDS)
    }

    /// One more than are over.
    fn kept() -> i64 {
        i64::try_from(SLOTS).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// How often each of a few keys came. Keys beyond [`MOST_KEYS`] are counted together.
#[derive(Debug, Clone)]
pub(super) struct Tally<K> {
    counts: HashMap<K, u32>,
    others: u32,
}

/// The most agencies or claims that are told apart.
pub(super) const MOST_KEYS: usize = 256;

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self { counts: HashMap::new(), others: 0 }
    }
}

impl<K: Hash + Eq + Ord + Clone> Tally<K> {
    pub(super) fn add(&mut self, key: &K, count: u32) {
        if let Some(known) = self.counts.get_mut(key) {
            *known = known.saturating_add(count);
        } else if self.counts.len() < MOST_KEYS {
            self.counts.insert(key.clone(), count);
        } else {
            self.others = self.others.saturating_add(count);
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (key, count) in &other.counts {
            self.add(key, *count);
        }
        self.others = self.others.saturating_add(other.others);
    }

    /// The most frequent first; equal ones by their names. Those that are not told apart are left out.
    pub(super) fn sorted(self) -> Vec<(K, u32)> {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    proptest! {
        #[test]
        fn it_counts_what_is_recent_and_keeps_no_more(steps in prop::collection::vec((0..40_i64, 1..5_u32), 1..200)) {
            let mut window = Window::<u32, 10, 6>::default();
            let (mut now, mut all) = (1000_i64, Vec::new());
            for (later, count) in steps {
                now += later;
                *window.at(moment(now)) += count;
                all.push((now, count));
                let from = now - Window::<u32, 10, 6>::length(moment(now), 6).as_secs().cast_signed();
                let recent: u32 = all.iter().filter(|(at, _)| *at > from || *at == now).map(|(_, count)| count).sum();
                let counted: u32 = window.last(moment(now), 6).map(|(_, count)| count).sum();
                // A slot begins with its first second.
                let edge: u32 = all.iter().filter(|(at, _)| *at == from).map(|(_, count)| count).sum();
                prop_assert_eq!(counted, recent + if from == now { 0 } else { edge });
                prop_assert!(window.slots.len() <= 7);
            }
        }

        #[test]
        fn a_tally_loses_nothing_and_keeps_few_keys(keys in prop::collection::vec(0..400_u32, 0..900)) {
            let mut tally = Tally::default();
            for key in &keys {
                tally.add(key, 1);
            }
            let others = tally.others;
            let sorted = tally.sorted();
            prop_assert!(sorted.len() <= MOST_KEYS);
            prop_assert!(sorted.is_sorted_by(|(_, many), (_, fewer)| many >= fewer));
            prop_assert_eq!(sorted.iter().map(|(_, count)| *count).sum::<u32>() + others, u32::try_from(keys.len()).unwrap());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_stands_still() {
        let mut window = Window::<u32, 10, 6>::default();
        *window.at(moment(1000)) += 1;
        *window.at(moment(500)) += 1;
        assert_eq!(window.slots.len(), 1);
        assert_eq!(window.last(moment(500), 6).map(|(_, count)| count).sum::<u32>(), 2);
    }
}
