use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::{IdNumber, Slug};

/// How many places there are: 2 MiB of them.
const PLACES: usize = 1 << 18;

/// Numbers the events of all sources, and knows the last one about each person at each source, so that a fact knows whether
/// one has come since.
///
/// Persons share places by chance. That an event about one ends a fact about another costs a question and harms nobody; and
/// neither time nor memory depend on how much is held or on how many events there have been.
pub(super) struct Epochs {
    last: AtomicU64,
    places: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Epochs {
    fn default() -> Self {
        let places = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Self { last: AtomicU64::new(0), places, hasher: RandomState::new() }
    }
}

impl fmt::Debug for Epochs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Epochs(…)")
    }
}

impl Epochs {
    /// The number of the last event of all. Whoever is asked from now on knows of it.
    pub(super) fn now(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Where the last event about a person at a source is noted.
    pub(super) fn place(&self, source: &Slug, person: &IdNumber) -> usize {
        usize::try_from(self.hasher.hash_one((source, person)) % PLACES as u64).unwrap_or_default()
    }

    /// The number of the last event noted there.
    pub(super) fn at(&self, place: usize) -> u64 {
        self.places.get(place).map_or(0, |last| last.load(Ordering::Acquire))
    }

    /// Notes a new one.
    pub(super) fn advance(&self, source: &Slug, person: &IdNumber) {
        let number = self.last.fetch_add(1, Ordering::AcqRel) + 1;
        if let Some(last) = self.places.get(self.place(source, person)) {
            last.fetch_max(number, Ordering::AcqRel);
        }
    }
}
