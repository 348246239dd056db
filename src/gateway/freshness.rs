use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::departments::{Fact, Failure};
use crate::domain::{Cause, Slug};

/// When each source last answered, and when it last failed.
pub struct Freshness {
    sources: Mutex<BTreeMap<Slug, SourceState>>,
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
    /// Nothing known yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { sources: Mutex::default(), clock }
    }

    /// Every source that has been asked, with its state.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<Slug, SourceState> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, source: &Slug, answer: Result<&Arc<Fact>, &Failure>) {
        let now = self.clock.now();
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.contains_key(source) {
            sources.insert(source.clone(), SourceState::default());
        }
        let Some(state) = sources.get_mut(source) else { return };
        match answer {
            // A remembered fact says when the source was asked, not now.
            Ok(fact) => state.answered = state.answered.max(Some(fact.as_of)),
            Err(failure) => state.failed = Some((now, failure.cause)),
        }
    }
}
