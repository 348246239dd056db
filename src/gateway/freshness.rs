use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::departments::{Fact, Failure};
use crate::domain::{Cause, Slug};

/// When each source last answered, and when it last failed.
pub struct Freshness {
    sources: BTreeMap<Slug, Mutex<SourceState>>,
    clock: Arc<dyn Clock>,
}

/// What is known of a source's health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceState {
    /// Its last answer.
    pub answered: Option<Timestamp>,
    /// When it last failed, and why.
    pub failed: Option<(Timestamp, Cause)>,
}

impl Freshness {
    /// Nothing known yet of these sources.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = Slug>, clock: Arc<dyn Clock>) -> Self {
        Self { sources: sources.into_iter().map(|source| (source, Mutex::default())).collect(), clock }
    }

    /// Every source with its state.
    pub fn sources(&self) -> impl Iterator<Item = (&Slug, SourceState)> {
        self.sources.iter().map(|(source, state)| (source, *state.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(super) fn note(&self, source: &Slug, answer: Result<&Arc<Fact>, &Failure>) {
        let Some(state) = self.sources.get(source) else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            // A remembered fact says when the source was asked, not now.
            Ok(fact) => state.answered = state.answered.max(Some(fact.as_of)),
            Err(failure) => state.failed = Some((self.clock.now(), failure.cause)),
        }
    }
}
