use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{IdNumber, Slug};

/// How many counters there are: 2 MiB of them.
const COUNTERS: usize = 1 << 18;

/// Counts the events about each person at each source, so that a fact knows whether one has come since.
///
/// Persons share counters by chance. That an event about one ends a fact about another costs a question and harms nobody;
/// and neither time nor memory depend on how much is held or on how many events there have been.
pub(super) struct Epochs {
    counters: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Epochs {
    fn default() -> Self {
        Self { counters: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl fmt::Debug for Epochs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Epochs(…)")
    }
}

impl Epochs {
    /// The present epoch of a person at a source.
    pub(super) fn of(&self, source: &Slug, person: &IdNumber) -> u64 {
        self.counter(source, person).map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    /// Begins a new one.
    pub(super) fn advance(&self, source: &Slug, person: &IdNumber) {
        if let Some(counter) = self.counter(source, person) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn counter(&self, source: &Slug, person: &IdNumber) -> Option<&AtomicU64> {
        let hash = usize::try_from(self.hasher.hash_one((source, person)) % COUNTERS as u64);
        self.counters.get(hash.unwrap_or_default())
    }
}
