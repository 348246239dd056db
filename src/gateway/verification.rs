use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Request;
use crate::claims::WitnessReport;
use crate::domain::{AgencyId, ClaimRef, Outcome, Slug};
use crate::durable::OpenQuestion;
use crate::receipt::Code;

/// A verification as it stands. It holds nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The digest of the rules that decided.
    pub rules: Arc<str>,
    /// When it is asked again, because a department cannot be asked until then.
    pub again: Option<Timestamp>,
    /// Its receipt, once there is an outcome.
    #[serde(default)]
    pub receipt: Option<Arc<str>>,
    /// The receipt's short code.
    #[serde(default)]
    pub receipt_code: Option<Code>,
}

impl Verification {
    /// One that no connected source can answer.
    pub(super) fn referred(id: Uuid, agency: AgencyId, request: &Request, rules: &Arc<str>, now: Timestamp) -> Self {
        Self::without_witnesses(id, agency, request.claim.reference().clone(), Outcome::Referred, rules, now)
    }

    /// One that an earlier process left open, and that the rules do not know any more.
    pub(super) fn unanswerable(question: &OpenQuestion, rules: &Arc<str>, now: Timestamp) -> Option<Self> {
        let agency = AgencyId(question.agency.parse().ok()?);
        let claim = question.claim.parse().ok()?;
        Some(Self::without_witnesses(question.id, agency, claim, Outcome::Unavailable, rules, now))
    }

    /// One that is open on the disk, and of which nothing more is known here.
    pub(super) fn pending(question: &OpenQuestion, rules: &Arc<str>) -> Option<Self> {
        let agency = AgencyId(question.agency.parse().ok()?);
        let claim = question.claim.parse().ok()?;
        let pending = Self::without_witnesses(question.id, agency, claim, Outcome::Pending, rules, question.asked);
        Some(Self { again: question.again, ..pending })
    }

    fn without_witnesses(
        id: Uuid,
        agency: AgencyId,
        claim: ClaimRef,
        outcome: Outcome,
        rules: &Arc<str>,
        as_of: Timestamp,
    ) -> Self {
        let (witnesses, degraded, rules) = (Vec::new(), Vec::new(), Arc::clone(rules));
        let (again, receipt, receipt_code) = (None, None, None);
        Self { id, agency, claim, outcome, as_of, witnesses, degraded, rules, again, receipt, receipt_code }
    }
}

/// The verifications of the last while, so that those who were told `pending` can ask again. In memory.
#[derive(Debug, Clone)]
pub struct Verifications(Cache<Uuid, Arc<Verification>>);

impl Verifications {
    /// Keeps up to `entries`, each for `retention`.
    #[must_use]
    pub fn new(entries: u64, retention: Duration) -> Self {
        // The oldest goes first: what was asked just now is what is asked for next.
        let cache = Cache::builder().max_capacity(entries).eviction_policy(EvictionPolicy::lru());
        Self(cache.time_to_live(retention).build())
    }

    /// The verification with this id, whoever asked for it.
    pub(super) async fn find(&self, id: Uuid) -> Option<Arc<Verification>> {
        self.0.get(&id).await
    }

    pub(super) async fn keep(&self, verification: Verification) -> Arc<Verification> {
        let verification = Arc::new(verification);
        self.0.insert(verification.id, Arc::clone(&verification)).await;
        verification
    }
}
