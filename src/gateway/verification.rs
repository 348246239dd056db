use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moka::future::Cache;
use uuid::Uuid;

use crate::claims::WitnessReport;
use crate::domain::{AgencyId, ClaimRef, Outcome, Slug};

/// A verification as it stands. It holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Its id (`UUIDv7`, RFC 9562).
    pub id: Uuid,
    /// Who asked.
    pub agency: AgencyId,
    /// What was asked.
    pub claim: ClaimRef,
    /// What came of it.
    pub outcome: Outcome,
    /// The age of the oldest answer that counted.
    pub as_of: Timestamp,
    /// What each witness said.
    pub witnesses: Vec<WitnessReport>,
    /// Sources that could not be asked although the outcome stands without them.
    pub degraded: Vec<Slug>,
}

impl Verification {
    /// One that no connected source can answer.
    pub(super) fn referred(id: Uuid, agency: AgencyId, claim: ClaimRef, now: Timestamp) -> Self {
        let (witnesses, degraded) = (Vec::new(), Vec::new());
        Self { id, agency, claim, outcome: Outcome::Referred, as_of: now, witnesses, degraded }
    }
}

/// The verifications of the last while, so that those who were told `pending` can ask again. In memory.
#[derive(Debug, Clone)]
pub struct Verifications(Cache<Uuid, Arc<Verification>>);

impl Verifications {
    /// Keeps up to `entries`, each for `retention`.
    #[must_use]
    pub fn new(entries: u64, retention: Duration) -> Self {
        Self(Cache::builder().max_capacity(entries).time_to_live(retention).build())
    }

    /// The verification with this id, if this agency asked for it.
    pub async fn find(&self, id: Uuid, agency: &AgencyId) -> Option<Arc<Verification>> {
        self.0.get(&id).await.filter(|verification| verification.agency == *agency)
    }

    pub(super) async fn keep(&self, verification: Verification) -> Arc<Verification> {
        let verification = Arc::new(verification);
        self.0.insert(verification.id, Arc::clone(&verification)).await;
        verification
    }
}
